"""Makes defective copies of the client and judges them by all rules of the client side."""

import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path

from contract_tests.rules import SetUpError
from mutants.clients.edits import OPTIONS, ClientDefect, make_copies
from mutants.clients.judging import Judge, client_rules
from mutants.outcome import Judgement
from mutants.runner import RunnerOptions


class ClientRunner:
    """Judges copies in a folder of its own, all of them by the cases that the correct client was judged by."""

    unit = "cases"

    def __init__(self, options: RunnerOptions, folder: Path) -> None:
        self._folder = folder
        self._judge = Judge(["--seed", str(options.seed), "--budget", options.budget])
        self._rules = [rule.id for rule in client_rules() if fnmatchcase(rule.id, options.pattern or "*")]
        if not self._rules:
            raise SetUpError(f"no rule of the client side matches {options.pattern!r}")
        self._correct = self._judged([])
        if self._correct.problem or self._correct.fired:
            found = self._correct.problem or f"it breaks {', '.join(self._correct.fired)}"
            raise SetUpError(f"the client without a defect must be clean, but {found}")

    def judge(self, defect: ClientDefect) -> Judgement:
        """Make the defective copies, judge them, and delete them."""
        folder = self._folder / defect.id
        try:
            copies = make_copies(defect.edits, folder)
        except SetUpError as error:
            return Judgement(problem=str(error))
        judgement = self._judged([word for package, copy in copies.items() for word in (OPTIONS[package], str(copy))])
        shutil.rmtree(folder)
        return judgement

    def judge_by_other_tool(self, defect: ClientDefect) -> None:
        """There is no other tool that judges clients by a contract."""

    def remarks(self) -> Sequence[str]:
        """Say how long the correct client took, with the making of the cases."""
        return [
            f"the client without a defect: nothing found, {self._correct.seconds:.1f} s with the making of the cases"
        ]

    def _judged(self, arguments: Sequence[str]) -> Judgement:
        started = time.monotonic()
        try:
            violations = self._judge.violations(arguments, self._rules)
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
