"""Drives packages that are generated with this project's templates: one method per operation on a class per tag."""

import importlib
import re
import unicodedata
from collections.abc import Callable, Mapping
from functools import cache
from importlib.util import find_spec
from pkgutil import iter_modules
from typing import Any, Final

from contract_tests.client.adapter import (
    ABSENT,
    Call,
    CannotExpress,
    Connection,
    Explanation,
    NotSupported,
    Received,
    check_signature,
    to_json,
    transform,
)
from contract_tests.client.adapters.python_names import python_name
from contract_tests.client.adapters.typed_places import types_in

FACTS: Final = ("operation", "request_id", "retry_after", "may_have_run", "execution_id")
PLACES: Final = ("path", "query", "header", "cookie")
BODY: Final = "body"
SUFFIX: Final = "Operations"

PROMISES: Final = (
    *(f"CL-CLI-{number:02}" for number in range(2, 6)),
    *("CL-REF-10", "CL-REP-02", "CL-BRK-09", "CL-BRK-10", "CL-BRK-11"),
    *(f"CL-REL-{number:02}" for number in (1, 2, 4, 5, 8, 13, 14, 15, 18, 24, 25, 37, 39, *range(40, 46))),
    *(f"CL-OBJ-{number:02}" for number in range(1, 10)),
    *(f"CL-SEC-{number:02}" for number in range(1, 11)),
    *(f"CL-RUN-{number:02}" for number in (3, 4, *range(8, 12))),
    *("CL-LST-03", "CL-LST-04", "CL-CB-04", "CL-CB-07", "CL-CB-08", "CL-CB-10", "CL-CB-12", "CL-CB-13"),
)
ClientOf = Callable[[str], Any]


