"""Faults of Interactly's runs, in both forms of execute: what a run is, what it takes, how it is shown and listed."""

import asyncio
import copy
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode

from mutants.servers.fault import Correct, Fault
from mutants.servers.messages import EXECUTE, LIST_RUNS, NOT_FOUND, OK, READ_RUN, Reply, Request

RUN_ID: Final = "workflow_run_id"
ENDED: Final = frozenset({"completed", "failed", "cancelled", "aborted_looping_risk"})
AT_ONCE: Final = 0.15  # long enough for a busy machine to send the next one
LAG: Final = 1.0
CONFLICT, TOO_MANY = 409, 429
RUNS: Final = "/workflows/v1/workflow-runs"


def input_of(request: Request) -> dict[str, Any]:
    """Give the run input of an execute, in either form."""
    found = request.members.get("run_input", request.members)
    return found if isinstance(found, dict) else {}


def commanded(request: Request) -> str:
    """Give the id of the run that a command is for; empty if it is none, or starts a run."""
    found = request.members.get(RUN_ID) or request.members.get("run_id")
    return found if request.operation == EXECUTE and isinstance(found, str) else ""


def named(request: Request) -> str:
    """Give the id of the run that is commanded or read; empty if it is none."""
    return request.path.rpartition("/")[2] if request.operation == READ_RUN else commanded(request)


def command_of(request: Request) -> str:
    """Give the command for a run that exists; empty if it is none."""
    return str(input_of(request).get("command", "start")) if commanded(request) else ""


def is_start(request: Request) -> bool:
    """Whether it starts a run, if the server takes it."""
    is_named = isinstance(input_of(request).get("command", "start"), str) and not commanded(request)
    return request.operation == EXECUTE and is_named and input_of(request).get("command", "start") == "start"


def shown_in(reply: Reply) -> str:
    """Give the id of the run that an execute has shown; empty if it has shown none."""
    found = reply.members.get(RUN_ID) or reply.members.get("run_id")
    return found if reply.status == OK and isinstance(found, str) else ""


def put_input(request: Request, changes: dict[str, Any]) -> None:
    """Replace members of the run input of an execute."""
    changed = {**input_of(request), **changes}
    request.put({**request.members, "run_input": changed} if "run_input" in request.members else changed)


async def read(request: Request, correct: Correct, run: str) -> Reply:
    """Read a run with the credentials of a request."""
    return await correct.ask(Request("GET", f"{RUNS}/{run}", "", request.headers, b""))


def run_in(reply: Reply) -> dict[str, Any]:
    """Give the run in a record; empty if there is none."""
    record = reply.members.get("workflow_run")
    run = record.get("workflow_run") if isinstance(record, dict) else None
    return run if isinstance(run, dict) else {}


@dataclass
class ShownRuns(Fault):
    """Shows other properties of runs: in responses to execute, and where they are read."""

    when: Callable[[Request, Reply], bool]
    properties: dict[str, Any]
    while_: Callable[[dict[str, Any]], bool] = lambda _: True
    _runs: set[str] = field(default_factory=set, init=False)

    def change_reply(self, request: Request, reply: Reply) -> None:
        """Mark a run, and show those that are marked otherwise."""
        run = shown_in(reply) if request.operation == EXECUTE else ""
        if run and self.when(request, reply):
            self._runs.add(run)
        if run in self._runs and "turn_number" not in reply.members and self.while_(reply.members):
            reply.put({**reply.members, **self.properties})
        read_run = run_in(reply) if request.operation == READ_RUN else {}
        if read_run.get(RUN_ID) in self._runs and self.while_(read_run):
            reply.put(
                {"workflow_run": {**reply.members["workflow_run"], "workflow_run": {**read_run, **self.properties}}}
            )


@dataclass
class TurnShown(Fault):
    """Shows other properties of a turn."""

    change: Callable[[dict[str, Any], str, dict[str, Any]], dict[str, Any]]
    _kept: dict[str, dict[str, Any]] = field(default_factory=dict, init=False)

    def change_reply(self, request: Request, reply: Reply) -> None:
        """Change it by what was kept of the run."""
        if request.operation == EXECUTE and "turn_number" in reply.members and reply.status == OK:
            kept = self._kept.setdefault(shown_in(reply), {})
            reply.put({**reply.members, **self.change(reply.members, command_of(request), kept)})


