"""The contracts of these tests, by name. Each grows in one direction, so that what breaks one leaves the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml
from growing import TEXT, add, answer, contract, parameter, reference, small

if TYPE_CHECKING:
    from collections.abc import Callable

_MEMBERS = ("self", "cls", "str", "d", "to_dict", "from_dict", "client", "headers", "body", "source", "reading",
            "datetime", "list", "dict", "class", "import", "None", "additional_properties",
            "user-name", "1st")  # fmt: skip


def wide() -> dict[str, Any]:
    """Our own contract with a new body member, a query parameter and many new operations."""
    document = contract()
    schemas = document["components"]["schemas"]
    schemas["RunWorkflow"]["properties"]["priority"] = {"type": "string", "enum": ["low", "high"]}
    run = document["paths"]["/workflows/{workflow_name}/run"]["post"]
    run["parameters"].append(parameter("query", "dryRun", {"type": "boolean"}))
    schemas["Item"] = {
        "type": "object",
        "required": ["name"],
        "properties": {
            "name": TEXT,
            "kids": {"type": "array", "items": reference("Item")},
            "parent": {"anyOf": [reference("Item"), {"type": "null"}]},
            "box": reference("Box"),
            "gone": {"type": "null"},
        },
    }
    schemas["Box"] = {
        "type": "object",
        "properties": {"item": reference("Item"), "made": {"type": "string", "format": "date-time"}},
        "additionalProperties": False,
    }
    schemas["Odd"] = {"type": "object", "properties": dict.fromkeys(_MEMBERS, TEXT)}
    schemas["Color"] = {"type": "string", "enum": ["red", 'it\'s "blue"']}
    item = {"200": answer(reference("Item"))}
    add(document, "post", "/items", "makeItem", body=reference("Item"), responses=item)
    add(document, "post", "/odd", "makeOdd", body=reference("Odd"), responses={"200": answer(reference("Odd"))})
    add(document, "post", "/all", "makeAll", body={"type": "array", "items": reference("Item")},
        responses={"201": answer({"type": "array", "items": reference("Item")})})  # fmt: skip
    add(document, "post", "/scalar", "putScalar", body={"type": ["integer", "null"]})
    add(document, "post", "/free", "putFree", body={"type": "object", "additionalProperties": {"type": "integer"}})
    add(document, "delete", "/items/{id}", "dropItem", parameters=[parameter("path", "id", {"type": "integer"})],
        responses={"204": {"description": "Gone."}})  # fmt: skip
    add(document, "get", "/find/{two}/{one}", "find", parameters=_parameters(), responses={
        "200": answer({"type": "array", "items": {"type": "string", "format": "date-time"}}),
        "default": answer(reference("ErrorResponse")),
    })  # fmt: skip
    add(document, "put", "/same/{id}", "putSame", parameters=[
        parameter("path", "id", TEXT), parameter("header", "id", TEXT),
        parameter("query", "client", TEXT), parameter("query", "headers", TEXT), parameter("query", "body", TEXT),
        parameter("query", "self", TEXT), parameter("query", "from", TEXT),
    ], body={"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}})  # fmt: skip
    add(document, "get", "/operation", "getOperation", parameters=[parameter("query", "operation", TEXT)])
    add(document, "get", "/text", "getText", responses={"200": answer(TEXT, "text/plain")})
    binary = {"type": "string", "format": "binary"}
    add(document, "get", "/file", "getFile", responses={"200": answer(binary, "application/octet-stream")})
    add(document, "get", "/ranges", "getRanges", responses={
        "2XX": answer(reference("Item")), "4XX": answer(reference("ErrorResponse")),
    })  # fmt: skip
    add(document, "get", "/forms", "getForms", responses={"200": answer({"anyOf": [
        {"type": "object", "required": ["a"], "properties": {"a": {"const": "x"}}, "additionalProperties": False},
        reference("Item"), {"type": "array", "items": {"type": ["integer", "null"]}}, {"type": "null"},
    ]})})  # fmt: skip
    add(document, "patch", "/number", "patchNumber", body={
        "type": "object", "properties": {"count": {"type": "integer", "enum": [1, 2]}, "color": reference("Color")},
        "additionalProperties": False,
    }, responses={"200": answer({"type": "integer", "enum": [1, 2]})})  # fmt: skip
    return document


def _parameters() -> list[dict[str, Any]]:
    texts = {"type": "array", "items": TEXT}
    return [
        parameter("path", "one", TEXT, example="1"),
        parameter("path", "two", {"type": "string", "enum": ["a", "b/c"]}, example="a"),
        parameter("query", "when", {"type": "string", "format": "date-time"}),
        parameter("query", "day", {"type": "string", "format": "date"}),
        parameter("query", "unique", {"type": "string", "format": "uuid"}),
        parameter("query", "tags", texts),
        parameter("query", "commas", texts, explode=False),
        parameter("query", "pipes", texts, style="pipeDelimited"),
        parameter("query", "filter", {"type": "object", "additionalProperties": TEXT}, style="deepObject"),
        parameter("query", "amount", {"type": "number", "minimum": 0.5, "exclusiveMaximum": 10}),
        parameter("header", "X-Trace", {"type": "string", "maxLength": 5}),
        parameter("cookie", "session", TEXT),
    ]


SCHEMA_NAMES = ("Reply", "Body", "Operation", "Problem", "Call", "Parameter", "Client", "Keywords", "Unset", "Mapping",
                "Literal", "UUID", "Self", "Final", "Any", "Credential", "Sequence", "Types", "Reading", "TypedDict",
                "NotRequired", "TypeAlias", "AsyncClient", "SERVER", "KeyError",
                "PromptLayerOperations")  # fmt: skip


def names() -> dict[str, Any]:
    """Names that collide: with each other, with what a model's class uses, with what the modules import."""
    form = {"type": "object", "properties": {"x": TEXT}}
    named = {"type": "object", "properties": dict.fromkeys(("field", "define", "classmethod"), TEXT)}
    document = small(Named=named, **dict.fromkeys(SCHEMA_NAMES, form))
    for name in SCHEMA_NAMES:
        add(document, "post", f"/{name}", f"make{name.capitalize()}", body={"type": "array", "items": reference(name)},
            responses={"200": answer(reference(name))})  # fmt: skip
    add(document, "post", "/named", "makeNamed", body=reference("Named"), responses={"200": answer(reference("Named"))})
    add(document, "post", "/collide/{id}", "collide", parameters=[
        parameter("path", "id", TEXT), parameter("query", "query_id", TEXT), parameter("query", "id", TEXT),
    ], body={"type": "object", "properties": {"id": TEXT, "body_id": TEXT}})  # fmt: skip
    return document


