"""
PromptLayer workflows that the harness may use: the target's own to read, and ones that it creates to change.

What is created has the nodes of the target's own workflow, which the service is known to take.
"""

from typing import Any, Final

from contract_tests.rules import NotExercised
from contract_tests.server.models.exchange import Exchange
from contract_tests.server.server import ServerUnderTest

NODE_MEMBERS: Final = ("name", "node_type", "configuration", "dependencies", "is_output_node")


def read(server: ServerUnderTest) -> Exchange:
    """Return the response to reading the target's own workflow."""
    path = {"workflow_id_or_name": server.target.workflow}
    return server.once("read workflow", lambda: server.call("getWorkflow", path=path))


def nodes_of(server: ServerUnderTest) -> list[dict[str, Any]]:
    """
    Return the nodes of the target's own workflow, as a version is created with them.

    Raises NotExercised if they can't be read.
    """
    return _nodes_in(read(server))


def nodes_of_version(server: ServerUnderTest, number: int) -> list[dict[str, Any]]:
    """Return the nodes of a version of the target's own workflow; see :func:`nodes_of`."""
    path = {"workflow_id_or_name": server.target.workflow}
    return _nodes_in(server.call("getWorkflow", path=path, query={"version": number}))


def _nodes_in(reply: Exchange) -> list[dict[str, Any]]:
    nodes = reply.result.get("nodes")
    if not isinstance(nodes, list) or not nodes or not all(isinstance(node, dict) for node in nodes):
        raise NotExercised(f"the nodes of the target's workflow can't be read: {reply.shown}")
    return [{name: node[name] for name in NODE_MEMBERS if name in node} for node in nodes]


def create(server: ServerUnderTest, **body: Any) -> Exchange:
    """
    Create a workflow or a version, by default with the nodes of the target's own.

    Raises NotExercised if the target does not allow it.
    """
    if not server.target.allow_writes:
        raise NotExercised("allow_writes of the target is false")
    return server.call("createWorkflow", body=body if "nodes" in body else {"nodes": nodes_of(server), **body})


def name_for_traffic(server: ServerUnderTest) -> str:
    """Return the name of the workflow that generated requests may change."""
    return f"contract-tests traffic {server.tag}"


def id_for_traffic(server: ServerUnderTest) -> int | None:
    """Return the id of the workflow that generated requests may change; None if there can't be one."""
    try:
        return _id_in(server.once("workflow for traffic", lambda: create(server, name=name_for_traffic(server))))
    except NotExercised:
        return None


def own_id(server: ServerUnderTest) -> int | None:
    """Return the id of the target's own workflow; None if it can't be read."""
    try:
        return _id_in(read(server))
    except NotExercised:
        return None


def _id_in(reply: Exchange) -> int | None:
    found = reply.result.get("workflow_id")
    return found if isinstance(found, int) else None
