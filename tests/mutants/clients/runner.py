"""Makes defective copies of the client and judges them by all rules of the client side."""

import functools
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path

from contract_tests.rules import SetUpError
from mutants.clients.edits import OPTIONS, SHELF, SHELF_CONTRACT, SHELF_FOLDER, ClientDefect, make_copies
from mutants.clients.judging import Judge, client_rules
from mutants.outcome import Judgement
from mutants.runner import RunnerOptions


class ClientRunner:
    """Judges copies in a folder of its own, all of them by the cases that the correct client was judged by."""

    unit = "cases"

    def __init__(self, options: RunnerOptions, folder: Path) -> None:
        self._folder = folder
        self._judging = ["--seed", str(options.seed), "--budget", options.budget]
        self._judge = Judge(self._judging)
        self._rules = [rule.id for rule in client_rules() if fnmatchcase(rule.id, options.pattern or "*")]
        if not self._rules:
            raise SetUpError(f"no rule of the client side matches {options.pattern!r}")
        self._correct = self._clean(self._judge, [])

    def judge(self, defect: ClientDefect) -> Judgement:
        """Make the defective copies, judge them, and delete them."""
        folder = self._folder / defect.id
        try:
            judge = self._judge_of_the_shelf() if defect.is_of_the_shelf else self._judge
            copies = make_copies(defect.edits, folder)
        except SetUpError as error:
            return Judgement(problem=str(error))
        arguments = [word for package, copy in copies.items() for word in (OPTIONS[package], str(copy))]
        judgement = self._judged(judge, arguments)
        shutil.rmtree(folder)
        return judgement

    def judge_by_other_tool(self, defect: ClientDefect) -> None:
        """There is no other tool that judges clients by a contract."""

    def remarks(self) -> Sequence[str]:
        """Say how long the correct client took, with the making of the cases."""
        return [
            f"the client without a defect: nothing found, {self._correct.seconds:.1f} s with the making of the cases"
        ]

    @functools.cache  # noqa: B019 - there is one runner
    def _judge_of_the_shelf(self) -> Judge:
        judge = Judge([*self._judging, "--spec", str(SHELF_CONTRACT)])
        self._clean(judge, [OPTIONS[SHELF], str(SHELF_FOLDER)])
        return judge

    def _clean(self, judge: Judge, arguments: Sequence[str]) -> Judgement:
        correct = self._judged(judge, arguments)
        if correct.problem or correct.fired:
            found = correct.problem or f"it breaks {', '.join(correct.fired)}"
            raise SetUpError(f"the client without a defect must be clean, but {found}")
        return correct

    def _judged(self, judge: Judge, arguments: Sequence[str]) -> Judgement:
        started = time.monotonic()
        try:
            violations = judge.violations(arguments, self._rules)
        except SetUpError as error:
            return Judgement(seconds=time.monotonic() - started, problem=str(error))
        fired = dict.fromkeys(rule.id for rule, _ in violations)
        after = [violation.found_after for _, violation in violations if violation.found_after is not None]
        return Judgement(fired=tuple(fired), after=min(after, default=None), seconds=time.monotonic() - started)


@contextmanager
def open_runner(options: RunnerOptions) -> Iterator[ClientRunner]:
    """
    Open a runner in a folder that goes when it is closed.

    Raises:
        SetUpError: If the client without a defect cannot be judged, or is not clean.
    """
    with tempfile.TemporaryDirectory(prefix="defective-clients-") as folder:
        yield ClientRunner(options, Path(folder))
