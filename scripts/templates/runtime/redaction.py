"""Secrets, taken out of what is shown.

A service may send back what it was sent. Secrets are the key, the values of headers, users and passwords in addresses,
and what an address or a body says under a name like `token`. They are masked in every text that an error or a log line
shows of a reply. Names, ids and inputs are not: they are what whoever reads the message has to know.
"""

from __future__ import annotations

import base64
import bisect
import functools
import json
import re
import sys
from typing import TYPE_CHECKING
from urllib.parse import unquote, unquote_plus, urlsplit

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator

    import httpx

    from .operation import Outgoing

__all__ = ["HARMLESS_HEADERS", "LONGEST", "MASK", "Redaction"]

MASK = "***"
HARMLESS_HEADERS = frozenset(
    {
        "accept",
        "accept-charset",
        "accept-encoding",
        "accept-language",
        "cache-control",
        "connection",
        "content-length",
        "content-type",
        "host",
        "pragma",
        "user-agent",
    }
)
# Shorter texts occur by chance in any message, and masking them would only make it unreadable.
_SHORTEST = 4
# No text of a service is looked at, or kept as an error's body, beyond this.
LONGEST = 65_536
_LOOK_AHEAD = 4096


class Redaction:
    """Masks the secrets of one request.

    Args:
        outgoing: The request as the contract has it.

    Attributes:
        sent: The request that goes out: a client of the user's may have added headers and a query.
    """

    def __init__(self, outgoing: Outgoing) -> None:
        self.outgoing = outgoing
        self.sent: httpx.Request | None = None

    def shown(self, text: str, longest: int = LONGEST) -> str:
        """The text as it may be shown, cut to a length; no half of a secret is left at its end."""
        if not text:
            return ""
        # Cut first, so that a text of any length takes no longer, but far enough behind to know what begins before.
        content, window = _bytes(text[: longest + _LOOK_AHEAD]), len(_bytes(text[:longest]))
        kept, end = [], 0
        for first, last in _spans(content, self._secrets):
            if first < window:
                kept += [content[end:first], MASK.encode()]
                end = last
        rest = b"..." if len(content) > max(end, window) else b""
        return b"".join([*kept, content[end:window], rest]).decode("utf-8", "replace")

    def is_needed(self, text: str) -> bool:
        """Return whether a secret stands in a text; of one longer than is ever shown, only as it was sent."""
        if len(text) > LONGEST:
            return any(secret in text for secret in self._secrets)
        return self.shown(text) != text

    @property
    def host(self) -> str:
        """Host and port that the request is for."""
        address = urlsplit(self.outgoing.url)
        host = f"[{address.hostname}]" if ":" in (address.hostname or "") else address.hostname
        return f"{host}:{address.port or {'http': 80}.get(address.scheme, 443)}"

    @functools.cached_property
    def _secrets(self) -> list[str]:
        return [*dict.fromkeys(text for text in self._texts() if len(text) >= _SHORTEST)][:_MOST]

    def _texts(self) -> Iterator[str]:
        headers = [*self.outgoing.headers.items()]
        addresses = {self.outgoing.url}
        if self.sent is not None:
            headers += self.sent.headers.items()
            addresses.add(str(self.sent.url))
        for name, value in headers:
            if name.lower() in self.outgoing.key_names or _is_secret(name.lower(), value):
                yield from _texts_of_header(name.lower(), value)
        for address in addresses:
            yield from _texts_of_address(address, self.outgoing.key_names)
        body = (self.outgoing.content or b"").decode("utf-8", "replace")
        yield from _texts_of_body(body)
        if self.outgoing.own_headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            yield from _texts_of_address(f"?{body}")


def _is_secret(name: str, value: str) -> bool:
    """By its name, or because it is no word of a language, as a version or a region is."""
    if name in HARMLESS_HEADERS:
        return False
    return bool(re.search(_TELLING_NAME, name)) or (len(value) >= _LONG and not re.fullmatch(_WORDS, value))


