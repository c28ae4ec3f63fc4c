"""The forms in which a PromptLayer run's nodes are shown: by the results operation, in a callback, in a live update."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from workflow_sandbox.assumptions import Assumptions
from workflow_sandbox.store import UNFINISHED, NodeState


def is_finished(nodes: Sequence[NodeState]) -> bool:
    """Return whether every node has ended."""
    return not any(node.status in UNFINISHED for node in nodes)


def main_output(nodes: Sequence[NodeState], assumed: Assumptions) -> NodeState | None:
    """Return the node whose value is the output of a run that has ended, or None if no output node succeeded."""
    found = [node for node in nodes if node.is_output and node.status == "SUCCESS"]
    first = min(found, key=lambda node: node.ended, default=None)
    if first is not None and len(found) > 1 and assumed.several_outputs == "object":
        return replace(first, value={node.name: node.value for node in found})
    return first


def node_entries(nodes: Sequence[NodeState], assumed: Assumptions, *, failure: str = "FAILED") -> dict[str, Any]:
    """Return every node's entry by node name; `failure` is the status of one that failed."""
    return {
        node.name: {
            "status": failure if node.status == "FAILED" else node.status,
            "value": node.value,
            "error_message": node.error_message,
            "raw_error_message": _raw(node.raw_error_message, assumed),
            "is_output_node": node.is_output,
        }
        for node in nodes
    }


def final_output(
    nodes: Sequence[NodeState], assumed: Assumptions, *, all_outputs: bool, failure: str = "FAILED"
) -> Any:
    """Return what is posted: the main output, or every entry if those were asked for or there is no output."""
    main = main_output(nodes, assumed)
    return node_entries(nodes, assumed, failure=failure) if all_outputs or main is None else main.value


def _raw(text: str | None, assumed: Assumptions) -> Any:
    return {"raw": text} if text is not None and assumed.raw_error == "object" else text
