"""
Drives what OpenAPI Generator writes with ``-g python``: ``<operation>_with_http_info`` on the class of each tag.

The body is made by its model's constructor; members that the model does not name go into ``additional_properties``
if it has that. Errors of its own are ``OpenApiException`` and what derives from it; the README names no other.
Models that stand for alternatives hold the real object in ``actual_instance``, and that one counts.

Not driven: servers by index (the harness's address is the configuration's ``host``). A package is generated for one
HTTP library, and is either synchronous (``urllib3``) or asynchronous (``httpx``, ``asyncio``); the other form is not
claimed.
"""

import datetime
import importlib
import inspect
import uuid
from collections.abc import Mapping
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
)
from contract_tests.client.adapters.python_names import class_name, python_name

SETTINGS: Final = "_"


class OpenApiGenerator:
    """The adapter for any package that OpenAPI Generator has written for Python."""

    def __init__(self, generated: str) -> None:
        self._package = importlib.import_module(generated)
        self.modules = (generated,)
        self.own_errors: tuple[type[BaseException], ...] = (self._package.OpenApiException,)
        rest = importlib.import_module(f"{generated}.rest")
        self._is_async = inspect.iscoroutinefunction(rest.RESTClientObject.request)

    def connect(self, connection: Connection) -> "Service":
        """Configure the client as the README does."""
        if connection.is_async is not self._is_async:
            form = "asynchronous" if self._is_async else "synchronous"
            raise NotSupported(f"this package was generated for a library that is {form}")
        return Service(self._package, connection)

    def invoke(self, client: "Service", call: Call) -> Any:
        """Call the operation's method."""
        method = client.method(call)
        named = _arguments(method, call)
        if client.connection.timeout is not None:
            named["_request_timeout"] = float(client.connection.timeout)
        check_signature(method, **named)
        return method(**named)

    def read(self, value: Any, call: Call) -> Received:  # noqa: ARG002 - the protocol's
        """An ``ApiResponse``: status, and the parsed body."""
        return _received(value.data, int(value.status_code))

    def held(self, value: Any) -> Any:
        """The parsed body, or the object that stands for one of its alternatives."""
        inner = getattr(value.data, "actual_instance", None)
        return inner if hasattr(inner, "to_dict") else value.data

    def explain(self, error: BaseException, call: Call) -> Explanation:  # noqa: ARG002 - the protocol's
        """Read an ``ApiException``; the others say nothing more."""
        body, data = getattr(error, "body", None), getattr(error, "data", None)
        return Explanation(
            status=getattr(error, "status", None),
            body=None if data is None else _received(data, None),
            content=body.encode() if isinstance(body, str) else None,
        )


class Service:
    """A configured client; its text is that of what a user holds."""

    def __init__(self, package: Any, connection: Connection) -> None:
        self.connection = connection
        self._package = package
        self._configuration = package.Configuration(
            host=connection.base_url, ignore_operation_servers=True, retries=connection.retries
        )
        scheme = connection.scheme if connection.key else None
        if scheme is not None and scheme.kind == "apiKey":
            self._configuration.api_key = KeyOfAnyName(connection.key)
        elif scheme is not None:
            self._configuration.access_token = connection.key
        self._client = package.ApiClient(self._configuration)

    def method(self, call: Call) -> Any:
        """Return the method for an operation."""
        kind: Any = getattr(self._package, f"{class_name(call.operation.tag or 'default')}Api", None)
        name = f"{python_name(call.operation.id)}_with_http_info"
        if not hasattr(kind, name):
            raise CannotExpress(f"no method for {call.operation.id}")
        return getattr(kind(self._client), name)

    def __repr__(self) -> str:
        return f"{self._client!r} {self._configuration!r}"

    def __str__(self) -> str:
        return f"{self._client!s} {self._configuration!s}"


class KeyOfAnyName(dict[str, str]):
    """The configuration takes keys by the name of their scheme in the contract, which an adapter is not told."""

    def __init__(self, key: str) -> None:
        super().__init__()
        self._key = key

    def __contains__(self, name: object) -> bool:
        return True

    def get(self, name: str, default: Any = None) -> Any:  # noqa: ARG002 - a dictionary's
        """Return the key."""
        return self._key


def _arguments(method: Any, call: Call) -> dict[str, Any]:
    """Spell a call: the body is the one argument that is no declared parameter and no setting."""
    values = {python_name(name): value for _, name, value in call.given()}
    if call.body is not ABSENT:
        declared = {python_name(name) for names in call.operation.parameters.values() for name in names}
        names = [name for name in inspect.signature(method).parameters if not name.startswith(SETTINGS)]
        body = [name for name in names if name not in declared]
        if len(body) != 1:
            raise CannotExpress(f"no argument for the body among {', '.join(names)}")
        values[body[0]] = _body(inspect.signature(method).parameters[body[0]].annotation, call.body)
    return values


def _body(model: Any, body: Any) -> Any:
    fields = getattr(model, "model_fields", {})
    if not isinstance(body, Mapping) or not fields or "actual_instance" in fields:
        return body
    known = {field.alias or name for name, field in fields.items()}
    extra = {name: value for name, value in body.items() if name not in known}
    if "additional_properties" not in fields or not extra:
        return model(**body)
    return model(**{name: body[name] for name in body if name in known}, additional_properties=extra)


def _received(data: Any, status: int | None) -> Received:
    inner = getattr(data, "actual_instance", None)
    if hasattr(inner, "to_dict"):
        return _received(inner, status)
    return Received(json=_json_of(data), type_name=type(data).__name__, status=status)


def _json_of(data: Any) -> Any:
    """Make JSON of a value, of the models in it by their ``to_dict``: their ``to_json`` fails on maps of models."""
    if isinstance(data, list):
        return [_json_of(item) for item in data]
    if isinstance(data, Mapping):
        return {name: _json_of(item) for name, item in data.items()}
    if isinstance(data, datetime.date | uuid.UUID):
        return data.isoformat() if isinstance(data, datetime.date) else str(data)
    if hasattr(data, "actual_instance"):
        return _json_of(data.actual_instance)
    if hasattr(data, "to_dict"):
        return _json_of(data.to_dict())
    return to_json(data)