WORDS = 'say """hi""" \\ {{ x }} {% raw %} \n'
_PLAIN = """
  /plain:
    servers: [{url: "https://api.promptlayer.com"}]
    get:
      operationId: plain
      tags: [promptlayer]
      security: [{promptLayerKey: []}]
      parameters:
        - {name: country, in: query, schema: {type: string, enum: [se, no, dk]}}
      responses:
        "200": {description: Told., content: {application/json: {schema: {}}}}
"""


def texts() -> str:
    """Texts that Python, Jinja or another version of YAML could take for something of their own."""
    document = small(Quoted={"type": "object", "description": 'Ends in "quotes"', "properties": {"a": TEXT}})
    properties = {"a": {"type": "string", "description": WORDS, "default": WORDS}}
    operation = add(document, "post", "/a", "opA", body={"type": "object", "properties": properties},
                    description=WORDS, responses={"200": answer(reference("ErrorResponse"))})  # fmt: skip
    operation["requestBody"]["content"]["application/json"]["examples"] = {"one": {"value": {"a": WORDS}}}
    add(document, "get", "/default", "onlyDefault", responses={"default": answer(reference("ErrorResponse"))})
    # Words that YAML 1.1 takes for truth values and YAML 1.2, which JSON Schema goes by, for texts.
    return yaml.safe_dump(document, sort_keys=False).replace("\npaths:\n", f"\npaths:{_PLAIN}", 1)


def small_ways() -> dict[str, Any]:
    """Several small things, each in an operation of its own."""
    document = small(
        Item={"type": "object", "properties": {"kids": reference("Items")}},
        Items={"type": "object", "additionalProperties": reference("Item")},
    )
    add(document, "post", "/item", "makeItem", body=reference("Item"), responses={"200": answer(reference("Item"))})
    texts = {"type": "array", "items": {"type": ["string", "null"]}}
    maps = {"type": "array", "items": {"anyOf": [reference("Items"), {"type": "null"}]}}
    for path, name, body in (
        ("/members", "putMembers", {"type": "object", "required": ["n"], "properties": {"n": TEXT, "m": TEXT}}),
        ("/free", "putFree", {"type": "object", "additionalProperties": True}),
    ):
        add(document, "post", path, name, body=body)["requestBody"]["required"] = False
    bare = {"200": {"description": "Told.", "content": {"application/json": {}}}}
    add(document, "get", "/bare", "getBare", responses=bare)
    # With a reader of its own for each part of a member, and a title, which names nothing.
    parts = {"value": texts, "value_item": TEXT, "value_1": {"type": ["string", "null"]}, "maps": maps}
    document["components"]["schemas"]["Parts"] = {"type": "object", "title": "Quite another name", "properties": parts}
    told = {"200": answer(reference("Parts")), "204": {"description": "Nothing."}}
    add(document, "get", "/parts", "getParts", responses=told)
    add(document, "get", "/annotations", "annotations")
    add(document, "get", "/steps", "getSteps", parameters=[
        parameter("query", "price", {"type": "number", "multipleOf": 0.01}),
        parameter("query", "slug", {"type": "string", "pattern": "^[a-z$]+\\d$"}),
        parameter("header", "X-Trace", TEXT),
    ])  # fmt: skip
    return document


