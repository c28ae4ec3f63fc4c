"""Places in a JSON value that a schema speaks of, and the keywords that bind what stands there."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from contract_tests.openapi.document import Contract, join
from mutants.servers.changes import EVERY

BINDING: Final = ("type", "enum", "const", "format", "pattern", "minLength", "maxLength", "minimum", "maximum")


@dataclass(frozen=True)
class Place:
    """
    A place, and what binds it.

    Attributes:
        path: From the root; ``*`` for every entry or item.
        types: Of the values that may stand there, null included; empty if any may.
        keywords: Binding keywords and what they state, ``type`` left out.
    """

    path: tuple[str, ...]
    types: tuple[str, ...]
    keywords: tuple[tuple[str, Any], ...]

    @property
    def is_nullable(self) -> bool:
        """Whether null may stand there."""
        return not self.types or "null" in self.types

    @property
    def name(self) -> str:
        """The path as it stands in an id."""
        return ".".join("each" if token == EVERY else token for token in self.path) or "body"


def places(contract: Contract, schema: str, path: tuple[str, ...] = ()) -> Iterator[Place]:
    """Give every place below the schema at a pointer, outer ones first."""
    pointer, is_nullable = _meant(contract, meant(contract, schema))
    stated = contract.at(pointer)
    if not isinstance(stated, dict) or "anyOf" in stated:
        return
    yield _place(path, stated, is_nullable=is_nullable)
    for name in stated.get("properties", {}):
        yield from places(contract, join(pointer, "properties", name), (*path, name))
    for keyword in ("additionalProperties", "items"):
        if isinstance(stated.get(keyword), dict) and stated[keyword]:
            yield from places(contract, join(pointer, keyword), (*path, EVERY))


def meant(contract: Contract, schema: str) -> str:
    """Give the pointer of what binds: of several forms the first one, which the correct server is asked in."""
    pointer = contract.follow(schema)
    for keyword in ("oneOf", "allOf"):
        if contract.at(pointer).get(keyword):
            return meant(contract, join(pointer, keyword, 0))
    return pointer


def _meant(contract: Contract, pointer: str) -> tuple[str, bool]:
    # Of "X or null" the X is what binds.
    branches = contract.at(pointer).get("anyOf", [])
    if {"type": "null"} not in branches:
        return pointer, False
    meant = next(index for index, branch in enumerate(branches) if branch != {"type": "null"})
    return contract.follow(join(pointer, "anyOf", meant)), True


def _place(path: tuple[str, ...], stated: dict[str, Any], *, is_nullable: bool) -> Place:
    given = stated.get("type", [])
    types = (given,) if isinstance(given, str) else tuple(given)
    if types and is_nullable:
        types = (*types, "null")
    keywords = tuple((name, stated[name]) for name in BINDING if name in stated and name != "type")
    return Place(path, types, keywords)
