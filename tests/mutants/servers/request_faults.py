"""Faults in what a server takes: a constraint that it does not enforce, a key that it does not ask for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from jsonschema import Draft202012Validator

from mutants.servers.changes import REMOVED, Path, replaced
from mutants.servers.fault import Correct, Fault
from mutants.servers.messages import EXECUTE, KEY, RESULTS, RUN, WORKFLOWS, Reply, Request
from workflow_sandbox.json_types import is_uri

KEY_HEADERS: Final = {RUN: "x-api-key", RESULTS: "x-api-key", EXECUTE: "authorization"}
TAKEN_URI: Final = "https://callback.invalid/taken"
Breaks = Callable[[Any], bool]
Keywords = Sequence[tuple[str, Any]]


def breaks(keyword: str, stated: Any) -> Breaks:
    """Give a test whether a JSON value breaks one keyword of a schema."""
    if (keyword, stated) == ("format", "uri"):
        return lambda value: isinstance(value, str) and not is_uri(value)
    validator = Draft202012Validator({keyword: stated})
    return lambda value: not validator.is_valid(value)


def breaks_alone(keyword: str, stated: Any, enforced: Keywords) -> Breaks:
    """Give a test whether a JSON value breaks one keyword and none of the others."""
    is_broken, others = breaks(keyword, stated), [breaks(*other) for other in enforced]
    return lambda value: is_broken(value) and not any(other(value) for other in others)


@dataclass
class MemberNotChecked(Fault):
    """
    Takes a body whose member breaks one keyword: the member counts as left out, or as ``instead``.

    Attributes:
        enforced: The other keywords and what they state; what breaks one of them is refused as ever.
    """

    operation: str
    path: Path
    keyword: str
    stated: Any
    instead: Any = REMOVED
    enforced: Keywords = ()

    def change_request(self, request: Request) -> None:
        """Make the body one that is taken."""
        body = request.json
        is_no_json = body is None and request.content.strip() != b"null"
        if request.operation != self.operation or is_no_json:
            return
        is_broken = breaks_alone(self.keyword, self.stated, self.enforced)
        changed = replaced(body, self.path, lambda value: self.instead if is_broken(value) else value)
        if changed != body:
            request.put(changed)


@dataclass
class TakenAs(Fault):
    """Takes requests that are to be refused, as if they had been others."""

    operation: str
    when: Callable[[Request], bool]
    change: Callable[[Request], None]

    def change_request(self, request: Request) -> None:
        """Make it a request that is taken."""
        if request.operation == self.operation and self.when(request):
            self.change(request)


@dataclass
class PathNotChecked(Fault):
    """Takes a path parameter that breaks one keyword, and none of the others, for the name of the one workflow."""

    operation: str
    keyword: str
    stated: Any
    enforced: Keywords = ()

    def change_request(self, request: Request) -> None:
        """Name the workflow."""
        is_broken = breaks_alone(self.keyword, self.stated, self.enforced)
        if request.operation == self.operation and is_broken(request.workflow):
            request.set_workflow(WORKFLOWS[self.operation])


@dataclass
class QueryNotChecked(Fault):
    """Takes a query parameter that is missing or broken: it counts as left out, or as the last execution's id."""

    operation: str
    name: str
    is_broken: Callable[[str | None], bool]
    _last: str | None = field(default=None, init=False)

    def change_request(self, request: Request) -> None:
        """Make the query one that is taken."""
        if request.operation == self.operation and self.is_broken(request.query.get(self.name)):
            request.set_query({self.name: self._last if self.operation == RESULTS and "id" in self.name else None})

    def change_reply(self, request: Request, reply: Reply) -> None:
        """Take down the id of a new execution."""
        if request.operation == RUN and "workflow_version_execution_id" in reply.members:
            self._last = str(reply.members["workflow_version_execution_id"])


@dataclass
class KeyNotChecked(Fault):
    """Takes a request without a key, or with any key."""

    operation: str
    if_missing: bool
    if_wrong: bool

    def change_request(self, request: Request) -> None:
        """Put the right key."""
        name = KEY_HEADERS[self.operation] if request.operation == self.operation else ""
        if name and (self.if_wrong if request.header(name) else self.if_missing):
            request.set_header(name, f"Bearer {KEY}" if name == "authorization" else KEY)


@dataclass
class Refused(Fault):
    """Refuses requests that are to be taken."""

    operation: str
    when: Callable[[Request], bool]
    status: int = 422
    body: Any = field(default_factory=lambda: {"detail": "This server does not take that"})

    async def answer(self, request: Request, correct: Correct) -> Reply:
        """Refuse what is meant; what the correct server refuses too keeps its own reply."""
        reply = await correct.ask(request)
        if request.operation == self.operation and self.when(request) and reply.status in {200, 201, 202}:
            reply.status = self.status
            reply.put(self.body)
        return reply
