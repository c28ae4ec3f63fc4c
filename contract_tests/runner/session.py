"""Conducts a run: has pytest judge the rows, adds up the verdicts, writes the reports."""

import sys
import time
from collections import Counter
from collections.abc import Sequence

from contract_tests.client.selection import check_has_client, choose_client
from contract_tests.options import MergeOptions, Options
from contract_tests.outcomes import Outcome, Row, rows_of
from contract_tests.registry import rules_of_this_package
from contract_tests.report.circumstances import Circumstances, State
from contract_tests.report.merge import merge
from contract_tests.report.results import EXERCISED, Report
from contract_tests.report.terminal import Terminal
from contract_tests.report.writing import check_writable, write_reports
from contract_tests.rules import SetUpError, Side, Verdict
from contract_tests.runner.collector import Collector
from contract_tests.runner.context import Run
from contract_tests.runner.jobs import Jobs
from contract_tests.runner.judging import judge
from contract_tests.runner.known_deviations import Deviations
from contract_tests.runner.reporting import report_of
from contract_tests.runner.signals import ended_like_ctrl_c
from workflow_contract.printing import printable

CLEAN, FAILS = 0, 1


def run(options: Options | MergeOptions) -> int:
    """Do what the command line asked for; give the exit status; raises SetUpError if it cannot be done."""
    if isinstance(options, MergeOptions):
        return merge(options)
    with ended_like_ctrl_c():
        return _run(options)


def _run(options: Options) -> int:
    run = Run(options)
    selected = _selected(run)
    if not selected:
        raise SetUpError(_nothing_selected(options))
    if any(row.rule.side is Side.CLIENT for row in selected):
        choose_client(options)
        if not options.dry_run:
            check_has_client(options, run.contract)
    deviations = Deviations.load(options.targets_file)
    check_writable(options.report_dir)
    for note in run.contract.notes:
        sys.stderr.write(f"contract_tests: note: {printable(note)}\n")
    started, circumstances = time.monotonic(), Circumstances.of(options, run.targets)
    try:
        unreachable = None if options.dry_run else _unreachable(run, selected)
        terminal = Terminal(run.secrets, silent=unreachable is not None)
        judges_nothing = options.dry_run or unreachable is not None
        with Jobs(options, [] if judges_nothing else selected) as jobs:
            collector = Collector(run, terminal, deviations, jobs.elsewhere)
            judge(run, collector, collect_only=judges_nothing)
            for part in jobs.results(stop=bool(collector.problem)):
                collector.take_part(part)
        collector.problem = collector.problem or _gone(run)
    finally:
        run.resources.close()
    state, reason = _state(options, unreachable, collector.problem)
    ended = circumstances.ended(state, run.secrets.mask(reason))
    report = report_of(run, collector.outcomes, time.monotonic() - started, ended)
    kept_in = write_reports(report, options.report_dir)
    if unreachable is not None:
        raise unreachable
    terminal.finish(report, kept_in)
    if collector.problem:
        raise SetUpError(f"could not run to the end: {collector.problem}")
    return _status(report, collector.outcomes, options)


def _selected(run: Run) -> list[Row]:
    return [row for rule in rules_of_this_package() for row in rows_of(rule, run.contract, run.options, run.served)]


def _unreachable(run: Run, selected: Sequence[Row]) -> SetUpError | None:
    # A target that can't be judged is told of before any row is; what no selected row is about is left alone.
    wanted = {(row.target, row.service) for row in selected}
    targets = [one for one in run.targets if not one.is_sandbox and (one.name, one.service) in wanted]
    try:
        with_keys = [target.with_secrets() for target in targets]
        for target in with_keys:
            run.live.server(target)
    except SetUpError as error:
        return error
    except KeyboardInterrupt:
        return SetUpError("interrupted")
    return None


def _gone(run: Run) -> str:
    """Return why a target is no longer what it was when the run began; empty if each still is."""
    try:
        run.live.confirm()
    except SetUpError as error:
        return run.secrets.mask(str(error))
    except KeyboardInterrupt:
        return "interrupted"
    return ""


def _state(options: Options, unreachable: SetUpError | None, problem: str) -> tuple[State, str]:
    if options.dry_run:
        return State.DRY_RUN, ""
    if unreachable is not None:
        return State.NOT_RUN, str(unreachable)
    return (State.CUT_SHORT, problem) if problem else (State.COMPLETE, "")


def _nothing_selected(options: Options) -> str:
    pattern = f" -k {options.pattern!r}" if options.pattern else ""
    shard = "" if options.shard == (1, 1) else f" in shard {options.shard[0]}/{options.shard[1]}"
    return f"nothing selected: no rule of side {', '.join(options.sides)} matches{pattern}{shard}"


def _status(report: Report, outcomes: Sequence[Outcome], options: Options) -> int:
    if options.dry_run:
        return CLEAN
    fails = any(result["fails"] for result in report.results)
    if not fails and options.shard == (1, 1):
        _refuse_silence(outcomes, options)
    below = options.fail_under is not None and report.coverage["percent"] < options.fail_under
    if below:
        exercised = f"coverage is {report.coverage['percent']:g} %"
        sys.stderr.write(f"contract_tests: {exercised}, below --fail-under {options.fail_under:g}\n")
    return FAILS if below or fails else CLEAN


def _refuse_silence(outcomes: Sequence[Outcome], options: Options) -> None:
    """
    See whether anything was judged: in all, and without -k of each side and of each target.

    Raises SetUpError if all rows ended without a verdict; the line says why most of them did.
    """
    groups: dict[tuple[str, str], list[Outcome]] = {}
    for outcome in outcomes:
        key = ("", "") if options.pattern else (outcome.rule.side.value, outcome.target)
        groups.setdefault(key, []).append(outcome)
    for (side, target), group in groups.items():
        if not any(outcome.verdict in EXERCISED for outcome in group):
            where = " ".join(filter(None, (side and f"side {side}", target and f"of target {target}")))
            raise SetUpError(f"{where + ': ' if where else ''}nothing was judged; {_why(group)}")


def _why(group: Sequence[Outcome]) -> str:
    not_exercised = [one for one in group if one.verdict is Verdict.NOT_EXERCISED] or group
    reason, count = Counter(outcome.reason for outcome in not_exercised).most_common(1)[0]
    return f"of {len(group)} row{'s' * (len(group) > 1)} {count} because: {reason}"
