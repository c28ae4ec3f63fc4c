"""Hand-made defects of PromptLayer's callback: lost, doubled, early, late, elsewhere, of another kind or content."""

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from mutants.servers.fault import Correct, Fault, ServerDefect
from mutants.servers.messages import ACCEPTED, RELAY, RUN, Callback, Reply, Request, results_of

ID, OUTPUT = "workflow_version_execution_id", "final_output"
TAKEN: Final = 200


def handwritten_callback() -> Iterator[ServerDefect]:
    """Give the hand-made defects of the callback."""
    yield from _deliveries()
    yield from _requests()
    yield from _contents()


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
        id=f"callback.{name}", title=title, operator=operator, operation=RUN, rules=(rule,), fault=fault, missed=missed,
        equivalent=equivalent,
    )  # fmt: skip


def _deliveries() -> Iterator[ServerDefect]:
    yield _defect("lost", "never posts the outcome", "callback lost", "PL-CB-37", Lost(lambda _: True))
    yield _defect("lost-if-bare", "posts the outcome only if all outputs were asked for", "callback lost", "PL-CB-37",
                  Lost(lambda body: not _is_entries(body[OUTPUT])))  # fmt: skip
    yield _defect("lost-if-all", "posts the outcome only if the main output was asked for", "callback lost",
                  "PL-CB-37", Lost(lambda body: _is_entries(body[OUTPUT])))  # fmt: skip
    yield _defect("lost-if-failed", "posts the outcome only of a run that has an output", "callback lost", "PL-CB-37",
                  Lost(lambda body: "FAILED" in str(body[OUTPUT])))  # fmt: skip
    yield _defect("doubled", "posts the outcome twice although it was taken", "callback doubled", "PL-CB-40", Doubled())
    yield _defect("late", "posts the outcome five seconds after the end", "callback late", "PL-CB-68", Late(5.0))
    yield _defect("too-late", "posts the outcome ten minutes after the end", "callback late", "PL-CB-37", Late(600.0))
    yield _defect("early", "posts the outcome before any node has ended", "callback early", "PL-CB-67", Early())
    yield _defect("before-the-reply", "answers the run when the receiver has answered", "callback early", "PL-CB-70",
                  BeforeTheReply())  # fmt: skip


def _requests() -> Iterator[ServerDefect]:
    for method in ("PUT", "GET", "PATCH"):
        yield _defect(f"method-{method.lower()}", f"sends the outcome with {method}", "callback method", "PL-CB-37",
                      Changed(method=method))  # fmt: skip
    for what, headers in (
        ("text-plain", {"content-type": "text/plain"}),
        ("form", {"content-type": "application/x-www-form-urlencoded"}),
        ("none", {}),
    ):
        yield _defect(f"content-type-{what}", f"posts the outcome with content type {what}", "callback media type",
                      "PL-CB-37", Changed(headers=headers))  # fmt: skip
    for what, place, aim in (
        ("elsewhere", "a path of its own below the address", _below),
        ("to-the-root", "the root of the address's host", _root_of),
        ("without-query", "the address without its query", _without_query),
    ):
        yield _defect(what, f"posts the outcome to {place}", "callback elsewhere", "PL-CB-37", Changed(aim=aim))
    for what, content in CUT_BODIES.items():
        yield _defect(f"body-{what}", f"posts a body that is {what}", "callback body", "PL-CB-37",
                      Changed(content=content))  # fmt: skip


def _contents() -> Iterator[ServerDefect]:
    for what, rule, change in CONTENTS:
        yield _defect(what, f"posts the outcome with {what.replace('-', ' ')}", "callback content", rule,
                      Changed(body=change))  # fmt: skip
    for what, rule, changes in (
        ("node-running", "PL-CB-39", {"status": "RUNNING", "value": None}),
        ("node-failure-word", "PL-CB-66", {"status": "FAILURE"}),
        ("node-value-null", "PL-CB-66", {"value": None}),
    ):
        yield _defect(what, f"posts the entries of all nodes with {what.replace('-', ' ')}", "callback content", rule,
                      Entries(changes))  # fmt: skip
    for member in ("status", "value", "error_message", "raw_error_message", "is_output_node"):
        yield _defect(f"entry-without-{member}", f"posts entries without {member}", "callback content", "PL-CB-66",
                      Entries({member: ...}))  # fmt: skip


class CallbackFault(Fault):
    """A fault that callbacks have to come through for."""

    sees_callbacks = True


@dataclass
class Changed(CallbackFault):
    """Changes every callback: its method, headers, address, bytes or JSON body."""

    method: str = "POST"
    headers: Mapping[str, str] | None = None
    aim: Callable[[str], str] = str
    content: Callable[[bytes], bytes] = bytes
    body: Callable[[Any], Any] | None = None

    async def deliver(self, callback: Callback, correct: Correct) -> int:
        """Change and post it."""
        callback.method = self.method
        callback.url = self.aim(callback.url)
        callback.headers = callback.headers if self.headers is None else dict(self.headers)
        callback.content = self.content(callback.content)
        if self.body is not None:
            callback.put(self.body(callback.json))
        return await correct.post(callback)


