"""What a node makes of its inputs, by its type.

A type that is not executed here gives the values that it depends on, by name. A member `sandbox` in the configuration
of a node of any type comes first: `{"return": VALUE}` or `{"fail": WORDS}`.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from workflow_sandbox import json_text
from workflow_sandbox.conditions import same
from workflow_sandbox.prompts import names_in, prompt_of
from workflow_sandbox.sizes import Room
from workflow_sandbox.workflows import Node


class NodeFailed(Exception):
    """A node has no value. Its text says why."""


async def compute(node: Node, inputs: Mapping[str, Any], ask: Callable[[str], Awaitable[Any]]) -> Any:
    """Return a node's value.

    Args:
        node: The node.
        inputs: The run's input variables and the values of the nodes that it depends on.
        ask: Returns the reply to a prompt.

    Raises:
        NodeFailed: It was told to fail.
    """
    match node.node_type, node.configuration:
        case _, {"sandbox": {"return": value}}:
            return value
        case _, {"sandbox": {"fail": words}}:
            raise NodeFailed(words)
        case "PROMPT_TEMPLATE", configuration:
            prompt = prompt_of(configuration, inputs)
            # A prompt of the registry is not here: what it would be filled with stands for it.
            return await ask(json_text.encode(_needed(node, inputs)) if prompt is None else prompt)
        case "VARIABLE", {"value": {"type": "string" | "json", "value": value}} | {"value": value}:
            return value
        case "COMPARE", {"sources": [str(left), str(right)], **how}:
            return _are_equal(inputs.get(left), inputs.get(right), how.get("comparison_type"))
    return _needed(node, inputs)


def names_read(node: Node) -> set[str]:
    """Return the names of the inputs that a node's value may be made of, beside those that it depends on."""
    match node.node_type, node.configuration:
        case _, {"sandbox": {"return": _} | {"fail": _}}:
            return set()
        case "PROMPT_TEMPLATE", configuration:
            return names_in(configuration)
        case "COMPARE", {"sources": [str(left), str(right)]}:
            return {left, right}
    return set()


def _needed(node: Node, inputs: Mapping[str, Any]) -> dict[str, Any]:
    needed = {name: inputs[name] for name in node.dependencies if name in inputs}
    # A chain of nodes that each hold all before them doubles with every node.
    Room().take_values(needed.values())
    return needed


def _are_equal(left: Any, right: Any, how: Any) -> bool:
    if not isinstance(how, dict) or how.get("type") != "JSON":
        return _text(left) == _text(right)
    if how.get("json_path"):
        raise NodeFailed("The sandbox compares whole values, not what a json_path leads to")
    return same(*(json_text.decode(value) if isinstance(value, str) else value for value in (left, right)))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json_text.encode(value)
