"""Starts judged clients by forking a process that has imported what each of them needs: a tenth of a fresh start."""

import atexit
import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

IMPORTED = ("contract_tests.client.driver.program", "shelf_client")
LARGEST_ORDER = 1 << 20


@contextlib.contextmanager
def forked_subjects() -> Iterator[None]:
    """Have clients started in this block forked, where the system can do that."""
    with pytest.MonkeyPatch.context() as patch:
        if hasattr(os, "fork"):
            forking = SimpleNamespace(Popen=ForkedProcess, PIPE=subprocess.PIPE)
            patch.setattr("contract_tests.client.subject_process.subprocess", forking)
        yield


class ForkedProcess:
    """What ``subprocess.Popen`` would be, as far as it is used for a client."""

    def __init__(self, command: Sequence[str], *, env: Mapping[str, str], **_: Any) -> None:
        self.returncode: int | None = None
        self._waiting = threading.Lock()
        (stdin, ours_in), (ours_out, stdout), (ours_err, stderr) = os.pipe(), os.pipe(), os.pipe()
        self._status, told = os.pipe()
        theirs = [stdin, stdout, stderr, told]
        order = json.dumps([command[-2], command[-1], dict(env)]).encode()
        with _nursery() as control:
            socket.send_fds(control, [order], theirs)
            self._pid = int(control.recv(20))
        for descriptor in theirs:
            os.close(descriptor)
        self.stdin, self.stdout, self.stderr = (
            os.fdopen(ours_in, "wb"),
            os.fdopen(ours_out, "rb"),
            os.fdopen(ours_err, "rb"),
        )

    def kill(self) -> None:
        """End the process."""
        if self.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)

    def wait(self) -> int:
        """Wait for its end and give its status."""
        with self._waiting:
            if self.returncode is None:
                self.returncode = int(os.read(self._status, 20))
                os.close(self._status)
        return self.returncode


@cache
def _started() -> tuple[socket.socket, threading.Lock]:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    path = json.dumps([str(Path(__file__).parent), *filter(None, sys.path)])
    command = [sys.executable, "-I", __file__, str(theirs.fileno()), path]
    process = subprocess.Popen(command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)
    theirs.close()

    def end() -> None:
        ours.close()
        process.wait()

    atexit.register(end)
    return ours, threading.Lock()


@contextlib.contextmanager
def _nursery() -> Iterator[socket.socket]:
    control, lock = _started()
    with lock:
        yield control


def main() -> None:
    """Fork whenever asked to, and tell how each child has ended."""
    control = socket.socket(fileno=int(sys.argv[1]))
    sys.path[:] = json.loads(sys.argv[2])
    for name in IMPORTED:
        __import__(name)
    wakes, wake = os.pipe()
    for end in (wakes, wake):
        os.set_blocking(end, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake)
    told: dict[int, int] = {}
    while True:
        ready, _, _ = select.select([control, wakes], [], [])
        if wakes in ready:
            os.read(wakes, 4096)
            _tell_ended(told)
        if control in ready:
            order, descriptors, *_ = socket.recv_fds(control, LARGEST_ORDER, 4)
            if not order:
                return
            *pipes, status = descriptors
            child = os.fork()
            if not child:
                _become(json.loads(order), pipes, [status, wakes, wake, control.detach()])
            for pipe in pipes:
                os.close(pipe)
            told[child] = status
            control.send(str(child).encode())


def _tell_ended(told: dict[int, int]) -> None:
    while told:
        child, status = os.waitpid(-1, os.WNOHANG)
        if not child:
            return
        os.write(told[child], str(os.waitstatus_to_exitcode(status)).encode())
        os.close(told.pop(child))


def _become(order: Sequence[Any], pipes: Sequence[int], others: Sequence[int]) -> None:
    program, argument, environment = order
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for number, pipe in enumerate(pipes):
        os.dup2(pipe, number)
    for descriptor in (*pipes, *others):
        os.close(descriptor)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    sys.argv = ["-c", argument]
    try:
        exec(program, {"__name__": "__main__"})  # noqa: S102 - what Python would do with -c
    except BaseException:  # noqa: BLE001 - said as Python would say it
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


if __name__ == "__main__":
    main()
