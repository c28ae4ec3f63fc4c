"""Running `workflow-runs` as a user does: in a process of its own, with pipes or on a terminal."""

from __future__ import annotations

import atexit
import functools
import json
import os
import pty
import subprocess
import sys
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PROGRAM = [sys.executable, "-m", "workflow_runs.command_line"]
KEY = "sandbox-key"


@dataclass(frozen=True)
class Done:
    """What a command left behind."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on standard output."""
        (line,) = self.out.splitlines()
        return json.loads(line)

    @property
    def lines(self) -> list[Any]:
        """The JSON lines on standard output."""
        return [json.loads(line) for line in self.out.splitlines()]


class Nursery:
    """The process that others are forked from."""

    def __init__(self) -> None:
        program = [sys.executable, str(Path(__file__).with_name("nursery.py"))]
        self._process = subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        atexit.register(self._end)

    def run(self, **command: Any) -> int:
        """Fork a process, wait for its end, and give its exit status."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def _end(self) -> None:
        self._process.communicate()


@functools.cache
def nursery() -> Nursery:
    """The one of this process of tests."""
    return Nursery()


@dataclass(frozen=True)
class Shell:
    """Where commands run, and against which service."""

    directory: Path
    base_url: str

    def environment(self, **more: str | None) -> dict[str, str]:
        """The variables of a command; None takes one away."""
        quiet = {"PYTHONWARNINGS": "error", "COLUMNS": "80", "TERM": "xterm", "NO_COLOR": "1"}
        all_of_them = {**os.environ, **quiet, "PROMPTLAYER_API_KEY": KEY, "PROMPTLAYER_BASE_URL": self.base_url, **more}
        return {name: value for name, value in all_of_them.items() if value is not None}

    def do(
        self,
        *arguments: str,
        text: str | None = None,
        variables: Mapping[str, str | None] | None = None,
        out: str | None = None,
    ) -> Done:
        """Run a command to its end, in a process that is forked from one with everything loaded.

        `out` is a device that takes its standard output.
        """
        given = self.directory.parent / f"{self.directory.name}-streams"
        given.mkdir(exist_ok=True)
        paths = {name: given / name for name in ("in", "out", "err")}
        for name, path in paths.items():
            path.write_text((text or "") if name == "in" else "", encoding="utf-8", errors="surrogateescape")
        status = nursery().run(
            arguments=arguments,
            directory=str(self.directory),
            environment=self.environment(**variables or {}),
            **{name: (out if out and name == "out" else str(path)) for name, path in paths.items()},
        )
        return Done(status, paths["out"].read_text(encoding="utf-8"), paths["err"].read_text(encoding="utf-8"))

    def do_afresh(self, *arguments: str, text: str = "", variables: Mapping[str, str | None] | None = None) -> Done:
        """Run a command to its end in a process of its own."""
        done = subprocess.run(
            [*PROGRAM, *arguments], cwd=self.directory, env=self.environment(**variables or {}), input=text,
            capture_output=True, text=True, timeout=600, check=False,
        )  # fmt: skip
        return Done(done.returncode, done.stdout, done.stderr)

    def begin(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command, with pipes."""
        return subprocess.Popen(
            [*PROGRAM, *arguments], cwd=self.directory, env=self.environment(), text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def on_a_terminal(self, *arguments: str, variables: Mapping[str, str | None] | None = None) -> Done:
        """Run a command whose standard error is a terminal."""
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            [*PROGRAM, *arguments], cwd=self.directory, env=self.environment(**variables or {}), text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=theirs,
        )  # fmt: skip
        os.close(theirs)
        shown: list[bytes] = []
        reader = threading.Thread(target=_drain, args=(ours, shown))
        reader.start()
        out, _ = process.communicate(timeout=600)
        reader.join()
        os.close(ours)
        return Done(process.returncode, out, b"".join(shown).decode())


def _drain(terminal: int, shown: list[bytes]) -> None:
    while True:
        try:
            found = os.read(terminal, 65536)
        except OSError:  # the terminal has lost its last user
            return
        if not found:
            return
        shown.append(found)


class Scripted:
    """A service on a socket that does what a function says: a status and a body, or None for no reply at all."""

    def __init__(self, answer: Callable[[str, str], tuple[int, Any] | None]) -> None:
        self.requests: list[tuple[str, str, bytes]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler(answer))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def _handler(self, answer: Callable[[str, str], tuple[int, Any] | None]) -> type[BaseHTTPRequestHandler]:
        requests = self.requests

        class Handler(BaseHTTPRequestHandler):
            def _do(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                requests.append((self.command, self.path, body))
                found = answer(self.command, self.path)
                if found is None:
                    self.close_connection = True
                    return
                content = json.dumps(found[1]).encode()
                self.send_response(found[0])
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

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
