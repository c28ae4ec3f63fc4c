"""A contract as strangers write them: other security, bodies and responses than ours, and slips of the pen."""

from __future__ import annotations

from typing import Any

from growing import JSON, TEXT, answer, reference


def _operation(operation_id: str | None = None, **more: Any) -> dict[str, Any]:
    named = {"operationId": operation_id} if operation_id else {}
    return {**named, "tags": ["odd-things"], "responses": {"200": answer(TEXT)}, **more}


def _sent(schema: Any, media_type: str = JSON) -> dict[str, Any]:
    return {"required": True, "content": {media_type: {"schema": schema}}}


STREAM = "text/event-stream"
SCHEMAS: dict[str, Any] = {
    "Slips": {
        "type": "object",
        "required": ["maybe"],
        "properties": {
            "maybe": {"type": "string", "nullable": True},
            "none": {"type": "string", "enum": []},
            "stray": {"type": "string", "max_length": 2, "required": True},
        },
    },
    "Unsound": {"type": "object", "if": {"required": ["a"]}, "properties": {"a": TEXT}},
    "Holder": {"type": "object", "properties": {"inner": reference("Unsound")}},
    "Json": {
        "description": "Holds itself.",
        "anyOf": [TEXT, {"additionalProperties": reference("Json"), "type": "object"}],
    },
}
PATHS: dict[str, Any] = {
    "/slips": {"post": _operation("sendSlips", requestBody=_sent(reference("Slips")))},
    "/content": {
        "get": _operation("getContent", responses={"200": {"description": "Told.", "content": {"$ref": "#/x-content"}}})
    },
    "/json": {"get": _operation("getJson", responses={"200": answer(reference("Json"))})},
    "/events": {"get": _operation("listen", responses={"200": answer(TEXT, STREAM)})},
    "/unsound": {"post": _operation("sendHolder", requestBody=_sent(reference("Holder")))},
}
# Operations that are left out, and a word of the reason.
LEFT_OUT = {"listen": STREAM, "sendHolder": "the keyword if"}


def stranger() -> dict[str, Any]:
    """The whole contract."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Odd", "version": "1"},
        "servers": [{"url": "https://odd.example"}],
        "paths": PATHS,
        "x-content": {JSON: {"schema": TEXT}},
        "components": {"schemas": SCHEMAS},
    }
