"""Executes accepted PromptLayer runs along the graph of their nodes, and goes on with unfinished ones after a restart.

A node begins once all that it depends on has ended. It is skipped if one of them has no value, or if a conditional edge
to it does not hold. Nodes that don't depend on each other run side by side.

What an earlier start left unfinished, or another process that is gone, is taken up so many at a time, so that requests
are served meanwhile; a run that is asked for doesn't wait its turn.

A run whose metadata holds `{"sandbox": "fail"}` has its output nodes fail; `{"sandbox": "fail:NAME"}` makes the node
NAME fail, and what depends on it is skipped.
"""

import asyncio
import functools
import itertools
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import replace
from graphlib import TopologicalSorter
from typing import Any

from workflow_sandbox.answers import Answers
from workflow_sandbox.background import Background
from workflow_sandbox.conditions import holds
from workflow_sandbox.database import DatabaseFailed
from workflow_sandbox.holds import Holds
from workflow_sandbox.node_types import NodeFailed, compute
from workflow_sandbox.outages import Outages
from workflow_sandbox.prompt import Prompt
from workflow_sandbox.store import UNFINISHED, NodeState, Run, Store
from workflow_sandbox.workflows import Node, WorkflowVersion

_METADATA_SWITCH = "sandbox"
_RESUMED_AT_ONCE = 100
_SECONDS_BETWEEN_LOOKS = 1.0

_log = logging.getLogger("workflow_sandbox")


_State = tuple[Run, WorkflowVersion, dict[str, NodeState]]


