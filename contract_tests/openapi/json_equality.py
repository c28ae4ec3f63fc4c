"""Compares JSON as JSON: true is not 1, 1 is not 1.0, null is not absent."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """How two values differ in one place."""

    CHANGED = "changed"
    MISSING = "missing"
    ADDED = "added"


@dataclass(frozen=True)
class Difference:
    """One place in which a value is not what it was."""

    place: tuple[str | int, ...]  # property names and indices from the outside in
    kind: Kind  # what became of it
    before: Any = None  # what was there; None if it was added
    after: Any = None  # what is there; None if it is missing


def differences(before: Any, after: Any, place: tuple[str | int, ...] = ()) -> Iterator[Difference]:
    """Return all places in which ``after`` is not ``before``, down to the smallest value."""
    if isinstance(before, dict) and isinstance(after, dict):
        yield from _of_members(before, after, place)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, (left, right) in enumerate(zip(before, after, strict=True)):
            yield from differences(left, right, (*place, index))
    elif not _same(before, after):
        yield Difference(place, Kind.CHANGED, before, after)


def _of_members(before: dict[str, Any], after: dict[str, Any], place: tuple[str | int, ...]) -> Iterator[Difference]:
    for name, value in before.items():
        if name not in after:
            yield Difference((*place, name), Kind.MISSING, before=value)
        else:
            yield from differences(value, after[name], (*place, name))
    for name, value in after.items():
        if name not in before:
            yield Difference((*place, name), Kind.ADDED, after=value)


def _same(before: Any, after: Any) -> bool:
    return type(before) is type(after) and bool(before == after)
