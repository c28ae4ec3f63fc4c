"""
The harness as a server: takes down every request exactly as it came, and answers what the case says.

A real socket on the loopback interface, so that any client can be judged, and below every HTTP framework, so that any
answer can be given: an unknown status, half a body, a reset.
"""

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from email.utils import formatdate
from enum import StrEnum
from typing import Final, Self

import h11

RECEIVE_SIZE: Final = 65_536
HANG_LIMIT: Final = 20.0
REQUEST_LIMIT: Final = 100
SMALL_BUFFER: Final = 4096
GATHERING: Final = 2.0  # seconds: a client that makes its calls one after another is not kept for longer
BODY_LIMIT: Final = 16 * 1024 * 1024  # no case has arguments of that size


class Fault(StrEnum):
    """What goes wrong on the wire instead of, or in the middle of, an answer."""

    HANG = "hang"
    RESET = "reset"
    CLOSE = "close"
    CUT = "cut"


@dataclass(frozen=True, kw_only=True)
class ScriptedResponse:
    """
    What is sent back.

    Attributes:
        status: Any number of three digits.
        body: Sent as it is.
        media_type: Sent as Content-Type; None for no such header.
        headers: More headers.
        retry_at: Seconds from the moment of answering, sent as a date in Retry-After; None for no such header.
        date_form: How that date is written, in the words of ``strftime``; empty for the usual form.
        fault: ``hang``: nothing is sent; ``reset`` and ``close``: the connection ends without an answer; ``cut``: it
            ends half-way through the body.
        delay: Seconds before anything is sent.
        before: Bytes that come before the answer.
        behind: Bytes that come together with its end.
        chunk: Bytes in each chunk of the body, after which comes a trailer; 0 for a body that is not in chunks.
        segment: Bytes that are sent together, all after those that are ``at_once``; 0 for all.
        at_once: Bytes that are sent first.
        pause: Seconds between two segments.
        is_last: Whether the connection ends with the answer, which does not say so.
        has_length: Whether it says how long its body is; if neither that nor chunks do, it is to be the last one.
    """

    status: int = 200
    body: bytes = b""
    media_type: str | None = "application/json"
    headers: tuple[tuple[str, str], ...] = ()
    retry_at: float | None = None
    date_form: str = ""
    fault: Fault | None = None
    delay: float = 0
    before: bytes = b""
    behind: bytes = b""
    chunk: int = 0
    segment: int = 0
    at_once: int = 0
    pause: float = 0
    is_last: bool = False
    has_length: bool = True

    def wire(self, method: str = "") -> bytes:
        """Return the bytes of the answer to a request with this method."""
        length = [("Content-Length", str(len(self.body)))] if self.has_length else []
        headers = [*self.headers, *([("Transfer-Encoding", "chunked")] if self.chunk else length)]
        if self.retry_at is not None:
            headers.append(("Retry-After", self._date(time.time() + self.retry_at)))
        if self.media_type is not None:
            headers.insert(0, ("Content-Type", self.media_type))
        head = (
            f"HTTP/1.1 {self.status} Answer\r\n" + "".join(f"{name}: {value}\r\n" for name, value in headers) + "\r\n"
        )
        body = b"".join(self._chunks()) if self.chunk else self.body
        return self.before + head.encode("latin-1") + (b"" if method == "HEAD" else body) + self.behind

    def segments(self, method: str) -> Iterator[bytes]:
        """Return the answer in the parts in which it is sent."""
        wire = self.wire(method)
        first = self.at_once if self.segment else len(wire)
        yield wire[:first]
        yield from (wire[start : start + self.segment] for start in range(first, len(wire), self.segment or 1))

    def _chunks(self) -> Iterator[bytes]:
        for start in range(0, len(self.body), self.chunk):
            piece = self.body[start : start + self.chunk]
            yield b"%X;part=1\r\n%b\r\n" % (len(piece), piece)
        yield b"0\r\nX-Parts: all\r\n\r\n"

    def _date(self, moment: float) -> str:
        return time.strftime(self.date_form, time.gmtime(moment)) if self.date_form else formatdate(moment, usegmt=True)