def counted_anew(turn: dict[str, Any], command: str, kept: dict[str, Any]) -> dict[str, Any]:
    """Count turns from 1 again once a run was resumed."""
    if command == "resume":
        kept["before"] = turn["turn_number"] - 1
    return {"turn_number": turn["turn_number"] - kept.get("before", 0)}


def with_all_events(turn: dict[str, Any], _: str, kept: dict[str, Any]) -> dict[str, Any]:
    """Repeat the events of all turns before."""
    kept["events"] = [*kept.get("events", []), *turn["events"]]
    return {"events": kept["events"]}


def counted_from_zero(turn: dict[str, Any], _: str, __: dict[str, Any]) -> dict[str, Any]:
    """Count turns from 0."""
    return {"turn_number": turn["turn_number"] - 1}


def numbered_as_answered(turn: dict[str, Any], command: str, __: dict[str, Any]) -> dict[str, Any]:
    """Give what is said the number of the turn that it answers."""
    return {"turn_number": turn["turn_number"] - (command == "data")}


def completed_by_stop(_: dict[str, Any], command: str, __: dict[str, Any]) -> dict[str, Any]:
    """Say that a run was completed by its stop."""
    return {"status": "completed"} if command == "stop" else {}


def completed_as_a_turn(_: dict[str, Any], __: str, ___: dict[str, Any]) -> dict[str, Any]:
    """Say that each turn is completed."""
    return {"is_completed": True}


def waiting_while_paused(turn: dict[str, Any], _: str, __: dict[str, Any]) -> dict[str, Any]:
    """Say of a paused run that it waits for input."""
    return {"is_waiting_for_input": turn["is_waiting_for_input"] or turn["status"] == "paused"}


@dataclass
class BareBody(Fault):
    """Takes a body without run_input for a start like the one before."""

    _before: dict[str, Any] = field(default_factory=dict, init=False)

    def change_request(self, request: Request) -> None:
        """Keep what starts a run, and put it where it is missing."""
        if request.operation == EXECUTE and "run_input" not in request.members and self._before:
            request.put(self._before)
        elif is_start(request):
            self._before = request.members


@dataclass
class VariablesShared(Fault):
    """Fills what a run is not given from what earlier ones were."""

    _known: dict[str, Any] = field(default_factory=dict, init=False)

    def change_request(self, request: Request) -> None:
        """Fill it in."""
        if is_start(request) and request.content:
            given = input_of(request).get("dynamic_variables", {})
            if isinstance(given, dict):
                put_input(request, {"dynamic_variables": {**self._known, **given}})
                self._known |= given


@dataclass
class InFlightTogether(Fault):
    """Answers what comes while a like one is in flight as that one."""

    key: Callable[[Request], str]
    _open: dict[str, asyncio.Future[Reply]] = field(default_factory=dict, init=False)

    async def answer(self, request: Request, correct: Correct) -> Reply:
        """Wait for the like one, or for those that may still come."""
        key = self.key(request)
        if key and key in self._open:
            return copy.deepcopy(await self._open[key])
        if not key:
            return await correct.ask(request)
        self._open[key] = asyncio.get_running_loop().create_future()
        reply = await correct.ask(request)
        await asyncio.sleep(AT_ONCE)
        self._open.pop(key).set_result(reply)
        return reply


@dataclass
class DoubleCommand(Fault):
    """Carries a command out on the run as it stood when the first of those in flight came."""

    _open: dict[str, asyncio.Future[tuple[Reply, bytes]]] = field(default_factory=dict, init=False)

    async def answer(self, request: Request, correct: Correct) -> Reply:
        """Answer a second one as if it were the first, with its own text in it."""
        run = commanded(request)
        if run in self._open:
            reply, content = await self._open[run]
            said, own = _said(content), _said(request.content)
            return Reply(reply.status, [*reply.headers], reply.content.replace(said, own) if said else reply.content)
        if not run:
            return await correct.ask(request)
        self._open[run] = asyncio.get_running_loop().create_future()
        reply = await correct.ask(request)
        await asyncio.sleep(AT_ONCE)
        self._open.pop(run).set_result((reply, request.content))
        return reply


