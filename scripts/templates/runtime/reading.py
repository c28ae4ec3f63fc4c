"""JSON values from a reply to Python ones, strictly: a value of another type is a `Problem` with its place.

Readers give the value back as it is: what they are given has just been parsed and belongs to nobody else.
A word outside an enum is read all the same, so that a service may grow; a wrong type never is.
"""

from __future__ import annotations

import datetime
import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, TypeVar

from .types import UNSET, Moment, Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = [
    "anything",
    "array",
    "best",
    "boolean",
    "constant",
    "copied",
    "date",
    "integer",
    "mapping",
    "moment",
    "null",
    "number",
    "string",
    "tagged",
    "unknown_members",
]

T = TypeVar("T")

_DATE: Final = "[0-9]{4}-[0-9]{2}-[0-9]{2}"


def anything(value: Any) -> Any:
    """Any JSON value."""
    return value


def string(value: Any) -> str:
    """A text."""
    if value.__class__ is not str:
        raise Problem("a text", value)
    return value


def integer(value: Any) -> int:
    """A whole number; 1.0 is one, true is none."""
    if value.__class__ is int:
        return value
    if value.__class__ is float and value.is_integer():
        return int(value)
    raise Problem("a whole number", value)


def number(value: Any) -> float:
    """A number, whole or not."""
    if value.__class__ is not float and value.__class__ is not int:
        raise Problem("a number", value)
    return value


def boolean(value: Any) -> bool:
    """True or false."""
    if value is not True and value is not False:
        raise Problem("true or false", value)
    return value


def null(value: Any) -> None:
    """Null."""
    if value is not None:
        raise Problem("null", value)


def date(value: Any) -> datetime.date:
    """A date as in 2026-01-31."""
    try:
        if re.fullmatch(_DATE, string(value)):
            return datetime.date.fromisoformat(value)
    except ValueError:
        pass
    raise Problem("a date as in 2026-01-31", value)


def moment(value: Any) -> Moment:
    """A time as in 2026-01-31T12:00:00Z."""
    try:
        return Moment.read(string(value))
    except ValueError:
        raise Problem("a time as in 2026-01-31T12:00:00Z", value) from None


def constant(value: Any, only: T) -> T:
    """One fixed value."""
    if value != only or value.__class__ is not only.__class__:
        raise Problem("null" if only is None else f"the value {only!r}", value)
    return only


def array(value: Any, item: Callable[[Any], T]) -> list[T]:
    """A list, each item read by `item`."""
    if value.__class__ is not list:
        raise Problem("a list", value)
    done: list[T] = []
    try:
        for entry in value:
            done.append(item(entry))  # noqa: PERF401 - its length tells which item is wrong
    except Problem as problem:
        raise problem.under(len(done)) from None
    return done


def mapping(value: Any, item: Callable[[Any], T]) -> dict[str, T]:
    """An object of any members, each value read by `item`."""
    if value.__class__ is not dict:
        raise Problem("an object", value)
    name = ""
    try:
        done = {}
        for name, entry in value.items():
            done[name] = item(entry)
    except Problem as problem:
        raise problem.under(name) from None
    return done


def best(
    value: Any, readers: Sequence[Callable[[Any], Any]], member: str = "", words: Sequence[Sequence[str]] = ()
) -> Any:
    """What the first fitting reader makes of the value; of several models, the one that knows most of its members.

    Those that know the word of a member come first: ``words`` are what each reader knows there.
    """
    word = value.get(member) if words and value.__class__ is dict else UNSET
    if named := [reader for reader, known in zip(readers, words, strict=False) if word in known]:
        with suppress(Problem):
            return best(value, named)
    found: Any = UNSET
    problems: list[Problem] = []
    for reader in readers:
        try:
            candidate = reader(value)
        except Problem as problem:
            problems.append(problem)
            continue
        if found is UNSET or _unknown(candidate) < _unknown(found):
            found = candidate
        if not _unknown(found):
            break
    if found is UNSET:
        # The problem that lies deepest belongs to the form that was most likely meant.
        raise max(problems, key=lambda problem: len(problem.place))
    return found


def tagged(value: Any, member: str, readers: Mapping[str, Callable[[Any], Any]]) -> Any:
    """An object of the form that one of its members names; where it is absent, and may be, of the one that fits."""
    if value.__class__ is not dict:
        raise Problem("an object", value)
    if member not in value:
        return best(value, [*readers.values()])
    tag = value[member]
    reader = readers.get(tag) if isinstance(tag, str) else None
    if reader is None:
        raise Problem("one of " + ", ".join(map(repr, readers)), tag).under(member)
    return reader(value)


def _unknown(candidate: object) -> int:
    return len(getattr(candidate, "additional_properties", ()))


def unknown_members(source: dict[str, Any], known: frozenset[str]) -> dict[str, Any]:
    """The members of an object that its model does not name."""
    return {name: value for name, value in source.items() if name not in known}


def copied(value: Any) -> Any:
    """A copy of a JSON value that shares no list or object with it."""
    if value.__class__ is dict:
        return {name: copied(entry) for name, entry in value.items()}
    if value.__class__ is list:
        return [copied(entry) for entry in value]
    return value
