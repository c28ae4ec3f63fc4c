"""A small HTTP server in one background thread, for addresses that hold a token.

It may be reachable from the whole internet. So of a request to an unknown address only the request line is read, and
connections, bytes and seconds are bounded: the oldest connection without a known address is closed for a new one. h11
would read all headers first, and is not used for that reason. One request per connection: its response can't be
mistaken for another request's.
"""

from __future__ import annotations

import asyncio
import contextlib
import http
import logging
import re
import socket
import sys
import threading
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from .responses import FAILED, Response, length_refusal

if sys.platform != "win32":
    import resource

if TYPE_CHECKING:
    from collections.abc import Coroutine

__all__ = ["MAX_CONNECTIONS", "SECONDS", "Application", "HttpServer", "Request"]

_log = logging.getLogger(__name__)

MAX_CONNECTIONS: Final = 256
SECONDS: Final = 30.0

_SECONDS_FOR_HEAD = 10.0
_HEADS_SHARE = 3
_SECONDS_FOR_ANSWER = 5.0
_SECONDS_WITHOUT_DESCRIPTORS = 0.05
_FEWEST_CONNECTIONS = 8
_SHARE_OF_DESCRIPTORS = 4
_LARGEST_PORT = 65535
_WAITING = 512
_PIECE = 64 * 1024
_LONGEST_LINE = 8 * 1024
_LONGEST_CHUNK_LINE = 256
_MOST_FIELDS = 100
_QUICKLY_ANSWERED = 64 * 1024

_NAME = "[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_REQUEST_LINE = re.compile(rf"({_NAME}) ([!-~\x80-\xff]+) HTTP/1\.([01])")
_FIELD = re.compile(rf"({_NAME}):[ \t]*([^\0\r\n]*?)[ \t]*")
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\0\r\n]*)?")


class Request(NamedTuple):
    """A request to an address that is known.

    Attributes:
        method: As it was sent.
        target: Path and query as they were sent.
        headers: Names in lower case; one that is there twice is joined by a comma.
        body: What was read of its body.
        refusal: How the request is answered since it can't be read to its end; None if it could.
    """

    method: str
    target: str
    headers: dict[str, str]
    body: bytes = b""
    refusal: Response | None = None


class Application(Protocol):
    """What is served.

    Attributes:
        max_bytes: Size above which a body is not read on, in bytes.
    """

    max_bytes: int

    def knows(self, target: str) -> bool:
        """Return whether this address is known. Asked before more than the request line is read."""
        ...

    def refusal(self, request: Request) -> Response | None:
        """Return the answer to a request whose body isn't worth reading, else None."""
        ...

    def answer(self, request: Request) -> Response:
        """Return the answer to a request. Called in a thread if its body is large."""
        ...


class _Refused(Exception):
    def __init__(self, status: int, words: str) -> None:
        self.answer = Response(status, words)