def _texts_of_header(name: str, value: str) -> Iterator[str]:
    """What it says behind the name of a scheme or of a cookie: those names are no secrets."""
    scheme, _, rest = value.partition(" ")
    if rest and scheme.lower() in _SCHEMES:
        yield rest
        if scheme.lower() == "basic":
            yield from _from_base64(rest).split(":", 1)
    elif name == "cookie":
        yield from (pair.partition("=")[2] or pair for pair in re.split(r";\s*", value))
    else:
        yield value


def _from_base64(text: str) -> str:
    try:
        return base64.b64decode(text).decode("utf-8", "ignore")
    except ValueError:
        return ""


def _texts_of_address(url: str, key_names: Container[str] = ()) -> Iterator[str]:
    """A user, a password, and the values of a query that are secrets by their name or their looks."""
    rest, _, query = url.partition("#")[0].partition("?")
    user, at, _ = rest.partition("://")[2].partition("/")[0].rpartition("@")
    yield from (unquote(text) for text in user.split(":") if at)
    for pair in query.split("&"):
        name, _, value = pair.partition("=")
        text = unquote_plus(value)
        if re.search(_TELLING_NAME, name) or unquote(name).lower() in key_names or re.fullmatch(_OPAQUE, text):
            yield text


def _texts_of_body(body: str) -> Iterator[str]:
    """Secrets by their names, and those of addresses: a callback's may have a token as a part of its path."""
    for colon in re.finditer('":"', body):  # a search for what never varies takes a hundredth of the time
        if re.search(_TELLING_END, body[max(0, colon.start() - _LONGEST_NAME) : colon.start()]):
            value = re.compile(_VALUE).match(body, colon.end())
            yield from (json.loads(f'"{text}"') for text in ([value[1]] if value else ()))
    for found in re.finditer(_ADDRESS, body):
        yield from _texts_of_address(found[0])
        yield from (unquote(part) for part in found[0].partition("?")[0].split("/")[3:] if re.fullmatch(_OPAQUE, part))


_MOST, _LONG = 50, 8
_SCHEMES = frozenset({"apikey", "basic", "bearer", "digest", "negotiate", "token"})
_WORDS = "[A-Za-z]+([ _.,-][A-Za-z]+)*"
_TELLING = (
    "secret|token|password|passwd|pwd|passphrase|credentials?|signature|authorization|cookie|jwt"
    "|(?:api|access|private|signing)[_-]?key"
)
_TELLING_NAME = f"(?i)(?:{_TELLING}|(?:^|[_-])(?:key|sig|auth|session))$"
# What nobody has written by hand: long, with digits and letters, and no words with spaces between.
_OPAQUE = r"(?=.{0,999}[0-9])(?=.{0,999}[A-Za-z])[A-Za-z0-9._~+/=-]{16,999}"
_ADDRESS = r"https?://[^\s\"\\]{1,2000}"
_TELLING_END, _LONGEST_NAME = f"(?i:{_TELLING})$", 16
_VALUE = r'((?:[^"\\]|\\.){4,2000})"'


def _spans(text: bytes, secrets: Iterable[str]) -> list[tuple[int, int]]:
    """Where secrets stand, from left to right; those that overlap or touch are one."""
    plain, once = text.lower(), _Read(text)
    twice = _Read(once.text)  # for secrets that look like escapes themselves
    found: list[tuple[int, int]] = []
    for form in {form for secret in secrets for form in _forms(secret)}:
        found += _places(plain, form)
        found += map(once.origin, _places(once.text, form))
        found += (once.origin(twice.origin(place)) for place in _places(twice.text, form))
    merged: list[tuple[int, int]] = []
    for first, last in sorted(found):
        if merged and first <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return merged


def _places(text: bytes, form: bytes) -> Iterator[tuple[int, int]]:
    place = text.find(form)
    while place >= 0:
        yield place, place + len(form)
        place = text.find(form, place + len(form))