def _said(content: bytes) -> bytes:
    body = json.loads(content)
    threads = body.get("run_input", body).get("thread_to_node_inputs", {}).values()
    texts = [str(entry.get("text", "")) for thread in threads for entry in thread.get("node_run_inputs", [])]
    return "".join(texts[:1]).encode()


@dataclass
class LostUpdate(Fault):
    """Loses a pause that is given while another run gets a command."""

    _open: list[str] = field(default_factory=list, init=False)

    async def answer(self, request: Request, correct: Correct) -> Reply:
        """Look who else is there, and take the pause back."""
        run = commanded(request)
        if not run:
            return await correct.ask(request)
        others = {one for one in self._open if one != run}
        self._open.append(run)
        reply = await correct.ask(request)
        await asyncio.sleep(AT_ONCE)
        others |= {one for one in self._open if one != run}
        self._open.remove(run)
        if others and reply.status == OK and command_of(request) == "pause":
            again = copy.deepcopy(request)
            put_input(again, {"command": "resume"})
            await correct.ask(again)
        return reply


@dataclass
class SlotsLeak(Fault):
    """Counts runs that were stopped as being under way."""

    most: int = 12
    _stopped: int = field(default=0, init=False)

    async def answer(self, request: Request, correct: Correct) -> Reply:
        """Refuse a start beyond the limit."""
        if is_start(request) and self._stopped >= self.most:
            return refusal(TOO_MANY)
        reply = await correct.ask(request)
        self._stopped += command_of(request) == "stop" and reply.status == OK
        return reply


@dataclass
class RunsListed(Fault):
    """Lists runs by other statuses, or cuts the page before they are filtered."""

    is_cut_first: bool = False
    _first: dict[str, str] = field(default_factory=dict, init=False)

    async def answer(self, request: Request, correct: Correct) -> Reply:
        """Filter what the server lists without a status."""
        if request.operation != LIST_RUNS or "status" not in request.query:
            reply = await correct.ask(request)
            self._saw(request, reply)
            return reply
        asked, sizes = request.query, {} if self.is_cut_first else {"size": "1000", "page": "1"}
        if not all(asked.get(name, "1").isdigit() and int(asked.get(name, "1")) for name in ("size", "page")):
            return await correct.ask(request)
        plain = copy.deepcopy(request)
        plain.query_string = urlencode({name: value for name, value in {**asked, **sizes}.items() if name != "status"})
        reply, right = await correct.ask(plain), await correct.ask(request)
        if right.status != OK or reply.status != OK:
            return right
        found = [self._listed(one) for one in reply.members["workflow_runs"]]
        fitting = [one for one in found if one["workflow_run"]["status"] == asked["status"]]
        size, page = int(asked.get("size", "100")), int(asked.get("page", "1"))
        part = fitting if self.is_cut_first else fitting[(page - 1) * size : page * size]
        total = right.members["total"] if self.is_cut_first else len(fitting)
        reply.put({"workflow_runs": part, "total": total})
        return reply

    def _saw(self, request: Request, reply: Reply) -> None:
        if request.operation == EXECUTE and shown_in(reply):
            self._first.setdefault(shown_in(reply), reply.members["status"])
        if request.operation == LIST_RUNS and reply.status == OK and not self.is_cut_first:
            reply.put({**reply.members, "workflow_runs": [self._listed(one) for one in reply.members["workflow_runs"]]})

    def _listed(self, record: dict[str, Any]) -> dict[str, Any]:
        run = record["workflow_run"]
        status = run["status"] if self.is_cut_first else self._first.get(record["_id"], run["status"])
        return {**record, "workflow_run": {**run, "status": status}}


@dataclass
class EndedHidden(Fault):
    """Lists ended runs only to who asks for their status."""

    def change_reply(self, request: Request, reply: Reply) -> None:
        """Leave them out."""
        if request.operation == LIST_RUNS and reply.status == OK and "status" not in request.query:
            shown = [one for one in reply.members["workflow_runs"] if one["workflow_run"]["status"] not in ENDED]
            reply.put({**reply.members, "workflow_runs": shown})


