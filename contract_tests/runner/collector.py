"""Listens to pytest on behalf of a run: takes down every outcome, and tells the terminal of it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import pytest

from contract_tests.outcomes import Outcome, Row
from contract_tests.report.printing import failure
from contract_tests.report.progress import Progress
from contract_tests.report.terminal import Terminal
from contract_tests.rules import Side, Verdict, Violation
from contract_tests.runner.context import RUN, Run
from contract_tests.runner.known_deviations import Deviations
from contract_tests.runner.pytest_plugin import chapter_of, row_of


@dataclass(frozen=True)
class Part:
    """What some of a run's rows have come to in another process; nothing in it is secret."""

    outcomes: tuple[Outcome, ...]
    exercised: Mapping[str, Collection[str]]
    problem: str


class Collector:
    """
    A pytest plugin for the length of one run.

    Attributes:
        rows: What was selected.
        outcomes: One for each row, complete at the end even of a run that was cut short.
        problem: Why the run could not be done or finished; empty if it was.
    """

    def __init__(
        self,
        run: Run,
        terminal: Terminal,
        deviations: Deviations,
        elsewhere: Collection[str] = (),
        only: Collection[str] | None = None,
    ) -> None:
        """
        Listen to a run.

        Args:
            run: What all rows share.
            terminal: Where each outcome is told.
            deviations: What is known of the servers.
            elsewhere: Operations whose rows on the client side are judged in other processes.
            only: Operations of which such rows are judged in this process, and no others; None for all.
        """
        self._run = run
        self._terminal = terminal
        self._deviations = deviations
        self._elsewhere, self._only = elsewhere, only
        self._chapters: dict[Row, str] = {}
        self._progress = Progress()
        self._begun = self._here = 0
        self._known: dict[tuple[str, str], Row] = {}
        self._outcomes: dict[Row, Outcome] = {}
        self.problem = ""

    @pytest.hookimpl(tryfirst=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        """Share the run with the plugin that runs the rules."""
        config.stash[RUN] = self._run
        config.option.tbstyle = "native"  # tracebacks with their sources are shown nowhere, and take long

    @property
    def rows(self) -> list[Row]:
        """What was selected, in order."""
        return list(self._chapters)

    @property
    def outcomes(self) -> list[Outcome]:
        """Return an outcome for each row; what was not judged is not exercised."""
        return [self._outcome(row) for row in self._chapters]

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Take down what will be judged; leave out what is judged in another process."""
        items[:] = [item for item in items if self._only is None or _operation_of(item) in self._only]
        for item in items:
            row = row_of(item)
            if row is not None:
                self._chapters[row] = chapter_of(item)
                self._known[row.id, row.target] = row
        items[:] = [item for item in items if _operation_of(item) not in self._elsewhere]
        self._here = len(items)
        run = self._run
        info = run.contract.document.get("info", {})
        title = f"{info.get('title', 'Contract')} {info.get('version', '')}".strip()
        self._terminal.start(title, run.options, run.targets, run.tag, rows=self._chapters)
        if self._run.options.dry_run:
            self._terminal.plan(self._chapters)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Say which rule is judged, if it takes long."""
        row = row_of(item)
        if row is not None:
            self._begun += 1
            self._progress.begins(f"{self._begun} of {self._here}, {row.id}")

    def pytest_sessionfinish(self) -> None:
        """Say nothing more."""
        self._progress.ends()

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Take down a chapter that cannot be read."""
        if report.failed:
            last = str(report.longrepr).strip().splitlines()[-1]
            self.problem = self.problem or f"the chapter {report.nodeid} cannot be read: {last}"

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take down the outcome that a report carries; an earlier one of the same row stays."""
        for name, data in report.user_properties:
            if name == "outcome":
                self._take(Outcome.from_data(data))  # type: ignore[arg-type]
        report.user_properties.clear()

    def pytest_internalerror(self, excinfo: pytest.ExceptionInfo[BaseException]) -> bool:
        """Take down where pytest itself has failed; true, since it need not tell of it too."""
        reason = self._run.secrets.mask(failure(excinfo.value))
        self.problem = self.problem or f"the harness failed: {reason}"
        return True

    def pytest_keyboard_interrupt(self) -> None:
        """Take down that the user stopped the run."""
        self.problem = self.problem or "interrupted"

    def part(self) -> Part:
        """Return what the rows have come to, for another process."""
        outcomes = tuple(outcome.masked(self._run.secrets.mask) for outcome in self.outcomes)
        return Part(outcomes, self._run.coverage.seen, self._run.secrets.mask(self.problem))

    def take_part(self, part: Part) -> None:
        """Take down what rows have come to in another process."""
        for outcome in part.outcomes:
            self._take(outcome)
        for kind, items in part.exercised.items():
            for item in items:
                self._run.coverage.add(kind, item)
        self.problem = self.problem or part.problem

    def _take(self, outcome: Outcome) -> None:
        row = self._known[Row(outcome.rule, outcome.operation, outcome.service, outcome.target).id, outcome.target]
        if row in self._outcomes:
            return
        if outcome.error:
            self.problem = self.problem or self._run.secrets.mask(outcome.error)
        self._outcomes[row] = self._deviations.applied(outcome, self._run)
        self._terminal.judged(self._outcomes[row])

    def _outcome(self, row: Row) -> Outcome:
        reason = "dry run" if self._run.options.dry_run else "the run stopped before"
        place = (row.rule, row.operation, row.service, row.target, self._chapters[row])
        outcome = self._outcomes.get(row) or Outcome(*place, Verdict.NOT_EXERCISED, reason)
        found = self._seen_so_far(row) if outcome.verdict is Verdict.NOT_EXERCISED else []
        if not self._run.folding.left(row.rule, row.place, found):
            return outcome
        return self._deviations.applied(self._run.folding.outcome(row, self._chapters[row], found), self._run)

    def _seen_so_far(self, row: Row) -> list[Violation]:
        """Return what a property had found when the run was stopped: its row comes last, its findings do not."""
        server = self._run.live.opened(row.target, row.service)
        return server.watch.found(row.rule.id, row.operation) if server is not None else []


def _operation_of(item: pytest.Item) -> str:
    """Return the operation of a row on the client side; nothing for another row."""
    row = row_of(item)
    return row.operation if row is not None and row.rule.side is Side.CLIENT else ""
