"""Interactly's execute in memory."""

from __future__ import annotations

import itertools
import re
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from other_workflows import bounded, time_of, word
from strict_json import Invalid, check_members, is_object, is_text, is_whole, or_null

if TYPE_CHECKING:
    from collections.abc import Iterator

    from manners import Manners

WORKFLOW = "5eb7cf5a86d9755df3a6c593"
ACTIVE = 1
COMMANDS = ("start", "data", "resume", "pause", "stop")
NEXT = {
    ("waiting_for_user_input", "data"): "completed",
    ("waiting_for_user_input", "pause"): "paused",
    ("waiting_for_user_input", "stop"): "cancelled",
    ("paused", "resume"): "waiting_for_user_input",
    ("paused", "stop"): "cancelled",
}
STATUSES = (
    "not_started", "started", "running", "failed", "completed", "paused", "waiting_for_user_input", "cancelled",
    "aborted_looping_risk",
)  # fmt: skip
GREETING = "Hello {{user_message}}, I am [[user_message]] or [[agent]]"
LATE = 2.0  # seconds
FEWER = ("workflow_id", "version_number", "status", "workflow_run_id")
ScriptedResponse = tuple[int, Any]


def is_object_id(value: Any) -> bool:
    """Tell whether a value is 24 hexadecimal digits in lower case."""
    return isinstance(value, str) and re.fullmatch(r"[0-9a-f]{24}", value) is not None


def _is_threads(value: Any) -> bool:
    return isinstance(value, dict) and all(
        isinstance(thread, dict) and isinstance(thread.get("node_run_inputs", []), list) for thread in value.values()
    )


TESTS = {
    "dynamic_variables": is_object,
    "runtime_variables": is_object,
    "miscellaneous": is_object,
    "command": lambda value: value in COMMANDS,
    "workflow_id": or_null(is_object_id),
    "version_number": or_null(is_whole),
    "run_by": or_null(is_text),
    "workflow_run_id": or_null(is_object_id),
    "team_id": or_null(is_text),
    "thread_to_node_inputs": _is_threads,
}


