"""Hand-made defects of PromptLayer's results: the life of an execution, and the form of what it produced."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from mutants.servers.fault import Correct, Fault, ServerDefect, Where
from mutants.servers.messages import (
    ACCEPTED,
    FAILED,
    NOT_FOUND,
    OK,
    RESULTS,
    RUN,
    UNAUTHORIZED,
    Reply,
    Request,
)
from mutants.servers.reply_faults import BodyChanged, Cut, Replaced, StatusChanged
from mutants.servers.request_faults import Refused

DONE_ALL, DONE_BARE = Where(RESULTS, 200, all_outputs=True), Where(RESULTS, 200, all_outputs=False)
PENDING_ALL, PENDING_BARE = Where(RESULTS, 202, all_outputs=True), Where(RESULTS, 202, all_outputs=False)
UNKNOWN = Where(RESULTS, 404)
FLAG, ID = "return_all_outputs", "workflow_version_execution_id"
NO_SUCH: Final = {"success": False, "message": "Not found"}


def handwritten_results() -> Iterator[ServerDefect]:
    """Give the hand-made defects of the results."""
    yield from _lifecycle()
    yield from _stability()
    yield from _form()
    yield from _entries()
    yield from _failure()
    yield from _unknown()
    yield _defect("deleted", "answers DELETE as if there were something to delete", "undocumented method", "SRV-13",
                  OtherMethods(taken="DELETE"))  # fmt: skip
    yield _defect("form-of-the-first-request", "has entries only for who has asked for them at first", "sequence",
                  "PL-RES-67", FollowingTheFirstRequest())  # fmt: skip
    yield _defect("allow-nothing", "refuses a method without a word on others", "header Allow", "SRV-14",
                  OtherMethods())  # fmt: skip


def _defect(
    name: str,
    title: str,
    operator: str,
    rule: str,
    fault: Fault,
    *,
    missed: str = "",
    equivalent: str = "",
) -> ServerDefect:
    return ServerDefect(
        id=f"results.{name}", title=title, operator=operator, operation=RESULTS, rules=(rule,), fault=fault,
        missed=missed, equivalent=equivalent,
    )  # fmt: skip


def _lifecycle() -> Iterator[ServerDefect]:
    yield _defect(
        "never-done", "answers 202 for ever, with nodes that have ended", "lifecycle", "PL-RES-24",
        StatusChanged(Where(RESULTS, 200), 202),
    )  # fmt: skip
    yield _defect("never-ends", "leaves the last node running for ever", "lifecycle", "PL-RES-68", NeverEnding())
    yield _defect(
        "bare-never-done", "answers 202 for ever where the main output is asked for", "lifecycle", "PL-RES-24",
        StatusChanged(DONE_BARE, 202),
    )  # fmt: skip
    yield _defect(
        "done-while-running", "answers 200 with nodes that are queued or running", "lifecycle", "PL-RES-23",
        StatusChanged(PENDING_ALL, 200),
    )  # fmt: skip
    yield _defect(
        "bare-done-while-running", "answers 200 with null where the main output is asked for too early", "lifecycle",
        "PL-RES-23", StatusChanged(PENDING_BARE, 200),
    )  # fmt: skip
    yield _defect(
        "done-with-last-node-running", "answers 200 once the first node has ended", "lifecycle", "PL-RES-23",
        StatusChanged(PENDING_ALL, 200, when=lambda _, reply: "SUCCESS" in _words(reply)),
    )  # fmt: skip
    yield _defect(
        "done-with-node-queued", "shows a node as queued although all have ended", "lifecycle", "PL-RES-23",
        BodyChanged(DONE_ALL, _first_entry({"status": "QUEUED", "value": None})),
    )  # fmt: skip
    yield _defect(
        "done-with-node-running", "shows a node as running although all have ended", "lifecycle", "PL-RES-23",
        BodyChanged(DONE_ALL, _first_entry({"status": "RUNNING", "value": None})),
    )  # fmt: skip
    yield _defect(
        "pending-though-ended", "answers 202 once more when every node has ended", "lifecycle", "PL-RES-24",
        OnceMorePending(),
    )  # fmt: skip
    yield _defect(
        "node-queued-again", "shows a node as queued that was seen to run", "lifecycle", "PL-RES-66",
        GoingBack("RUNNING", {"status": "QUEUED"}),
    )  # fmt: skip
    yield _defect(
        "node-runs-again", "shows a node as running that was seen to have ended", "lifecycle", "PL-RES-66",
        GoingBack("SUCCESS", {"status": "RUNNING", "value": None}),
    )  # fmt: skip
    yield _defect("fresh-is-404", "does not know an execution that it has just started", "lifecycle", "SRV-08",
                  StatusChanged(Where(RESULTS, 202), 404))  # fmt: skip
    yield _defect("fresh-is-404-once", "does not know a new execution at the first request", "lifecycle",
                  "SRV-08", FirstTime(NO_SUCH, 404))  # fmt: skip
    yield _defect(
        "bare-is-404", "does not know any execution where the main output is asked for", "lifecycle", "PL-RES-27",
        Replaced(Where(RESULTS, all_outputs=False), 404, NO_SUCH, when=lambda _, reply: reply.status in {OK, ACCEPTED}),
    )  # fmt: skip
    yield _defect(
        "empty-while-running", "answers 204 with nothing while the execution is running", "lifecycle", "SRV-01",
        StatusChanged(Where(RESULTS, 202), 204),
    )  # fmt: skip
    yield _defect(
        "pending-value-early", "shows a value for a node that is running", "lifecycle", "PL-RES-29",
        BodyChanged(PENDING_ALL, _unfinished({"value": "Thinking"})),
    )  # fmt: skip
    yield _defect("pending-cut", "ends the connection within the reply", "cut reply", "SRV-01",
                  Cut(Where(RESULTS, 200)))  # fmt: skip


def _stability() -> Iterator[ServerDefect]:
    yield _defect(
        "value-changes", "gives another value each time", "value changes", "PL-RES-25",
        Ageing(DONE_ALL, 1, _entries_with_count),
    )  # fmt: skip
    yield _defect(
        "bare-value-changes", "gives another main output each time", "value changes", "PL-RES-25",
        Ageing(DONE_BARE, 1, lambda value, count: f"{value} {count}"),
    )  # fmt: skip
    yield _defect(
        "value-changes-once", "gives another value from the third time on", "value changes", "PL-RES-25",
        Ageing(DONE_ALL, 3, lambda value, _: _entries_with_count(value, 0)),
    )  # fmt: skip
    yield _defect(
        "nodes-vanish", "forgets all nodes but the output from the second time on", "value changes", "PL-RES-25",
        Ageing(DONE_ALL, 2, lambda value, _: dict(list(value.items())[-1:])),
    )  # fmt: skip
    yield _defect(
        "value-forgotten", "gives null from the second time on", "value changes", "PL-RES-25",
        Ageing(DONE_BARE, 2, lambda *_: None),
    )  # fmt: skip
    yield _defect(
        "back-to-202", "answers 202 again from the second time on", "value changes", "PL-RES-25",
        Relapsing(Where(RESULTS, 200), 2, 202),
    )  # fmt: skip
    yield _defect(
        "back-to-404", "has forgotten the execution from the third time on", "value changes", "PL-RES-25",
        Relapsing(Where(RESULTS, 200), 3, 404),
    )  # fmt: skip
    yield _defect(
        "failure-forgotten", "answers 200 where it has told of a failure before", "value changes", "PL-RES-25",
        Relapsing(Where(RESULTS, 500), 2, 200),
    )  # fmt: skip


def _form() -> Iterator[ServerDefect]:
    yield _defect("flag-ignored-bare", "gives the main output whatever the flag", "flag ignored", "PL-RES-26",
                  Flagged(lambda _: "false"))  # fmt: skip
    yield _defect("flag-ignored-all", "gives all nodes whatever the flag", "flag ignored", "PL-RES-27",
                  Flagged(lambda _: "true"))  # fmt: skip
    yield _defect("flag-absent-is-true", "gives all nodes where the flag is absent", "flag ignored", "PL-RES-27",
                  Flagged(lambda flag: flag or "true"))  # fmt: skip
    yield _defect("flag-turned", "gives all nodes for false and the main output for true", "flag ignored", "PL-RES-26",
                  Flagged(lambda flag: "false" if flag == "true" else "true"))  # fmt: skip
    yield _defect("flag-ignored-bare-once-done", "gives the main output whatever the flag, once it is there",
                  "flag ignored", "PL-RES-26", OnceDone("false"))  # fmt: skip
    yield _defect("flag-ignored-all-once-done", "gives all nodes whatever the flag, once they have ended",
                  "flag ignored", "PL-RES-27", OnceDone("true"))  # fmt: skip
    yield _defect("form-follows-run", "gives the form that the run asked for", "flag ignored", "PL-RES-28",
                  FollowingTheRun())  # fmt: skip
    for what, change in (
        ("wrapped", lambda value: {"output": value}),
        ("in-a-list", lambda value: [value]),
        ("encoded-twice", json.dumps),
        ("null", lambda _: None),
        ("by-name", lambda value: {"Reply": {"value": value}}),
        ("shortened", lambda value: str(value)[:5]),
        ("empty", lambda _: ""),
        ("success-message", lambda value: {"success": True, "message": "Done", "output": value}),
    ):
        yield _defect(f"bare-{what}", f"gives the main output {what}", "bare value", "PL-RES-27",
                      BodyChanged(DONE_BARE, change))  # fmt: skip
    yield _defect("bare-of-another-node", "gives the value of the first node as main output", "bare value",
                  "PL-RES-27", OfAnotherNode())  # fmt: skip
    yield _defect("all-in-a-list", "lists the nodes", "form of entries", "PL-RES-26",
                  BodyChanged(DONE_ALL, lambda value: [{"name": name, **value[name]} for name in value]))  # fmt: skip
    yield _defect("all-wrapped", "wraps the nodes", "form of entries", "PL-RES-26",
                  BodyChanged(DONE_ALL, lambda value: {"nodes": value}))  # fmt: skip
    yield _defect("all-values-only", "gives the bare value of every node", "form of entries", "PL-RES-26",
                  BodyChanged(DONE_ALL, lambda value: {name: value[name]["value"] for name in value}))  # fmt: skip
    yield _defect("all-empty", "gives no node", "form of entries", "PL-RES-26",
                  BodyChanged(DONE_ALL, lambda _: {}))  # fmt: skip
    yield _defect("all-null", "gives null for all nodes", "form of entries", "PL-RES-26",
                  BodyChanged(DONE_ALL, lambda _: None))  # fmt: skip


def _entries() -> Iterator[ServerDefect]:
    for what, word in (("status-in-lower-case", "success"), ("status-failure-word", "FAILURE")):
        yield _defect(f"all.{what}", f"says {word} of a node that has succeeded, as no callback does", "status word",
                      "PL-CB-66", BodyChanged(DONE_ALL, _each_entry({"status": word})))  # fmt: skip
    yield _defect("all.no-output-node", "marks no node as output", "semantics", "PL-RES-34",
                  BodyChanged(DONE_ALL, _each_entry({"is_output_node": False})))  # fmt: skip
    yield _defect("all.value-null", "gives null as the value of every node that has succeeded", "semantics",
                  "PL-RES-27", BodyChanged(DONE_ALL, _each_entry({"value": None})))  # fmt: skip
    yield _defect("all.error-though-success", "gives an error message with every node that has succeeded", "semantics",
                  "PL-CB-66", BodyChanged(DONE_ALL, _each_entry({"error_message": "No error"})))  # fmt: skip


def _failure() -> Iterator[ServerDefect]:
    for what, change in (
        ("without-output", lambda body: {name: body[name] for name in ("success", "message")}),
        ("without-success", lambda body: {name: body[name] for name in ("message", "output")}),
        ("without-message", lambda body: {name: body[name] for name in ("success", "output")}),
        ("success-text", lambda body: {**body, "success": "no"}),
        ("text", lambda body: body["message"]),
    ):
        yield _defect(f"500.{what}", f"answers a failed execution with the 500 form {what}", "failure form",
                      "SRV-03", BodyChanged(Where(RESULTS, 500), change))  # fmt: skip
        yield _defect(f"500.always.{what}", f"fails every run and answers with the 500 form {what}", "failure form",
                      "SRV-03", AlwaysFailing(change))  # fmt: skip
    yield _defect("failed-without-reason", "gives no error message for a node that has failed", "failure form",
                  "PL-RES-33", BodyChanged(DONE_ALL, _failed({"error_message": None})))  # fmt: skip
    yield _defect("failed-is-202", "answers 202 for ever if the output node has failed", "failure form", "PL-RES-24",
                  Replaced(Where(RESULTS, 500), 202, None))  # fmt: skip
    yield _defect("failed-is-200-null", "answers 200 with null if the output node has failed", "failure form",
                  "PL-RES-34", Replaced(Where(RESULTS, 500), 200, None))  # fmt: skip
    yield _defect("500-though-success", "answers 500 although the output node has succeeded", "failure form",
                  "PL-RES-24", StatusChanged(DONE_BARE, 500))  # fmt: skip
    yield _defect(
        "500-form-though-success", "answers in the 500 form although the output node has succeeded", "failure form",
        "PL-RES-24",
        Replaced(DONE_BARE, 500, {"success": False, "message": "No output node succeeded", "output": {}}),
    )  # fmt: skip


def _unknown() -> Iterator[ServerDefect]:
    for what, status, body in (
        ("200-null", 200, None),
        ("202", 202, None),
        ("200-empty", 200, {}),
        ("500", 500, {"success": False, "message": "boom", "output": None}),
        ("400", 400, NO_SUCH),
    ):
        yield _defect(f"unknown-is-{what}", f"answers {what} for an id that no execution has", "unknown accepted",
                      "PL-RES-22", Replaced(UNKNOWN, status, body))  # fmt: skip
    for what, when in (
        ("without-flag", lambda request: FLAG not in request.query),
        ("with-flag-false", lambda request: request.query.get(FLAG) == "false"),
        ("with-flag-true", lambda request: request.wants_all),
    ):
        yield _defect(f"{what}-refused", f"refuses a request {what.replace('-', ' ')}", "legal refused", "SRV-06",
                      Refused(RESULTS, when))  # fmt: skip
    for what, rule, when in (
        ("no-id", "PL-RES-21", lambda request: ID not in request.query),
        ("id-no-number", "SRV-04", lambda request: not request.query.get(ID, "0").lstrip("-").isdigit()),
        (
            "id-zero",
            "SRV-03",  # 500 is documented, but not with this body
            lambda request: request.query.get(ID) == "0",
        ),
        ("id-negative", "SRV-04", lambda request: request.query.get(ID, "").startswith("-")),
    ):
        yield _defect(f"{what}-500", f"fails on a request with {what.replace('-', ' ')}", "crash", rule,
                      Answering(when, 500, {"error": "Internal Server Error"}))  # fmt: skip


@dataclass
class OtherMethods(Fault):
    """Takes a method that the contract does not have; without one, refuses all of them without Allow."""

    taken: str = ""

    def change_reply(self, request: Request, reply: Reply) -> None:
        """Take the method, or leave the header out."""
        if request.method == self.taken:
            reply.status = 200
        elif not self.taken:
            reply.headers = [(name, value) for name, value in reply.headers if name != "allow"]


@dataclass
class NeverEnding(Fault):
    """Shows the last node as running for ever."""

    def change_reply(self, request: Request, reply: Reply) -> None:
        """Go back to a running node."""
        if request.operation == RESULTS and reply.status == OK:
            reply.status = 202
            reply.put(_last_entry({"status": "RUNNING", "value": None})(reply.json) if request.wants_all else None)


@dataclass
class OnceMorePending(Fault):
    """Answers 202 the first time that all nodes are shown to have ended."""

    _seen: set[str] = field(default_factory=set, init=False)

    def change_reply(self, request: Request, reply: Reply) -> None:
        """Answer 202 once."""
        if DONE_ALL.holds(request, reply) and request.query[ID] not in self._seen:
            self._seen.add(request.query[ID])
            reply.status = 202


@dataclass
class GoingBack(Fault):
    """Shows a node the second time and later in a status that it has left."""

    seen: str
    changes: dict[str, Any]
    _seen: set[str] = field(default_factory=set, init=False)

    def change_reply(self, request: Request, reply: Reply) -> None:
        """Go back what was seen before, as long as the execution runs."""
        if PENDING_ALL.holds(request, reply):
            body, execution = reply.members, request.query[ID]
            first = next(iter(body))
            if body[first]["status"] == self.seen and execution in self._seen:
                reply.put({**body, first: {**body[first], **self.changes}})
            if body[first]["status"] == self.seen:
                self._seen.add(execution)


@dataclass
class FirstTime(Fault):
    """Answers the first request about an execution otherwise."""

    body: Any
    status: int
    _seen: set[str] = field(default_factory=set, init=False)

    def change_reply(self, request: Request, reply: Reply) -> None:
        """Answer otherwise once."""
        execution = request.query.get(ID, "")
        if request.operation == RESULTS and reply.status in {200, 202} and execution not in self._seen:
            self._seen.add(execution)
            reply.status = self.status
            reply.put(self.body)


@dataclass
class Ageing(Fault):
    """Changes a result from the n-th time on that it is asked for; ``change`` is told how often it was."""

    where: Where
    since: int
    change: Callable[[Any, int], Any]
    _counts: dict[str, int] = field(default_factory=dict, init=False)

    def change_reply(self, request: Request, reply: Reply) -> None:
        """Count, and change it if it is old enough."""
        if self.where.holds(request, reply):
            count = self._counts[request.query[ID]] = self._counts.get(request.query[ID], 0) + 1
            if count >= self.since:
                reply.put(self.change(reply.json, count))


@dataclass
class Relapsing(Fault):
    """Has another status from the n-th time on that a result is asked for."""

    where: Where
    since: int
    status: int
    _counts: dict[str, int] = field(default_factory=dict, init=False)

    def change_reply(self, request: Request, reply: Reply) -> None:
        """Count, and answer with the other status if it is time."""
        if self.where.holds(request, reply):
            count = self._counts[request.query[ID]] = self._counts.get(request.query[ID], 0) + 1
            if count >= self.since:
                reply.status = self.status
                if self.status == NOT_FOUND:
                    reply.put(NO_SUCH)


@dataclass
class Flagged(Fault):
    """Reads another flag than the one that was sent."""

    read: Callable[[str | None], str]

    def change_request(self, request: Request) -> None:
        """Put the other flag."""
        if request.operation == RESULTS and request.query.get(FLAG) in {None, "true", "false"}:
            request.set_query({FLAG: self.read(request.query.get(FLAG))})


@dataclass
class OnceDone(Fault):
    """Ignores the flag once the execution has ended."""

    flag: str

    async def answer(self, request: Request, correct: Correct) -> Reply:
        """Ask again with the other flag if it has ended."""
        reply = await correct.ask(request)
        if request.operation == RESULTS and reply.status == OK:
            request.set_query({FLAG: self.flag})
            return await correct.ask(request)
        return reply


@dataclass
class FollowingTheRun(Fault):
    """Gives the form that the run asked for."""

    _wanted: dict[str, bool] = field(default_factory=dict, init=False)

    def change_request(self, request: Request) -> None:
        """Put the run's flag."""
        if request.operation == RESULTS and request.query.get(ID) in self._wanted:
            request.set_query({FLAG: "true" if self._wanted[request.query[ID]] else "false"})

    def change_reply(self, request: Request, reply: Reply) -> None:
        """Take down what the run asked for."""
        if request.operation == RUN and ID in reply.members:
            self._wanted[str(reply.members[ID])] = request.members.get(FLAG) is True