class OperationClasses:
    """The adapter for such a package alone, without anything written by hand."""

    python_values = ("datetime", "date", "UUID")
    documents: Mapping[str, str] = dict.fromkeys(PROMISES, "docs/client.md#what-you-can-rely-on")

    def __init__(self, generated: str) -> None:
        self._name = generated
        errors = importlib.import_module(f"{generated}.errors")
        self.own_errors: tuple[type[BaseException], ...] = (errors.WorkflowRunsError,)
        self.refusals = self.own_errors
        self.modules: tuple[str, ...] = (generated,)
        api = importlib.import_module(f"{generated}.api")
        self.services: tuple[str, ...] = tuple(module.name for module in iter_modules(api.__path__))

    has_whole_timeout = has_size_limit = reads_proxies = masks_bodies = True

    def connect(self, connection: Connection) -> ClientOf:
        """Return the client of a service; one for each that is asked for, since a key belongs to one service."""
        return _Clients(self, connection)

    def make(self, tag: str, connection: Connection) -> Any:
        """Build the client of a service."""
        kind = self.operations(tag, is_async=connection.is_async)
        options = {"timeout": connection.timeout, "headers": connection.headers or None, **limits(connection)}
        return kind(api_key=_keys(connection), base_url=connection.base_url, **options)

    def operations(self, tag: str, *, is_async: bool) -> Any:
        """Return the generated class of a service."""
        module = self._service(tag)
        return next(
            getattr(module, name) for name in module.__all__ if name.endswith(SUFFIX) and _is_async(name) == is_async
        )

    def _tag(self, call: Call) -> str:
        """Give an operation's tag; without one it is in the class that is named after the contract."""
        module = self._method(call)
        holders = (name for name in self.services if find_spec(f"{self._name}.api.{name}.{module}"))
        return call.operation.tag or next(holders, "")

    def _method(self, call: Call) -> str:
        renamed: Mapping[str, str] = getattr(importlib.import_module(self._name), "RENAMED", {})
        return renamed.get(call.operation.id) or _method_name(call)

    def _service(self, tag: str) -> Any:
        try:
            return importlib.import_module(f"{self._name}.api.{python_name(tag)}")
        except ModuleNotFoundError as error:
            raise CannotExpress(f"no module {error.name}") from None

    def invoke(self, client: ClientOf, call: Call) -> Any:
        """Call the operation's method; what the contract does not name goes through ``with_options``."""
        return self._made(client, call)

    def raw(self, client: ClientOf, call: Call) -> Any:
        """Call it in the form that has the response beside the value."""
        made = self._made(client, call, lambda chosen: chosen.with_raw_response)
        return transform(made, _parts, is_async=call.is_async)

    def _made(self, client: ClientOf, call: Call, form: Callable[[Any], Any] = lambda chosen: chosen) -> Any:
        if reason := getattr(importlib.import_module(self._name), "LEFT_OUT", {}).get(call.operation.id):
            raise NotSupported(f"the generator has left it out: {reason}")
        chosen = client(self._tag(call))
        name = self._method(call)
        method = getattr(chosen, name, None)
        if method is None:
            raise CannotExpress(f"{type(chosen).__name__} has no method {name}")
        positional, named, extra = arguments_of(call)
        check_signature(method, *positional, **named)
        if extra or (call.body == {} and call.operation.members is not None):
            chosen = chosen.with_options(extra_body=extra)
        return getattr(form(chosen), name)(*positional, **named)

    def read(self, value: Any, call: Call) -> Received:  # noqa: ARG002 - the protocol's
        """A model, a plain value, or an object that holds the value in ``.value``."""
        inner = self.held(value)
        name = type(value).__name__
        if isinstance(inner, bytes):
            return Received(json=None, type_name=name, content=inner)
        data = to_json(inner)
        return Received(json=data, type_name=name, types=types_in(inner, data))

    def derived(self, client: ClientOf, headers: Mapping[str, str]) -> ClientOf:
        """Views of the services' clients."""
        return lambda tag: client(tag).with_options(headers=headers)

    def extended(self, client: ClientOf, query: Mapping[str, str], body: Mapping[str, Any]) -> ClientOf:
        """Views of the services' clients."""
        given = {"extra_query": query, "extra_body": body}
        return lambda tag: client(tag).with_options(**{name: value for name, value in given.items() if value})

    def held(self, value: Any) -> Any:
        """What a holder holds, or the value itself."""
        is_holder = hasattr(value, "value") and not hasattr(value, "to_dict")
        return value.value if is_holder else value

    def carried(self, error: BaseException) -> Any:
        """What the service said, as an error keeps it."""
        return getattr(error, "body", None)

    def explain(self, error: BaseException, call: Call) -> Explanation:  # noqa: ARG002 - the protocol's
        """Read the documented attributes of an error."""
        body, response = self.carried(error), getattr(error, "response", None)
        facts = {name: _plain(getattr(error, name)) for name in FACTS if hasattr(error, name)}
        data, sent_at = to_json(body), getattr(error, "sent_at", None)
        return Explanation(
            status=getattr(error, "status", None),
            body=Received(json=data, type_name=type(body).__name__, types=types_in(body, data)),
            content=getattr(response, "content", None),
            facts=facts,
            may_have_acted=getattr(error, "may_have_run", None),
            sent_at=sent_at and sent_at.timestamp(),
        )

    def address(self, call: Call) -> str | None:
        """The server that stands in the service's module."""
        server = self._service(self._tag(call)).SERVER
        return str(server) if server else None

    def default_timeout(self, client: ClientOf) -> float | None:  # noqa: ARG002 - the protocol's
        """What the client sets for httpx if it is given nothing else."""
        transport = importlib.import_module(f"{self._name}.transport")
        with transport.open_client("contract-tests") as http:
            seconds: float | None = http.timeout.read
        return seconds

    def close(self, client: Any) -> Any:
        """Close every client that was made."""
        return client.close()


class _Clients:
    """One client for each service, made when it is needed."""

    def __init__(self, adapter: OperationClasses, connection: Connection) -> None:
        self._adapter, self._connection = adapter, connection
        self._made: dict[str, Any] = {}

    def __call__(self, tag: str) -> Any:
        if tag not in self._made:
            self._made[tag] = self._adapter.make(tag, self._connection)
        return self._made[tag]

    def __repr__(self) -> str:
        return " ".join(repr(self(tag)) for tag in self._adapter.services)

    def __str__(self) -> str:
        return " ".join(str(self(tag)) for tag in self._adapter.services)

    def close(self) -> Any:
        """Close them all; an awaitable for asynchronous ones."""
        if not self._connection.is_async:
            for client in self._made.values():
                client.close()
            return None

        async def closing() -> None:
            for client in self._made.values():
                await client.aclose()

        return closing()


