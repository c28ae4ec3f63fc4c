"""The keywords of JSON Schema that hold further schemas, and the schemas of a contract by way of them."""

from collections.abc import Iterator
from typing import Any, Final

from contract_tests.openapi.document import Contract, join
from contract_tests.openapi.validation import UNIONS

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
COMPOSED: Final = ("allOf", *UNIONS)  # of schemas that describe the same value
MANY: Final = (*COMPOSED, "prefixItems")
NAMED: Final = ("$defs", "dependentSchemas", "patternProperties", "properties")
DATA: Final = ("default", "enum", "const", "example", "examples", "value")


def branches(contract: Contract, pointer: str, keywords: tuple[str, ...] = COMPOSED) -> list[str]:
    """Return the pointers of the schemas that a schema is composed of, by these keywords."""
    node = contract.at(pointer)
    stated = node if isinstance(node, dict) else {}
    return [join(pointer, keyword, index) for keyword in keywords for index in range(len(stated.get(keyword, ())))]


def children(contract: Contract, pointer: str, step: str | int) -> list[str]:
    """Return the pointer of the schema that a schema has for a property or an item, if it has one."""
    node = contract.at(pointer)
    stated = node if isinstance(node, dict) else {}
    if isinstance(step, str) and step in stated.get("properties", {}):
        return [join(pointer, "properties", step)]
    keyword = "items" if isinstance(step, int) else "additionalProperties"
    return [join(pointer, keyword)] if isinstance(stated.get(keyword), dict) else []


def all_schemas(document: Any) -> Iterator[tuple[str, Any]]:
    """Return the JSON pointer and the text of every schema of a document, outer ones first."""
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
