"""One contract that holds, side by side, what generated clients are known to get wrong."""

from __future__ import annotations

from typing import Any

from growing import TEXT, add, answer, parameter, reference, small

INTEGER = {"type": "integer"}
MOMENT = {"type": "string", "format": "date-time"}
# Names that generated code has, or once had, for things of its own.
MEMBERS = ("cls", "d", "field_dict", "additional_properties", "to_dict", "from_dict", "from_json", "cast", "source",
           "self", "value", "types", "reading", "UNSET", "object", "_at", "_extra", "_target")  # fmt: skip
PARAMETERS = ("headers", "params", "cookies", "kwargs", "client", "request", "operation", "call", "timeout", "json",
              "UNSET", "OPERATION", "Any", "self", "query", "path", "members", "body")  # fmt: skip


def torture() -> dict[str, Any]:
    """The contract."""
    document = small(**_schemas())
    _requests(document)
    _replies(document)
    document["webhooks"] = {"told": {"post": {"requestBody": {"content": {"application/json": {
        "schema": reference("WebhookEvent")}}}, "responses": {"200": {"description": "Taken."}}}}}  # fmt: skip
    return document


def _object(required: tuple[str, ...] = (), **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(required), "properties": properties}


def _schemas() -> dict[str, Any]:
    secret = {**TEXT, "writeOnly": True}
    number = {**INTEGER, "readOnly": True}
    return {
        "Plain": _object(("x",), x=INTEGER, when=MOMENT, day={"type": "string", "format": "date"},
                         color={"type": "string", "enum": ["red", "green"]}, names={"type": "array", "items": TEXT},
                         n={"type": "number"}, yes={"type": "boolean"}, inner=reference("Closed"), anything=True),
        "Closed": {**_object(("a",), a=TEXT), "additionalProperties": False},
        "Defaults": _object(limit={**INTEGER, "default": 5}, on={"type": "boolean", "default": False},
                            tags={"type": "array", "items": TEXT, "default": []}, more={"type": "object",
                            "default": {}}),
        "TwoSided": _object(("id", "pw", "name"), id=number, pw=secret, name=TEXT),
        "Typed": {"type": "object", "properties": {"x": TEXT}, "additionalProperties": MOMENT},
        "Named": _object(**dict.fromkeys(MEMBERS, TEXT)),
        "WebhookEvent": _object(("kind",), kind=TEXT),
        "Detail": _object(detail={"type": "array", "items": _object(("loc", "msg"), loc={"type": "array"}, msg=TEXT)}),
        "Cat": _object(("petType",), petType=TEXT, lives=INTEGER),
        "Dog": _object(("petType",), petType=TEXT, bark=TEXT),
        "Track": _object(type=TEXT, length=INTEGER),
        "Episode": _object(type=TEXT, pages=INTEGER),
        "Square": _object(("kind",), kind={"type": "string", "enum": ["square"]}, side=INTEGER, name=TEXT),
        "Circle": _object(("kind",), kind={"const": "circle"}, name=TEXT),
        "Node": _object(("status", "value"), status={"type": "string", "enum": ["SUCCESS", "FAILED"]}, value=True),
        "Nodes": {"type": "object", "additionalProperties": reference("Node")},
    }  # fmt: skip


