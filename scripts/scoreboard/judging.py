"""Has the harness judge a subject, and turns its report into what the scoreboard keeps."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import making

if TYPE_CHECKING:
    from pathlib import Path

    from subjects import Subject

VARIABLE = "CONTRACT_TESTS_CLIENT_PYTHON"
JUDGED = (0, 1)
UNCLAIMED = "not claimed: "
SHOWN_FINDINGS = 2
LONGEST = 200
# What differs from run to run and says nothing: ports, addresses in memory, ids drawn by a client.
PASSING = (
    (re.compile(r"(127\.0\.0\.1:|port=)\d+"), r"\1PORT"),
    (re.compile(r"0x[0-9a-f]{8,}"), "0x..."),
    (re.compile(r"\b[0-9a-f]{32}\b"), "(32 digits)"),
    (re.compile(r"\d+\.\d+ s\b"), "some s"),
)

Row = dict[str, Any]


@dataclass(frozen=True)
class Place:
    """Where a subject is: a folder for what is made of it, and the interpreter of its environment."""

    folder: Path
    python: Path


def judge(subject: Subject, place: Place, *, seed: int, budget: str, rule: str | None = None) -> dict[str, Any]:
    """
    Judge a subject by all rules of the client side, or by one, and give the harness's report.

    Args:
        subject: Whom.
        place: Where it is.
        seed: Of the harness.
        budget: Of the harness.
        rule: Id or glob of the only rule.

    Raises:
        CannotMakeError: If the subject cannot be made or judged.
    """
    generated = subject.make(place.python, place.folder)
    report = place.folder / "report"
    command = [sys.executable, "-m", "contract_tests", "--side", "client", "--adapter", subject.adapter]
    command += ["--seed", str(seed), "--budget", budget, "--report-dir", str(report)]
    command += ["--generated", str(generated)] if generated else []
    command += ["-k", rule] if rule else []
    environment = {**os.environ, VARIABLE: str(place.python)}
    done = subprocess.run(command, cwd=place.folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode not in JUDGED:
        raise making.CannotMakeError(f"{subject.id}: {done.stderr.strip()[-2000:]}")
    results: dict[str, Any] = json.loads((report / "results.json").read_text(encoding="utf-8"))
    return results


def row_of(subject: Subject, row: Row) -> Row:
    """Return what the scoreboard keeps of a row of the report."""
    kept = {name: row[name] for name in ("id", "title", "basis", "operation")}
    verdict, reason, source = _verdict(subject, row)
    return {
        **kept,
        "verdict": verdict,
        "seen": row["verdict"],
        "reason": _lasting(reason),
        "source": source,
        "constraints": len(row["findings"]),
        "findings": [_finding(finding) for finding in row["findings"][:SHOWN_FINDINGS]],
    }


def _verdict(subject: Subject, row: Row) -> tuple[str, str, str]:
    if row["verdict"] == "not_applicable":
        reason = row["received"]
        if reason.startswith(UNCLAIMED):
            return "not_offered", reason.removeprefix(UNCLAIMED), f"the adapter {subject.adapter}"
        return "not_applicable", reason, ""
    for claim in subject.not_claimed:
        if claim.covers(row["id"], row["operation"]):
            return "not_claimed", claim.because, claim.source
    if row["verdict"] in {"pass", "violation"}:
        return {"pass": "kept", "violation": "broken"}[row["verdict"]], "", ""
    return "not_exercised", row["received"], ""


def _finding(finding: dict[str, str]) -> dict[str, str]:
    return {name: _lasting(finding[name]) for name in ("identity", "documented", "received")}


def _lasting(text: str) -> str:
    for pattern, replacement in PASSING:
        text = pattern.sub(replacement, text)
    text = " ".join(text.encode("utf-8", "backslashreplace").decode().split())
    return text if len(text) <= LONGEST else text[:LONGEST] + " ..."
