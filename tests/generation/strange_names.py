"""A contract whose names and media types are legal and strange, and the calls that are made with it."""

from __future__ import annotations

import json
from typing import Any

from growing import JSON, TEXT, Try, add, answer, parameter, reference, small

INTEGER = {"type": "integer"}
MEMBERS = (
    "a.b", "a_b", "a-b", "a b", "A_B", "aB", "class", "class_", "__init__", "__class__", "", " ", "1st", "1_st",
    "to_dict", "to_dict_", "self", "from_json", "additional_properties", "\U0001f600", "\U0001f601", "\U0001d4ea", "a",
    "\ufb01", "fi",
    "\u00e9", "e\u0301", "\u0660", "None", "a_b_2", "a'b", 'a"b', "a\\b", "a\nb", "a/b", "a~b", "{a}", "x" * 300,
)  # fmt: skip
WORDS = ("on", "On", "ON", "", " ", "1", "\U0001f600", "\U0001f601", "a'b", 'a"b', "None", "\n")
SCHEMAS = (
    "A.B",
    "A_B",
    "AB",
    "a",
    "A",
    "class",
    "None",
    "1",
    "Any",
    "userID",
    "UserId",
    "UserID",
    "SendWordBody",
    "\u00e9",
)
CONSTANT = {"a": [1, None]}
# What is left of them in Python's letters is little, or too long, or taken.
TAGS = ("..", "", "\U0001f600", "__init__", "Svc", "svc", "a/b", "class", "x" * 99 + "_y", "1")
OPERATIONS = ("\U0001f600", "_x_", "class", "__init__", "1st", "\u00e9_", "a/b", "None", "y" * 99 + "_z", "x'y\"z")
PLACES = (
    ("query", "a.b"),
    ("query", "a_b"),
    ("query", "a-b"),
    ("header", "a_b"),
    ("cookie", "a_b"),
    ("query", "\U0001f600"),
)
UTF_8 = "Application/JSON; charset=UTF-8"
LATIN = 'text/plain; Charset="iso-8859-1"'


def strange() -> dict[str, Any]:
    """The contract."""
    wrapped = {name: {"type": "object", "required": ["n"], "properties": {"n": {"const": name}}} for name in SCHEMAS}
    inner = {"type": "object", "properties": {"results": {"type": "array", "items": {"type": "object"}}}}
    other = {
        "type": "object",
        "properties": {"results": TEXT, "more": {"type": "object", "properties": {"x": INTEGER}}},
    }
    many: dict[str, Any] = {"type": "object", "properties": dict.fromkeys(MEMBERS, INTEGER)}
    words = {"type": "string", "enum": list(WORDS)}
    turned = {"type": "object", "properties": dict(reversed(many["properties"].items()))}
    document = small(Many=many, Turned=turned, Words=words, Union={"oneOf": [inner, other]}, **wrapped)
    same = [parameter("path", "a.b", TEXT), *(parameter(place, name, TEXT) for place, name in PLACES)]
    add(document, "post", "/many/{a.b}", "getMany", body=reference("Many"), parameters=same,
        responses={"200": answer(reference("Many"))})  # fmt: skip
    each = {f"s{i}": {"$ref": f"#/components/schemas/{name}"} for i, name in enumerate(SCHEMAS)}
    add(document, "get", "/schemas", "getSchemas", responses={"200": answer({"type": "object", "properties": each})})
    add(document, "get", "/turned", "getTurned", responses={"200": answer(reference("Turned"))})
    add(document, "post", "/words", "sendWord", body={"type": "object", "properties": {"w": reference("Words")}},
        responses={"200": answer(reference("Words"))})  # fmt: skip
    add(document, "get", "/union", "getUnion", responses={"200": answer(reference("Union"))})
    typed = add(document, "post", "/typed", "sendTyped", responses={"200": answer({"type": "object"}, UTF_8)})
    typed["requestBody"] = {"content": {"application/json; charset=utf-8": {"schema": {"type": "object"}}}}
    texts = {"200": answer(TEXT, LATIN), "404": answer(TEXT, "text/plain")}
    add(document, "get", "/text", "getText", responses=texts)
    two = {JSON: {"schema": {"type": "object"}}, "application/vnd.x+json; v=2": {"schema": INTEGER}}
    add(document, "get", "/two", "getTwo", responses={"200": {"description": "Two.", "content": two}})
    asked = [parameter("query", "p", TEXT)]
    for path, name in (("/q?beta=true", "inQuery"), ("/q?", "inEmpty"), ("/q?a=b c&d=%20\u00e9", "inOdd")):
        add(document, "get", path, name, parameters=asked)
    add(document, "get", "/q?x={x}&y", "inTemplate", parameters=[parameter("path", "x", TEXT), *asked])
    _strange_values(document)
    for number, (tag, operation_id) in enumerate(zip(TAGS, OPERATIONS, strict=True)):
        document["tags"].append({"name": tag})
        add(document, "get", f"/tagged/{number}", operation_id, tags=[tag])
    return document


