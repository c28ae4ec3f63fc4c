"""Plays batches: lists of starts with a file that says how far they have come, some of them broken off."""

import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from threading import Barrier, BrokenBarrierError, Event
from typing import Any, Final

from contract_tests.cases.case import RequestCase, request_problems
from contract_tests.cases.keeping import once
from contract_tests.client.followed_runs import FollowedRun, followed_runs
from contract_tests.client.outcome import Lost, Outcome, Value, outcome_of
from contract_tests.client.session import PATIENCE, Trial
from contract_tests.client.trials import Trials, supported
from contract_tests.http.body_kinds import request_media
from contract_tests.http.recording_server import Fault, RecordedRequest, RecordingServer, ScriptedResponse
from contract_tests.openapi.json_text import json_or
from contract_tests.openapi.schema import members
from contract_tests.rules import NotApplicable

MARK: Final = "x_item"
IN_TURN, TWO, MANY = 1, 2, 8
SHORT, LONG = 0.3, 8.0  # seconds: how long a run is waited for
BEGINNING: Final = 5.0  # seconds at most until the first start
SLOW: Final = 0.6  # seconds that a start takes while another batch comes
LOST: Final = ScriptedResponse(fault=Fault.RESET)


@dataclass
class BatchService:
    """
    Runs that end at once, unless it is told otherwise.

    Attributes:
        is_pending: Whether runs go on.
        delay: Seconds that a start takes.
        lost: How many starts get no response.
        before: Is called before a start, or a question, is answered.
        starts: The requests that start something, by item.
        questions: How often was asked for runs.
    """

    run: FollowedRun
    is_pending: bool = False
    delay: float = 0
    lost: int = 0
    before: dict[str, Callable[[], None]] = field(default_factory=dict)
    starts: list[tuple[str, float]] = field(default_factory=list)
    questions: int = 0

    def respond(self, seen: RecordedRequest) -> ScriptedResponse:
        """Answer a request."""
        if self.run.is_start(seen):
            self.starts.append((_mark_in(json_or(seen.body, None)), seen.at))
            self.before.pop("start", lambda: None)()
            if len(self.starts) <= self.lost:
                return LOST
            return replace(self.run.of(self.run.started[0], self.run.id_of(len(self.starts))), delay=self.delay)
        self.questions += 1
        self.before.pop("question", lambda: None)()
        pending, *_ = self.run.pending.values()
        return pending if self.is_pending else self.run.ended[0]

    @property
    def most_starts(self) -> int:
        """How often the item was started that was started most often."""
        return max(Counter(mark for mark, _ in self.starts).values(), default=0)

    @property
    def most_at_once(self) -> int:
        """How many starts were under way at the same time."""
        moments = [at for _, at in self.starts]
        return max((sum(at <= moment < at + self.delay for at in moments) for moment in moments), default=0)


def _mark_in(body: Any) -> str:
    inner = [member for member in body.values() if isinstance(member, dict)] if isinstance(body, dict) else []
    return next((str(one[MARK]) for one in inner if MARK in one), "")


@dataclass(frozen=True, kw_only=True)
class BatchTrial(Trial[str]):
    """A batch, gone on with once or more; ``goes`` is what came of each, ``service`` what was seen of all."""

    goes: tuple[Outcome, ...]
    service: BatchService

    def states(self, go: int) -> list[str] | None:
        """Return what became of the items in one go, in the order of the list; None if it gave none."""
        outcome = self.goes[go]
        told = outcome.json if isinstance(outcome, Value) and isinstance(outcome.json, list) else None
        return None if told is None else [one["state"] for one in sorted(told, key=lambda one: one["item"])]


