"""A prompt, as a test's own function gets it to reply to."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Prompt:
    """The prompt of a node of a run.

    Attributes:
        text: The prompt, rendered.
        workflow: Name of the workflow.
        version: Number of its version.
        node: Name of the node.
        run_id: Id of the run.
        inputs: The run's input variables and the values of the nodes that the node depends on.
    """

    text: str
    workflow: str
    version: int
    node: str
    run_id: int
    inputs: dict[str, Any]
