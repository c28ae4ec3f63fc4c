"""What the sandbox must not forget of PromptLayer's workflows: versions, labels, external ids."""

import json
import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any, Self

from workflow_sandbox import json_text
from workflow_sandbox.database import damage_told, open_database
from workflow_sandbox.fixtures import CANARY
from workflow_sandbox.sizes import Sizes, TooMuch
from workflow_sandbox.workflows import Workflow, WorkflowVersion

_MAX_ID = 2**63 - 1
_ID = re.compile("0|[1-9][0-9]{0,17}")  # with more digits it might be none that 64 bits have
_MOST_CACHED = 200
_VERSION = (
    "SELECT versions.id, workflow_id, workflows.name, number, document, versions.created_at"
    " FROM versions JOIN workflows ON workflows.id = workflow_id WHERE workflow_id = ?"
)


class ExternalIdTaken(Exception):
    """Another workflow has this external id."""


class WorkflowStore:
    """The workflows. Every method may raise `DatabaseFailed`."""

    def __init__(self, where: str, most_rows: int = Sizes.rows) -> None:
        """Open or create the database at a path or URL; a new one has the workflow `canary`.

        Raises:
            UnusableDatabase: It can't be written, is damaged or another program's, or another server has it open.
        """
        self.database = open_database(where)
        self._most_rows = most_rows
        self._versions: dict[tuple[str, int], WorkflowVersion] = {}
        self._rows: dict[str, int] = {}
        with self.alone():
            if not self.workflows():
                for document in CANARY:
                    self.add_version(self.workflow_named("canary"), "canary", document, document["release_labels"])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.database.close()

    def alone(self) -> AbstractContextManager[None]:
        """Keep what is read in a `with` block from being changed by another process before its end."""
        return self.database.alone()

    @damage_told
    def rows(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Return what a query finds."""
        return self.database.rows(query, values)

    def _make_room(self, table: str) -> None:
        """Count a row that is about to be added.

        Raises:
            TooMuch: There are as many as there may be.
        """
        # What was counted may not have been added in the end, or be gone again, also by another process.
        if self._rows.get(table, self._most_rows) >= self._most_rows:
            self._rows[table] = self.rows(f"SELECT count(*) FROM {table}")[0][0]  # noqa: S608 - names of our own
        if self._rows[table] >= self._most_rows:
            kind = "Interactly runs" if table == "conversations" else table.replace("_", " ")
            words = f"The sandbox keeps at most {self._most_rows} {kind}; start it with another file"
            raise TooMuch(f"{words}, or with a larger --max-rows")
        self._rows[table] += 1

    @damage_told
    def workflows(self) -> list[Workflow]:
        """Return all workflows, oldest first."""
        rows = self.database.rows("SELECT id, name, created_at, updated_at FROM workflows ORDER BY id")
        return [Workflow(id_, json.loads(name), *times) for id_, name, *times in rows]

    def workflow(self, id_or_name: int | str) -> Workflow | None:
        """Return the workflow with an id; a text is first taken for a name."""
        named = self.workflow_named(id_or_name) if isinstance(id_or_name, str) else None
        number = _id_of(str(id_or_name))
        return self._workflow_where("id = ?", number) if named is None and number is not None else named

    def workflow_named(self, name: str) -> Workflow | None:
        """Return the workflow with a name."""
        return self._workflow_where("name = ?", json_text.encode(name))

    @damage_told
    def _workflow_where(self, condition: str, value: int | str) -> Workflow | None:
        query = f"SELECT id, name, created_at, updated_at FROM workflows WHERE {condition}"  # noqa: S608 - words of our own
        rows = self.database.rows(query, (value,))
        return next((Workflow(id_, json.loads(name), *times) for id_, name, *times in rows), None)

    @damage_told
    def version(self, workflow: str, number: int) -> WorkflowVersion | None:
        """Return a version of a workflow."""
        if (workflow, number) not in self._versions and abs(number) <= _MAX_ID:
            found = self.workflow_named(workflow)
            for row in (found and self.database.rows(f"{_VERSION} AND number = ?", (found.id, number))) or ():
                if len(self._versions) >= _MOST_CACHED:
                    del self._versions[next(iter(self._versions))]
                self._versions[workflow, number] = _version(row)
        return self._versions.get((workflow, number))

    @damage_told
    def latest(self, workflow: Workflow) -> WorkflowVersion:
        """Return the version with the highest number."""
        query = "SELECT max(number) FROM versions WHERE workflow_id = ?"
        [(number,)] = self.database.rows(query, (workflow.id,))
        version = self.version(workflow.name, number)
        assert version is not None
        return version

    @damage_told
    def labels(self, workflow: Workflow) -> dict[str, tuple[int, int]]:
        """Return a workflow's labels: the id of each, and the number of the version that it is on."""
        rows = self.database.rows(
            "SELECT label, id, number FROM labels WHERE workflow_id = ? ORDER BY id", (workflow.id,)
        )
        return {json.loads(label): (id_, number) for label, id_, number in rows}

    @damage_told
    def add_version(
        self,
        workflow: Workflow | None,
        name: str | None,
        document: Mapping[str, Any],
        labels: Iterable[str] = (),
        external_ids: Iterable[tuple[str, str]] = (),
    ) -> WorkflowVersion:
        """Keep a new version, of a new workflow if there is none yet; its nodes and edges get their ids here.

        Raises:
            ExternalIdTaken: Another workflow has one of the external ids; nothing was kept.
            TooMuch: There are as many versions, or external ids, as there may be.
        """
        self._make_room("versions")
        now = datetime.now(UTC).isoformat()
        with self.alone(), self.database.transaction():
            id_ = self._workflow_id(workflow, name, now)
            query = "SELECT coalesce(max(number), 0) + 1 FROM versions WHERE workflow_id = ?"
            [(number,)] = self.database.rows(query, (id_,))
            self.database.rows(
                "INSERT INTO versions (workflow_id, number, document, created_at) VALUES (?, ?, ?, ?)",
                (id_, number, json_text.encode(_with_ids(document)), now),
            )
            for label in labels:
                self._move_label(id_, json_text.encode(label), number)
            for source, external_id in external_ids:
                self._attach(id_, source, external_id)
        [row] = self.database.rows(f"{_VERSION} AND number = ?", (id_, number))
        return _version(row)

    def _workflow_id(self, workflow: Workflow | None, name: str | None, now: str) -> int:
        if workflow is not None:
            self.database.rows("UPDATE workflows SET updated_at = ? WHERE id = ?", (now, workflow.id))
            return workflow.id
        insert = "INSERT INTO workflows (name, created_at, updated_at) VALUES (?, ?, ?) RETURNING id"
        [(id_,)] = self.database.rows(insert, (json_text.encode(name or f"Workflow {uuid.uuid4().hex[:8]}"), now, now))
        return int(id_)

    def _move_label(self, workflow_id: int, label: str, number: int) -> None:
        move = "UPDATE labels SET number = ? WHERE workflow_id = ? AND label = ? RETURNING 1"
        if not self.database.rows(move, (number, workflow_id, label)):
            add = "INSERT INTO labels (workflow_id, label, number) VALUES (?, ?, ?)"
            self.database.rows(add, (workflow_id, label, number))

    @damage_told
    def external_ids(self, workflow: Workflow) -> list[tuple[str, str]]:
        """Return source and id of each external id of a workflow."""
        query = "SELECT source, external_id FROM external_ids WHERE workflow_id = ? ORDER BY rowid"
        return [(json.loads(source), json.loads(id_)) for source, id_ in self.database.rows(query, (workflow.id,))]

    @damage_told
    def attach(self, workflow: Workflow, source: str, external_id: str) -> None:
        """Give a workflow an external id; nothing changes if it has it.

        Raises:
            ExternalIdTaken: Another workflow has it.
            TooMuch: There are as many as there may be.
        """
        with self.alone(), self.database.transaction():
            self._attach(workflow.id, source, external_id)

    def _attach(self, workflow_id: int, source: str, external_id: str) -> None:
        key = (json_text.encode(source), json_text.encode(external_id))
        query = "SELECT workflow_id FROM external_ids WHERE source = ? AND external_id = ?"
        owners = self.database.rows(query, key)
        if not owners:
            self._make_room("external_ids")
            self.database.rows("INSERT INTO external_ids VALUES (?, ?, ?)", (*key, workflow_id))
        elif owners != [(workflow_id,)]:
            raise ExternalIdTaken

    @damage_told
    def detach(self, workflow: Workflow, source: str, external_id: str) -> bool:
        """Take an external id away from a workflow; return whether it had it."""
        delete = "DELETE FROM external_ids WHERE source = ? AND external_id = ? AND workflow_id = ? RETURNING 1"
        key = (json_text.encode(source), json_text.encode(external_id), workflow.id)
        return bool(self.database.rows(delete, key, flushed=True))


def _id_of(text: str) -> int | None:
    return int(text) if _ID.fullmatch(text) else None


def _version(row: tuple[Any, ...]) -> WorkflowVersion:
    id_, workflow_id, name, number, document, created_at = row
    return WorkflowVersion(id_, workflow_id, json.loads(name), number, json.loads(document), created_at)


def _with_ids(document: Mapping[str, Any]) -> dict[str, Any]:
    def new_ids(parts: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
        return [{**part, "id": str(uuid.uuid4())} for part in parts]

    return {**document, "nodes": new_ids(document["nodes"]), "edges": new_ids(document.get("edges") or [])}
