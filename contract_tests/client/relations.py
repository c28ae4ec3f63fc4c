"""What is played to compare calls with one another: in a row, at once, by several clients, after what went wrong."""

import contextlib
import json
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from contract_tests.cases.case import RequestCase
from contract_tests.cases.keeping import once
from contract_tests.cases.network import SHORT
from contract_tests.client.operation_info import base_path
from contract_tests.client.outcome import Outcome, Raised, Value, outcome_of
from contract_tests.client.session import PATIENCE, Trial
from contract_tests.client.trials import TOO_MANY, Trials
from contract_tests.http.expected_parameters import decode, path_of, query_pairs
from contract_tests.http.recording_server import Fault, RecordedRequest, RecordingServer, ScriptedResponse
from contract_tests.openapi.json_text import canonical, essence_of, json_or
from contract_tests.rules import NotApplicable

SEVERAL: Final = 12
REST: Final = 0.05  # seconds: for the end of a connection to arrive
LATE: Final = 0.8
MOST_MISHAPS: Final = 3
UNAUTHORIZED, CONFLICT, FAILURE = 401, 409, 500
REDIRECTS: Final = (301, 302, 303, 307, 308)
HEADERS: Final = {
    "X-Spaces": "a  b   c",
    "X-Signs": """'a', "b;c"; d=1, %41 %zz {e} <f> \\ ~""",
    "X-Digits": "007",
    "X-Length": "a b" * 1365,
}
Played = list[Trial[RequestCase]]


def representative(trials: Trials) -> None:
    """Demand that an operation is the first of its kind, where the kind, safe to repeat or not, is all that matters."""
    first = trials.first_as_repeatable()
    if first is not None and first.id != trials.operation.id:
        raise NotApplicable(f"judged with {first.id}, which stands for all that may be repeated as this one")
    trials.modes()


def first_of_all(trials: Trials) -> None:
    """Demand that an operation is the first that can be called, where it does not matter which it is."""
    if not trials.represents("any", lambda _: True):
        raise NotApplicable("judged with the first operation, which stands for all")


@dataclass(frozen=True)
class Success:
    """A response of success, and what a call that gets it alone comes to."""

    answer: ScriptedResponse
    outcome: Value


@once
def successes(trials: Trials) -> list[Success]:
    """Return responses whose outcomes can be told apart; raises NotApplicable if there are not two."""
    found: dict[str, Success] = {}
    for trial in trials.legal_replies():
        if trial.case.is_success and isinstance(trial.outcome, Value) and trials.start_for(trial.case) is trials.start:
            found.setdefault(essence(trial.outcome), Success(trial.case.answer, trial.outcome))
    if len(found) <= 1:
        raise NotApplicable("all successes of this operation say the same")
    return list(found.values())


def essence(outcome: Outcome) -> str:
    """Return one text for outcomes that are the same to a caller; the asynchronous form may have classes of its own."""
    if not isinstance(outcome, Value | Raised):
        return type(outcome).__name__
    said: Any = outcome.json if isinstance(outcome, Value) else outcome.body and outcome.body.json
    facts = {} if isinstance(outcome, Value) else {"own": outcome.own, "acted": outcome.may_have_acted}
    name = outcome.type_name.removeprefix("Async")
    return json.dumps([name, outcome.status, repr(outcome.content), said, facts], sort_keys=True)


def core(seen: RecordedRequest) -> str:
    """Return one text for requests that say the same, however they are written, without their headers."""
    pairs = sorted(f"{decode(name)}={decode(value)}" for name, value in query_pairs(seen.target))
    media_type = essence_of("".join(seen.all("Content-Type")))
    if media_type.startswith("multipart/"):  # whose boundary is new each time
        return json.dumps([seen.method, decode(path_of(seen.target)), pairs, media_type])
    body = json_or(seen.body, None)
    text = seen.body.hex() if body is None else canonical(body)
    return json.dumps([seen.method, decode(path_of(seen.target)), pairs, media_type, text])


def carried(trials: Trials, seen: RecordedRequest) -> dict[str, list[str]]:
    """Return the headers of a request that belong to what the caller asks for."""
    return {name: list(map(str, seen.all(name))) for name in (*header_names(trials), "Cookie", "Accept")}


def header_names(trials: Trials) -> list[str]:
    """Return the headers that the contract asks for: those that are declared, and those of the credentials."""
    declared = [item.name for item in trials.operation.parameters if item.location == "header"]
    scheme = trials.scheme
    needed = () if scheme is None else (scheme, *scheme.others)
    return [*declared, *(each.name or "Authorization" for each in needed if each.location in {"", "header"})]


def row(trials: Trials, mode: str) -> Played:
    """Return calls of one client in a row: plain, with all that can be given, refused, and plain again."""
    refusals = [case.answer for case in trials.book.legal_replies(trials.operation) if not case.is_success]
    refusal = next((one for one in refusals if one.status == UNAUTHORIZED), next(iter(refusals), None))
    whole, plain = trials.fullest(), trials.start
    failed = refusal or ScriptedResponse(status=UNAUTHORIZED, body=b"{}")
    answers = (trials.success, trials.success_for(whole), failed, trials.success)
    # Of a client of their own; a cookie of this row is none of the row before.
    own: dict[str, Any] = {"timeout": PATIENCE + 1}
    cookie = ("Set-Cookie", f"mark={trials.session.played}; Path=/")
    return [
        trials.session.play(case, case, [replace(answer, headers=(*answer.headers, cookie))], mode, **own)
        for case, answer in zip((plain, whole, plain, plain), answers, strict=True)
    ]


