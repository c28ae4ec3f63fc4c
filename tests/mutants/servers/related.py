"""Faults that no single response shows: their trigger is the data, the number, the order or the company of requests."""

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from mutants.servers.fault import Correct, Fault
from mutants.servers.messages import ACCEPTED, CREATED, EXECUTE, KEY, RESULTS, RUN, Callback, Reply, Request
from mutants.servers.request_faults import KEY_HEADERS

ID, VARIABLES, RUN_ID = "workflow_version_execution_id", "input_variables", "workflow_run_id"
AT_ONCE: Final = 2.0
OVERLAP: Final = 0.02


@dataclass
class InputsChanged(Fault):
    """Runs on other input variables than those that were sent."""

    change: Callable[[Any], Any]
    when: Callable[[Request], bool] = lambda _: True
    operation: str = RUN

    def change_request(self, request: Request) -> None:
        """Change every value, however deep it is."""
        name = VARIABLES if self.operation == RUN else "dynamic_variables"
        if request.operation == self.operation and isinstance(request.members.get(name), dict) and self.when(request):
            changed = {key: self.change(value) for key, value in request.members[name].items()}
            request.put({**request.members, name: {key: one for key, one in changed.items() if one is not ...}})


@dataclass
class BodyMisread(Fault):
    """Takes a body, as it is spelled, for another one."""

    misreads: Callable[[Request], bool]
    change: Callable[[dict[str, Any]], dict[str, Any]] = dict
    operation: str = RUN

    def change_request(self, request: Request) -> None:
        """Put another body."""
        if request.operation == self.operation and self.misreads(request):
            request.put(self.change(request.members))


@dataclass
class AtOnce(Fault):
    """Mixes up runs that are started while another one is."""

    what: str
    _open: int = field(default=0, init=False)
    _members: dict[str, Any] = field(default_factory=dict, init=False)
    _reply: Reply | None = field(default=None, init=False)

    async def answer(self, request: Request, correct: Correct) -> Reply:
        """Take a little while, as databases do."""
        if request.operation != RUN or not request.members:
            return await correct.ask(request)
        self._open += 1
        self._members = {**request.members}
        await asyncio.sleep(OVERLAP)
        is_alone = self._open == 1
        self._open -= 1
        if self.what == "input" and VARIABLES in self._members:
            request.put({**request.members, VARIABLES: self._members[VARIABLES]})
        reply = await correct.ask(request)
        if self.what == "id" and not is_alone and self._reply is not None and reply.status == self._reply.status:
            return self._reply
        self._reply = reply if reply.status in {CREATED, ACCEPTED} else self._reply
        return reply


@dataclass
class Overloaded(Fault):
    """Never executes what is started while so many others are under way."""

    most: int
    _started: list[float] = field(default_factory=list, init=False)
    _lost: set[str] = field(default_factory=set, init=False)

    def change_reply(self, request: Request, reply: Reply) -> None:
        """Say of a lost one that it waits."""
        if request.operation == RUN and ID in reply.members:
            self._started = [one for one in self._started if time.monotonic() - one < AT_ONCE] + [time.monotonic()]
            if len(self._started) > self.most:
                self._lost.add(str(reply.members[ID]))
        if request.operation == RESULTS and request.query.get(ID) in self._lost:
            entry = {"value": None, "error_message": None, "raw_error_message": None, "is_output_node": True}
            reply.status = 202
            reply.put({"Reply": {**entry, "status": "QUEUED"}} if request.wants_all else None)


@dataclass
class Sticking(Fault):
    """Keeps members of a run's body for the next run that does not name them."""

    names: tuple[str, ...]
    operation: str = RUN
    whole: bool = True
    _kept: dict[str, Any] = field(default_factory=dict, init=False)

    async def answer(self, request: Request, correct: Correct) -> Reply:
        """Fill in what is kept, once."""
        if request.operation != self.operation or not request.members or request.members.get(RUN_ID):
            return await correct.ask(request)
        own = {name: request.members[name] for name in self.names if request.members.get(name) is not None}
        filled = self._kept if not own else {}
        changed = {**request.members, **filled}
        if not self.whole:
            changed |= {name: {**self._kept.get(name, {}), **value} for name, value in own.items()}
        request.put(changed)
        self._kept = own
        reply = await correct.ask(request)
        if "callback_url" in filled and reply.status == ACCEPTED:
            reply.status = CREATED
        return reply


