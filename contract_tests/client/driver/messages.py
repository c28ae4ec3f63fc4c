"""Between the harness's messages and the adapter's objects, inside the client's process."""

import base64
import traceback
from collections.abc import Mapping
from typing import Any

from contract_tests.client.adapter import (
    ABSENT,
    Adapter,
    Call,
    CannotExpress,
    Connection,
    NotJSON,
    NotSupported,
    OperationInfo,
    Received,
    Scheme,
)
from contract_tests.client.driver.json_bytes import decode_bytes

TEXT_LIMIT = 50_000


def connection_of(message: Mapping[str, Any]) -> Connection:
    """Read how to connect."""
    scheme = message["scheme"]
    return Connection(**{**message, "scheme": None if scheme is None else _scheme(scheme)})


def _scheme(message: Mapping[str, Any]) -> Scheme:
    return Scheme(**{**message, "others": tuple(map(_scheme, message["others"]))})


def call_of(message: Mapping[str, Any]) -> Call:
    """Read a call."""
    facts = dict(message["operation"])
    for name in ("parameters", "required"):
        facts[name] = {place: tuple(names) for place, names in facts[name].items()}
    facts["members"] = None if facts["members"] is None else tuple(facts["members"])
    facts["required_members"] = tuple(facts["required_members"])
    arguments = {place: message["arguments"].get(place, {}) for place in ("path", "query", "header", "cookie")}
    body = message["arguments"].get("body", ABSENT)
    return Call(
        operation=OperationInfo(**facts),
        is_async=message["connection"]["is_async"],
        body=body if body is ABSENT else decode_bytes(body),
        **arguments,
    )


def value_message(adapter: Adapter, value: Any, call: Call) -> dict[str, Any]:
    """Say what a call has given."""
    try:
        received = adapter.read(value, call)
    except NotJSON as foreign:
        return {"kind": "value", "type": type(value).__name__, "foreign": str(foreign)}
    return {"kind": "value", **_received(received)}


def error_message(adapter: Adapter, error: BaseException, call: Call) -> dict[str, Any]:
    """Say what a call has raised."""
    if isinstance(error, CannotExpress):
        kind = "unclaimed" if isinstance(error, NotSupported) else "unsayable"
        return {"kind": kind, "text": str(error)}
    own = isinstance(error, adapter.own_errors)
    lines = traceback.format_exception(error)
    refusals = getattr(adapter, "refusals", None)
    outcome = {
        "kind": "error",
        "type": type(error).__name__,
        "mro": [f"{kind.__module__}.{kind.__qualname__}" for kind in type(error).__mro__],
        "own": own,
        "refuses": refusals is None or isinstance(error, refusals),
        "text": _text_of(error),
        "shown": "\n".join([_text_of(error), repr(error), *lines])[:TEXT_LIMIT],
    }
    return outcome | (_explanation(adapter, error, call) if own else {})


def _explanation(adapter: Adapter, error: BaseException, call: Call) -> dict[str, Any]:
    try:
        said = adapter.explain(error, call)
    except NotJSON as foreign:
        return {"body": {"type": type(error).__name__, "foreign": str(foreign)}}
    return {
        "status": said.status,
        "body": None if said.body is None else _received(said.body),
        "content": _base64(said.content),
        "facts": dict(said.facts),
        "may_have_acted": said.may_have_acted,
    }


def _received(received: Received) -> dict[str, Any]:
    return {
        "json": received.json,
        "type": received.type_name,
        "status": received.status,
        "content": _base64(received.content),
        "types": dict(received.types),
    }


def _base64(content: bytes | None) -> str | None:
    return None if content is None else base64.b64encode(content).decode()


def _text_of(error: BaseException) -> str:
    try:
        return str(error)[:TEXT_LIMIT]
    except Exception as broken:  # noqa: BLE001 - an error that cannot be shown is the client's
        return f"<its text raises {type(broken).__name__}>"