@dataclass
class FiltersOred(Fault):
    """Lists what fits the status or the search."""

    async def answer(self, request: Request, correct: Correct) -> Reply:
        """Ask for both, and put them together."""
        if request.operation != LIST_RUNS or not request.query.keys() >= {"status", "search"}:
            return await correct.ask(request)
        found: dict[str, Any] = {}
        for name in ("status", "search"):
            alone = copy.deepcopy(request)
            alone.query_string = urlencode({key: value for key, value in request.query.items() if key != name})
            reply = await correct.ask(alone)
            if reply.status != OK:
                return reply
            found |= {one["_id"]: one for one in reply.members["workflow_runs"]}
        reply.put({"workflow_runs": [*found.values()], "total": len(found)})
        return reply


@dataclass
class ReadLater(Fault):
    """Reads runs as they were a while ago."""

    _states: dict[str, list[tuple[float, Reply]]] = field(default_factory=dict, init=False)

    async def answer(self, request: Request, correct: Correct) -> Reply:
        """Keep what there is after each command, and show what was kept before."""
        reply = await correct.ask(request)
        now = time.monotonic()
        if request.operation == EXECUTE and shown_in(reply):
            kept = await read(request, correct, shown_in(reply))
            self._states.setdefault(shown_in(reply), []).append((now, kept))
        states = self._states.get(request.path.rpartition("/")[2], [])
        if request.operation == READ_RUN and reply.status == OK and states:
            old = [one for at, one in states if at < now - LAG] or [states[0][1]]
            return copy.deepcopy(old[-1])
        return reply


@dataclass
class StartRevives(Fault):
    """Begins a run that has ended again, under its id, if a start names it."""

    _inner: dict[str, str] = field(default_factory=dict, init=False)

    async def answer(self, request: Request, correct: Correct) -> Reply:
        """Start another run, which goes by the id of the old one."""
        outer = named(request)
        inner = self._inner.get(outer, outer)
        if command_of(request) == "start" and run_in(await read(request, correct, inner)).get("status") in ENDED:
            begun = copy.deepcopy(request)
            begun.put({name: one for name, one in request.members.items() if name not in {RUN_ID, "run_id"}})
            reply = await correct.ask(begun)
            self._inner[outer] = shown_in(reply) or inner
        else:
            request.path = request.path.replace(outer, inner) if request.operation == READ_RUN else request.path
            request.content = request.content.replace(outer.encode(), inner.encode()) if outer else request.content
            reply = await correct.ask(request)
        for known, other in self._inner.items():
            reply.content = reply.content.replace(other.encode(), known.encode())
        return reply


async def take(request: Request, correct: Correct, reply: Reply, command: str, status: str, **more: Any) -> bool:
    """Reply to a command that an ended run refuses as if it had led to a status; return whether it did."""
    if command_of(request) != command or reply.status != CONFLICT:
        return False
    run = commanded(request)
    known = run_in(await read(request, correct, run))
    if known.get("status") not in ENDED:
        return False
    turn = {"run_id": run, "status": status, "turn_number": 99, "events": [], **more}
    reply.status = OK
    reply.put(turn if "run_input" in request.members else {**known, "status": status})
    return True


@dataclass
class EndedStopped(Fault):
    """Cancels runs that have ended."""

    _stopped: set[str] = field(default_factory=set, init=False)

    async def answer(self, request: Request, correct: Correct) -> Reply:
        """Say so, from then on."""
        reply = await correct.ask(request)
        if await take(request, correct, reply, "stop", "cancelled", is_completed=True):
            self._stopped.add(commanded(request))
        record = run_in(reply) if request.operation == READ_RUN else {}
        if record.get(RUN_ID) in self._stopped:
            shown = {**reply.members["workflow_run"], "workflow_run": {**record, "status": "cancelled"}}
            reply.put({"workflow_run": shown})
        return reply


@dataclass
class LastRunsBy(Fault):
    """Takes who has sent the latest command for who has started the run."""

    _by: dict[str, Any] = field(default_factory=dict, init=False)

    def change_reply(self, request: Request, reply: Reply) -> None:
        """Keep it, and show it."""
        if request.operation == EXECUTE and shown_in(reply):
            self._by[shown_in(reply)] = input_of(request).get("run_by")
            if RUN_ID in reply.members:
                reply.put({**reply.members, "run_by": self._by[shown_in(reply)]})
        record = run_in(reply) if request.operation == READ_RUN else {}
        if record.get(RUN_ID) in self._by:
            run = {**record, "run_by": self._by[record[RUN_ID]]}
            reply.put({"workflow_run": {**reply.members["workflow_run"], "workflow_run": run}})


