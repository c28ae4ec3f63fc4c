"""A service on loopback that keeps its connections open: what a run is called is its execution id."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import unquote

_SLOW = 30.0


class KeepingServer:
    """Answers `run_workflow("17")` with execution 17; a run called "slow" is answered when the test lets it.

    Attributes:
        connections: Number of connections that were accepted.
        requests: Paths and headers of the requests.
        slow: Set when a slow request has come.
        go_on: Lets slow requests be answered.
    """

    def __init__(self) -> None:
        self.connections = 0
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.slow, self.go_on = threading.Event(), threading.Event()
        self._server = _Quiet(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        keeping = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                super().setup()
                keeping.connections += 1

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["content-length"]))
                keeping.requests.append((self.path, dict(self.headers)))
                name = unquote(self.path.split("/")[-2])
                if name == "slow":
                    keeping.slow.set()
                    keeping.go_on.wait(_SLOW)
                number = int(name) if name.isdigit() else 0
                body: Any = {"success": True, "message": "started", "workflow_version_execution_id": number}
                content = json.dumps(body).encode()
                self.send_response(201)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                """Keep the tests' output clean."""

        return Handler

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.go_on.set()
        self._server.shutdown()
        self._server.server_close()

    def await_slow(self) -> None:
        """Wait until a slow request is on its way."""
        assert self.slow.wait(_SLOW)
        time.sleep(0.01)


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_: object) -> None:
        """Clients that hang up in the middle are what this is for."""
