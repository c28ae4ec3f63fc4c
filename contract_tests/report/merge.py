"""Makes one report out of several, such as those of shards."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from contract_tests.http.redaction import Secrets
from contract_tests.openapi.json_text import read_json
from contract_tests.options import MergeOptions
from contract_tests.registry import rules_by_chapter, rules_of_this_package
from contract_tests.report.circumstances import Circumstances, State
from contract_tests.report.folding import Folding
from contract_tests.report.results import EXERCISED, Report, worse
from contract_tests.report.shape import damage
from contract_tests.report.terminal import Terminal
from contract_tests.report.writing import RESULTS, write_reports
from contract_tests.rules import Rule, SetUpError, Verdict, Violation

WHOLE = (1, 1)
SCOPE = ("sides", "targets", "pattern", "budget", "strict")
TEXTS = ("documented", "received", "reproduce")


def merge(options: MergeOptions) -> int:
    """
    Write the one report; give the exit status that a single run would have had.

    Raises SetUpError if one of the reports cannot be read, they do not belong together, or nothing was judged.
    """
    parts = [_read(directory) for directory in options.directories]
    _check_parts(parts, options.directories)
    report = _merged(parts, options)
    write_reports(report, options.report_dir)
    Terminal(Secrets(), sys.stdout).finish(report, options.report_dir)
    fails = any(row["fails"] for row in report.results)
    if not fails and not any(row["verdict"] in EXERCISED for row in report.results):
        raise SetUpError("merge: nothing was judged in any of the parts; their rows say why")
    return int(fails)


def _check_parts(parts: Sequence[dict[str, Any]], directories: Sequence[Path]) -> None:
    """
    See whether the reports belong together, and are complete.

    Raises SetUpError if not; the line names the directory that is too much, or the part that is missing.
    """
    seen: dict[Path, Path] = {}
    for directory in directories:
        if seen.setdefault(directory.resolve(), directory) is not directory:
            raise SetUpError(f"merge: {directory} is given twice")
    for part, directory in zip(parts, directories, strict=True):
        if part["contract"] != parts[0]["contract"] or _scope(part, "contract") != _scope(parts[0], "contract"):
            raise SetUpError(f"merge: {directory} and {directories[0]} are about different contracts")
        state = part.get("run", {}).get("state", State.COMPLETE)
        if state != State.COMPLETE:
            raise SetUpError(f"merge: {directory} holds no complete run: {state}")
    shards = [(_shard(part), directory, part) for part, directory in zip(parts, directories, strict=True)]
    if any(shard != WHOLE for shard, *_ in shards):
        _check_shards(shards)


def _check_shards(shards: Sequence[tuple[tuple[int, int], Path, dict[str, Any]]]) -> None:
    (_, count), first_directory, first = shards[0]
    seen: dict[int, Path] = {}
    for (number, of), directory, part in shards:
        if (number, of) == WHOLE or of != count:
            raise SetUpError(f"merge: {directory} is shard {number}/{of}, {first_directory} is one of {count}")
        if number in seen:
            raise SetUpError(f"merge: {directory} and {seen[number]} are both shard {number}/{of}")
        if part["seed"] != first["seed"]:
            seeds = f"{first['seed']} in {first_directory} and {part['seed']} in {directory}"
            raise SetUpError(f"merge: the shards have different seeds, {seeds}; give each the same --seed")
        other = [name for name in SCOPE if _scope(part, name) != _scope(first, name)]
        if other:
            raise SetUpError(
                f"merge: {directory} and {first_directory} are shards of different runs: {other[0]} differs"
            )
        seen[number] = directory
    missing = sorted(set(range(1, count + 1)) - set(seen))
    if missing:
        raise SetUpError(f"merge: shard {', '.join(f'{number}/{count}' for number in missing)} is missing")


def _shard(part: dict[str, Any]) -> tuple[int, int]:
    number, _, count = str(part.get("run", {}).get("shard", "1/1")).partition("/")
    return (int(number), int(count)) if number.isdecimal() and count.isdecimal() else WHOLE


def _scope(part: dict[str, Any], name: str) -> Any:
    return part.get("run", {}).get("scope", {}).get(name)


def _merged(parts: Sequence[dict[str, Any]], options: MergeOptions) -> Report:
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for row in (row for part in parts for row in part["results"]):
        key = (row["id"], row["operation"])
        rows[key] = worse(rows[key], row) if key in rows else row
    chapters = {rule.id: chapter for chapter, rules in rules_by_chapter().items() for rule in rules}
    known = {rule.id: rule for rule in rules_of_this_package()}
    return Report(
        contract=parts[0]["contract"],
        run=_run(parts, options),
        targets=_targets(parts),
        seed=parts[0]["seed"],
        duration_s=round(sum(part["duration_s"] for part in parts), 3),
        coverage=_coverage([part["coverage"] for part in parts]),
        information=_information(parts),
        results=_without_repetitions(list(rows.values()), known),
        chapters={id_: chapters.get(id_, "Rules of another version") for id_, _ in rows},
        sources={id_: known[id_].source if id_ in known else "unknown" for id_, _ in rows},
    )


def _run(parts: Sequence[dict[str, Any]], options: MergeOptions) -> dict[str, Any]:
    started = [part["run"]["started"] for part in parts if "run" in part]
    scope = parts[0].get("run", {}).get("scope", {})
    return Circumstances(
        state=State.COMPLETE,
        reason="",
        started=min(started, default="unknown"),
        command=options.command,
        shard="1/1",
        scope=scope,
    ).to_data()


def _targets(parts: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    found: dict[tuple[str, str, str], dict[str, Any]] = {}
    for target in (target for part in parts for target in part["targets"]):
        key = (target["name"], target["service"], target["base_url"])
        before = found.get(key)
        counts = dict(target["summary"])
        for verdict, count in before["summary"].items() if before else ():
            counts[verdict] = counts.get(verdict, 0) + count
        sums = {name: target.get(name, 0) + (before or {}).get(name, 0) for name in ("requests", "left_out")}
        found[key] = {**target, **sums, "summary": counts}
    return list(found.values())


def _coverage(parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    merged: dict[str, Any] = {"percent": 100.0}
    seen = possible = 0
    for kind in dict.fromkeys(name for part in parts for name in part if name != "percent"):
        of_kind = [part[kind] for part in parts if kind in part]
        exercised = {item for part in of_kind for item in part["exercised"]}
        everything = exercised | {item for part in of_kind for item in part["not_exercised"]}
        merged[kind] = {"exercised": sorted(exercised), "not_exercised": sorted(everything - exercised)}
        seen += len(exercised)
        possible += len(everything)
    if possible:
        merged["percent"] = round(100 * seen / possible, 1)
    return merged


def _information(parts: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    for note in (note for part in parts for note in part.get("information", ())):
        found.setdefault(tuple(note[name] for name in ("service", "operation", "kind", "at", "name")), note)
    return list(found.values())


def _without_repetitions(rows: list[dict[str, Any]], known: Mapping[str, Rule]) -> list[dict[str, Any]]:
    """Fold what rules in different parts have found, as a single run does, as far as the constraints tell."""
    folding = Folding()
    for row in rows:
        if row["id"] in known:
            folding.report(known[row["id"]], ("", row["operation"]), _violations(row))
    return [_folded(row, known[row["id"]], folding) if row["id"] in known else row for row in rows]


def _violations(row: Mapping[str, Any]) -> list[Violation]:
    return [Violation(found["received"], found["constraint"]) for found in row.get("findings", ())]


def _folded(row: dict[str, Any], rule: Rule, folding: Folding) -> dict[str, Any]:
    found, place = _violations(row), ("", row["operation"])
    constraints = {one.constraint for one in folding.left(rule, place, found)}
    if row["verdict"] != Verdict.VIOLATION or len(constraints) == len(found):
        return row
    left = [one for one in row["findings"] if one["constraint"] in constraints]
    if left:
        texts = {name: "\n".join(dict.fromkeys(one[name] for one in left)) for name in TEXTS}
        return {**row, **texts, "identity": left[0]["identity"], "findings": left}
    nothing = {"verdict": Verdict.PASS.value, "fails": False, "identity": "", "reproduce": "", "found_after": None}
    return {**row, **nothing, "received": folding.reason(rule, place, found), "findings": []}


def _read(directory: Path) -> dict[str, Any]:
    path = directory / RESULTS
    try:
        data: dict[str, Any] = read_json(path.read_bytes())
    except (OSError, ValueError) as error:
        raise SetUpError(f"merge: cannot read {path}: {error}") from error
    found = damage(data)
    if found:
        raise SetUpError(f"merge: {path} is no report of this harness, or damaged: {found}")
    return data
