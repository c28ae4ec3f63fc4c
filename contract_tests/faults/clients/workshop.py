"""Makes defective copies of the client and has the harness judge them."""

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from contract_tests.faults import harness
from contract_tests.faults.clients.edits import OPTIONS, ClientDefect, make_copies
from contract_tests.faults.outcome import Judgement
from contract_tests.faults.workshop import WorkshopOptions
from contract_tests.rules import SetUpError


class ClientWorkshop:
    """Judges copies in a folder of its own; every judgement is a run of the whole client side."""

    unit = "cases"

    def __init__(self, options: WorkshopOptions, folder: Path) -> None:
        self._options = options
        self._folder = folder
        self._correct = self._judged("correct", [])
        if self._correct.problem or self._correct.fired:
            found = self._correct.problem or f"it breaks {', '.join(self._correct.fired)}"
            raise SetUpError(f"the client without a defect must be clean, but {found}")

    def judge(self, defect: ClientDefect) -> Judgement:
        """Make the defective copies, have them judged, and delete them."""
        folder = self._folder / defect.id
        try:
            copies = make_copies(defect.edits, folder)
        except SetUpError as error:
            return Judgement(problem=str(error))
        arguments = [word for package, copy in copies.items() for word in (OPTIONS[package], str(copy))]
        judgement = self._judged(defect.id, arguments)
        shutil.rmtree(folder)
        return judgement

    def judge_by_other_tool(self, defect: ClientDefect) -> None:
        """There is no other tool that judges clients by a contract."""

    def remarks(self) -> Sequence[str]:
        """Say how long the run on the correct client took."""
        return [f"the client without a defect: nothing found, {self._correct.seconds:.1f} s for the run"]

    def _judged(self, name: str, arguments: Sequence[str]) -> Judgement:
        options = ["--side", "client", "--seed", str(self._options.seed), "--budget", self._options.budget]
        return harness.judge([*options, *arguments], self._folder / f"{name} report", cwd=self._folder)


@contextmanager
def workshop(options: WorkshopOptions) -> Iterator[ClientWorkshop]:
    """
    Open a workshop in a folder that goes when it is closed.

    Raises:
        SetUpError: If the client without a defect cannot be judged, or is not clean.
    """
    with tempfile.TemporaryDirectory(prefix="defective-clients-") as folder:
        yield ClientWorkshop(options, Path(folder))
