"""How a run ends, with an outcome or in failure, and what is known of one that hasn't ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from workflow_runs_api.errors import BadArgument, WorkflowRunsError

if TYPE_CHECKING:
    from workflow_runs_api.models import NodeOutput, RunAccepted, RunCreated, WorkflowRun

__all__ = [
    "MainOutput",
    "Progress",
    "RunFailed",
    "RunId",
    "RunOutcome",
    "WaitCancelled",
    "WaitTimeout",
    "execution_id_of",
    "main_output",
    "named",
    "nodes_to_json",
    "output_nodes",
]

RunId: TypeAlias = Any
"""An int of PromptLayer's or a text of Interactly's. No union: it goes back to the `wait` of its own client."""


def named(execution_id: RunId) -> str:
    """Return what a person calls a run."""
    return f"{'workflow run' if isinstance(execution_id, str) else 'execution'} {execution_id}"


class RunOutcome(NamedTuple):
    """What a run of PromptLayer's has produced.

    Attributes:
        execution_id: Id of the execution.
        output: The main output, any JSON value; null, false, 0, "" and {} are outputs like any other.
        nodes: Every node's entry by its name if all outputs were asked for, else None.

    Example:
        >>> execution_id, output, nodes = client.wait(98765, return_all_outputs=True)
        >>> {name: node.status for name, node in nodes.items()}
        {'Draft': 'SUCCESS', 'Reply': 'SUCCESS'}
    """

    execution_id: int
    output: Any
    nodes: dict[str, NodeOutput] | None = None


class Progress(NamedTuple):
    """How far a wait has come; `wait` hands one to `on_progress` after each question that didn't end it.

    Attributes:
        execution_id: Id of the execution; for Interactly that of the workflow run, a text.
        seconds: Seconds since the wait began.
        polls: Questions asked so far, those without an answer included.
        nodes: Status of every node by its name, if all outputs were asked for and the response has them; else None.
        problem: Why this question got no answer, or None if it got one.
        status: Status of the run as Interactly has it; None where the service tells no more than that the run goes on.

    Example:
        >>> print(Progress(98765, seconds=0.5, polls=1, nodes={"Draft": "SUCCESS", "Reply": "RUNNING"}))
        execution 98765 after 0.5 s: Draft SUCCESS, Reply RUNNING
    """

    execution_id: RunId
    seconds: float
    polls: int
    nodes: dict[str, str] | None = None
    problem: WorkflowRunsError | None = None
    status: str | None = None

    def __str__(self) -> str:
        if self.problem is not None:
            state = f"no answer, asking again ({self.problem})"
        else:
            nodes = ", ".join(f"{name} {status}" for name, status in (self.nodes or {}).items())
            state = nodes or self.status or "running"
        return f"{named(self.execution_id)} after {self.seconds:.1f} s: {state}"


class RunFailed(WorkflowRunsError):
    """The run has ended without success. Final: asking again changes nothing.

    Of PromptLayer: none of its output nodes succeeded. Of Interactly: its status is failed, cancelled or
    aborted_looping_risk. It has run, so `may_have_run` is true.

    Attributes:
        execution_id: Id of the execution, for Interactly of the workflow run; None where only the reply to a single
            request is known.
        output: What there is of the output, as the service sent it.
        nodes: Every node's entry by its name, or None if the service didn't send them.
        body: The reply's body, a model if the service answered in the documented failure form.
        run: The run as it has ended, for Interactly; else None.
    """

    def __init__(
        self,
        message: str,
        *,
        execution_id: RunId = None,
        output: Any = None,
        nodes: dict[str, NodeOutput] | None = None,
        body: Any = None,
        run: WorkflowRun | None = None,
        **about: Any,
    ) -> None:
        self.execution_id = execution_id
        self.output = output
        self.nodes = nodes
        self.body = body
        self.run = run
        super().__init__(message, **{**about, "may_have_run": True})


class _StillRunning(WorkflowRunsError):
    def __init__(self, message: str, *, execution_id: RunId) -> None:
        self.execution_id = execution_id
        self.how_to_find = f"it is {named(execution_id)}: wait for it again"
        super().__init__(message, operation="wait", may_have_run=True)


class WaitTimeout(_StillRunning):
    """The run had not ended when the deadline came. It goes on: wait for the execution id again.

    It was started, so `may_have_run` is true. If the last question got no answer, the error that it ended in is the
    `__cause__`.

    Attributes:
        execution_id: Id of the execution, for Interactly of the workflow run.
    """


class WaitCancelled(_StillRunning):
    """The wait was cancelled before the run had ended. The run goes on: wait for the execution id again.

    It was started, so `may_have_run` is true.

    Attributes:
        execution_id: Id of the execution, for Interactly of the workflow run.
    """


class MainOutput(NamedTuple):
    """What the nodes of an ended run say of its main output.

    Attributes:
        succeeded: Whether an output node has succeeded; None if no node is said to be one.
        value: The value of the first output node that succeeded, else None.
    """

    succeeded: bool | None
    value: Any = None


def main_output(nodes: dict[str, NodeOutput]) -> MainOutput:
    """Return the main output of a run that has ended, going by all of its nodes."""
    outputs = output_nodes(nodes).values()
    for node in outputs:
        if node.status == "SUCCESS":
            return MainOutput(succeeded=True, value=node.value)
    return MainOutput(succeeded=False if outputs else None)


def output_nodes(nodes: dict[str, NodeOutput]) -> dict[str, NodeOutput]:
    """Return those nodes whose values are outputs of the workflow."""
    return {name: node for name, node in nodes.items() if node.is_output_node}


def nodes_to_json(ended: Any) -> dict[str, Any] | None:
    """Return the nodes' entries as JSON, or None if there are none."""
    nodes = getattr(ended, "nodes", None)
    return None if nodes is None else {name: node.to_dict() for name, node in nodes.items()}


def execution_id_of(run: RunCreated | RunAccepted | int) -> int:
    """Return the execution id of what `run_workflow` returned, or the id itself.

    Raises:
        BadArgument: it is neither.
    """
    try:
        execution_id: object = run if isinstance(run, int | float) else run.workflow_version_execution_id
    except AttributeError:
        execution_id = None
    if isinstance(execution_id, float) and execution_id.is_integer():
        return int(execution_id)  # some programs read every number as one
    if isinstance(execution_id, bool) or not isinstance(execution_id, int):
        raise BadArgument("expected a run or an execution id", field="run", operation="wait")
    return execution_id
