"""What the sandbox must not forget: runs, their nodes and callbacks, and conversations.

What a caller chose freely is kept as ASCII JSON, since SQLite takes no lone surrogates.
"""

import json
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workflow_sandbox import json_text
from workflow_sandbox.database import failures_told
from workflow_sandbox.sizes import Sizes
from workflow_sandbox.workflow_store import WorkflowStore
from workflow_sandbox.workflows import WorkflowVersion

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
    """How far one node of a run has come."""

    name: str
    is_output: bool
    status: str
    value: Any = None
    error_message: str | None = None
    raw_error_message: Any = None


@dataclass(frozen=True, slots=True)
class Callback:
    """A callback that has still to be delivered."""

    run_id: int
    url: str
    attempts: int


class Store(WorkflowStore):
    """What is kept, open for as long as the server runs. Every method may raise `DatabaseFailed`."""

    def __init__(self, path: str, most_rows: int = Sizes.rows) -> None:
        """Open or create the database at `path`.

        Raises:
            UnusableDatabase: It can't be written, is damaged or another program's, or another server has it open.
        """
        super().__init__(path, most_rows)
        self._recent: deque[str] = deque(maxlen=_MOST_RECENT)

    # PromptLayer

    @failures_told()
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
        values = (
            version.workflow,
            version.number,
            json_text.encode(input_variables),
            json_text.encode(metadata),
            return_all_outputs,
        )
        with self._transaction() as connection:
            run_id = connection.execute(
                "INSERT INTO runs (workflow, version, input_variables, metadata, return_all_outputs)"
                " VALUES (?, ?, ?, ?, ?)",
                values,
            ).lastrowid
            assert run_id is not None
            connection.executemany(
                "INSERT INTO nodes (run_id, position, name, is_output, status) VALUES (?, ?, ?, ?, 'QUEUED')",
                [(run_id, position, node.name, node.is_output) for position, node in enumerate(version.nodes)],
            )
            if callback_url is not None:
                connection.execute("INSERT INTO callbacks (run_id, url) VALUES (?, ?)", (run_id, callback_url))
        return run_id

    @failures_told()
    def run(self, run_id: int) -> Run:
        """Return an accepted run."""
        row = self._connection.execute("SELECT * FROM runs WHERE id = ?", (run_id,)).fetchone()
        id_, workflow, version, variables, metadata, all_outputs = row
        return Run(id_, workflow, version, json.loads(variables), json.loads(metadata), bool(all_outputs))

    @failures_told()
    def nodes(self, run_id: int) -> list[NodeState]:
        """Return a run's nodes in the order of its workflow; none if the run is unknown."""
        if abs(run_id) > _MAX_ID:
            return []
        rows = self._connection.execute(
            "SELECT name, is_output, status, value, error_message, raw_error_message FROM nodes"
            " WHERE run_id = ? ORDER BY position",
            (run_id,),
        )
        return [_node(*row) for row in rows]

    @failures_told()
    def start_node(self, run_id: int, position: int) -> None:
        """Mark a node as running."""
        self._connection.execute(
            "UPDATE nodes SET status = 'RUNNING' WHERE run_id = ? AND position = ?", (run_id, position)
        )

    @failures_told()
    def end_node(self, run_id: int, position: int, state: NodeState) -> None:
        """Keep what became of a node."""
        self._connection.execute(
            "UPDATE nodes SET status = ?, value = ?, error_message = ?, raw_error_message = ?"
            " WHERE run_id = ? AND position = ?",
            (
                state.status,
                json_text.encode(state.value),
                json_text.encode(state.error_message),
                json_text.encode(state.raw_error_message),
                run_id,
                position,
            ),
        )

    @failures_told()
    def open_runs(self, after: int, count: int) -> tuple[int | None, list[int]]:
        """Look at the next runs after an id; return the last one's id, and which have something left to be done.

        That is a node that is queued or running, or a pending callback. The id is None if there are no more runs.
        """
        look = "SELECT max(id) FROM (SELECT id FROM runs WHERE id > ? ORDER BY id LIMIT ?)"
        (last,) = self._connection.execute(look, (after, count)).fetchone()
        rows = self._connection.execute(
            "SELECT run_id FROM nodes WHERE run_id > ?1 AND run_id <= ?2 AND status IN ('QUEUED', 'RUNNING')"
            " UNION SELECT run_id FROM callbacks WHERE run_id > ?1 AND run_id <= ?2 AND state = 'pending'"
            " ORDER BY run_id",
            (after, last),
        )
        return last, [run_id for (run_id,) in rows]

    # Callbacks

    @failures_told()
    def pending_callback(self, run_id: int) -> Callback | None:
        """Return a run's callback if it has one that is still to be delivered."""
        query = "SELECT run_id, url, attempts FROM callbacks WHERE state = 'pending' AND run_id = ?"
        row = self._connection.execute(query, (run_id,)).fetchone()
        return None if row is None else Callback(*row)

    @failures_told()
    def note_attempt(self, run_id: int, state: str, attempts: int, outcome: str) -> None:
        """Keep what became of a delivery: `state` is pending, delivered, given_up, refused or lost."""
        self._connection.execute(
            "UPDATE callbacks SET state = ?, attempts = ?, outcome = ? WHERE run_id = ?",
            (state, attempts, outcome, run_id),
        )

    # Interactly

    @failures_told()
    def conversation(self, workflow_run_id: str) -> dict[str, Any] | None:
        """Return an Interactly run as it was last kept."""
        row = self._connection.execute(
            "SELECT document FROM conversations WHERE workflow_run_id = ?", (workflow_run_id,)
        ).fetchone()
        return None if row is None else json.loads(row[0])

    @failures_told()
    def conversations(self) -> list[dict[str, Any]]:
        """Return all Interactly runs, in no order."""
        return [json.loads(document) for (document,) in self._connection.execute("SELECT document FROM conversations")]

    def recent_conversations(self, most: int) -> list[dict[str, Any]]:
        """Return the Interactly runs that were kept last, the latest first; after a restart any that there are."""
        if not self._recent:
            self._recent.extend(
                id_ for (id_,) in self.rows("SELECT workflow_run_id FROM conversations LIMIT ?", (most,))
            )
        found = [self.conversation(id_) for id_ in [*dict.fromkeys(reversed(self._recent))][:most]]
        return [each for each in found if each is not None]

    @failures_told()
    def keep_conversation(self, document: Mapping[str, Any]) -> None:
        """Keep an Interactly run, new or changed, under its `workflow_run_id`.

        Raises:
            TooMuch: It is new, and there are as many as there may be.
        """
        if self.conversation(document["workflow_run_id"]) is None:
            self._make_room("conversations")
        self._recent.append(document["workflow_run_id"])
        self._connection.execute(
            "INSERT OR REPLACE INTO conversations (workflow_run_id, document) VALUES (?, ?)",
            (document["workflow_run_id"], json_text.encode(document)),
        )


def _node(name: str, is_output: int, status: str, *texts: str) -> NodeState:
    if status not in _STATUSES:
        raise ValueError(status)
    return NodeState(name, bool(is_output), status, *map(json.loads, texts))
