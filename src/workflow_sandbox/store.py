"""What the sandbox must not forget, in one SQLite file.

One connection, used by the event loop's thread alone: every call is a short transaction that commits before it
returns. The file is locked for as long as it is open, since two servers on one file would execute every run twice. With
`synchronous=NORMAL` a committed transaction survives `kill -9` of the server; only a crash of the whole machine can
lose the last ones. What a caller chose freely is kept as ASCII JSON, since SQLite takes no lone surrogates.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

from workflow_sandbox import json_text
from workflow_sandbox.fixtures import WorkflowVersion

UNFINISHED = frozenset({"QUEUED", "RUNNING"})
"""Statuses of a node that has not ended."""

# Beyond 32 bits, so that a caller who keeps ids in an int32 is found out.
_FIRST_RUN_ID = 5_000_000_001
_MAX_ID = 2**63 - 1
# "wfsb" and the version of the tables: another program's file, or one of another time, is refused, not written to.
_APPLICATION_ID = 0x77667362
_TABLES_VERSION = 1
_TABLES = f"""
    CREATE TABLE runs (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        workflow TEXT NOT NULL,
        version INTEGER NOT NULL,
        input_variables TEXT NOT NULL,
        metadata TEXT NOT NULL,
        return_all_outputs INTEGER NOT NULL
    );
    INSERT INTO sqlite_sequence (name, seq) VALUES ('runs', {_FIRST_RUN_ID - 1});
    CREATE TABLE nodes (
        run_id INTEGER NOT NULL REFERENCES runs (id),
        position INTEGER NOT NULL,
        name TEXT NOT NULL,
        is_output INTEGER NOT NULL,
        status TEXT NOT NULL,
        value TEXT NOT NULL DEFAULT 'null',
        error_message TEXT NOT NULL DEFAULT 'null',
        raw_error_message TEXT NOT NULL DEFAULT 'null',
        PRIMARY KEY (run_id, position)
    ) WITHOUT ROWID;
    CREATE TABLE callbacks (
        run_id INTEGER PRIMARY KEY REFERENCES runs (id),
        url TEXT NOT NULL,
        state TEXT NOT NULL DEFAULT 'pending',
        attempts INTEGER NOT NULL DEFAULT 0,
        outcome TEXT
    );
    CREATE INDEX pending_callbacks ON callbacks (run_id) WHERE state = 'pending';
    CREATE TABLE conversations (
        workflow_run_id TEXT PRIMARY KEY,
        document TEXT NOT NULL
    ) WITHOUT ROWID;
    PRAGMA application_id = {_APPLICATION_ID};
    PRAGMA user_version = {_TABLES_VERSION};
"""  # noqa: S608  # figures of this module alone


class UnusableDatabase(Exception):
    """The database file can't be opened, written or understood. Its text is one line for a person."""


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