class Interactly:
    """What the service knows and does."""

    def __init__(self, manners: Manners) -> None:
        """Know one workflow and no run."""
        self._manners = manners
        self._runs: dict[str, dict[str, Any]] = {}
        self._numbers = itertools.count(0xABC)

    async def execute(self, workflow: str, query: Any, body: Any) -> ScriptedResponse:
        """Start a run or give it a command."""
        if not is_object_id(unquote(workflow)):
            raise Invalid("this has to be 24 hexadecimal digits in lower case", "path", "workflow_id")
        version = _version(query)
        asked, run_id = self._turn(body) if self._manners.turns else self._bare(body)
        if unquote(workflow) != WORKFLOW:
            return 404, self._error("There is no such workflow")
        command = asked.get("command", "start")
        if run_id is not None:
            return self._go_on(run_id, command, asked, {version, asked.get("version_number")})
        if command != "start":
            return self._manners.refused_command, self._error("Which run?")
        if version not in (None, 0, 1):
            return self._manners.no_version, self._error("There is no such version")
        return 200, self._answer(self._start(ACTIVE if version is None else version, asked))

    def _bare(self, body: Any) -> tuple[dict[str, Any], Any]:
        asked = check_members(body, TESTS)
        return asked, asked.get("workflow_run_id")

    def _turn(self, body: Any) -> tuple[dict[str, Any], Any]:
        known = check_members(body, {"run_input": is_object, "run_id": or_null(is_text)})
        if "run_input" not in known or body.keys() & TESTS.keys():
            raise Invalid("a turn is run_input and run_id", "body")
        asked = check_members(known["run_input"], TESTS)
        is_given = asked.get("command", "start") in {"start", "data"}
        if self._manners.needs_thread and is_given and not asked.get("thread_to_node_inputs"):
            raise Invalid("this has to have a thread", "body", "run_input", "thread_to_node_inputs")
        return asked, known.get("run_id")

    def read(self, run: str) -> ScriptedResponse:
        """Answer with a run."""
        run_id = unquote(run)
        if not is_object_id(run_id):
            raise Invalid("this has to be 24 hexadecimal digits in lower case", "path", "workflow_run_id")
        if run_id not in self._runs:
            return 404, self._error("There is no such run")
        run = self._as_of_now(self._runs[run_id])
        return 200, {"workflow_run": self._record(run, self._shown(run))}

    def list(self, query: Any) -> ScriptedResponse:
        """Answer with a page of runs, oldest first."""
        page, size = bounded(query, "page", 1, None), bounded(query, "size", 100, None)
        status = word(query, "status", STATUSES)
        start, end = (_instant(time_of(query, name)) for name in ("start", "end"))
        search = query.get("search", "")
        wanted = {"workflow_id": query.get("workflow_id"), "status": status}
        found = [
            run
            for run in map(self._as_of_now, self._runs.values())
            if all(value in (None, run[name]) for name, value in wanted.items())
            and any(search in str(run[name]) for name in ("workflow_run_id", "logical_id", "run_by", "version_name"))
            and (start is None or start <= run["_began"])
            and (end is None or run["_began"] <= end)
        ]
        short = ("logical_id", "workflow_id", "status")
        shown = [
            self._record(run, {name: run[name] for name in short}) for run in found[(page - 1) * size : page * size]
        ]
        return 200, {"workflow_runs": shown} | ({} if self._manners.fewer_members else {"total": len(found)})

    def _record(self, run: dict[str, Any], shown: dict[str, Any]) -> dict[str, Any]:
        record = {"_id": run["workflow_run_id"], "created_by": run["run_by"], "workflow_run": shown}
        times = {"created_at": "2026-11-26"}
        if self._manners.clocks:
            times = {"created_at": _written(run["_began"]), "updated_at": _written(run["_changed"] - LATE)}
        return record if self._manners.fewer_members else {**record, "team_id": "t", **times}

    def _start(self, version: int, asked: dict[str, Any]) -> dict[str, Any]:
        run_id = f"{next(self._numbers):024x}"
        self._runs[run_id] = {
            "logical_id": f"workflow_run_{run_id}",
            "workflow_id": WORKFLOW,
            "version_number": version,
            "status": "completed" if self._manners.one_turn else "waiting_for_user_input",
            "termination_source": None,
            "input_output_pairs": [self._pair(asked, "Hello")],
            "run_by": asked.get("run_by"),
            "_began": time.time(),
            "_changed": time.time(),
            "_ready": time.time() + self._manners.running,
            "comments": [],
            "llm_token_usage": None,
            "llm_latency_stats": {"call_count": 1, "total_latency_milliseconds": 12, "breakdown_by_models": None},
            "version_name": "Initial Version" if version == 0 else "Next Version",
            "workflow_run_id": run_id,
        }
        return self._runs[run_id]

    def _go_on(self, run_id: str, command: str, asked: dict[str, Any], versions: set[Any]) -> ScriptedResponse:
        run = self._runs.get(run_id)
        if run is None:
            return 404, self._error("There is no such run")
        if self._manners.sole_version and versions - {None, run["version_number"]}:
            return self._manners.refused_command, self._error("It is of another version")
        status = NEXT.get((self._as_of_now(run)["status"], command))
        if status is None:
            return self._manners.refused_command, self._error(f"It is {run['status']}")
        is_last = len(run["input_output_pairs"]) >= self._manners.turns
        run["_changed"] = time.time()
        run["status"] = status if command != "data" or is_last else run["status"]
        if command == "data":
            run["input_output_pairs"] = [*run["input_output_pairs"], self._pair(asked, "Goodbye")]
            run["_ready"] = time.time() + self._manners.running
        return 200, self._answer(run)

    def _as_of_now(self, run: dict[str, Any]) -> dict[str, Any]:
        """Show a run that is not through yet as running, without an output of its latest pair."""
        if time.time() >= run["_ready"]:
            return run
        *before, last = run["input_output_pairs"]
        return {**run, "status": "running", "input_output_pairs": [*before, {**last, "run_output": None}]}

    def _answer(self, run: dict[str, Any]) -> dict[str, Any]:
        """Show a run, or what its latest turn has brought: here a pause is no turn."""
        run = self._as_of_now(run)
        if not self._manners.turns:
            return self._shown(run)
        pairs, status = run["input_output_pairs"], run["status"]
        return {
            "run_id": run["workflow_run_id"],
            "status": status,
            "turn_number": len(pairs),
            "events": (pairs[-1]["run_output"] or {"events": []})["events"],
            "is_waiting_for_input": status == "waiting_for_user_input",
            "is_completed": status in {"completed", "cancelled"},
        }

    def _shown(self, run: dict[str, Any]) -> dict[str, Any]:
        known = {name: value for name, value in run.items() if not name.startswith("_")}
        shown = {name: run[name] for name in FEWER} if self._manners.fewer_members else known
        return {**shown, "has_background_work": False} if self._manners.more_members else shown

    def _pair(self, asked: dict[str, Any], said: str) -> dict[str, Any]:
        told = list(_variables(asked)) if self._manners.fills else []
        said = _filled(asked) if self._manners.fills and said == "Hello" else said
        output = {"events": [{"said": said}, *({"has": one} for one in told)], "thread_to_node_outputs": {"0": [said]}}
        given = asked if self._manners.keeps_input else {"command": asked.get("command", "start")}
        return {"run_input": given, "run_output": output, "evaluation": None}

    def _error(self, words: str) -> dict[str, Any]:
        return {self._manners.error_member: words}


def _variables(asked: dict[str, Any]) -> Iterator[str]:
    for kind in ("dynamic_variables", "runtime_variables", "miscellaneous"):
        yield from (f"{name}={value}" for name, value in asked.get(kind, {}).items() if isinstance(value, str))


def _filled(asked: dict[str, Any]) -> str:
    kinds = {"{{": asked.get("dynamic_variables", {}), "[[": asked.get("runtime_variables", {})}
    return re.sub(
        r"(\{\{|\[\[)(\w+)(?:\}\}|\]\])", lambda found: str(kinds[found[1]].get(found[2], found[0])), GREETING
    )


def _written(instant: float) -> str:
    return datetime.fromtimestamp(instant, UTC).isoformat(timespec="microseconds")


def _instant(text: str | None) -> float | None:
    # A minute may have a sixty-first second, which few know.
    return None if text is None else datetime.fromisoformat(text.upper().replace(":60", ":59")).timestamp()


def _version(query: Any) -> int | None:
    given = query.getall("version", [])
    if not given:
        return None
    if len(given) > 1 or not re.fullmatch(r"0|[1-9][0-9]{0,400}", given[0]):
        raise Invalid("this has to be an integer from 0", "query", "version")
    return int(given[0])
