"""The two servers that are measured: the sandbox on a file of SQLite's, and Prism with the same contract."""

from __future__ import annotations

import contextlib
import os
import socket
import sqlite3
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Failed", "Served", "kept", "prism", "sandbox"]

PRISM = "5.16.0"
_ROOT = Path(__file__).resolve().parents[2]
_SECONDS = 60


class Failed(Exception):
    """A server can't be had. Its text is one line for a person."""


@dataclass(frozen=True)
class Served:
    """A server in a process of its own."""

    name: str
    url: str
    pid: int

    @property
    def processor_seconds(self) -> float:
        """What all its threads have had of the processor."""
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def mebibytes(self) -> float:
        """Its memory."""
        lines = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1024


@contextlib.contextmanager
def sandbox(database: Path) -> Iterator[Served]:
    """The sandbox, whose nodes take no time beyond their own."""
    command = [sys.executable, "-m", "workflow_sandbox", "--port=0", f"--database={database}", "--run-seconds=0"]
    with _process(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        yield Served("sandbox", process.stdout.readline().strip(), process.pid)


def kept(database: Path) -> tuple[int, int]:
    """Return how many runs are in the sandbox's file, and how many nodes have not succeeded."""
    with contextlib.closing(sqlite3.connect(database)) as connection:
        ((runs,),) = connection.execute("SELECT count(*) FROM runs")
        ((others,),) = connection.execute("SELECT count(*) FROM nodes WHERE status <> 'SUCCESS'")
    return runs, others


@contextlib.contextmanager
def prism(folder: Path) -> Iterator[Served]:
    """Prism, installed to `folder` if it is not there, as it is fastest: one process, no log.

    Raises:
        Failed: It can't be installed or does not start.
    """
    program = folder / "node_modules" / "@stoplight" / "prism-cli" / "dist" / "index.js"
    if not program.exists():
        install = ["npm", "install", "--no-audit", "--no-fund", f"--prefix={folder}", f"@stoplight/prism-cli@{PRISM}"]
        if subprocess.run(install, capture_output=True, check=False).returncode:
            raise Failed(f"npm can't install Prism {PRISM}")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    contract = str(_ROOT / "openapi.yaml")
    command = [
        "node",
        str(program),
        "mock",
        "--multiprocess=false",
        "--verboseLevel=silent",
        f"--port={port}",
        contract,
    ]
    with _process(command, stdout=subprocess.DEVNULL, env={**os.environ, "NODE_ENV": "production"}) as process:
        ends = time.monotonic() + _SECONDS
        while not _accepts(port):
            if time.monotonic() > ends or process.poll() is not None:
                raise Failed("Prism does not start")
            time.sleep(0.1)
        yield Served(f"Prism {PRISM}", f"http://127.0.0.1:{port}", process.pid)


def _accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


@contextlib.contextmanager
def _process(command: list[str], **options: object) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(command, text=True, **options) as process:  # type: ignore[call-overload]
        try:
            yield process
        finally:
            process.terminate()
