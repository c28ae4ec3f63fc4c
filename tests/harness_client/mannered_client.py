"""
Clients of ``shelf.yaml`` that are as right as the conforming one, and do what is left to them in another way.

``mannered_client:with_manner.NAME`` is the adapter of the client with the manner ``NAME``, see :data:`MANNERS`.
"""

import functools
import json
import re
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
from shelf_client import Client, Conforming

from contract_tests.cases.case import RequestCase
from contract_tests.client.adapter import Connection

ESCAPE: Final = re.compile("%[0-9A-F]{2}")
IN_A_QUERY: Final = {f"%{ord(char):02X}": char for char in "!$'()*,:;@/?"}
IN_A_PATH: Final = {f"%{ord(char):02X}": char for char in "!$&'()*+,=:@"}


def _path_and_query(request: httpx.Request, change: Callable[[str], str], change_query: Callable[[str], str]) -> None:
    parts = urlsplit(str(request.url))
    query = f"?{change_query(parts.query)}" if parts.query else ""
    request.url = httpx.URL(f"{parts.scheme}://{parts.netloc}{change(parts.path)}{query}")


def plus_for_space(request: httpx.Request) -> None:
    """Write spaces of a query as forms do."""
    _path_and_query(request, str, lambda query: query.replace("%20", "+"))


def small_hex(request: httpx.Request) -> None:
    """Write escapes in small letters."""

    def small(text: str) -> str:
        return ESCAPE.sub(lambda found: found[0].lower(), text)

    _path_and_query(request, small, small)


def escapes_more(request: httpx.Request) -> None:
    """Escape what need not be."""
    _path_and_query(request, lambda path: path.replace("~", "%7E"), lambda query: re.sub("[-._~]", _escaped, query))


def _escaped(found: re.Match[str]) -> str:
    return f"%{ord(found[0]):02X}"


def escapes_less(request: httpx.Request) -> None:
    """Leave what may stand in a path and a query."""

    def plain(table: dict[str, str]) -> Callable[[str], str]:
        return lambda text: ESCAPE.sub(lambda found: table.get(found[0], found[0]), text)

    _path_and_query(request, plain(IN_A_PATH), plain(IN_A_QUERY))


def query_backwards(request: httpx.Request) -> None:
    """Write parameters in another order; values of one parameter keep theirs."""
    _path_and_query(request, str, lambda query: "&".join(sorted(query.split("&"), key=_name, reverse=True)))


def _name(pair: str) -> str:
    return pair.partition("=")[0]


def small_header_names(request: httpx.Request) -> None:
    """Write names of headers in small letters, and in another order."""
    request.headers = httpx.Headers([(name.lower(), value) for name, value in reversed(request.headers.raw)])


def charset(request: httpx.Request) -> None:
    """Say how the JSON is encoded."""
    if "Content-Type" in request.headers:
        request.headers["Content-Type"] = "application/json; charset=utf-8"


def headers_of_its_own(request: httpx.Request) -> None:
    """Send what clients send for themselves."""
    own = {
        "User-Agent": "shelf/2",
        "Accept": "application/json",
        "Accept-Language": "en",
        "X-Request-ID": "7b0f3c",
        "Idempotency-Key": "0a1b",
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    }
    request.headers.update(own)


def closes(request: httpx.Request) -> None:
    """Use each connection once."""
    request.headers["Connection"] = "close"


def small_bearer(request: httpx.Request) -> None:
    """Write the scheme of the credentials in small letters."""
    if request.headers.get("Authorization", "").startswith("Bearer "):
        request.headers["Authorization"] = request.headers["Authorization"].replace("Bearer", "bearer", 1)


def spread_json(request: httpx.Request) -> None:
    """Write JSON with room, with sorted members and as few escapes as can be."""
    _rewritten(request, lambda body: json.dumps(body, indent=2, sort_keys=True, ensure_ascii=False).encode())


def _rewritten(request: httpx.Request, write: Callable[[Any], bytes]) -> None:
    if request.content:
        made = httpx.Request(request.method, request.url, content=write(json.loads(request.content)))
        request.stream = made.stream
        request.headers["Content-Length"] = made.headers["Content-Length"]


def chunked(request: httpx.Request) -> None:
    """Send a body in pieces."""
    if request.content:
        del request.headers["Content-Length"]
        request.headers["Transfer-Encoding"] = "chunked"


MANNERS: Final[dict[str, Callable[[httpx.Request], None]]] = {
    manner.__name__: manner
    for manner in (
        plus_for_space,
        small_hex,
        escapes_more,
        escapes_less,
        query_backwards,
        small_header_names,
        charset,
        headers_of_its_own,
        closes,
        small_bearer,
        spread_json,
        chunked,
    )
}


class Mannered(Client):
    """A client with a manner."""

    def __init__(self, connection: Connection, manner: str) -> None:
        super().__init__(connection, "")
        self.manner = MANNERS[manner]

    def request(self, case: RequestCase) -> Any:
        """Make a request."""
        request = super().request(case)
        self.manner(request)
        return request


class MannerlyAdapter(Conforming):
    """Drives such a client."""

    def __init__(self, generated: str, manner: str) -> None:
        super().__init__(generated)
        self.manner = manner

    def connect(self, connection: Connection) -> Client:
        """Build a client."""
        return Mannered(connection, self.manner)


class _Adapters:
    """Gives the adapter of each client."""

    def __getattr__(self, name: str) -> Any:
        if name not in MANNERS:
            raise AttributeError(name)
        return functools.partial(MannerlyAdapter, manner=name)


with_manner = _Adapters()
