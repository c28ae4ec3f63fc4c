"""Executes accepted PromptLayer runs, node by node, and goes on with unfinished ones after a restart.

A run whose metadata holds `{"sandbox": "fail"}` has its output nodes fail; `{"sandbox": "fail:NAME"}` makes the node
NAME fail, and what depends on it is skipped.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from workflow_sandbox.background import Background
from workflow_sandbox.fixtures import WORKFLOWS, Node, WorkflowVersion
from workflow_sandbox.store import UNFINISHED, NodeState, Run, Store

_METADATA_SWITCH = "sandbox"


class _NodeFailed(Exception):
    """A node was told to fail."""


class Executor:
    """Takes runs through QUEUED, RUNNING and a final status, keeping every step before it takes the next."""

    def __init__(self, store: Store, node_seconds: float, on_finished: Callable[[int], None]) -> None:
        """Make an executor whose every node takes `node_seconds`; `on_finished` is told each ended run's id."""
        self._store = store
        self._node_seconds = node_seconds
        self._on_finished = on_finished
        self._background = Background()

    def submit(self, run_id: int) -> None:
        """Start executing an accepted run, or go on with one that was interrupted."""
        self._background.start(self._execute(run_id))

    async def close(self) -> None:
        """Stop executing; unfinished runs stay as they are in the database."""
        await self._background.close()

    async def _execute(self, run_id: int) -> None:
        run = self._store.run(run_id)
        version = WORKFLOWS[run.workflow].versions[run.version]
        states = {state.name: state for state in self._store.nodes(run_id)}
        for position, node in enumerate(version.nodes):
            # A node that was running when the server was killed runs again: nodes have no effect but their value.
            if states[node.name].status in UNFINISHED:
                states[node.name] = await self._end(run, version, position, states)
                self._store.end_node(run_id, position, states[node.name])
        self._on_finished(run_id)

    async def _end(
        self, run: Run, version: WorkflowVersion, position: int, states: Mapping[str, NodeState]
    ) -> NodeState:
        node = version.nodes[position]
        if any(states[name].status != "SUCCESS" for name in node.depends_on):
            return NodeState(node.name, node.is_output, "SKIPPED")
        self._store.start_node(run.id, position)
        await asyncio.sleep(self._node_seconds)
        try:
            value = _value(run, node, {name: states[name].value for name in node.depends_on})
        except Exception as error:  # noqa: BLE001  # whatever a node raises is the node's failure, not the server's
            words = f"Node {node.name} failed: {error}"
            return NodeState(node.name, node.is_output, "FAILED", None, words, repr(error))
        return NodeState(node.name, node.is_output, "SUCCESS", value)


def _value(run: Run, node: Node, values_before: Mapping[str, Any]) -> Any:
    word = run.metadata.get(_METADATA_SWITCH)
    if word == f"fail:{node.name}" or (word == "fail" and node.is_output):
        raise _NodeFailed(f"metadata {_METADATA_SWITCH!r} asks for it")
    return node.compute(run.input_variables, values_before)
