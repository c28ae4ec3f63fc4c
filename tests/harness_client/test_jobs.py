"""``--jobs``: a client's operations are judged in several processes, with the verdicts and the ends of one."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from contract_tests.__main__ import main
from harness_client.test_client_command_line import OWN_GENERATED, replace, run

RULES = ("-k", "CL-RE[QP]-*")  # more rows than are worth a process


@pytest.mark.nightly
def test_verdicts_are_those_of_one_process(tmp_path: Path) -> None:
    """What is planted in an operation is found in whichever process judges it, and all else is judged as by one."""
    generated = tmp_path / "changed" / OWN_GENERATED.name
    shutil.copytree(OWN_GENERATED, generated)
    replace(
        generated / "api" / "promptlayer" / "run_workflow.py",
        '"callback_url": callback_url',
        '"callbackUrl": callback_url',
    )

    shared = run(tmp_path, "--generated", str(generated), *RULES, "--jobs", "3")
    alone = run(tmp_path, "--generated", str(generated), *RULES, "--jobs", "1")

    assert ("CL-REQ-08", "runWorkflow") in alone.broken
    assert _said(shared.rows) == _said(alone.rows)
    assert shared.status == alone.status == 1
    assert len({row["operation"] for row in shared.rows if row["verdict"] == "pass"}) > 10


def _said(rows: list[dict[str, Any]]) -> list[tuple[str, ...]]:
    return [tuple(str(row[name]) for name in ("id", "operation", "verdict", "identity", "reproduce")) for row in rows]


@pytest.mark.nightly
def test_process_that_ends_early_ends_the_run(tmp_path: Path) -> None:
    """One that is killed is exit status 2 with a sentence; its rows are not exercised, those of others are judged."""
    with _started(tmp_path) as (process, others):
        os.kill(others[0], signal.SIGKILL)
        _, errors = process.communicate(timeout=600)
    report = json.loads((tmp_path / "report" / "results.json").read_text())

    assert process.returncode == 2
    assert "could not run to the end: a process of the harness has ended before it was done" in errors
    assert report["summary"]["pass"] > 0
    assert report["summary"]["not_exercised"] > 0


@pytest.mark.parametrize(
    "ending",
    [
        pytest.param(signal.SIGTERM, marks=pytest.mark.slow),
        *(pytest.param(one, marks=pytest.mark.nightly) for one in (signal.SIGINT, signal.SIGKILL)),
    ],
)
def test_no_process_outlives_the_run(ending: signal.Signals, tmp_path: Path) -> None:
    """However a run is ended, its processes end with it."""
    with _started(tmp_path) as (process, others):
        process.send_signal(ending)
        _, errors = process.communicate(timeout=600)
        deadline = time.monotonic() + 60
        while any(Path(f"/proc/{other}").exists() for other in others):
            assert time.monotonic() < deadline
            time.sleep(0.05)

    assert ending is signal.SIGKILL or "could not run to the end: interrupted" in errors
    assert list((tmp_path / "tmp").iterdir()) == [] or ending is signal.SIGKILL


@contextmanager
def _started(folder: Path) -> Iterator[tuple[subprocess.Popen[str], list[int]]]:
    """Start a run in two processes; return the first, and what further ones it has begun to judge with."""
    if not Path("/proc/self/task").is_dir():
        pytest.skip("only Linux tells which processes a process has started")
    (folder / "tmp").mkdir()
    command = [sys.executable, "-m", "contract_tests", "--side", "client", *RULES, "--jobs", "2", "--report-dir"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "TMPDIR": str(folder / "tmp")}
    with subprocess.Popen(
        [*command, str(folder / "report")],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        while not (others := [*_further(process.pid)]):
            assert process.poll() is None
            time.sleep(0.05)
        yield process, others


def _further(process: int) -> Iterator[int]:
    for child in Path(f"/proc/{process}/task/{process}/children").read_text().split():
        if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes() and _has_client(child):
            yield int(child)


def _has_client(process: str) -> bool:
    return Path(f"/proc/{process}/task/{process}/children").read_text() != ""


@pytest.mark.parametrize("text", ["0", "-1", "two", "1.5"])
def test_number_of_processes_is_a_whole_one(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Anything else is refused, by name."""
    assert main(["--jobs", text]) == 2
    assert f"argument --jobs: {text!r} is not a whole number from 1" in capsys.readouterr().err