@dataclass
class FollowingTheFirstRequest(Fault):
    """Gives null for the entries of all nodes to who has not asked for them from the start."""

    _first: dict[str | None, bool] = field(default_factory=dict, init=False)

    def change_reply(self, request: Request, reply: Reply) -> None:
        """Remember the form of the first request, and give null to another one."""
        execution = request.query.get("workflow_version_execution_id")
        is_result = request.operation == RESULTS and reply.status in {200, 202}
        if is_result and not self._first.setdefault(execution, request.wants_all) and request.wants_all:
            reply.put(None)


@dataclass
class OfAnotherNode(Fault):
    """Gives the value of the first node for the main output."""

    async def answer(self, request: Request, correct: Correct) -> Reply:
        """Look the value up."""
        reply = await correct.ask(request)
        if DONE_BARE.holds(request, reply):
            request.set_query({FLAG: "true"})
            entries = (await correct.ask(request)).members
            reply.put(next(iter(entries.values()))["value"])
        return reply


@dataclass
class AlwaysFailing(Fault):
    """Has the output nodes of every run fail, and changes the body that tells of it."""

    change: Callable[[Any], Any]

    def change_request(self, request: Request) -> None:
        """Have the run fail."""
        metadata = request.members.get("metadata")
        is_legal = isinstance(request.json, dict) and isinstance(metadata, dict | None)
        if request.operation == RUN and is_legal:
            request.put({**request.members, "metadata": {**(metadata or {}), "sandbox": "fail"}})

    def change_reply(self, request: Request, reply: Reply) -> None:
        """Change the body of a failure."""
        if request.operation == RESULTS and reply.status == FAILED:
            reply.put(self.change(reply.json))


