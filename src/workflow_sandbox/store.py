"""What the sandbox must not forget: runs, their nodes and callbacks, and conversations.

What a caller chose freely is kept as ASCII JSON: SQLite takes no lone surrogates, PostgreSQL no character 0 either.
"""

import json
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workflow_sandbox import json_text
from workflow_sandbox.database import damage_told
from workflow_sandbox.json_types import is_object_id
from workflow_sandbox.sizes import Sizes
from workflow_sandbox.workflow_store import WorkflowStore
from workflow_sandbox.workflows import Node, WorkflowVersion

UNFINISHED = frozenset({"QUEUED", "RUNNING"})
"""Statuses of a node that has not ended."""

_STATUSES = UNFINISHED | {"SUCCESS", "FAILED", "SKIPPED"}
_MAX_ID = 2**63 - 1
_MOST_RECENT = 200


@dataclass(frozen=True, slots=True)
class Run:
    """An accepted run of a PromptLayer workflow."""

    id: int
    workflow: str
    version: int
    input_variables: dict[str, Any]
    metadata: dict[str, str]
    return_all_outputs: bool


@dataclass(frozen=True, slots=True)
class NodeState:
    """How far one node of a run has come.

    Attributes:
        ended: The how manieth of its run's nodes it was to end; 0 if it has not, or an earlier sandbox didn't keep it.
    """

    name: str
    is_output: bool
    status: str
    value: Any = None
    error_message: str | None = None
    raw_error_message: Any = None
    ended: int = 0


@dataclass(frozen=True, slots=True)
class Callback:
    """A callback that has still to be delivered."""

    run_id: int
    url: str
    attempts: int