@dataclass(frozen=True, kw_only=True)
class RecordedRequest:
    """A request as it came."""

    method: str  # as it came
    target: str  # what stands between method and version, before any decoding
    headers: tuple[tuple[str, str], ...]  # names and values in order; names as they were spelled
    body: bytes  # after transfer decoding; empty if there was none
    at: float  # seconds on the monotonic clock when it was complete
    broken: str = ""  # why it is no HTTP request, if it is none
    connection: int = 0  # the client's port

    def all(self, name: str) -> list[str]:
        """Return the values of all headers of a name, whatever its case."""
        return [value for key, value in self.headers if key.lower() == name.lower()]


def _nothing() -> None:
    pass


@dataclass
class Recording:
    """
    The requests of one case, in order of arrival.

    Attributes:
        on_request_limit: Called once, when there are more than any client makes in one call; the rest is not kept.
        gathered: Where so many requests are answered together, when the last of them is there.
        respond: Makes the answer where that depends on the request; one request is asked about at a time.
        limit: How many requests are more than any client makes.
    """

    answers: Sequence[ScriptedResponse]
    on_request_limit: Callable[[], None] = _nothing
    gathered: threading.Barrier | None = None
    respond: Callable[[RecordedRequest], ScriptedResponse] | None = None
    limit: int = REQUEST_LIMIT
    seen: list[RecordedRequest] = field(default_factory=list)

    def take(self, request: RecordedRequest) -> ScriptedResponse:
        """Take a request down, and return what it is answered."""
        self.seen.append(request)
        if self.respond is not None:
            return self.respond(request)
        return self.answers[min(len(self.seen), len(self.answers)) - 1]