@functools.lru_cache(maxsize=64)
def _forms(secret: str) -> frozenset[bytes]:
    """A secret in small letters as it stands, as `_Read` reads it, in hexadecimals, and inside any text in base64."""
    content = _bytes(secret)
    once = _Read(content).text
    forms = {content, once, _Read(once).text, content.hex().encode()}
    for shift in range(3):
        coded = base64.b64encode(b"\0" * shift + content)
        inner = coded[
            -(-shift * 8 // 6) : (shift + len(content)) * 8 // 6
        ]  # what stands before and behind changes the rest
        forms |= {inner, inner.translate(bytes.maketrans(b"+/", b"-_"))} if len(inner) >= _LONG else set()
    return frozenset(form.lower() for form in forms)


class _Read:
    """A text without the escapes of JSON, Python, URLs and HTML, however often they were put on it, in small letters.

    What is escaped becomes the same text whoever has escaped it, so that one look finds it in all spellings.
    """

    def __init__(self, text: bytes) -> None:
        parts: list[bytes] = []
        self._starts, self._origins = [0], [(0, 0)]  # of each part: where it stands in here, and where it stood
        end = length = 0
        for found in re.finditer(_ESCAPE, text):
            for part, first, last in ((text[end : found.start()], end, end), (_unescaped(found), *found.span())):
                self._starts.append(length)
                self._origins.append((first, last))
                parts.append(part)
                length += len(part)
            end = found.end()
        self._starts.append(length)
        self._origins.append((end, end))
        self.text = b"".join([*parts, text[end:]]).lower()

    def origin(self, span: tuple[int, int]) -> tuple[int, int]:
        """Where a part of this text stood in the one that was read."""
        return self._place(span[0])[0], self._place(span[1] - 1)[1]

    def _place(self, place: int) -> tuple[int, int]:
        part = bisect.bisect_right(self._starts, place) - 1
        first, last = self._origins[part]
        if last > first:
            return first, last
        plain = first + place - self._starts[part]
        return plain, plain + 1


_ESCAPE = (
    rb"(?i)%(?:25)*(?P<url>[0-9a-f]{2})"
    rb"|\\++(?:u(?P<high>d[89ab][0-9a-f]{2})\\++u(?P<low>d[c-f][0-9a-f]{2})|[uU](?:0000)?(?P<code>[0-9a-f]{4})"
    rb"|u\{0{0,9}(?P<braced>[0-9a-f]{1,6})\}|(?P<octal>[0-3]?[0-7]{2})"
    rb"|x(?P<byte>[0-9a-f]{2})|(?P<letter>[nrtbf])|(?P<other>[^\\])|)"
    rb"|&(?:amp;)*+(?:#(?P<decimal>[0-9]{1,7});|#x(?P<hex>[0-9a-f]{1,6});|(?P<name>quot|apos|lt|gt);)"
    rb"|&(?:amp;)++"
    rb"|\+"
)
_LETTERS = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}
_NAMES = {b"quot": b'"', b"apos": b"'", b"lt": b"<", b"gt": b">"}


def _unescaped(found: re.Match[bytes]) -> bytes:
    kind, value = found.lastgroup, found[found.lastgroup or 0]
    if kind in {"url", "byte"}:
        return bytes.fromhex(value.decode())
    if kind == "octal":
        return bytes([int(value, 8)])
    if kind in {"code", "braced", "hex", "decimal"}:
        return _bytes(chr(min(int(value, 10 if kind == "decimal" else 16), sys.maxunicode)))
    if kind == "low":
        return _bytes(chr(0x10000 + (int(found["high"], 16) - 0xD800) * 0x400 + int(value, 16) - 0xDC00))
    if kind in {"letter", "name"}:
        return _LETTERS.get(value.lower()) or _NAMES[value.lower()]
    return b" " if value == b"+" else value[:1]


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
