"""One process of the sandbox that is killed and started again, on the same port."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any, Self

import httpx

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

KEY = {"X-API-KEY": "sandbox-key"}


class Server:
    """A process within a `with` block."""

    def __init__(self, database: str, folder: Path, number: int) -> None:
        self._log = folder / f"log-{number}"
        self._reserved = socket.socket()  # bound, so that nobody else gets the port between two starts
        self._reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._reserved.bind(("127.0.0.1", 0))
        port = self._reserved.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self.kills = self.kills_of_starting = 0
        self._is_ready = False
        options = ["--run-seconds=0.01", "--callback-attempts=9999", "--callback-backoff=0.01"]
        own = [f"--port={port}", f"--database={database}", f"--workflows={folder / 'workflows.json'}"]
        self._command = [sys.executable, "-m", "workflow_sandbox", "--end-with-parent", *own, *options]

    def __enter__(self) -> Self:
        self.begin()
        self.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        self._reserved.close()

    def begin(self) -> None:
        """Start the process without waiting for it."""
        self._is_ready = False
        with self._log.open("a") as log:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
            )

    def wait(self) -> None:
        """Wait until requests are accepted."""
        assert self._process.stdout is not None
        if not self._process.stdout.readline():
            raise RuntimeError(f"the sandbox did not start: {self._log.read_text()[-2000:]}")
        self._is_ready = True

    def kill(self) -> None:
        """End the process as `kill -9` does."""
        self.kills += 1
        self.kills_of_starting += not self._is_ready
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()

    def outputs(self, runs: Iterable[int], deadline: float) -> dict[int, dict[str, Any]]:
        """Return the values of the nodes of the runs that have ended by then."""
        found: dict[int, dict[str, Any]] = {}
        with httpx.Client(base_url=self.url, headers=KEY, timeout=60) as client:
            for run in runs:
                query = {"workflow_version_execution_id": str(run), "return_all_outputs": "true"}
                while time.monotonic() < deadline:
                    with contextlib.suppress(httpx.TransportError):
                        reply = client.get("/workflow-version-execution-results", params=query)
                        if reply.status_code != httpx.codes.ACCEPTED:
                            break
                    time.sleep(0.02)
                if reply.status_code == httpx.codes.OK:
                    found[run] = {name: node["value"] for name, node in reply.json().items()}
        return found
