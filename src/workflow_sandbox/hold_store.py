"""Which holds are set, and what they hold."""

import json
from dataclasses import dataclass, field
from typing import Any

from workflow_sandbox import json_text
from workflow_sandbox.database import Database, damage_told


@dataclass(frozen=True, slots=True)
class Hold:
    """One hold, until it is released.

    Attributes:
        status: In which status a node waits.
        held: Ids of the runs that have come to it, in the order in which they came.
    """

    id: str
    workflow: str | None
    run: int | None
    node: str | None
    status: str
    held: list[int] = field(default_factory=list)

    def shown(self) -> dict[str, Any]:
        """Return the hold as it is shown."""
        return {name: getattr(self, name) for name in ("id", "workflow", "run", "node", "status", "held")}


class HoldStore:
    """The holds in the database. Every method may raise `DatabaseFailed`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, hold: Hold) -> None:
        """Keep a hold."""
        # As texts: an id of any size may be asked for.
        texts = [None if value is None else json_text.encode(value) for value in (hold.workflow, hold.run, hold.node)]
        insert = "INSERT INTO holds (id, workflow, run, node, status) VALUES (?, ?, ?, ?, ?)"
        self._database.rows(insert, (hold.id, *texts, hold.status))

    @damage_told
    def get(self, id_: str) -> Hold | None:
        """Return a hold that is set."""
        if not id_.isalnum() or not id_.isascii():
            return None
        query = "SELECT workflow, run, node, status FROM holds WHERE id = ?"
        for workflow, run, node, status in self._database.rows(query, (id_,)):
            held = self._database.rows("SELECT run_id FROM held WHERE hold_id = ? ORDER BY position", (id_,))
            return Hold(id_, _decoded(workflow), _decoded(run), _decoded(node), status, [one for (one,) in held])
        return None

    def remove(self, id_: str) -> None:
        """Forget a hold."""
        with self._database.transaction():
            self._database.rows("DELETE FROM held WHERE hold_id = ?", (id_,))
            self._database.rows("DELETE FROM holds WHERE id = ?", (id_,))

    def count(self) -> int:
        """Return how many are set."""
        return int(self._database.rows("SELECT count(*) FROM holds")[0][0])

    def holding(self, workflow: str, run: int, node: str, status: str) -> str | None:
        """Return the id of the hold that a node in a status is held by."""
        query = (
            "SELECT id FROM holds WHERE status = ? AND (workflow = ? OR run = ?) AND (node IS NULL OR node = ?) LIMIT 1"
        )
        values = (status, json_text.encode(workflow), str(run), json_text.encode(node))
        return next((id_ for (id_,) in self._database.rows(query, values)), None)

    def note(self, id_: str, run: int) -> bool:
        """Note that a hold holds a run; return whether it is news."""
        insert = (
            "INSERT INTO held (hold_id, run_id) SELECT id, ? FROM holds WHERE id = ? ON CONFLICT DO NOTHING RETURNING 1"
        )
        return bool(self._database.rows(insert, (run, id_)))


def _decoded(text: str | None) -> Any:
    return None if text is None else json.loads(text)
