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
    Explanation,
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


def call_of(operation: Mapping[str, Any], arguments: Mapping[str, Any], *, is_async: bool) -> Call:
    """Read a call."""
    facts = dict(operation)
    for name in ("parameters", "required"):
        facts[name] = {location: tuple(names) for location, names in facts[name].items()}
    facts["members"] = None if facts["members"] is None else tuple(facts["members"])
    facts["required_members"] = tuple(facts["required_members"])
    body = decode_bytes(arguments["body"]) if "body" in arguments else ABSENT
    return Call(operation=OperationInfo(**facts), is_async=is_async, **{**arguments, "body": body})


def value_message(adapter: Adapter, value: Any, call: Call) -> dict[str, Any]:
    """Return what a call has given."""
    try:
        return {"kind": "value", **_as_json(adapter.read(value, call))}
    except NotJSON as foreign:
        return {"kind": "value", **foreign_value(value, foreign)}


def foreign_value(value: Any, reason: Exception) -> dict[str, Any]:
    """Return what there is to say of a value that is not JSON."""
    return {"json": None, "type_name": type(value).__name__, "foreign": str(reason)}


def error_message(adapter: Adapter, error: BaseException, call: Call) -> dict[str, Any]:
    """Return what a call has raised."""
    if isinstance(error, CannotExpress):
        return {"kind": "unclaimed" if isinstance(error, NotSupported) else "unsayable", "reason": str(error)}
    own, text = isinstance(error, adapter.own_errors), _text_of(error)
    refusals = getattr(adapter, "refusals", None)
    outcome = {
        "kind": "error",
        "type_name": type(error).__name__,
        "family": [f"{kind.__module__}.{kind.__qualname__}" for kind in type(error).__mro__],
        "own": own,
        "refuses": refusals is None or isinstance(error, refusals),
        "text": text,
        "shown": "\n".join([text, repr(error), *traceback.format_exception(error)])[:TEXT_LIMIT],
    }
    return outcome | (_explanation(adapter, error, call) if own else {})


def _explanation(adapter: Adapter, error: BaseException, call: Call) -> dict[str, Any]:
    try:
        said = adapter.explain(error, call)
    except NotJSON as foreign:
        return {"body": foreign_value(error, foreign)}
    return {**_as_json(said), "body": None if said.body is None else _as_json(said.body)}


def _as_json(said: Received | Explanation) -> dict[str, Any]:
    content = None if said.content is None else base64.b64encode(said.content).decode()
    plain = {name: dict(value) if name in {"types", "facts"} else value for name, value in vars(said).items()}
    return {**plain, "content": content}


def _text_of(error: BaseException) -> str:
    try:
        return str(error)[:TEXT_LIMIT]
    except Exception as broken:  # noqa: BLE001 - an error that cannot be shown is the client's
        return f"<its text raises {type(broken).__name__}>"
