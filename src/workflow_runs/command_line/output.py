"""What is written: results on standard output, words for a person on standard error, with --json one document."""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
from typing import IO, TYPE_CHECKING, Any

from workflow_runs.advice import described
from workflow_runs.outcome import nodes_to_json

from .endings import Exit, Unwritable, ending, next_step

if TYPE_CHECKING:
    from workflow_runs.outcome import Progress, RunOutcome

__all__ = ["Output", "line_of", "tell", "write"]

_PROGRAM = "workflow-runs"
_SECONDS_BETWEEN_LINES = 2.0


def line_of(words: str) -> str:
    """Words as one line in which nothing acts on a terminal: a service's may hold escape sequences."""
    return _printable(" ".join(words.split()))


def _printable(text: str, kept: str = "") -> str:
    return "".join(c if c.isprintable() or c in kept else c.encode("unicode_escape").decode() for c in text)


def tell(words: str) -> None:
    """Write a line for a person to standard error."""
    with contextlib.suppress(OSError, AttributeError):  # standard error may be closed or full, too
        sys.stderr.write(f"{_PROGRAM}: {line_of(words)}\n")
        sys.stderr.flush()


class Output:
    """Writes what a command has found, as text or as one JSON document.

    Attributes:
        execution_id: The execution that the command is about, once it is known.
    """

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self.execution_id: int | None = None
        self._last_state = ""
        self._next_line = 0.0
        if isinstance(sys.stdout, io.TextIOWrapper):
            # What a workflow puts out may hold characters that a terminal's encoding has not.
            sys.stdout.reconfigure(errors="backslashreplace")

    def started(self, warning: str | None) -> Exit:
        """A run was started, and isn't waited for."""
        execution_id = self.execution_id
        if self.as_json:
            self._document({"state": "started", "execution_id": execution_id, "warning": warning})
        else:
            self._line(str(execution_id))
            tell(f"started; its outcome: {_PROGRAM} results {execution_id} --wait")
        return Exit.OK

    def ended(self, outcome: RunOutcome, warning: str | None = None) -> Exit:
        """A run has ended with an outcome."""
        nodes = nodes_to_json(outcome)
        if self.as_json:
            found = {"execution_id": outcome.execution_id, "output": outcome.output, "nodes": nodes}
            self._document({"state": "succeeded", **found, "warning": warning})
        else:
            shown = outcome.output if nodes is None else nodes
            self._line(shown if isinstance(shown, str) else json.dumps(shown, indent=2, ensure_ascii=False))
        return Exit.OK

    def error(self, error: Exception) -> Exit:
        """The command ended in an error."""
        execution_id = self.execution_id
        status, state = ending(error, execution_id)
        step = next_step(error, execution_id)
        if self.as_json and not isinstance(error, Unwritable):
            about = {"execution_id": execution_id, "nodes": nodes_to_json(error), "error": described(error, step)}
            self._document({"state": state, **about})
        tell(str(error) if status is Exit.INTERRUPTED else f"error: {error}")
        if step:
            tell(step)
        return status

    def progress(self, progress: Progress) -> None:
        """Print how far a run is: when something has changed, and on a terminal every few seconds."""
        state = str(progress._replace(seconds=0.0))
        is_due = progress.seconds >= self._next_line and sys.stderr is not None and sys.stderr.isatty()
        if is_due or state != self._last_state:
            tell(str(progress))
            self._next_line = progress.seconds + _SECONDS_BETWEEN_LINES
        self._last_state = state

    def _document(self, document: dict[str, Any]) -> None:
        self._line(json.dumps(document))

    def _line(self, text: str) -> None:
        write(sys.stdout, text)


def write(file: IO[str] | None, text: str) -> None:
    """Write a line, which has reached its reader when this returns, or the disk's cache.

    Raises:
        Unwritable: Nobody takes it any more: no room is left, or standard output is closed.
    """
    if file is None:
        raise Unwritable("standard output is closed")
    if file.isatty():
        # A program that reads the output wants it as it is; a terminal would do what a workflow's text tells it to.
        text = _printable(text, kept="\n\t")
    try:
        file.write(text + "\n")
        file.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        # What is left in the buffer must not make the interpreter's exit complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), file.fileno())
        raise Unwritable(f"the output can't be written: {error.strerror}") from None
