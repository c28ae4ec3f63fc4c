"""Faults that show once a workflow comes to be, gets further versions, or is written by two at once."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, unquote, unquote_plus

from mutants.servers.fault import Correct, Fault
from mutants.servers.histories import HEADERS, read_of
from mutants.servers.messages import (
    ACCEPTED,
    ATTACH,
    CREATE,
    CREATED,
    DETACH,
    FAILED,
    KEY,
    LIST,
    NOT_FOUND,
    OK,
    PATCH,
    READ,
    RESULTS,
    RUN,
    Callback,
    Reply,
    Request,
    results_of,
)

ID: Final = "workflow_version_execution_id"
SOON: Final = 2.0
OVERLAP: Final = 0.03
SOUND_PAGES: Final = 2
CONFLICT: Final = 409
JSON: Final = [("content-type", "application/json")]


@dataclass
class AbsenceRemembered(Fault):
    """Goes on saying that there is nothing of a key that was asked for in vain."""

    operation: str
    _absent: set[tuple[str, str]] = field(default_factory=set, init=False)

    async def answer(self, request: Request, correct: Correct) -> Reply:
        """Say it again."""
        number = request.members.get("workflow_version_number"), request.members.get("workflow_label_name")
        key = (request.path, request.query_string + str(number))
        reply = await correct.ask(request)
        if request.operation == self.operation:
            if reply.status == NOT_FOUND:
                self._absent.add(key)
            if key in self._absent:
                return Reply(NOT_FOUND, JSON, b'{"message": "There is none"}')
        return reply


@dataclass
class EmptyListRemembered(Fault):
    """Lists nothing for an external id that was asked for in vain."""

    _empty: set[str] = field(default_factory=set, init=False)

    def change_reply(self, request: Request, reply: Reply) -> None:
        """Take the items out."""
        if request.operation == LIST and reply.status == OK and "external_id" in request.query:
            if not reply.members["items"]:
                self._empty.add(request.query_string)
            elif request.query_string in self._empty:
                reply.put({**reply.members, "items": [], "total": 0})


class SlashesDecoded(Fault):
    """Decodes the slashes of a path before it takes the path apart."""

    def change_request(self, request: Request) -> None:
        """Decode them."""
        request.path = request.path.replace("%2F", "/")


@dataclass
class OneConditionCounts(Fault):
    """Looks at one of the conditions of an edge alone; made for edges of which the first node is never skipped."""

    which: int
    _skipped: dict[str, bool] = field(default_factory=dict, init=False)

    def change_request(self, request: Request) -> None:
        """Keep which nodes this would skip, going by the operators of conditions on an output that is there."""
        if request.operation == CREATE:
            with suppress(TypeError, KeyError, AttributeError, IndexError):  # what is broken is refused
                for edge in request.members.get("edges") or ():
                    if edge["conditionals"][1:]:
                        is_skipped = edge["conditionals"][self.which]["operator"] == "is_null"
                        self._skipped[edge["target_node_name"]] = is_skipped

    def change_reply(self, request: Request, reply: Reply) -> None:
        """Show them as this would have them."""
        if request.operation == RESULTS and request.wants_all and reply.status == OK:
            words = {name: "SKIPPED" if skipped else "SUCCESS" for name, skipped in self._skipped.items()}
            shown = reply.members
            changed = {name: {**shown[name], "status": word} for name, word in words.items() if name in shown}
            reply.put({**shown, **changed})


@dataclass
class PlusIsSpace(Fault):
    """Takes a plus sign in a path for a space."""

    operation: str

    def change_request(self, request: Request) -> None:
        """Write spaces."""
        if request.operation == self.operation:
            request.path = "/".join(quote(unquote_plus(part), safe="") for part in request.path.split("/"))


@dataclass
class OutputEnds(Fault):
    """Counts a run as ended once its output nodes have, in one form of the results."""

    all_outputs: bool

    async def answer(self, request: Request, correct: Correct) -> Reply:
        """Answer 200 early."""
        reply = await correct.ask(request)
        if request.operation == RESULTS and reply.status == ACCEPTED and request.wants_all == self.all_outputs:
            shown = await correct.ask(results_of(int(request.query[ID])))
            outputs = [one for one in shown.members.values() if one["is_output_node"]]
            if outputs and all(one["status"] == "SUCCESS" for one in outputs):
                reply.status = OK
                reply.put(shown.members if self.all_outputs else outputs[0]["value"])
        return reply


@dataclass
class RunsByLatest(Fault):
    """
    Has a run go by what its workflow is now.

    Attributes:
        what: Whether it is the version that runs, the output of the results, or the warning.
    """

    what: str
    _runs: dict[str, tuple[str, float, bytes]] = field(default_factory=dict, init=False)
    _instead: dict[str, str] = field(default_factory=dict, init=False)

    async def answer(self, request: Request, correct: Correct) -> Reply:
        """Start a run anew, look up the outputs, or ask what would be warned of."""
        name, id_ = request.path.split("/")[-1], request.query.get(ID, "")
        if self.what == "version" and request.operation == RESULTS:
            request.set_query({ID: self._instead.get(id_, id_)})
        reply = await correct.ask(request)
        if request.operation == RUN and ID in reply.members:
            await self._took(request, reply, correct)
        if self.what == "version" and request.operation == PATCH and reply.status == CREATED:
            await self._start_again(name, correct)
        if self.what == "output" and request.operation == RESULTS and reply.status == OK and id_ in self._runs:
            await self._put_output(request, reply, correct)
        return reply

    async def _took(self, request: Request, reply: Reply, correct: Correct) -> None:
        picked = [request.members.get(one) for one in ("workflow_version_number", "workflow_label_name")]
        name = request.path.split("/")[-2]
        if picked == [None, None]:
            self._runs[str(reply.members[ID])] = (name, time.monotonic(), request.content)
        elif self.what == "warning":
            left = {key: value for key, value in request.members.items() if key in {"input_variables", "metadata"}}
            other = await correct.ask(Request("POST", request.path, "", HEADERS, json.dumps(left).encode()))
            reply.put({**reply.members, "warning": other.members.get("warning")})

    async def _start_again(self, name: str, correct: Correct) -> None:
        for id_, (started, at, content) in [*self._runs.items()]:
            if started == name and time.monotonic() - at < SOON and id_ not in self._instead:
                other = await correct.ask(Request("POST", f"/workflows/{name}/run", "", HEADERS, content))
                self._instead[id_] = str(other.members.get(ID, id_))

    async def _put_output(self, request: Request, reply: Reply, correct: Correct) -> None:
        read = await correct.ask(read_of(self._runs[request.query[ID]][0]))
        outputs = {node["name"] for node in read.members.get("nodes", []) if node["is_output_node"]}
        entries = (await correct.ask(results_of(int(request.query[ID])))).members
        shown = {name: {**one, "is_output_node": name in outputs} for name, one in entries.items()}
        values = [one["value"] for name, one in shown.items() if name in outputs]
        if values:
            reply.put(shown if request.wants_all else values[0])


@dataclass
class NumbersAreTexts(Fault):
    """Takes version 9 for later than version 10."""

    async def answer(self, request: Request, correct: Correct) -> Reply:
        """Read it in place of the latest one."""
        reply = await correct.ask(request)
        if request.operation == READ and not request.query and reply.members.get("version", 0) > 9:
            return await correct.ask(read_of(request.path.rpartition("/")[2], 9))
        return reply


@dataclass
class LabelsOfTheFirst(Fault):
    """Shows the labels of version 1 with each version whose number begins with 1."""

    async def answer(self, request: Request, correct: Correct) -> Reply:
        """Add them."""
        reply = await correct.ask(request)
        if request.operation == READ and str(reply.members.get("version", "")).startswith("1"):
            first = (await correct.ask(read_of(request.path.rpartition("/")[2], 1))).members
            labels = {*reply.members.get("release_labels", []), *first.get("release_labels", [])}
            reply.put({**reply.members, "release_labels": sorted(labels)})
        return reply


@dataclass
class TwoAsOne(Fault):
    """Answers the second of two writes at once as if it were the first one; of runs, if they are equal."""

    operation: str
    _open: Counter[bytes] = field(default_factory=Counter, init=False)
    _first: Reply | None = field(default=None, init=False)

    async def answer(self, request: Request, correct: Correct) -> Reply:
        """Take a while, as databases do."""
        if request.operation != self.operation:
            return await correct.ask(request)
        key = request.content if self.operation == RUN else b""
        self._open[key] += 1
        is_second = self._open[key] > 1
        reply = await correct.ask(request) if not is_second else None
        self._first = reply or self._first
        await asyncio.sleep(OVERLAP)
        self._open[key] -= 1
        shown = reply or self._first or await correct.ask(request)
        return Reply(shown.status, JSON, shown.content)


@dataclass
class NeverFree(Fault):
    """Keeps external ids that were detached from being attached again."""

    is_elsewhere: bool
    _gone: dict[tuple[str, str], str] = field(default_factory=dict, init=False)

    async def answer(self, request: Request, correct: Correct) -> Reply:
        """Say that another workflow has it."""
        parts = [unquote(part) for part in request.path.split("/")]
        pair = (str(request.members.get("source")), str(request.members.get("external_id")))
        if request.operation == ATTACH and pair in self._gone and (self._gone[pair] != parts[2]) >= self.is_elsewhere:
            return Reply(CONFLICT, JSON, b'{"success": false, "message": "Another workflow has it"}')
        reply = await correct.ask(request)
        if request.operation == DETACH and reply.status == OK:
            self._gone[parts[4], parts[5]] = parts[2]
        return reply


@dataclass
class FalsyIsNothing(Fault):
    """Takes an output that counts as nothing for none, in the results or in callbacks."""

    is_none: Callable[[Any], bool]
    goes_on: bool = False

    def change_reply(self, request: Request, reply: Reply) -> None:
        """Say that there is none, or none yet."""
        if request.operation == RESULTS and reply.status == OK and not request.wants_all and self.is_none(reply.json):
            reply.status = ACCEPTED if self.goes_on else FAILED
            reply.put(None if self.goes_on else {"success": False, "message": "No output", "output": {}})


@dataclass
class NullsLeftOut(Fault):
    """Leaves out null members of a node's value, though not of its entry."""

    def change_reply(self, request: Request, reply: Reply) -> None:
        """Leave them out of the bare output, or of the value of each entry."""
        if request.operation != RESULTS or reply.status != OK:
            return
        if not request.wants_all:
            reply.put(_without_nulls(reply.json))
            return
        nodes = reply.members.items()
        reply.put({name: {**node, "value": _without_nulls(node["value"])} for name, node in nodes})


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nulls(member) for name, member in value.items() if member is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value


