"""Clients that start runs without a pause, and the receiver of their callbacks."""

from __future__ import annotations

import itertools
import json
import random
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

import httpx
from server import KEY

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from server import Server

_SHARE_REFUSED = 0.1


class Load:
    """Threads that start runs within a `with` block.

    Attributes:
        accepted: The number that each accepted run was given, by the run's id.
        unanswered: Requests to which no response came, so that nobody knows.
    """

    def __init__(self, servers: Sequence[Server], callback_url: str, *, threads: int) -> None:
        self._callback_url = callback_url
        self._numbers = itertools.count()
        self._is_over = threading.Event()
        self.accepted: dict[int, int] = {}
        self.unanswered = 0
        turns = itertools.islice(itertools.cycle(servers), threads)
        self._threads = [threading.Thread(target=self._start_runs, args=(server.url,)) for server in turns]

    def _start_runs(self, url: str) -> None:
        with httpx.Client(base_url=url, headers=KEY, timeout=60) as client:
            while not self._is_over.is_set():
                number = next(self._numbers)
                body = {"input_variables": {"number": number}, "callback_url": self._callback_url}
                try:
                    reply = client.post("/workflows/killed/run", json=body)
                except httpx.ConnectError:
                    time.sleep(0.02)
                except httpx.TransportError:
                    self.unanswered += 1
                else:
                    if reply.status_code == httpx.codes.ACCEPTED:
                        self.accepted[reply.json()["workflow_version_execution_id"]] = number

    def wait_for(self, more: int, *, seconds: float) -> None:
        """Wait until so many more runs are accepted, or the time is up."""
        wanted, deadline = len(self.accepted) + more, time.monotonic() + seconds
        while len(self.accepted) < wanted and time.monotonic() < deadline:
            time.sleep(0.005)

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Start no more runs."""
        self._is_over.set()
        for thread in self._threads:
            thread.join()


class Receiver:
    """Takes callbacks within a `with` block; a tenth of them it answers 503 first.

    Attributes:
        posted: The values of the nodes by the id of the run, of the callbacks that were answered 200.
        duplicates: Those that came after they had been answered 200.
    """

    def __init__(self, seed: int) -> None:
        self._draw = random.Random(seed)  # noqa: S311 - to be repeated
        self._lock = threading.Lock()
        self.posted: dict[int, dict[str, Any]] = {}
        self.duplicates = 0
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:  # the name that http.server calls
                raw = self.rfile.read(length := int(self.headers["content-length"]))
                if len(raw) < length:
                    return  # the sandbox was killed while it was posting
                body = json.loads(raw)
                if self.headers["sandbox-delivery-id"] != f"run-{body['workflow_version_execution_id']}":
                    raise ValueError("a delivery has another id than its run")
                self.send_response(receiver.status_of(body))
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Keep the output clean."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/"

    def status_of(self, body: dict[str, Any]) -> int:
        """Return the status of the response to a callback, and keep it if it is taken."""
        with self._lock:
            if self._draw.random() < _SHARE_REFUSED:
                return 503
            run = body["workflow_version_execution_id"]
            self.duplicates += run in self.posted
            self.posted[run] = {name: node["value"] for name, node in body["final_output"].items()}
            return 200

    def lacks(self, runs: Iterable[int]) -> set[int]:
        """Return those of the runs whose callbacks have not come."""
        return {run for run in runs if run not in self.posted}

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
