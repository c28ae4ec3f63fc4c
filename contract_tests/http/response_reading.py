"""Reads a response as a stream, within limits of time and bytes: what a server sends is never taken in blindly."""

import contextlib
import socket
import threading
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Self

import httpx

CONNECT_SECONDS: Final = 10.0

CODINGS: Final = {"gzip": 16 + zlib.MAX_WBITS, "x-gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}
ACCEPTED: Final = "gzip, deflate"
CODING: Final = "content-encoding"  # the demand that a body is what it is said to be
PIECE: Final = 65_536
CONNECTED: Final = ".connect_tcp.complete"


@dataclass(frozen=True)
class Limits:
    """How long a whole response may take, and how many bytes its body may have, decompressed."""

    seconds: float
    most_bytes: int


@dataclass(frozen=True)
class Reply:
    """A whole response; names of headers in lower case, the body without its content coding."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class Incomplete(Exception):
    """No complete response came."""

    received: str  # what came instead
    constraint: str = "reply"  # which demand on any response it breaks
    is_costly: bool = False  # whether the same once more would cost as much time or memory

    def __str__(self) -> str:
        return self.received


def receive(client: httpx.Client, request: httpx.Request, limits: Limits) -> Reply:
    """
    Send a request and read the whole response.

    Raises Incomplete if no complete response comes within the limits; httpx.ConnectError if no connection comes about;
    also httpx.ConnectTimeout and httpx.ProxyError.
    """
    timeout = httpx.Timeout(limits.seconds, connect=CONNECT_SECONDS).as_dict()
    with Deadline(limits.seconds) as deadline:
        request.extensions = {**request.extensions, "timeout": timeout, "trace": deadline.watch}
        try:
            reply = _read(client, request, limits)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError):
            raise
        except httpx.TimeoutException as error:
            raise _too_slow(limits) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            if deadline.is_over:
                raise _too_slow(limits) from error
            raise Incomplete(f"no complete reply: {type(error).__name__}: {error}") from error
        if deadline.is_over:  # a body without a length ends wherever its connection does
            raise _too_slow(limits)
        return reply


def _read(client: httpx.Client, request: httpx.Request, limits: Limits) -> Reply:
    response = client.send(request, stream=True)
    try:
        headers = {name.lower(): value for name, value in response.headers.items()}
        if "location" in response.extensions:
            headers["location"] = response.extensions["location"]
        body = b"".join(_capped(_decoded(response, limits), limits))
    finally:
        response.close()
    return Reply(response.status_code, headers, body)


def _decoded(response: httpx.Response, limits: Limits) -> Iterator[bytes]:
    """Return the body without its content codings, the last of which was applied last."""
    pieces = _capped(response.iter_raw(), limits)
    first = next(pieces, None)
    if first is None:  # as after HEAD: there is nothing that a coding could be about
        return
    pieces = _with_first(first, pieces)
    stated = response.headers.get("content-encoding", "").lower()
    for coding in reversed([name.strip() for name in stated.split(",")]):
        if coding in {"", "identity"}:
            continue
        if coding not in CODINGS:
            raise Incomplete(f"the body is said to be {coding!r}, which was not asked for", CODING)
        pieces = _capped(_inflated(pieces, coding), limits)
    yield from pieces


def _with_first(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def _inflated(pieces: Iterator[bytes], coding: str) -> Iterator[bytes]:
    inflate, is_new = zlib.decompressobj(CODINGS[coding]), True
    try:
        for piece in pieces:
            if is_new and coding == "deflate" and not _is_zlib(piece):
                inflate = zlib.decompressobj(-zlib.MAX_WBITS)  # as some servers write it
            is_new, left = False, piece
            while left:
                if inflate.eof:  # more than one property
                    inflate = zlib.decompressobj(CODINGS[coding])
                # Never more at once, however well it is compressed.
                yield inflate.decompress(left, PIECE)
                left = inflate.unconsumed_tail or inflate.unused_data
    except zlib.error as error:
        raise _no_coding(coding, str(error)) from None
    if not inflate.eof:
        raise _no_coding(coding, "it is cut")


def _is_zlib(piece: bytes) -> bool:
    return piece[0] & 0x0F == zlib.DEFLATED and (len(piece) == 1 or int.from_bytes(piece[:2]) % 31 == 0)


def _no_coding(coding: str, why: str) -> Incomplete:
    return Incomplete(f"the body is not the {coding} that Content-Encoding announces: {why}", CODING)


def _capped(pieces: Iterator[bytes], limits: Limits) -> Iterator[bytes]:
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > limits.most_bytes:
            raise Incomplete(f"a body of more than {limits.most_bytes:,} bytes", "size of the reply", is_costly=True)
        yield piece


def _too_slow(limits: Limits) -> Incomplete:
    return Incomplete(f"no complete reply within {limits.seconds:g} seconds", is_costly=True)


@dataclass
class Deadline:
    """Ends a connection when its time is over: time-outs are for each piece, and who trickles never meets one."""

    seconds: float
    is_over: bool = False  # whether the time was over before the response was whole
    _sockets: list[socket.socket] = field(default_factory=list)

    def watch(self, event: str, info: dict[str, Any]) -> None:
        """Take down the connection that a request goes over, as httpx tells of it."""
        if event.endswith(CONNECTED):
            connection = info["return_value"].get_extra_info("socket")
            # A second handle on it, which stays what it is when TLS is laid round the first.
            self._sockets.append(connection.dup())
            if self.is_over:
                self._end()

    def __enter__(self) -> Self:
        self._timer = threading.Timer(self.seconds, self._end)
        self._timer.daemon = True
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        for connection in self._sockets:
            connection.close()

    def _end(self) -> None:
        self.is_over = True
        for connection in self._sockets:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
