"""Faults of lists of Interactly's runs, and of what is read of one, in both forms of execute."""

import copy
import json
import random
import re
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode

from mutants.servers.fault import Correct, Fault
from mutants.servers.interactly_faults import (
    CONFLICT,
    RUN_ID,
    command_of,
    commanded,
    input_of,
    is_start,
    named,
    put_input,
    read,
    run_in,
    shown_in,
    take,
)
from mutants.servers.messages import EXECUTE, LIST_RUNS, NOT_FOUND, OK, READ_RUN, WORKFLOWS, Reply, Request

ALL: Final = "1000"
MOST_COUNTED: Final = 20


async def listed(request: Request, correct: Correct, without: str) -> tuple[Reply, list[dict[str, Any]]]:
    """Give what the server lists without a parameter, and the whole of it."""
    asked = {name: value for name, value in request.query.items() if name not in {without, "page", "size"}}
    whole = copy.deepcopy(request)
    whole.query_string = urlencode({**asked, "size": ALL})
    reply = await correct.ask(whole)
    return reply, reply.members.get("workflow_runs", [])


def put_page(request: Request, reply: Reply, found: list[dict[str, Any]], total: int | None = None) -> Reply:
    """Put the page that was asked for."""
    size, page = int(request.query.get("size", "100")), int(request.query.get("page", "1"))
    part = found[(page - 1) * size : page * size]
    reply.put({"workflow_runs": part, "total": len(found) if total is None else total})
    return reply


@dataclass
class SearchedByPattern(Fault):
    """Takes the text to search for as a pattern."""

    wildcard: str

    async def answer(self, request: Request, correct: Correct) -> Reply:
        """Match it."""
        right = await correct.ask(request)
        if request.operation != LIST_RUNS or "search" not in request.query or right.status != OK:
            return right
        pattern = re.escape(request.query["search"]).replace(re.escape(self.wildcard), ".")
        reply, records = await listed(request, correct, "search")
        found = [one for one in records if re.search(pattern, one["workflow_run"]["logical_id"])]
        return put_page(request, reply, found)


@dataclass
class EndAlone(Fault):
    """Looks at end alone if start is there too."""

    def change_request(self, request: Request) -> None:
        """Leave start out."""
        if request.operation == LIST_RUNS and "end" in request.query:
            request.set_query({"start": None})


@dataclass
class TiesAtRandom(Fault):
    """Lists the runs of one second in any order."""

    async def answer(self, request: Request, correct: Correct) -> Reply:
        """Shuffle them."""
        right = await correct.ask(request)
        if request.operation != LIST_RUNS or right.status != OK:
            return right
        reply, records = await listed(request, correct, "")
        records.sort(key=lambda one: (one["created_at"][:19], random.random()), reverse=True)  # noqa: S311
        return put_page(request, reply, records)


@dataclass
class ListedByPair(Fault):
    """Lists a run once for each of its pairs."""

    async def answer(self, request: Request, correct: Correct) -> Reply:
        """Repeat them."""
        right = await correct.ask(request)
        if request.operation != LIST_RUNS or right.status != OK:
            return right
        reply, records = await listed(request, correct, "")
        found = []
        for one in records:
            pairs = run_in(await read(request, correct, one["_id"])).get("input_output_pairs", [None])
            found += [one] * len(pairs)
        return put_page(request, reply, found)


@dataclass
class TotalCapped(Fault):
    """Counts twenty runs at most."""

    def change_reply(self, request: Request, reply: Reply) -> None:
        """Cap the number."""
        if request.operation == LIST_RUNS and reply.status == OK:
            reply.put({**reply.members, "total": min(MOST_COUNTED, reply.members["total"])})


@dataclass
class VersionSwitched(Fault):
    """Goes on with the version that a further command asks for."""

    _versions: dict[str, int] = field(default_factory=dict, init=False)

    def change_reply(self, request: Request, reply: Reply) -> None:
        """Keep it, and show it."""
        run = commanded(request)
        if run and reply.status == OK and request.query.get("version", "").isdigit():
            self._versions[run] = int(request.query["version"])
        record = run_in(reply) if request.operation == READ_RUN else {}
        if record.get(RUN_ID) in self._versions:
            shown = {**record, "version_number": self._versions[record[RUN_ID]]}
            reply.put({"workflow_run": {**reply.members["workflow_run"], "workflow_run": shown}})
        if run in self._versions and RUN_ID in reply.members:
            reply.put({**reply.members, "version_number": self._versions[run]})


@dataclass
class PathIgnored(Fault):
    """Finds a run whatever workflow the path names."""

    async def answer(self, request: Request, correct: Correct) -> Reply:
        """Put the right one."""
        if commanded(request):
            again = copy.deepcopy(request)
            again.set_workflow(WORKFLOWS[EXECUTE])
            first = await correct.ask(request)
            return await correct.ask(again) if first.status == NOT_FOUND else first
        return await correct.ask(request)


