"""Faults in what is told of runs: in lists, again, and of several that are asked for at the same time."""

import asyncio
import copy
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode

from mutants.servers.fault import Correct, Fault
from mutants.servers.messages import EXECUTE, LIST_RUNS, READ_RUN, RUN, Callback, Reply, Request
from mutants.servers.related import RUN_ID, VARIABLES, CallbackFault

CACHED_SECONDS: Final = 5.0
IN_FLIGHT: Final = 0.15  # long enough for a busy machine to send the next ones
Records = list[dict[str, Any]]


@dataclass
class InFlight(Fault):
    """Answers a request with what another one is answered that came before and is not answered yet."""

    operation: str
    others: tuple[str, ...]
    _open: list[asyncio.Future[Reply]] = field(default_factory=list, init=False)

    async def answer(self, request: Request, correct: Correct) -> Reply:
        """Take a little while, and look who else is there."""
        if request.operation not in self.others:
            return await correct.ask(request)
        other = self._open[-1] if self._open and request.operation == self.operation else None
        own = asyncio.get_running_loop().create_future()
        self._open.append(own)
        reply = await correct.ask(request)
        await asyncio.sleep(IN_FLIGHT)
        self._open.remove(own)
        own.set_result(copy.deepcopy(reply))
        return reply if other is None else await other


@dataclass
class StopNotKept(Fault):
    """Says of a run that it is cancelled, and lets it go on."""

    async def answer(self, request: Request, correct: Correct) -> Reply:
        """Show the run as it would be."""
        if request.operation != EXECUTE or request.members.get("command") != "stop" or not request.members.get(RUN_ID):
            return await correct.ask(request)
        path = f"/workflows/v1/workflow-runs/{request.members[RUN_ID]}"
        read = await correct.ask(Request("GET", path, "", request.headers, b""))
        run = read.members.get("workflow_run", {}).get("workflow_run", {})
        if run.get("status") not in {"waiting_for_user_input", "paused"}:
            return await correct.ask(request)
        read.put({**run, "status": "cancelled"})
        return read


@dataclass
class FirstStatusListed(Fault):
    """Lists runs in the status that they had after their start."""

    _first: dict[str, str] = field(default_factory=dict, init=False)

    def change_reply(self, request: Request, reply: Reply) -> None:
        """Keep the status, and put it into lists."""
        if request.operation == EXECUTE and RUN_ID in reply.members:
            self._first.setdefault(reply.members[RUN_ID], reply.members["status"])
        if request.operation == LIST_RUNS and reply.status == 200:
            records = [self._with_first(record) for record in reply.members["workflow_runs"]]
            reply.put({**reply.members, "workflow_runs": records})

    def _with_first(self, record: dict[str, Any]) -> dict[str, Any]:
        run = record["workflow_run"]
        return {**record, "workflow_run": {**run, "status": self._first.get(record["_id"], run["status"])}}


@dataclass
class LastCaller(Fault):
    """Says of every run that is read that the last caller has created it."""

    _last: Any = field(default=None, init=False)

    def change_reply(self, request: Request, reply: Reply) -> None:
        """Keep who has called, and put it into records."""
        if request.operation == EXECUTE:
            self._last = request.members.get("run_by", self._last)
        record = reply.members.get("workflow_run")
        if request.operation == READ_RUN and isinstance(record, dict):
            reply.put({"workflow_run": {**record, "created_by": self._last}})


@dataclass
class ListAsked(Fault):
    """Takes a list to be asked for with other parameters."""

    change: Callable[[dict[str, str]], dict[str, str]]

    def change_request(self, request: Request) -> None:
        """Put the parameters."""
        if request.operation == LIST_RUNS:
            request.query_string = urlencode(self.change(request.query))


@dataclass
class ListShown(Fault):
    """Shows another list."""

    change: Callable[[Request, dict[str, Any]], dict[str, Any]]

    def change_reply(self, request: Request, reply: Reply) -> None:
        """Put it."""
        if request.operation == LIST_RUNS and reply.status == 200:
            reply.put(self.change(request, reply.members))


