"""JSON as the wire and the database carry it: decoded within bounds, encoded so that every string survives."""

import json
import math
from collections.abc import Iterable
from typing import Any

MAX_DEPTH = 200
"""Nesting that is accepted. The interpreter's own limit depends on the caller's stack, so one is set well below it."""


def encode(value: Any) -> str:
    """Return `value` as ASCII JSON text, so that a lone surrogate stays what it was instead of failing in UTF-8."""
    return "null" if value is None else _ENCODER.encode(value)


def decode(text: str) -> Any:
    """Return the value of a JSON text that came from outside.

    Raises:
        ValueError: `text` is not JSON (NaN and Infinity are not), is nested deeper than `MAX_DEPTH`, or holds a number
            that a double or Python's digit limit can't take.
    """
    try:
        value = _DECODER.decode(text)
    except RecursionError:
        raise ValueError(f"nested deeper than {MAX_DEPTH} levels") from None
    # A text with few opening brackets can't be deep: most requests are spared the walk.
    if text.count("[") + text.count("{") > MAX_DEPTH and _deeper_than(MAX_DEPTH, value):
        raise ValueError(f"nested deeper than {MAX_DEPTH} levels")
    return value


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError("number too large")
    return number


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _deeper_than(limit: int, value: Any) -> bool:
    level = [value]
    for _ in range(limit):
        level = [child for parent in level for child in _children(parent)]
        if not level:
            return False
    return any(isinstance(left, list | dict) for left in level)


def _children(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


_ENCODER = json.JSONEncoder(ensure_ascii=True, allow_nan=False, separators=(",", ":"))
_DECODER = json.JSONDecoder(parse_float=_finite, parse_constant=_no_constant)
