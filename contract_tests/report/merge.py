"""Makes one report out of several, such as those of shards."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from contract_tests.arguments import MergeOptions
from contract_tests.masking import Secrets
from contract_tests.registry import rules_by_chapter
from contract_tests.report.results import Report, worse
from contract_tests.report.terminal import Terminal
from contract_tests.report.writing import RESULTS, write_reports
from contract_tests.rules import SetUpError

KEYS = {"contract", "targets", "seed", "duration_s", "summary", "coverage", "results"}


def merge(options: MergeOptions) -> int:
    """
    Write the one report; give the exit status that a single run would have had.

    Raises:
        SetUpError: If one of the reports cannot be read, or they are about different contracts.
    """
    parts = [_read(directory) for directory in options.directories]
    if any(part["contract"] != parts[0]["contract"] for part in parts):
        raise SetUpError("merge: the reports are about different contracts")
    report = _merged(parts)
    write_reports(report, options.report_dir)
    Terminal(Secrets(), sys.stdout).finish(report, options.report_dir)
    return int(any(row["fails"] for row in report.results))


def _merged(parts: Sequence[dict[str, Any]]) -> Report:
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for row in (row for part in parts for row in part["results"]):
        key = (row["id"], row["operation"])
        rows[key] = worse(rows[key], row) if key in rows else row
    known = {rule.id: (chapter, rule.source) for chapter, rules in rules_by_chapter().items() for rule in rules}
    return Report(
        contract=parts[0]["contract"],
        targets=_targets(parts),
        seed=parts[0]["seed"],
        duration_s=round(sum(part["duration_s"] for part in parts), 3),
        coverage=_coverage([part["coverage"] for part in parts]),
        results=list(rows.values()),
        chapters={id_: known.get(id_, ("Rules of another version", ""))[0] for id_, _ in rows},
        sources={id_: known.get(id_, ("", "unknown"))[1] for id_, _ in rows},
    )


def _targets(parts: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    found: dict[tuple[str, str, str], dict[str, Any]] = {}
    for target in (target for part in parts for target in part["targets"]):
        key = (target["name"], target["service"], target["base_url"])
        before = found.get(key)
        counts = dict(target["summary"])
        for verdict, count in before["summary"].items() if before else ():
            counts[verdict] = counts.get(verdict, 0) + count
        requests = target["requests"] + (before["requests"] if before else 0)
        found[key] = {**target, "requests": requests, "summary": counts}
    return list(found.values())


def _coverage(parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    merged: dict[str, Any] = {"percent": 100.0}
    seen = possible = 0
    for kind in (name for name in parts[0] if name != "percent"):
        exercised = {item for part in parts for item in part[kind]["exercised"]}
        everything = exercised | {item for part in parts for item in part[kind]["not_exercised"]}
        merged[kind] = {"exercised": sorted(exercised), "not_exercised": sorted(everything - exercised)}
        seen += len(exercised)
        possible += len(everything)
    if possible:
        merged["percent"] = round(100 * seen / possible, 1)
    return merged


def _read(directory: Path) -> dict[str, Any]:
    path = directory / RESULTS
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SetUpError(f"merge: cannot read {path}: {error}") from error
    if not isinstance(data, dict) or not data.keys() >= KEYS:
        raise SetUpError(f"merge: {path} is no report of this harness")
    return data
