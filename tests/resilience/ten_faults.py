"""The ten faults: what each does to a connection, and what a caller must get of it."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import raw_server as raw
from client_calls import EXECUTE, NODES, RESULTS, RUN, Call, Flavour

from workflow_runs import ContractBroken, WorkflowRunsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from workflow_runs import Retries

CALLS = (RUN, RESULTS, EXECUTE)
REQUEST_ID = "request-1"
WRONG: dict[str, Any] = {
    RUN.operation: {**RUN.success[1], "workflow_version_execution_id": "98765"},
    RESULTS.operation: {**NODES, "Reply": {**NODES["Reply"], "status": 5}},
    EXECUTE.operation: {**EXECUTE.success[1], "version_number": "1"},
}


@dataclass(frozen=True)
class Outcome:
    """How a call ends under one fault.

    Attributes:
        ending: Name of the error's class, or of the result's.
        tries: Requests that the server saw arrive, in full or not.
        status: HTTP status, or None without a reply.
        may_have_run: Whether the error says that a run may have been started.
        place: JSON path of what breaks the contract.
    """

    ending: str
    tries: int
    status: int | None = None
    may_have_run: bool = False
    place: str | None = None


@dataclass(frozen=True)
class Fault:
    """One fault, and its outcome for a call that starts a run and for one that asks a question.

    Attributes:
        exceptions: Outcomes of operations that the contract treats differently, by the operation's name.
    """

    behaviour: Callable[[Call, str], Callable[[raw.Connection], None]]
    starting: Outcome
    asking: Outcome
    runs_into_the_timeout: bool = False
    exceptions: Mapping[str, Outcome] = field(default_factory=dict)

    def outcome(self, call: Call) -> Outcome:
        """What must come of it; the status and the place depend on the operation."""
        usual = self.starting if call.starts_something else self.asking
        expected = self.exceptions.get(call.operation, usual)
        status = call.success[0] if expected.status == _SUCCESS else expected.status
        place = _PLACES.get((call.operation, expected.place), expected.place)
        return Outcome(expected.ending, expected.tries, status, expected.may_have_run, place)


# What a row says of the operation it is about: its own success status, the member that is missing or wrong.
_SUCCESS, _MEMBER, _WRONG_MEMBER = 0, "missing", "wrong"
_PLACES: dict[tuple[str, str | None], str] = {
    (RUN.operation, _MEMBER): "$.success",
    (RUN.operation, _WRONG_MEMBER): "$.workflow_version_execution_id",
    (EXECUTE.operation, _WRONG_MEMBER): "$.version_number",
}


def _status(status: int) -> Callable[[Call, str], Callable[[raw.Connection], None]]:
    def behaviour(_: Call, retry_after: str) -> Callable[[raw.Connection], None]:
        headers = {"retry-after": retry_after, "x-request-id": REQUEST_ID}
        return raw.answer(status, {"message": "in trouble"}, **headers)

    return behaviour


def _body(content: Callable[[Call], bytes], media_type: str = "application/json") -> Any:
    def behaviour(call: Call, _: str) -> Callable[[raw.Connection], None]:
        body = content(call)
        head = f"HTTP/1.1 {call.success[0]} Told\r\ncontent-type: {media_type}\r\nx-request-id: {REQUEST_ID}\r\n"
        return raw.sends(f"{head}content-length: {len(body)}\r\nconnection: close\r\n\r\n".encode() + body)

    return behaviour


def _silent(behaviour: Callable[[raw.Connection], None]) -> Callable[[Call, str], Callable[[raw.Connection], None]]:
    return lambda _call, _retry_after: behaviour


def _json(call: Call) -> bytes:
    return json.dumps(call.success[1]).encode()


# With two further tries. A broken 200 is no reason to ask again: the next answer would be as broken.
FAULTS = {
    "503": Fault(_status(503), Outcome("ServerError", 1, 503, may_have_run=True), Outcome("ServerError", 3, 503)),
    "429": Fault(_status(429), Outcome("TooManyRequests", 3, 429), Outcome("TooManyRequests", 3, 429)),
    "529": Fault(_status(529), Outcome("ServerError", 1, 529, may_have_run=True), Outcome("ServerError", 3, 529)),
    "read time-out": Fault(
        _silent(raw.say_nothing),
        Outcome("MaybeSent", 1, may_have_run=True),
        Outcome("MaybeSent", 3),
        runs_into_the_timeout=True,
    ),
    "reset before reading": Fault(
        _silent(raw.reset_before_reading), Outcome("MaybeSent", 1, may_have_run=True), Outcome("MaybeSent", 3)
    ),
    "reset after reading": Fault(
        _silent(raw.reset_after_reading), Outcome("MaybeSent", 1, may_have_run=True), Outcome("MaybeSent", 3)
    ),
    "text/html": Fault(
        _body(lambda _: b"<h1>Welcome</h1>", "text/html"),
        Outcome("ContractBroken", 1, _SUCCESS, may_have_run=True, place="content-type"),
        Outcome("ContractBroken", 1, _SUCCESS, place="content-type"),
    ),
    "cut JSON": Fault(
        _body(lambda call: _json(call)[:-9]),
        Outcome("ContractBroken", 1, _SUCCESS, may_have_run=True, place="$"),
        Outcome("ContractBroken", 1, _SUCCESS, place="$"),
    ),
    # A workflow's output may be any JSON value, so these two are answers to the question for it. And no source says
    # of any member of Interactly's run that it is always there: an empty run is within its contract.
    "{}": Fault(
        _body(lambda _: b"{}"),
        Outcome("ContractBroken", 1, _SUCCESS, may_have_run=True, place=_MEMBER),
        Outcome("ExecutionResults", 1),
        exceptions={EXECUTE.operation: Outcome("WorkflowRun", 1)},
    ),
    "wrong types": Fault(
        _body(lambda call: json.dumps(WRONG[call.operation]).encode()),
        Outcome("ContractBroken", 1, _SUCCESS, may_have_run=True, place=_WRONG_MEMBER),
        Outcome("ExecutionResults", 1),
    ),
}


@dataclass(frozen=True)
class Cell:
    """What really came of a call: the outcome, the error or result itself, and the seconds it took."""

    outcome: Outcome
    ended_in: Any
    seconds: float


def suffer(
    fault: Fault, call: Call, flavour: Flavour, retries: Retries, *, timeout: float, retry_after: str = "0"
) -> Cell:
    """Make a call over real sockets to a server that does the same to every request."""
    with raw.RawServer(fault.behaviour(call, retry_after)) as server:
        began = time.monotonic()
        try:
            result = flavour.once(call, base_url=server.url, retries=retries, timeout=timeout)
            outcome, ended_in = Outcome(type(result).__name__, server.connections), result
        except WorkflowRunsError as error:
            place = error.path if isinstance(error, ContractBroken) else None
            outcome = Outcome(type(error).__name__, server.connections, error.status, error.may_have_run, place)
            ended_in = error
        return Cell(outcome, ended_in, time.monotonic() - began)
