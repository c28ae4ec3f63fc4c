"""Goes through a value and its schema together: which declared properties are there, and what is there beside them."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from contract_tests.openapi.document import Contract, join
from contract_tests.openapi.schema import ANY, ITEM, alternatives, branches, children, parts

MOST_FOLLOWED: Final = 2_000


@dataclass(frozen=True)
class Visit:
    """
    One place in a value.

    Attributes:
        path: How to get there: property names with dots between them, ``*`` for any name and ``[]`` for any item.
        value: What stands there.
        schemas: Pointers of the schemas that describe it: the stated one, and those of its alternatives that fit.
    """

    path: str
    value: Any
    schemas: tuple[str, ...]


def walk(contract: Contract, schema: str, value: Any) -> Iterator[Visit]:
    """Visit every place of a valid value, outer ones first."""
    yield from _walk(contract, (schema,), "", value)


def member_paths(contract: Contract, schema: str | None) -> set[str]:
    """
    Return the paths of all properties that a schema declares, nested ones included, as :func:`walk` writes them.

    Where references lead to references they multiply: of very many properties only the outer ones are given.
    """
    found: set[str] = set()
    waiting: deque[tuple[str, str, tuple[str, ...]]] = deque([(schema, "", ())] if schema else ())
    for _ in range(MOST_FOLLOWED):
        if not waiting:
            break
        stated, path, outer = waiting.popleft()
        pointer = contract.follow(stated)
        if pointer not in outer and isinstance(contract.at(pointer), dict):
            found |= {f"{path}.{name}".lstrip(".") for name in contract.at(pointer).get("properties", {})}
            waiting += [(*inner, (*outer, pointer)) for inner in _beneath(contract, pointer, path)]
    return found


def declared_names(contract: Contract, visit: Visit) -> dict[str, list[str]] | None:
    """Return the properties that an object's schemas name, with their schemas; None if they leave the names open."""
    found: dict[str, list[str]] = {}
    is_open = True
    for pointer in visit.schemas:
        node = contract.at(pointer)
        if "properties" not in node and "additionalProperties" not in node:
            continue
        if node.get("additionalProperties", False) is not False:
            return None
        is_open = False
        for name in node.get("properties", {}):
            found.setdefault(name, []).append(join(pointer, "properties", name))
    return None if is_open else found


def _walk(contract: Contract, stated: tuple[str, ...], path: str, value: Any) -> Iterator[Visit]:
    visit = Visit(path, value, tuple(dict.fromkeys(fit for one in stated for fit in _fitting(contract, one, value))))
    yield visit
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in inside:
        schemas = tuple(child for pointer in visit.schemas for child in children(contract, pointer, step))
        if schemas:
            is_declared = any(step in contract.at(pointer).get("properties", {}) for pointer in visit.schemas)
            token = ITEM if isinstance(step, int) else step if is_declared else ANY
            yield from _walk(contract, schemas, _within(path, token), inner)


def _fitting(contract: Contract, schema: str, value: Any) -> Iterator[str]:
    pointer = contract.follow(schema)
    if isinstance(contract.at(pointer), dict):
        yield pointer
        for branch in branches(contract, pointer):
            if contract.is_valid(value, branch):
                yield from _fitting(contract, branch, value)


def _beneath(contract: Contract, pointer: str, path: str) -> Iterator[tuple[str, str]]:
    """Return the schemas that a schema holds, and the paths of what they describe."""
    yield from ((branch, path) for branch in branches(contract, pointer))
    yield from ((child, _within(path, token)) for child, token in parts(contract, pointer))


def _within(path: str, token: str) -> str:
    return f"{path}{ITEM}" if token == ITEM else f"{path}.{token}".lstrip(".")


def member_schemas(contract: Contract, schema: str | None) -> list[str]:
    """Return the pointers of the properties' schemas that an object schema declares, its alternatives' included."""
    nodes = {pointer: contract.at(pointer) for pointer in alternatives(contract, schema)} if schema else {}
    return [join(pointer, "properties", name) for pointer, node in nodes.items() for name in node.get("properties", {})]