def limits(connection: Connection) -> dict[str, float]:
    """Return the keywords of the limits for a whole try and for a response, as far as there are to be any."""
    given = {"total_timeout": connection.whole_timeout, "max_response_bytes": connection.most_bytes}
    return {name: value for name, value in given.items() if value is not None}


def _parts(made: Any) -> tuple[Any, int, Mapping[str, str], bytes]:
    return made.parsed, made.status, made.headers, made.content


def _method_name(call: Call) -> str:
    # What has no operationId has method and path in its place; where all is in small letters, no digit begins a word.
    name = call.operation.id
    method, _, path = name.partition(" ")
    unnamed = f"{method.lower()} {path}" if path.startswith("/") else name
    return python_name(re.sub("[^0-9A-Za-z]+", "_", unnamed).strip("_") if " " in name else name)


def _keys(connection: Connection) -> str | dict[str, str] | None:
    if connection.scheme is None or not connection.scheme.others or not connection.key:
        return connection.key or None
    return {scheme.id: connection.key for scheme in (connection.scheme, *connection.scheme.others)}


def _is_async(name: str) -> bool:
    return name.startswith("Async")


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, bool | int | float | str) else repr(value)


def spelled(call: Call) -> tuple[dict[tuple[str, str], str], dict[str, str]]:
    """
    Return the keywords of parameters, by place and name, and of the body's members.

    Names that are Python's own as they stand come first, then place by place and by the alphabet. A name that another
    argument has already gets its place in front, then a number behind until it is free.
    """
    operation = call.operation
    wanted = [(place, name) for place in PLACES for name in operation.parameters.get(place, ())]
    found = _keywords((*wanted, *((BODY, name) for name in operation.members or ())))
    return found, {name: keyword for (place, name), keyword in found.items() if place == BODY}


@cache
def _keywords(wanted: tuple[tuple[str, str], ...]) -> dict[tuple[str, str], str]:
    found: dict[tuple[str, str], str] = {}
    for place, name in sorted(wanted, key=_rank):
        found[place, name] = _free(_plain_name(name), place, set(found.values()))
    return found


def _rank(argument: tuple[str, str]) -> tuple[bool, int, str]:
    place, name = argument
    return _plain_name(name) != name, (*PLACES, BODY).index(place), name


def _plain_name(name: str) -> str:
    # To Python letters that look different may be one (PEP 3131).
    return unicodedata.normalize("NFKC", python_name(unicodedata.normalize("NFKC", name)))


def _free(name: str, place: str, taken: set[str]) -> str:
    stem = f"{place}_{name}" if name in taken else name
    number, free = 1, stem
    while free in taken:
        number += 1
        free = f"{stem.rstrip('_')}_{number}"
    return free


def arguments_of(call: Call) -> tuple[list[Any], dict[str, Any], dict[str, Any]]:
    """Spell a call: positional arguments, keyword arguments, and body members without a keyword of their own."""
    operation = call.operation
    parameters, members = spelled(call)
    positional: list[Any] = []
    named: dict[str, Any] = {}
    for place, name, value in call.given():
        if place == "path" and len(positional) == operation.parameters["path"].index(name):
            positional.append(value)
        else:
            named[parameters[place, name]] = value
    if operation.members is None:
        whole = {} if call.body is ABSENT else {_free("body", "", set(parameters.values())): call.body}
        return positional, named | whole, {}
    _check_body(call)
    body = {} if call.body is ABSENT else call.body
    extra = {name: value for name, value in body.items() if name not in members}
    known = {name for name in extra if any(re.search(pattern, name) for pattern in operation.patterns)}
    if operation.is_closed and extra.keys() - known:
        raise CannotExpress("the body's members are keywords, and none is for one that the contract does not allow")
    named |= {members[name]: value for name, value in body.items() if name in members}
    return positional, named, extra


def _check_body(call: Call) -> None:
    # Members are keywords: giving none of them is the empty object where there has to be a body, else no body.
    if call.body is ABSENT and call.operation.body_required:
        raise CannotExpress("the body's members are keywords: without any the body is an empty object")
    if call.body == {} and not call.operation.body_required and call.operation.required_members:
        raise CannotExpress("the body's members are keywords: without any there is no body")
    if call.body is not ABSENT and not isinstance(call.body, Mapping):
        raise CannotExpress("the body's members are keywords: it can't be anything but an object")
