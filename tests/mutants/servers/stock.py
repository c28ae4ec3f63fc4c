"""Has stock ``schemathesis run`` judge a server, and reads what it found and how soon."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from contract_tests.rules import shown
from mutants.outcome import OtherTool

PATIENCE: Final = 900.0
JUDGED: Final = (0, 1)


@dataclass(frozen=True)
class Failure:
    """One failed check of the tool, and after how many requests it came."""

    check: str
    operation: str
    after: int


def judge_with_stock(
    base_url: str, spec: Path, operations: tuple[str, ...], *, headers: Mapping[str, str], seed: int,
    directory: Path, accepted: frozenset[tuple[str, str]] = frozenset(),
) -> tuple[OtherTool, list[Failure]]:  # fmt: skip
    """
    Run it with its default settings.

    Args:
        base_url: Where the operations are.
        spec: The contract, in which the examples name what the server has.
        operations: Which operations to judge.
        headers: Sent with every request.
        seed: Of its data.
        directory: For its report.
        accepted: Check and operation of what it says of a correct server too, which tells nothing.
    """
    report = directory / "events.ndjson"
    selected = [word for name in operations for word in ("--include-operation-id", name)]
    keys = [word for name, value in headers.items() for word in ("-H", f"{name}: {value}")]
    program = Path(sys.executable).with_name("schemathesis")
    command = [str(program), "run", str(spec), "--url", base_url, *selected, *keys, "--seed", str(seed), "--no-color"]
    started = time.monotonic()
    try:
        done = subprocess.run(
            [*command, "--report", "ndjson", "--report-ndjson-path", str(report)],
            cwd=directory, env=dict(os.environ), capture_output=True, text=True, timeout=PATIENCE, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return OtherTool(seconds=PATIENCE, problem=f"no end within {PATIENCE:g} seconds"), []
    seconds = time.monotonic() - started
    if done.returncode not in JUDGED or not report.is_file():
        return OtherTool(seconds=seconds, problem=shown(done.stderr or done.stdout, 120)), []
    failures = [one for one in read_failures(report) if (one.check, one.operation) not in accepted]
    codes = tuple(dict.fromkeys(one.check for one in failures))
    return OtherTool(codes=codes, after=min((one.after for one in failures), default=None), seconds=seconds), failures


def read_failures(report: Path) -> list[Failure]:
    """Read the failed checks from its events, with the number of requests that had been sent until each."""
    scenarios = list(_scenarios(report))
    # Its report leaves out what is empty: a scenario that sent nothing has neither interactions nor checks.
    sent = [recorder.get("interactions", {}) for recorder in scenarios]
    times = sorted(interaction["timestamp"] for interactions in sent for interaction in interactions.values())
    found = []
    for recorder, interactions in zip(scenarios, sent, strict=True):
        for case, checks in recorder.get("checks", {}).items():
            at = interactions.get(case, {}).get("timestamp")
            after = len(times) if at is None else sum(time <= at for time in times)
            found += [
                Failure(check["name"], recorder["label"], after) for check in checks if check["status"] == "failure"
            ]
    return sorted(found, key=lambda one: one.after)


def _scenarios(report: Path) -> Iterator[dict[str, Any]]:
    for line in report.read_text(encoding="utf-8").splitlines():
        event = json.loads(line)
        if "ScenarioFinished" in event:
            yield event["ScenarioFinished"]["recorder"]
