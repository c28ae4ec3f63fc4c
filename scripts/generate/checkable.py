"""Schemas as the generated client checks arguments against them: references filled in, words to people left out."""

from __future__ import annotations

from typing import Any

import document as doc

_ANNOTATIONS = frozenset(
    {"title", "description", "example", "examples", "default", "deprecated", "externalDocs", "xml", "$comment"}
)


def checkable(document: dict[str, Any], schema: Any) -> Any:
    """A schema without what is only said to people, its references filled in; recursive ones stay under `$defs`."""
    definitions: dict[str, Any] = {}
    filled = _filled(document, schema, (), definitions)
    if definitions and isinstance(filled, dict):
        filled["$defs"] = definitions
    return filled


def _filled(document: dict[str, Any], schema: Any, above: tuple[str, ...], definitions: dict[str, Any]) -> Any:
    if not isinstance(schema, dict):
        return schema
    name = doc.reference_name(schema)
    if name is None:
        filled = {
            key: _inside(document, key, value, above, definitions)
            for key, value in schema.items()
            if not _is_annotation(key)
        }
        return _without_read_only(filled)
    rest = {key: value for key, value in schema.items() if key != "$ref"}
    if name in above:
        if name not in definitions:
            definitions[name] = None
            definitions[name] = _filled(document, doc.resolve(document, schema), (*above, name), definitions)
        target: Any = {"$ref": f"#/$defs/{name}"}
    else:
        target = _filled(document, doc.resolve(document, {"$ref": schema["$ref"]}), (*above, name), definitions)
    others = _filled(document, rest, above, definitions)
    return {"allOf": [target, others]} if others else target


def _without_read_only(schema: dict[str, Any]) -> dict[str, Any]:
    """What only the service sends is neither asked of the client nor allowed to it."""
    properties = schema.get("properties", {})
    hidden = {name for name, declared in properties.items() if _is_read_only(declared)}
    if hidden:
        schema["properties"] = {name: name not in hidden and declared for name, declared in properties.items()}
        schema["required"] = [name for name in schema.get("required", ()) if name not in hidden]
    return schema


def _is_read_only(declared: Any) -> bool:
    # Beside a reference the word has gone into an `allOf` of its own.
    parts = [declared, *declared.get("allOf", ())] if isinstance(declared, dict) else []
    return any(isinstance(part, dict) and part.get("readOnly") for part in parts)


def _is_annotation(key: str) -> bool:
    return key in _ANNOTATIONS or key.startswith("x-")


def _inside(document: dict[str, Any], key: str, value: Any, above: tuple[str, ...], definitions: dict[str, Any]) -> Any:
    match key:
        case "properties" | "patternProperties":
            return {name: _filled(document, item, above, definitions) for name, item in value.items()}
        case "allOf" | "anyOf" | "oneOf" | "prefixItems":
            return [_filled(document, item, above, definitions) for item in value]
        case "not":
            # The only place where words to people are kept: a bare "anything else" would tell a user nothing.
            words = {"description": value["description"]} if "description" in value else {}
            return words | _filled(document, value, above, definitions)
        case "items" | "additionalProperties" | "propertyNames":
            return _filled(document, value, above, definitions)
        case _:
            return value