@dataclass
class Lost(CallbackFault):
    """Loses callbacks."""

    when: Callable[[dict[str, Any]], bool]

    async def deliver(self, callback: Callback, correct: Correct) -> int:
        """Say that it was taken if it is to be lost."""
        return TAKEN if self.when(callback.json) else await correct.post(callback)


@dataclass
class Doubled(CallbackFault):
    """Posts every callback twice."""

    async def deliver(self, callback: Callback, correct: Correct) -> int:
        """Post it and post it again."""
        await correct.post(callback)
        return await correct.post(callback)


@dataclass
class Late(CallbackFault):
    """Posts every callback late."""

    seconds: float

    async def deliver(self, callback: Callback, correct: Correct) -> int:
        """Post it later."""
        correct.later(self.seconds, lambda: correct.post(callback))
        return TAKEN


@dataclass
class Early(CallbackFault):
    """Posts what there is of the outcome as soon as the run is accepted, and never again."""

    async def answer(self, request: Request, correct: Correct) -> Reply:
        """Post the nodes as they stand now."""
        aim = request.members.get("callback_url")
        reply = await correct.ask(request)
        if request.operation == RUN and reply.status == ACCEPTED and isinstance(aim, str) and RELAY in aim:
            body = json.dumps({ID: reply.members[ID], OUTPUT: None}).encode()
            correct.later(0, lambda: correct.post(Callback(aim, body)))
        return reply

    async def deliver(self, callback: Callback, correct: Correct) -> int:
        """Let through only what came early."""
        return await correct.post(callback) if callback.json[OUTPUT] is None else TAKEN


@dataclass
class BeforeTheReply(CallbackFault):
    """Answers a run with a callback only once the callback has been posted."""

    _posted: dict[int, asyncio.Event] = field(default_factory=dict, init=False)

    async def answer(self, request: Request, correct: Correct) -> Reply:
        """Wait for the delivery."""
        aim = request.members.get("callback_url")
        reply = await correct.ask(request)
        if request.operation == RUN and reply.status == ACCEPTED and RELAY in str(aim):
            await self._event(reply.members[ID]).wait()
        return reply

    async def deliver(self, callback: Callback, correct: Correct) -> int:
        """Post it, and then say so."""
        status = await correct.post(callback)
        self._event(callback.json[ID]).set()
        return status

    def _event(self, execution: int) -> asyncio.Event:
        return self._posted.setdefault(execution, asyncio.Event())


@dataclass
class Entries(CallbackFault):
    """Posts the entries of all nodes, also where the main output was asked for, and with other members."""

    changes: dict[str, Any]

    async def deliver(self, callback: Callback, correct: Correct) -> int:
        """Change every entry; ``...`` leaves a member out."""
        body = callback.json
        entries = (await correct.ask(results_of(body[ID]))).members
        changed = {
            name: {member: value for member, value in {**entry, **self.changes}.items() if value is not ...}
            for name, entry in entries.items()
        }
        callback.put({**body, OUTPUT: changed})
        return await correct.post(callback)


def _is_entries(output: Any) -> bool:
    return isinstance(output, dict) and all(isinstance(entry, dict) and "status" in entry for entry in output.values())


def _below(url: str) -> str:
    return f"{url}/result"


def _without_query(url: str) -> str:
    return url.partition("?")[0]


def _root_of(url: str) -> str:
    return "/".join(url.split("/")[:3]) + "/"


CUT_BODIES: Final[Mapping[str, Callable[[bytes], bytes]]] = {
    "empty": lambda _: b"",
    "not-json": lambda _: b"done",
    "cut": lambda body: body[:-5],
}
CONTENTS: Final[list[tuple[str, str, Callable[[Any], Any]]]] = [
    ("id-dropped", "PL-CB-37", lambda body: {OUTPUT: body[OUTPUT]}),
    ("id-text", "PL-CB-37", lambda body: {**body, ID: str(body[ID])}),
    ("id-null", "PL-CB-37", lambda body: {**body, ID: None}),
    ("id-of-another-run", "PL-CB-38", lambda body: {**body, ID: body[ID] + 1}),
    ("id-renamed", "PL-CB-37", lambda body: {"execution_id": body[ID], OUTPUT: body[OUTPUT]}),
    ("output-dropped", "PL-CB-69", lambda body: {ID: body[ID]}),
    ("output-renamed", "PL-CB-69", lambda body: {ID: body[ID], "output": body[OUTPUT]}),
    ("output-null", "PL-CB-66", lambda body: {**body, OUTPUT: None}),
    ("output-empty", "PL-CB-66", lambda body: {**body, OUTPUT: {}}),
    ("output-of-another-run", "PL-CB-66", lambda body: {**body, OUTPUT: "[canary] Another answer"}),
    ("output-encoded-twice", "PL-CB-66", lambda body: {**body, OUTPUT: json.dumps(body[OUTPUT])}),
    ("output-wrapped", "PL-CB-66", lambda body: {**body, OUTPUT: {"output": body[OUTPUT]}}),
    ("wrapped", "PL-CB-37", lambda body: {"data": body}),
    ("listed", "PL-CB-37", lambda body: [body]),
    ("bare", "PL-CB-37", lambda body: body[OUTPUT]),
]