@dataclass
class WarningSticks(Fault):
    """Repeats a warning in the reply to the next run."""

    _last: Any = field(default=None, init=False)

    def change_reply(self, request: Request, reply: Reply) -> None:
        """Put it where there is none."""
        if request.operation == RUN and "warning" in reply.members:
            last, self._last = self._last, reply.members["warning"]
            if self._last is None and last is not None:
                reply.put({**reply.members, "warning": last})


@dataclass
class Forgetful(Fault):
    """Knows so many executions, the last ones that were started or asked for, and forgets the others."""

    most: int
    by: str
    _known: dict[str, None] = field(default_factory=dict, init=False)

    def change_reply(self, request: Request, reply: Reply) -> None:
        """Answer 404 for one that is forgotten; one that is asked for the first time is known."""
        started = str(reply.members[ID]) if request.operation == RUN and ID in reply.members else None
        asked = request.query.get(ID) if request.operation == RESULTS else None
        known = list(self._known)
        if asked in known and asked not in known[-self.most :]:
            reply.status = 404
            reply.put({"success": False, "message": "Not found"})
        one = started if self.by == RUN else asked
        if one is not None and one not in known:
            self._known[one] = None


@dataclass
class KeyTaken(Fault):
    """Takes for the key what is none."""

    takes: Callable[[Request, str], bool]
    operation: str = RUN

    def change_request(self, request: Request) -> None:
        """Put the right key."""
        name = KEY_HEADERS.get(self.operation, "x-api-key")
        given = request.header(name)
        text = given or ""
        if name == "authorization":
            text = text.removeprefix("Bearer ")
        if request.operation == self.operation and text != KEY and self.takes(request, text):
            request.set_header(name, f"Bearer {KEY}" if name == "authorization" else KEY)


@dataclass
class KeyTold(Fault):
    """Repeats the key that came."""

    status: int
    in_header: bool = False

    def change_reply(self, request: Request, reply: Reply) -> None:
        """Put it into the reply."""
        given = request.header("x-api-key") or request.header("authorization")
        if reply.status != self.status or not given:
            return
        if self.in_header:
            reply.set_header("x-tenant", given)
        else:
            reply.put({**reply.members, "message": f"Not accepted: {given}", "error": f"Not accepted: {given}"})


@dataclass
class ResultsWithoutKey(Fault):
    """Gives the results of an execution that has ended to anybody."""

    async def answer(self, request: Request, correct: Correct) -> Reply:
        """Ask with the key, and keep it where the execution has not ended."""
        if request.operation != RESULTS or request.header("x-api-key") == KEY:
            return await correct.ask(request)
        refused = await correct.ask(request)
        request.set_header("x-api-key", KEY)
        reply = await correct.ask(request)
        return reply if reply.status == 200 else refused


@dataclass
class CallbackFault(Fault):
    """A fault that callbacks have to come through for."""

    sees_callbacks = True
    posts: Callable[[Callback], Callback | None] = lambda callback: callback

    async def deliver(self, callback: Callback, correct: Correct) -> int:
        """Post what is left of it."""
        posted = self.posts(callback)
        return await correct.post(posted) if posted is not None else 200


@dataclass
class CallbackOnlyOf(CallbackFault):
    """Posts the outcome of some runs alone."""

    when: Callable[[Request], bool] = lambda _: True
    _dropped: set[int] = field(default_factory=set, init=False)

    def change_reply(self, request: Request, reply: Reply) -> None:
        """Take down a run whose outcome is not posted."""
        if request.operation == RUN and ID in reply.members and not self.when(request):
            self._dropped.add(reply.members[ID])

    async def deliver(self, callback: Callback, correct: Correct) -> int:
        """Leave it out."""
        return 200 if callback.members.get(ID) in self._dropped else await correct.post(callback)


