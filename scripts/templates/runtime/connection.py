"""The one connection of each place of a pool, bounded in time as a whole. The only module that touches httpcore."""

from __future__ import annotations

import contextlib
import socket
import time
from typing import TYPE_CHECKING, Any, Protocol

import httpcore

if TYPE_CHECKING:
    from .bounds import Bounds

__all__ = ["single_out"]

_BLOCK = 65_536


class Place(Protocol):
    """A place of a pool: an httpx transport, and the bounds of the try that it serves."""

    transport: Any
    bounds: Bounds


def single_out(place: Place) -> None:
    """Put one connection in the place of the pool that an httpx transport has, and bound its time.

    httpx has no way to give either.
    """
    transport: Any = place.transport
    pool = getattr(transport, "_pool", None)
    if pool is not None:
        pool._network_backend = _Backend(pool._network_backend, place)  # noqa: SLF001
        transport._pool = _Single(pool) if isinstance(pool, httpcore.ConnectionPool) else _AsyncSingle(pool)  # noqa: SLF001


class _Single:
    """The one connection of a transport, opened anew when it is of no more use.

    Args:
        pool: Makes connections: direct ones, or through a proxy.
    """

    def __init__(self, pool: httpcore.ConnectionPool) -> None:
        self._pool = pool
        self._connection: Any = None

    def handle_request(self, request: httpcore.Request) -> httpcore.Response:
        connection = self._connection  # which another call may close and forget at any time
        try:
            if not _is_of_use(connection, request):
                self.close()
                connection = self._connection = self._pool.create_connection(request.url.origin)
            response: httpcore.Response = connection.handle_request(request)
        except BaseException as error:  # noqa: BLE001 - it is raised again
            self.close()
            raise _of_connecting(error, connection) from None
        return response

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None and not connection.is_closed():
            connection.close()


class _AsyncSingle:
    """The same for asyncio."""

    def __init__(self, pool: httpcore.AsyncConnectionPool) -> None:
        self._pool = pool
        self._connection: Any = None

    async def handle_async_request(self, request: httpcore.Request) -> httpcore.Response:
        connection = self._connection  # which another call may close and forget at any time
        try:
            if not _is_of_use(connection, request):
                await self.aclose()
                connection = self._connection = self._pool.create_connection(request.url.origin)
            response: httpcore.Response = await connection.handle_async_request(request)
        except BaseException as error:  # noqa: BLE001 - it is raised again
            await self.aclose()
            raise _of_connecting(error, connection) from None
        return response

    async def aclose(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None and not connection.is_closed():
            await connection.aclose()


def _is_of_use(connection: Any, request: httpcore.Request) -> bool:
    """Whether a connection can take a request: to the same host, and neither end has closed it."""
    return (
        connection is not None
        and connection.can_handle_request(request.url.origin)
        and connection.is_idle()
        and not connection.has_expired()
    )


def _of_connecting(error: BaseException, connection: Any) -> BaseException:
    """Return an error, as one of connecting if nothing of a request can have gone out.

    What a proxy answers to CONNECT, or to the greeting of SOCKS, is for httpcore a reply like any other.
    """
    if _is_open(connection) or isinstance(error, _OF_CONNECTING) or not isinstance(error, Exception):
        return error
    kind = httpcore.ConnectTimeout if isinstance(error, httpcore.TimeoutException) else httpcore.ConnectError
    return kind(str(error) or type(error).__name__)


_OF_CONNECTING = (
    httpcore.ConnectError,
    httpcore.ConnectTimeout,
    httpcore.ProxyError,
    httpcore.LocalProtocolError,
    httpcore.UnsupportedProtocol,
)


def _is_open(connection: Any) -> bool:
    """Return whether a connection, and the tunnel if it is one through a proxy, had come about."""
    while connection is not None and getattr(connection, "_connected", True):
        if not hasattr(connection, "_connection"):
            return True
        connection = connection._connection  # noqa: SLF001 - httpcore's own have no word for it
    return False


class _Backend:
    """Opens streams each of whose pieces takes no longer than is left of the whole time.

    httpx' time-outs are for one piece each: a reply that trickles, be it its headers, would never end. Serves both
    flavours: what the backend below gives is passed on as it is.
    """

    def __init__(self, backend: Any, place: Place) -> None:
        self._backend, self._place = backend, place
        self.sleep = backend.sleep

    def connect_tcp(self, host: str, port: int, timeout: float | None = None, **named: Any) -> Any:
        left = _left(self._place, timeout, httpcore.ConnectTimeout)
        if left is not None and isinstance(self._backend, httpcore.NetworkBackend):
            opened = self._connect_to_one_of(host, port, left, **named)
        else:
            opened = self._backend.connect_tcp(host, port, timeout=left, **named)
        return _stream(opened, self._place)

    def _connect_to_one_of(self, host: str, port: int, timeout: float, **named: Any) -> Any:
        """Share the time among the addresses of a host: the standard library gives each of them all of it."""
        ends = time.monotonic() + timeout
        *others, last = _addresses(host, port)
        for number, address in enumerate(others):
            share = max(0.001, ends - time.monotonic()) / (len(others) + 1 - number)
            with contextlib.suppress(httpcore.ConnectError, httpcore.ConnectTimeout):
                return self._backend.connect_tcp(address, port, timeout=share, **named)
        return self._backend.connect_tcp(last, port, timeout=max(0.001, ends - time.monotonic()), **named)


def _addresses(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise httpcore.ConnectError(str(error)) from error
    return [*dict.fromkeys(str(address[0]) for *_, address in found)]


class _Bounded:
    """A stream whose time is bounded."""

    def __init__(self, stream: Any, place: Place) -> None:
        self._stream, self._place = stream, place
        self.close = getattr(stream, "close", None)
        self.aclose = getattr(stream, "aclose", None)
        self.get_extra_info = stream.get_extra_info

    def read(self, max_bytes: int, timeout: float | None = None) -> Any:
        return self._stream.read(max_bytes, _left(self._place, timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> Any:
        # The blocking stream's time-out is for each piece that the system takes: so it is given one block at a time.
        while self.aclose is None and len(buffer) > _BLOCK:
            self._stream.write(buffer[:_BLOCK], _left(self._place, timeout, httpcore.WriteTimeout))
            buffer = buffer[_BLOCK:]
        return self._stream.write(buffer, _left(self._place, timeout, httpcore.WriteTimeout))

    def start_tls(self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None) -> Any:
        left = _left(self._place, timeout, httpcore.ConnectTimeout)
        return _stream(self._stream.start_tls(ssl_context, server_hostname, left), self._place)


def _left(place: Place, seconds: float | None, error: type[Exception]) -> float | None:
    if place.bounds.is_over:
        raise error
    return place.bounds.left(seconds)


def _stream(opened: Any, place: Place) -> Any:
    if not hasattr(opened, "__await__"):
        return _Bounded(opened, place)

    async def bounded() -> _Bounded:
        return _Bounded(await opened, place)

    return bounded()