class Executor:
    """Takes runs through QUEUED, RUNNING and a final status, keeping every step before it takes the next.

    The seam to the rest of the server is `submit`, `go_on`, `resume` and `close`.
    """

    def __init__(
        self,
        store: Store,
        node_seconds: float,
        on_finished: Callable[[int], Awaitable[None]],
        outages: Outages,
        *,
        held: Holds,
        answers: Answers,
    ) -> None:
        """Make an executor whose every node takes `node_seconds`; `on_finished` is told each ended run's id."""
        self._store = store
        self._node_seconds = node_seconds
        self._on_finished = on_finished
        self._outages = outages
        self._holds = held
        self._answers = answers
        self._background = Background()
        self._resumed = Background()
        self._damaged: set[int] = set()

    def submit(self, run: Run, version: WorkflowVersion) -> None:
        """Start executing a run that this process has accepted."""
        states = {node.name: NodeState(node.name, node.is_output, "QUEUED") for node in version.nodes}
        self._start(run.id, known=(run, version, states))

    def go_on(self, run_id: int) -> None:
        """Have an unfinished run not wait its turn, if no other process executes it.

        Raises:
            DatabaseFailed: What the database has of it is damaged.
        """
        if run_id in self._damaged:
            raise DatabaseFailed(f"what the database has of run {run_id} is damaged", is_damaged=True)
        if self._store.database.claim(run_id):
            self._start(run_id)

    def _start(self, run_id: int, *, known: _State | None = None, beside: Background | None = None) -> None:
        key = f"run {run_id}"
        if key not in self._background and key not in self._resumed:
            (beside or self._background).start(key, functools.partial(self._execute, run_id, known))

    def resume(self) -> None:
        """Go on, beside everything else, with all runs that nobody executes and that have something left to be done."""
        self._background.start("the runs of an earlier start", self._resume)

    async def _resume(self) -> None:
        database, resumed = self._store.database, 0
        while (runs := await self._outages.outlast(database.take_over)) is not None:
            for run_id in runs:
                await self._resumed.room(_RESUMED_AT_ONCE)
                self._start(run_id, beside=self._resumed)
            if database.is_shared and not runs:
                resumed = _told(resumed)
                await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)
            resumed += len(runs)
            await asyncio.sleep(0)
        _told(resumed)

    async def close(self) -> None:
        """Stop executing; unfinished runs stay as they are in the database."""
        await self._background.close()
        await self._resumed.close()

    async def _execute(self, run_id: int, known: _State | None) -> None:
        try:
            await self._take_to_its_end(run_id, known)
        except DatabaseFailed:
            self._damaged.add(run_id)
            raise

    async def _take_to_its_end(self, run_id: int, known: _State | None) -> None:
        if known is None:
            known = await self._outages.outlast(functools.partial(self._state, run_id))
        run, version, states = known
        await self._walk(run, version, states)
        await self._on_finished(run_id)

    async def _walk(self, run: Run, version: WorkflowVersion, states: dict[str, NodeState]) -> None:
        graph = TopologicalSorter({node.name: node.depends_on for node in version.nodes})
        nodes = {node.name: node for node in version.nodes}
        numbers = itertools.count(1 + sum(state.status not in UNFINISHED for state in states.values()))
        graph.prepare()
        under_way: set[asyncio.Task[str]] = set()
        try:
            while graph.is_active():
                ready = graph.get_ready()
                if len(ready) == 1 and not under_way:
                    # A chain, as most are, is spared a task for each of its nodes.
                    graph.done(await self._end(run, nodes[ready[0]], states, numbers))
                    continue
                under_way |= {asyncio.create_task(self._end(run, nodes[name], states, numbers)) for name in ready}
                ended, under_way = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
                graph.done(*(task.result() for task in ended))
        finally:
            for task in under_way:
                task.cancel()

    def _state(self, run_id: int) -> _State:
        run, nodes = self._store.run(run_id), self._store.nodes(run_id)
        version = self._store.version(run.workflow, run.version)
        if version is None or [node.name for node in version.nodes] != [node.name for node in nodes]:
            raise DatabaseFailed(f"what the database has of run {run_id} is damaged", is_damaged=True)
        return run, version, {node.name: node for node in nodes}

    async def _end(self, run: Run, node: Node, states: dict[str, NodeState], numbers: Iterator[int]) -> str:
        # A node that was running when the server was killed runs again: nodes have no effect but their value.
        if states[node.name].status in UNFINISHED:
            ended = replace(await self._outcome(run, node, states), ended=next(numbers))
            keep = functools.partial(self._store.end_node, run.id, node.position, ended)
            states[node.name] = await self._outages.outlast(keep)
        return node.name

    async def _outcome(self, run: Run, node: Node, states: Mapping[str, NodeState]) -> NodeState:
        before = [states[name] for name in node.depends_on]
        inputs = {**run.input_variables, **{state.name: state.value for state in before}}
        if any(state.status != "SUCCESS" for state in before) or not all(holds(edge, inputs) for edge in node.edges):
            return NodeState(node.name, node.is_output, "SKIPPED")
        seconds = node.configuration.get("sandbox", {}).get("sleep", self._node_seconds)
        if not seconds:
            await asyncio.sleep(0)
        await self._holds.outlast(run.workflow, run.id, node.name, "QUEUED")
        # What ends before anybody else has a turn can't be seen running, and is spared a write.
        if seconds or self._answers.take_time or self._holds.may_be_set:
            await self._outages.outlast(functools.partial(self._store.start_node, run.id, node.position))
        try:
            if seconds:
                await asyncio.sleep(seconds)
            value = await self._value(run, node, inputs)
        except Exception as error:  # noqa: BLE001  # whatever a node raises is the node's failure, not the server's
            words = f"Node {node.name} failed: {error}"
            ended = NodeState(node.name, node.is_output, "FAILED", None, words, repr(error))
        else:
            ended = NodeState(node.name, node.is_output, "SUCCESS", value)
        await self._holds.outlast(run.workflow, run.id, node.name, "RUNNING")
        return ended

    async def _value(self, run: Run, node: Node, inputs: Mapping[str, Any]) -> Any:
        word = run.metadata.get(_METADATA_SWITCH)
        if word == f"fail:{node.name}" or (word == "fail" and node.is_output):
            raise NodeFailed(f"metadata {_METADATA_SWITCH!r} asks for it")

        async def ask(text: str) -> Any:
            prompt = Prompt(text, run.workflow, run.version, node.name, run.id, dict(inputs))
            return await self._answers.reply(prompt)

        return await compute(node, inputs, ask)


def _told(resumed: int) -> int:
    if resumed:
        _log.info("went on with %d runs of an earlier start", resumed)
    return 0
