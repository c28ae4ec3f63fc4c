"""Receives callbacks: a real HTTP server that takes down whatever is posted to an address that it gave out."""

import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from uuid import uuid4

from contract_tests.rules import SetUpError

LARGEST_BODY = 16 * 1024 * 1024


@dataclass(frozen=True)
class Delivery:
    """One request that came in; ``at`` is a monotonic time in seconds."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    at: float = field(default_factory=time.monotonic)

    @property
    def media_type(self) -> str:
        """Content type without parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


class Listener:
    """Listens on ``host:port`` (port 0: any free one) in a thread of its own, from ``with`` until its end."""

    def __init__(self, listen: str, public_url: str | None = None) -> None:
        host, _, port = listen.rpartition(":")
        self._deliveries: list[Delivery] = []
        self._arrived = threading.Condition()
        try:
            self._server = ThreadingHTTPServer((host.strip("[]"), int(port)), self._handler())
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

    def new_url(self) -> str:
        """Give an address that no one else was given."""
        return f"{self._url}/callback/{uuid4().hex}"

    def deliveries(self, url: str) -> list[Delivery]:
        """Give what has come to an address so far."""
        token = url.rpartition("/")[2]
        with self._arrived:
            return [delivery for delivery in self._deliveries if delivery.path.partition("?")[0].endswith(token)]

    def wait(self, url: str, seconds: float) -> Delivery | None:
        """Wait for the first delivery to an address; None if none comes within that many seconds."""
        deadline = time.monotonic() + seconds
        with self._arrived:
            while not (found := self.deliveries(url)):
                left = deadline - time.monotonic()
                if left <= 0:
                    return None
                self._arrived.wait(left)
        return found[0]

    def _take(self, delivery: Delivery) -> None:
        with self._arrived:
            self._deliveries.append(delivery)
            self._arrived.notify_all()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        take = self._take

        class Handler(BaseHTTPRequestHandler):
            timeout = 30

            def handle_any(self) -> None:
                length = self.headers.get("content-length", "0")
                size = min(int(length), LARGEST_BODY) if length.isdecimal() else 0
                headers = {name.lower(): value for name, value in self.headers.items()}
                take(Delivery(self.command, self.path, headers, self.rfile.read(size)))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = handle_any  # noqa: N815

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that it overrides
                """Say nothing: what matters is in the report."""

        return Handler