def _requests(document: dict[str, Any]) -> None:
    texts = {"type": "array", "items": TEXT}
    add(document, "get", "/paths/{one}/{flag}/{at}/{many}", "paths", parameters=[
        parameter("path", "one", TEXT), parameter("path", "flag", {"type": "boolean"}), parameter("path", "at", MOMENT),
        parameter("path", "many", texts),
    ])  # fmt: skip
    add(document, "get", "/queries", "queries", parameters=[
        parameter("query", "csv", texts, explode=False), parameter("query", "each", texts),
        parameter("query", "pipes", texts, style="pipeDelimited", explode=False),
        parameter("query", "spaces", texts, style="spaceDelimited", explode=False),
        parameter("query", "deep", {"type": "object", "additionalProperties": TEXT}, style="deepObject"),
        parameter("query", "x", TEXT), parameter("query", "limit", {**INTEGER, "default": 5, "minimum": 1}),
        parameter("query", "at", MOMENT),
    ])  # fmt: skip
    add(document, "get", "/headers", "headers", parameters=[
        parameter("header", "X-Maybe", {"type": ["string", "null"]}), parameter("header", "X-Count", INTEGER),
        parameter("header", "X-Either", {"anyOf": [INTEGER, TEXT]}), parameter("cookie", "flag", {"type": "boolean"}),
        parameter("cookie", "text", TEXT),
    ])  # fmt: skip
    shadows = [parameter("query", name, TEXT) for name in PARAMETERS]
    add(document, "get", "/shadows", "shadows", parameters=shadows)
    add(document, "post", "/null", "sendNull", body={"anyOf": [{"type": "object"}, {"type": "null"}]})
    free = add(document, "post", "/optional", "sendOptional", body={"type": "object"})
    free["requestBody"]["required"] = False
    add(document, "post", "/defaults", "sendDefaults", body=reference("Defaults"))
    add(document, "post", "/two-sided", "sendTwoSided", body=reference("TwoSided"),
        responses={"200": answer(reference("TwoSided"))})  # fmt: skip
    add(document, "post", "/typed", "sendTyped", body={"type": "array", "items": reference("Typed")})
    add(document, "post", "/named", "sendNamed", body=reference("Named"), responses={"200": answer(reference("Named"))})
    bounded = _object(
        ("code",), code={"type": "string", "pattern": "^[A-Z]{2}$"}, short={"type": "string", "minLength": 2},
        version={**INTEGER, "minimum": 1}, label=TEXT, step={"type": "number", "multipleOf": 0.5},
        few={"type": "array", "items": INTEGER, "maxItems": 2, "uniqueItems": True}, at=MOMENT, free={"type": "object"},
        some={"type": "array", "contains": {"const": 7, "description": "a seven"}, "maxContains": 2},
    )  # fmt: skip
    bounded["dependentRequired"] = {"free": ["step"]}
    bounded["not"] = {"required": ["version", "label"]}
    add(document, "post", "/bounded", "sendBounded", body=bounded)
    add(document, "get", "/open", "getOpen", security=[])


def _replies(document: dict[str, Any]) -> None:
    pets = {
        "oneOf": [reference("Cat"), reference("Dog")],
        "discriminator": {"propertyName": "petType", "mapping": {"dog": "#/components/schemas/Dog",
                                                                 "cat": "#/components/schemas/Cat"}},
    }  # fmt: skip
    lists = {"anyOf": [{"type": "array", "items": reference("Cat")}, {"type": "array", "items": TEXT}]}
    uuid = {"type": "string", "format": "uuid"}
    error = {"oneOf": [reference("Detail"), reference("ErrorResponse")]}
    for name, schema in {
        "Plain": reference("Plain"),
        "Pet": pets,
        "Shape": {"oneOf": [reference("Square"), reference("Circle")]},
        "Item": {"oneOf": [reference("Track"), reference("Episode")], "discriminator": {"propertyName": "type"}},
        "Lists": lists,
        "Moment": MOMENT,
        "MomentOrText": {"anyOf": [MOMENT, TEXT]},
        "UuidOrText": {"anyOf": [uuid, TEXT]},
        "Texts": {"type": "array", "items": TEXT},
        "Output": {"oneOf": [{}, reference("Nodes")]},
        "Nodes": reference("Nodes"),
    }.items():
        add(document, "get", f"/{name}", f"get{name}", responses={"200": answer(schema), "422": answer(error),
            "502": answer(reference("ErrorResponse"))})  # fmt: skip
    nothing = {"200": answer({"type": ["integer", "null"]}), "204": {"description": "Nothing."}}
    add(document, "get", "/maybe", "getMaybe", responses=nothing)
