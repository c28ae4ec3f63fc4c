"""A real HTTP listener that takes callbacks, answers as it is told and remembers what came."""

import json
import queue
import threading
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, NamedTuple, Self

_SECONDS_TO_WAIT = 30


class Delivery(NamedTuple):
    """One request that came."""

    method: str
    path: str
    content_type: str | None
    body: Any
    headers: dict[str, str]


class CallbackReceiver:
    """Listens on loopback within a `with` block. `answers` are the statuses of the first replies, then it is 200."""

    def __init__(self, answers: Sequence[int] = (), *, port: int = 0) -> None:
        self._answers = list(answers)
        self._came: queue.Queue[Delivery] = queue.Queue()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:  # the name that http.server calls
                receiver._take(self)

            do_GET = do_POST  # noqa: N815

            def log_message(self, *_: object) -> None:
                """Keep the test's output clean."""

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    @property
    def port(self) -> int:
        """Port on loopback."""
        return self._server.server_address[1]

    @property
    def url(self) -> str:
        """Where to send callbacks."""
        return f"http://127.0.0.1:{self.port}/done"

    def wait(self) -> Delivery:
        """Return the next request, waiting for it."""
        return self._came.get(timeout=_SECONDS_TO_WAIT)

    def has_more(self) -> bool:
        """Tell whether requests came that nobody has waited for."""
        return not self._came.empty()

    def _take(self, handler: BaseHTTPRequestHandler) -> None:
        raw = handler.rfile.read(int(handler.headers.get("content-length", 0)))
        body = json.loads(raw) if raw else None
        headers = {name.lower(): value for name, value in handler.headers.items()}
        self._came.put(Delivery(handler.command, handler.path, headers.get("content-type"), body, headers))
        handler.send_response(self._answers.pop(0) if self._answers else 200)
        handler.send_header("location", "/elsewhere")
        handler.send_header("content-length", "0")
        handler.end_headers()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