class HttpServer:
    """Listens from its making on, and answers from `start` until `close`.

    Args:
        host: Address to listen on.
        port: Port to listen on; 0 takes a free one.
        application: What is served.
        max_connections: How many connections are held at once, or a quarter of the file descriptors that this process
            may have, if that is less. One more, and the oldest is closed whose address is not known.
        seconds: How long a request may take from the connection to the end of its body.

    Raises:
        OSError: The address can't be listened on.
        OverflowError: The port is none.
        UnicodeError: The host is none.
    """

    def __init__(
        self,
        host: str,
        port: int,
        application: Application,
        *,
        max_connections: int = MAX_CONNECTIONS,
        seconds: float = SECONDS,
    ) -> None:
        # Told before there is a socket, which create_server would leave behind.
        host.encode("idna")
        if not 0 <= port <= _LARGEST_PORT:
            raise OverflowError(port)
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listening = socket.create_server((host, port), family=family, backlog=_WAITING)
        self._listening.settimeout(0)
        self.port: int = self._listening.getsockname()[1]
        self._application, self._seconds = application, seconds
        self._most = min(max_connections, max(_FEWEST_CONNECTIONS, _descriptors() // _SHARE_OF_DESCRIPTORS))
        self._open: dict[_Connection, asyncio.Task[None]] = {}
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._accepting: asyncio.Task[None] | None = None
        self._started = threading.Event()

    def start(self) -> None:
        """Response requests, in a thread that doesn't keep the program alive."""
        self._thread = threading.Thread(target=self._run, name="workflow-runs-callbacks", daemon=True)
        self._thread.start()
        self._started.wait()

    def close(self) -> None:
        """Close all connections and stop listening."""
        if self._thread is not None and self._loop is not None and self._accepting is not None:
            self._loop.call_soon_threadsafe(self._accepting.cancel)
            self._thread.join()
            self._thread = None
        self._listening.close()

    def _run(self) -> None:
        # A selector tells that somebody knocks; the other kind of loop accepts by itself, also for whoever has left.
        with (
            asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner,
            contextlib.suppress(asyncio.CancelledError),
        ):
            runner.run(self._accept())

    async def _accept(self) -> None:
        self._loop, self._accepting = asyncio.get_running_loop(), asyncio.current_task()
        self._started.set()
        while True:
            try:
                # Nothing is awaited between accepting and beginning, so that no connection is lost to a cancellation.
                await self._knock()
                accepted, _ = self._listening.accept()
            except BlockingIOError:  # somebody knocked and went away
                continue
            except OSError:  # this program has no file descriptor left, or the caller is gone already
                self._make_room()
                await asyncio.sleep(_SECONDS_WITHOUT_DESCRIPTORS)
                continue
            self._begin(_Connection(accepted, self._application, self._seconds))
            # Accepting doesn't wait while somebody knocks; what has come so far is to be read in between.
            await asyncio.sleep(0)

    async def _knock(self) -> None:
        loop = asyncio.get_running_loop()
        knock = asyncio.Event()
        loop.add_reader(self._listening, knock.set)
        try:
            await knock.wait()
        finally:
            loop.remove_reader(self._listening)

    def _begin(self, connection: _Connection) -> None:
        if len(self._open) >= self._most and not self._make_room():
            connection.close()
            return
        task = asyncio.ensure_future(_unless_gone(connection.serve()))
        self._open[connection] = task
        task.add_done_callback(lambda _: self._end(connection))

    def _make_room(self) -> bool:
        oldest = next((each for each in self._open if not each.is_known), None)
        if oldest is None:
            return False
        self._open[oldest].cancel()
        self._end(oldest)
        return True

    def _end(self, connection: _Connection) -> None:
        connection.close()
        self._open.pop(connection, None)


async def _unless_gone(serving: Coroutine[None, None, None]) -> None:
    try:
        await serving
    except (OSError, EOFError, TimeoutError):
        # A sender that goes away or stalls is no matter for the script's standard error.
        _log.debug("a delivery broke off", exc_info=True)


class _Connection:
    """One connection and its one request."""

    def __init__(self, accepted: socket.socket, application: Application, seconds: float) -> None:
        accepted.settimeout(0)
        self.is_known = False
        self.close = accepted.close
        self._socket, self._application, self._seconds = accepted, application, seconds
        self._received = bytearray()
        self._is_head = False

    async def serve(self) -> None:
        """Read the request, answer it, and wait a little until the sender has read the answer."""
        try:
            async with asyncio.timeout(self._seconds):
                answer = await self._answer()
        except TimeoutError:
            answer = Response(408, "the request did not come in time")
        except _Refused as refused:
            answer = refused.answer
        self.is_known = False
        async with asyncio.timeout(_SECONDS_FOR_ANSWER):
            await self._send(_written(answer, is_head=self._is_head))
            # What is closed while something unread has come is reset, and the answer may be lost with it.
            self._socket.shutdown(socket.SHUT_WR)
            with contextlib.suppress(EOFError):
                while True:
                    await self._receive()
                    self._received.clear()

    async def _answer(self) -> Response:
        async with asyncio.timeout(min(_SECONDS_FOR_HEAD, self._seconds / _HEADS_SHARE)):
            # One empty line may come before it: some senders end a body with one more.
            found = _REQUEST_LINE.fullmatch(await self._text(_LONGEST_LINE) or await self._text(_LONGEST_LINE))
            if found is None:
                raise _Refused(400, "no HTTP/1.1 request line")
            method, target, minor = found.groups()
            self._is_head = method == "HEAD"
            if not self._application.knows(target):
                raise _Refused(404, "nothing is received here")
            self.is_known = True
            request = Request(method, target, await self._headers())
            if minor == "1" and ", " in request.headers.get("host", ", "):
                raise _Refused(400, "not one Host")
        refusal = self._application.refusal(request)
        return await self._read(request) if refusal is None else refusal

    async def _read(self, request: Request) -> Response:
        body = bytearray()
        try:
            await self._body(request.headers, body)
        except _Refused as refused:
            request = request._replace(refusal=refused.answer)
        request = request._replace(body=bytes(body))
        try:
            if len(body) <= _QUICKLY_ANSWERED:
                return self._application.answer(request)
            return await asyncio.to_thread(self._application.answer, request)
        except Exception:  # noqa: BLE001 - whatever was raised, the sender must learn that it has to try again
            _log.exception("a delivery could not be handled")
            return FAILED

    async def _headers(self) -> dict[str, str]:
        headers: dict[str, str] = {}
        for _ in range(_MOST_FIELDS):
            line = await self._text(_LONGEST_LINE)
            if not line:
                return headers
            found = _FIELD.fullmatch(line)
            if found is None:
                raise _Refused(400, "a header is malformed")
            name, value = found[1].lower(), found[2]
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        raise _Refused(431, f"more than {_MOST_FIELDS} headers")

    async def _body(self, headers: dict[str, str], body: bytearray) -> None:
        encoding = headers.get("transfer-encoding")
        if encoding is not None and (encoding.lower() != "chunked" or "content-length" in headers):
            raise _Refused(400, "no transfer-encoding but chunked is read, and none beside a content-length")
        refusal = length_refusal(headers, self._application.max_bytes)
        if refusal is not None:
            raise _Refused(*refusal)
        if headers.get("expect", "").lower() == "100-continue":
            await self._send(b"HTTP/1.1 100 Continue\r\n\r\n")
        try:
            await (self._chunks(body) if encoding else self._piece(int(headers.get("content-length", "0")), body))
        except EOFError:
            raise _Refused(400, "the body ends too early") from None

    async def _chunks(self, body: bytearray) -> None:
        # Tunnels like to send bodies in chunks.
        while size := await self._chunk_size():
            if len(body) + size > self._application.max_bytes:
                raise _Refused(413, f"more than {self._application.max_bytes} bytes")
            await self._piece(size, body)
            if await self._line(_LONGEST_CHUNK_LINE):
                raise _Refused(400, "a chunk is longer than its size")
        await self._headers()

    async def _chunk_size(self) -> int:
        found = _CHUNK_SIZE.fullmatch(await self._line(_LONGEST_CHUNK_LINE))
        if found is None:
            raise _Refused(400, "the size of a chunk is malformed")
        return int(found[1], 16)

    async def _text(self, limit: int) -> str:
        return (await self._line(limit)).decode("latin-1")

    async def _line(self, limit: int) -> bytes:
        seen = 0
        while (end := self._received.find(b"\n", seen, limit)) < 0:
            seen = len(self._received)
            if seen >= limit:
                raise _Refused(431, f"a line of more than {limit} bytes")
            await self._receive()
        line = bytes(self._received[:end]).removesuffix(b"\r")
        del self._received[: end + 1]
        return line

    async def _piece(self, size: int, body: bytearray) -> None:
        end = len(body) + size
        while True:
            piece = self._received[: end - len(body)]
            del self._received[: len(piece)]
            body += piece
            if len(body) == end:
                return
            await self._receive()

    async def _receive(self) -> None:
        received = await asyncio.get_running_loop().sock_recv(self._socket, _PIECE)
        if not received:
            raise EOFError
        self._received += received
        # Receiving doesn't wait while something is there: others, and the time limits, would.
        await asyncio.sleep(0)

    async def _send(self, content: bytes) -> None:
        await asyncio.get_running_loop().sock_sendall(self._socket, content)


def _written(answer: Response, *, is_head: bool) -> bytes:
    headers = {"content-length": "0", **answer.headers, "connection": "close"}
    if answer.status == http.HTTPStatus.NO_CONTENT:
        del headers["content-length"]
    lines = [f"HTTP/1.1 {answer.status} {http.HTTPStatus(answer.status).phrase}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + (b"" if is_head else answer.content)


def _descriptors() -> int:
    if sys.platform == "win32":
        return sys.maxsize
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if limit == resource.RLIM_INFINITY else limit