@dataclass
class KeptAsText(Fault):
    """Keeps variables that are no text as one."""

    def change_request(self, request: Request) -> None:
        """Make texts of them."""
        given = input_of(request).get("dynamic_variables")
        if is_start(request) and isinstance(given, dict) and given:
            texts = {name: one if isinstance(one, str) else str(one) for name, one in given.items()}
            put_input(request, {"dynamic_variables": texts})


@dataclass
class ReadInASCII(Fault):
    """Loses what is not ASCII in what it keeps."""

    def change_reply(self, request: Request, reply: Reply) -> None:
        """Put question marks."""
        if request.operation == READ_RUN and reply.status == OK:
            text = json.dumps(reply.json, ensure_ascii=False).encode("ascii", "replace").decode()
            reply.put(json.loads(text))


@dataclass
class LatestCommanded(Fault):
    """Gives commands to the latest run, whichever they name."""

    _latest: str = field(default="", init=False)

    async def answer(self, request: Request, correct: Correct) -> Reply:
        """Name the latest, and answer for the one that was named."""
        named = commanded(request)
        if not named or not self._latest or "run_id" not in request.members:
            reply = await correct.ask(request)
            self._latest = shown_in(reply) if is_start(request) and shown_in(reply) else self._latest
            return reply
        if run_in(await read(request, correct, named)):
            request.put({**request.members, "run_id": self._latest})
        reply = await correct.ask(request)
        if shown_in(reply):
            reply.put({**reply.members, "run_id": named})
        return reply


@dataclass
class CommandsCached(Fault):
    """Answers a command that it has seen as it did then."""

    _known: dict[bytes, Reply] = field(default_factory=dict, init=False)

    async def answer(self, request: Request, correct: Correct) -> Reply:
        """Look whether it has."""
        if not commanded(request):
            return await correct.ask(request)
        if request.content not in self._known:
            reply = await correct.ask(request)
            if reply.status != OK:
                return reply
            self._known[request.content] = reply
        return copy.deepcopy(self._known[request.content])


@dataclass
class OldForgotten(Fault):
    """Knows so many runs, the latest ones."""

    most: int = 20
    _started: list[str] = field(default_factory=list, init=False)

    async def answer(self, request: Request, correct: Correct) -> Reply:
        """Look whether the run is still known."""
        run = named(request)
        if run in self._started[: -self.most]:
            return refusal(NOT_FOUND)
        reply = await correct.ask(request)
        if is_start(request) and shown_in(reply):
            self._started.append(shown_in(reply))
        return reply


@dataclass
class PauseForAll(Fault):
    """Takes no data while another run is paused."""

    _paused: set[str] = field(default_factory=set, init=False)

    async def answer(self, request: Request, correct: Correct) -> Reply:
        """Refuse it."""
        if command_of(request) == "data" and self._paused - {commanded(request)}:
            return refusal(CONFLICT)
        reply = await correct.ask(request)
        if shown_in(reply) and request.operation == EXECUTE:
            is_paused = reply.members.get("status") == "paused"
            (self._paused.add if is_paused else self._paused.discard)(shown_in(reply))
        return reply


@dataclass
class OtherVersion(Fault):
    """Runs another version than the one that a first turn asks for."""

    def change_request(self, request: Request) -> None:
        """Put its number, of which there are two."""
        if request.operation == EXECUTE and "run_input" in request.members and request.query.get("version") in _OTHER:
            request.set_query({"version": _OTHER[request.query["version"]]})


_OTHER: Final = {"0": "1", "1": "0"}


@dataclass
class ChunksEmpty(Fault):
    """Takes a body in chunks for an empty one."""

    def change_request(self, request: Request) -> None:
        """Leave out what was given."""
        if request.operation == EXECUTE and request.header("transfer-encoding"):
            request.put({"run_input": {}} if "run_input" in request.members else {})


def refusal(status: int) -> Reply:
    """Give a refusal."""
    reply = Reply(status, [("content-type", "application/json")], b"")
    reply.put({"message": "Not now"})
    return reply
