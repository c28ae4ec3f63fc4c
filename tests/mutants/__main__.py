"""
Judge subjects with one seeded defect each: ``python -m mutants servers|clients``.

Exit status: 0 every defect is as declared; 1 one is missed without a reason, or a reason no longer holds; 2 it could
not be tried.
"""

import argparse
import fnmatch
import json
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from typing import Any

from contract_tests.registry import rules_of_this_package
from contract_tests.rules import SetUpError
from mutants import table
from mutants.defect import Defect, core
from mutants.outcome import Judgement, Trial
from mutants.runner import Runner, RunnerOptions

AS_DECLARED, NOT_AS_DECLARED, COULD_NOT_RUN = 0, 1, 2


def main(argv: Sequence[str] | None = None) -> int:
    """Judge what the command line names, print the table, give the exit status."""
    given = _parser().parse_args(argv)
    half = import_module(f"mutants.{given.half}")
    try:
        chosen = _chosen(half.defects(), given)
        if given.list:
            return _list(chosen)
        options = RunnerOptions(seed=given.seed, budget=given.budget, pattern=given.k, stock=given.stock is not None)
        with half.open_runner(options) as runner:
            trials, remarks = _table(runner, chosen, half.defects(), given)
    except SetUpError as error:
        sys.stderr.write(f"mutants: {error}\n")
        return COULD_NOT_RUN
    if given.json is not None:
        text = json.dumps(table.to_data(trials, remarks, runner.unit), indent=2, ensure_ascii=False)
        given.json.write_text(text + "\n", encoding="utf-8")
    return NOT_AS_DECLARED if any(trial.complaint for trial in trials) else AS_DECLARED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m mutants", description=__doc__, allow_abbrev=False)
    add = parser.add_argument
    add("half", choices=["servers", "clients"], help="whose defects")
    add("--all", action="store_true", help="all defects, not just the core: the first of each operator and operation")
    add("--only", action="append", metavar="GLOB", help="only defects whose id, operator or operation matches")
    add("--list", action="store_true", help="show the defects and stop: the core, with --all every one")
    add(
        "--stock",
        nargs="?",
        const="core",
        choices=["core", "all"],
        help="have stock schemathesis judge the same servers in the same run: the core, or all that are chosen",
    )
    add("--workers", type=int, default=1, metavar="N", help="defects that are judged at a time (1)")
    add("--seed", type=int, default=1, metavar="N", help="seed of the harness (1)")
    add("--budget", default="quick", help="budget of the harness (quick)")
    add("-k", metavar="ID-OR-GLOB", help="only rules whose id matches")
    add("--json", type=Path, metavar="FILE", help="write everything there as well")
    return parser


def _chosen(defects: Sequence[Defect], given: argparse.Namespace) -> list[Defect]:
    if given.only is None:
        return list(defects) if given.all else core(defects)
    chosen = [defect for defect in defects if _matches(defect, given.only)]
    if not chosen:
        raise SetUpError(f"no defect matches {' or '.join(given.only)}")
    return chosen


def _matches(defect: Defect, patterns: Sequence[str]) -> bool:
    names = (defect.id, defect.operator, defect.operation)
    return any(fnmatch.fnmatchcase(name, pattern) for name in names for pattern in patterns)


def _list(defects: Sequence[Defect]) -> int:
    for defect in defects:
        _say(f"{defect.id:<44} {defect.operator:<24} {defect.rules[0]:<15} {defect.title}")
    _say(f"{len(defects)} defects")
    return AS_DECLARED


def _table(
    runner: Runner, defects: Sequence[Defect], all_defects: Sequence[Defect], given: argparse.Namespace
) -> tuple[list[Trial], list[str]]:
    _say(table.heading(runner.unit, with_other=given.stock is not None))
    trials: list[Trial] = []
    for trial in _tried(runner, defects, given):
        trials.append(trial)
        _say(table.row(trial))
    rules = [rule.id for rule in rules_of_this_package() if rule.side.value == given.half.removesuffix("s")]
    declared = {defect.rules[0] for defect in all_defects}
    remarks = [*table.requirements(trials, rules, declared), *runner.remarks()]
    for line in ("", *table.notes(trials), *table.summary(trials, runner.unit), *remarks):
        _say(line)
    return trials, remarks


def _tried(runner: Runner, defects: Sequence[Defect], given: argparse.Namespace) -> Iterator[Trial]:
    compared = defects if given.stock == "all" or given.only else core(defects)

    def attempt(defect: Any) -> Trial:
        try:
            other = runner.judge_by_other_tool(defect) if given.stock and defect in compared else None
            return Trial(defect=defect, judgement=runner.judge(defect), other=other)
        except SetUpError as error:
            return Trial(defect=defect, judgement=Judgement(problem=str(error)))

    with ThreadPoolExecutor(max(1, given.workers)) as workers:
        yield from workers.map(attempt, defects)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
