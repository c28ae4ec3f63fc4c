"""JSON as it comes in, from a reply or a delivery: numbers are what was written, or it is no JSON."""

from __future__ import annotations

import json
import math
from typing import Any

try:
    import orjson  # type: ignore[import-not-found,unused-ignore]
except ImportError:
    orjson = None  # type: ignore[assignment,unused-ignore]

__all__ = ["decoded", "value_in", "value_of"]


def value_of(content: bytes) -> Any:
    """A JSON text's value, the same with and without orjson.

    orjson makes a float of a whole number beyond 64 bits, so it isn't given a text with so many digits in a row; it
    refuses lone surrogates, byte order marks and UTF-16, which the standard library reads, so that has the last word.

    Raises:
        ValueError: it is no JSON, or has a number that no float can hold.
    """
    if _ORJSON is not None and _TOO_MANY_DIGITS not in content.translate(_DIGITS_AS_ZEROS):
        try:
            return _ORJSON.loads(content)
        except ValueError:
            pass
    return value_in(decoded(content))


def decoded(content: bytes) -> str:
    """A JSON text in the encoding that its first bytes tell."""
    return content.decode(json.detect_encoding(content), "surrogatepass")


def value_in(text: str) -> Any:
    """The same of a text, by the standard library alone: what it reads is not nested more deeply than it can write.

    Raises:
        ValueError: it is no JSON, or has a number that no float can hold.
    """
    return _DECODER.decode(text)


def _finite(text: str) -> float:
    # JSON can write numbers that no float can hold, and an infinity would be another number.
    number = float(text)
    if math.isinf(number):
        raise ValueError(text)
    return number


def _no_constant(name: str) -> Any:
    raise ValueError(name)


_ORJSON: Any = orjson
_DECODER = json.JSONDecoder(parse_constant=_no_constant, parse_float=_finite)
_TOO_MANY_DIGITS = b"0" * 19
_DIGITS_AS_ZEROS = bytes(ord("0") if char in b"0123456789" else ord(" ") for char in range(256))
