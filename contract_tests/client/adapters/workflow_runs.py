"""Drives our own client: one method per operation on the class of its first tag, see the client's documentation."""

import importlib
import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from contract_tests.client.adapter import ABSENT, Call, Connection, Explanation, Received, Unsayable, to_json
from contract_tests.client.adapters.python_names import python_name

CLASSES: Final = {"promptlayer": "PromptLayer", "interactly": "Interactly"}
FACTS: Final = ("operation", "request_id", "retry_after", "may_have_run")
PLACES: Final = ("path", "query", "header", "cookie")


class WorkflowRuns:
    """The adapter for ``workflow_runs``, over whatever generated package that imports."""

    def __init__(self, generated: str) -> None:  # noqa: ARG002 - workflow_runs knows its own
        self._package = importlib.import_module("workflow_runs")
        self.own_errors: tuple[type[BaseException], ...] = (self._package.WorkflowRunsError,)

    def connect(self, connection: Connection) -> "Services":
        """Give the clients of all services, since a key belongs to one service."""
        return Services(self._package, connection)

    def invoke(self, client: "Services", call: Call) -> Any:
        """Call the operation's method; what the contract does not name goes through ``with_options``."""
        chosen = client(call.operation.tag)
        method = getattr(chosen, python_name(call.operation.id), None)
        if method is None:
            raise Unsayable(f"{type(chosen).__name__} has no method {python_name(call.operation.id)}")
        positional, named, extra = _arguments(call)
        _check_signature(method, positional, named)
        if extra or call.body == {}:
            method = getattr(chosen.with_options(extra_body=extra), python_name(call.operation.id))
        return method(*positional, **named)

    def read(self, value: Any, call: Call) -> Received:  # noqa: ARG002 - the protocol's
        """A model, a plain value, or an object that holds the value in ``.value``."""
        is_holder = hasattr(value, "value") and not hasattr(value, "to_dict")
        return Received(json=to_json(value.value if is_holder else value), type_name=type(value).__name__)

    def explain(self, error: BaseException, call: Call) -> Explanation:  # noqa: ARG002 - the protocol's
        """Read the documented attributes of an error."""
        body, response = getattr(error, "body", None), getattr(error, "response", None)
        facts = {name: _plain(getattr(error, name)) for name in FACTS if hasattr(error, name)}
        return Explanation(
            status=getattr(error, "status", None),
            body=Received(json=to_json(body), type_name=type(body).__name__),
            content=getattr(response, "content", None),
            facts=facts,
        )


class Services:
    """The client of each service, made when it is first needed; its text is that of all of them."""

    def __init__(self, package: Any, connection: Connection) -> None:
        self._package = package
        self._connection = connection
        self._made: dict[str, Any] = {}

    def __call__(self, tag: str) -> Any:
        """Give the client of a service."""
        if tag not in self._made:
            self._made[tag] = self._client(tag)
        return self._made[tag]

    def __repr__(self) -> str:
        return " ".join(repr(self(tag)) for tag in CLASSES)

    def __str__(self) -> str:
        return " ".join(str(self(tag)) for tag in CLASSES)

    def _client(self, tag: str) -> Any:
        if tag not in CLASSES:
            raise Unsayable(f"no class for operations whose first tag is {tag!r}")
        connection = self._connection
        options = {"timeout": connection.timeout, "retries": connection.retries}
        kind = getattr(self._package, ("Async" if connection.is_async else "") + CLASSES[tag])
        given = {name: value for name, value in options.items() if value is not None}
        return kind(api_key=connection.key, base_url=connection.base_url, **given)


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, bool | int | float | str) else repr(value)


def _arguments(call: Call) -> tuple[list[Any], dict[str, Any], dict[str, Any]]:
    """Spell a call: positional arguments, keyword arguments, and body members without a keyword of their own."""
    operation = call.operation
    positional: list[Any] = []
    named: dict[str, Any] = {}
    for place, name, value in _parameters(call):
        if place == "path" and len(positional) == operation.parameters["path"].index(name):
            positional.append(value)
        else:
            named[python_name(name)] = value
    if operation.members is None:
        return positional, named if call.body is ABSENT else {**named, "body": call.body}, {}
    _check_body(call)
    if call.body is ABSENT:
        return positional, named, {}
    taken = {python_name(name) for names in operation.parameters.values() for name in names}
    keywords = {name: _member_name(name, taken) for name in operation.members}
    named |= {keywords[name]: value for name, value in call.body.items() if name in keywords}
    return positional, named, {name: value for name, value in call.body.items() if name not in keywords}


def _check_body(call: Call) -> None:
    # Members are keywords: giving none of them is the empty object where there has to be a body, else no body.
    if call.body is ABSENT and call.operation.body_required:
        raise Unsayable("the body's members are keywords: without any the body is an empty object")
    if call.body is not ABSENT and not isinstance(call.body, Mapping):
        raise Unsayable("the body's members are keywords: it can't be anything but an object")


def _parameters(call: Call) -> Iterator[tuple[str, str, Any]]:
    given: dict[str, Mapping[str, Any]] = {
        "path": call.path,
        "query": call.query,
        "header": call.header,
        "cookie": call.cookie,
    }
    for place in PLACES:
        for name in call.operation.parameters.get(place, ()):
            if name in given[place]:
                yield place, name, given[place][name]


def _member_name(member: str, taken: set[str]) -> str:
    name = python_name(member)
    return f"body_{name}" if name in taken else name


def _check_signature(method: Callable[..., Any], positional: list[Any], named: Mapping[str, Any]) -> None:
    # An argument that the signature demands, or does not know, is refused by Python before the client is asked.
    try:
        inspect.signature(method).bind(*positional, **named)
    except TypeError as error:
        raise Unsayable(str(error)) from None