@dataclass
class CallbackWhenPolled(CallbackFault):
    """Posts the outcome once somebody has asked for the results."""

    _waiting: dict[str, Callback] = field(default_factory=dict, init=False)

    async def answer(self, request: Request, correct: Correct) -> Reply:
        """Post what waits."""
        waiting = self._waiting.pop(request.query.get(ID, ""), None) if request.operation == RESULTS else None
        if waiting is not None:
            correct.later(0, lambda: correct.post(waiting))
        return await correct.ask(request)

    async def deliver(self, callback: Callback, _: Correct) -> int:
        """Keep it."""
        self._waiting[str(callback.members[ID])] = callback
        return 200


@dataclass
class CallbackToTheLast(CallbackFault):
    """Posts outcomes that come at the same time to the address of the last of them."""

    _aims: list[tuple[float, str]] = field(default_factory=list, init=False)

    async def deliver(self, callback: Callback, correct: Correct) -> int:
        """Wait for others."""
        self._aims.append((time.monotonic(), callback.url))
        await asyncio.sleep(OVERLAP)
        callback.url = self._aims[-1][1]
        return await correct.post(callback)


@dataclass
class CallbackAgain(CallbackFault):
    """Posts the outcome once more, with other content."""

    async def deliver(self, callback: Callback, correct: Correct) -> int:
        """Say later that there is none."""
        again = Callback(callback.url, json.dumps({**callback.members, "final_output": None}).encode())
        correct.later(0.15, lambda: correct.post(again))
        return await correct.post(callback)


@dataclass
class CallbackOfRefused(CallbackFault):
    """Posts an outcome for a run that it has refused, too."""

    async def answer(self, request: Request, correct: Correct) -> Reply:
        """Post that it is refused."""
        aim = request.members.get("callback_url")
        reply = await correct.ask(request)
        if request.operation == RUN and reply.status in {404, 422} and isinstance(aim, str) and "127.0.0.1" in aim:
            body = json.dumps({ID: 0, "final_output": None}).encode()
            correct.later(0, lambda: correct.post(Callback(aim, body)))
        return reply


@dataclass
class ConnectionSticks(Fault):
    """Repeats an error on the connection on which it has sent it."""

    _failed: dict[Any, Reply] = field(default_factory=dict, init=False)

    def change_reply(self, request: Request, reply: Reply) -> None:
        """Answer the next request on it in the same way."""
        kept = self._failed.pop(request.client, None)
        if kept is not None and reply.status < 400:
            reply.status, reply.content = kept.status, kept.content
        elif reply.status >= 400:
            self._failed[request.client] = Reply(reply.status, [], reply.content)


@dataclass
class Written(Fault):
    """Sends a body in another way."""

    write: Callable[[Request, Reply], None]
    when: Callable[[Request, Reply], bool] = lambda *_: True

    def change_reply(self, request: Request, reply: Reply) -> None:
        """Change what is meant."""
        if reply.content and self.when(request, reply):
            self.write(request, reply)


@dataclass
class OtherRunsToo(Fault):
    """Does to every open run what is done to one of them."""

    command: str
    _open: dict[str, Request] = field(default_factory=dict, init=False)

    async def answer(self, request: Request, correct: Correct) -> Reply:
        """Give the command to the others as well."""
        reply = await correct.ask(request)
        run = reply.members.get(RUN_ID)
        if request.operation == EXECUTE and run is not None:
            self._open[run] = request
            if request.members.get("command") == self.command:
                for other in self._open.keys() - {run}:
                    body = json.dumps({"command": self.command, RUN_ID: other}).encode()
                    await correct.ask(Request("POST", request.path, "", request.headers, body))
        return reply


