"""Asking PromptLayer for the results of an execution: what an answer means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import attrs

from workflow_runs_api.api.promptlayer.get_workflow_version_execution_results import (
    OPERATION,
    ExecutionPending,
    ExecutionResults,
    Keywords,
    request,
)
from workflow_runs_api.models import ExecutionFailed, NodeOutput
from workflow_runs_api.models.node_outputs import read_node_outputs
from workflow_runs_api.types import Problem

from .outcome import RunFailed, RunOutcome, execution_id_of, main_output, named, output_nodes
from .waiting import GoingOn, Question

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from workflow_runs_api.models import RunAccepted, RunCreated
    from workflow_runs_api.operation import Call, Operation, Outgoing

__all__ = ["ExecutionQuestion"]

_WORDS_SHOWN = 300
_NODE_MEMBERS: Final = attrs.fields_dict(NodeOutput).keys() - {"additional_properties"}


class ExecutionQuestion(Question[RunOutcome]):
    """Asks for the results of one execution."""

    def __init__(
        self,
        run: RunCreated | RunAccepted | int,
        outgoing: Callable[[Operation[Any], Call], Outgoing],
        *,
        return_all_outputs: bool,
    ) -> None:
        execution_id = execution_id_of(run)
        self._arguments: Keywords = {
            "workflow_version_execution_id": execution_id,
            "return_all_outputs": return_all_outputs,
        }
        super().__init__(execution_id, OPERATION, request(**self._arguments), outgoing)

    def ask(self, client: Any) -> Any:
        """Ask once."""
        return client.get_workflow_version_execution_results(**self._arguments)

    def read(self, result: ExecutionResults | ExecutionPending, response: httpx.Response) -> RunOutcome | GoingOn:
        """Return the outcome, if that is what an answer has."""
        asked_for_all = self._arguments["return_all_outputs"]
        if isinstance(result, ExecutionPending):
            return GoingOn(_statuses(result.value) if asked_for_all else None)
        if asked_for_all:
            return self._of_nodes(self._nodes(result.value, response), response)
        failed = _failed_nodes(result.value)
        if failed is not None:
            raise self._failure(failed, response)
        return RunOutcome(self.execution_id, result.value)

    def _nodes(self, value: Any, response: httpx.Response) -> dict[str, NodeOutput]:
        try:
            return read_node_outputs(value)
        except Problem as problem:
            raise self.reply(response).broken(problem) from None

    def _of_nodes(self, nodes: dict[str, NodeOutput], response: httpx.Response) -> RunOutcome:
        main = main_output(nodes)
        if main.succeeded is False:
            raise self._failure(nodes, response)
        return RunOutcome(self.execution_id, main.value, nodes)

    def _failure(self, nodes: dict[str, NodeOutput], response: httpx.Response) -> RunFailed:
        reply = self.reply(response)
        shown = reply.masked({name: node.to_dict() for name, node in nodes.items()})
        return RunFailed("", nodes=read_node_outputs(shown), **reply.about())

    def explained(self, failure: RunFailed, response: httpx.Response) -> RunFailed:
        """Return a failure, in either form, with what is known here: which execution, why its output nodes failed."""
        failure.execution_id, name = self.execution_id, named(self.execution_id)
        failure.nodes = _failed_nodes(failure.output) if failure.nodes is None else failure.nodes
        ended = output_nodes(failure.nodes or {}).items()
        causes = [f"{name}: {node.error_message or node.status}" for name, node in ended]
        # The nodes' words are the service's: it may have sent back what it was sent.
        said = failure.body.message if isinstance(failure.body, ExecutionFailed) else ""
        words = self.reply(response).shown("; ".join(causes) or said, _WORDS_SHOWN)
        failure.message = f"{name} has ended without an output; {words}"
        failure.how_to_find = f"it is {name}, which has ended"
        failure.args = (failure.message,)
        return failure


def _failed_nodes(value: Any) -> dict[str, NodeOutput] | None:
    """Return the nodes, if a bare output is none: some servers send all nodes when no output node has succeeded.

    An output of the workflow's own may be an object of objects too; so it has to look like nodes in every entry.
    """
    if not isinstance(value, dict) or not value:
        return None
    if not all(isinstance(entry, dict) and entry.keys() >= _NODE_MEMBERS for entry in value.values()):
        return None
    try:
        nodes = read_node_outputs(value)
    except Problem:
        return None
    return nodes if main_output(nodes).succeeded is False else None


def _statuses(value: Any) -> dict[str, str] | None:
    """Return the nodes' statuses; the contract leaves a pending body open, so any other form is no error."""
    try:
        return {name: node.status for name, node in read_node_outputs(value).items()}
    except Problem:
        return None
