"""`kill -9` at the worst moments, against a real server: over any number of kills, no item is executed twice."""

from __future__ import annotations

import json
import os
import random
import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

import httpx
import pytest

from workflow_sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ITEMS, CONCURRENCY, KILLS = 32, 8, 6
# Before the server has the request, before the client has the reply, right after it, and while it waits.
MOMENTS = ("unsent", "unanswered", "answered", "asked")


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Killed clients reset their connections: that is what this is for."""


class Proxy:
    """Passes requests on to a server, and kills the client at a chosen moment of a chosen request."""

    def __init__(self, target: str) -> None:
        self._http = httpx.Client(base_url=target, timeout=30)
        self._lock = threading.Lock()
        self._victim: subprocess.Popen[bytes] | None = None
        self._moment, self._left = "", 0
        self.kills: Counter[str] = Counter()
        self._server = _Quiet(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def aim(self, victim: subprocess.Popen[bytes], moment: str, number: int) -> None:
        """Kill a process when so many requests have come to a moment."""
        with self._lock:
            self._victim, self._moment, self._left = victim, moment, number

    def at(self, moment: str) -> None:
        """A request has come to a moment."""
        with self._lock:
            if self._victim is None or moment != self._moment:
                return
            self._left -= 1
            if self._left == 0 and self._victim.poll() is None:
                self._victim.kill()
                self._victim.wait()
                self.kills[moment] += 1

    def pass_on(self, method: str, path: str, headers: Any, body: bytes) -> httpx.Response:
        """Send a request to the server."""
        if method == "POST":
            self.at("unsent")
            if self._victim is not None and self._victim.poll() is not None:
                raise ConnectionAbortedError  # it died with the request on its way: the server never gets it
        kept = {name: value for name, value in headers.items() if name.lower() in {"x-api-key", "content-type"}}
        reply = self._http.request(method, path, headers=kept, content=body)
        self.at("unanswered" if method == "POST" else "asked")
        return reply

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _do(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                try:
                    reply = proxy.pass_on(self.command, self.path, self.headers, body)
                    self.send_response(reply.status_code)
                    self.send_header("content-type", reply.headers["content-type"])
                    self.send_header("content-length", str(len(reply.content)))
                    self.end_headers()
                    self.wfile.write(reply.content)
                    self.wfile.flush()
                except ConnectionError:
                    self.close_connection = True
                    return
                if self.command == "POST":
                    proxy.at("answered")

            do_GET = do_POST = _do  # noqa: N815 - the library's names

            def log_message(self, *_: object) -> None:
                """Keep the tests' output clean."""

        return Handler

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._http.close()


def _executions(database: Path) -> Counter[str]:
    connection = sqlite3.connect(database)
    try:
        rows = connection.execute("SELECT input_variables FROM runs").fetchall()
    finally:
        connection.close()
    return Counter(json.loads(text)["user_message"] for (text,) in rows)


def _batch(where: Path, base_url: str, ledger: str = "batch.ledger", output: str = "out.jsonl") -> Any:
    command = [sys.executable, "-m", "workflow_runs.command_line", "batch", "in.jsonl", "--workflow", "canary"]
    options = ["--ledger", ledger, "--output", output, "--concurrency", str(CONCURRENCY), "--base-url", base_url]
    environment = {**os.environ, "PROMPTLAYER_API_KEY": "sandbox-key"}
    return subprocess.Popen([*command, *options], cwd=where, env=environment, stderr=subprocess.DEVNULL)


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    """A server whose executions can be counted when it has stopped."""
    with Sandbox(database=tmp_path / "sandbox.db", run_seconds=0.05) as running:
        yield running


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.nightly)])
def test_no_number_of_kills_executes_an_item_twice(seed: int, sandbox: Sandbox, tmp_path: Path) -> None:
    """Killed at every kind of moment, the batch goes on each time, and all that isn't in doubt has one result."""
    chance = random.Random(seed)  # noqa: S311 - moments, no secret
    lines = [json.dumps({"key": f"k{n}", "input_variables": {"user_message": f"m{n}"}}) for n in range(ITEMS)]
    (tmp_path / "in.jsonl").write_text("\n".join(lines))
    moments = [*MOMENTS, *(chance.choice(MOMENTS) for _ in range(KILLS - len(MOMENTS)))]
    with Proxy(sandbox.promptlayer_url) as proxy:
        for moment in moments:
            process = _batch(tmp_path, proxy.url)
            proxy.aim(process, moment, chance.randrange(1, 6))
            process.wait(timeout=600)
        last = _batch(tmp_path, proxy.url)
        proxy.aim(last, "never", 1)
        status = last.wait(timeout=600)
        assert _batch(tmp_path, proxy.url).wait(timeout=600) == status
    sandbox.stop()
    assert proxy.kills.keys() == {*MOMENTS}
    executions = _executions(tmp_path / "sandbox.db")
    assert max(executions.values()) == 1
    written = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert Counter(line["key"] for line in written) == {f"k{n}": 1 for n in range(ITEMS)}
    states = {line["key"]: line["state"] for line in written}
    in_doubt = {key for key, state in states.items() if state == "in_doubt"}
    assert {states[key] for key in states.keys() - in_doubt} == {"succeeded"}
    assert len(in_doubt) <= CONCURRENCY * sum(proxy.kills.values())
    assert {executions[key.replace("k", "m")] for key in in_doubt} == {0, 1}  # no guess would have been right for all
    assert status == 4
    for line in written:
        message = line["key"].replace("k", "m")
        if line["state"] == "succeeded":
            assert executions[message] == 1
            assert line["output"].endswith(f"{message})")


def test_the_count_would_find_a_second_execution(sandbox: Sandbox, tmp_path: Path) -> None:
    """The counter-check: with a ledger of its own a second batch runs everything again, and the count tells."""
    (tmp_path / "in.jsonl").write_text('{"input_variables": {"user_message": "m"}}')
    for name in ("one", "two"):
        assert _batch(tmp_path, sandbox.promptlayer_url, name, f"{name}.jsonl").wait(timeout=600) == 0
    sandbox.stop()
    assert _executions(tmp_path / "sandbox.db") == {"m": 2}