@dataclass
class FirstOutputDecides(Fault):
    """Says that there is no output if the first output node has none."""

    async def answer(self, request: Request, correct: Correct) -> Reply:
        """Look at the entries of all nodes."""
        reply = await correct.ask(request)
        if request.operation == RESULTS and reply.status == OK and not request.wants_all:
            request.set_query({"return_all_outputs": "true"})
            nodes = (await correct.ask(request)).members
            first = next((node for node in nodes.values() if node["is_output_node"]), {"status": ""})
            if first["status"] != "SUCCESS":
                reply.status = FAILED
                reply.put({"success": False, "message": "No output", "output": nodes})
        return reply


@dataclass
class OutputReadTwice(Fault):
    """Reads a text as JSON once more, if it is any."""

    def change_reply(self, request: Request, reply: Reply) -> None:
        """Put what it says."""
        is_result = request.operation == RESULTS and reply.status == OK and not request.wants_all
        if is_result and isinstance(reply.json, str):
            with suppress(ValueError):
                reply.put(json.loads(reply.json))


@dataclass
class PagesOverlap(Fault):
    """Begins pages from the third one on with what the page before ended with."""

    async def answer(self, request: Request, correct: Correct) -> Reply:
        """Put the last item of the page before in front."""
        reply = await correct.ask(request)
        is_page = request.operation == LIST and reply.status == OK and reply.members["items"]
        if is_page and (page := int(request.query.get("page", 1))) > SOUND_PAGES:
            request.set_query({"page": str(page - 1)})
            before = await correct.ask(request)
            reply.put({**reply.members, "items": [before.members["items"][-1], *reply.members["items"][:-1]]})
        return reply


