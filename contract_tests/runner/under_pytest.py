"""`pytest contract_tests`: the rules under pytest's own command line, where a violation is a failed test."""

import os
import shlex
from collections.abc import Generator as Iterator
from typing import Final

import pytest

from contract_tests.options import MergeOptions
from contract_tests.outcomes import Outcome
from contract_tests.report.terminal import details_of
from contract_tests.rules import SetUpError, Verdict
from contract_tests.runner.command_line import parse
from contract_tests.runner.context import Run
from contract_tests.runner.known_deviations import Deviations

ARGUMENTS: Final = "CONTRACT_TESTS_ARGS"
COULD_NOT_RUN: Final = 2


class UnderPytest:
    """
    A pytest plugin that tells verdicts in pytest's words.

    Attributes:
        run: What the arguments in the environment ask for; by default the sandbox is judged with the quick budget.
    """

    def __init__(self) -> None:
        try:
            options = parse(shlex.split(os.environ.get(ARGUMENTS, "")))
            if isinstance(options, MergeOptions):
                raise SetUpError("merge judges nothing")
            self.run = Run(options)
            self._deviations = Deviations.load(options.targets_file)
        except (SetUpError, ValueError) as error:
            pytest.exit(f"{ARGUMENTS}: {error}", returncode=COULD_NOT_RUN)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Iterator[None, pytest.TestReport, pytest.TestReport]:
        """Replace the traceback of a check by what its rule says."""
        report = yield
        for name, data in [one for one in report.user_properties if one[0] == "outcome"]:
            report.user_properties.remove((name, data))
            outcome = Outcome.from_data(data)  # type: ignore[arg-type]
            self._tell(report, self._deviations.applied(outcome, self.run), item)
        return report

    def _tell(self, report: pytest.TestReport, outcome: Outcome, item: pytest.Item) -> None:
        mask = self.run.secrets.mask
        if outcome.error:
            report.longrepr = mask(outcome.error)
        elif outcome.verdict is Verdict.VIOLATION:
            again = f'{ARGUMENTS}="--seed {self.run.options.seed}" python -m pytest --pyargs contract_tests'
            details = [
                *details_of(outcome),
                ("Again", f"{again} -k {shlex.quote(f'{outcome.rule.id} and {item.name}')}"),
            ]
            report.outcome = "failed"  # also that of a known deviation which is gone
            report.longrepr = mask("\n".join([outcome.rule.title, *(f"{label}: {text}" for label, text in details)]))
            if not outcome.rule.fails(outcome.verdict, strict=self.run.options.strict):
                report.outcome, report.wasxfail = "skipped", f"inferred rule: {mask(outcome.findings[0].received)}"
        elif outcome.verdict is Verdict.KNOWN_DEVIATION:
            report.outcome, report.wasxfail = "skipped", mask(outcome.reason)
        elif outcome.verdict is Verdict.PASS:
            report.outcome, report.longrepr = "passed", None  # also where another row reports what was found
        else:
            path, line, _ = item.reportinfo()
            report.outcome = "skipped"
            report.longrepr = (str(path), line or 0, f"{outcome.verdict.replace('_', ' ')}: {mask(outcome.reason)}")
