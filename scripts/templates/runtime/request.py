"""Makes the httpx request of a call: what the client would build, at half the cost."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import httpx

from .bounds import BOUNDS, Bounds
from .own_clients import is_ours

if TYPE_CHECKING:
    from .operation import Outgoing

__all__ = ["Standing", "bounded_request"]

_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
_OF_ONE_REQUEST = frozenset({"host", "content-length", "transfer-encoding"})


class Standing:
    """The headers that an httpx client adds to every request, worked out anew only when they have changed."""

    def __init__(self, http: httpx.Client | httpx.AsyncClient) -> None:
        self.http: Any = http
        self._raw: list[tuple[bytes, bytes]] | None = None
        self._headers: dict[str, tuple[bytes, bytes]] | None = None

    def headers(self) -> dict[str, tuple[bytes, bytes]] | None:
        """As they go out, by name in small letters; None if the client has to build its requests itself.

        That is so if it does it in its own way, has a query or cookies of its own, names a header twice, or has one
        that depends on the request.
        """
        http = self.http
        if getattr(http.build_request, "__func__", None) is not httpx.Client.build_request or http.params:
            return None
        raw = http.headers.raw
        if raw != self._raw:
            headers = {name.decode("ascii").lower(): (name, value) for name, value in raw}
            self._raw = raw
            self._headers = headers if len(headers) == len(raw) and not headers.keys() & _OF_ONE_REQUEST else None
        return None if http.cookies else self._headers


class _Request(httpx.Request):
    """Does not tell its query, which may hold a secret."""

    def __repr__(self) -> str:
        return f"<Request({self.method!r}, {str(self.url.copy_with(query=None))!r})>"


def bounded_request(standing: Standing, outgoing: Outgoing, timeout: Any, bounds: Bounds) -> httpx.Request:
    """Return the request to send, with its bounds."""
    request = _prepared(standing, outgoing, timeout)
    request.extensions[BOUNDS] = bounds
    return request


def _prepared(standing: Standing, outgoing: Outgoing, timeout: Any) -> httpx.Request:
    # What the client would build, at half the cost, since all that goes into it is known here. The key enters it here,
    # as the last thing: no frame of ours holds it that an error could leave behind.
    url, content = _parsed(outgoing.url), outgoing.content
    http, added = standing.http, standing.headers()
    if added is None:
        return _built(http, outgoing, timeout)
    limits = (http.timeout if timeout is None else _limits(http, timeout)).as_dict()
    length = [] if content is None and outgoing.method not in _WITH_BODY else [_length(content)]
    request = _Request(
        outgoing.method,
        url,
        headers=[(b"Host", url.netloc), *_merged(added, outgoing), *length],
        stream=httpx.ByteStream(content or b""),
        extensions={"timeout": limits},
    )
    request.read()  # as in a request that httpx has built: hooks may look at its content
    return request


def _limits(http: httpx.Client | httpx.AsyncClient, timeout: Any) -> httpx.Timeout:
    # Waiting for our own pool is no failure of the network, so a number of seconds doesn't count for it.
    counts_steps_alone = is_ours(http) and not isinstance(timeout, httpx.Timeout)
    return httpx.Timeout(timeout, pool=None) if counts_steps_alone else httpx.Timeout(timeout)


def _length(content: bytes | None) -> tuple[bytes, bytes]:
    return b"Content-Length", b"%d" % len(content or b"")


def _merged(added: dict[str, tuple[bytes, bytes]], outgoing: Outgoing) -> list[tuple[Any, Any]]:
    own = outgoing.headers
    return [*(header for name, header in added.items() if name not in own), *own.items()]


def _built(http: httpx.Client | httpx.AsyncClient, outgoing: Outgoing, timeout: Any) -> httpx.Request:
    limits = {} if timeout is None else {"timeout": timeout}
    url = _parsed(outgoing.url)
    request = http.build_request(outgoing.method, url, content=outgoing.content, **limits)
    if http.params:
        # httpx would put the client's own query in the place of ours.
        request.url = url.copy_with(query=b"&".join(filter(None, (url.query, str(http.params).encode()))))
    # A client's own word on how a message is framed can't be true of all its messages.
    request.headers.pop("transfer-encoding", None)
    if "content-length" in request.headers:
        request.headers["content-length"] = str(len(outgoing.content or b""))
    # Put over the client's, since merging them takes longer.
    request.headers.update(outgoing.headers)
    return request


@functools.lru_cache(maxsize=256)
def _parsed(url: str) -> httpx.URL:
    # Parsing is a tenth of a call, and polling asks the same address again and again.
    return httpx.URL(url)
