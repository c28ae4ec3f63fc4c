"""Executes accepted PromptLayer runs, node by node, and goes on with unfinished ones after a restart.

What an earlier start left unfinished is taken up so many at a time, so that requests are served meanwhile; a run that
is asked for doesn't wait its turn.

A run whose metadata holds `{"sandbox": "fail"}` has its output nodes fail; `{"sandbox": "fail:NAME"}` makes the node
NAME fail, and what depends on it is skipped.
"""

import asyncio
import functools
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from workflow_sandbox.background import Background
from workflow_sandbox.database import DatabaseFailed
from workflow_sandbox.node_types import compute
from workflow_sandbox.outages import Outages
from workflow_sandbox.store import UNFINISHED, NodeState, Run, Store
from workflow_sandbox.workflows import Node, WorkflowVersion

_METADATA_SWITCH = "sandbox"
_RESUMED_AT_ONCE = 100
_LOOKED_AT = 1000

_log = logging.getLogger("workflow_sandbox")


class _NodeFailed(Exception):
    """A node was told to fail."""


class Executor:
    """Takes runs through QUEUED, RUNNING and a final status, keeping every step before it takes the next."""

    def __init__(
        self,
        store: Store,
        node_seconds: float,
        on_finished: Callable[[int], Awaitable[None]],
        outages: Outages,
    ) -> None:
        """Make an executor whose every node takes `node_seconds`; `on_finished` is told each ended run's id."""
        self._store = store
        self._node_seconds = node_seconds
        self._on_finished = on_finished
        self._outages = outages
        self._background = Background()
        self._damaged: set[int] = set()

    def submit(self, run_id: int) -> None:
        """Start executing an accepted run, or go on with one that was interrupted.

        Raises:
            DatabaseFailed: What the database has of it is damaged.
        """
        if run_id in self._damaged:
            raise DatabaseFailed(f"what the database has of run {run_id} is damaged", is_damaged=True)
        self._start(run_id)

    def _start(self, run_id: int) -> None:
        self._background.start(f"run {run_id}", functools.partial(self._execute, run_id))

    def resume(self) -> None:
        """Go on, beside everything else, with all runs of which something is left to be done."""
        self._background.start("the runs of an earlier start", self._resume)

    async def _resume(self) -> None:
        resumed, last = 0, 0
        while True:
            end, runs = await self._outages.outlast(functools.partial(self._store.open_runs, last, _LOOKED_AT))
            if end is None:
                break
            last = end
            for run_id in runs:
                await self._background.room(_RESUMED_AT_ONCE)
                self._start(run_id)
            resumed += len(runs)
            await asyncio.sleep(0)
        if resumed:
            _log.info("went on with %d runs of an earlier start", resumed)

    async def close(self) -> None:
        """Stop executing; unfinished runs stay as they are in the database."""
        await self._background.close()

    async def _execute(self, run_id: int) -> None:
        try:
            await self._take_to_its_end(run_id)
        except DatabaseFailed:
            self._damaged.add(run_id)
            raise

    async def _take_to_its_end(self, run_id: int) -> None:
        run, version, states = await self._outages.outlast(functools.partial(self._state, run_id))
        for position, node in enumerate(version.nodes):
            # A node that was running when the server was killed runs again: nodes have no effect but their value.
            if states[node.name].status in UNFINISHED:
                states[node.name] = ended = await self._end(run, version, position, states)
                await self._outages.outlast(functools.partial(self._store.end_node, run_id, position, ended))
        await self._on_finished(run_id)

    def _state(self, run_id: int) -> tuple[Run, WorkflowVersion, dict[str, NodeState]]:
        run, nodes = self._store.run(run_id), self._store.nodes(run_id)
        version = self._store.version(run.workflow, run.version)
        if version is None or [node.name for node in version.nodes] != [node.name for node in nodes]:
            raise DatabaseFailed(f"what the database has of run {run_id} is damaged", is_damaged=True)
        return run, version, {node.name: node for node in nodes}

    async def _end(
        self, run: Run, version: WorkflowVersion, position: int, states: Mapping[str, NodeState]
    ) -> NodeState:
        node = version.nodes[position]
        if any(states[name].status != "SUCCESS" for name in node.depends_on):
            return NodeState(node.name, node.is_output, "SKIPPED")
        await self._outages.outlast(functools.partial(self._store.start_node, run.id, position))
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
    return compute(node, {**run.input_variables, **values_before})
