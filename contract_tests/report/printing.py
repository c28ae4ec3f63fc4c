"""What is printed: failures in one line, and a stream that may go away."""

import contextlib
import io
import os
import traceback
from pathlib import Path
from typing import Final, TextIO

from workflow_contract.printing import printable

LONGEST_REASON: Final = 500


def failure(raised: BaseException) -> str:
    """Say in one line what failed in the harness itself, and where: the last places of the traceback, no values."""
    frames = traceback.extract_tb(raised.__traceback__)[-3:]
    places = " < ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in reversed(frames))
    return printable(f"{type(raised).__name__}: {str(raised)[:LONGEST_REASON]} ({places})")


class Printer:
    """Writes to a stream that may be closed, full, or read no longer: then it is silent, and the work goes on."""

    def __init__(self, out: TextIO | None) -> None:
        self._out = out
        if isinstance(out, io.TextIOWrapper):
            out.reconfigure(errors="backslashreplace")  # characters that the terminal's encoding has not

    @property
    def is_live(self) -> bool:
        """Whether a person looks on."""
        return self._out is not None and self._out.isatty()

    def write(self, text: str) -> None:
        """Write text that is known to be harmless."""
        if self._out is None:
            return
        try:
            self._out.write(text)
            self._out.flush()
        except (OSError, ValueError):
            self._silence(self._out)

    def _silence(self, out: TextIO) -> None:
        self._out = None
        # What is left in the buffer must not make the interpreter's end complain, which would change the exit status.
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), out.fileno())
