"""Plays a run's whole life: a client starts it and waits, while the service tells of it, fails or goes silent."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final

from contract_tests.cases.keeping import once
from contract_tests.cases.network import MESSAGE, SHORT
from contract_tests.client.faults import play_faults
from contract_tests.client.followed_runs import FollowedRun, followed_runs
from contract_tests.client.session import PATIENCE, Trial
from contract_tests.client.trials import Trials, supported
from contract_tests.http.recording_server import Fault, RecordedRequest, RecordingServer, ScriptedResponse
from contract_tests.rules import NotApplicable

LONG_ENOUGH: Final = 8.0  # seconds, for what has to end by itself
DEADLINE, LONGER = 0.8, 7.0  # seconds: what is waited for, and for how long a question may be
REST: Final = 0.8  # seconds in which a client that asks on would be seen
ASKED_WAIT: Final = 1
TOGETHER: Final = 6
VIEW: Final = "X-Of-The-View"
LATER: Final = (("Retry-After", "6"),)
AGAIN: Final = (("Retry-After", str(ASKED_WAIT)),)
PAGE: Final = ScriptedResponse(body=b"<p>Welcome</p>", media_type="text/html")
FAULTS: Final = {
    **{f"status {status}": ScriptedResponse(status=status, body=MESSAGE) for status in (500, 502, 503, 504)},
    **{str(fault): ScriptedResponse(fault=fault) for fault in (Fault.HANG, Fault.RESET, Fault.CLOSE)},
    "cut": ScriptedResponse(body=MESSAGE, fault=Fault.CUT),
    "no JSON": ScriptedResponse(body=b"{"),
    "a page": PAGE,
}


@dataclass(frozen=True, kw_only=True)
class Story:
    """
    What becomes of a run.

    Attributes:
        name: What is particular about it, part of a violation's identity.
        kind: ``ends``, ``start`` and ``poll`` for a fault there, ``refused``, ``fails``, ``endless``, ``cancelled``,
            or ``main output``.
        run: How it is started.
        starts: Responses to the starts in order, the last one for all further ones.
        polls: Responses to the questions in order, the last one for all further ones.
        deadline: Seconds to wait at most.
        timeout: Of the client, in seconds.
        task: What the driver does.
        end: How the caller ends a wait that it hears of.
    """

    name: str
    kind: str
    run: FollowedRun
    starts: tuple[ScriptedResponse, ...]
    polls: tuple[ScriptedResponse, ...]
    deadline: float = LONG_ENOUGH
    timeout: float = PATIENCE
    task: str = "waited"
    end: str = ""

    @property
    def outcome(self) -> ScriptedResponse:
        """The response that ends the run, if one does."""
        return self.polls[-1]


@dataclass(frozen=True, kw_only=True)
class RunTrial(Trial[Story]):
    """
    A story as it was played.

    Attributes:
        runs: Ids of the runs that were started, in order.
        polls: When the client asked, and for which run.
        view: Which view of the client it was played with, a number; empty for the client itself.
    """

    runs: tuple[Any, ...]
    polls: tuple[tuple[float, str], ...]
    view: str = ""


@dataclass
class Service:
    """Runs that go as a story says."""

    story: Story
    runs: list[Any] = field(default_factory=list)
    polls: list[tuple[RecordedRequest, str]] = field(default_factory=list)
    starts: list[RecordedRequest] = field(default_factory=list)

    def respond(self, seen: RecordedRequest) -> ScriptedResponse:
        """Answer a request."""
        run = self.story.run
        if run.is_start(seen):
            self.starts.append(seen)
            self.runs.append(run.id_of(len(self.runs)))
            return run.of(_at(self.story.starts, len(self.starts)), self.runs[-1])
        asked = run.asked_for(seen)
        if asked is None:
            return ScriptedResponse(status=404, body=MESSAGE)
        self.polls.append((seen, asked))
        known = next((one for one in self.runs if str(one) == asked), asked)
        count = sum(one == asked for _, one in self.polls)
        return run.of(run.as_asked(seen, _at(self.story.polls, count)), known)


def _at(answers: tuple[ScriptedResponse, ...], number: int) -> ScriptedResponse:
    return answers[min(number, len(answers)) - 1]


@once
def stories(trials: Trials) -> list[RunTrial]:
    """Return what came of each story; raises NotApplicable if the client or the contract has no waiting."""
    told = [story for run in followed_runs(trials) for story in _stories(run)]
    modes = trials.modes()
    turns = itertools.cycle(modes)
    calls: list[Callable[[], RunTrial]] = [
        partial(play_story, trials, story, mode)
        for story in told
        for mode in ((next(turns),) if story.kind in {"start", "poll", "output"} else modes)
        if mode == "async" or story.kind != "cancelled"
    ]
    return supported(play_faults(calls))


@once
def followed(trials: Trials) -> list[RunTrial]:
    """Return what came of waits of which the caller hears, to their end and ended by the caller."""
    run = followed_runs(trials)[0]
    first, *_ = run.pending.values()
    story = partial(Story, run=run, starts=run.started[:1], task="followed", kind="followed")
    slow = replace(first, headers=LATER)
    told = (
        story(name="lost question", polls=(first, FAULTS["status 503"], first, first, run.ended[0])),
        *(story(name=end, end=end, polls=(slow,)) for end in ("stopped", "raised", "interrupted")),
    )
    return supported(play_faults([partial(play_story, trials, one, mode) for one in told for mode in trials.modes()]))


@once
def main_outputs(trials: Trials) -> list[RunTrial]:
    """Return what came of waits for runs of several nodes, whose main output is asked for."""
    told = [
        Story(
            name=name,
            kind="main output",
            run=replace(run, outcome_at=(node, "value")),
            starts=run.started[:1],
            polls=(ended,),
            task="main_output",
        )
        for run in followed_runs(trials)
        for name, (ended, node) in run.main_ends.items()
    ]
    if not told:
        raise NotApplicable("the contract has no run that tells of several nodes which of them are outputs")
    turns = itertools.cycle(trials.modes())
    return supported(play_faults([partial(play_story, trials, story, next(turns)) for story in told]))


def play_story(trials: Trials, story: Story, mode: str) -> RunTrial:
    """Return what came of a story."""
    service = Service(story)
    with RecordingServer() as server:
        wire: dict[str, Any] = {"server": server, "timeout": story.timeout, "retries": None}
        asked = {"deadline": story.deadline} | ({"end": story.end} if story.task == "followed" else {})
        more: dict[str, Any] = {"respond": service.respond, "rest": REST, "more": asked}
        trial = trials.session.play(story, story.run.start, (), mode, task=story.task, **more, **wire)
    return _with_service(trial, service)


def _with_service(trial: Trial[Story], service: Service, view: str = "") -> RunTrial:
    def is_own(seen: RecordedRequest) -> bool:
        return not view or seen.all(VIEW) == [view]

    runs = [run for run, seen in zip(service.runs, service.starts, strict=True) if is_own(seen)]
    polls = [(seen.at, asked) for seen, asked in service.polls if is_own(seen)]
    return RunTrial(**vars(trial), runs=tuple(runs), polls=tuple(polls), view=view)


@once
def at_once(trials: Trials) -> list[RunTrial]:
    """Return what came of runs that one client waits for at the same time, each with a view of its own."""
    run, played = followed_runs(trials)[0], list[RunTrial]()
    story = Story(
        name="at once", kind="ends", run=run, starts=run.started[:1], polls=(*run.pending.values(), run.ended[0])
    )
    for mode in trials.modes():
        service, views = Service(story), [str(number) for number in range(TOGETHER)]
        asked = [{"deadline": story.deadline, "view": {VIEW: view}} for view in views]
        with RecordingServer() as server:
            wire: dict[str, Any] = {"server": server, "retries": None, "respond": service.respond}
            told = trials.session.ask_together("waited", run.start, asked, mode, **wire)
        for view, message in zip(views, told, strict=True):
            trial = Trial(case=story, mode=mode, seen=(), told=message, number=trials.session.count())
            played.append(_with_service(trial, service, view))
    return supported(played)


def _stories(run: FollowedRun) -> Iterator[Story]:
    story = partial(Story, run=run, starts=run.started[:1])
    first, *_ = run.pending.values()
    for name, pending in run.pending.items():
        yield story(name=name, kind="ends", polls=(pending, pending, run.ended[0]))
    for name, ended in run.odd_ends.items():
        yield story(name=name, kind="output", polls=(ended,))
    if run.is_short:
        return
    for number, ended in enumerate(run.ended):
        yield story(name=f"at the first question {number}", kind="ends", polls=(ended,))
    for started in run.started[1:]:
        polls = first, run.ended[0]
        yield Story(name=f"started by {started.status}", kind="ends", run=run, starts=(started,), polls=polls)
    slower = replace(first, headers=AGAIN)
    throttled = ScriptedResponse(status=429, body=MESSAGE, headers=AGAIN)
    yield story(name="Retry-After", kind="ends", polls=(slower, run.ended[0]))
    yield story(name="Retry-After with 429", kind="ends", polls=(first, throttled, run.ended[0]))
    for name, fault in FAULTS.items():
        timeout = SHORT if fault.fault is Fault.HANG else PATIENCE
        yield Story(name=name, kind="start", run=run, starts=(fault,), polls=(run.ended[0],), timeout=timeout)
        yield story(name=name, kind="poll", polls=(first, fault, first, run.ended[0]), timeout=timeout)
    for status in (401, 404):
        yield story(name=f"status {status}", kind="refused", polls=(ScriptedResponse(status=status, body=MESSAGE),))
    for name, failed in run.failed.items():
        yield story(name=name, kind="fails", polls=(first, failed))
    yield from _endless(run, story)
    yield story(name="cancelled", kind="cancelled", polls=(first,), task="wait_cancelled")


def _endless(run: FollowedRun, story: Callable[..., Story]) -> Iterator[Story]:
    first, *_ = run.pending.values()
    endless = {
        "no end": first,
        "silence": ScriptedResponse(fault=Fault.HANG),
        "status 503": FAULTS["status 503"],
        "status 503 with Retry-After": replace(FAULTS["status 503"], headers=AGAIN),
        "a long Retry-After": replace(first, headers=(("Retry-After", "20"),)),
    }
    for name, answer in endless.items():
        yield story(name=name, kind="endless", polls=(answer,), deadline=DEADLINE, timeout=LONGER)
