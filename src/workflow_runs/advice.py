"""What to do about an error, in words for a person, and the error as JSON for a program."""

from __future__ import annotations

from typing import Any

from workflow_runs_api.api.promptlayer.get_workflow_version_execution_results import OPERATION as RESULTS
from workflow_runs_api.errors import BadArgument, NotSent, Unauthorized, WorkflowRunsError

from .outcome import RunFailed, WaitCancelled, WaitTimeout

__all__ = ["advice", "described"]


def advice(error: Exception) -> str | None:
    """Return what to do next, or None if there is nothing to be done."""
    words = None
    match error:
        case RunFailed():
            pass
        case WaitTimeout() | WaitCancelled():
            words = f"go on with: workflow-runs results {error.execution_id} --wait"
        case BadArgument(field="api_key"):
            words = "the key is read from the environment alone: set PROMPTLAYER_API_KEY"
        case Unauthorized():
            words = "check PROMPTLAYER_API_KEY"
        case NotSent():
            words = "check the network, and the address in --base-url or PROMPTLAYER_BASE_URL; then repeat the command"
        case WorkflowRunsError(may_have_run=True, how_to_find=found) if error.operation != RESULTS.name:
            words = "look in the dashboard for the run that may have been started, before you repeat the command"
            words = f"{words}: {found}" if found and found not in str(error) else words
    return words


def described(error: Exception, words: str | None) -> dict[str, Any]:
    """Return an error, and the words of advice about it, as JSON."""
    names = ("status", "field", "request_id", "retry_after", "may_have_run", "how_to_find")
    about = {name: getattr(error, name, None) for name in names}
    return {"type": type(error).__name__, "message": str(error), **about, "advice": words}
