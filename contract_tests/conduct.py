"""Conducts a run: has pytest judge the rows, adds up the verdicts, writes the reports."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from contract_tests.arguments import MergeOptions, Options
from contract_tests.collector import Collector
from contract_tests.deviations import Deviations
from contract_tests.plugin import Run
from contract_tests.report.merge import merge
from contract_tests.report.results import Report
from contract_tests.report.terminal import Terminal
from contract_tests.report.writing import check_writable, write_reports
from contract_tests.rules import SetUpError

CLEAN, FAILS = 0, 1
PACKAGE = Path(__file__).parent
# Variables by which a user's own pytest could change what is judged here.
FOREIGN = ("PYTEST_ADDOPTS", "PYTEST_PLUGINS")


def conduct(options: Options | MergeOptions) -> int:
    """
    Do what the command line asked for; give the exit status.

    Raises:
        SetUpError: If it cannot be done.
    """
    if isinstance(options, MergeOptions):
        return merge(options)
    run = Run(options)
    check_writable(options.report_dir)
    unreachable = None if options.dry_run else _unreachable(run)
    terminal = Terminal(run.secrets, silent=unreachable is not None)
    collector = Collector(run, terminal, Deviations.load(options.targets_file))
    started = time.monotonic()
    try:
        _judge(run, collector, collect_only=options.dry_run or unreachable is not None)
    finally:
        run.resources.close()
    if not collector.rows and not collector.problem:
        raise SetUpError(_nothing_selected(options))
    report = Report.of(run, collector.outcomes, time.monotonic() - started)
    write_reports(report, options.report_dir)
    if unreachable is not None:
        raise unreachable
    terminal.finish(report, options.report_dir)
    if collector.problem:
        raise SetUpError(f"could not run to the end: {collector.problem}")
    return _status(report, options)


def _unreachable(run: Run) -> SetUpError | None:
    # A target that can't be judged is told of before anything is sent to any.
    try:
        targets = [target if target.is_sandbox else target.with_secrets() for target in run.targets]
        for target in targets:
            if not target.is_sandbox:
                run.live.server(target)
    except SetUpError as error:
        return error
    return None


def _judge(run: Run, collector: Collector, *, collect_only: bool) -> None:
    arguments = [
        *("-c", str(PACKAGE / "pytest.ini"), "--rootdir", str(PACKAGE)),
        *("-p", "no:cacheprovider", "-p", "no:terminal", "-p", "no:logging"),
        *("-p", "contract_tests.plugin", "--import-mode=importlib", "--capture=sys", "--assert=plain"),
        *(["--collect-only"] if collect_only else []),
        *(str(PACKAGE / side) for side in run.options.sides),
    ]
    with _own_environment():
        status = pytest.main(arguments, plugins=[collector])
    if status == pytest.ExitCode.INTERRUPTED and not collector.problem:
        collector.problem = "interrupted"
    if status in (pytest.ExitCode.USAGE_ERROR, pytest.ExitCode.INTERNAL_ERROR) and not collector.problem:
        collector.problem = "pytest could not run the rules"


@contextmanager
def _own_environment() -> Iterator[None]:
    before = dict(os.environ)
    for name in FOREIGN:
        os.environ.pop(name, None)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _nothing_selected(options: Options) -> str:
    pattern = f" -k {options.pattern!r}" if options.pattern else ""
    shard = "" if options.shard == (1, 1) else f" in shard {options.shard[0]}/{options.shard[1]}"
    return f"nothing selected: no rule of side {', '.join(options.sides)} matches{pattern}{shard}"


def _status(report: Report, options: Options) -> int:
    if options.dry_run:
        return CLEAN
    below = options.fail_under is not None and report.coverage["percent"] < options.fail_under
    return FAILS if below or any(result["fails"] for result in report.results) else CLEAN
