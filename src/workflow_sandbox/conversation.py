"""What a command does to an Interactly run: two turns, `start` greets and waits, `data` replies and completes.

`pause` puts a waiting run aside, `resume` takes it up again, `stop` cancels it. A run in a final status takes no
command. `miscellaneous: {"sandbox": ...}` ends the run in the turn that it comes with: `fail` and `fail:SOURCE` as
failed, for the reason `execution_error` or SOURCE, `loop` as aborted for the risk of looping.
"""

import re
import secrets
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from workflow_sandbox import json_text
from workflow_sandbox.fixtures import Dialogue, DialogueVersion

_THREAD = "0"
_STATUSES_TAKING = {
    "start": frozenset[str](),
    "data": frozenset({"waiting_for_user_input"}),
    "pause": frozenset({"waiting_for_user_input"}),
    "resume": frozenset({"paused"}),
    "stop": frozenset({"waiting_for_user_input", "paused"}),
}
_STARTED, _CHANGED, _TURNS, _HAS_EVENTS = "_started_at", "_changed_at", "_turns", "_has_events"
_FINAL = frozenset({"completed", "failed", "cancelled", "aborted_looping_risk"})
STATUSES = _FINAL | {"not_started", "started", "running", "paused", "waiting_for_user_input"}
"""All that a run can be in by the contract."""

_STATUS_AFTER = {"pause": "paused", "resume": "waiting_for_user_input", "stop": "cancelled"}
_NO_TOKENS = {
    "total_input_tokens": 0,
    "total_output_tokens": 0,
    "total_tokens": 0,
    "call_count_with_user_keys": 0,
    "call_count_with_fallback_keys": 0,
    "call_count": 0,
    "breakdown_by_models": [],
}
_NO_LATENCY = {
    "call_count": 0,
    "total_latency_milliseconds": 0,
    "average_latency_milliseconds": 0.0,
    "breakdown_by_models": [],
}


class CommandRefused(Exception):
    """The run's status does not allow the command."""


def is_run(document: Any) -> bool:
    """Return whether this is what `start` and `go_on` return, as far as they build on it."""
    match document:
        case {"workflow_id": str(), "version_number": int(), "status": str(), "input_output_pairs": list(pairs)}:
            return document.keys() >= {"workflow_run_id", "logical_id", "run_by"} and all(map(_is_pair, pairs))
    return False


def _is_pair(pair: Any) -> bool:
    match pair:
        case {"run_input": {"dynamic_variables": dict(), "runtime_variables": dict()}}:
            return True
    return False


def start(dialogue: Dialogue, version: DialogueVersion, run_input: Mapping[str, Any]) -> dict[str, Any]:
    """Return a new run after its first turn."""
    run = {
        "logical_id": f"workflow_run_{uuid.uuid4()}",
        "workflow_id": dialogue.id,
        "version_number": version.number,
        "status": "started",
        "termination_source": None,
        "input_output_pairs": [],
        "run_by": run_input["run_by"],
        "comments": [],
        # The sandbox calls no model, so that is what it reports.
        "llm_token_usage": _NO_TOKENS,
        "llm_latency_stats": _NO_LATENCY,
        "version_name": version.name,
        "workflow_config_fully_hydrated": None,
        "workflow_run_id": secrets.token_hex(12),
        "source_workflow_run_id": None,
        "is_evaluation_run": False,
        "evaluation_run_info": None,
        _STARTED: _now(),
    }
    return _with_turn(_after_turn(run, version, run_input))


def go_on(run: dict[str, Any], version: DialogueVersion, run_input: Mapping[str, Any]) -> dict[str, Any]:
    """Return `run` after a command.

    Raises:
        CommandRefused: The run's status does not allow the command.
    """
    command = run_input["command"]
    if run["status"] not in _STATUSES_TAKING[command]:
        raise CommandRefused(f"A run that is {run['status']} does not take the command {command}")
    if command == "data":
        return _with_turn(_after_turn(run, version, run_input))
    return _with_turn({**run, "status": _STATUS_AFTER[command]}, has_events=False)


def whole(run: Mapping[str, Any]) -> dict[str, Any]:
    """Return a run without what the sandbox alone keeps with it."""
    return {name: value for name, value in run.items() if not name.startswith("_")}


