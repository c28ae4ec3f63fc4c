"""Further faults of Interactly's runs: what is refused, said at once, cached, timed, or not there any more."""

import asyncio
import copy
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from mutants.servers.fault import Correct, Fault
from mutants.servers.interactly_faults import (
    CONFLICT,
    command_of,
    commanded,
    input_of,
    is_start,
    put_input,
    refusal,
    run_in,
    shown_in,
)
from mutants.servers.interactly_lists import listed, put_page
from mutants.servers.messages import EXECUTE, LIST_RUNS, NOT_FOUND, OK, READ_RUN, Reply, Request

TOGETHER: Final = 0.05
CACHED: Final = 5.0
LATE: Final = 0.3


@dataclass
class RefusedStarted(Fault):
    """Starts a run of the active version where it refuses one of another."""

    async def answer(self, request: Request, correct: Correct) -> Reply:
        """Start it beside the refusal."""
        reply = await correct.ask(request)
        if is_start(request) and reply.status == NOT_FOUND and "version" in request.query:
            again = copy.deepcopy(request)
            again.set_query({"version": None})
            await correct.ask(again)
        return reply


@dataclass
class IdByItsBeginning(Fault):
    """Reads a run by the first digits of its id."""

    digits: int
    _ids: list[str] = field(default_factory=list, init=False)

    async def answer(self, request: Request, correct: Correct) -> Reply:
        """Complete the id."""
        front, _, id_ = request.path.rpartition("/")
        if request.operation == READ_RUN:
            known = (one for one in self._ids if one[: self.digits] == id_[: self.digits])
            request.path = f"{front}/{next(known, id_)}"
        reply = await correct.ask(request)
        if request.operation == EXECUTE and shown_in(reply):
            self._ids.append(shown_in(reply))
        return reply


@dataclass
class HistoryRewritten(Fault):
    """Shows the input of the latest data as that of the first pair."""

    _runs: set[str] = field(default_factory=set, init=False)

    def change_reply(self, request: Request, reply: Reply) -> None:
        """Put it, and keep that."""
        if command_of(request) == "data" and shown_in(reply):
            self._runs.add(shown_in(reply))
        run = run_in(reply) if request.operation == READ_RUN else reply.members
        pairs = run.get("input_output_pairs")
        if run.get("workflow_run_id") in self._runs and isinstance(pairs, list) and len(pairs) > 1:
            first = {**pairs[0], "run_input": pairs[-1]["run_input"]}
            shown = {**run, "input_output_pairs": [first, *pairs[1:]]}
            is_read = request.operation == READ_RUN
            reply.put({"workflow_run": {**reply.members["workflow_run"], "workflow_run": shown}} if is_read else shown)


@dataclass
class StoppedGone(Fault):
    """Knows a run no more that was stopped."""

    def change_reply(self, request: Request, reply: Reply) -> None:
        """Say that there is none."""
        if request.operation == READ_RUN and run_in(reply).get("status") == "cancelled":
            gone = refusal(NOT_FOUND)
            reply.status, reply.content = gone.status, gone.content


@dataclass
class PagesListed(Fault):
    """Lists pages that others have changed."""

    change: Callable[[Request, list[dict[str, Any]], list[dict[str, Any]]], list[dict[str, Any]]]

    async def answer(self, request: Request, correct: Correct) -> Reply:
        """Ask for all runs, with the status and without."""
        right = await correct.ask(request)
        if request.operation != LIST_RUNS or right.status != OK:
            return right
        _, every = await listed(request, correct, "status")
        reply, fitting = await listed(request, correct, "")
        return put_page(request, reply, self.change(request, fitting, every), right.members["total"])


def latest(_: Request, fitting: list[dict[str, Any]], __: object) -> list[dict[str, Any]]:
    """Know the latest twenty."""
    return fitting[:20]


