"""uvicorn's HTTP protocol with bounds that it lacks: on connections, and on the time that a request takes to come."""

import asyncio
import contextlib
import enum
import math
import socket
import struct
import sys
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

if sys.platform != "win32":
    import resource

CONNECTION = "workflow_sandbox.connection"
"""The extension of a request's scope by which its connection can be ended in the middle of things."""

_MOST_CONNECTIONS = 512
_FEWEST_CONNECTIONS = 16
_SHARE_OF_DESCRIPTORS = 2
_SHARE_AT_ONCE = 32


class _Phase(enum.IntEnum):
    """What a connection waits for, in the order in which connections are given up for newer ones."""

    HEAD = 0
    IDLE = 1
    BODY = 2
    ANSWER = 3


# An idle connection has the time that uvicorn gives it. No request takes the sandbox a second.
_SECONDS = {_Phase.HEAD: 10.0, _Phase.IDLE: math.inf, _Phase.BODY: 60.0, _Phase.ANSWER: 60.0}
_LONGEST_HEAD = 64 * 1024


def most_connections() -> int:
    """Return how many connections are held: 512, or half of the file descriptors that the process may have."""
    if sys.platform == "win32":
        return _MOST_CONNECTIONS
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    share = _MOST_CONNECTIONS if limit == resource.RLIM_INFINITY else limit // _SHARE_OF_DESCRIPTORS
    return max(_FEWEST_CONNECTIONS, min(_MOST_CONNECTIONS, share))


def accepted_at_once() -> int:
    """Return how many connections may be accepted in one go."""
    # Some goes pass before what is closed for the sake of the first one has given its file descriptors back.
    return max(1, most_connections() // _SHARE_AT_ONCE)


class Connection:
    """A connection that is to end."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport

    def close(self) -> None:
        """Close it after what has been sent so far."""
        self._transport.close()

    def reset(self) -> None:
        """Have the caller see a connection reset, not an end."""
        # Without this an orderly end is sent where everything was read.
        no_lingering = struct.pack("ii", 1, 0)
        self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, no_lingering)
        self._transport.abort()


class _JoiningTransport(asyncio.Transport):
    """Sends what is written in one go, such as head and body of a response, as one piece: half the system calls."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._written: list[bytes] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if not self._written:
            self._loop.call_soon(self._send)
        self._written.append(bytes(data))

    def _send(self) -> None:
        data = b"".join(self._written)
        self._written.clear()
        if data:
            self._transport.write(data)

    def close(self) -> None:
        self._send()
        self._transport.close()

    def abort(self) -> None:
        self._written.clear()
        self._transport.abort()

    def is_closing(self) -> bool:
        return self._transport.is_closing()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._transport.get_extra_info(name, default)

    def pause_reading(self) -> None:
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        self._transport.resume_reading()

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._transport.set_protocol(protocol)


class BoundedProtocol(HttpToolsProtocol):
    """One connection. Where there are too many, the oldest is closed that has not sent a whole request."""

    _timer: asyncio.TimerHandle | None = None
    _phase = _Phase.HEAD
    _coming = _Phase.HEAD
    _head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Take up a connection."""
        if len(self.connections) >= most_connections():
            self._make_room()
        super().connection_made(_JoiningTransport(transport, self.loop))
        self.app = _ending_quietly(self.app)
        self._extensions = {CONNECTION: Connection(self.transport)}
        self._since = self.loop.time()
        self._check()

    def data_received(self, data: bytes) -> None:
        """Take what has come."""
        super().data_received(data)
        self._head_bytes = self._head_bytes + len(data) if self._coming is _Phase.HEAD else 0
        if self._head_bytes > _LONGEST_HEAD and not self.transport.is_closing():
            self.send_400_response("The head of the request is too long.")
        self._watch()

    def on_message_begin(self) -> None:
        """Take the first byte of a request."""
        super().on_message_begin()
        self.scope["extensions"] = self._extensions  # type: ignore[typeddict-item]  # of our own
        self._coming = _Phase.HEAD

    def on_headers_complete(self) -> None:
        """Begin with a request whose head has come. What is raised here is answered 400."""
        if sum(name == b"host" for name, _ in self.headers) != 1 and self.parser.get_http_version() == "1.1":
            raise ValueError("a request has one Host")
        if len(self.url) + sum(len(value) for _, value in self.headers) > _LONGEST_HEAD:
            raise ValueError("the head is too long")
        super().on_headers_complete()
        self._coming = _Phase.BODY

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header. What follows a body in chunks is for nobody."""
        if self._coming is _Phase.HEAD:
            super().on_header(name, value)

    def on_message_complete(self) -> None:
        """Take the end of a request."""
        super().on_message_complete()
        self._coming = _Phase.IDLE

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection over to a protocol of its own, which has pings instead of these bounds."""
        super().handle_websocket_upgrade()
        self._stop_timer()

    def on_response_complete(self) -> None:
        """Go on to the next request, if there is one."""
        super().on_response_complete()
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._stop_timer()
        super().connection_lost(exc)

    def _make_room(self) -> None:
        others: list[Any] = list(self.connections)
        oldest: BoundedProtocol = min(others, key=lambda each: (each._phase, each._since))  # noqa: SLF001 - of this class
        self.connections.discard(oldest)
        oldest.transport.abort()

    def _watch(self) -> None:
        phase = self._waits_for()
        if phase is not self._phase:
            self._phase, self._since = phase, self.loop.time()

    def _waits_for(self) -> _Phase:
        if self.cycle is None or self.cycle.response_complete:
            return self._coming
        return _Phase.BODY if self.cycle.more_body else _Phase.ANSWER

    def _check(self) -> None:
        # One timer for a connection's life: one for each phase of each request would cost more than the request.
        left = self._since + _SECONDS[self._phase] - self.loop.time()
        if left <= 0:
            self.transport.abort()
        else:
            self._timer = self.loop.call_later(min(left, _SECONDS[_Phase.HEAD]), self._check)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _ending_quietly(app: ASGIApp) -> ASGIApp:
    async def ending_quietly(scope: Scope, receive: Receive, send: Send) -> None:
        # At its end a sandbox cancels what it still does; the connections have ended before, so nobody has to be told.
        with contextlib.suppress(asyncio.CancelledError):
            await app(scope, receive, send)

    return ending_quietly
