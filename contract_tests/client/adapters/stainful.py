"""
Drives what stainful writes, an open generator for ``stainless.yml``: ``client.<resource>.<method>``.

Resources are named after the first tag of their operations, methods after the operationId: that is up to the
``stainless.yml``. Members that have no argument go through ``extra_body``. Errors of its own are ``APIError`` and what
derives from it. A generated client takes one key, so that operations of other services are not claimed.
"""

import importlib
from collections.abc import Mapping
from typing import Any

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
from contract_tests.client.adapters.python_names import python_name


class Stainful:
    """The adapter for any package that stainful has written."""

    def __init__(self, generated: str) -> None:
        self._package = importlib.import_module(generated)
        self.modules = (generated,)
        self.own_errors: tuple[type[BaseException], ...] = (self._package.APIError,)

    def connect(self, connection: Connection) -> Any:
        """Build the client, whose class is the first name that the package exports."""
        name = next(name for name in self._package.__all__ if not name.startswith("Async"))
        kind = getattr(self._package, ("Async" if connection.is_async else "") + name)
        options = {"timeout": connection.timeout, "max_retries": connection.retries}
        given = {option: value for option, value in options.items() if value is not None}
        return kind(api_key=connection.key or None, base_url=connection.base_url, **given)

    def invoke(self, client: Any, call: Call) -> Any:
        """Call the operation's method."""
        operation = call.operation
        resource = getattr(client, python_name(operation.tag or "default"), None)
        method = getattr(resource, python_name(operation.id), None)
        if resource is None or method is None:
            raise NotSupported(f"this package was generated for another service than {operation.tag}")
        positional, named = _arguments(call)
        check_signature(method, *positional, **named)
        return method(*positional, **named)

    def read(self, value: Any, call: Call) -> Received:  # noqa: ARG002 - the protocol's
        """A model, or plain JSON with models in it."""
        return Received(json=to_json(value), type_name=type(value).__name__)

    def explain(self, error: BaseException, call: Call) -> Explanation:  # noqa: ARG002 - the protocol's
        """Read the documented attributes ``status_code``, ``body`` and ``response``."""
        body, response = getattr(error, "body", None), getattr(error, "response", None)
        return Explanation(
            status=getattr(error, "status_code", None),
            body=None if body is None else Received(json=to_json(body), type_name=type(body).__name__),
            content=getattr(response, "content", None),
        )


def _arguments(call: Call) -> tuple[list[Any], dict[str, Any]]:
    operation = call.operation
    positional: list[Any] = []
    for name in operation.parameters.get("path", ()):
        if name not in call.path:
            break
        positional.append(call.path[name])
    named = {python_name(name): value for name, value in (*call.query.items(), *call.header.items())}
    if call.body is ABSENT:
        return positional, named
    if not isinstance(call.body, Mapping) or operation.members is None:
        raise CannotExpress("the body's members are keywords")
    named |= {python_name(name): value for name, value in call.body.items() if name in operation.members}
    extra = {name: value for name, value in call.body.items() if name not in operation.members}
    return positional, {**named, "extra_body": extra} if extra else named
