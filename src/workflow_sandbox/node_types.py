"""What a node makes of its inputs, by its type.

A prompt's template is rendered and stands for the model's reply, so that a run's output can be foretold. A type that is
not executed here gives the values that it depends on, by name.
"""

import re
from collections.abc import Mapping
from typing import Any

from workflow_sandbox import json_text
from workflow_sandbox.workflows import Node

_PLACEHOLDER = re.compile(r"\{([^{}]+)\}")


def compute(node: Node, inputs: Mapping[str, Any]) -> Any:
    """Return a node's value. `inputs` holds the run's input variables and the values of the nodes it depends on."""
    match node.node_type, node.configuration:
        case "PROMPT_TEMPLATE", {"inline_template": str(template)}:
            return _PLACEHOLDER.sub(lambda found: _text(inputs.get(found[1], "")), template)
        case "VARIABLE", {"value": value}:
            return value
    return {name: inputs[name] for name in node.dependencies if name in inputs}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json_text.encode(value)
