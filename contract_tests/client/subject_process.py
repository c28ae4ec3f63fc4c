"""One life of a judged client's process, and the conversation with it: JSON lines over its pipes."""

import contextlib
import itertools
import json
import os
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import contract_tests
from contract_tests.rules import SetUpError, shown

START_TIMEOUT: Final = 60.0
START: Final = """
import json, sys
from importlib.util import module_from_spec, spec_from_file_location
is_ours, path, harness = json.loads(sys.argv[1])
sys.path[:] = path if is_ours else [*sys.path, *path]
found = spec_from_file_location("contract_tests", harness + "/__init__.py", submodule_search_locations=[harness])
sys.modules["contract_tests"] = package = module_from_spec(found)
found.loader.exec_module(package)
from contract_tests.client.driver.program import main
main()
"""
ZONE: Final = "XYZ-05:45"  # as POSIX writes it, which needs no data
KEPT_VARIABLES: Final = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT")


@dataclass(frozen=True, kw_only=True)
class Choice:
    """
    Which client is judged.

    Attributes:
        adapter: ``MODULE:ATTRIBUTE`` of the adapter.
        generated: Import name of the generated package, empty if there is none.
        packages: Folders of the judged packages by import name; they are found before all others.
        python: The interpreter of the environment that the client is installed in.
    """

    adapter: str
    generated: str = ""
    packages: Mapping[str, Path] = field(default_factory=dict)
    python: str = sys.executable


class SubjectProcess:
    """One life of a subject."""

    def __init__(self, choice: Choice) -> None:
        self._popen = subprocess.Popen(
            [choice.python, "-I", "-B", "-c", START, json.dumps(_path(choice))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=_environment(),
        )
        self._noise: deque[bytes] = deque(maxlen=20)
        self._waiting: dict[int, Future[Mapping[str, Any]]] = {}
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._gone = False
        self._reason = ""
        self._readers = [threading.Thread(target=task, daemon=True) for task in (self._read, self._listen_to_noise)]
        started = self._expect(0)
        for reader in self._readers:
            reader.start()
        self._write({"adapter": choice.adapter, "generated": choice.generated, "packages": _texts(choice.packages)})
        self._await_start(started)

    def ask(self, message: Mapping[str, Any]) -> Future[Mapping[str, Any]]:
        """Send a message; its answer comes in time."""
        number = next(self._numbers)
        future = self._expect(number)
        self._write({**message, "id": number})
        return future

    def end(self, reason: str) -> None:
        """End the process and let go of its pipes; who waits for an answer is told the first reason."""
        self._reason = self._reason or reason
        self._popen.kill()
        self._popen.wait()
        for reader in self._readers:
            reader.join(timeout=5)
        for pipe in (self._popen.stdin, self._popen.stdout, self._popen.stderr):
            if pipe is not None:
                with contextlib.suppress(OSError):  # what was not written any more
                    pipe.close()

    def _expect(self, number: int) -> Future[Mapping[str, Any]]:
        future: Future[Mapping[str, Any]] = Future()
        with self._lock:
            self._waiting[number] = future
            if self._gone:
                self._lose_all()
        return future

    def _await_start(self, started: Future[Mapping[str, Any]]) -> None:
        try:
            answer = started.result(START_TIMEOUT)
        except FutureTimeoutError:
            answer = {"kind": "lost", "reason": f"it did not start within {START_TIMEOUT:g} s"}
        if answer["kind"] != "ready":
            self.end("the client could not be loaded")
            raise SetUpError(f"the client could not be loaded: {shown(answer['reason'])}")

    def _write(self, message: Mapping[str, Any]) -> None:
        pipe = self._popen.stdin
        assert pipe is not None
        line = json.dumps(message).encode("ascii") + b"\n"
        try:
            with self._writing:
                pipe.write(line)
                pipe.flush()
        except (OSError, ValueError):
            pass  # the process is gone; the reader says so to whoever waits

    def _read(self) -> None:
        pipe = self._popen.stdout
        assert pipe is not None
        for line in pipe:
            message = json.loads(line)
            with self._lock:
                future = self._waiting.pop(message.get("id", 0), None)
            if future is not None:
                future.set_result(message)
        self._popen.wait()
        self._readers[1].join(timeout=5)
        with self._lock:
            self._gone = True
            self._lose_all()

    def _lose_all(self) -> None:
        if self._reason:
            self._give_up(self._reason)
            return
        last = b" ".join(self._noise).decode("utf-8", "replace").strip()
        text = f"the client's process ended with status {self._popen.returncode}" + (f": {last[-500:]}" if last else "")
        self._give_up(text)

    def _give_up(self, reason: str) -> None:
        for future in self._waiting.values():
            future.set_result({"kind": "lost", "reason": reason})
        self._waiting.clear()

    def _listen_to_noise(self) -> None:
        pipe = self._popen.stderr
        assert pipe is not None
        self._noise.extend(pipe)


def _texts(packages: Mapping[str, Path]) -> dict[str, str]:
    return {name: str(folder.resolve()) for name, folder in packages.items()}


def _path(choice: Choice) -> tuple[bool, list[str], str]:
    """
    Say whether the interpreter is this one, what more it may import, and where the harness lies.

    In an environment of its own a client gets the harness's package and nothing of what is installed beside that.
    """
    harness = str(Path(contract_tests.__file__).resolve().parent)
    if choice.python != sys.executable:
        return False, [str(Path.cwd())], harness  # an adapter of the user's own lies where the user is
    return True, list(dict.fromkeys(entry or str(Path.cwd()) for entry in sys.path)), harness


def _environment() -> dict[str, str]:
    # Keys, addresses and proxies of the user's shell would make the verdict depend on the shell.
    # Whoever takes a time of another zone for one of its own is an odd number of minutes out.
    return {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ} | {"NO_PROXY": "*", "TZ": ZONE}