def only_first_filtered(
    request: Request, fitting: list[dict[str, Any]], every: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Filter the first page alone."""
    return fitting if request.query.get("page", "1") == "1" else every


@dataclass
class PageAsked(Fault):
    """Takes a page or a size for another one."""

    change: Callable[[dict[str, str]], dict[str, str]]

    def change_request(self, request: Request) -> None:
        """Put it."""
        if request.operation == LIST_RUNS:
            request.query_string = urlencode({**request.query, **self.change(request.query)})


@dataclass
class LaterInputs(Fault):
    """Takes inputs of the request in flight that came last for all of them."""

    name: str
    when: Callable[[Request], bool]
    _last: Any = field(default=None, init=False)
    _open: int = field(default=0, init=False)

    async def answer(self, request: Request, correct: Correct) -> Reply:
        """Wait a little while for others."""
        if not self.when(request) or self.name not in input_of(request):
            return await correct.ask(request)
        self._last = input_of(request)[self.name]
        await asyncio.sleep(TOGETHER)
        put_input(request, {self.name: self._last})
        return await correct.ask(request)


@dataclass
class FilteredCached(Fault):
    """Answers a list with a status as it did a while ago."""

    _known: dict[str, tuple[float, Reply]] = field(default_factory=dict, init=False)

    async def answer(self, request: Request, correct: Correct) -> Reply:
        """Look whether it was asked before."""
        if request.operation != LIST_RUNS or "status" not in request.query:
            return await correct.ask(request)
        key = f"{request.query_string} {request.header('authorization')}"
        if time.monotonic() > self._known.get(key, (0.0, None))[0]:
            self._known[key] = time.monotonic() + CACHED, await correct.ask(request)
        return copy.deepcopy(self._known[key][1])


@dataclass
class LocalTimes(Fault):
    """Writes local times as if they were of UTC."""

    def change_reply(self, request: Request, reply: Reply) -> None:
        """Shift them."""
        if request.operation == READ_RUN and run_in(reply):
            record = reply.members["workflow_run"]
            times = {name: _shifted(record[name]) for name in ("created_at", "updated_at")}
            reply.put({"workflow_run": {**record, **times}})
        if request.operation == LIST_RUNS and reply.status == OK:
            shown = [
                {**one, **{name: _shifted(one[name]) for name in ("created_at", "updated_at")}}
                for one in reply.members["workflow_runs"]
            ]
            reply.put({**reply.members, "workflow_runs": shown})


def _shifted(text: str) -> str:
    return (datetime.fromisoformat(text) + timedelta(hours=5, minutes=30)).isoformat()


@dataclass
class VariablesMerged(Fault):
    """Takes runtime variables for dynamic ones."""

    def change_request(self, request: Request) -> None:
        """Put them there."""
        given = input_of(request)
        runtime, dynamic = given.get("runtime_variables"), given.get("dynamic_variables", {})
        if is_start(request) and isinstance(runtime, dict) and runtime and isinstance(dynamic, dict):
            put_input(request, {"dynamic_variables": {**dynamic, **runtime}, "runtime_variables": {}})


@dataclass
class StopLate(Fault):
    """Takes data for a little while after a stop, as if there had been none."""

    _stopped: dict[str, tuple[float, dict[str, Any]]] = field(default_factory=dict, init=False)

    async def answer(self, request: Request, correct: Correct) -> Reply:
        """Answer as before."""
        reply = await correct.ask(request)
        run = commanded(request)
        if command_of(request) == "stop" and reply.status == OK:
            self._stopped[run] = time.monotonic(), reply.members
        at, shown = self._stopped.get(run, (0.0, {}))
        if command_of(request) == "data" and reply.status == CONFLICT and time.monotonic() < at + LATE:
            reply.status = OK
            reply.put({**shown, "status": "completed"})
        return reply


@dataclass
class NullRefused(Fault):
    """Refuses null where nothing need be."""

    async def answer(self, request: Request, correct: Correct) -> Reply:
        """Look for it."""
        ids = {name: value for name, value in request.members.items() if name in {"workflow_run_id", "run_id"}}
        if request.operation == EXECUTE and (None in ids.values() or input_of(request).get("run_by", "") is None):
            return refusal(422)
        return await correct.ask(request)


@dataclass
class VariablesKept(Fault):
    """Keeps other variables than those that were given."""

    change: Callable[[dict[str, Any]], dict[str, Any]]

    def change_request(self, request: Request) -> None:
        """Put them."""
        given = input_of(request).get("dynamic_variables")
        if is_start(request) and isinstance(given, dict):
            put_input(request, {"dynamic_variables": self.change(given)})


@dataclass
class ReadByHash(Fault):
    """Reads the first run whose id has the same hash as the one that was asked for: one of two."""

    _ids: list[str] = field(default_factory=list, init=False)

    async def answer(self, request: Request, correct: Correct) -> Reply:
        """Look for it."""
        asked = request.path.rpartition("/")[2]
        if request.operation == READ_RUN and asked in self._ids:
            other = next(one for one in self._ids if int(one[0], 16) % 2 == int(asked[0], 16) % 2)
            request.path = request.path.replace(asked, other)
        reply = await correct.ask(request)
        if is_start(request) and shown_in(reply):
            self._ids.append(shown_in(reply))
        return reply


@dataclass
class CommandInAnyCase(Fault):
    """Takes commands in capitals."""

    def change_request(self, request: Request) -> None:
        """Write them small."""
        given = input_of(request).get("command")
        if request.operation == EXECUTE and isinstance(given, str) and given.lower() != given:
            put_input(request, {"command": given.lower()})


@dataclass
class LastPairRead(Fault):
    """Shows the last pair alone where a run is read."""

    def change_reply(self, request: Request, reply: Reply) -> None:
        """Leave out the others."""
        if request.operation == READ_RUN and run_in(reply):
            run = {**run_in(reply), "input_output_pairs": run_in(reply)["input_output_pairs"][-1:]}
            reply.put({"workflow_run": {**reply.members["workflow_run"], "workflow_run": run}})


@dataclass
class RunByCut(Fault):
    """Keeps 255 characters of who starts a run."""

    def change_request(self, request: Request) -> None:
        """Cut it."""
        given = input_of(request).get("run_by")
        if is_start(request) and isinstance(given, str):
            put_input(request, {"run_by": given[:255]})


@dataclass
class NulFails(Fault):
    """Fails on texts with U+0000 in them."""

    async def answer(self, request: Request, correct: Correct) -> Reply:
        """Look for it."""
        if request.operation == EXECUTE and b"\\u0000" in request.content and is_start(request):
            return refusal(500)
        return await correct.ask(request)


@dataclass
class VersionLost(Fault):
    """Runs the initial version after a start of a version that was asked for."""

    _is_next: bool = field(default=False, init=False)

    def change_request(self, request: Request) -> None:
        """Put it, once."""
        if is_start(request):
            has_version = "version" in request.query
            if self._is_next and not has_version:
                request.set_query({"version": "0"})
            self._is_next = has_version
