"""Drives what openapi-python-client writes: ``sync_detailed`` and ``asyncio_detailed`` of each operation."""

import datetime
import importlib
import inspect
import io
import types
import typing
import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, Final, Union

from contract_tests.client.adapter import (
    ABSENT,
    Call,
    CannotExpress,
    Connection,
    Explanation,
    Received,
    check_signature,
    to_json,
    transform,
    user_alone,
)
from contract_tests.client.adapters.python_names import python_name
from contract_tests.client.adapters.typed_places import types_in

READERS: Final[Mapping[type, Callable[[str], Any]]] = {
    datetime.datetime: datetime.datetime.fromisoformat,
    datetime.date: datetime.date.fromisoformat,
    uuid.UUID: uuid.UUID,
}


class OpenapiPythonClient:
    """The adapter for any generated package with the generator's own layout, ``api/<tag>/<operation>.py``."""

    functions = ("sync_detailed", "asyncio_detailed")

    def __init__(self, generated: str) -> None:
        self._name = generated
        self._client = importlib.import_module(f"{generated}.client")
        self._httpx = importlib.import_module("httpx")
        self.modules = (generated,)
        # The docstring of every function promises UnexpectedStatus and TimeoutException; errors.py may hold more.
        errors = vars(importlib.import_module(f"{generated}.errors")).values()
        own = [kind for kind in errors if isinstance(kind, type) and issubclass(kind, Exception)]
        self.own_errors: tuple[type[BaseException], ...] = (*own, self._httpx.TimeoutException)

    def connect(self, connection: Connection) -> Any:
        """Build the client as the generator's read-me does, with the key where the contract wants it."""
        options: dict[str, Any] = {"base_url": connection.base_url, "raise_on_unexpected_status": True}
        if connection.timeout is not None:
            options["timeout"] = self._httpx.Timeout(connection.timeout)
        scheme = connection.scheme
        more = {each.name: connection.key for each in (scheme.others if scheme else ()) if each.location == "header"}
        if connection.headers or more:
            options["headers"] = connection.headers | more if more else connection.headers
        if scheme is None or not connection.key:
            return self._client.Client(**options)
        if scheme.kind == "apiKey" and scheme.location == "header":
            return self._client.AuthenticatedClient(
                **options, token=connection.key, prefix="", auth_header_name=scheme.name
            )
        if scheme.kind == "apiKey":
            place = {"cookie": {"cookies": {scheme.name: connection.key}}}
            query = {"httpx_args": {"params": {scheme.name: connection.key}}}
            return self._client.Client(**options, **place.get(scheme.location, query))
        token = user_alone(connection.key) if scheme.scheme == "basic" else connection.key
        return self._client.AuthenticatedClient(**options, token=token, prefix=scheme.scheme.capitalize())

    def invoke(self, client: Any, call: Call) -> Any:
        """Call the operation's function; arguments become what its annotations ask for."""
        module = self._module(call)
        function = getattr(module, self.functions[call.is_async], None)
        if function is None:
            raise CannotExpress(f"{module.__name__} has no function {self.functions[call.is_async]}")
        named = _arguments(function, call)
        check_signature(function, client=client, **named)
        return function(client=client, **named)

    def raw(self, client: Any, call: Call) -> Any:
        """The parts of a ``Response``, which has value and reply beside one another."""
        made = self.invoke(client, call)
        return transform(made, _parts, is_async=call.is_async)

    def _module(self, call: Call) -> Any:
        tag = python_name(call.operation.tag or "default")
        name = f"{self._name}.api.{tag}.{python_name(call.operation.id)}"
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError as error:
            raise CannotExpress(f"no module {error.name}") from None

    def read(self, value: Any, call: Call) -> Received:  # noqa: ARG002 - the protocol's
        """A ``Response``: status, and the parsed body."""
        return _received(value.parsed, int(value.status_code))

    def held(self, value: Any) -> Any:
        """The parsed body."""
        return value.parsed

    def explain(self, error: BaseException, call: Call) -> Explanation:  # noqa: ARG002 - the protocol's
        """Read ``UnexpectedStatus``; a time-out says nothing more."""
        status = getattr(error, "status_code", None)
        return Explanation(status=None if status is None else int(status), content=getattr(error, "content", None))

    def address(self, call: Call) -> str | None:  # noqa: ARG002 - the protocol's
        """The default of ``base_url``, if it has one."""
        default = inspect.signature(self._client.Client).parameters["base_url"].default
        return default if isinstance(default, str) else None

    def default_timeout(self, client: Any) -> float | None:
        """What the httpx client waits."""
        seconds: float | None = client.get_httpx_client().timeout.read
        return seconds

    def close(self, client: Any) -> Any:
        """Leave the ``with`` block."""
        if client._async_client is not None:  # noqa: SLF001 - which of the two has been used
            return client.__aexit__()
        return client.__exit__()


