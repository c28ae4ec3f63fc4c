"""Finds where in the contract a place in the data is described."""

from collections.abc import Iterator, Sequence
from typing import Any

from contract_tests.openapi.document import Contract
from contract_tests.openapi.schema import branches, children


def schemas_at(contract: Contract, schema: str, place: Sequence[str | int]) -> list[str]:
    """Return the pointers of all schemas that describe a place in the data; none if the contract leaves it open."""
    found = list(_alternatives(contract, schema))
    for token in place:
        found = [
            inner
            for pointer in found
            for child in children(contract, pointer, token)
            for inner in _alternatives(contract, child)
        ]
    return list(dict.fromkeys(found))


def closest_schema(contract: Contract, schema: str, place: Sequence[str | int]) -> str:
    """Return the pointer of the innermost schema that describes a place or what it lies in: its name without values."""
    for length in range(len(place), 0, -1):
        found = [
            pointer
            for pointer in schemas_at(contract, schema, place[:length])
            if contract.at(pointer) not in (True, {})
        ]
        if found:
            return found[0]
    return contract.follow(schema)


def defaults_at(contract: Contract, schema: str, place: Sequence[str | int]) -> list[Any]:
    """Return the defaults that the contract states for a place."""
    nodes = [contract.at(pointer) for pointer in schemas_at(contract, schema, place)]
    return [node["default"] for node in nodes if isinstance(node, dict) and "default" in node]


def _alternatives(contract: Contract, schema: str, seen: tuple[str, ...] = ()) -> Iterator[str]:
    pointer = contract.follow(schema)
    if pointer not in seen:
        yield pointer
        for branch in branches(contract, pointer):
            yield from _alternatives(contract, branch, (*seen, pointer))