@dataclass
class SortedWithinPages(Fault):
    """Cuts pages out of the usual order, and sorts each by itself."""

    def change_request(self, request: Request) -> None:
        """Leave out what to sort by."""
        if request.operation == LIST and request.query.get("sort_by") == "name":
            request.set_query({"sort_by": None, "contract_tests_by_name": "1"})

    def change_reply(self, request: Request, reply: Reply) -> None:
        """Sort the page."""
        if request.operation == LIST and reply.status == OK and "contract_tests_by_name" in request.query:
            is_down = request.query.get("sort_order") == "desc"
            items = sorted(reply.members["items"], key=lambda one: one["name"], reverse=is_down)
            reply.put({**reply.members, "items": items})


@dataclass
class NamesInAnyCase(Fault):
    """Has one entry for nodes whose names differ in case alone."""

    def change_reply(self, request: Request, reply: Reply) -> None:
        """Leave the last one."""
        if request.operation == RESULTS and reply.status == OK and request.wants_all:
            last = {name.lower(): name for name in reply.members}
            reply.put({name: entry for name, entry in reply.members.items() if last[name.lower()] == name})


@dataclass
class PostedBeforeTheEnd(Fault):
    """Posts a callback in which the last node still runs, where nodes stand behind the output."""

    sees_callbacks = True

    async def deliver(self, callback: Callback, correct: Correct) -> int:
        """Post it."""
        output = callback.members.get("final_output")
        name, last = [*output.items()][-1] if isinstance(output, dict) and output else ("", None)
        if isinstance(output, dict) and isinstance(last, dict) and last.get("is_output_node") is False:
            shown = {**output, name: {**last, "status": "RUNNING", "value": None}}
            callback.put({**callback.members, "final_output": shown})
        return await correct.post(callback)