def _strange_values(document: dict[str, Any]) -> None:
    document["openapi"] = "3.1"
    kinds = {name: {"type": "object", "properties": {"kind": TEXT, name: INTEGER}} for name in ("Cat", "Dog")}
    document["components"]["schemas"] |= kinds
    mapping = {"c": "#/components/schemas/Cat", "d": "Dog"}
    pet = {"oneOf": [*map(reference, kinds)], "discriminator": {"propertyName": "kind", "mapping": mapping}}
    members = {
        "pet": pet,
        "constant": {"const": CONSTANT},
        "set": {"type": "string", "pattern": "^[[a-c&&]$"},
        "listed": {"enum": [CONSTANT, [1], "x"]},
    }
    add(document, "head", "/values", "headValues")
    either = [{"required": ["n"]}, {"required": ["inner"]}]
    inner = {"type": "object", "properties": {"z": INTEGER}}
    schema = {"type": "object", "properties": {"n": INTEGER, "inner": inner}, "oneOf": either}
    add(document, "get", "/values", "getValues", responses={"200": answer(schema)})
    replies = {"200": answer({}), "x-reply": {"description": 7}}
    add(document, "post", "/values", "sendValues", body={"type": "object", "properties": members}, responses=replies)
    document["paths"]["x-path"] = {"$ref": "elsewhere.yaml"}


_MANY = {name: number for number, name in enumerate(MEMBERS)}
_ONE = {f"s{i}": {"n": name} for i, name in enumerate(SCHEMAS)}
_SAME = {
    "a_b": "1",
    "header_a_b": "2",
    "cookie_a_b": "3",
    "query_a_b": "4",
    "query_a_b_2": "5",
    "body_a_b": 6,
    "field": "7",
}
TRIES = {
    "many": Try("get_many", ("p",), _SAME, content=json.dumps(_MANY).encode()),
    "schemas": Try("get_schemas", content=json.dumps(_ONE).encode()),
    **{f"word {word!a}": Try("send_word", (), {"w": word}, content=json.dumps(word).encode()) for word in WORDS},
    "union": Try("get_union", content=b'{"results": "a,b", "more": {"x": 1}}'),
    "other union": Try("get_union", content=b'{"results": [{"x": 1}]}'),
    "typed": Try("send_typed", (), {"body": {"x": "\u00e9"}}, content=b'{"x": 1}', media_type="application/json"),
    "typed reply": Try("send_typed", content=b'{"x": 1}', media_type="APPLICATION/json ;charset=utf-8"),
    "text": Try("get_text", content=b"\xe9", media_type="text/plain; charset=iso-8859-1"),
    "text error": Try("get_text", status=404, content=b"null", media_type="text/plain"),
    "two": Try("get_two", content=b"5", media_type="application/vnd.x+json"),
    "query": Try("in_query", (), {"p": "1"}),
    "query alone": Try("in_query"),
    "empty query": Try("in_empty", (), {"p": "1"}),
    "odd query": Try("in_odd", (), {"p": "1"}),
    **{f"pet {kind}": Try("send_values", (), {"pet": {"kind": kind, "Dog": 1, "Cat": "x"}}) for kind in "cd"},
    "pet x": Try("send_values", (), {"pet": {"kind": "x", "Dog": 1, "Cat": 1}}),
    **{f"listed {value!a}": Try("send_values", (), {"listed": value}) for value in (CONSTANT, [1], "x", [2])},
    "constant": Try("send_values", (), {"constant": CONSTANT}),
    "either": Try("get_values", content=b'{"inner": {"z": 1}}'),
    "either wrong": Try("get_values", content=b'{"inner": {"z": "1"}}'),
    "head": Try("head_values", content=b""),
    "other constant": Try("send_values", (), {"constant": {"a": [1]}}),
    **{f"set {text}": Try("send_values", (), {"set_": text}) for text in "[&bd"},
    "query template": Try("in_template", ("a&b=c/",), {"p": "1"}),
}
