"""The sandbox as a child process, for tests and for whoever wants it for the length of a `with` block."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, Self

from workflow_sandbox.answer_server import AnswerServer
from workflow_sandbox.control import Control
from workflow_sandbox.prompt import Prompt

_SECONDS_TO_START = 60
_SECONDS_TO_STOP = 10


class SandboxFailed(RuntimeError):
    """The sandbox did not start; the text says what it wrote before it ended."""


class Sandbox(Control):
    """A running sandbox, in a process of its own.

        with Sandbox() as sandbox:
            httpx.get(sandbox.promptlayer_url + "/workflow-version-execution-results", ...)

    Within the block it can be stopped or killed and started again; it then listens on the same port and finds the same
    database.
    """

    def __init__(
        self,
        *,
        database: str | os.PathLike[str] | None = None,
        port: int = 0,
        api_key: str = "sandbox-key",
        run_seconds: float | None = None,
        workflows: str | os.PathLike[str] | Mapping[str, Any] = MappingProxyType({}),
        answer: Callable[[Prompt], Any] | None = None,
        settings: Mapping[str, str | int] = MappingProxyType({}),
        options: Sequence[str] = (),
    ) -> None:
        """Describe a sandbox; nothing runs before the `with` block.

        Args:
            database: Its SQLite file, or a `postgresql://` URL. By default a temporary file that the end of the block
                removes.
            port: Port on loopback; 0 takes a free one at the first start.
            api_key: Key and bearer.
            run_seconds: Seconds that each node of a run takes; by default what the command line has as default.
            workflows: Your own PromptLayer workflows: a file (docs/sandbox.md), or its table `workflows` as a mapping.
            answer: What replies to prompts, on a thread of this process; what it raises is the failure of the node.
            settings: What the services' documentation leaves open, decided otherwise; docs/sandbox.md lists the names.
            options: Further options of the command line.
        """
        self.api_key = api_key
        self._database = database
        self._workflows = workflows
        self._answer = answer
        self._answer_server: AnswerServer | None = None
        self._port = port
        self._options = [
            *([] if run_seconds is None else [f"--run-seconds={run_seconds}"]),
            *(f"--set={name}={value}" for name, value in settings.items()),
            *options,
        ]
        self._directory: tempfile.TemporaryDirectory[str] | None = None
        self._process: subprocess.Popen[str] | None = None
        self._url = self._admin_url = ""
        self._reserved: socket.socket | None = None

    @property
    def promptlayer_url(self) -> str:
        """PromptLayer's base URL, without a slash at its end."""
        return self._url

    @property
    def log(self) -> str:
        """What the server has written to its standard error, over all starts within the block."""
        return self._log_file.read_text(encoding="utf-8", errors="replace")

    def __repr__(self) -> str:
        return f"<Sandbox {self._url or 'not started'}>"

    def __enter__(self) -> Self:
        self._directory = tempfile.TemporaryDirectory(prefix="workflow-sandbox-")
        self._reserve_port()
        try:
            if self._answer is not None:
                self._answer_server = AnswerServer(self._answer)
            self.start()
        except BaseException:
            self._clean_up()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()
        self._clean_up()

    def _clean_up(self) -> None:
        if self._answer_server is not None:
            self._answer_server.close()
            self._answer_server = None
        if self._directory is not None:
            self._directory.cleanup()
        if self._reserved is not None:
            self._reserved.close()

    def _reserve_port(self) -> None:
        # A port that nobody listens on may be given to any connection on this machine. On Linux a bound socket that
        # does not listen keeps it for the server to come back to; elsewhere it would keep the server out as well.
        if sys.platform != "linux":
            return
        self._reserved = socket.socket()
        self._reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with contextlib.suppress(OSError):  # a port that is taken is for the server to tell
            self._reserved.bind(("127.0.0.1", self._port))
            self._port = self._reserved.getsockname()[1]

    def start(self) -> None:
        """Start the server and return once it accepts requests; `with` has done so already.

        Raises:
            SandboxFailed: It ended before that, or took longer than a minute.
        """
        if self._process is not None:
            raise RuntimeError("the sandbox is running already")
        process = self._spawn()
        # Should the server hang, its end closes the pipe and readline returns.
        too_late = threading.Timer(_SECONDS_TO_START, process.kill)
        try:
            too_late.start()
            self._url, self._admin_url = self._addresses(process)
        except BaseException:  # Ctrl-C too: nothing is left running, and nothing waits for the timer
            process.kill()
            _let_go(process)
            raise
        finally:
            too_late.cancel()
        self._process, self._port = process, int(self._url.rpartition(":")[2])

    def _addresses(self, process: "subprocess.Popen[str]") -> tuple[str, str]:
        assert process.stdout is not None
        with process.stdout:
            url, admin_url = process.stdout.readline().strip(), process.stdout.readline().strip()
        if not admin_url:
            status = process.wait()
            raise SandboxFailed(self.log.strip() or f"the sandbox ended with status {status}")
        return url, admin_url

    def _admin(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        content = None if body is None else json.dumps(body).encode()
        headers = {} if body is None else {"Content-Type": "application/json"}
        request = urllib.request.Request(self._admin_url + path, content, headers, method=method)  # noqa: S310 - ours
        # A proxy that the environment names has no business between two processes of this machine.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=_SECONDS_TO_STOP) as response:
                return json.loads(response.read() or b"null")
        except urllib.error.HTTPError as error:
            with error:
                raise ValueError(json.loads(error.read())["error"]) from None

    def stop(self) -> int | None:
        """Stop the server cleanly; return its exit status, or None if it was not running."""
        return self._end(subprocess.Popen.terminate)

    def kill(self) -> None:
        """End the server at once, as `kill -9` does; accepted runs stay in the database."""
        self._end(subprocess.Popen.kill)

    def _end(self, how: "Callable[[subprocess.Popen[str]], None]") -> int | None:
        if self._process is None:
            return None
        process, self._process = self._process, None
        how(process)
        try:
            process.wait(_SECONDS_TO_STOP)
        except subprocess.TimeoutExpired:
            process.kill()
        return _let_go(process)

    @property
    def _log_file(self) -> Path:
        if self._directory is None:
            raise RuntimeError("a sandbox is used in a `with` block")
        return Path(self._directory.name, "sandbox.log")

    def _own_workflows(self) -> list[str]:
        asked = [] if self._answer_server is None else [f"--answers-from={self._answer_server.url}"]
        if not self._workflows:
            return asked
        file = self._workflows
        if isinstance(file, Mapping):
            content, file = file, self._log_file.with_name("workflows.json")
            file.write_text(json.dumps({"workflows": dict(content)}), encoding="ascii")
        return [f"--workflows={os.fspath(file)}", *asked]

    def _spawn(self) -> subprocess.Popen[str]:
        database = self._database or self._log_file.with_name("sandbox.db")
        owned = "" if self._directory is None else self._directory.name
        arguments = [
            "--end-with-parent",
            f"--port={self._port}",
            "--admin-port=0",
            f"--database={database}",
            f"--api-key={self.api_key}",
            *self._own_workflows(),
            *self._options,
        ]
        # The package that was imported here is the one to run, wherever it lies; -P keeps the current directory out.
        path = os.pathsep.join(filter(None, [str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH")]))
        with self._log_file.open("a", encoding="utf-8") as log:
            process = subprocess.Popen(  # our own interpreter and package
                [sys.executable, "-P", "-m", "workflow_sandbox", *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env={**os.environ, "PYTHONPATH": path},
                start_new_session=True,  # what kills a whole group leaves it the time to remove its folder
            )
        assert process.stdin is not None
        with contextlib.suppress(OSError):  # a server that has ended at once says why in its log
            process.stdin.write(f"{owned}\n")
            process.stdin.flush()
        return process


def _let_go(process: "subprocess.Popen[str]") -> int:
    """Wait for the end of a process that was told to end, and close the pipe by which it knows that we are here."""
    status = process.wait()
    if process.stdin is not None:
        with contextlib.suppress(OSError):
            process.stdin.close()
    return status
