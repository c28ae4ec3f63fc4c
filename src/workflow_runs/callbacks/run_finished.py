"""What PromptLayer posts to a run's `callback_url` once the run has ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from workflow_runs.outcome import RunFailed, RunOutcome, main_output
from workflow_runs_api.models.node_output import NodeOutput  # noqa: TC001 - for typing.get_type_hints
from workflow_runs_api.models.node_outputs import read_node_outputs
from workflow_runs_api.models.workflow_finished import WorkflowFinished
from workflow_runs_api.types import UNSET, Problem

from .payloads import MAX_BYTES, Payload, read_payload

__all__ = ["RunFinished", "read_callback"]

_OPERATION = "workflow_finished"


@dataclass(frozen=True, slots=True)
class RunFinished:
    """A run has ended, and this is what its callback said.

    Attributes:
        execution_id: Id of the execution, the one that `run_workflow` returned.
        output: The main output, any JSON value: the bare one, or the value of the first output node that succeeded.
            None if no output node succeeded, UNSET if the payload has no `final_output` at all.
        nodes: Every node's entry by its name if the payload has them, else None. The enum value FAILURE, which the
            callback's page has, reads FAILED here, as everywhere else; any other status stays as it is.
        succeeded: True if there is an output, False if none of the output nodes succeeded, None if the payload
            doesn't say (no `final_output`, or nodes of which none is marked as an output).
        raw: The payload as it was sent, with the properties that the contract does not name.

    Source: https://docs.promptlayer.com/reference/run-workflow (wording of 2025-11 to 2026-04).

    Example:
        >>> RunFinished(98765, "Your invoice is attached.", succeeded=True).outcome().output
        'Your invoice is attached.'
    """

    execution_id: int
    output: Any = UNSET
    nodes: dict[str, NodeOutput] | None = None
    succeeded: bool | None = None
    raw: dict[str, Any] = field(default_factory=dict, repr=False)

    def outcome(self) -> RunOutcome:
        """Return or raise the same as `PromptLayer.wait`.

        Its output is UNSET if the payload has none; ask `PromptLayer.wait` for it then.

        Raises:
            RunFailed: None of the run's output nodes succeeded. Its `nodes` say why; its message doesn't, since a
                node's error message may repeat inputs of the run.

        Example:
            >>> read_callback({"workflow_version_execution_id": 98765, "final_output": None}).outcome()
            RunOutcome(execution_id=98765, output=None, nodes=None)
        """
        if self.succeeded is not False:
            return RunOutcome(self.execution_id, self.output, self.nodes)
        # Without the nodes' own words: they may repeat the run's inputs, which nobody here knows and could mask.
        words = f"execution {self.execution_id} has ended without an output: no output node succeeded, see nodes"
        raise RunFailed(words, execution_id=self.execution_id, nodes=self.nodes, operation=_OPERATION)


def read_callback(body: Payload, *, return_all_outputs: bool | None = None, max_bytes: int = MAX_BYTES) -> RunFinished:
    """Read a callback's payload.

    It can't be checked that PromptLayer has sent it: no signature of run callbacks is documented. Put a secret into
    the address that you pass as `callback_url`, or take the payload as a hint and ask `PromptLayer.wait`.

    Args:
        body: The payload: bytes, text, or JSON that is parsed already and stays yours.
        return_all_outputs: What the run was started with. True: anything but the entries of all nodes is an error.
            False: the entries of all nodes stand for a failure alone, where a workflow's own output may look like
            them. Default: their form decides.
        max_bytes: Size above which the payload is refused, in bytes (of a text: in characters). Default: 16 MiB.

    Raises:
        ContractBroken: The payload is not what the contract says; the error says where, and never quotes it.

    Source: https://docs.promptlayer.com/reference/run-workflow (wording of 2025-11 to 2026-04).

    Example:
        >>> finished = read_callback(b'{"workflow_version_execution_id": 98765, "final_output": {"total": 3}}')
        >>> finished.execution_id, finished.output, finished.nodes
        (98765, {'total': 3}, None)
    """

    def read(payload: dict[str, Any]) -> RunFinished:
        return _finished(payload, return_all_outputs)

    return read_payload(body, read, operation=_OPERATION, max_bytes=max_bytes)


def _finished(payload: dict[str, Any], return_all_outputs: bool | None) -> RunFinished:  # noqa: FBT001 - a tri-state
    sent = WorkflowFinished.from_dict(payload)
    execution_id, output = sent.workflow_version_execution_id, sent.final_output
    nodes = _nodes(output, return_all_outputs)
    if nodes is None:
        return RunFinished(execution_id, output, None, None if output is UNSET else True, payload)
    main = main_output(nodes)
    if return_all_outputs is False and main.succeeded is not False:
        return RunFinished(execution_id, output, None, True, payload)  # noqa: FBT003 - in the order of the fields
    return RunFinished(execution_id, main.value, nodes, main.succeeded, payload)


def _nodes(output: Any, return_all_outputs: bool | None) -> dict[str, NodeOutput] | None:  # noqa: FBT001 - a tri-state
    if not output and not return_all_outputs:
        return None
    try:
        nodes = read_node_outputs(output)
    except Problem as problem:
        if return_all_outputs:
            raise problem.under("final_output") from None
        return None
    for node in nodes.values():
        if node.status == "FAILURE":
            node.status = "FAILED"
    return nodes
