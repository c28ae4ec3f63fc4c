"""Schemas as the generated client checks arguments against them: references filled in, words to people left out."""

from __future__ import annotations

import math
from typing import Any

import document as doc
import structure

from workflow_contract.backtracking import longest_text

_ANNOTATIONS = frozenset(
    {"title", "description", "example", "examples", "default", "deprecated", "externalDocs", "xml", "$comment"}
    | {"contentEncoding", "contentMediaType", "contentSchema", "discriminator"}  # a validator only remarks on these
)


# The schema becomes a literal of the generated code: more would make a module of megabytes.
MOST_SCHEMAS = 20_000


class TooLargeError(ValueError):
    """References multiply: filled in, they make more schemas than a client can hold."""


class _Filling:
    """One schema on its way: the document, what stays under `$defs`, and how much was filled in."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self.definitions: dict[str, Any] = {}
        self.schemas = 0

    def count(self) -> None:
        self.schemas += 1
        if self.schemas > MOST_SCHEMAS:
            raise TooLargeError(f"its references, filled in, make more than {MOST_SCHEMAS:,} schemas")


def checkable(document: dict[str, Any], schema: Any) -> Any:
    """A schema without what is only said to people, its references filled in; recursive ones stay under `$defs`.

    Raises:
        TooLargeError: it would hold too many schemas.
    """
    filling = _Filling(document)
    filled = _filled(filling, schema, ())
    if filling.definitions and isinstance(filled, dict):
        filled["$defs"] = filling.definitions
    return filled


def _filled(filling: _Filling, schema: Any, above: tuple[str, ...]) -> Any:
    if not isinstance(schema, dict):
        return schema
    filling.count()
    name = doc.reference_name(schema)
    if name is None:
        told = {key: value for key, value in schema.items() if not _is_annotation(key)} | _told_apart(schema)
        filled = {key: _inside(filling, key, value, above) for key, value in told.items()}
        return _with_limit(_without_read_only(filled))
    rest = {key: value for key, value in schema.items() if key != "$ref"}
    if name in above:
        if name not in filling.definitions:
            filling.definitions[name] = None
            filling.definitions[name] = _filled(filling, doc.resolve(filling.document, schema), (*above, name))
        target: Any = {"$ref": f"#/$defs/{name}"}
    else:
        target = _filled(filling, doc.resolve(filling.document, {"$ref": schema["$ref"]}), (*above, name))
    others = _filled(filling, rest, above)
    return {"allOf": [target, others]} if others else target


def _told_apart(schema: dict[str, Any]) -> dict[str, Any]:
    """How one of several forms is told from the others by a member: the form's index for each word."""
    if "discriminator" not in schema or "oneOf" not in schema:
        return {}
    names = [doc.reference_name(form) for form in schema["oneOf"]]
    words = {name: name for name in names if name} | structure.mapped(schema)
    indexes = {word: names.index(name) for word, name in words.items() if name in names}
    return {"x-told-apart": [schema["discriminator"]["propertyName"], indexes]}


def _with_limit(schema: dict[str, Any]) -> dict[str, Any]:
    longest = longest_text(schema["pattern"]) if isinstance(schema.get("pattern"), str) else math.inf
    return schema if longest == math.inf else schema | {"x-longest-text": longest}


def _without_read_only(schema: dict[str, Any]) -> dict[str, Any]:
    """What only the service sends is neither asked of the client nor allowed to it."""
    properties = schema.get("properties", {})
    hidden = {name for name, declared in properties.items() if _is_read_only(declared)}
    if hidden:
        schema["properties"] = {name: name not in hidden and declared for name, declared in properties.items()}
    # What one part of an `allOf` describes another part may require.
    parts = [schema, *(part for part in schema.get("allOf", ()) if isinstance(part, dict))]
    hidden |= {name for part in parts for name, declared in part.get("properties", {}).items() if declared is False}
    for part in parts if hidden else ():
        if "required" in part:
            part["required"] = [name for name in part["required"] if name not in hidden]
    return schema


def _is_read_only(declared: Any) -> bool:
    # Beside a reference the word has gone into an `allOf` of its own.
    parts = [declared, *declared.get("allOf", ())] if isinstance(declared, dict) else []
    return any(isinstance(part, dict) and part.get("readOnly") for part in parts)


def _is_annotation(key: str) -> bool:
    return key in _ANNOTATIONS or key.startswith("x-")


def _inside(filling: _Filling, key: str, value: Any, above: tuple[str, ...]) -> Any:
    match key:
        case "properties" | "patternProperties":
            return {name: _filled(filling, item, above) for name, item in value.items()}
        case "allOf" | "anyOf" | "oneOf" | "prefixItems":
            return [_filled(filling, item, above) for item in value]
        case "not" | "contains":
            # The only places where words to people are kept: a bare "anything else" would tell a user nothing.
            words = {"description": value["description"]} if "description" in value else {}
            return words | _filled(filling, value, above)
        case "items" | "additionalProperties" | "propertyNames":
            return _filled(filling, value, above)
        case _:
            return value