class ShortForms(OpenapiPythonClient):
    """The functions ``sync`` and ``asyncio``, which give the parsed body alone."""

    functions = ("sync", "asyncio")
    raw: Any = None  # there is no response

    def read(self, value: Any, call: Call) -> Received:  # noqa: ARG002 - the protocol's
        """The parsed body; nothing says which status it came with."""
        return _received(value, None)

    def held(self, value: Any) -> Any:
        """The parsed body."""
        return value


def _parts(made: Any) -> tuple[Any, int, Mapping[str, str], bytes]:
    return made, int(made.status_code), made.headers, made.content


def _received(value: Any, status: int | None) -> Received:
    name = type(value).__name__
    content = value.payload.getvalue() if hasattr(value, "payload") and hasattr(value, "to_tuple") else value
    if isinstance(content, bytes):
        return Received(json=None, type_name=name, status=status, content=content)
    data = to_json(value)
    return Received(json=data, type_name=name, status=status, types=types_in(value, data))


def _arguments(function: Callable[..., Any], call: Call) -> dict[str, Any]:
    try:
        return _typed_arguments(function, call)
    except Exception as error:  # noqa: BLE001 - a value that the annotated type has no room for can't be written
        raise CannotExpress(f"{type(error).__name__}: {error}") from None


def _typed_arguments(function: Callable[..., Any], call: Call) -> dict[str, Any]:
    hints = typing.get_type_hints(function)
    names = Counter(python_name(name) for declared in call.operation.parameters.values() for name in declared)
    named: dict[str, Any] = {}
    for location, name, value in call.given():
        plain = python_name(name)
        # The generator tells parameters of one name apart by their location.
        spelled = plain if names[plain] == 1 else f"{plain}_{location}"
        named[spelled] = _as(hints.get(spelled), value)
    if call.body is not ABSENT:
        named["body"] = _as(hints.get("body"), call.body)
    return named


def _as(hint: Any, value: Any) -> Any:
    """Return a JSON value the type that an annotation asks for; what does not fit is handed on as it is."""
    if typing.get_origin(hint) in {Union, types.UnionType}:
        return _as_one_of(typing.get_args(hint), value)
    if isinstance(value, list) and typing.get_origin(hint) is list:
        return [_as(typing.get_args(hint)[0], item) for item in value]
    return _as_plain(hint, value)


def _as_plain(hint: Any, value: Any) -> Any:
    if isinstance(value, Mapping) and hasattr(hint, "from_dict"):
        return _model(hint, value)
    if isinstance(value, bytes) and hasattr(hint, "to_tuple"):
        return hint(payload=io.BytesIO(value))
    if isinstance(value, str) and hint in READERS:
        return READERS[hint](value)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint(value)
    return value


def _model(hint: Any, value: Mapping[str, Any]) -> Any:
    files = {name: io.BytesIO(member) for name, member in value.items() if isinstance(member, bytes)}
    made = hint.from_dict({name: member for name, member in value.items() if name not in files})
    for name, payload in files.items():
        kind = importlib.import_module(f"{hint.__module__.partition('.models')[0]}.types").File
        setattr(made, python_name(name), kind(payload=payload))
    return made


def _as_one_of(hints: tuple[Any, ...], value: Any) -> Any:
    if value is None:
        return None
    refused: Exception | None = None
    for hint in hints:
        try:
            made = _as(hint, value)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            refused = error
            continue
        if made is not value or _is_plainly(hint, value):
            return made
    if refused is not None and not isinstance(value, Mapping | list):
        raise refused
    return value


def _is_plainly(hint: Any, value: Any) -> bool:
    return isinstance(hint, type) and type(value) is hint
