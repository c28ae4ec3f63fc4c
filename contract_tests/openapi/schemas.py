"""Finds every schema of a contract, wherever it stands."""

from collections.abc import Iterator
from typing import Any, Final

from contract_tests.openapi.document import join

ONE: Final = (
    "additionalProperties",
    "contains",
    "contentSchema",
    "else",
    "if",
    "items",
    "not",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
)
MANY: Final = ("allOf", "anyOf", "oneOf", "prefixItems")
NAMED: Final = ("$defs", "dependentSchemas", "patternProperties", "properties")
DATA: Final = ("default", "enum", "const", "example", "examples", "value")


def all_schemas(document: Any) -> Iterator[tuple[str, Any]]:
    """Give the JSON pointer and the text of every schema of a document, outer ones first."""
    yield from _outside(document, "#")


def _outside(node: Any, pointer: str) -> Iterator[tuple[str, Any]]:
    if isinstance(node, list):
        for index, item in enumerate(node):
            yield from _outside(item, join(pointer, index))
    if not isinstance(node, dict):
        return
    for key, value in node.items():
        here = join(pointer, key)
        if key == "schema":
            yield from _inside(value, here)
        elif here == "#/components/schemas" and isinstance(value, dict):
            for name, schema in value.items():
                yield from _inside(schema, join(here, name))
        elif not key.startswith("x-") and key not in DATA:
            yield from _outside(value, here)


def _inside(schema: Any, pointer: str) -> Iterator[tuple[str, Any]]:
    yield pointer, schema
    if not isinstance(schema, dict):
        return
    for key in ONE:
        if key in schema:
            yield from _inside(schema[key], join(pointer, key))
    for key in MANY:
        for index, inner in enumerate(schema[key] if isinstance(schema.get(key), list) else ()):
            yield from _inside(inner, join(pointer, key, index))
    for key in NAMED:
        inner_schemas = schema.get(key)
        for name, inner in inner_schemas.items() if isinstance(inner_schemas, dict) else ():
            yield from _inside(inner, join(pointer, key, name))
