"""PromptLayer's two operations in memory: what stands where follows from the clock alone."""

from __future__ import annotations

import asyncio
import json
import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import aiohttp
from other_workflows import Workflows
from strict_json import Invalid, check_members, each, is_http_uri, is_object, is_text, is_truth, is_whole, or_null

if TYPE_CHECKING:
    from manners import Manners

KNOWN_VARIABLES = {"user_message"}
NODES = 2  # of the target's workflow; those of others take as long in all
MOST_FOR_A_CALLBACK = 1.0  # seconds that a run with a callback waits for it
TESTS = {
    "workflow_label_name": or_null(is_text),
    "workflow_version_number": or_null(is_whole),
    "metadata": or_null(each(is_text)),
    "input_variables": is_object,
    "return_all_outputs": is_truth,
    "callback_url": or_null(is_http_uri),
}
ScriptedResponse = tuple[int, Any]


@dataclass
class Execution:
    """One accepted run; ``posted`` is set once its callback is out."""

    number: int
    version: int
    message: str
    wants_all: bool
    outputs: dict[str, bool]  # of each node, by its name, whether it is an output node
    began: float = field(default_factory=time.monotonic)
    posted: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def main(self) -> str:
        """Name of the node whose value is the main output."""
        return [name for name, is_output in self.outputs.items() if is_output][-1]