class Batches:
    """Batches of one operation, in one form of the client."""

    def __init__(self, trials: Trials, mode: str) -> None:
        self._trials, self._mode = trials, mode
        self._run = followed_runs(trials)[0]
        self._name = _marked_property(trials, self._run.start)

    def play(
        self,
        name: str,
        goes: Sequence[Sequence[str]],
        between: Callable[[BatchService], None] = lambda _: None,
        *,
        at_once: int = IN_TURN,
        deadline: float = LONG,
        together: bool = False,
        **service: Any,
    ) -> BatchTrial:
        """Let the client go on with one batch as often as there are lists of marks, or twice at the same time."""
        played, session = BatchService(self._run, **service), self._trials.session
        begun = Event()
        if together:
            played.before["start"] = begun.set
        with tempfile.TemporaryDirectory() as folder, RecordingServer() as server:
            asked: dict[str, Any] = {"ledger": str(Path(folder, "ledger")), "at_once": at_once, "deadline": deadline}
            wire: dict[str, Any] = {"server": server, "respond": played.respond, "retries": None}
            with session.asking("batched", self._run.start, self._mode, **wire) as ask:

                def go(number: int) -> Mapping[str, Any]:
                    if number and together:
                        begun.wait(BEGINNING)
                    elif number:
                        between(played)
                    return ask(bodies=[*map(self._body, goes[number])], **asked)

                with ThreadPoolExecutor(len(goes) if together else 1) as pool:
                    told = [*pool.map(go, range(len(goes)))]
        outcomes = tuple(map(outcome_of, told))
        facts: dict[str, Any] = {"told": told[-1], "goes": outcomes, "number": session.count(len(told))}
        return supported([BatchTrial(case=name, mode=self._mode, seen=(), service=played, **facts)])[0]

    def killed(self, when: str, both_there: Barrier) -> BatchTrial:
        """Return a batch whose process is killed at its first start or question, and that is gone on with then."""

        def stay() -> None:
            with suppress(BrokenBarrierError):
                both_there.wait(PATIENCE)

        marks = ["one", "two"]
        return self.play(f"killed at a {when}", [marks, marks], before={when: stay})

    def _body(self, mark: str) -> Any:
        return {**self._run.start.body, self._name: {MARK: mark}}


def _marked_property(trials: Trials, start: RequestCase) -> str:
    """Return a property of the body that says which item of a batch it is."""
    media = request_media(start.operation)
    for name in (
        members(trials.outgoing, media.schema) if media and media.schema and isinstance(start.body, dict) else ()
    ):
        if not request_problems(trials.outgoing, replace(start, body={**start.body, name: {MARK: "one"}})):
            return name
    raise NotApplicable("no property of the body tells two starts apart")


@once
def killed(trials: Trials) -> list[BatchTrial]:
    """Return batches whose process was killed: at a start in one form, at a question in the other one."""
    forms = {"start": trials.modes()[0], "question": trials.modes()[-1]}
    # A process takes long to start: one is killed for both.
    both_there = Barrier(len(forms), lambda: trials.session.subject.stop_calls("killed on purpose"))
    with ThreadPoolExecutor(len(forms)) as pool:
        plays = [pool.submit(Batches(trials, mode).killed, when, both_there) for when, mode in forms.items()]
        played = [play.result() for play in plays]
    return [trial for trial in played if isinstance(trial.goes[0], Lost)]


@once
def batches(trials: Trials) -> dict[str, list[BatchTrial]]:
    """Return all others by name, in both forms; most of them wait, so they are played at the same time."""
    _marked_property(trials, followed_runs(trials)[0].start)  # or the reason why there is none
    plays = [play for mode in trials.modes() for play in _plays(Batches(trials, mode))]
    with ThreadPoolExecutor(len(plays)) as pool:
        played = [one.result() for one in [pool.submit(play) for play in plays]]
    return {name: [trial for trial in played if trial.case == name] for name in {trial.case for trial in played}}


def _plays(of: Batches) -> Iterator[Callable[[], BatchTrial]]:
    def end(service: BatchService) -> None:
        service.is_pending = False

    one, two = ["one"], ["one", "two"]
    yield partial(of.play, "lost start", [two, two], lost=1)
    yield partial(of.play, "late run", [one, one], end, deadline=SHORT, is_pending=True)
    yield partial(of.play, "many", [[str(number) for number in range(MANY)]], at_once=TWO, delay=0.1)
    yield partial(of.play, "two batches", [two, two], together=True, delay=SLOW)
    yield partial(of.play, "changed item", [one, ["other"]])
    yield partial(of.play, "added item", [one, two])
