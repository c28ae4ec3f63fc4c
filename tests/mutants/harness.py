"""Runs the harness on one subject, in a process of its own, and reads back which rules were broken."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from contract_tests.report.writing import RESULTS
from contract_tests.rules import Verdict, shown
from mutants.fork_server import ForkServer, Order
from mutants.outcome import Judgement

JUDGED: Final = (0, 1)
PATIENCE: Final = 900.0
NO_STATUS: Final = "no end within {:g} seconds"


def judge(
    arguments: Sequence[str],
    report_dir: Path,
    *,
    environment: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    fork_server: ForkServer | None = None,
) -> Judgement:
    """
    Run ``python -m contract_tests`` with these arguments and say what it found.

    Args:
        arguments: Of the command line, without ``--report-dir``.
        report_dir: Where its report goes.
        environment: More variables for the process.
        cwd: Its current directory; None for ours. Not for a fork server.
        fork_server: A process that is ready to judge; None to start one anew, as a user does.
    """
    complete = (*arguments, "--report-dir", str(report_dir))
    started = time.monotonic()
    if fork_server is None:
        status, words = _fresh(complete, dict(environment or {}), cwd)
    else:
        status, words = _forked(fork_server, complete, dict(environment or {}), report_dir)
    seconds = time.monotonic() - started
    if status not in JUDGED:
        return Judgement(seconds=seconds, problem=shown(" ".join(words.split()) or f"exit {status}"))
    return read_judgement(json.loads((report_dir / RESULTS).read_text(encoding="utf-8")), seconds)


def read_judgement(report: Mapping[str, Any], seconds: float) -> Judgement:
    """Read which rules were broken, and how soon the first one was, from ``results.json``."""
    broken = [row for row in report["results"] if row["verdict"] == Verdict.VIOLATION]
    found_after = [row["found_after"] for row in broken if row.get("found_after") is not None]
    fired = dict.fromkeys(row["id"] for row in broken)
    named = dict.fromkeys(one["identity"] for row in broken for one in row.get("findings", [row]))
    after = min(found_after, default=None)
    return Judgement(fired=tuple(fired), identities=tuple(named), after=after, seconds=seconds)


def _fresh(arguments: Sequence[str], environment: Mapping[str, str], cwd: Path | None) -> tuple[int | None, str]:
    command = [sys.executable, "-m", "contract_tests", *arguments]
    try:
        done = subprocess.run(
            command,
            env={**os.environ, **environment},
            cwd=cwd,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return None, NO_STATUS.format(PATIENCE)
    return done.returncode, done.stderr


def _forked(
    fork_server: ForkServer, arguments: tuple[str, ...], environment: Mapping[str, str], report_dir: Path
) -> tuple[int | None, str]:
    report_dir.mkdir(parents=True, exist_ok=True)
    said = report_dir / "output.txt"
    status = fork_server.status(Order(arguments, environment, said), PATIENCE)
    return status, said.read_text(encoding="utf-8", errors="replace")[-1000:]
