"""What is played to compare calls with one another: in a row, at once, by several clients, after what went wrong."""

import contextlib
import gzip
import json
import socket
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import cycle, islice
from typing import Any, Final

from contract_tests.cases.case import RequestCase
from contract_tests.cases.keeping import once
from contract_tests.cases.network import SHORT
from contract_tests.client.operation_info import base_path
from contract_tests.client.outcome import Outcome, Raised, Value
from contract_tests.client.session import PATIENCE, Trial
from contract_tests.client.trials import Trials
from contract_tests.http.expected_parameters import decode, path_of, query_pairs
from contract_tests.http.recording_server import Fault, RecordedRequest, RecordingServer, ScriptedResponse
from contract_tests.openapi.json_text import canonical, essence_of, json_or
from contract_tests.rules import NotApplicable, NotExercised

AT_ONCE: Final = 6
REST: Final = 0.05  # seconds: for the end of a connection to arrive
LATE: Final = 0.8
MOST_MISHAPS: Final = 3
UNAUTHORIZED: Final = 401
REDIRECTS: Final = (301, 302, 303, 307, 308)
CODINGS: Final[Mapping[str, Callable[[bytes], bytes]]] = {"gzip": gzip.compress, "deflate": zlib.compress}
HEADERS: Final = {
    "X-Spaces": "a  b   c",
    "X-Signs": """'a', "b;c"; d=1, %41 %zz {e} <f> \\ ~""",
    "X-Digits": "007",
    "X-Length": "a b" * 1365,
}
Played = list[Trial[RequestCase]]


def representative(trials: Trials) -> None:
    """Demand that an operation is the first of its kind, where the kind, safe to repeat or not, is all that matters."""
    first = trials.client.first_of(lambda one: one.may_be_repeated == trials.operation.may_be_repeated)
    if first is not None and first.id != trials.operation.id:
        raise NotApplicable(f"judged with {first.id}, which stands for all that may be repeated as this one")
    trials.modes()


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
    declared = [item.name for item in trials.operation.parameters if item.location == "header"]
    return {name: list(map(str, seen.all(name))) for name in (*declared, *_of_credentials(trials), "Cookie", "Accept")}


def _of_credentials(trials: Trials) -> list[str]:
    scheme = trials.scheme
    needed = () if scheme is None else (scheme, *scheme.others)
    return [each.name or "Authorization" for each in needed if each.location in {"", "header"}]


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
    """Return calls of two clients in turn, each with its own key and address, and the key that each has to send."""
    other_key = f"{trials.session.key[::-1]}-2"
    with RecordingServer() as other:
        for is_other in (False, True, False):
            own: dict[str, Any] = {"key": other_key, "server": other} if is_other else {}
            yield trials.ask("call", mode, **own), other_key if is_other else trials.session.key


def at_once(trials: Trials, mode: str) -> tuple[list[Outcome], list[Outcome]]:
    """Return what calls at the same time came to, and what each would have alone, in the order of the calls."""
    cases = {core(trial.seen[0]): trial.case for trial in trials.legal_requests() if trial.seen and trial.outcome}
    starts = [trials.start] * AT_ONCE if trials.has_forms else list(islice(cycle(cases.values()), AT_ONCE))
    told = list(islice(cycle(successes(trials)), AT_ONCE))
    seen, outcomes = trials.session.play_together(starts, [one.answer for one in told], mode)
    if len(seen) != AT_ONCE:
        raise NotExercised(f"{len(seen)} requests for {AT_ONCE} calls, see CL-REQ-02")
    texts = {id(case): text for text, case in cases.items()}
    arrived = [core(one) for one in seen]
    if len(set(arrived)) < AT_ONCE:  # nobody can tell whose response is whose
        return sorted(outcomes, key=essence), sorted((one.outcome for one in told), key=essence)
    return outcomes, [told[arrived.index(texts[id(case)])].outcome for case in starts]


def after_idle_end(trials: Trials, mode: str) -> Played:
    """Return two calls between which the service closes the connection."""
    first = trials.session.play(trials.start, trials.start, [replace(trials.success, is_last=True)], mode)
    time.sleep(REST)
    return [first, trials.ask("call", mode)]


def on_used_connection(trials: Trials, mode: str) -> Played:
    """Return two calls; the service closes the connection when the second one's request has come on it."""
    answers = [ScriptedResponse(fault=Fault.CLOSE), trials.success]
    first = trials.ask("call", mode, retries=None)
    return [first, trials.session.play(trials.start, trials.start, answers, mode, retries=None)]


@once
def late(trials: Trials, mode: str, task: str) -> tuple[Trial[RequestCase], Success]:
    """Return a call after one that was given up, whose response comes late, and the response that is the call's own."""
    first, own = successes(trials)[:2]
    answers = [replace(first.answer, delay=LATE), own.answer]
    for _ in range(MOST_MISHAPS):
        with RecordingServer() as server:
            wire: dict[str, Any] = {"server": server, "timeout": SHORT if task == "late" else PATIENCE}
            trial = trials.session.play(trials.start, trials.start, answers, mode, task=task, **wire)
        if not isinstance(trial.outcome, Raised):  # on a busy machine the second one is given up as well
            break
    return trial, own


def redirected(trials: Trials, mode: str) -> Iterator[tuple[Trial[RequestCase], list[RecordedRequest]]]:
    """Return calls that are sent to another origin by a redirect, and the requests that have come there."""
    for status in REDIRECTS:
        with RecordingServer(trials.success) as other:
            location = (("Location", f"{other.url}{path_of(trials.operation.path)}"),)
            answer = ScriptedResponse(status=status, media_type=None, headers=location)
            yield trials.session.play(trials.start, trials.start, [answer], mode), list(other.seen)


def unreachable(trials: Trials, mode: str) -> Trial[RequestCase]:
    """Return a call to a port where nobody listens."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}{base_path(trials.operation)}"
        return trials.ask("call", mode, base_url=url)


def coded(trials: Trials, mode: str, coding: str) -> Trial[RequestCase]:
    """Return a call whose response is compressed."""
    plain = trials.success
    answer = replace(plain, body=CODINGS[coding](plain.body), headers=(("Content-Encoding", coding),))
    return trials.session.play(trials.start, trials.start, [answer], mode)


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
