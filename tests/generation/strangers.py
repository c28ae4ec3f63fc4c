"""A contract as strangers write them: other security, bodies and responses than ours, and slips of the pen."""

from __future__ import annotations

from typing import Any

from growing import JSON, TEXT, answer, parameter, reference

STREAM = "text/event-stream"


def _operation(operation_id: str | None = None, **more: Any) -> dict[str, Any]:
    named = {"operationId": operation_id} if operation_id else {}
    return {**named, "tags": ["odd-things"], "responses": {"200": answer(TEXT)}, **more}


def _sent(schema: Any, media_type: str = JSON) -> dict[str, Any]:
    return {"required": True, "content": {media_type: {"schema": schema}}}


SCHEMAS: dict[str, Any] = {
    # The generator would change its letters to and fro for ever.
    "RestSøkParam": {"type": "object", "properties": {"x": {"type": "string"}}},
    "Slips": {
        "type": "object",
        "required": ["maybe"],
        "properties": {
            "untyped": {"properties": {"x": TEXT}},
            "maybe": {"type": "string", "nullable": True},
            "none": {"type": "string", "enum": []},
            "stray": {"type": "string", "max_length": 2, "required": True},
            "rows": {"items": TEXT},
        },
    },
    "Named": {"type": "object", "properties": {"name": TEXT}},
    "Kinds": {
        "oneOf": [
            {"type": "object", "properties": {"kind": {"const": kind}, kind: TEXT}, "required": ["kind", kind]}
            for kind in ("this", "that")
        ],
        "discriminator": {"propertyName": "kind"},
    },
    "Base": {
        "type": ["object", "null"],
        "properties": {"kind": TEXT, "inner": {"type": "object", "properties": {"a": TEXT}}},
        "required": ["kind"],
    },
    "Merged": {
        "allOf": [
            reference("Base"),
            {"type": "object", "properties": {"kind": {"const": "merged"}, "self": reference("Merged")}},
            {"oneOf": [reference("Named"), {"properties": {"number": {"type": "integer"}}, "required": ["number"]}]},
        ]
    },
    "Nothing": {"type": "object", "additionalProperties": False},
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
    "tls": {"type": "mutualTLS"},
}
# By operation: the ways to prove oneself, each with the schemes that belong together.
SECURED: dict[str, list[list[str]]] = {
    **{f"with{name.capitalize()}": [[name]] for name in SCHEMES},
    "withBoth": [["header", "second"]],
    "withEither": [["digest"], ["header", "second"], ["basic"]],
    "withAny": [[], ["header"]],
    "withTlsAndKey": [["tls"], ["tls", "header"]],
}
_PAIR = {"type": "array", "prefixItems": [TEXT, {"type": "integer"}], "items": False}
FILE = {"type": "string", "format": "binary"}
_TAGS = {"type": "array", "items": TEXT}
_FORM = {
    "type": "object",
    "properties": {
        "name": TEXT,
        "tags": _TAGS,
        "more": {"type": "object"},
        "flag": {"type": "boolean"},
        "rows": {"type": "array", "items": {}},
    },
}
_UPLOAD = {
    "type": "object",
    "required": ["file"],
    "properties": {"file": FILE, "files": {"type": "array", "items": FILE}, "note": TEXT, "more": {"type": "object"}},
}
_NAMED = reference("Named")
_XML = "application/xml"
_ZIP = "application/zip"


def _told(**content: Any) -> dict[str, Any]:
    return {"200": {"description": "Told.", "content": {name: {"schema": schema} for name, schema in content.items()}}}