class PromptLayer:
    """What the service knows and does."""

    def __init__(self, manners: Manners) -> None:
        """Know one workflow and no execution."""
        self._manners = manners
        self.workflows = Workflows(manners)
        self._executions: dict[int, Execution] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self, name: str, body: Any) -> ScriptedResponse:
        """Start a run."""
        asked = check_members(body, TESTS)
        label, number = asked.get("workflow_label_name"), asked.get("workflow_version_number")
        if label is not None and number is not None:
            raise Invalid("a label and a version number exclude each other", "body")
        workflow = self.workflows.find(unquote(name))
        if workflow is None:
            return 404, self._error("There is no workflow of this name")
        latest = len(workflow.versions)
        version = latest if label is None and number is None else workflow.labels.get(label, 0) if label else number
        if not 1 <= (version or 0) <= latest:
            return self._manners.no_version, self._error("There is no such version")
        refused = self._limit(asked)
        if refused is not None:
            return refused
        execution = self._accept(int(version or 0), asked, workflow.outputs(int(version or 0)))
        callback = asked.get("callback_url")
        if callback is not None:
            self._begin(self._call_back(execution, callback))
            if self._manners.callback_first and _is_near(callback):
                await asyncio.wait([self._begin(execution.posted.wait())], timeout=MOST_FOR_A_CALLBACK)
        return (201 if callback is None else 202), self._accepted(execution, asked)

    async def results(self, query: Any) -> ScriptedResponse:
        """Tell what an execution has produced."""
        number = _whole(query, "workflow_version_execution_id")
        wants_all = _truth(query, "return_all_outputs")
        if number is None:
            raise Invalid("this is missing", "query", "workflow_version_execution_id")
        execution = self._executions.get(number)
        if execution is None:
            return self._manners.no_execution, self._error("There is no such execution")
        entries = self._entries(execution)
        if any(entry["status"] in {"QUEUED", "RUNNING"} for entry in entries.values()):
            return 202, entries if wants_all else self._manners.pending_body
        if wants_all:
            return 200, entries
        if entries[execution.main]["status"] == "FAILED":
            return self._failed(entries)
        return 200, entries[execution.main]["value"]

    async def close(self) -> None:
        """Drop what is still to be posted."""
        for task in self._tasks:
            task.cancel()

    def _accept(self, version: int, asked: dict[str, Any], outputs: dict[str, bool]) -> Execution:
        message = asked.get("input_variables", {}).get("user_message", "")
        text = message if isinstance(message, str) else str(message) if self._manners.as_python else json.dumps(message)
        number = self._manners.first_id + 3 * len(self._executions)
        self._executions[number] = Execution(number, version, text, asked.get("return_all_outputs") is True, outputs)
        return self._executions[number]

    def _limit(self, asked: dict[str, Any]) -> ScriptedResponse | None:
        longest = max(map(len, [label] if (label := asked.get("workflow_label_name")) else [""]))
        metadata = asked.get("metadata") or {}
        longest = max([longest, *map(len, metadata), *map(len, metadata.values())])
        if longest > self._manners.longest_text:
            raise Invalid("this is too long", "body", "metadata")
        if self._manners.refuses_unused and asked.get("input_variables", {}).keys() - KNOWN_VARIABLES:
            raise Invalid("the workflow has no such variable", "body", "input_variables")
        running = sum(time.monotonic() < one.began + self._seconds for one in self._executions.values())
        if self._manners.most_running and running >= self._manners.most_running:
            return 429, self._error("Too many at a time")
        return None

    @property
    def _seconds(self) -> float:
        return self._manners.node_seconds * NODES

    def _accepted(self, execution: Execution, asked: dict[str, Any]) -> dict[str, Any]:
        given = asked.get("input_variables", {}).keys()
        missing, unused = KNOWN_VARIABLES - given, given - KNOWN_VARIABLES
        words = [f"{len(missing)} missing"] * bool(missing) + [f"{len(unused)} unused"] * bool(unused)
        reply: dict[str, Any] = {
            "success": True,
            "message": self._manners.message,
            "workflow_version_execution_id": self._id(execution),
        }
        if words or not self._manners.fewer_members:
            reply["warning"] = f"Input variables: {', '.join(words)}" if words else None
        return {**reply, "queue": {"position": 3}} if self._manners.more_members else reply

    def _entries(self, execution: Execution) -> dict[str, Any]:
        passed = (time.monotonic() - execution.began) / max(self._manners.node_seconds, 1e-9)
        names = [*execution.outputs]
        steps = passed * len(names) / NODES
        entries = {name: self._entry(execution, name, steps - place) for place, name in enumerate(names)}
        if self._manners.strange_word and passed >= NODES:
            entries["Archive"] = {**self._entry(execution, names[0], 1.0), "status": "CACHED", "value": None}
        return entries

    def _entry(self, execution: Execution, name: str, passed: float) -> dict[str, Any]:
        is_output = execution.outputs[name]
        fails = self._manners.always_fails and is_output
        status = "QUEUED" if passed < 0 else "RUNNING" if passed < 1 else "FAILED" if fails else "SUCCESS"
        version = 0 if self._manners.same_versions else execution.version
        value = f"{name} {version}: {self._shown(execution, name)}"
        entry = {
            "status": status,
            "value": value if status == "SUCCESS" else None,
            "error_message": "The model is not there" if status == "FAILED" else None,
            "raw_error_message": {"code": 17} if status == "FAILED" else None,
            "is_output_node": True if is_output else None if self._manners.flags_null else False,
        }
        return {**entry, "tokens": 12} if self._manners.more_members else entry

    def _shown(self, execution: Execution, name: str) -> str:
        # The same for one execution, however often it is asked for.
        words = f"{hash((execution.number, name))} " if self._manners.output == "varying" else ""
        return words + ("" if self._manners.output == "hidden" else execution.message)

    def _id(self, execution: Execution) -> float:
        return float(execution.number) if self._manners.float_ids else execution.number

    def _failed(self, entries: dict[str, Any]) -> ScriptedResponse:
        if self._manners.failed_is_200:
            return 200, entries
        return 500, {"success": False, "message": "Nothing came out", "output": entries}

    def _error(self, words: str) -> dict[str, Any]:
        return {self._manners.error_member: words}

    def _begin(self, work: Any) -> Any:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _call_back(self, execution: Execution, url: str) -> None:
        await asyncio.sleep(self._manners.node_seconds * (NODES + 0.1) + self._manners.callback_seconds)
        if _is_near(url):
            body = {"workflow_version_execution_id": self._id(execution), "final_output": self._final(execution)}
            async with aiohttp.ClientSession() as session, session.post(url, json=body) as reply:
                await reply.read()
        execution.posted.set()

    def _final(self, execution: Execution) -> Any:
        entries, name = self._entries(execution), execution.main
        if entries[name]["status"] == "FAILED":
            return {**entries, name: {**entries[name], "status": self._manners.callback_word}}
        if self._manners.main_callback or not execution.wants_all:
            return entries[name]["value"]
        return entries


def _is_near(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme == "http" and parts.hostname in {"127.0.0.1", "localhost"}


def _whole(query: Any, name: str) -> int | None:
    given = query.getall(name, [])
    if not given:
        return None
    if len(given) > 1 or not re.fullmatch(r"-?(0|[1-9][0-9]{0,400})", given[0]):
        raise Invalid("this has to be an integer", "query", name)
    return int(given[0])


def _truth(query: Any, name: str) -> bool:
    given = query.getall(name, ["false"])
    if len(given) > 1 or given[0] not in {"true", "false"}:
        raise Invalid("this has to be true or false", "query", name)
    return bool(given[0] == "true")
