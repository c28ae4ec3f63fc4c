"""What a command does to an Interactly run: two turns, `start` greets and waits, `data` replies and completes.

`pause` puts a waiting run aside, `resume` takes it up again, `stop` cancels it; variables that come with any of them
count as those of a turn do. A run in a final status takes no command. `miscellaneous: {"sandbox": ...}` ends the run in
the turn that it comes with: `fail` and `fail:SOURCE` as failed, for the reason `execution_error` or SOURCE, `loop` as
aborted for the risk of looping.
"""

import itertools
import re
import secrets
import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from workflow_sandbox import json_text
from workflow_sandbox.fixtures import Dialogue, DialogueVersion
from workflow_sandbox.sizes import LONGEST_OUTPUT, TooMuch

_THREAD = "0"  # of a run that was never told of any
_VARIABLES_BY_KIND = ("dynamic_variables", "runtime_variables")
_STATUSES_TAKING = {
    "start": frozenset[str](),
    "data": frozenset({"waiting_for_user_input"}),
    "pause": frozenset({"waiting_for_user_input"}),
    "resume": frozenset({"paused"}),
    "stop": frozenset({"waiting_for_user_input", "paused"}),
}
_STARTED, _CHANGED, _TURNS, _HAS_EVENTS = "_started_at", "_changed_at", "_turns", "_has_events"
_CHANGED_BY = "_changed_by"
_VARIABLES = "_variables"
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
            has_names = document.keys() >= {"workflow_run_id", "logical_id", "run_by"}
            has_variables = _VARIABLES not in document or _are_variables(document[_VARIABLES])
            return has_names and has_variables and all(map(_is_pair, pairs))
    return False


def _is_pair(pair: Any) -> bool:
    match pair:
        case {"run_input": given, "run_output": {"events": list(), "thread_to_node_outputs": dict()}}:
            return _are_variables(given)
    return False


def _are_variables(given: Any) -> bool:
    return isinstance(given, dict) and all(isinstance(given.get(kind), dict) for kind in _VARIABLES_BY_KIND)


def start(dialogue: Dialogue, version: DialogueVersion, run_input: Mapping[str, Any]) -> dict[str, Any]:
    """Return a new run after its first turn.

    Raises:
        TooMuch: What it says to all threads is more than may be kept.
    """
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
        TooMuch: What it says to all threads is more than may be kept.
    """
    command = run_input["command"]
    if run["status"] not in _STATUSES_TAKING[command]:
        raise CommandRefused(f"A run that is {run['status']} does not take the command {command}")
    run = {**run, _CHANGED_BY: run_input["run_by"] or _changed_by(run)}
    if command == "data":
        return _with_turn(_after_turn(run, version, run_input))
    changed = {"status": _STATUS_AFTER[command], _VARIABLES: _variables(run, run_input)}
    return _with_turn({**run, **changed}, has_events=False)


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
        "next_input_hint": {"thread": _threads(run)[0]} if is_waiting else None,
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
        "updated_by": _changed_by(run),
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


def _changed_by(run: Mapping[str, Any]) -> Any:
    return run.get(_CHANGED_BY, run["run_by"])


def _now() -> str:
    return datetime.now(UTC).isoformat()


def _after_turn(run: dict[str, Any], version: DialogueVersion, run_input: Mapping[str, Any]) -> dict[str, Any]:
    variables = _variables(run, run_input)
    texts = {"greeting": _filled(version.greeting, variables), "reply": _filled(version.reply, variables)}
    given = run_input["thread_to_node_inputs"]
    entries = {thread: given.get(thread, {}).get("node_run_inputs", []) for thread in [*given] or _threads(run)}
    if end := _end_asked_for(run_input["miscellaneous"].get("sandbox")):
        (status, source), pair = end, _pair(run_input, None, dict.fromkeys(entries))
    elif run["input_output_pairs"]:
        status, source = "completed", None
        said = {thread: f"{texts['reply']} {_answer(each)}" for thread, each in entries.items()}
        pair = _pair(run_input, f"{texts['reply']} {_answer(itertools.chain(*entries.values()))}", said)
    else:
        status, source = "waiting_for_user_input", None
        pair = _pair(run_input, texts["greeting"], dict.fromkeys(entries, texts["greeting"]))
    return {
        **run,
        "status": status,
        "termination_source": source,
        "input_output_pairs": [*run["input_output_pairs"], pair],
        "workflow_config_fully_hydrated": {"id": run["workflow_id"], "name": version.name, "texts": texts},
        _VARIABLES: variables,
    }


def _threads(run: Mapping[str, Any]) -> list[str]:
    """Return the threads of a run's latest turn."""
    pairs = run["input_output_pairs"]
    return [*(pairs and pairs[-1]["run_output"]["thread_to_node_outputs"])] or [_THREAD]


def _variables(run: Mapping[str, Any], run_input: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return what a run's placeholders stand for, by kind and name: the value of the latest command that gave one."""
    inputs = [pair["run_input"] for pair in run["input_output_pairs"]]  # an earlier sandbox kept no more
    before = [run[_VARIABLES]] if _VARIABLES in run else inputs
    kinds = _VARIABLES_BY_KIND
    return {
        kind: {name: value for given in (*before, run_input) for name, value in given[kind].items()} for kind in kinds
    }


def _end_asked_for(order: Any) -> tuple[str, str | None] | None:
    word, _, source = order.partition(":") if isinstance(order, str) else ("", "", "")
    ends = {"fail": ("failed", source or "execution_error"), "loop": ("aborted_looping_risk", None)}
    return ends.get(word)


def _pair(run_input: Mapping[str, Any], said: str | None, said_by_thread: Mapping[str, str | None]) -> dict[str, Any]:
    events = [
        {"type": "turn_started", "command": run_input["command"]},
        *(_messages(said) or [{"type": "turn_failed"}]),
    ]
    # A long variable that is said to many threads is far more than the request was.
    if sum(len(each or "") for each in said_by_thread.values()) > LONGEST_OUTPUT:
        raise TooMuch(f"The outputs of all threads would have more than {LONGEST_OUTPUT} characters")
    outputs = {thread: _messages(each) for thread, each in said_by_thread.items()}
    return {
        "run_input": run_input,
        "run_output": {"events": events, "thread_to_node_outputs": outputs},
        "evaluation": None,
    }


def _messages(said: str | None) -> list[dict[str, str]]:
    return [] if said is None else [{"type": "message", "text": said}]


def _answer(entries: Iterable[Any]) -> str:
    return ", ".join(map(_text, entries)) or "(nothing said)"


def _filled(text: str, variables: Mapping[str, Mapping[str, Any]]) -> str:
    # Without a value the placeholder stays as it is.
    def value_of(match: re.Match[str]) -> str:
        known = variables["dynamic_variables" if match[0].startswith("{") else "runtime_variables"]
        return _text(known.get(match["name"], match[0]))

    return _PLACEHOLDER.sub(value_of, text)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json_text.encode(value)


_PLACEHOLDER = re.compile(r"(?:\{\{|\[\[)(?P<name>\w+)(?:\}\}|\]\])")