@dataclass
class Answering(Fault):
    """Answers some requests of whoever has a key with a fixed reply."""

    when: Callable[[Request], bool]
    status: int
    body: Any

    def change_reply(self, request: Request, reply: Reply) -> None:
        """Put the fixed reply."""
        if request.operation == RESULTS and reply.status != UNAUTHORIZED and self.when(request):
            reply.status = self.status
            reply.put(self.body)


def _words(reply: Reply) -> set[str]:
    return {entry["status"] for entry in reply.members.values()}


def _each_entry(changes: dict[str, Any]) -> Callable[[Any], Any]:
    return lambda body: {name: {**entry, **changes} for name, entry in body.items()}


def _first_entry(changes: dict[str, Any]) -> Callable[[Any], Any]:
    def change(body: Any) -> Any:
        first = next(iter(body))
        return {**body, first: {**body[first], **changes}}

    return change


def _last_entry(changes: dict[str, Any]) -> Callable[[Any], Any]:
    def change(body: Any) -> Any:
        last = list(body)[-1]
        return {**body, last: {**body[last], **changes}}

    return change


def _unfinished(changes: dict[str, Any]) -> Callable[[Any], Any]:
    def change(body: Any) -> Any:
        return {
            name: {**entry, **changes} if entry["status"] in {"QUEUED", "RUNNING"} else entry
            for name, entry in body.items()
        }

    return change


def _failed(changes: dict[str, Any]) -> Callable[[Any], Any]:
    return lambda body: {
        name: {**entry, **changes} if entry["status"] == "FAILED" else entry for name, entry in body.items()
    }


def _entries_with_count(value: Any, count: int) -> Any:
    return {name: {**entry, "value": f"{entry['value']} {count}"} for name, entry in value.items()}
