"""Runs the harness on one subject, in a process of its own, and reads back which rules were broken."""

import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from contract_tests.faults.outcome import Judgement
from contract_tests.report.writing import RESULTS
from contract_tests.rules import Verdict, shown

JUDGED = (0, 1)
PATIENCE = 900.0


def judge(
    arguments: Sequence[str], report_dir: Path, *, environment: Mapping[str, str] | None = None, cwd: Path | None = None
) -> Judgement:
    """
    Run ``python -m contract_tests`` with these arguments and say what it found.

    Args:
        arguments: Of the command line, without ``--report-dir``.
        report_dir: Where its report goes.
        environment: The whole environment of the process; None for our own.
        cwd: Its current directory; None for ours.
    """
    command = [sys.executable, "-m", "contract_tests", *arguments, "--report-dir", str(report_dir)]
    started = time.monotonic()
    try:
        done = subprocess.run(
            command, env=environment, cwd=cwd, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    except subprocess.TimeoutExpired:
        return Judgement(seconds=PATIENCE, problem=f"no end within {PATIENCE:g} seconds")
    seconds = time.monotonic() - started
    if done.returncode not in JUDGED:
        return Judgement(seconds=seconds, problem=shown(" ".join(done.stderr.split()) or f"exit {done.returncode}"))
    return read_judgement(json.loads((report_dir / RESULTS).read_text(encoding="utf-8")), seconds)


def read_judgement(report: Mapping[str, Any], seconds: float) -> Judgement:
    """Read which rules were broken, and how soon the first one was, from ``results.json``."""
    broken = [row for row in report["results"] if row["verdict"] == Verdict.VIOLATION]
    found_after = [row["found_after"] for row in broken if row.get("found_after") is not None]
    fired = dict.fromkeys(row["id"] for row in broken)
    return Judgement(fired=tuple(fired), after=min(found_after, default=None), seconds=seconds)