@dataclass
class ListCached(Fault):
    """Answers the same question in the same way for a while."""

    _known: dict[str, tuple[float, Reply]] = field(default_factory=dict, init=False)

    async def answer(self, request: Request, correct: Correct) -> Reply:
        """Look whether it was asked before."""
        if request.operation != LIST_RUNS:
            return await correct.ask(request)
        key = f"{request.query_string} {request.header('authorization')}"
        at, known = self._known.get(key, (0.0, None))
        if known is None or time.monotonic() > at:
            self._known[key] = time.monotonic() + CACHED_SECONDS, await correct.ask(request)
        return copy.deepcopy(self._known[key][1])


@dataclass
class VariablesForgotten(Fault):
    """Goes on with a run that was paused without the variables that it was started with."""

    _resumed: set[str] = field(default_factory=set, init=False)

    def change_reply(self, request: Request, reply: Reply) -> None:
        """Leave them out of what is said."""
        if request.operation != EXECUTE or reply.status != 200:
            return
        if request.members.get("command") == "resume":
            self._resumed.add(reply.members[RUN_ID])
        pairs = reply.members.get("input_output_pairs")
        if request.members.get("command") == "data" and reply.members.get(RUN_ID) in self._resumed and pairs:
            values = pairs[0]["run_input"]["dynamic_variables"].values()
            said = json.dumps(pairs[-1]["run_output"])
            for value in (value for value in values if isinstance(value, str) and value):
                said = said.replace(value, "{{variable}}")
            reply.put(
                {**reply.members, "input_output_pairs": [*pairs[:-1], {**pairs[-1], "run_output": json.loads(said)}]}
            )


@dataclass
class VariablesStay(Fault):
    """Fills variables that a run is not given with those of an earlier one."""

    _known: dict[str, Any] = field(default_factory=dict, init=False)

    def change_request(self, request: Request) -> None:
        """Fill them in."""
        if request.operation == EXECUTE and request.members.get("command", "start") == "start" and request.members:
            given = request.members.get("dynamic_variables")
            if isinstance(given, dict) and given:
                self._known |= given
            elif given is None and self._known:
                request.put({**request.members, "dynamic_variables": self._known})


@dataclass
class MetadataTaken(Fault):
    """Takes metadata for input variables that are not given."""

    def change_request(self, request: Request) -> None:
        """Add them."""
        metadata, given = request.members.get("metadata"), request.members.get(VARIABLES, {})
        if request.operation == RUN and isinstance(metadata, dict) and isinstance(given, dict):
            request.put({**request.members, VARIABLES: {**metadata, **given}})


@dataclass
class AddressUsedUp(CallbackFault):
    """Posts to each address once."""

    _used: set[str] = field(default_factory=set, init=False)

    async def deliver(self, callback: Callback, correct: Correct) -> int:
        """Look whether it was posted to."""
        if callback.url in self._used:
            return 200
        self._used.add(callback.url)
        return await correct.post(callback)


@dataclass
class NameTaken(Fault):
    """Takes a label or a name for one that is nearly it."""

    near: Callable[[str, str], bool]
    member: str = "workflow_label_name"
    known: str = "production"

    def change_request(self, request: Request) -> None:
        """Put the known one."""
        given = request.members.get(self.member) if self.member else request.workflow
        if request.operation != RUN or not isinstance(given, str) or given == self.known:
            return
        if self.near(given, self.known):
            if self.member:
                request.put({**request.members, self.member: self.known})
            else:
                request.set_workflow(self.known)


@dataclass
class Headers(Fault):
    """Sends further headers with what an operation answers."""

    operation: str
    headers: dict[str, str]
    when: Callable[[Reply], bool] = lambda reply: reply.status == 200

    def change_reply(self, request: Request, reply: Reply) -> None:
        """Add them."""
        if request.operation == self.operation and self.when(reply):
            for name, value in self.headers.items():
                reply.set_header(name, value)


@dataclass
class ErrorOnNextRead(Fault):
    """Answers what is read after a refused POST on its connection with that refusal."""

    _refused: dict[Any, Reply] = field(default_factory=dict, init=False)

    def change_reply(self, request: Request, reply: Reply) -> None:
        """Keep a refusal for the next one."""
        kept = self._refused.pop(request.client, None)
        if request.method == "GET" and kept is not None:
            reply.status, reply.content = kept.status, kept.content
        elif request.method == "POST" and 400 <= reply.status < 500:
            self._refused[request.client] = Reply(reply.status, [], reply.content)
