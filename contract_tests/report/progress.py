"""Says which rule is being judged, as long as one takes long: silence looks like an end."""

import sys
from threading import Timer
from typing import Final, TextIO

from contract_tests.report.printing import Printer
from workflow_contract.printing import printable

SECONDS: Final = 5.0


class Progress:
    """Writes a line to standard error for every five seconds that one row takes."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = Printer(out or sys.stderr)
        self._timer: Timer | None = None

    def begins(self, text: str) -> None:
        """Take down what is judged from now on."""
        self.ends()
        self._wait(printable(text), SECONDS)

    def ends(self) -> None:
        """Take down that nothing is judged any more."""
        if self._timer is not None:
            self._timer.cancel()

    def _wait(self, text: str, seconds: float) -> None:
        self._timer = Timer(SECONDS, self._tell, (text, seconds))
        self._timer.daemon = True
        self._timer.start()

    def _tell(self, text: str, seconds: float) -> None:
        self._out.write(f"contract_tests: {text}, {seconds:g} s\n")
        self._wait(text, seconds + SECONDS)
