"""One connection on which requests follow each other, byte for byte: httpx hides what comes behind a body."""

import select
import socket
import ssl
from dataclasses import dataclass
from typing import Final, Self

import h11

RECEIVE_SIZE: Final = 65_536
QUIET_SECONDS: Final = 0.02


@dataclass(frozen=True)
class RawResponse:
    """
    A response as it came.

    Attributes:
        headers: Names in lower case and values, in order.
        body: After transfer decoding alone.
        beyond: What came behind its end, before the next request was sent.
        is_last: Whether the connection ends with it.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    beyond: bytes = b""
    is_last: bool = False

    def all(self, name: str) -> list[str]:
        """Return the values of all headers of a name."""
        return [value for known, value in self.headers if known == name]


class RawConnection:
    """A connection to a host and a port, over TLS if there is a context, from ``with`` to its end."""

    def __init__(self, address: tuple[str, int], context: ssl.SSLContext | None, seconds: float) -> None:
        self._address, self._context, self._seconds = address, context, seconds
        self._socket: socket.socket | None = None
        self._protocol = h11.Connection(h11.CLIENT)
        self._has_begun = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def send(self, method: str, target: str, headers: list[tuple[str, str]], body: bytes = b"") -> RawResponse:
        """
        Send a request on the connection, or on a new one if it has ended, and return the response.

        Raises:
            OSError: If the connection ends before the response does, or takes too long.
            h11.RemoteProtocolError: If what comes is no HTTP.
        """
        is_used, self._has_begun = self._socket is not None, False
        try:
            return self._sent(method, target, headers, body)
        except (OSError, h11.RemoteProtocolError):
            if not is_used or self._has_begun:
                raise
            # It was closed while nobody used it, which is no answer to anything.
            self._close()
            return self._sent(method, target, headers, body)

    def _sent(self, method: str, target: str, headers: list[tuple[str, str]], body: bytes) -> RawResponse:
        if self._socket is None:
            self._open()
        host = ("Host", f"{self._address[0]}:{self._address[1]}")
        length = [("Content-Length", str(len(body)))] if body else []
        self._write(h11.Request(method=method, target=target, headers=[host, *headers, *length]))
        if body:
            self._write(h11.Data(data=body))
        self._write(h11.EndOfMessage())
        return self._response()

    def _open(self) -> None:
        connection = socket.create_connection(self._address, self._seconds)
        if self._context is not None:
            connection = self._context.wrap_socket(connection, server_hostname=self._address[0])
        self._socket, self._protocol = connection, h11.Connection(h11.CLIENT)

    def _write(self, event: h11.Event) -> None:
        assert self._socket is not None
        data = self._protocol.send(event)
        if data:
            try:
                self._socket.sendall(data)
            except (BrokenPipeError, ConnectionResetError):
                return  # whoever refuses a body need not read it: its response is there to be read

    def _response(self) -> RawResponse:
        status, body = 0, b""
        headers: tuple[tuple[str, str], ...] = ()
        while True:
            event = self._protocol.next_event()
            if event is h11.NEED_DATA:
                self._protocol.receive_data(self._received())
            elif isinstance(event, h11.Response):
                status = event.status_code
                headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in event.headers)
            elif isinstance(event, h11.Data):
                body += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage | h11.ConnectionClosed):
                break
        beyond = bytes(self._protocol.trailing_data[0]) or self._surplus()
        is_last = self._protocol.our_state is not h11.DONE or self._protocol.their_state is not h11.DONE
        if is_last or beyond or self._socket is None:
            self._close()
        else:
            self._protocol.start_next_cycle()
        return RawResponse(status, headers, body, beyond, is_last)

    def _received(self) -> bytes:
        assert self._socket is not None
        found = self._socket.recv(RECEIVE_SIZE)
        self._has_begun = self._has_begun or bool(found)
        return found

    def _surplus(self) -> bytes:
        """Return what comes without having been asked for; what closes the connection is none."""
        assert self._socket is not None
        if not select.select([self._socket], [], [], QUIET_SECONDS)[0]:
            return b""
        try:
            found = self._socket.recv(RECEIVE_SIZE)
        except OSError:
            found = b""
        if not found:
            self._close()
        return found

    def _close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None
