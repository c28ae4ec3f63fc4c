"""What is played at the same time: a few calls that can be told apart, and more of them than a pool has connections."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import cycle, islice
from typing import Any, Final

from contract_tests.cases.case import RequestCase
from contract_tests.cases.network import SHORT
from contract_tests.client.outcome import Lost, Outcome, Value, outcome_of
from contract_tests.client.relations import MOST_MISHAPS, Success, core, essence, successes
from contract_tests.client.session import PATIENCE, Trial
from contract_tests.client.trials import Trials
from contract_tests.http.recording_server import Fault, RecordingServer, ScriptedResponse
from contract_tests.rules import NotExercised

AT_ONCE: Final = 6
MANY: Final = 104  # what libraries open at once is a hundred at most
ROUNDS: Final = 3
MARK: Final = "X-Mark"
DELAYS: Final = (0.03, 0.05, 0.04, 0.08, 0.03, 0.06, 0.1)  # seconds: so that calls end in another order


def at_once(trials: Trials, mode: str) -> tuple[list[Outcome], list[Outcome]]:
    """Return what calls at the same time came to, and what each would have alone, in the order of the calls."""
    cases = {core(trial.seen[0]): trial.case for trial in trials.legal_requests() if trial.seen and trial.outcome}
    if not cases:
        raise NotExercised("no legal request reached the wire, see CL-REQ-01")
    starts = [trials.start] * AT_ONCE if trials.has_forms else list(islice(cycle(cases.values()), AT_ONCE))
    told = list(islice(cycle(successes(trials)), AT_ONCE))
    seen, messages = trials.session.play_together(starts, [one.answer for one in told], mode)
    outcomes = [*map(outcome_of, messages)]
    if len(seen) != AT_ONCE:
        raise NotExercised(f"{len(seen)} requests for {AT_ONCE} calls, see CL-REQ-02")
    texts = {id(case): text for text, case in cases.items()}
    arrived = [core(one) for one in seen]
    if len(set(arrived)) < AT_ONCE:  # nobody can tell whose response is whose
        return sorted(outcomes, key=essence), sorted((one.outcome for one in told), key=essence)
    return outcomes, [told[arrived.index(texts[id(case)])].outcome for case in starts]


def raw_at_once(trials: Trials, mode: str) -> list[tuple[Mapping[str, Any], Success | None]]:
    """Return messages of calls at the same time, and of each the response whose mark is in its headers."""
    own = list(islice(cycle(successes(trials)), AT_ONCE))
    answers = [replace(one.answer, headers=(*one.answer.headers, (MARK, str(at)))) for at, one in enumerate(own)]
    _, told = trials.session.play_together([trials.start] * AT_ONCE, answers, mode, task="raw")
    marks = [mark_of(each) for each in told]
    return [
        (each, own[int(mark)] if mark.isdecimal() and marks.count(mark) == 1 else None)
        for each, mark in zip(told, marks, strict=True)
    ]


def mark_of(told: Mapping[str, Any]) -> str:
    """Return the mark in the headers of the response beside a value; empty if there is none."""
    headers: Mapping[str, str] = told.get("raw", {}).get("headers", {})
    return {name.lower(): value for name, value in headers.items()}.get(MARK.lower(), "")


def after_giving_up(trials: Trials, mode: str, how: str) -> Trial[RequestCase]:
    """Return a call after more calls at once than a pool usually has connections, which were all given up."""
    silence, start = ScriptedResponse(fault=Fault.HANG), trials.start
    for _ in range(MOST_MISHAPS):
        with RecordingServer() as server:
            wire: dict[str, Any] = {"server": server, "timeout": PATIENCE if how == "cancelled" else SHORT}
            asked: dict[str, Any] = {"times": MANY, "is_cancelled": how == "cancelled"}
            many = trials.session.play(
                start, start, [silence], mode, task="given_up", more=asked, limit=2 * MANY, **wire
            )
            if isinstance(many.outcome, Lost):
                return many
            trial = trials.answered(mode, trials.success, **wire)
        if isinstance(trial.outcome, Value | Lost):
            break
    return trial


def crowd(trials: Trials, mode: str) -> Trial[RequestCase]:
    """Return what came of more calls at once than a pool usually has connections, each made several times in a row."""
    delays = cycle(DELAYS)
    more = {"times": MANY + AT_ONCE, "rounds": ROUNDS}
    with RecordingServer() as server:
        wire: dict[str, Any] = {"server": server, "limit": 2 * ROUNDS * MANY, "more": more, "task": "crowd"}
        respond = lambda _: replace(trials.success, delay=next(delays))  # noqa: E731 - of one line
        return trials.answered(mode, respond=respond, **wire)