class Store:
    """The database, open for as long as the server runs."""

    def __init__(self, path: str) -> None:
        """Open or create the database at `path`.

        Raises:
            UnusableDatabase: It can't be written, is another program's, or another server has it open.
        """
        try:
            self._connection = sqlite3.connect(path, timeout=2, isolation_level=None)
            self._prepare()
        except sqlite3.Error as error:
            reason = "another server has it open" if "locked" in str(error) else str(error)
            raise UnusableDatabase(f"cannot use database {path}: {reason}") from None

    def _prepare(self) -> None:
        execute = self._connection.execute
        execute("PRAGMA locking_mode = EXCLUSIVE")
        execute("PRAGMA synchronous = NORMAL")
        if execute("SELECT count(*) FROM sqlite_schema").fetchone() == (0,):
            execute("PRAGMA journal_mode = WAL")
            self._connection.executescript(f"BEGIN IMMEDIATE;{_TABLES}COMMIT;")
        found = execute("PRAGMA application_id").fetchone() + execute("PRAGMA user_version").fetchone()
        if found != (_APPLICATION_ID, _TABLES_VERSION):
            raise sqlite3.DatabaseError("it belongs to another program or to another version of this one")
        # A read alone takes neither the write lock nor notices a read-only file.
        execute("BEGIN IMMEDIATE")
        execute(f"PRAGMA user_version = {_TABLES_VERSION}")
        execute("COMMIT")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield self._connection
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    # PromptLayer

    def accept_run(
        self,
        workflow: str,
        version: WorkflowVersion,
        input_variables: Mapping[str, Any],
        metadata: Mapping[str, str],
        *,
        return_all_outputs: bool,
        callback_url: str | None,
    ) -> int:
        """Keep a new run with all its nodes queued, and its callback as pending. Return the run's id."""
        values = (
            workflow,
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

    def run(self, run_id: int) -> Run:
        """Return an accepted run."""
        row = self._connection.execute("SELECT * FROM runs WHERE id = ?", (run_id,)).fetchone()
        id_, workflow, version, variables, metadata, all_outputs = row
        return Run(id_, workflow, version, json.loads(variables), json.loads(metadata), bool(all_outputs))

    def nodes(self, run_id: int) -> list[NodeState]:
        """Return a run's nodes in the order of its workflow; none if the run is unknown."""
        if abs(run_id) > _MAX_ID:
            return []
        rows = self._connection.execute(
            "SELECT name, is_output, status, value, error_message, raw_error_message FROM nodes"
            " WHERE run_id = ? ORDER BY position",
            (run_id,),
        )
        return [NodeState(name, bool(output), status, *map(json.loads, texts)) for name, output, status, *texts in rows]

    def start_node(self, run_id: int, position: int) -> None:
        """Mark a node as running."""
        self._connection.execute(
            "UPDATE nodes SET status = 'RUNNING' WHERE run_id = ? AND position = ?", (run_id, position)
        )

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

    def unfinished_runs(self) -> list[int]:
        """Return the ids of the runs that have a node queued or running, oldest first."""
        rows = self._connection.execute(
            "SELECT DISTINCT run_id FROM nodes WHERE status IN ('QUEUED', 'RUNNING') ORDER BY run_id"
        )
        return [run_id for (run_id,) in rows]

    # Callbacks

    def pending_callback(self, run_id: int) -> Callback | None:
        """Return a run's callback if it has one that is still to be delivered."""
        return next(self._pending("AND run_id = ?", (run_id,)), None)

    def pending_callbacks(self) -> list[Callback]:
        """Return all callbacks that are still to be delivered, also those of unfinished runs."""
        return list(self._pending("ORDER BY run_id", ()))

    def _pending(self, clause: str, values: Iterable[int]) -> Iterator[Callback]:
        query = f"SELECT run_id, url, attempts FROM callbacks WHERE state = 'pending' {clause}"  # noqa: S608
        return (Callback(*row) for row in self._connection.execute(query, tuple(values)))

    def note_attempt(self, run_id: int, state: str, attempts: int, outcome: str) -> None:
        """Keep what became of a delivery: `state` is pending, delivered, given_up or refused."""
        self._connection.execute(
            "UPDATE callbacks SET state = ?, attempts = ?, outcome = ? WHERE run_id = ?",
            (state, attempts, outcome, run_id),
        )

    # Interactly

    def conversation(self, workflow_run_id: str) -> dict[str, Any] | None:
        """Return an Interactly run as it was last kept."""
        row = self._connection.execute(
            "SELECT document FROM conversations WHERE workflow_run_id = ?", (workflow_run_id,)
        ).fetchone()
        return None if row is None else json.loads(row[0])

    def keep_conversation(self, document: Mapping[str, Any]) -> None:
        """Keep an Interactly run, new or changed, under its `workflow_run_id`."""
        self._connection.execute(
            "INSERT OR REPLACE INTO conversations (workflow_run_id, document) VALUES (?, ?)",
            (document["workflow_run_id"], json_text.encode(document)),
        )