@dataclass
class NamesTaken(Fault):
    """Takes dots in names of variables for levels, and dollar signs for nothing."""

    def change_request(self, request: Request) -> None:
        """Change them, however deep they are."""
        if is_start(request) and request.content:
            given = {name: input_of(request)[name] for name in _DATA if name in input_of(request)}
            if any(re.search(r'"[^"]*[.$][^"]*"\s*:', json.dumps(value)) for value in given.values()):
                put_input(request, {name: _renamed(value) for name, value in given.items()})


_DATA: Final = ("dynamic_variables", "runtime_variables", "miscellaneous")


def _renamed(value: Any) -> Any:
    if isinstance(value, list):
        return [_renamed(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    found: dict[str, Any] = {}
    for name, inner in value.items():
        first, _, rest = name.replace("$", "").partition(".")
        found[first] = {rest: _renamed(inner)} if rest else _renamed(inner)
    return found


@dataclass
class VariablesCut(Fault):
    """Keeps 4,096 characters of a variable."""

    def change_request(self, request: Request) -> None:
        """Cut them."""
        given = input_of(request).get("dynamic_variables")
        if is_start(request) and isinstance(given, dict):
            cut = {name: one[:4096] if isinstance(one, str) else one for name, one in given.items()}
            if cut != given:
                put_input(request, {"dynamic_variables": cut})


@dataclass
class TakenUpBy(Fault):
    """Takes a paused run up when it is read, or paused again."""

    by_reading: bool

    async def answer(self, request: Request, correct: Correct) -> Reply:
        """Resume it on the way."""
        reply = await correct.ask(request)
        run = named(request)
        is_read = self.by_reading and run_in(reply).get("status") == "paused"
        is_again = not self.by_reading and command_of(request) == "pause" and reply.status == CONFLICT
        if is_again:
            put_input(request, {"command": "resume"})
            return await correct.ask(request)
        if is_read:
            body = {"run_input": {"command": "resume"}, "run_id": run}
            path = f"/workflows/v1/workflows/{WORKFLOWS[EXECUTE]}/execute"
            headers = [*request.headers, ("content-type", "application/json")]
            await correct.ask(Request("POST", path, "", headers, json.dumps(body).encode()))
        return reply


@dataclass
class ResumedAfterEnd(Fault):
    """Says of an ended run that it waits again, if it is resumed."""

    async def answer(self, request: Request, correct: Correct) -> Reply:
        """Say so."""
        reply = await correct.ask(request)
        await take(request, correct, reply, "resume", "waiting_for_user_input")
        return reply


@dataclass
class RecordsShown(Fault):
    """Shows properties of a record in the places of others."""

    record: dict[str, str]

    def change_reply(self, request: Request, reply: Reply) -> None:
        """Put them."""
        if request.operation == READ_RUN and run_in(reply):
            record = reply.members["workflow_run"]
            changed = {name: record.get(other) for name, other in self.record.items()}
            reply.put({"workflow_run": {**record, **changed}})


@dataclass
class PairsShared(Fault):
    """Adds what is said in a run to all that were started with the same input."""

    _like: dict[str, str] = field(default_factory=dict, init=False)
    _said: dict[str, list[Any]] = field(default_factory=dict, init=False)

    async def answer(self, request: Request, correct: Correct) -> Reply:
        """Show the pairs of the one that has most of them."""
        reply = await correct.ask(request)
        if is_start(request) and shown_in(reply):
            self._like[shown_in(reply)] = json.dumps(input_of(request), sort_keys=True)
        if request.operation == READ_RUN and run_in(reply):
            run = run_in(reply)
            key = self._like.get(str(run.get(RUN_ID)), "")
            like = [one for one, other in self._like.items() if other == key and key]
            pairs = [run_in(await read(request, correct, one)).get("input_output_pairs", []) for one in like]
            most = max(pairs, key=len, default=run["input_output_pairs"])
            shown = {**run, "input_output_pairs": most}
            reply.put({"workflow_run": {**reply.members["workflow_run"], "workflow_run": shown}})
        return reply


@dataclass
class EmptyKeeps(Fault):
    """Takes an empty object of variables for those of the run before."""

    _last: dict[str, Any] = field(default_factory=dict, init=False)

    def change_request(self, request: Request) -> None:
        """Fill them in."""
        if is_start(request) and request.content and "dynamic_variables" in input_of(request):
            given = input_of(request)["dynamic_variables"]
            if given == {} and self._last:
                put_input(request, {"dynamic_variables": self._last})
            elif isinstance(given, dict):
                self._last = given
