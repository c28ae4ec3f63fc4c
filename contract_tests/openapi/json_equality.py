"""Compares JSON as JSON: true is not 1, 1 is not 1.0, null is not absent."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

LONGEST_SHOWN: Final = 150
BEFORE, BEHIND = 20, 60  # characters that are shown round the place from which on two texts differ


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


def told_apart(one: Any, other: Any) -> tuple[str, str]:
    """Return two values as JSON that shows how they differ, on one line each."""
    first, second = (json.dumps(value, ensure_ascii=False, sort_keys=True, default=str) for value in (one, other))
    return cut_to_difference(first, second)


def cut_to_difference(one: str, other: str) -> tuple[str, str]:
    """Return two texts, both cut to the part where they begin to differ if one of them is long."""
    if max(len(one), len(other)) <= LONGEST_SHOWN:
        return one, other
    characters = enumerate(zip(one, other, strict=False))
    start = max(0, next((at for at, (left, right) in characters if left != right), min(len(one), len(other))) - BEFORE)
    return _part(one, start), _part(other, start)


def _part(text: str, start: int) -> str:
    end = start + BEFORE + BEHIND
    return f"{len(text):,} characters, {'…' if start else ''}{text[start:end]}{'…' if end < len(text) else ''}"


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
