"""
The keywords of JSON Schema that hold further schemas, and the schemas of a contract by way of them.

Schemas are named by their pointers; a place in the data by property names and indices from the outside in.
"""

from collections.abc import Iterator, Sequence
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
ITEM: Final = "[]"
ANY: Final = "*"


def branches(contract: Contract, pointer: str, keywords: tuple[str, ...] = COMPOSED) -> list[str]:
    """Return the pointers of the schemas that a schema is composed of, by these keywords."""
    node = contract.at(pointer)
    stated = node if isinstance(node, dict) else {}
    return [join(pointer, keyword, index) for keyword in keywords for index in range(len(stated.get(keyword, ())))]


def alternatives(
    contract: Contract, schema: str, keywords: tuple[str, ...] = COMPOSED, seen: tuple[str, ...] = ()
) -> Iterator[str]:
    """Return the pointers of a schema and of all that it is composed of, at any depth, references followed."""
    pointer = contract.follow(schema)
    if pointer not in seen and isinstance(contract.at(pointer), dict):
        yield pointer
        for branch in branches(contract, pointer, keywords):
            yield from alternatives(contract, branch, keywords, (*seen, pointer))


def members(contract: Contract, schema: str) -> dict[str, str]:
    """Return the declared properties of an object with the pointers of their schemas, those of its branches too."""
    found: dict[str, str] = {}
    for pointer in alternatives(contract, schema):
        for name in contract.at(pointer).get("properties", {}):
            found.setdefault(name, join(pointer, "properties", name))
    return found


def parts(contract: Contract, pointer: str) -> Iterator[tuple[str, str]]:
    """Return the schemas that a schema has for properties, by name, for any other one and for items."""
    node = contract.at(pointer)
    stated = node if isinstance(node, dict) else {}
    yield from ((join(pointer, "properties", name), name) for name in stated.get("properties", {}))
    for keyword, token in (("additionalProperties", ANY), ("items", ITEM)):
        if isinstance(stated.get(keyword), dict):
            yield join(pointer, keyword), token


def children(contract: Contract, pointer: str, step: str | int) -> list[str]:
    """Return the pointer of the schema that a schema has for a property or an item, if it has one."""
    node = contract.at(pointer)
    stated = node if isinstance(node, dict) else {}
    if isinstance(step, str) and step in stated.get("properties", {}):
        return [join(pointer, "properties", step)]
    keyword = "items" if isinstance(step, int) else "additionalProperties"
    return [join(pointer, keyword)] if isinstance(stated.get(keyword), dict) else []


def schemas_at(contract: Contract, schema: str, place: Sequence[str | int]) -> list[str]:
    """Return the pointers of all schemas that describe a place in the data; none if the contract leaves it open."""
    found = list(alternatives(contract, schema))
    for token in place:
        inner = [child for pointer in found for child in children(contract, pointer, token)]
        # What is `true` or `false` has no alternatives, and describes the place all the same.
        found = [one for child in inner for one in [*alternatives(contract, child)] or [contract.follow(child)]]
    return list(dict.fromkeys(found))


def closest_schema(contract: Contract, schema: str, place: Sequence[str | int]) -> str:
    """Return the pointer of the innermost schema that says something of a place, or of what it lies in."""
    for length in range(len(place), 0, -1):
        for pointer in schemas_at(contract, schema, place[:length]):
            if contract.at(pointer) not in (True, {}):
                return pointer
    return contract.follow(schema)


def defaults_at(contract: Contract, schema: str, place: Sequence[str | int]) -> list[Any]:
    """Return the defaults that the contract states for a place."""
    nodes = [contract.at(pointer) for pointer in schemas_at(contract, schema, place)]
    return [node["default"] for node in nodes if isinstance(node, dict) and "default" in node]


def subschemas(schema: Any, pointer: str) -> Iterator[tuple[str, str, Any]]:
    """Return the schemas right inside one: keyword, JSON pointer and text of each."""
    stated = schema if isinstance(schema, dict) else {}
    for keyword in (one for one in (*ONE, *MANY, *NAMED) if one in stated):
        value, here = stated[keyword], join(pointer, keyword)
        if keyword in ONE:
            yield keyword, here, value
        elif keyword in MANY:
            inner = enumerate(value if isinstance(value, list) else ())
            yield from ((keyword, join(here, index), one) for index, one in inner)
        else:
            named = value.items() if isinstance(value, dict) else ()
            yield from ((keyword, join(here, name), one) for name, one in named)


def all_schemas(document: Any, pointer: str = "#") -> Iterator[tuple[str, Any]]:
    """Return the JSON pointer and the text of every schema of a document, outer ones first."""
    if isinstance(document, list):
        for index, item in enumerate(document):
            yield from all_schemas(item, join(pointer, index))
    for key, value in document.items() if isinstance(document, dict) else ():
        here = join(pointer, key)
        if key == "schema":
            yield from _with_inner(value, here)
        elif here == "#/components/schemas" and isinstance(value, dict):
            for name, schema in value.items():
                yield from _with_inner(schema, join(here, name))
        elif not key.startswith("x-") and key not in DATA:
            yield from all_schemas(value, here)


def _with_inner(schema: Any, pointer: str) -> Iterator[tuple[str, Any]]:
    yield pointer, schema
    for _, here, inner in subschemas(schema, pointer):
        yield from _with_inner(inner, here)
