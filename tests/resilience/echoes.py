"""Generated secrets, the places of a call that hold them, and the ways in which a service may send them back."""

from __future__ import annotations

import html
import json
import string
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

import httpx

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Sequence

_NASTY = string.ascii_letters + string.digits + "\"'\\/&<>%+=?#@:;, äöü√😇\n\t"
_ALPHABETS = (
    string.hexdigits,
    string.ascii_letters + string.digits + "-_",
    string.ascii_letters + string.digits + "+/=",
    _NASTY,
)
_HEADER_SAFE = _ALPHABETS[:3]


def _text(source: random.Random, alphabet: str) -> str:
    middle = "".join(source.choices(alphabet, k=source.randint(14, 30)))
    return f"{source.choice(string.ascii_letters)}{middle}{source.choice(string.digits)}"


@dataclass
class Held:
    """One call's secrets, by where they stand.

    Attributes:
        client_headers: Headers of an httpx client of the caller's own.
        in_settings: Those that every call of the client holds: in the key, the headers and the query.
        in_text: Those in the body: in addresses, and where a name says that they are secrets.
    """

    api_key: str
    headers: dict[str, str]
    client_headers: dict[str, str]
    extra_query: dict[str, str]
    extra_body: dict[str, Any]
    arguments: dict[str, Any]
    in_settings: list[str]
    in_text: list[str]

    @property
    def all(self) -> list[str]:
        """All secrets of the call."""
        return self.in_settings + self.in_text


def held(source: random.Random, number: int) -> Held:
    """A call that holds this many new secrets, at least twelve."""
    plain = [_text(source, source.choice(_HEADER_SAFE)) for _ in range(8)]
    other = [_text(source, source.choice(_ALPHABETS)) for _ in range(number - len(plain))]
    key, bearer, cookie, own, brought, in_url, queried, user = plain
    one, two, three, *rest = other
    return Held(
        api_key=key,
        headers={"authorization": f"Bearer {bearer}", "cookie": f"session={cookie}", "x-own-token": own},
        client_headers={"x-brought-token": brought},
        extra_query={"token": queried},
        extra_body={"debug": {"secret": one}},
        arguments={
            "input_variables": {"db_password": two, "nested": {"list": [{"api_key": three}]}},
            "metadata": {f"tag_{i}_token": text for i, text in enumerate(rest)},
            "callback_url": f"https://{quote(user, safe='')}:x@example.com/hook?signature={quote(in_url, safe='')}",
        },
        in_settings=[key, bearer, cookie, own, brought, queried],
        in_text=[in_url, user, *other],
    )


WRITTEN_ONCE: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "as JSON": lambda text: json.dumps(text)[1:-1],
    "as JSON with its letters": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "as Python": lambda text: repr(text)[1:-1],
    "as a part of a URL": lambda text: quote(text, safe=""),
    "as a path": quote,
    "as a form": quote_plus,
    "as HTML": html.escape,
}
WRITERS: dict[str, Callable[[str], str]] = {
    **WRITTEN_ONCE,
    "as JSON in Python": lambda text: repr(json.dumps(text))[2:-2],
    "as JSON in JSON": lambda text: json.dumps(json.dumps(text))[3:-3],
}


def _json(status: int, body: Any) -> httpx.Response:
    return httpx.Response(status, json=body)


def _header(status: int, name: str, value: str, content: bytes = b"{}") -> httpx.Response:
    headers = [(b"content-type", b"application/json"), (name.encode(), value.encode())]
    return httpx.Response(status, headers=headers[name == "content-type" :], content=content)


def _ascii(texts: Sequence[str]) -> bytes:
    return " ".join(text for text in texts if text.isascii()).encode()


def _node(message: str) -> dict[str, Any]:
    return {"status": "FAILED", "value": None, "error_message": message, "raw_error_message": None,
            "is_output_node": True}  # fmt: skip


# Each way takes texts and gives a reply, or the error of a network layer that repeats what it was given.
ECHOES: dict[str, Callable[[Sequence[str]], httpx.Response | Exception]] = {
    "message": lambda texts: _json(400, {"success": False, "message": " ".join(texts)}),
    "error": lambda texts: _json(401, {"error": "refused: " + ", ".join(texts)}),
    "detail": lambda texts: _json(422, {"detail": [{"loc": ["body", t], "msg": t, "type": t} for t in texts[:5]]}),
    "detail as text": lambda texts: _json(404, {"detail": ";".join(texts)}),
    "undocumented": lambda texts: _json(418, {"message": list(texts), "error": {"message": texts[0]}}),
    "cut words": lambda texts: _json(400, {"message": "x" * 290 + texts[0]}),
    "HTML": lambda texts: httpx.Response(502, html=f"<pre>{'<br>'.join(texts)}</pre>"),
    "no JSON": lambda texts: _header(201, "x-echo", "", f"{{{' '.join(texts)}".encode()),
    "names": lambda texts: _json(201, dict.fromkeys(texts, 1)),
    "content type": lambda texts: _header(201, "content-type", "text/" + "".join(texts[:3])),
    "cut content type": lambda texts: _header(201, "content-type", "x" * 70 + texts[0]),
    "request id": lambda texts: _header(400, "x-request-id", " ".join(texts)),
    "cut request id": lambda texts: _header(400, "x-request-id", "x" * 75 + texts[0]),
    "redirect": lambda texts: _header(307, "location", "https://elsewhere.example/?q=" + quote("".join(texts))),
    "reason": lambda texts: httpx.Response(400, extensions={"reason_phrase": _ascii(texts)}),
    "network error": lambda texts: httpx.ReadError(" ".join(texts)),
    "cut network error": lambda texts: httpx.ConnectError("x" * 190 + texts[0]),
    "protocol error": lambda texts: httpx.LocalProtocolError(f"illegal {texts[0]}"),
    "failed nodes": lambda texts: _json(200, {texts[0]: _node(" ".join(texts))}),
    "broken nodes": lambda texts: _json(200, {texts[0]: {**_node(texts[1]), "status": {texts[2]: texts[3]}}}),
    "names of nodes": lambda texts: _json(200, {"x" * 30 + texts[0]: 5}),
}
ABOUT_RESULTS = {"failed nodes", "broken nodes", "names of nodes"}