class RecordingServer:
    """
    A context manager; ``url`` is its origin. One case is played at a time.

    Args:
        answers: What it answers while no case is played, the last one as often as needed.
        is_ipv6: Whether it listens on IPv6's loopback address, which raises OSError on a machine without one.
        reads_bodies: Whether it reads what comes after the headers of a request; else one that is longer than what the
            system keeps is never sent whole.
    """

    def __init__(self, *answers: ScriptedResponse, is_ipv6: bool = False, reads_bodies: bool = True) -> None:
        host, family = ("::1", socket.AF_INET6) if is_ipv6 else ("127.0.0.1", socket.AF_INET)
        self._socket = socket.create_server((host, 0), family=family)
        self.url = f"http://{f'[{host}]' if is_ipv6 else host}:{self._socket.getsockname()[1]}"
        self._reads_bodies = reads_bodies
        if not reads_bodies:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER)
        self._between = Recording(answers) if answers else None
        self._take = self._between
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._open: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def seen(self) -> list[RecordedRequest]:
        """The requests that came while no case was played, in order."""
        return self._between.seen if self._between else []

    @property
    def connections(self) -> int:
        """How many connections are open now."""
        with self._lock:
            return len(self._open)

    def __enter__(self) -> Self:
        """Nothing more to do: it listens from the start."""
        return self

    def __exit__(self, *_: object) -> None:
        """End it."""
        self.close()

    def close(self) -> None:
        """Stop listening and end all connections."""
        self._over.set()
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    @contextlib.contextmanager
    def play(
        self,
        *answers: ScriptedResponse,
        on_request_limit: Callable[[], None] = _nothing,
        together: int = 1,
        respond: Callable[[RecordedRequest], ScriptedResponse] | None = None,
        limit: int = REQUEST_LIMIT,
    ) -> Iterator[Recording]:
        """
        Answer the requests of one case.

        Args:
            answers: One for each request in order; the last one serves all further requests.
            on_request_limit: Called, from another thread, when the requests have become too many.
            together: How many requests are answered at the same time, once all of them are there.
            respond: Makes the answers instead, each by its request.
            limit: How many requests are too many.
        """
        gathered = threading.Barrier(together) if together > 1 else None
        take = Recording(answers, on_request_limit, gathered, respond, limit)
        with self._lock:
            self._take = take
        try:
            yield take
        finally:
            with self._lock:
                self._take = self._between

    def _accept(self) -> None:
        while not self._over.is_set():
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with self._lock:
            self._open.add(connection)
        try:
            left = b""
            while (got := _read_request(connection, left, reads_body=self._reads_bodies)) is not None:
                seen, left = got
                if not self._reply(connection, self._next_answer(seen), seen.method) or seen.broken:
                    break
        except OSError:
            pass  # the client went away, as it may
        finally:
            with self._lock:
                self._open.discard(connection)
            connection.close()

    def _next_answer(self, seen: RecordedRequest) -> ScriptedResponse:
        answer, gathered = self._taken(seen)
        if gathered is not None:
            with contextlib.suppress(threading.BrokenBarrierError):
                gathered.wait(GATHERING)
        return answer

    def _taken(self, seen: RecordedRequest) -> tuple[ScriptedResponse, threading.Barrier | None]:
        with self._lock:
            take = self._take
            if take is None:
                return ScriptedResponse(status=500, body=b'{"message": "no case is being played"}'), None
            if len(take.seen) < take.limit:
                return take.take(seen), take.gathered
            on_request_limit, take.on_request_limit = take.on_request_limit, _nothing
        on_request_limit()
        return ScriptedResponse(fault=Fault.RESET), None

    def _reply(self, connection: socket.socket, answer: ScriptedResponse, method: str) -> bool:
        """Send an answer; False if the connection is over."""
        if answer.delay:
            self._over.wait(answer.delay)
        if answer.fault is None:
            for part in answer.segments(method):
                connection.sendall(part)
                time.sleep(answer.pause)
            return not answer.is_last
        if answer.fault is Fault.HANG and not self._reads_bodies:
            self._over.wait(HANG_LIMIT)  # behind what is not read the end of the connection is not seen
        elif answer.fault is Fault.HANG:
            connection.settimeout(HANG_LIMIT)
            connection.recv(1)  # returns when the client gives up
        if answer.fault is Fault.CUT:
            connection.sendall(answer.wire()[: -max(1, len(answer.body) // 2)])
        if answer.fault is Fault.RESET:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return False


def _read_request(
    connection: socket.socket, left: bytes, *, reads_body: bool = True
) -> tuple[RecordedRequest, bytes] | None:
    """Read one request; None if the client has closed the connection before one."""
    port = connection.getpeername()[1]
    parser = h11.Connection(h11.SERVER, max_incomplete_event_size=1_000_000)
    parser.receive_data(left) if left else None
    request: h11.Request | None = None
    body = bytearray()
    try:
        while True:
            event = parser.next_event()
            if event is h11.NEED_DATA:
                if parser.they_are_waiting_for_100_continue:
                    connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
                parser.receive_data(connection.recv(RECEIVE_SIZE))
            elif isinstance(event, h11.Request):
                request = event
                if not reads_body:
                    return _seen(request, b"", port), b""
            elif isinstance(event, h11.Data):
                body += event.data
                if len(body) > BODY_LIMIT:
                    return _broken(f"a body of more than {BODY_LIMIT:,} bytes"), b""
            elif isinstance(event, h11.EndOfMessage):
                assert request is not None
                return _seen(request, bytes(body), port), parser.trailing_data[0]
            else:
                return None
    except h11.RemoteProtocolError as error:
        return _broken(str(error)), b""


def _seen(request: h11.Request, body: bytes, port: int) -> RecordedRequest:
    return RecordedRequest(
        method=request.method.decode("latin-1"),
        target=request.target.decode("latin-1"),
        headers=tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw_items()),
        body=body,
        at=time.monotonic(),
        connection=port,
    )


def _broken(reason: str) -> RecordedRequest:
    return RecordedRequest(method="", target="", headers=(), body=b"", at=time.monotonic(), broken=reason)