class Store(WorkflowStore):
    """What is kept, open for as long as the server runs. Every method may raise `DatabaseFailed`."""

    def __init__(self, where: str, most_rows: int = Sizes.rows) -> None:
        """Open or create the database at a path or URL.

        Raises:
            UnusableDatabase: It can't be written, is damaged or another program's, or another server has it open.
        """
        super().__init__(where, most_rows)
        self._recent: deque[str] = deque(maxlen=_MOST_RECENT)

    # PromptLayer

    @damage_told
    def accept_run(
        self,
        version: WorkflowVersion,
        input_variables: Mapping[str, Any],
        metadata: Mapping[str, str],
        *,
        return_all_outputs: bool,
        callback_url: str | None,
    ) -> int:
        """Keep a new run with all its nodes queued, and its callback as pending. Return the run's id.

        Raises:
            TooMuch: There are as many runs as there may be.
        """
        self._make_room("runs")
        names = "workflow, version, input_variables, metadata, return_all_outputs"
        insert = f"INSERT INTO runs ({names}) VALUES (?, ?, ?, ?, ?) RETURNING id"  # noqa: S608 - names of our own
        values = (
            json_text.encode(version.workflow),
            version.number,
            json_text.encode(input_variables),
            json_text.encode(metadata),
            return_all_outputs,
        )
        with self.database.transaction():
            [(run_id,)] = self.database.rows(insert, values)
            self._queue_nodes(run_id, version.nodes)
            if callback_url is not None:
                self.database.rows("INSERT INTO callbacks (run_id, url) VALUES (?, ?)", (run_id, callback_url))
        return int(run_id)

    def _queue_nodes(self, run_id: int, nodes: Sequence[Node]) -> None:
        places = ", ".join(["(?, ?, ?, ?, 'QUEUED')"] * len(nodes))
        insert = f"INSERT INTO nodes (run_id, position, name, is_output, status) VALUES {places}"  # noqa: S608 - ours
        rows = [(run_id, node.position, json_text.encode(node.name), node.is_output) for node in nodes]
        self.database.rows(insert, [value for row in rows for value in row])

    @damage_told
    def run(self, run_id: int) -> Run:
        """Return an accepted run."""
        query = "SELECT workflow, version, input_variables, metadata, return_all_outputs FROM runs WHERE id = ?"
        [(workflow, version, variables, metadata, all_outputs)] = self.database.rows(query, (run_id,))
        decoded = json.loads(workflow), version, json.loads(variables), json.loads(metadata)
        return Run(run_id, *decoded, bool(all_outputs))

    @damage_told
    def nodes(self, run_id: int) -> list[NodeState]:
        """Return a run's nodes in the order of its workflow; none if the run is unknown."""
        if abs(run_id) > _MAX_ID:
            return []
        return [_node(*row) for row in self.database.rows(f"{_NODES} ORDER BY position", (run_id,))]

    @damage_told
    def start_node(self, run_id: int, position: int) -> None:
        """Mark a node as running, unless it has ended."""
        mark = "UPDATE nodes SET status = 'RUNNING' WHERE run_id = ? AND position = ? AND status = 'QUEUED'"
        self.database.rows(mark, (run_id, position))

    @damage_told
    def end_node(self, run_id: int, position: int, state: NodeState) -> NodeState:
        """Keep what became of a node, unless that is known already; return what is kept.

        Should two processes execute a run at a time, each after a look at the other's death, they agree by this.
        """
        texts = map(json_text.encode, (state.value, state.error_message, state.raw_error_message))
        is_first = self.database.rows(
            "UPDATE nodes SET status = ?, value = ?, error_message = ?, raw_error_message = ?, ended = ?"
            " WHERE run_id = ? AND position = ? AND status IN ('QUEUED', 'RUNNING') RETURNING 1",
            (state.status, *texts, state.ended, run_id, position),
            flushed=True,
        )
        if is_first:
            return state
        [row] = self.database.rows(f"{_NODES} AND position = ?", (run_id, position))
        return _node(*row)

    # Callbacks

    @damage_told
    def pending_callback(self, run_id: int) -> Callback | None:
        """Return a run's callback if it has one that is still to be delivered."""
        query = "SELECT run_id, url, attempts FROM callbacks WHERE state = 'pending' AND run_id = ?"
        return next((Callback(*row) for row in self.database.rows(query, (run_id,))), None)

    @damage_told
    def note_attempt(self, run_id: int, state: str, attempts: int, outcome: str) -> None:
        """Keep what became of a delivery: `state` is pending, delivered, given_up, refused or lost."""
        note = "UPDATE callbacks SET state = ?, attempts = ?, outcome = ? WHERE run_id = ? AND state = 'pending'"
        self.database.rows(note, (state, attempts, outcome, run_id))

    # Interactly

    @damage_told
    def conversation(self, workflow_run_id: str) -> dict[str, Any] | None:
        """Return an Interactly run as it was last kept."""
        if not is_object_id(workflow_run_id):
            return None
        query = "SELECT document FROM conversations WHERE workflow_run_id = ?"
        return next((json.loads(document) for (document,) in self.database.rows(query, (workflow_run_id,))), None)

    @damage_told
    def conversations(self) -> list[dict[str, Any]]:
        """Return all Interactly runs, in no order."""
        return [json.loads(document) for (document,) in self.database.rows("SELECT document FROM conversations")]

    def recent_conversations(self, most: int) -> list[dict[str, Any]]:
        """Return the Interactly runs that were kept last, the latest first; after a restart any that there are."""
        if not self._recent:
            self._recent.extend(
                id_ for (id_,) in self.rows("SELECT workflow_run_id FROM conversations LIMIT ?", (most,))
            )
        found = [self.conversation(id_) for id_ in [*dict.fromkeys(reversed(self._recent))][:most]]
        return [each for each in found if each is not None]

    @damage_told
    def keep_conversation(self, document: Mapping[str, Any]) -> None:
        """Keep an Interactly run, new or changed, under its `workflow_run_id`.

        Raises:
            TooMuch: It is new, and there are as many as there may be.
        """
        if self.conversation(document["workflow_run_id"]) is None:
            self._make_room("conversations")
        self._recent.append(document["workflow_run_id"])
        keep = (
            "INSERT INTO conversations (workflow_run_id, document) VALUES (?, ?)"
            " ON CONFLICT (workflow_run_id) DO UPDATE SET document = excluded.document"
        )
        self.database.rows(keep, (document["workflow_run_id"], json_text.encode(document)), flushed=True)


_NODES = "SELECT name, is_output, status, ended, value, error_message, raw_error_message FROM nodes WHERE run_id = ?"


def _node(name: str, is_output: int, status: str, ended: int, *texts: str) -> NodeState:
    if status not in _STATUSES:
        raise ValueError(status)
    value, error, raw = (None if text == "null" else json.loads(text) for text in texts)
    return NodeState(json.loads(name), bool(is_output), status, value, error, raw, ended)
