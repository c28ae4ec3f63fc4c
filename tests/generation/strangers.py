"""A contract as strangers write them: other security, bodies and responses than ours, and slips of the pen."""

from __future__ import annotations

from typing import Any

from growing import JSON, TEXT, answer, parameter, reference


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
SCHEMES: dict[str, Any] = {
    "header": {"type": "apiKey", "in": "header", "name": "X-Key"},
    "second": {"type": "apiKey", "in": "header", "name": "X-Second"},
    "query": {"type": "apiKey", "in": "query", "name": "the key"},
    "cookie": {"type": "apiKey", "in": "cookie", "name": "session"},
    "basic": {"type": "http", "scheme": "Basic"},
    "bearer": {"type": "http", "scheme": "bearer"},
    "oauth": {"type": "oauth2", "flows": {}},
    "openId": {"type": "openIdConnect", "openIdConnectUrl": "https://odd.example/id"},
    "digest": {"type": "http", "scheme": "digest"},
}
# By operation: the ways to prove oneself, each with the schemes that belong together.
SECURED: dict[str, list[list[str]]] = {
    **{f"with{name.capitalize()}": [[name]] for name in SCHEMES},
    "withBoth": [["header", "second"]],
    "withEither": [["digest"], ["header", "second"], ["basic"]],
    "withAny": [[], ["header"]],
}
PATHS: dict[str, Any] = {
    **{
        f"/{name}": {"get": _operation(name, security=[{name: [] for name in schemes} for schemes in ways])}
        for name, ways in SECURED.items()
    },
    "/cookies": {
        "get": _operation("withCookies", security=[{"cookie": []}], parameters=[parameter("cookie", "c", TEXT)])
    },
    "/slips": {"post": _operation("sendSlips", requestBody=_sent(reference("Slips")))},
    "/content": {
        "get": _operation("getContent", responses={"200": {"description": "Told.", "content": {"$ref": "#/x-content"}}})
    },
    "/json": {"get": _operation("getJson", responses={"200": answer(reference("Json"))})},
    "/events": {"get": _operation("listen", responses={"200": answer(TEXT, STREAM)})},
    "/unsound": {"post": _operation("sendHolder", requestBody=_sent(reference("Holder")))},
}
# Operations that are left out, and a word of the reason.
LEFT_OUT = {"withDigest": "the scheme digest", "listen": STREAM, "sendHolder": "the keyword if"}


def stranger() -> dict[str, Any]:
    """The whole contract."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Odd", "version": "1"},
        "servers": [{"url": "https://odd.example"}],
        "paths": PATHS,
        "x-content": {JSON: {"schema": TEXT}},
        "components": {"schemas": SCHEMAS, "securitySchemes": SCHEMES},
    }
