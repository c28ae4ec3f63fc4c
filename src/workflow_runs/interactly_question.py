"""Asking Interactly for a workflow run: what its status means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from workflow_runs_api.api.interactly.get_workflow_run import OPERATION, request
from workflow_runs_api.errors import BadArgument
from workflow_runs_api.models import InteractiveRun, WorkflowRun

from .outcome import RunFailed, named
from .waiting import GoingOn, Question

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from workflow_runs_api.models import WorkflowRunReply
    from workflow_runs_api.operation import Call, Operation, Outgoing

__all__ = ["WorkflowRunQuestion", "name_of_run", "workflow_run_id_of"]

_FAILED: Final = frozenset({"failed", "cancelled", "aborted_looping_risk"})
_WORDS_SHOWN = 300


class WorkflowRunQuestion(Question[WorkflowRun]):
    """Asks for one workflow run. Any status but the four final ones, a new one too, means that the run goes on."""

    def __init__(
        self,
        run: WorkflowRun | InteractiveRun | str,
        outgoing: Callable[[Operation[Any], Call], Outgoing],
        *,
        until_input: bool,
    ) -> None:
        run_id = workflow_run_id_of(run)
        self._last = {"completed", *(["waiting_for_user_input"] if until_input else [])}
        super().__init__(run_id, OPERATION, request(run_id), outgoing)

    def ask(self, client: Any) -> Any:
        """Ask once."""
        return client.get_workflow_run(self.execution_id)

    def read(self, result: WorkflowRunReply, response: httpx.Response) -> WorkflowRun | GoingOn:
        """Return the run, if that has ended."""
        run = result.workflow_run.workflow_run
        if run.status in _FAILED:
            raise self._failure(run, response)
        return run if run.status in self._last else GoingOn(status=str(run.status) if run.status else None)

    def _failure(self, run: WorkflowRun, response: httpx.Response) -> RunFailed:
        reply, name = self.reply(response), named(self.execution_id)
        # The word is the service's: it may have sent back what it was sent.
        cause = f" ({reply.shown(str(run.termination_source), _WORDS_SHOWN)})" if run.termination_source else ""
        words = f"{name} has ended without success: {run.status}{cause}"
        shown = WorkflowRun.from_dict(reply.masked(run.to_dict()))
        failure = RunFailed(words, execution_id=self.execution_id, run=shown, **reply.about())
        failure.how_to_find = f"it is {name}, which has ended"
        return failure


def workflow_run_id_of(run: WorkflowRun | InteractiveRun | str) -> str:
    """Return the id of what `execute_workflow` returned, or the id itself.

    Raises:
        BadArgument: It is neither, or the run has no id.
    """
    found = run.workflow_run_id if isinstance(run, WorkflowRun) else run
    found = found.run_id if isinstance(found, InteractiveRun) else found
    if not isinstance(found, str):
        raise BadArgument("expected a run with an id, or the id of a workflow run", field="run", operation="wait")
    return found


def name_of_run(run: WorkflowRun | InteractiveRun) -> str:
    """Return what a person calls a run that was started."""
    try:
        return named(workflow_run_id_of(run))
    except BadArgument:
        return "a workflow run without an id"
