"""How a parameter's value is written into a path, a query, a header or a cookie (OpenAPI styles, RFC 6570)."""

from __future__ import annotations

import functools
import json
from typing import TYPE_CHECKING, Any, Literal, NamedTuple
from urllib.parse import quote

from .schema import check, whole
from .types import Problem, to_json

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Parameter"]

Place = Literal["path", "query", "header", "cookie"]
_SEPARATORS = {"spaceDelimited": "%20", "pipeDelimited": "%7C"}


class Parameter(NamedTuple):
    """One parameter as the contract declares it, and the name of the argument that carries it."""

    name: str
    argument: str
    place: Place
    style: str
    explode: bool
    required: bool
    schema: dict[str, Any] | bool

    def text(self, value: Any) -> Any:
        """The argument as a checked JSON value.

        Raises:
            Problem: it is not what the contract says.
        """
        value = to_json(value)
        check(value, self.schema)
        value = whole(value, self.schema)
        if value is None:
            raise Problem(f"a value, since null can't be written into a {self.place}", value)
        return value

    def segment(self, value: Any) -> str:
        """A piece of the path, percent-encoded but for the commas between items, for a `simple` style."""
        return _flat(value, "=" if self.explode else ",", _quoted)

    def query(self, value: Any) -> list[str]:
        """`name=value` pairs, percent-encoded."""
        name = _quoted_name(self.name)
        if self.style == "deepObject":
            return [f"{name}%5B{_quoted(key)}%5D={_quoted(_plain(item))}" for key, item in value.items()]
        if isinstance(value, dict) and self.explode:
            return [f"{_quoted(key)}={_quoted(_plain(item))}" for key, item in value.items()]
        if isinstance(value, list) and self.explode:
            return [f"{name}={_quoted(_plain(item))}" for item in value]
        items = _parts(value)
        return [f"{name}=" + _SEPARATORS.get(self.style, ",").join(map(_quoted, items))] if items else []

    def header(self, value: Any) -> str:
        """A header's value.

        Raises:
            Problem: it can't travel in a header unchanged.
        """
        text = _flat(value, "=" if self.explode else ",")
        if text != text.strip(" \t") or any(not (" " <= char <= "~" or char == "\t") for char in text):
            raise Problem("a text that a header can carry: printable ASCII without spaces at its ends", value)
        return text

    def cookie(self, value: Any) -> str:
        """A cookie pair; what a cookie can't carry is percent-encoded."""
        return f"{self.name}={quote(_flat(value, ','), safe='')}"


def _flat(value: Any, inside: str, write: Callable[[str], str] = str) -> str:
    if isinstance(value, dict):
        return ",".join(f"{write(key)}{inside}{write(_plain(item))}" for key, item in value.items())
    return ",".join(map(write, _parts(value)))


def _parts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [part for key, item in value.items() for part in (key, _plain(item))]
    return [_plain(item) for item in value] if isinstance(value, list) else [_plain(value)]


def _plain(value: Any) -> str:
    if value.__class__ is str:
        return str(value)
    if value is None:
        raise Problem("a text, a number or a truth value", value)
    # Of a list or an object within another one OpenAPI says nothing: it is sent as JSON.
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _quoted(text: str) -> str:
    if text.isalnum() and text.isascii():
        return text
    try:
        return quote(text, safe="")
    except UnicodeEncodeError:
        raise Problem("a text that UTF-8 can write", text) from None


_quoted_name = functools.cache(_quoted)
