"""The load: each connection starts a run, asks for its results once, and begins anew."""

from __future__ import annotations

import json
import selectors
import socket
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httptools

__all__ = ["Load", "play"]

_BODY = b'{"input_variables":{"user_message":"I need help with billing"}}'
_RUN_ID = "workflow_version_execution_id"
_SECONDS = 120
_GOES_ON = 202


@dataclass(frozen=True)
class Load:
    """What came of a load.

    Attributes:
        seconds: Until the last run had ended, of the clock.
        latencies: Seconds of each request, in order of size.
    """

    seconds: float
    latencies: list[float]

    @property
    def p99(self) -> float:
        """Seconds that 99 of 100 requests took at most."""
        return self.latencies[len(self.latencies) * 99 // 100]


def play(url: str, runs: int, connections: int) -> Load:
    """Start so many runs over so many connections; return once all have ended.

    Raises:
        RuntimeError: A response is not what it should be.
    """
    began, load = time.perf_counter(), _Playing(url, runs)
    with selectors.DefaultSelector() as selector:
        for _ in range(min(connections, runs)):
            connection = _Connection(url)
            selector.register(connection.socket, selectors.EVENT_READ, connection)
            load.next_request(connection)
        while selector.get_map():
            ready = selector.select(_SECONDS)
            if not ready:
                raise RuntimeError(f"{url} does not answer")
            for key, _ in ready:
                if key.data.is_answered() and not load.next_request(key.data):
                    selector.unregister(key.data.socket)
                    key.data.socket.close()
    load.see_the_rest_end()
    return Load(time.perf_counter() - began, sorted(load.latencies))


class _Connection:
    """A connection that is kept; one request at a time."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.socket = socket.create_connection((parts.hostname, parts.port), timeout=_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.asked, self.run, self.status = "", 0, 0

    def send(self, asked: str, request: bytes) -> None:
        self.asked, self.body, self._is_whole = asked, b"", False
        self._parser = httptools.HttpResponseParser(self)
        self._sent = time.perf_counter()
        self.socket.sendall(request)

    def is_answered(self) -> bool:
        """Take what has come; return whether the response is whole."""
        self._parser.feed_data(self.socket.recv(65536))
        return self._is_whole

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        self._is_whole = True
        self.status, self.seconds = self._parser.get_status_code(), time.perf_counter() - self._sent


@dataclass
class _Playing:
    url: str
    left: int
    latencies: list[float] = field(default_factory=list)
    going_on: list[int] = field(default_factory=list)

    def next_request(self, connection: _Connection) -> bool:
        """Send what follows what was answered; return whether there was anything."""
        if connection.asked:
            self.latencies.append(connection.seconds)
            self._expect(connection, {"run": {201}, "results": {200, _GOES_ON}}[connection.asked])
        if connection.asked == "run":
            connection.run = json.loads(connection.body)[_RUN_ID]
            connection.send("results", self._results(connection.run))
            return True
        if connection.asked and connection.status == _GOES_ON:
            self.going_on.append(connection.run)
        self.left -= 1
        if self.left >= 0:
            head = f"content-type: application/json\r\ncontent-length: {len(_BODY)}\r\n"
            connection.send("run", self._request("POST", "/workflows/canary/run", head) + _BODY)
        return self.left >= 0

    def see_the_rest_end(self) -> None:
        """Ask for the results of the runs that went on when they were asked for, until there are none."""
        connection = _Connection(self.url)
        with connection.socket:
            for run in self.going_on:
                connection.status = _GOES_ON
                while connection.status == _GOES_ON:
                    connection.send("results", self._results(run))
                    while not connection.is_answered():
                        pass
                    self._expect(connection, {200, _GOES_ON})

    def _expect(self, connection: _Connection, statuses: set[int]) -> None:
        if connection.status not in statuses:
            raise RuntimeError(f"{self.url} answers {connection.status}: {connection.body[:200]!r}")

    def _results(self, run: int) -> bytes:
        return self._request("GET", f"/workflow-version-execution-results?{_RUN_ID}={run}&return_all_outputs=true", "")

    def _request(self, method: str, target: str, more: str) -> bytes:
        host = urlsplit(self.url).netloc
        return f"{method} {target} HTTP/1.1\r\nhost: {host}\r\nx-api-key: sandbox-key\r\n{more}\r\n".encode()
