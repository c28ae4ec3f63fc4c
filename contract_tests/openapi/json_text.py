"""Reads JSON strictly."""

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, NoReturn

DEEPEST: Final = 100  # levels: what readers in other languages refuse begins between 64 and 512
TOO_DEEP: Final = f"it is nested more than {DEEPEST} levels deep"


def read_json(text: str | bytes) -> Any:
    """
    Read JSON as RFC 8259 has it: in UTF-8 without a byte order mark, without NaN and Infinity.

    Raises ValueError if it is none, or nested more deeply than any reader must take.
    """
    try:
        value = json.loads(text if isinstance(text, str) else text.decode(), parse_constant=_refuse)
    except RecursionError:
        raise ValueError(TOO_DEEP) from None
    openings = (b"[", b"{") if isinstance(text, bytes) else ("[", "{")
    if sum(map(text.count, openings)) > DEEPEST and _is_too_deep(value):  # type: ignore[arg-type]
        raise ValueError(TOO_DEEP)
    return value


def json_or(text: str | bytes, otherwise: Any) -> Any:
    """Return the JSON value that a text is, or something else if it is none."""
    try:
        return read_json(text)
    except ValueError:
        return otherwise


def _is_too_deep(value: Any) -> bool:
    level = [value]
    for _ in range(DEEPEST + 1):
        level = [inner for outer in level for inner in _members(outer) if isinstance(inner, dict | list)]
    return bool(level)


def _members(value: Any) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def whole(value: Any) -> int | None:
    """Return an integer, which JSON may write as ``7.0`` too; None if it is none."""
    is_whole = type(value) is int or (isinstance(value, float) and value.is_integer())
    return int(value) if is_whole else None


def same(one: Any, other: Any) -> bool:
    """Whether two JSON values are equal: ``true`` is not 1, but ``1.0`` is."""
    return canonical(one) == canonical(other)


def canonical(value: Any) -> str:
    """Return one text for all JSON values that are equal."""
    return json.dumps(
        with_leaves(value, lambda leaf: leaf if (number := whole(leaf)) is None else number), sort_keys=True
    )


def with_leaves(value: Any, change: Callable[[Any], Any]) -> Any:
    """Return a JSON value in which everything that is no object and no list is changed."""
    if isinstance(value, dict):
        return {name: with_leaves(inner, change) for name, inner in value.items()}
    return [with_leaves(inner, change) for inner in value] if isinstance(value, list) else change(value)


def texts_in(value: Any) -> Iterator[str]:
    """Yield every text in a JSON value that is no name of a property."""
    if isinstance(value, str):
        yield value
    for inner in _members(value):
        yield from texts_in(inner)


def is_json(media_type: str) -> bool:
    """Whether a media type is JSON: ``application/json`` or any ``+json``."""
    essence = essence_of(media_type)
    return essence == "application/json" or essence.endswith("+json")


def essence_of(media_type: str) -> str:
    """Return a media type without its parameters, in lower case."""
    return media_type.partition(";")[0].strip().lower()


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
