"""Receives callbacks: a real HTTP server that takes down whatever is posted to an address that it gave out."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, Self
from uuid import uuid4

from contract_tests.rules import SetUpError

LARGEST_BODY: Final = 16 * 1024 * 1024
MOST_DELIVERIES: Final = 100  # to one address: more prove nothing new


@dataclass(frozen=True)
class Delivery:
    """
    One request that came in.

    Attributes:
        at: Monotonic time in seconds.
        number: How many requests the harness had sent to the target by then.
        is_exact: Whether the address is the one that was given out, to the last character.
    """

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    at: float
    number: int
    is_exact: bool = True

    @property
    def media_type(self) -> str:
        """Content type without parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


class Listener:
    """
    Listens on ``host:port`` (port 0: any free one) in a thread of its own, from ``with`` until its end.

    Whoever calls an address that was not given out is answered 404, and nothing of it is kept: behind a public URL
    strangers knock too.
    """

    def __init__(self, listen: str, public_url: str | None = None, count: Callable[[], int] = lambda: 0) -> None:
        host, _, port = listen.rpartition(":")
        self._count = count
        self._deliveries: dict[str, list[Delivery]] = {}
        self._targets: dict[str, str] = {}
        self._given: dict[str, list[str]] = {}
        self._arrived = threading.Condition()  # on a lock that one thread may take twice
        try:
            self._server = ThreadingHTTPServer((host.strip("[]"), int(port)), _handler(self._take))
        except OSError as error:
            raise SetUpError(f"callback_listen {listen}: cannot listen there: {error}") from error
        self._server.daemon_threads = True
        own = f"http://{host}:{self._server.server_address[1]}"
        self._url = (public_url or own).rstrip("/")

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def new_url(self, operation: str) -> str:
        """Give an address that no one else was given, for a callback of this operation."""
        token = uuid4().hex
        with self._arrived:
            self._deliveries[token] = []
            # With a query, which is as much a part of the address as its path.
            url = f"{self._url}/callback/{token}?run={len(self._deliveries)}"
            self._targets[token] = _own_part(url)
            self._given.setdefault(operation, []).append(url)
        return url

    def all_deliveries(self, operation: str) -> list[Delivery]:
        """Give what has come to any address that was given out for an operation."""
        with self._arrived:
            return [delivery for url in self._given.get(operation, ()) for delivery in self.deliveries(url)]

    def deliveries(self, url: str) -> list[Delivery]:
        """Give what has come to an address so far."""
        with self._arrived:
            return list(self._deliveries[_token(url)])

    def wait(self, url: str, seconds: float, count: int = 1) -> Delivery | None:
        """Wait so many seconds for a delivery to an address, by default the first; None if it does not come."""
        deadline = time.monotonic() + seconds
        with self._arrived:
            while len(found := self.deliveries(url)) < count:
                left = deadline - time.monotonic()
                if left <= 0:
                    return None
                self._arrived.wait(left)
        return found[count - 1]

    def _take(self, method: str, path: str, headers: dict[str, str], body: bytes) -> bool:
        """Keep a request; False if its address was not given out."""
        with self._arrived:
            kept = self._deliveries.get(_token(path))
            if kept is None:
                return False
            if len(kept) < MOST_DELIVERIES:
                is_exact = _own_part(path) == self._targets[_token(path)]
                kept.append(Delivery(method, path, headers, body, time.monotonic(), self._count(), is_exact))
            self._arrived.notify_all()
        return True


def _own_part(target: str) -> str:
    # What stands before may be changed by whatever makes the listener reachable from outside.
    return target[target.rfind("/callback/") :]


def _token(path: str) -> str:
    return path.partition("?")[0].rpartition("/")[2]


def _handler(take: Callable[[str, str, dict[str, str], bytes], bool]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 30

        def handle_any(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self._read_body(headers)
            self.send_response(200 if take(self.command, self.path, headers, body) else 404)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def _read_body(self, headers: dict[str, str]) -> bytes:
            if "chunked" in headers.get("transfer-encoding", "").lower():
                return self._read_chunks()
            length = headers.get("content-length", "0")
            size = int(length) if length.isdecimal() else 0
            # What is beyond is not read, and the connection cannot be used any more.
            self.close_connection = self.close_connection or size > LARGEST_BODY
            return self.rfile.read(min(size, LARGEST_BODY))

        def _read_chunks(self) -> bytes:
            chunks: list[bytes] = []
            while size := int(self.rfile.readline(100).partition(b";")[0], 16):
                if sum(map(len, chunks)) + size > LARGEST_BODY:
                    self.close_connection = True
                    return b"".join(chunks)
                chunks.append(self.rfile.read(size))
                self.rfile.readline(100)
            while self.rfile.readline(1000).strip():
                pass
            return b"".join(chunks)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = handle_any  # noqa: N815

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that it overrides
            """Say nothing: what matters is in the report."""

    return Handler
