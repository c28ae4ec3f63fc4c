"""PromptLayer workflows as the sandbox knows them: versions, their nodes and edges, and what makes a version sound."""

import math
from collections.abc import Container, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from typing import Any

from workflow_sandbox.sizes import LONGEST_NAME, MOST_NODES


class UnsoundVersion(Exception):
    """A version that can't be run. Its text is one line for a person."""


@dataclass(frozen=True)
class Node:
    """One step of a workflow.

    Attributes:
        position: Where it stands in an order in which the nodes can run.
        dependencies: Names of the nodes and input variables that it needs, as they were given.
        depends_on: Those of them that are nodes.
        edges: The conditional edges that lead to it.
    """

    position: int
    name: str
    node_type: str
    configuration: Mapping[str, Any]
    dependencies: tuple[str, ...]
    depends_on: tuple[str, ...]
    edges: tuple[Mapping[str, Any], ...]
    is_output: bool


@dataclass(frozen=True)
class Workflow:
    """A workflow, without its versions."""

    id: int
    name: str
    created_at: str
    updated_at: str

    @property
    def created(self) -> datetime:
        """When it was created."""
        return datetime.fromisoformat(self.created_at)

    @property
    def updated(self) -> datetime:
        """When its latest version was created."""
        return datetime.fromisoformat(self.updated_at)


@dataclass(frozen=True)
class WorkflowVersion:
    """One version of a workflow.

    Attributes:
        id: Unique among the versions of all workflows.
        document: The version in the form in which it was created: nodes, edges, required_input_variables.
    """

    id: int
    workflow_id: int
    workflow: str
    number: int
    document: Mapping[str, Any]
    created_at: str

    @property
    def input_variables(self) -> frozenset[str]:
        """Names of the input variables that a run should have."""
        return frozenset(self.document["required_input_variables"] or {})

    @cached_property
    def nodes(self) -> tuple[Node, ...]:
        """The nodes, in an order in which they can run."""
        nodes = {node["name"]: node for node in self.document["nodes"]}
        order = order_of(self.document["nodes"])
        return tuple(self._node(position, nodes[name], nodes.keys()) for position, name in enumerate(order))

    def _node(self, position: int, node: Mapping[str, Any], names: Container[str]) -> Node:
        dependencies = tuple(node["dependencies"])
        return Node(
            position=position,
            name=node["name"],
            node_type=node["node_type"],
            configuration=node["configuration"],
            dependencies=dependencies,
            depends_on=tuple(name for name in dependencies if name in names),
            edges=tuple(edge for edge in self.document["edges"] if edge["target_node_name"] == node["name"]),
            is_output=node["is_output_node"],
        )


def order_of(nodes: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the nodes' names in an order in which they can run: each after those it depends on, else as they stand.

    Raises:
        UnsoundVersion: They depend on each other in a circle.
    """
    needs = {node["name"]: node["dependencies"] for node in nodes}
    sorter = TopologicalSorter({name: [one for one in wanted if one in needs] for name, wanted in needs.items()})
    try:
        return list(sorter.static_order())
    except CycleError as error:
        raise UnsoundVersion(f"Nodes depend on each other: {' -> '.join(error.args[1])}") from None


def check(document: Mapping[str, Any]) -> None:
    """Check what no schema says of a version.

    Raises:
        UnsoundVersion: It has too many nodes, no output node, two nodes of one name, a name that is empty or too long,
            a circle, an edge between nodes that don't depend on each other, or a node with orders for the sandbox that
            make no sense.
    """
    nodes = {node["name"]: node for node in document["nodes"]}
    if len(nodes) > MOST_NODES:
        raise UnsoundVersion(f"The sandbox takes workflows of at most {MOST_NODES} nodes")
    if len(nodes) != len(document["nodes"]):
        raise UnsoundVersion("Two nodes have the same name")
    if not all(1 <= len(name) <= LONGEST_NAME for name in nodes):
        raise UnsoundVersion(
            f"The name of a node has 1 to {LONGEST_NAME} characters"
        )  # which no schema says of a patch
    if not any(node["is_output_node"] for node in nodes.values()):
        raise UnsoundVersion("At least one node has to be an output node")
    for name, node in nodes.items():
        _check_orders(name, node["configuration"].get("sandbox", {}))
    for edge in document["edges"]:
        source, target = edge["source_node_name"], edge["target_node_name"]
        if source not in nodes or target not in nodes:
            raise UnsoundVersion("An edge leads from or to a node that does not exist")
        if source not in nodes[target]["dependencies"]:
            raise UnsoundVersion("The target of an edge has to depend on its source")
    order_of(nodes.values())


def _check_orders(name: str, orders: Any) -> None:
    match orders:
        case {"return": _, "fail": _}:
            raise UnsoundVersion(f"Node {name}: configuration.sandbox has return or fail but not both")
        case dict() if orders.keys() <= {"return", "fail", "sleep"}:
            seconds = orders.get("sleep", 0)
            is_number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
            if is_number and 0 <= seconds < math.inf and isinstance(orders.get("fail", ""), str):
                return
    words = "has to be an object with return or fail (a text), and sleep (a number of seconds)"
    raise UnsoundVersion(f"Node {name}: configuration.sandbox {words}")


def merge(base: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """Return the version that a patch makes of another one.

    Raises:
        UnsoundVersion: The patch removes a node that is not there or that another one goes on to depend on, or adds one
            without its type and configuration.
    """
    nodes = {node["name"]: node for node in base["nodes"]}
    for name, update in (patch.get("nodes") or {}).items():
        if update is None:
            if nodes.pop(name, None) is None:
                raise UnsoundVersion("A node that is to be removed does not exist")
        else:
            nodes[name] = _updated(name, nodes.get(name), update)
    edges, variables = patch.get("edges"), patch.get("required_input_variables")
    variables = base["required_input_variables"] if variables is None else variables
    # Any other name that is no node may be that of a variable which is not required.
    _check_removed({node["name"] for node in base["nodes"]} - nodes.keys() - (variables or {}).keys(), nodes)
    kept = [edge for edge in base["edges"] if {edge["source_node_name"], edge["target_node_name"]} <= nodes.keys()]
    return {
        "commit_message": patch.get("commit_message"),
        "required_input_variables": variables,
        "nodes": list(nodes.values()),
        "edges": kept if edges is None else edges,
    }


def _check_removed(removed: AbstractSet[str], nodes: Mapping[str, Mapping[str, Any]]) -> None:
    for name, node in nodes.items():
        if gone := [one for one in node["dependencies"] if one in removed]:
            raise UnsoundVersion(f"Node {name} would depend on {gone[0]}, which is removed")


def _updated(name: str, node: Mapping[str, Any] | None, update: Mapping[str, Any]) -> dict[str, Any]:
    if node is None:
        if not update.keys() >= {"node_type", "configuration"}:
            raise UnsoundVersion("A new node needs node_type and configuration")
        return {"dependencies": [], "is_output_node": False, **update, "name": name}
    configuration = _deep_merge(node["configuration"], update.get("configuration", {}))
    return {**node, **update, "configuration": configuration, "name": name}


def _deep_merge(base: Any, update: Any) -> Any:
    if not isinstance(base, dict) or not isinstance(update, dict):
        return update
    return {**base, **{name: _deep_merge(base.get(name), value) for name, value in update.items()}}
