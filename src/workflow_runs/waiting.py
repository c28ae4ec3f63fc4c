"""Waiting for a run: when to ask, what an answer means. Knows no clock but the caller's and sends nothing itself."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from workflow_runs_api.errors import BadArgument, ContractBroken
from workflow_runs_api.models.node_outputs import read_node_outputs
from workflow_runs_api.types import Problem

from .outcome import RunFailed, RunOutcome, WaitTimeout

if TYPE_CHECKING:
    from workflow_runs_api.api.promptlayer.get_workflow_version_execution_results import (
        ExecutionPending,
        ExecutionResults,
    )
    from workflow_runs_api.models import NodeOutput

__all__ = ["Waiting"]

_FIRST_PAUSE, _LONGEST_PAUSE, _GROWTH = 0.5, 5.0, 1.5
_OPERATION = "get_workflow_version_execution_results"
_NODE_MEMBERS = frozenset({"status", "value", "error_message", "raw_error_message", "is_output_node"})


class Waiting:
    """One wait for one execution.

    Attributes:
        execution_id: Id of the execution.
        return_all_outputs: Whether every node's entry is asked for.
    """

    def __init__(self, run: Any, *, return_all_outputs: bool, deadline: float) -> None:
        self.execution_id = _execution_id(run)
        self.return_all_outputs = return_all_outputs
        self._deadline = deadline
        self._began = time.monotonic()
        self._pause = _FIRST_PAUSE

    def pause(self) -> float:
        """Seconds to wait before the next question: 0.5 at first, growing to 5.

        Raises:
            WaitTimeout: the deadline has come.
        """
        left = self._deadline - (time.monotonic() - self._began)
        if left <= 0:
            words = f"execution {self.execution_id} has not ended after {self._deadline:g} s; it goes on, wait again"
            raise WaitTimeout(words, execution_id=self.execution_id)
        pause, self._pause = self._pause, min(self._pause * _GROWTH, _LONGEST_PAUSE)
        return min(pause, left)

    def outcome(self, reply: ExecutionResults | ExecutionPending) -> RunOutcome | None:
        """What an answer means: the outcome, or None while the run goes on.

        Raises:
            RunFailed: no output node has succeeded.
            ContractBroken: all nodes were asked for, and the answer doesn't have their form.
        """
        if type(reply).__name__ == "ExecutionPending":
            return None
        if self.return_all_outputs:
            return self._of_nodes(self._nodes(reply.value))
        if _is_failure(reply.value):
            raise self._failure(read_node_outputs(reply.value))
        return RunOutcome(self.execution_id, reply.value)

    def _nodes(self, value: Any) -> dict[str, NodeOutput]:
        try:
            return read_node_outputs(value)
        except Problem as problem:
            raise ContractBroken(
                operation=_OPERATION, path=problem.path, expected=problem.expected, received=problem.received
            ) from None

    def _of_nodes(self, nodes: dict[str, NodeOutput]) -> RunOutcome:
        outputs = [node for node in nodes.values() if node.is_output_node]
        succeeded = [node for node in outputs if node.status == "SUCCESS"]
        if outputs and not succeeded:
            raise self._failure(nodes)
        return RunOutcome(self.execution_id, succeeded[0].value if succeeded else None, nodes)

    def _failure(self, nodes: dict[str, NodeOutput]) -> RunFailed:
        told = [f"{name}: {node.error_message or node.status}" for name, node in nodes.items() if node.is_output_node]
        words = f"execution {self.execution_id} has ended without an output; {'; '.join(told)[:300]}"
        return RunFailed(words, execution_id=self.execution_id, nodes=nodes, operation=_OPERATION)


def _execution_id(run: Any) -> int:
    execution_id = getattr(run, "workflow_version_execution_id", run)
    if isinstance(execution_id, bool) or not isinstance(execution_id, int):
        raise BadArgument("expected a run or an execution id", field="run", operation="wait")
    return execution_id


def _is_failure(value: Any) -> bool:
    """Whether a bare output is none: some servers send all nodes when no output node has succeeded.

    An output of the workflow's own may be an object of objects too; so it has to look like nodes in every entry.
    """
    if not isinstance(value, dict) or not value:
        return False
    entries = list(value.values())
    if not all(isinstance(entry, dict) and entry.keys() >= _NODE_MEMBERS for entry in entries):
        return False
    outputs = [entry for entry in entries if entry["is_output_node"] is True]
    return bool(outputs) and all(entry["status"] != "SUCCESS" for entry in outputs)
