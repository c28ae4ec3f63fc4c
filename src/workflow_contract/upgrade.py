"""Brings a document of OpenAPI 3.0 up to 3.1, where a schema is a JSON Schema of draft 2020-12."""

from copy import deepcopy
from typing import Any, Final

from workflow_contract.places import objects

VERSION: Final = "3.1.0"
IMPLIED: Final = {"properties": "object", "items": "array"}  # the type that an author means who states none
_ANNOTATIONS: Final = ("title", "description", "deprecated", "readOnly", "writeOnly", "default", "examples")
_COMPOSED: Final = ("$ref", "allOf", "anyOf", "oneOf", "not", "const")


def upgraded(document: dict[str, Any]) -> dict[str, Any]:
    """Return the same contract in the words of OpenAPI 3.1; the document itself stays as it is."""
    made = deepcopy(document)
    for place in list(objects(made)):
        if place.is_schema:
            _upgrade(place.value)
    made["openapi"] = VERSION
    return made


def _upgrade(schema: dict[str, Any]) -> None:
    _keep_only_annotations_beside_a_reference(schema)
    for bound, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if isinstance(schema.get(exclusive), bool) and schema.pop(exclusive) and bound in schema:
            schema[exclusive] = schema.pop(bound)
    if "example" in schema:
        schema.setdefault("examples", [schema.pop("example")])
    if schema.get("type") == "file":
        schema.update(type="string", format="binary")
    if schema.get("format") == "byte":
        del schema["format"]
        schema["contentEncoding"] = "base64"
    if schema.pop("nullable", False) is True:
        allow_null(schema)


def _keep_only_annotations_beside_a_reference(schema: dict[str, Any]) -> None:
    # In 3.0 whatever stands beside a reference has no effect; in 3.1 it would have.
    if isinstance(schema.get("$ref"), str):
        kept = {"$ref", "nullable", "example", *_ANNOTATIONS}
        for key in [key for key in schema if key not in kept and not key.startswith("x-")]:
            del schema[key]


def allow_null(schema: dict[str, Any]) -> None:
    """Change a schema so that null is allowed beside what it allows."""
    if any(keyword in schema for keyword in _COMPOSED):
        # What is referred to or composed would refuse null by itself, so null becomes an alternative to all of it.
        meant = {key: schema.pop(key) for key in list(schema) if key not in _ANNOTATIONS and not key.startswith("x-")}
        schema["anyOf"] = [meant, {"type": "null"}]
        return
    implied = next((kind for keyword, kind in IMPLIED.items() if keyword in schema), None)
    stated = schema.get("type", implied)
    kinds = [stated] if isinstance(stated, str) else stated
    if isinstance(kinds, list) and "null" not in kinds:
        schema["type"] = [*kinds, "null"]
    if isinstance(schema.get("enum"), list) and None not in schema["enum"]:
        schema["enum"] = [*schema["enum"], None]