def turn(run: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the latest turn of a run has brought."""
    is_waiting = run["status"] == "waiting_for_user_input"
    return {
        "run_id": run["workflow_run_id"],
        "status": run["status"],
        "turn_number": run[_TURNS],
        "events": run["input_output_pairs"][-1]["run_output"]["events"] if run[_HAS_EVENTS] else [],
        "is_waiting_for_input": is_waiting,
        "is_completed": run["status"] in _FINAL,
        "error": f"The run has failed: {run['termination_source']}" if run["status"] == "failed" else None,
        "next_input_hint": {"thread": _THREAD} if is_waiting else None,
        "has_active_companions": False,
        "has_background_work": False,
    }


def record(run: Mapping[str, Any], *, in_short: bool = False) -> dict[str, Any]:
    """Return the record of a run; in short it has the members of a list."""
    shown = {name: run[name] for name in ("logical_id", "workflow_id", "status")} if in_short else whole(run)
    return {
        "_id": run["workflow_run_id"],
        "team_id": None,
        "created_by": run["run_by"],
        "updated_by": run["run_by"],
        "created_at": run.get(_STARTED),
        "updated_at": run.get(_CHANGED),
        "workflow_run": shown,
    }


def started_at(run: Mapping[str, Any]) -> datetime:
    """Return when a run was started; long ago if an earlier sandbox did not say."""
    return datetime.fromisoformat(run.get(_STARTED, "1970-01-01T00:00:00+00:00"))


def seconds_since_change(run: Mapping[str, Any]) -> float:
    """Return how long ago a run took its latest command."""
    changed = datetime.fromisoformat(run.get(_CHANGED, "1970-01-01T00:00:00+00:00"))
    return (datetime.now(UTC) - changed).total_seconds()


def ended_as_stale(run: Mapping[str, Any]) -> dict[str, Any]:
    """Return a run that was given up since nobody went on with it."""
    return {**run, "status": "failed", "termination_source": "stale_run_reaper"}


def _with_turn(run: dict[str, Any], *, has_events: bool = True) -> dict[str, Any]:
    return {**run, _TURNS: run.get(_TURNS, 0) + 1, _HAS_EVENTS: has_events, _CHANGED: _now()}


def _now() -> str:
    return datetime.now(UTC).isoformat()


def _after_turn(run: dict[str, Any], version: DialogueVersion, run_input: Mapping[str, Any]) -> dict[str, Any]:
    inputs = [*(pair["run_input"] for pair in run["input_output_pairs"]), run_input]
    texts = {name: _filled(text, inputs) for name, text in (("greeting", version.greeting), ("reply", version.reply))}
    if end := _end_asked_for(run_input["miscellaneous"].get("sandbox")):
        status, source, said = *end, None
    elif run["input_output_pairs"]:
        status, source, said = "completed", None, f"{texts['reply']} {_answer(run_input)}"
    else:
        status, source, said = "waiting_for_user_input", None, texts["greeting"]
    return {
        **run,
        "status": status,
        "termination_source": source,
        "input_output_pairs": [*run["input_output_pairs"], _pair(run_input, said)],
        "workflow_config_fully_hydrated": {"id": run["workflow_id"], "name": version.name, "texts": texts},
    }


def _end_asked_for(order: Any) -> tuple[str, str | None] | None:
    word, _, source = order.partition(":") if isinstance(order, str) else ("", "", "")
    ends = {"fail": ("failed", source or "execution_error"), "loop": ("aborted_looping_risk", None)}
    return ends.get(word)


def _pair(run_input: Mapping[str, Any], said: str | None) -> dict[str, Any]:
    messages = [] if said is None else [{"type": "message", "text": said}]
    events = [{"type": "turn_started", "command": run_input["command"]}, *(messages or [{"type": "turn_failed"}])]
    return {
        "run_input": run_input,
        "run_output": {"events": events, "thread_to_node_outputs": {_THREAD: messages}},
        "evaluation": None,
    }


def _answer(run_input: Mapping[str, Any]) -> str:
    entries = [
        entry for thread in run_input["thread_to_node_inputs"].values() for entry in thread.get("node_run_inputs", [])
    ]
    return ", ".join(map(_text, entries)) or "(nothing said)"


def _filled(text: str, inputs: list[Mapping[str, Any]]) -> str:
    # A variable keeps the value of the latest turn that gave it; without any the placeholder stays as it is.
    dynamic = {name: value for run_input in inputs for name, value in run_input["dynamic_variables"].items()}
    runtime = {name: value for run_input in inputs for name, value in run_input["runtime_variables"].items()}

    def value_of(match: re.Match[str]) -> str:
        known = dynamic if match[0].startswith("{") else runtime
        return _text(known.get(match["name"], match[0]))

    return _PLACEHOLDER.sub(value_of, text)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json_text.encode(value)


_PLACEHOLDER = re.compile(r"(?:\{\{|\[\[)(?P<name>\w+)(?:\}\}|\]\])")
