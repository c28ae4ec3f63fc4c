"""Hand-made defects of Interactly's execute: the life of a run, its identity, its version, and odd requests."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from mutants.servers.changes import dropped
from mutants.servers.fault import Correct, Fault, ServerDefect, Where
from mutants.servers.handwritten_run import Coercing, Crashing
from mutants.servers.messages import EXECUTE, Reply, Request
from mutants.servers.reply_faults import Cut, MemberDropped, MemberSet, Replaced, StatusChanged
from mutants.servers.request_faults import Refused, TakenAs

DONE, REFUSED, UNKNOWN = Where(EXECUTE, 200), Where(EXECUTE, 409), Where(EXECUTE, 404)
RUN_ID: Final = "workflow_run_id"
DIGITS: Final = 24
TIRED_AFTER: Final = 3
RESUMED: Final = "no page says how far a run goes on that is taken up again: it may run, fail or come to its end"
SAME_END: Final = {("completed", "data"), ("cancelled", "stop")}
STAYED: Final = "the run stays in the final status that it has, and no page says that the command has to be refused"
REPEATED: Final = "a reply may repeat the version_number that was sent: what was executed cannot be seen"
NEVER_EMPTY: Final = "a run input that is sent always says in run_by who sent it, so that a person finds the run"
NEW_ID: Final = "0123456789abcdef01234567"


def handwritten_execute() -> Iterator[ServerDefect]:
    """Give the hand-made defects of the execution."""
    yield from _commands()
    yield from _ends()
    yield from _identity()
    yield from _versions()
    yield from _answers()
    yield from _requests()


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
        id=f"execute.{name}", title=title, operator=operator, operation=EXECUTE, rules=(rule,), fault=fault,
        missed=missed, equivalent=equivalent,
    )  # fmt: skip


def _commands() -> Iterator[ServerDefect]:
    for command, rule in (("stop", "IA-EXE-70"), ("pause", "IA-EXE-71"), ("resume", "IA-EXE-72")):
        yield _defect(f"{command}-ignored", f"leaves a run as it is on {command}", "command ignored", rule,
                      CommandIgnored(command))  # fmt: skip
        for other in ("completed", "running", "failed"):
            ends = command == "resume" and other in {"completed", "failed"}
            yield _defect(f"{command}-{other}", f"says {other} after {command}", "status graph",
                          "IA-EXE-69" if ends else rule,  # it can be stopped after that end
                          MemberSet(DONE, ("status",), other, when=_on(command)),
                          equivalent=RESUMED if (command, other) == ("resume", "running") else "")  # fmt: skip
    yield _defect("data-ignored", "leaves a run waiting that gets its data", "command ignored", "IA-EXE-79",
                  CommandIgnored("data"))  # fmt: skip
    for what, rule, change in (
        ("ignored", "IA-EXE-72", lambda reply, run: reply.put(run)),
        ("refused", "IA-EXE-80", lambda reply, _: _failed(reply, 409)),
        ("500", "SRV-01", lambda reply, _: _failed(reply, 500)),
    ):
        yield _defect(f"resume-after-two-pauses-{what}", f"resume is {what} where pause came twice", "sequence", rule,
                      AfterTwoPauses(change))  # fmt: skip
    yield _defect("every-command-starts", "starts a run whatever the command", "command ignored", "IA-EXE-67",
                  TakenAs(EXECUTE, lambda request: request.json is not None, _as_start))  # fmt: skip
    yield _defect("data-not-started", "says not_started of a run that gets its data", "status graph", "IA-EXE-78",
                  MemberSet(DONE, ("status",), "not_started", when=_on("data")))  # fmt: skip
    yield _defect("start-not-started", "says not_started of a run that it has started", "status graph",
                  "IA-EXE-63-OPEN",  # nothing says how soon a run is under way, but one that failed says why it ended
                  MemberSet(DONE, ("status",), "not_started", when=_on("start")))  # fmt: skip
    yield _defect("start-never-ends", "keeps every run running for ever", "status graph", "IA-EXE-70",
                  MemberSet(DONE, ("status",), "running"))  # fmt: skip


def _ends() -> Iterator[ServerDefect]:
    for status in ("completed", "cancelled"):
        for command in ("data", "resume", "stop", "pause"):
            yield _defect(f"{status}.{command}-taken", f"takes {command} for a run that is {status}",
                          "terminal resurrected", "IA-EXE-69", Resurrecting(status, command),
                          equivalent=STAYED if (status, command) in SAME_END else "")  # fmt: skip
    yield _defect("terminal-waits-again", "lets a run that has ended wait for input again", "terminal resurrected",
                  "IA-EXE-69", Resurrecting(None, None))  # fmt: skip
    yield _defect("refusal-200", "answers 200 with an error where it refuses a command", "status neighbour",
                  "IA-EXE-69", StatusChanged(REFUSED, 200))  # fmt: skip
    yield _defect("refusal-500", "answers 500 where it refuses a command", "crash", "SRV-01",
                  Replaced(REFUSED, 500, {"detail": "Internal Server Error"}))  # fmt: skip
    yield _defect("termination-source-on-success", "says what ended a run that came to its normal end", "semantics",
                  "IA-EXE-63", MemberSet(DONE, ("termination_source",), "execution_error",
                                         when=_when_completed))  # fmt: skip
    yield _defect("termination-source-while-waiting", "says what ended a run that has not ended", "semantics",
                  "IA-EXE-63-OPEN", MemberSet(DONE, ("termination_source",), "stale_run_reaper",
                                         when=lambda _, reply: "wait" in str(reply.members.get("status"))))  # fmt: skip


def _identity() -> Iterator[ServerDefect]:
    yield _defect("new-id-each-turn", "gives a run another workflow_run_id with every turn", "identity", "IA-EXE-67",
                  MemberSet(DONE, (RUN_ID,), NEW_ID, when=_on_known_run))  # fmt: skip
    yield _defect("new-logical-id-each-turn", "gives a run another logical_id with every turn", "identity",
                  "IA-EXE-67", MemberSet(DONE, ("logical_id",), "workflow_run_other",
                                          when=_on_known_run))  # fmt: skip
    yield _defect("one-id-for-all", "gives every run the same workflow_run_id", "identity", "IA-EXE-66", OneRunId())
    yield _defect("run-id-ignored", "starts a run where one is to go on", "request ignored", "IA-EXE-67",
                  TakenAs(EXECUTE, lambda request: request.members.get(RUN_ID) is not None, _as_start))  # fmt: skip
    yield _defect("unknown-run-starts", "starts a run for an id that no run has", "unknown accepted", "IA-EXE-77",
                  UnknownRunStarts())  # fmt: skip
    yield _defect("run-id-dropped", "does not say which run it has started", "member dropped", "IA-EXE-66",
                  MemberDropped(DONE, (RUN_ID,)), equivalent="no page says that the id is always there")  # fmt: skip
    yield _defect("other-workflow-id", "names another workflow than the one that was executed", "identity",
                  "IA-EXE-74", MemberSet(DONE, ("workflow_id",), NEW_ID))  # fmt: skip
    yield _defect("unknown-workflow-runs", "executes its one workflow whatever the id", "unknown accepted",
                  "IA-EXE-54", TakenAs(EXECUTE, lambda _: True, _as_workflow))  # fmt: skip
    yield _defect("capitals-taken", "takes a workflow id in capitals", "pattern not enforced", "IA-EXE-51",
                  TakenAs(EXECUTE, lambda request: _is_hex(request.workflow) and not request.workflow.islower(),
                          _as_workflow))  # fmt: skip
    yield _defect("too-long-id-taken", "takes a workflow id with more digits than 24", "maxLength not enforced",
                  "IA-EXE-51", TakenAs(EXECUTE, lambda request: _is_hex(request.workflow.lower())
                                       and len(request.workflow) > DIGITS, _as_workflow))  # fmt: skip
    yield _defect("too-short-id-taken", "takes a workflow id with fewer digits than 24", "minLength not enforced",
                  "IA-EXE-51", TakenAs(EXECUTE, lambda request: _is_hex(request.workflow.lower())
                                       and len(request.workflow) < DIGITS, _as_workflow))  # fmt: skip
    yield _defect("run-by-forgotten", "does not say who has started a run", "semantics", "IA-EXE-76",
                  MemberSet(DONE, ("run_by",), None),
                  equivalent="run_by may be null, and no page says that a run always tells it")  # fmt: skip
    yield _defect("run-by-another", "says that somebody else has started the run", "semantics", "IA-EXE-76",
                  MemberSet(DONE, ("run_by",), "somebody"))  # fmt: skip
    yield _defect("turns-forgotten", "tells of the last turn alone", "semantics", "IA-EXE-73", LastTurnOnly())


def _versions() -> Iterator[ServerDefect]:
    yield _defect("version-ignored", "executes the active version whatever the query says", "request ignored",
                  "IA-EXE-75", TakenAs(EXECUTE, lambda request: request.query.get("version") in {"0", "1"},
                                             lambda request: request.set_query({"version": None})))  # fmt: skip
    yield _defect("version-of-the-body", "executes the version that the body names", "request ignored",
                  "IA-EXE-56", VersionOfTheBody(), missed=REPEATED)  # fmt: skip
    yield _defect("version-changes", "says another version with every turn", "identity", "IA-EXE-68",
                  MemberSet(DONE, ("version_number",), 7, when=_on_known_run))  # fmt: skip
    yield _defect("version-not-told", "says version 3 of every run", "semantics", "IA-EXE-75",
                  MemberSet(DONE, ("version_number",), 3))  # fmt: skip
    yield _defect("unknown-version-taken", "executes the active version for a number that no version has",
                  "unknown accepted", "IA-EXE-16", TakenAs(EXECUTE, _is_unknown_version,
                                                   lambda request: request.set_query({"version": None})))  # fmt: skip
    yield _defect("version-zero-500", "fails on version 0", "crash", "SRV-01",
                  Crashing(EXECUTE, lambda request: request.query.get("version") == "0"))  # fmt: skip
    yield _defect("version-refused", "refuses a request with a version", "legal refused", "IA-EXE-75",
                  Refused(EXECUTE, lambda request: "version" in request.query))  # fmt: skip
    yield _defect("version-demanded", "refuses a request without a version", "legal refused", "IA-EXE-56",
                  Refused(EXECUTE, lambda request: "version" not in request.query))  # fmt: skip


def _answers() -> Iterator[ServerDefect]:
    for word in ("pending", "COMPLETED", "waiting", ""):
        yield _defect(f"status-{word or 'empty'}", f"says {word!r} of a run", "status outside", "IA-EXE-57",
                      MemberSet(DONE, ("status",), word))  # fmt: skip
    yield _defect("status-outside-at-the-end", "says done of a run that is completed", "status outside", "SRV-03",
                  MemberSet(DONE, ("status",), "done", when=_when_completed))  # fmt: skip
    yield _defect("status-dropped", "does not say how a run stands", "member dropped", "IA-EXE-57",
                  MemberDropped(DONE, ("status",)))  # fmt: skip
    yield _defect("wrapped", "wraps the run as the other operations do", "form", "IA-EXE-57", Wrapped())
    yield _defect("other-generation", "answers in the other form of execute", "form", "IA-EXE-57", OtherGeneration())
    yield _defect("202", "answers 202 as if it ran later", "status undocumented", "IA-EXE-57", StatusChanged(DONE, 202))
    yield _defect("cut", "ends the connection within a reply", "cut reply", "SRV-01", Cut(DONE))
    yield _defect("fourth-run-500", "fails from the fourth run on", "crash", "IA-EXE-64", Tiring())
    yield _defect("unknown-workflow-200", "answers 200 with an empty object for an unknown workflow",
                  "unknown accepted", "IA-EXE-54", Replaced(UNKNOWN, 200, {}))  # fmt: skip
    yield _defect("unknown-workflow-wordless", "answers 404 with an empty object", "refusal without words",
                  "IA-EXE-17", Replaced(UNKNOWN, 404, {}))  # fmt: skip


def _requests() -> Iterator[ServerDefect]:
    for what, when in (
        ("empty-body", lambda request: request.members == {}),
        ("no-command", lambda request: "command" not in request.members),
        ("nulls", lambda request: None in request.members.values()),
        ("unknown-member", lambda request: "contract_tests" in str(request.members.keys() - KNOWN)
                                           or bool(request.members.keys() - KNOWN)),
        ("dynamic-variables", lambda request: bool(request.members.get("dynamic_variables"))),
    ):  # fmt: skip
        yield _defect(f"{what}-refused", f"refuses a request with {what.replace('-', ' ')}", "legal refused",
                      # That a schema is open says more of the page than of the server: it is an odd value.
                      "SRV-07" if what == "unknown-member" else "SRV-06", Refused(EXECUTE, when),
                      missed=NEVER_EMPTY if what == "empty-body" else "")  # fmt: skip
    for what, rule, when in (
        ("text-not-ascii", "SRV-01", lambda request: not json.dumps(request.json, ensure_ascii=False).isascii()),
        ("no-members", "SRV-04", lambda request: request.members == {} and request.json is not None),
        ("array-body", "SRV-04", lambda request: isinstance(request.json, list)),
        ("not-json", "SRV-04", lambda request: request.json is None and request.content.strip() != b"null"),
        ("short-id", "IA-EXE-51", lambda request: len(request.workflow) < DIGITS),
        ("negative-version", "IA-EXE-52", lambda request: request.query.get("version", "").startswith("-")),
        ("wrong-command", "IA-EXE-55", lambda request: request.members.get("command", "start") not in COMMANDS),
    ):
        yield _defect(f"{what}-500", f"fails on {what.replace('-', ' ')}", "crash", rule, Crashing(EXECUTE, when))
    yield _defect("unknown-run-500", "fails on an id that no run has", "crash", "IA-EXE-77",
                  Replaced(UNKNOWN, 500, {"detail": "Internal Server Error"},
                           when=_on_known_run))  # fmt: skip
    for name, kind, change in (
        ("version_number", "digits", lambda value: int(value) if isinstance(value, str) and value.isdigit() else value),
        ("version_number", "boolean", lambda value: int(value) if isinstance(value, bool) else value),
        ("command", "capitals", lambda value: value.lower() if isinstance(value, str) else value),
        ("command", "null", lambda value: "start" if value is None else value),
        ("run_by", "number", lambda value: str(value) if isinstance(value, int) else value),
        ("dynamic_variables", "null", lambda value: {} if value is None else value),
        ("thread_to_node_inputs", "null", lambda value: {} if value is None else value),
    ):
        yield _defect(f"{name}.{kind}-taken", f"takes a {name} that is {kind} for what it looks like", "lenient type",
                      "SRV-11", Coercing(EXECUTE, name, change))  # fmt: skip


COMMANDS: Final = {"start", "data", "resume", "pause", "stop"}
KNOWN: Final = {
    "dynamic_variables", "runtime_variables", "miscellaneous", "command", "workflow_id", "version_number", "run_by",
    RUN_ID, "team_id", "thread_to_node_inputs",
}  # fmt: skip


@dataclass
class Keeping(Fault):
    """Keeps every run as it was last answered, by its id."""

    _runs: dict[str, dict[str, Any]] = field(default_factory=dict, init=False)

    def change_reply(self, request: Request, reply: Reply) -> None:
        """Take down how the run stands."""
        if DONE.holds(request, reply):
            self._runs[str(reply.members.get(RUN_ID))] = reply.members

    def kept(self, request: Request) -> dict[str, Any] | None:
        """Give the run that a request is about."""
        return self._runs.get(str(request.members.get(RUN_ID)))


@dataclass
class Tiring(Fault):
    """Fails once it has started three runs."""

    _started: int = field(default=0, init=False)

    def change_reply(self, request: Request, reply: Reply) -> None:
        """Count the runs, and fail when there are too many."""
        self._started += DONE.holds(request, reply) and request.members.get("command", "start") == "start"
        if DONE.holds(request, reply) and self._started > TIRED_AFTER:
            reply.status = 500


@dataclass
class CommandIgnored(Keeping):
    """Answers a command with the run as it was."""

    command: str

    async def answer(self, request: Request, correct: Correct) -> Reply:
        """Leave the run alone."""
        run = self.kept(request) if request.operation == EXECUTE else None
        if run is not None and request.members.get("command") == self.command:
            return Reply(200, [("content-type", "application/json")], json.dumps(run).encode())
        return await super().answer(request, correct)


def _failed(reply: Reply, status: int) -> None:
    reply.status = status
    reply.put({"detail": "The run can't be taken up"})


@dataclass
class AfterTwoPauses(Keeping):
    """Answers resume in another way where pause came twice before, of which the second one was refused."""

    change: Callable[[Reply, dict[str, Any]], None]
    _pauses: Counter[str] = field(default_factory=Counter, init=False)

    async def answer(self, request: Request, correct: Correct) -> Reply:
        """Count pauses."""
        run, command = self.kept(request), request.members.get("command")
        reply = await super().answer(request, correct)
        if run is not None and command == "resume" and DONE.holds(request, reply):
            if self._pauses.pop(run[RUN_ID], 0) > 1:
                self.change(reply, run)
        elif run is not None and command == "pause":
            self._pauses[run[RUN_ID]] += 1
        return reply


@dataclass
class Resurrecting(Keeping):
    """Takes a command for a run that has ended, and lets it go on."""

    status: str | None
    command: str | None

    async def answer(self, request: Request, correct: Correct) -> Reply:
        """Let it go on."""
        reply = await super().answer(request, correct)
        run = self.kept(request)
        if REFUSED.holds(request, reply) and run is not None and self._is_meant(request, run):
            reply.status = 200
            command = request.members.get("command")
            status = {"data": "completed", "pause": "paused", "stop": "cancelled"}.get(str(command))
            reply.put({**run, "status": "waiting_for_user_input" if self.command is None or status is None else status})
            self.change_reply(request, reply)
        return reply

    def _is_meant(self, request: Request, run: dict[str, Any]) -> bool:
        fits_status = self.status in (None, run["status"])
        return fits_status and self.command in (None, request.members.get("command"))


@dataclass
class OneRunId(Fault):
    """Gives every run the id of the first."""

    _first: Any = field(default=None, init=False)

    def change_reply(self, request: Request, reply: Reply) -> None:
        """Put the first id."""
        if DONE.holds(request, reply):
            self._first = self._first or reply.members[RUN_ID]
            reply.put({**reply.members, RUN_ID: self._first})


@dataclass
class UnknownRunStarts(Fault):
    """Starts a run where one is to go on that does not exist."""

    async def answer(self, request: Request, correct: Correct) -> Reply:
        """Start it."""
        reply = await correct.ask(request)
        if UNKNOWN.holds(request, reply) and request.members.get(RUN_ID) is not None:
            _as_start(request)
            return await correct.ask(request)
        return reply


@dataclass
class LastTurnOnly(Fault):
    """Leaves out all but the last turn."""

    def change_reply(self, request: Request, reply: Reply) -> None:
        """Keep the last."""
        if DONE.holds(request, reply):
            pairs = reply.members.get("input_output_pairs", [])
            reply.put({**reply.members, "input_output_pairs": pairs[-1:]})


@dataclass
class VersionOfTheBody(Fault):
    """Reads the version from the body."""

    def change_request(self, request: Request) -> None:
        """Put the body's version into the query."""
        number = request.members.get("version_number")
        if request.operation == EXECUTE and isinstance(number, int):
            request.set_query({"version": str(number)})