def two_clients(trials: Trials, mode: str) -> Iterator[tuple[Trial[RequestCase], str]]:
    """Return calls of clients in turn, each with its own key, address or both, and the key that each has to send."""
    key, other_key = trials.session.key, f"{trials.session.key[::-1]}-2"
    with RecordingServer() as other:
        for own_key, server in ((key, None), (other_key, other), (key, None), (other_key, None), (key, other)):
            yield trials.ask("call", mode, key=own_key, server=server), own_key


def forked(trials: Trials, mode: str) -> Trial[RequestCase]:
    """Return calls of a process, of one that was forked from it, and of the first one again."""
    for _ in range(MOST_MISHAPS):
        trial = trials.ask("forked", mode)
        if all(told["kind"] == "value" for told in trial.told.get("calls", ())):
            break
    return trial


def after_idle_end(trials: Trials, mode: str) -> Played:
    """Return two calls between which the service closes the connection."""
    for rest in (REST, LATE):  # on a busy machine that takes longer
        first = trials.answered(mode, replace(trials.success, is_last=True))
        time.sleep(rest)
        second = trials.ask("call", mode)
        if isinstance(second.outcome, Value):
            break
    return [first, second]


def after_surplus(trials: Trials, mode: str) -> Iterator[tuple[str, Trial[RequestCase]]]:
    """Return calls after a response behind which another one has come, by what the first one is like."""
    plain, stray = trials.success, trials.book.refusal(trials.operation, CONFLICT)
    firsts = {
        "a length": plain,
        "chunks": replace(plain, chunk=max(1, len(plain.body))),
        "an error": trials.book.refusal(trials.operation, FAILURE),
    }
    for about, first in firsts.items():
        trials.answered(mode, replace(first, behind=stray.wire()))
        yield about, trials.ask("call", mode)


def on_used_connection(trials: Trials, mode: str) -> Played:
    """Return two calls; the service closes the connection when the second one's request has come on it."""
    answers = [ScriptedResponse(fault=Fault.CLOSE), trials.success]
    first = trials.ask("call", mode, retries=None)
    return [first, trials.answered(mode, *answers, retries=None)]


@once
def late(trials: Trials, mode: str, task: str) -> tuple[Trial[RequestCase], Success]:
    """Return a call after one that was given up, whose response comes late, and the response that is the call's own."""
    first, own = successes(trials)[:2]
    answers = [replace(first.answer, delay=LATE), own.answer]
    for _ in range(MOST_MISHAPS):
        with RecordingServer() as server:
            wire: dict[str, Any] = {"server": server, "timeout": SHORT if task == "late" else PATIENCE}
            trial = trials.answered(mode, *answers, task=task, **wire)
        if not isinstance(trial.outcome, Raised):  # on a busy machine the second one is given up as well
            break
    return trial, own


def redirected(trials: Trials, mode: str) -> Iterator[tuple[Trial[RequestCase], list[RecordedRequest]]]:
    """Return calls that are sent to another origin by a redirect, and the requests that have come there."""
    for status in REDIRECTS:
        with RecordingServer(trials.success) as other:
            location = (("Location", f"{other.url}{path_of(trials.operation.path)}"),)
            answer = ScriptedResponse(status=status, media_type=None, headers=location)
            yield trials.answered(mode, answer), list(other.seen)


def unreachable(trials: Trials, mode: str) -> Trial[RequestCase]:
    """Return a call to a port where nobody listens."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}{base_path(trials.operation)}"
        return trials.ask("call", mode, base_url=url)


def after_other_tries(trials: Trials, mode: str) -> tuple[Trial[RequestCase], list[Outcome]]:
    """Return a call that is refused until it gives up, and calls at once after it that are refused once each."""
    refusal = replace(trials.book.refusal(trials.operation, TOO_MANY), headers=(("Retry-After", "0"),))
    own: dict[str, Any] = {"retries": None, "timeout": PATIENCE + 2}  # a client of their own
    first = trials.answered(mode, refusal, **own)
    starts = [trials.start] * SEVERAL
    _, told = trials.session.play_together(starts, [*[refusal] * SEVERAL, trials.success], mode, **own)
    return first, [*map(outcome_of, told)]


def addresses(trials: Trials) -> dict[str, str]:
    """Return base addresses by what is particular about them."""
    server = trials.session.server.url
    named = server.replace("127.0.0.1", "localhost") + base_path(trials.operation)
    return {"a path": f"{server}/Tenant-A/v1.0", "an escape": f"{server}/a%20b", "a name": named}


def odd_addresses(trials: Trials, mode: str) -> Iterator[tuple[str, str, Trial[RequestCase]]]:
    """Return calls to addresses in forms that a client may refuse, by what is particular about them."""
    base = base_path(trials.operation)
    for about, end in (("a slash at its end", "/"), ("a query", "?tenant=a%26b")):
        address = trials.session.server.url + base + end
        yield about, address, trials.ask("call", mode, base_url=address)
    with contextlib.suppress(OSError), RecordingServer(is_ipv6=True) as server:
        yield "IPv6", server.url + base, trials.ask("call", mode, server=server)
