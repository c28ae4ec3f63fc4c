"""What may stand at a wrong address: servers that are no service of the contract, each a few lines on a socket."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

ScriptedResponse = Callable[[socket.socket, bytes], None]
PAGE = "<!doctype html><title>Sign in</title><form>"


def reply(status: str, body: str = "", *headers: str) -> ScriptedResponse:
    """Answer every request with this."""
    content = body.encode()
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(content)}", "connection: close", *headers, "", ""]
    return says("\r\n".join(lines).encode() + content)


def page(status: str) -> ScriptedResponse:
    """Answer every request with a page for people."""
    return reply(status, PAGE, "content-type: text/html")


def message(status: str, *headers: str) -> ScriptedResponse:
    """Answer every request with a JSON object."""
    return reply(status, '{"message": "So it is."}', "content-type: application/json", *headers)


def says(content: bytes) -> ScriptedResponse:
    """Answer every request with these bytes, and end the connection."""
    return lambda connection, _: connection.sendall(content)


def hangs(connection: socket.socket, _: bytes) -> None:
    """Answer nothing until the client has gone."""
    while connection.recv(65536):
        pass


@contextmanager
def serving(answer: ScriptedResponse, context: ssl.SSLContext | None = None) -> Iterator[str]:
    """Listen on a free port of loopback; give the address."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listening.accept()
                threading.Thread(target=talk, args=(connection,), daemon=True).start()

    def talk(connection: socket.socket) -> None:
        connection.settimeout(10)
        with contextlib.suppress(OSError), connection:
            if context is None:
                answered(connection)
                return
            with context.wrap_socket(connection, server_side=True) as safe:
                answered(safe)

    def answered(connection: socket.socket) -> None:
        request = b""
        while b"\r\n\r\n" not in request and (more := connection.recv(65536)):
            request += more
        if request:
            answer(connection, request)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65536):  # a connection that is closed with bytes unread is a reset one
                pass

    threading.Thread(target=serve, daemon=True).start()
    scheme = "https" if context else "http"
    try:
        yield f"{scheme}://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