@dataclass
class Wrapped(Fault):
    """Answers with an object that holds the run."""

    def change_reply(self, request: Request, reply: Reply) -> None:
        """Wrap it."""
        if DONE.holds(request, reply):
            reply.put({"workflow_run": reply.members})


@dataclass
class OtherGeneration(Fault):
    """Answers as the other form of execute does."""

    def change_reply(self, request: Request, reply: Reply) -> None:
        """Put the other form's members."""
        if DONE.holds(request, reply):
            run = dropped(reply.members, ("status",))
            reply.put({"run_id": run[RUN_ID], "turn_number": 1, "events": [], "is_completed": False})


def _on(command: str) -> Callable[[Request, Reply], bool]:
    return lambda request, _: request.members.get("command", "start") == command


def _on_known_run(request: Request, _: Reply) -> bool:
    return request.members.get(RUN_ID) is not None


def _when_completed(_: Request, reply: Reply) -> bool:
    return reply.members.get("status") == "completed"


def _as_start(request: Request) -> None:
    kept = {name: value for name, value in request.members.items() if name not in {RUN_ID, "command"}}
    request.put({**kept, "command": "start"})


def _as_workflow(request: Request) -> None:
    request.set_workflow("5eb7cf5a86d9755df3a6c593")


def _is_hex(text: str) -> bool:
    return bool(text) and all(char in "0123456789abcdefABCDEF" for char in text)


def _is_unknown_version(request: Request) -> bool:
    version = request.query.get("version", "0")
    return version.isdigit() and int(version) > 1
