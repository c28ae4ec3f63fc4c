"""What the page shows, within bounds: the latest of everything, long values cut."""

import json
from collections.abc import Mapping
from itertools import islice
from typing import Any

from workflow_sandbox import json_text
from workflow_sandbox.fixtures import Dialogue
from workflow_sandbox.history import History, address_alone, as_json
from workflow_sandbox.store import Store

_MOST, _LONGEST = 50, 2000


class Overview:
    """The latest runs, conversations, callbacks, requests and workflows."""

    def __init__(self, store: Store, history: History, dialogues: Mapping[str, Dialogue]) -> None:
        self._dialogues = dialogues
        self._store = store
        self._history = history

    def state(self) -> dict[str, Any]:
        """Return all that the page shows, latest first."""
        return {
            "runs": [self._run(*row) for row in self._store.rows(_RUNS, (_LONGEST, _MOST))],
            "conversations": [_conversation(run) for run in self._store.recent_conversations(_MOST)],
            "callbacks": as_json(islice(reversed(self._history.callbacks), _MOST)),
            "requests": as_json(reversed(self._history.requests(_MOST))),
            "workflows": [*self._workflows(), *map(_dialogue, self._dialogues.values())],
        }

    def _run(self, id_: int, workflow: str, version: int, variables: str, *callback: Any) -> dict[str, Any]:
        url, state, attempts, outcome = callback
        told = {"url": address_alone(url), "state": state, "attempts": attempts, "outcome": outcome} if url else None
        nodes = self._store.rows(_NODES, (_LONGEST, _LONGEST, id_))
        return {
            "id": id_,
            "workflow": _cut(json.loads(workflow)),
            "version": version,
            "input": _shown(variables),
            "nodes": [_node(*node) for node in nodes],
            "callback": told,
        }

    def _workflows(self) -> list[dict[str, Any]]:
        rows = self._store.rows(_WORKFLOWS, (_MOST,))
        return [
            {
                "service": "PromptLayer",
                "id": id_,
                "name": _cut(json.loads(name)),
                "versions": versions,
                "labels": _cut(", ".join(f"{json.loads(label)} on {number}" for label, number in self._labels(id_))),
            }
            for id_, name, versions in rows
        ]

    def _labels(self, workflow_id: int) -> list[tuple[Any, ...]]:
        return self._store.rows(_LABELS, (workflow_id, _MOST))


def _dialogue(dialogue: Dialogue) -> dict[str, Any]:
    return {
        "service": "Interactly",
        "id": dialogue.id,
        "name": dialogue.versions[dialogue.active].name,
        "versions": len(dialogue.versions),
        "labels": f"active version {dialogue.active}",
    }


def _node(name: str, is_output: int, status: str, value: str, error: str) -> dict[str, Any]:
    is_there = status == "SUCCESS"
    return {
        "name": _cut(json.loads(name)),
        "is_output": bool(is_output),
        "status": status,
        "value": _shown(value) if is_there else None,
        "error": _shown(error) if error != "null" else None,
    }


def _conversation(run: Mapping[str, Any]) -> dict[str, Any]:
    pairs = run.get("input_output_pairs") or [{}]
    events = pairs[-1].get("run_output", {}).get("events", [])
    texts = [event["text"] for event in events if "text" in event]
    return {
        "id": run["workflow_run_id"],
        "workflow": run.get("workflow_id"),
        "version": run.get("version_number"),
        "status": run.get("status", ""),
        "turns": len(pairs),
        "output": _cut("\n".join(map(str, texts))) if texts else None,
    }


def _shown(encoded: str) -> str:
    """Return a text as it is, any other JSON value as JSON; both cut."""
    try:
        value = json.loads(encoded)
    except ValueError:  # it was cut in the middle
        return f"{encoded} …"
    return value if isinstance(value, str) else json_text.encode(value)


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} …"


_RUNS = (
    "SELECT id, workflow, version, substr(input_variables, 1, ?), url, state, attempts, outcome"
    " FROM runs LEFT JOIN callbacks ON run_id = id ORDER BY id DESC LIMIT ?"
)
_NODES = (
    "SELECT name, is_output, status, substr(value, 1, ?), substr(error_message, 1, ?) FROM nodes"
    " WHERE run_id = ? ORDER BY position LIMIT 100"
)
_WORKFLOWS = (
    "SELECT workflows.id, name, count(*) FROM workflows JOIN versions ON workflow_id = workflows.id"
    " GROUP BY workflows.id ORDER BY workflows.id DESC LIMIT ?"
)
_LABELS = "SELECT label, number FROM labels WHERE workflow_id = ? ORDER BY id LIMIT ?"
