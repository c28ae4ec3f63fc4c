"""What must not be shown, taken out of what is shown.

A service may send back what it was sent: the key, a header, an input. Whatever a request held is masked in every text
that an error or a log line shows of the reply. Our own words are put round it afterwards, and stay whole.
"""

from __future__ import annotations

import functools
import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, quote_plus, unquote

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import httpx

    from .operation import Outgoing

__all__ = ["HARMLESS_HEADERS", "MASK", "Redaction"]

MASK = "***"
HARMLESS_HEADERS = frozenset(
    {"accept", "accept-encoding", "connection", "content-length", "content-type", "host", "user-agent"}
)
# Shorter texts occur by chance in any message, and masking them would only make it unreadable.
_SHORTEST = 4


class Redaction:
    """Masks what one request held.

    Args:
        outgoing: The request as the contract has it.

    Attributes:
        sent: The request that goes out: a client of the user's may have added headers and a query.
    """

    def __init__(self, outgoing: Outgoing) -> None:
        self._outgoing = outgoing
        self.sent: httpx.Request | None = None

    def shown(self, text: str, longest: int | None = None) -> str:
        """The text as it may be shown. It is cut after it has been masked, so that no half of a secret is left."""
        masked = _masked(text, self._secrets) if text else ""
        return masked if longest is None or len(masked) <= longest else masked[:longest] + "..."

    @functools.cached_property
    def _secrets(self) -> list[str]:
        found = {text for text in self._texts() if len(text) >= _SHORTEST}
        return [spelled for text in found for spelled in _spellings(text)]

    def _texts(self) -> Iterator[str]:
        headers = [*self._outgoing.headers.items()]
        addresses = {self._outgoing.url}
        if self.sent is not None:
            headers += self.sent.headers.items()
            addresses.add(str(self.sent.url))
        for name, value in headers:
            if name.lower() not in HARMLESS_HEADERS:
                yield value
                yield from re.split(r"[\s;,=]+", value)
        for address in addresses:
            yield from _texts_of_address(address)
        for text in _texts_in(json.loads(self._outgoing.content or b"null")):
            yield text
            if "://" in text:
                yield from _texts_of_address(text)


def _texts_of_address(url: str) -> Iterator[str]:
    """A user, a password and the values of a query; not the path, which says what a reply is about."""
    rest, _, query = url.partition("#")[0].partition("?")
    user, at, _ = rest.partition("://")[2].partition("/")[0].rpartition("@")
    yield from (unquote(text) for text in user.split(":") if at)
    yield from (value for _, value in parse_qsl(query))


def _texts_in(body: Any) -> Iterator[str]:
    """Texts, long numbers, and the names inside an input: those further out are the contract's and the workflow's."""
    # Without recursion: an input may be nested as deeply as a request can be.
    left = [(body, 0)]
    while left:
        value, depth = left.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            left.extend((inner, depth + 1) for inner in value.values())
            if depth >= _INSIDE_AN_INPUT:
                yield from value
        elif isinstance(value, list):
            left.extend((inner, depth + 1) for inner in value)
        elif not isinstance(value, bool | None) and len(number := str(value)) >= _SHORTEST_NUMBER:
            yield number


_INSIDE_AN_INPUT = 2
# A telephone number is one's own business; a year, a version, a status and a quantity are in any message.
_SHORTEST_NUMBER = 6


_HTML = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;"})
_WRITERS: tuple[Callable[[str], str], ...] = (
    lambda text: json.dumps(text)[1:-1],
    lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    lambda text: text.replace("/", "\\/"),
    lambda text: repr(text)[1:-1],
    lambda text: repr('"' + text)[2:-1],  # beside a double quote, a single one is escaped
    lambda text: repr(text.encode())[2:-1],
    lambda text: repr(b'"' + text.encode())[3:-1],
    lambda text: quote(text, safe=""),
    quote,
    quote_plus,
    lambda text: re.sub("%..", lambda found: found[0].lower(), quote(text, safe="")),
    lambda text: text.translate(_HTML),
)


def _spellings(text: str) -> set[str]:
    """The text as it stands, and as JSON, Python, a URL and HTML write it, each of them once more by another one."""
    if re.fullmatch(_PLAIN, text):
        return {text}
    once = _written([text])
    return once | _written(once)


# No writer changes such a text.
_PLAIN = r"[A-Za-z0-9_.\-]*"


def _written(texts: Iterable[str]) -> set[str]:
    return {*texts, *(writer(text) for text in texts for writer in _WRITERS)}


def _masked(text: str, secrets: list[str]) -> str:
    kept: list[str] = []
    end = 0
    for first, last in sorted(_places(text, secrets)):
        if first > end or not kept:
            kept += [text[end:first], MASK]
        end = max(end, last)
    return "".join([*kept, text[end:]])


def _places(text: str, secrets: list[str]) -> Iterator[tuple[int, int]]:
    # Secrets may overlap: then all of them are masked, and no rest of one is left beside another.
    for secret in secrets:
        place = text.find(secret)
        while place >= 0:
            yield place, place + len(secret)
            place = text.find(secret, place + 1)
