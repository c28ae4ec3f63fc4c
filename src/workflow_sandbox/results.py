"""The forms in which a PromptLayer run's nodes are shown: by the results operation and in a callback."""

from collections.abc import Sequence
from typing import Any

from workflow_sandbox.store import UNFINISHED, NodeState


def is_finished(nodes: Sequence[NodeState]) -> bool:
    """Return whether every node has ended."""
    return not any(node.status in UNFINISHED for node in nodes)


def main_output_node(nodes: Sequence[NodeState]) -> NodeState | None:
    """Return the node whose value is the run's output: the first output node that succeeded."""
    return next((node for node in nodes if node.is_output and node.status == "SUCCESS"), None)


def node_entries(nodes: Sequence[NodeState]) -> dict[str, Any]:
    """Return every node's entry by node name."""
    return {
        node.name: {
            "status": node.status,
            "value": node.value,
            "error_message": node.error_message,
            "raw_error_message": node.raw_error_message,
            "is_output_node": node.is_output,
        }
        for node in nodes
    }


def final_output(nodes: Sequence[NodeState], *, all_outputs: bool) -> Any:
    """Return what a callback carries: the main output, or every entry if those were asked for or there is no output."""
    main = main_output_node(nodes)
    return node_entries(nodes) if all_outputs or main is None else main.value
