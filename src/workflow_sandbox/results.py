"""The forms in which a PromptLayer run's nodes are shown: by the results operation and in a callback."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from workflow_sandbox.store import UNFINISHED, NodeState


def is_finished(nodes: Sequence[NodeState]) -> bool:
    """Return whether every node has ended."""
    return not any(node.status in UNFINISHED for node in nodes)


def main_output(nodes: Sequence[NodeState], *, by_name: bool = False) -> NodeState | None:
    """Return the node whose value is the run's output, or None if no output node succeeded.

    Args:
        nodes: The nodes of a run that has ended.
        by_name: Whether several outputs are one object; otherwise the first node in the order of the graph counts.
    """
    found = [node for node in nodes if node.is_output and node.status == "SUCCESS"]
    if by_name and len(found) > 1:
        return replace(found[0], value={node.name: node.value for node in found})
    return found[0] if found else None


def node_entries(nodes: Sequence[NodeState], *, failure: str = "FAILED") -> dict[str, Any]:
    """Return every node's entry by node name; `failure` is the status of one that failed."""
    return {
        node.name: {
            "status": failure if node.status == "FAILED" else node.status,
            "value": node.value,
            "error_message": node.error_message,
            "raw_error_message": node.raw_error_message,
            "is_output_node": node.is_output,
        }
        for node in nodes
    }


def final_output(nodes: Sequence[NodeState], *, all_outputs: bool, failure: str = "FAILED") -> Any:
    """Return what a callback carries: the main output, or every entry if those were asked for or there is no output."""
    main = main_output(nodes)
    return node_entries(nodes, failure=failure) if all_outputs or main is None else main.value