BODIES: dict[str, Any] = {
    "/form": {"post": _operation("sendForm", requestBody=_sent(_FORM, "application/x-www-form-urlencoded"))},
    "/upload": {"post": _operation("sendUpload", requestBody=_sent(_UPLOAD, "multipart/form-data"))},
    "/raw": {"put": _operation("sendRaw", requestBody=_sent(FILE, "image/png"))},
    "/words": {"put": _operation("sendWords", requestBody=_sent(TEXT, "text/plain"))},
    "/several": {
        "post": _operation(
            "sendSeveral",
            requestBody={"content": {"multipart/form-data": {"schema": _UPLOAD}, JSON: {"schema": _FORM}, _XML: {}}},
        )
    },
    "/notations": {
        "get": _operation("getNotations", responses=_told(**{_XML: reference("Named"), JSON: reference("Named")}))
    },
    "/packed": {
        "get": _operation("getPacked", responses=_told(**{_ZIP: FILE, JSON: reference("Named"), STREAM: TEXT}))
    },
    "/table": {"get": _operation("getTable", responses=_told(**{"text/csv": TEXT}))},
    "/picture": {"get": _operation("getPicture", responses=_told(**{"image/png": FILE}))},
    "/whatever": {"get": _operation("getWhatever", responses=_told(**{"*/*": _NAMED}))},
}
_NUMBERS = {"type": "array", "items": {"type": "integer"}}
_NAMED_NUMBERS = {"type": "object", "properties": {"a": {"type": "integer"}}, "additionalProperties": False}
STYLES = [
    parameter("header", "X-List", _NUMBERS),
    parameter("header", "X-Object", _NAMED_NUMBERS),
    parameter("header", "X-Exploded", _NAMED_NUMBERS, explode=True),
    parameter("cookie", "list", _NUMBERS, explode=False),
    parameter("query", "lists", {"type": "array", "items": _NUMBERS}),
    parameter("query", "objects", {"type": "array", "items": _NAMED_NUMBERS}),
]
_READ_ONLY = {"properties": {"id": {**TEXT, "readOnly": True}}, "required": ["id", "name"]}
_VARIABLES = {name: {"default": value} for name, value in {"how": "https", "where": "other", "version": "v2"}.items()}
_OTHER = {"url": "{how}://{where}.example/{version}", "variables": _VARIABLES}
PATHS: dict[str, Any] = {
    **BODIES,
    "/one-sided": {
        "post": _operation(
            "sendOneSided",
            requestBody=_sent({"allOf": [reference("Named"), {"type": "object", **_READ_ONLY}]}),
            responses=_told(**{JSON: {"type": "object", **_READ_ONLY}}),
        )
    },
    "/other": {"get": _operation("getOther", servers=[_OTHER])},
    "/relative": {"get": _operation("getRelative", servers=[{"url": "/v3"}])},
    "/other#again": {"put": _operation("putAgain")},
    "/other#more": {"put": _operation("putMore")},
    "/named/{id}": {"get": _operation(parameters=[parameter("path", "id", TEXT)])},
    "/by-reference": {"$ref": "#/components/pathItems/Shared"},
    "/untagged": {"get": {"operationId": "getUntagged", "responses": {"200": answer(TEXT)}}},
    "/v1/ping/{n}x2": {
        "parameters": [{"name": "n", "in": "path", "required": True, "schema": TEXT}],
        "get": {"responses": {"200": answer(TEXT)}},
        "head": {"responses": {"200": {"description": "It is there."}}},
    },
    "/kinds": {"get": _operation("getKind", responses=_told(**{JSON: reference("Kinds")}))},
    "/merged": {"get": _operation("getMerged", responses=_told(**{JSON: reference("Merged")}))},
    "/pair": {"post": _operation("sendPair", requestBody=_sent(_PAIR))},
    **{
        f"/{name}": {"get": _operation(name, security=[{name: [] for name in schemes} for schemes in ways])}
        for name, ways in SECURED.items()
    },
    "/cookies": {
        "get": _operation("withCookies", security=[{"cookie": []}], parameters=[parameter("cookie", "c", TEXT)] * 2)
    },
    # What the scheme sends is declared once more as a parameter, here beside one that is the caller's.
    "/twice": {
        "parameters": [{"$ref": "#/components/parameters/Key"}],
        "get": _operation("withKeyTwice", security=[{"header": []}], parameters=[parameter("header", "Accept", TEXT)]),
        "put": _operation("withParameterAlone", security=[]),
    },
    "/styles": {"get": _operation("getStyles", parameters=STYLES)},
    # Neither its parameter nor, of the others, a name of its own.
    "/undeclared/{id}": {"get": _operation("getUndeclared")},
    "/again": {"get": _operation("getUndeclared")},
    "/alike": {"get": _operation("get-undeclared")},
    "/close": {"post": _operation("close")},
    "/nothing": {"delete": _operation("deleteIt", responses={"204": answer(TEXT)})},
    "/slips": {"post": _operation("sendSlips", requestBody=_sent(reference("Slips")))},
    "/content": {
        "get": _operation("getContent", responses={"200": {"description": "Told.", "content": {"$ref": "#/x-content"}}})
    },
    "/json": {"get": _operation("getJson", responses={"200": answer(reference("Json"))})},
    "/events": {"get": _operation("listen", responses={"200": answer(TEXT, STREAM)})},
    "/unsound": {"post": _operation("sendHolder", requestBody=_sent(reference("Holder")))},
}
OPERATIONS = sum(len(item.keys() - {"parameters"}) for item in PATHS.values())
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
        "components": {
            "schemas": SCHEMAS,
            "securitySchemes": SCHEMES,
            "parameters": {"Key": parameter("header", "x-key", TEXT)},
            "pathItems": {"Shared": {"get": _operation("getShared")}},
        },
    }
