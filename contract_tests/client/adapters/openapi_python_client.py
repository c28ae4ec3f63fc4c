"""Drives what openapi-python-client writes: ``sync_detailed`` and ``asyncio_detailed`` of each operation."""

import datetime
import importlib
import inspect
import types
import typing
import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, Final, Union

from contract_tests.client.adapter import ABSENT, Call, Connection, Explanation, Received, Unsayable, to_json
from contract_tests.client.adapters.python_names import python_name

READERS: Final[Mapping[type, Callable[[str], Any]]] = {
    datetime.datetime: datetime.datetime.fromisoformat,
    datetime.date: datetime.date.fromisoformat,
    uuid.UUID: uuid.UUID,
}


class OpenapiPythonClient:
    """The adapter for any generated package with the generator's own layout, ``api/<tag>/<operation>.py``."""

    def __init__(self, generated: str) -> None:
        self._name = generated
        self._client = importlib.import_module(f"{generated}.client")
        self._errors = importlib.import_module(f"{generated}.errors")
        self._httpx = importlib.import_module("httpx")
        # The docstring of every function promises these two.
        self.own_errors: tuple[type[BaseException], ...] = (self._errors.UnexpectedStatus, self._httpx.TimeoutException)

    def connect(self, connection: Connection) -> Any:
        """Build the client as the generator's read-me does, with the key where the contract wants it."""
        options: dict[str, Any] = {"base_url": connection.base_url, "raise_on_unexpected_status": True}
        if connection.timeout is not None:
            options["timeout"] = self._httpx.Timeout(connection.timeout)
        scheme = connection.scheme
        if scheme is None:
            return self._client.Client(**options)
        if scheme.kind == "apiKey" and scheme.location == "header":
            return self._client.AuthenticatedClient(
                **options, token=connection.key, prefix="", auth_header_name=scheme.name
            )
        if scheme.kind == "apiKey" and scheme.location == "cookie":
            return self._client.Client(**options, cookies={scheme.name: connection.key})
        return self._client.AuthenticatedClient(**options, token=connection.key, prefix=scheme.scheme.capitalize())

    def invoke(self, client: Any, call: Call) -> Any:
        """Call the operation's function; arguments become what its annotations ask for."""
        module = self._module(call)
        function = module.asyncio_detailed if call.is_async else module.sync_detailed
        named = _arguments(function, call)
        try:
            inspect.signature(function).bind(client=client, **named)
        except TypeError as error:
            raise Unsayable(str(error)) from None
        return function(client=client, **named)

    def _module(self, call: Call) -> Any:
        tag = python_name(call.operation.tag or "default")
        name = f"{self._name}.api.{tag}.{python_name(call.operation.id)}"
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError as error:
            raise Unsayable(f"no module {error.name}") from None

    def read(self, value: Any, call: Call) -> Received:  # noqa: ARG002 - the protocol's
        """A ``Response``: status, and the parsed body."""
        parsed = value.parsed
        return Received(json=to_json(parsed), type_name=type(parsed).__name__, status=int(value.status_code))

    def explain(self, error: BaseException, call: Call) -> Explanation:  # noqa: ARG002 - the protocol's
        """Read ``UnexpectedStatus``; a time-out says nothing more."""
        return Explanation(status=getattr(error, "status_code", None), content=getattr(error, "content", None))


def _arguments(function: Callable[..., Any], call: Call) -> dict[str, Any]:
    hints = typing.get_type_hints(function)
    places = {"path": call.path, "query": call.query, "header": call.header, "cookie": call.cookie}
    names = Counter(python_name(name) for declared in call.operation.parameters.values() for name in declared)
    named: dict[str, Any] = {}
    for place, values in places.items():
        for name, value in values.items():
            plain = python_name(name)
            # The generator tells parameters of one name apart by their place.
            spelled = plain if names[plain] == 1 else f"{plain}_{place}"
            named[spelled] = _as(hints.get(spelled), value)
    if call.body is not ABSENT:
        named["body"] = _as(hints.get("body"), call.body)
    return named


def _as(hint: Any, value: Any) -> Any:
    """Give a JSON value the type that an annotation asks for; what does not fit is handed on as it is."""
    if typing.get_origin(hint) in {Union, types.UnionType}:
        return _as_one_of(typing.get_args(hint), value)
    if isinstance(value, list) and typing.get_origin(hint) is list:
        return [_as(typing.get_args(hint)[0], item) for item in value]
    if isinstance(value, Mapping) and hasattr(hint, "from_dict"):
        return hint.from_dict(value)
    if isinstance(value, str) and hint in READERS:
        return READERS[hint](value)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint(value)
    return value


def _as_one_of(hints: tuple[Any, ...], value: Any) -> Any:
    if value is None:
        return None
    for hint in hints:
        try:
            made = _as(hint, value)
        except (ValueError, TypeError, KeyError, AttributeError):
            continue
        if made is not value:
            return made
    return value
