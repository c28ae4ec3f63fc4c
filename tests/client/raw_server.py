"""A server on loopback that does to each connection what a network can do to it, and counts."""

from __future__ import annotations

import contextlib
import json
import re
import select
import socket
import ssl
import struct
import threading
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable

_RESET = struct.pack("ii", 1, 0)
_PATIENCE, _SHORTLY = 10.0, 0.5


class RawServer:
    """Serves each connection with the next of its behaviours, the last one for ever.

    Attributes:
        connections: Number of connections that were accepted.
        requests: The requests that were read in full.
    """

    def __init__(self, *behaviours: Callable[[Connection], None], listening: bool = True) -> None:
        self.connections = 0
        self.requests: list[bytes] = []
        self._behaviours = behaviours
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(0.01)
        self._accepted = self._socket
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._listening = listening

    @property
    def url(self) -> str:
        """Its address. Until it listens, connections are refused."""
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def listen(self) -> None:
        """Begin to accept connections."""
        self._socket.listen()
        self._thread.start()

    def __enter__(self) -> Self:
        if self._listening:
            self.listen()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(_SHORTLY)
            with contextlib.suppress(OSError):  # what a behaviour waits for would come no more
                self._accepted.shutdown(socket.SHUT_RDWR)
            self._thread.join(_PATIENCE)
        self._socket.close()

    def _serve(self) -> None:
        while not self._stopped.is_set():
            try:
                accepted, _ = self._socket.accept()
            except TimeoutError:
                continue
            behave = self._behaviours[min(self.connections, len(self._behaviours) - 1)]
            self.connections += 1
            self._accepted = accepted
            accepted.settimeout(_PATIENCE)
            with accepted:
                behave(Connection(accepted, self.requests))


class Connection:
    """One accepted connection."""

    def __init__(self, accepted: socket.socket, requests: list[bytes]) -> None:
        self._socket: Any = accepted
        self._requests = requests

    def read(self) -> None:
        """Read one request in full."""
        self._read(b"")

    def reads_another(self) -> bool:
        """Read one more request in full; False if the other side has hung up instead."""
        with contextlib.suppress(ConnectionError):
            if (data := self._socket.recv(65536)) != b"":
                self._read(data)
                return True
        return False

    def _read(self, data: bytes) -> None:
        while b"\r\n\r\n" not in data:
            data += self._socket.recv(65536)
        head, _, body = data.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", head)
        while length and len(body) < int(length[1]):
            body += self._socket.recv(65536)
        self._requests.append(head + b"\r\n\r\n" + body)

    def send(self, *pieces: bytes, is_last: bool = False) -> None:
        """Send bytes as they are; the last ones arrive together with the end of the connection, where Linux does it.

        They arrive together. With TLS each piece has records of its own.
        """
        data = pieces if isinstance(self._socket, _Secured) else b"".join(pieces)
        self._socket.sendall(data, getattr(socket, "MSG_MORE", 0) if is_last else 0)
        if is_last:
            self._socket.shutdown(socket.SHUT_WR)

    def secure(self, context: ssl.SSLContext) -> None:
        """Speak TLS from here on."""
        self._socket = _Secured(self._socket, context)

    def reset(self) -> None:
        """Break the connection, as a peer that has crashed does."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)

    def await_first_byte(self) -> None:
        """Wait until a request has begun to arrive, and leave it unread."""
        self._socket.recv(1, socket.MSG_PEEK)

    def wait_for(self, seconds: float) -> None:
        """Leave everything unread for a while, or until the other side breaks the connection."""
        watching = select.poll()
        watching.register(self._socket, select.POLLHUP | select.POLLERR | select.POLLRDHUP)
        watching.poll(seconds * 1000)

    def wait_for_the_end(self) -> None:
        """Wait until the other side hangs up."""
        self._socket.recv(1)


class _Secured:
    """A socket that encrypts."""

    def __init__(self, accepted: socket.socket, context: ssl.SSLContext) -> None:
        self._socket, self._in, self._out = accepted, ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out, server_side=True)
        self._done(self._tls.do_handshake)

    def _done(self, step: Callable[[], Any]) -> Any:
        while True:
            try:
                result = step()
            except ssl.SSLWantReadError:
                self._socket.sendall(self._out.read())
                received = self._socket.recv(65536)
                self._in.write(received) if received else self._in.write_eof()
            else:
                self._socket.sendall(self._out.read())
                return result

    def recv(self, size: int) -> bytes:
        try:
            return bytes(self._done(lambda: self._tls.read(size)))
        except ssl.SSLError:
            return b""

    def sendall(self, pieces: tuple[bytes, ...], _flags: int = 0) -> None:
        for piece in pieces:
            self._tls.write(piece)
        self._socket.sendall(self._out.read())


def answer(status: int, body: Any, *, is_last: bool = False, **headers: str) -> Callable[[Connection], None]:
    """Answer with JSON; `is_last` ends the connection in the same moment, whatever the headers say."""
    content = json.dumps(body).encode()
    named = {"content-type": "application/json", "content-length": str(len(content)), "connection": "close", **headers}
    head = "".join(f"{name}: {value}\r\n" for name, value in named.items())

    def behave(connection: Connection) -> None:
        connection.read()
        connection.send(f"HTTP/1.1 {status} Told\r\n{head}\r\n".encode() + content, is_last=is_last)

    return behave


def sends(data: bytes) -> Callable[[Connection], None]:
    """Read the request, send bytes, hang up."""

    def behave(connection: Connection) -> None:
        connection.read()
        connection.send(data)

    return behave


def reset_before_reading(connection: Connection) -> None:
    """Break the connection once a request has left the other side, and before it is read."""
    # A reset that comes sooner may still meet the handshake: then nothing has left, and a repeat would be right.
    connection.await_first_byte()
    connection.reset()


def reset_after_reading(connection: Connection) -> None:
    """Break the connection once the request is read."""
    connection.read()
    connection.reset()


def hang_up(connection: Connection) -> None:
    """Read the request and close the connection without a word."""
    connection.read()


def say_nothing(connection: Connection) -> None:
    """Read the request and never answer."""
    connection.read()
    connection.wait_for_the_end()


def stall(connection: Connection) -> None:
    """Begin an answer and never end it."""
    connection.read()
    connection.send(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 50\r\n\r\n{")
    connection.wait_for_the_end()


cut_body = sends(b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 50\r\n\r\n{"a"')
cut_chunks = sends(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{")
cut_head = sends(b"HTTP/1.1 200 OK\r\ncontent-ty")
no_http = sends(b"220 mail.example.com ESMTP\r\n\r\n")