@dataclass
class FalsyNotPosted(Fault):
    """Posts null in place of what counts as nothing."""

    sees_callbacks = True

    async def deliver(self, callback: Callback, correct: Correct) -> int:
        """Post it."""
        body = callback.members
        callback.put({**body, "final_output": body.get("final_output") or "(none)"})
        return await correct.post(callback)


@dataclass
class LabelMovedThoughRefused(Fault):
    """Makes a version with the labels alone of a patch that is refused for its nodes."""

    async def answer(self, request: Request, correct: Correct) -> Reply:
        """Patch once more, without what was refused."""
        reply = await correct.ask(request)
        labels = request.members.get("release_labels")
        if request.operation == PATCH and reply.status not in {CREATED, NOT_FOUND} and labels:
            content = json.dumps({"release_labels": labels}).encode()
            await correct.ask(Request("PATCH", request.path, "", HEADERS, content))
        return reply


@dataclass
class ResultsAfterCallback(Fault):
    """Says for a while after a callback that its run goes on."""

    _posted: dict[str, float] = field(default_factory=dict, init=False)
    sees_callbacks = True

    async def deliver(self, callback: Callback, correct: Correct) -> int:
        """Take down when it was."""
        self._posted[str(callback.members.get(ID))] = time.monotonic()
        return await correct.post(callback)

    def change_reply(self, request: Request, reply: Reply) -> None:
        """Answer 202."""
        at = self._posted.get(request.query.get(ID, ""), -SOON)
        if request.operation == RESULTS and time.monotonic() - at < SOON / 4:
            reply.status = ACCEPTED
            reply.put({} if request.wants_all else None)


@dataclass
class VariablesChanged(Fault):
    """Runs on other input variables as a whole."""

    change: Callable[[dict[str, Any]], dict[str, Any]]

    def change_request(self, request: Request) -> None:
        """Put them."""
        given = request.members.get("input_variables")
        if request.operation == RUN and isinstance(given, dict):
            request.put({**request.members, "input_variables": self.change(given)})


@dataclass
class DetachedAnywhere(Fault):
    """Detaches an external id from whoever has it."""

    async def answer(self, request: Request, correct: Correct) -> Reply:
        """Look for its owner."""
        reply = await correct.ask(request)
        if request.operation == DETACH and reply.status == NOT_FOUND:
            source, id_ = request.path.split("/")[-2:]
            query = f"external_source={source}&external_id={id_}"
            found = (await correct.ask(Request("GET", "/workflows", query, HEADERS, b""))).members.get("items") or []
            for one in found:
                path = f"/workflows/{one['id']}/external-ids/{source}/{id_}"
                return await correct.ask(Request("DELETE", path, "", HEADERS, b""))
        return reply


@dataclass
class ActsThenRefuses(Fault):
    """Carries out what a wrong key asks for, and then refuses it."""

    operation: str

    async def answer(self, request: Request, correct: Correct) -> Reply:
        """Ask twice, the first time with the right key."""
        if request.operation == self.operation and request.header("x-api-key") not in {None, KEY}:
            headers = [("x-api-key", KEY), ("content-type", "application/json")]
            await correct.ask(Request(request.method, request.path, request.query_string, headers, request.content))
        return await correct.ask(request)


@dataclass
class ConflictKeeps(Fault):
    """Makes the workflow whose external id another one has, without it."""

    async def answer(self, request: Request, correct: Correct) -> Reply:
        """Create it once more."""
        reply = await correct.ask(request)
        if request.operation == CREATE and reply.status == CONFLICT and request.members.get("external_ids"):
            content = json.dumps({**request.members, "external_ids": []}).encode()
            await correct.ask(Request("POST", request.path, "", HEADERS, content))
        return reply