def extra_members() -> dict[str, Any]:
    """Bodies about whose members that it doesn't name the contract says something."""
    document = small()
    counted = {"type": "object", "properties": {"kind": {"const": "a"}, "name": TEXT}}
    forms = [{"required": ["b"], "properties": {"b": TEXT}}, {"required": ["name", "q"], "properties": {"name": TEXT}}]
    for name, more in {
        "atLeast": {"minProperties": 1},
        "atMost": {"maxProperties": 2},
        "typed": {"additionalProperties": {"type": "integer"}, "minProperties": 2},
        "undeclared": {"required": ["x-more"]},
        "closed": {"additionalProperties": False},
        "matching": {"patternProperties": {"^x-": {"type": "integer"}}, "additionalProperties": False},
        "called": {"propertyNames": {"pattern": "^[a-z]+$"}},
        "anyOfTwo": {"anyOf": [{"required": ["name"]}, {"required": ["other"]}]},
        "together": {"dependentRequired": {"name": ["other"]}},
    }.items():
        add(document, "patch", f"/{name}", name, body={**counted, **more})
    add(document, "patch", "/forms", "forms", body={"oneOf": [{"type": "object", **form} for form in forms]})
    add(document, "patch", "/optional", "optional", body={**counted, "minProperties": 1})
    document["paths"]["/optional"]["patch"]["requestBody"]["required"] = False
    return document


def recursive_map() -> dict[str, Any]:
    """A map that holds itself, and two that hold each other."""
    document = small(
        Tree={"type": "object", "additionalProperties": reference("Tree")},
        Here={"type": "object", "additionalProperties": {"type": "array", "items": reference("There")}},
        There={"type": "object", "additionalProperties": {"anyOf": [reference("Here"), {"type": "null"}]}},
    )
    add(document, "post", "/a", "opA", body=reference("Tree"), responses={"200": answer(reference("Tree"))})
    add(document, "post", "/b", "opB", body=reference("Here"), responses={"200": answer(reference("There"))})
    return document


def same_success() -> dict[str, Any]:
    """Successes whose types alone can't tell them apart."""
    document = small(Map={"type": "object", "additionalProperties": TEXT})
    for name, schema in {
        "Model": reference("ErrorResponse"),
        "Map": reference("Map"),
        "List": {"type": "array", "items": TEXT},
        "Either": {"anyOf": [reference("ErrorResponse"), {"type": "null"}]},
    }.items():
        told = {"200": answer(schema), "202": answer(schema), "204": {"description": "Nothing."}}
        add(document, "get", f"/{name}", f"get{name}", responses=told)
    add(document, "get", "/nothing", "getNothing", responses={
        "202": {"description": "Later."}, "204": {"description": "Nothing."},
    })  # fmt: skip
    add(document, "get", "/maybe", "getMaybe", responses={
        "200": answer({"type": ["string", "null"]}), "204": {"description": "Nothing."},
    })  # fmt: skip
    return document


def alternatives() -> dict[str, Any]:
    """Bodies that have one of two forms, each with a required member of its own."""
    forms = [{"type": "object", "required": [name], "properties": {name: TEXT}} for name in ("a", "b")]
    document = small(
        Old={
            "type": "object",
            "required": ["input", "both"],
            "properties": {"input": TEXT, "both": TEXT, "n": {"type": "integer"}},
            "not": {"required": ["turn"]},
        },
        New={
            "type": "object",
            "required": ["turn", "both"],
            "properties": {"turn": {"type": "integer"}, "both": TEXT, "n": {"type": ["string", "null"]}},
            "not": {"required": ["input"]},
        },
        Execute={"oneOf": [reference("Old"), reference("New")]},
    )
    add(document, "post", "/a", "opA", body={"anyOf": forms})
    add(document, "post", "/execute/{n}", "execute", body=reference("Execute"), parameters=[
        parameter("path", "n", TEXT, example="1"),
    ])["requestBody"]["content"]["application/json"]["example"] = {"turn": 1, "both": "x", "n": None}  # fmt: skip
    return document


def no_models() -> dict[str, Any]:
    """A contract that describes no object at all."""
    document = small()
    del document["components"]["schemas"]
    add(document, "delete", "/all", "dropAll", responses={"204": {"description": "Gone."}})
    return document


GROWTHS: dict[str, Callable[[], dict[str, Any] | str]] = {
    each.__name__: each
    for each in (wide, names, texts, small_ways, extra_members, recursive_map, same_success, alternatives, no_models)
}