@dataclass
class LastPaused(Fault):
    """Has a command for one run act on the one that was paused last."""

    command: str
    _last: str | None = field(default=None, init=False)

    def change_request(self, request: Request) -> None:
        """Name the other run."""
        if request.operation != EXECUTE or not request.members.get(RUN_ID):
            return
        if request.members.get("command") == "pause":
            self._last = request.members[RUN_ID]
        elif request.members.get("command") == self.command and self._last is not None:
            request.put({**request.members, RUN_ID: self._last})


@dataclass
class PausedFromNowOn(Fault):
    """Starts every run paused as long as another one is."""

    _is_paused: bool = field(default=False, init=False)

    async def answer(self, request: Request, correct: Correct) -> Reply:
        """Pause what has just been started."""
        reply = await correct.ask(request)
        command = request.members.get("command")
        if request.operation != EXECUTE or reply.status != 200:
            return reply
        if command in {"pause", "resume"}:
            self._is_paused = command == "pause"
        if command == "start" and self._is_paused:
            body = json.dumps({"command": "pause", RUN_ID: reply.members[RUN_ID]}).encode()
            return await correct.ask(Request("POST", request.path, "", request.headers, body))
        return reply


@dataclass
class VersionSticks(Fault):
    """Executes the version that the request before has named."""

    _last: str | None = field(default=None, init=False)

    def change_request(self, request: Request) -> None:
        """Fill it in, once."""
        if request.operation == EXECUTE and request.members.get("command", "start") == "start":
            last, self._last = self._last, request.query.get("version")
            if self._last is None and last in {"0", "1"}:
                request.set_query({"version": last})


def with_texts(value: Any, change: Callable[[str], Any]) -> Any:
    """Give a JSON value with every text in it changed."""
    return _with(value, lambda leaf: change(leaf) if isinstance(leaf, str) else leaf)


def with_numbers(value: Any, change: Callable[[Any], Any]) -> Any:
    """Give a JSON value with every number in it changed."""
    return _with(
        value, lambda leaf: change(leaf) if isinstance(leaf, int | float) and not isinstance(leaf, bool) else leaf
    )


def without_depth(value: Any, levels: int) -> Any:
    """Give a JSON value with null in place of what lies deeper than so many levels."""
    if isinstance(value, dict | list) and not levels:
        return None
    if isinstance(value, Mapping):
        return {name: without_depth(inner, levels - 1) for name, inner in value.items()}
    return [without_depth(inner, levels - 1) for inner in value] if isinstance(value, list) else value


def with_short_lists(value: Any, most: int) -> Any:
    """Give a JSON value whose lists have no more entries than that."""
    if isinstance(value, Mapping):
        return {name: with_short_lists(inner, most) for name, inner in value.items()}
    return [with_short_lists(inner, most) for inner in value[:most]] if isinstance(value, list) else value


def with_booleans(value: Any, change: Callable[[bool], Any]) -> Any:
    """Give a JSON value with true and false in it changed."""
    return _with(value, lambda leaf: change(leaf) if isinstance(leaf, bool) else leaf)


def with_lists(value: Any, change: Callable[[list[Any]], Any]) -> Any:
    """Give a JSON value with every list in it changed."""
    if isinstance(value, Mapping):
        return {name: with_lists(inner, change) for name, inner in value.items()}
    return change([with_lists(inner, change) for inner in value]) if isinstance(value, list) else value


def without_name(value: Any, dropped: str) -> Any:
    """Give a JSON value without the properties of a name."""
    if isinstance(value, Mapping):
        return {name: without_name(inner, dropped) for name, inner in value.items() if name != dropped}
    return [without_name(inner, dropped) for inner in value] if isinstance(value, list) else value


def without_nulls(value: Any) -> Any:
    """Give a JSON value without the properties that are null."""
    if isinstance(value, Mapping):
        return {name: without_nulls(inner) for name, inner in value.items() if inner is not None}
    return [without_nulls(inner) for inner in value] if isinstance(value, list) else value


def _with(value: Any, change: Callable[[Any], Any]) -> Any:
    if isinstance(value, Mapping):
        return {name: _with(inner, change) for name, inner in value.items()}
    return [_with(inner, change) for inner in value] if isinstance(value, list) else change(value)
