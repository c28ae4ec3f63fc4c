"""How a run ends: with an outcome, in failure, or not within the time given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from workflow_runs_api.errors import WorkflowRunsError

if TYPE_CHECKING:
    from workflow_runs_api.models import NodeOutput

__all__ = ["RunFailed", "RunOutcome", "WaitTimeout"]


class RunOutcome(NamedTuple):
    """What a run has produced.

    Attributes:
        execution_id: Id of the execution.
        output: The main output, any JSON value; null, false, 0, "" and {} are outputs like any other.
        nodes: Every node's entry by its name if all outputs were asked for, else None.
    """

    execution_id: int
    output: Any
    nodes: dict[str, NodeOutput] | None = None


class RunFailed(WorkflowRunsError):
    """The run has ended and none of its output nodes succeeded. Final: asking again changes nothing.

    Attributes:
        execution_id: Id of the execution, or None where only the reply to a single request is known.
        output: What there is of the output, as the service sent it.
        nodes: Every node's entry by its name, or None if the service didn't send them.
        body: The reply's body, a model if the service answered in the documented failure form.
    """

    def __init__(
        self,
        message: str,
        *,
        execution_id: int | None = None,
        output: Any = None,
        nodes: dict[str, NodeOutput] | None = None,
        body: Any = None,
        **about: Any,
    ) -> None:
        self.execution_id = execution_id
        self.output = output
        self.nodes = nodes
        self.body = body
        super().__init__(message, **about)


class WaitTimeout(WorkflowRunsError):
    """The run had not ended when the deadline came. It goes on: wait for the execution id again.

    Attributes:
        execution_id: Id of the execution.
    """

    def __init__(self, message: str, *, execution_id: int) -> None:
        self.execution_id = execution_id
        super().__init__(message, operation="wait")
