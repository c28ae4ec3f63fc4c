"""uvicorn's HTTP protocol with bounds that it lacks: on connections, and on the time that a request takes to come."""

import asyncio
import contextlib
import enum
import socket
import struct
import sys
from typing import Any

import h11
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

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
_SECONDS = {_Phase.HEAD: 10.0, _Phase.BODY: 60.0, _Phase.ANSWER: 60.0}


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


class BoundedProtocol(H11Protocol):
    """One connection. Where there are too many, the oldest is closed that has not sent a whole request."""

    _timer: asyncio.TimerHandle | None = None
    _phase: _Phase | None = None
    _since = 0.0
    _is_upgraded = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Take up a connection."""
        if len(self.connections) >= most_connections():
            self._make_room()
        super().connection_made(transport)
        self.app = _with_connection(self.app, Connection(transport))
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Take what has come."""
        super().data_received(data)
        self._watch()

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """Hand the connection over to a protocol of its own, which has pings instead of these bounds."""
        super().handle_websocket_upgrade(event)
        self._stop_timer()
        self._is_upgraded = True

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
        if self._is_upgraded:
            return
        phase = self._waits_for()
        if phase is self._phase:
            return
        self._stop_timer()
        self._phase, self._since = phase, self.loop.time()
        if phase in _SECONDS:
            self._timer = self.loop.call_later(_SECONDS[phase], self.transport.abort)

    def _waits_for(self) -> _Phase:
        if self.cycle is None:
            return _Phase.HEAD
        if not self.cycle.response_complete:
            return _Phase.BODY if self.cycle.more_body else _Phase.ANSWER
        if self.conn.their_state is h11.SEND_BODY:
            return _Phase.BODY
        return _Phase.HEAD if self.conn.trailing_data[0] else _Phase.IDLE

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _with_connection(app: ASGIApp, connection: Connection) -> ASGIApp:
    async def with_connection(scope: Scope, receive: Receive, send: Send) -> None:
        # At its end a sandbox cancels what it still does; the connections have ended before, so nobody has to be told.
        with contextlib.suppress(asyncio.CancelledError):
            await app({**scope, "extensions": {CONNECTION: connection}}, receive, send)

    return with_connection
