"""How a command ends: its exit status, and what is said of an error.

0    all is well
1    the run has failed, or the service answered with an error or could not be reached
2    wrong usage or set-up: nothing was sent
3    the run goes on: it had not ended when the deadline came
4    in doubt: a run may have been started, and nobody can tell
130  interrupted (Ctrl-C, SIGTERM or SIGHUP)
"""

from __future__ import annotations

from enum import IntEnum

from workflow_runs.advice import advice
from workflow_runs.batch.ledger import LedgerError
from workflow_runs.outcome import RunFailed, WaitTimeout
from workflow_runs_api.errors import BadArgument, WorkflowRunsError

__all__ = ["Exit", "Interrupted", "Stopped", "Unwritable", "UsageError", "ending", "next_step"]


class Exit(IntEnum):
    """The exit statuses."""

    OK = 0
    FAILED = 1
    MISUSED = 2
    RUNNING = 3
    IN_DOUBT = 4
    INTERRUPTED = 130


class UsageError(Exception):
    """The command can't be carried out as it was given. Nothing was sent."""


class Unwritable(Exception):
    """What was found can't be written."""


class Stopped(Exception):
    """A batch can't go on, and some of its items were started."""


class Interrupted(Exception):
    """The user has ended the command.

    Attributes:
        may_have_run: Whether a request was on its way that may have started a run.
    """

    def __init__(self, message: str, *, may_have_run: bool = False) -> None:
        self.may_have_run = may_have_run
        super().__init__(message)


def ending(error: Exception, execution_id: int | None = None) -> tuple[Exit, str]:
    """Return the exit status and state of a command that ended in an error, and perhaps with a run that was started."""
    match error:
        case Interrupted():
            return Exit.INTERRUPTED, "interrupted"
        case RunFailed():
            return Exit.FAILED, "failed"
        case WaitTimeout():
            return Exit.RUNNING, "running"
        case WorkflowRunsError(may_have_run=True) if execution_id is None:
            return Exit.IN_DOUBT, "in_doubt"
        case UsageError() | BadArgument() | LedgerError():
            return Exit.MISUSED, "misused"
        case _:
            return Exit.FAILED, "refused" if execution_id is None else "unknown"


def next_step(error: Exception, execution_id: int | None = None) -> str | None:
    """Return what to do next."""
    match error:
        case Interrupted() | Unwritable() if execution_id is not None:
            return f"go on with: workflow-runs results {execution_id} --wait"
        case Interrupted(may_have_run=True):
            return "look in the dashboard for the run that may have been started, before you repeat the command"
    return advice(error)
