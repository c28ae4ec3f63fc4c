"""Goes through a value and its schema together: which declared members are there, and what is there beside them."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from contract_tests.openapi.document import Contract, join
from contract_tests.openapi.schema import branches

MOST_FOLLOWED: Final = 2_000


@dataclass(frozen=True)
class Visit:
    """
    One place in a value.

    Attributes:
        path: How to get there: member names with dots between them, ``*`` for any name and ``[]`` for any item.
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
    Return the paths of all members that a schema declares, nested ones included, as :func:`walk` writes them.

    Where references lead to references they multiply: of very many members only the outer ones are given.
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


def declared(contract: Contract, visit: Visit) -> dict[str, list[str]] | None:
    """Return the members that an object's schemas name, with their schemas; None if they leave the names open."""
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
    if isinstance(value, dict):
        for name, inner in value.items():
            schemas, segment = _of_member(contract, visit, name)
            if schemas:
                yield from _walk(contract, schemas, f"{path}.{segment}".lstrip("."), inner)
    if isinstance(value, list):
        items = tuple(join(one, "items") for one in visit.schemas if isinstance(contract.at(one).get("items"), dict))
        for inner in value if items else ():
            yield from _walk(contract, items, f"{path}[]", inner)


def _fitting(contract: Contract, schema: str, value: Any) -> Iterator[str]:
    pointer = contract.follow(schema)
    node = contract.at(pointer)
    if not isinstance(node, dict):
        return
    yield pointer
    for branch in branches(contract, pointer):
        if contract.is_valid(value, branch):
            yield from _fitting(contract, branch, value)


def _of_member(contract: Contract, visit: Visit, name: str) -> tuple[tuple[str, ...], str]:
    found, segment = [], "*"
    for pointer in visit.schemas:
        node = contract.at(pointer)
        if name in node.get("properties", {}):
            found.append(join(pointer, "properties", name))
            segment = name
        elif isinstance(node.get("additionalProperties"), dict):
            found.append(join(pointer, "additionalProperties"))
    return tuple(found), segment


def _beneath(contract: Contract, pointer: str, path: str) -> Iterator[tuple[str, str]]:
    """Return the schemas that a schema holds, and the paths of what they describe."""
    node = contract.at(pointer)
    yield from ((branch, path) for branch in branches(contract, pointer))
    for name in node.get("properties", {}):
        yield join(pointer, "properties", name), f"{path}.{name}".lstrip(".")
    for keyword, segment in (("additionalProperties", ".*"), ("items", "[]")):
        if isinstance(node.get(keyword), dict):
            yield join(pointer, keyword), f"{path}{segment}".lstrip(".")


def member_schemas(contract: Contract, schema: str | None) -> list[str]:
    """Return the pointers of the members' schemas that an object schema declares, its alternatives' included."""
    if schema is None:
        return []
    pointers, found, seen = [contract.follow(schema)], [], set()
    while pointers:
        pointer = pointers.pop()
        stated = contract.at(pointer)
        if pointer in seen or not isinstance(stated, dict):
            continue
        seen.add(pointer)
        found += [join(pointer, "properties", name) for name in stated.get("properties", {})]
        pointers += map(contract.follow, branches(contract, pointer))
    return found