@dataclass
class Debounced(Fault):
    """Posts one callback in a while to each address."""

    _last: dict[str, float] = field(default_factory=dict, init=False)
    sees_callbacks = True

    async def deliver(self, callback: Callback, correct: Correct) -> int:
        """Leave it out if one was just posted."""
        now = time.monotonic()
        if now - self._last.get(callback.url, -SOON) < SOON / 4:
            return OK
        self._last[callback.url] = now
        return await correct.post(callback)


@dataclass
class NamesAsWritten(Fault):
    """Does not know a header whose name is written in one other way."""

    name: str

    def change_request(self, request: Request) -> None:
        """Take it out."""
        if self.name in request.names:
            request.headers = [(name, value) for name, value in request.headers if name != self.name.lower()]


@dataclass
class OutOfStep(Fault):
    """Answers each request of a certain number on its connection with the response before."""

    number: int
    _count: Counter[Any] = field(default_factory=Counter, init=False)
    _last: dict[Any, tuple[int, bytes]] = field(default_factory=dict, init=False)

    def change_reply(self, request: Request, reply: Reply) -> None:
        """Put the response before in its place."""
        self._count[request.client] += 1
        before, here = self._last.get(request.client), (reply.status, reply.content)
        self._last[request.client] = here
        if before is not None and request.method == "GET" and self._count[request.client] % self.number == 0:
            reply.status, reply.content = before


@dataclass
class OpenInCrowds(Fault):
    """Asks nobody for a key while many requests are being answered."""

    many: int
    _busy: int = field(default=0, init=False)

    async def answer(self, request: Request, correct: Correct) -> Reply:
        """Take a while, as a key service does."""
        self._busy += 1
        is_crowded = self._busy >= self.many
        await asyncio.sleep(OVERLAP)
        self._busy -= 1
        if is_crowded and request.method == "GET" and request.header("x-api-key") is not None:
            request.set_header("x-api-key", KEY)
        return await correct.ask(request)


@dataclass
class SkippedLeftOut(Fault):
    """Leaves nodes that were skipped out of callbacks."""

    sees_callbacks = True

    async def deliver(self, callback: Callback, correct: Correct) -> int:
        """Post the others."""
        body = callback.members
        callback.put({**body, "final_output": without_skipped(body.get("final_output"))})
        return await correct.post(callback)


@dataclass
class SkippedNotShown(Fault):
    """Leaves nodes that were skipped out of the results."""

    def change_reply(self, request: Request, reply: Reply) -> None:
        """Leave the others."""
        if request.operation == RESULTS and reply.status == OK and request.wants_all:
            reply.put(without_skipped(reply.json))


@dataclass
class EntriesCut(Fault):
    """Shows no more than so many nodes."""

    most: int

    def change_reply(self, request: Request, reply: Reply) -> None:
        """Leave out the others."""
        if request.operation == RESULTS and reply.status == OK and request.wants_all:
            reply.put(dict([*reply.members.items()][: self.most]))


class LabelsInherited(Fault):
    """Moves the labels of the latest version to one that is created without any."""

    async def answer(self, request: Request, correct: Correct) -> Reply:
        """Put them into the request."""
        name = request.members.get("workflow_name") or request.members.get("workflow_id")
        if request.operation == CREATE and name and not request.members.get("release_labels"):
            latest = (await correct.ask(read_of(quote(str(name), safe="")))).members
            request.put({**request.members, "release_labels": latest.get("release_labels")})
        return await correct.ask(request)


def without_skipped(output: Any) -> Any:
    """Return entries of nodes but for those that were skipped."""
    if not isinstance(output, dict):
        return output
    return {name: one for name, one in output.items() if not (isinstance(one, dict) and one.get("status") == "SKIPPED")}


@dataclass
class TagOfTheWorkflow(Fault):
    """Has one entity tag for all versions of a workflow."""

    def change_reply(self, request: Request, reply: Reply) -> None:
        """Tell it."""
        if request.operation == READ and reply.status == OK:
            reply.set_header("etag", f'"w{reply.members.get("workflow_id")}"')


@dataclass
class GetStarts(Fault):
    """Starts a run for a GET, too."""

    def change_request(self, request: Request) -> None:
        """Take it for a POST."""
        if request.method == "GET" and request.path.endswith("/run"):
            request.method, request.content = "POST", b"{}"
            request.set_header("content-type", "application/json")
