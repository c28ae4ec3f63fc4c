"""What goes into a batch and what comes out of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from workflow_runs.advice import advice, described
from workflow_runs.outcome import nodes_to_json

if TYPE_CHECKING:
    from workflow_runs.outcome import RunOutcome
    from workflow_runs_api.api.promptlayer.run_workflow import Keywords
    from workflow_runs_api.errors import WorkflowRunsError

__all__ = ["BatchItem", "BatchProgress", "BatchResult", "State"]

State: TypeAlias = Literal["succeeded", "failed", "refused", "in_doubt", "unfinished"]


class BatchItem(NamedTuple):
    """One run to be made.

    Attributes:
        workflow_name: Name of the workflow to run.
        arguments: The other arguments of `run_workflow`, by name.
        key: The item's name in results and ledger, unique in its batch. Default: its place in the batch, from 0.

    Example:
        >>> BatchItem("support-agent", {"input_variables": {"user_message": "Hello"}}, key="ada").key
        'ada'
    """

    workflow_name: str
    arguments: Keywords
    key: str | None = None

    def __repr__(self) -> str:
        # Without the arguments' values, which are somebody's inputs.
        return f"BatchItem({self.workflow_name!r}, arguments={[*(self.arguments or ())]!r}, key={self.key!r})"


class BatchResult(NamedTuple):
    """What became of an item.

    Attributes:
        key: The item's key.
        position: Its place in the batch, from 0.
        state: `succeeded`: there is an outcome. `failed`: the run has ended without an output. `refused`: it was not
            started, and may be with `repeat_refused`. `in_doubt`: it may have been started, and nobody can tell; it
            isn't started again before `Ledger.settle` says what became of it. `unfinished`: it was started, and goes
            on or can't be asked for; it is waited for when the batch goes on.
        execution_id: Id of the execution, if there is one.
        outcome: What the run has produced if it succeeded, else None.
        reason: Words of the error if it didn't, else None.
        error: The error itself; None if it was met before, by another process.
    """

    key: str
    position: int
    state: State
    execution_id: int | None = None
    outcome: RunOutcome | None = None
    reason: str | None = None
    error: WorkflowRunsError | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the result as JSON, as `workflow-runs batch` prints it and the ledger keeps it.

        Example:
            >>> BatchResult("ada", 0, "in_doubt", reason="no reply arrived").to_json()["state"]
            'in_doubt'
        """
        return {
            "key": self.key,
            "position": self.position,
            "state": self.state,
            "execution_id": self.execution_id,
            "output": None if self.outcome is None else self.outcome.output,
            "nodes": nodes_to_json(self.error if self.outcome is None else self.outcome),
            "reason": self.reason,
            "error": None if self.error is None else described(self.error, advice(self.error)),
        }


class BatchProgress(NamedTuple):
    """How far a batch has come, in numbers of items. Those of earlier processes count.

    Attributes:
        total: All items.
        new: Not begun yet.
        under_way: Begun or started, and their results not handed over.
        succeeded: Ended with an output.
        failed: Ended without one.
        refused: Not started.
        in_doubt: Perhaps started.
    """

    total: int
    new: int
    under_way: int
    succeeded: int
    failed: int
    refused: int
    in_doubt: int
