"""Every schedule of up to four faults: at most one execution, bounded tries and time, and one typed outcome."""

from __future__ import annotations

import asyncio
import itertools
import json
import math
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from client_calls import EXECUTE, INTERACTLY_URL, KEY, RESULTS, RUN, Call
from model_server import ALPHABET, SLOWEST, Clock, Fault, ModelServer

from workflow_runs import (
    AsyncInteractly,
    AsyncPromptLayer,
    Interactly,
    PromptLayer,
    Retries,
    ServerError,
    WorkflowRunsError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_LONGEST = 4
_CALLS = (RUN, RESULTS, EXECUTE)
_CLIENTS: dict[tuple[str, str], type[Any]] = {
    ("promptlayer", "sync"): PromptLayer,
    ("promptlayer", "async"): AsyncPromptLayer,
    ("interactly", "sync"): Interactly,
    ("interactly", "async"): AsyncInteractly,
}
_BREACHES_SHOWN = 5


class Trial:
    """One kind of client against the model server; it tells every promise that a schedule makes it break.

    Attributes:
        covered: How many schedules have been judged.
        played: How many of them were played to tell.
    """

    def __init__(
        self, call: Call, kind: type[Any], policy: type[Retries] = Retries, *, longest: int = _LONGEST
    ) -> None:
        clock = Clock()
        self.longest = longest
        self.call, self.clock, self.covered, self.played = call, clock, 0, 0
        self.server = ModelServer(clock, (call.success[0], json.dumps(call.success[1]).encode()))

        class Timed(policy):  # type: ignore[valid-type, misc]
            _now = staticmethod(lambda: clock.now)

        class Pausing(kind):  # type: ignore[misc]
            def _pause(self, seconds: float) -> Any:
                clock.now += seconds
                return _nothing() if kind.__name__.startswith("Async") else None

        self.retries: Retries = Timed(further_tries=_LONGEST)
        http = (httpx.AsyncClient if kind.__name__.startswith("Async") else httpx.Client)(transport=self.server)
        address = INTERACTLY_URL if call.service == "interactly" else None
        client = Pausing(api_key=KEY, base_url=address, retries=self.retries, http_client=http)
        self._method = getattr(client, call.operation)

    def schedules(self) -> Iterator[tuple[Fault, ...]]:
        """Every schedule, to be played before the next one is asked for.

        Where a client ends before it has met a schedule's last fault, or right after it, no longer schedule that begins
        in the same way shows it anything else: it is the same trial, and isn't played again.
        """
        left: list[tuple[Fault, ...]] = [()]
        while left:
            schedule = left.pop()
            self.played += 1
            yield schedule
            if self.server.requests > len(schedule) and len(schedule) < self.longest:
                left += [(*schedule, fault) for fault in ALPHABET]
                self.covered += 1
            else:
                self.covered += sum(len(ALPHABET) ** length for length in range(self.longest - len(schedule) + 1))

    def breaches(self) -> Iterator[str]:
        """What is broken, schedule by schedule."""
        for schedule in self.schedules():
            began = self._begin(schedule)
            try:
                self._method(*self.call.positional, **self.call.keywords)
            except Exception as error:  # noqa: BLE001 - which one it is, is what is judged
                yield from self._judged(schedule, began, error)
            else:
                yield from self._judged(schedule, began, None)

    async def awaited_breaches(self, enough: float = math.inf) -> list[str]:
        """The same for asyncio, up to a number."""
        found: list[str] = []
        for schedule in self.schedules():
            if len(found) >= enough:
                break
            began = self._begin(schedule)
            try:
                await self._method(*self.call.positional, **self.call.keywords)
            except Exception as error:  # noqa: BLE001 - which one it is, is what is judged
                found += self._judged(schedule, began, error)
            else:
                found += self._judged(schedule, began, None)
        return found

    def _begin(self, schedule: Sequence[Fault]) -> float:
        self.server.begin(schedule)
        return self.clock.now

    def _judged(self, schedule: Sequence[Fault], began: float, error: Exception | None) -> Iterator[str]:
        server, seconds = self.server, self.clock.now - began
        starts = self.call.starts_something
        in_doubt = starts and server.executions > 0
        broken = {
            "several executions": starts and server.executions > 1,
            "too many tries": server.requests > 1 + self.retries.further_tries,
            "too long": seconds > self.retries.total_time + SLOWEST,
            "a foreign error": error is not None and not isinstance(error, WorkflowRunsError),
            "an error after a success": (error is None) is not server.succeeded,
            "a wrong may_have_run": getattr(error, "may_have_run", in_doubt) is not in_doubt,
            "given up too soon": error is not None and self._should_succeed(schedule),
        }
        names = ", ".join(str(fault) for fault in schedule)
        yield from (f"{promise} under [{names}]: {error!r}" for promise, is_broken in broken.items() if is_broken)

    def _should_succeed(self, schedule: Sequence[Fault]) -> bool:
        in_time = sum(fault.seconds + (fault.retry_after or 8) for fault in schedule) <= self.retries.total_time
        harmless = (not fault.executes if self.call.starts_something else not fault.final for fault in schedule)
        return in_time and all(harmless)


async def _nothing() -> None:
    pass


# A question executes nothing: there, up to three faults have to do. With four it is the dearest test of all.
_SCHEDULES = [
    *((call, flavour, _LONGEST - (not call.starts_something)) for call in _CALLS for flavour in ("sync", "async")),
    pytest.param(RESULTS, "sync", _LONGEST, marks=pytest.mark.nightly),
]


@pytest.mark.parametrize(("call", "flavour", "longest"), _SCHEDULES, ids=str)
def test_no_schedule_breaks_a_promise(call: Call, flavour: str, longest: int) -> None:
    """In all of them at most one execution, bounded tries and time, and an error that tells the truth."""
    trial = Trial(call, _CLIENTS[call.service, flavour], longest=longest)
    found = list(trial.breaches()) if flavour == "sync" else asyncio.run(trial.awaited_breaches())
    assert not found, f"{len(found)} breaches, first {found[:_BREACHES_SHOWN]}"
    assert trial.covered == sum(len(ALPHABET) ** length for length in range(longest + 1))
    assert trial.covered > 10_000 or longest < _LONGEST


class RepeatsWhatIsInDoubt(Retries):
    """Planted: treats a run like a question."""

    def allows(self, error: WorkflowRunsError, *, repeatable: bool) -> bool:  # noqa: ARG002 - that is the fault
        """Allow it whatever it starts."""
        return super().allows(error, repeatable=True)


class RepeatsAfter529(Retries):
    """Planted: takes "overloaded" for "not done"."""

    def allows(self, error: WorkflowRunsError, *, repeatable: bool) -> bool:
        """Allow it after one status more."""
        return error.status == 529 or super().allows(error, repeatable=repeatable)


class NeverRepeats(Retries):
    """Planted: gives up where another try would have been right."""

    def allows(self, error: WorkflowRunsError, *, repeatable: bool) -> bool:  # noqa: ARG002 - that is the fault
        """Allow nothing."""
        return False


class TriesOnceMore(PromptLayer):
    """Planted: an extra try round the call."""

    def run_workflow(self, *positional: Any, **keywords: Any) -> Any:
        """Run, and after a server's error run again."""
        try:
            return super().run_workflow(*positional, **keywords)
        except ServerError:
            return super().run_workflow(*positional, **keywords)


class HidesTheDoubt(PromptLayer):
    """Planted: says that nothing has run."""

    def _refined(self, error: WorkflowRunsError) -> WorkflowRunsError:
        error.may_have_run = False
        return super()._refined(error)


@pytest.mark.parametrize(
    ("kind", "policy", "promise"),
    [
        (PromptLayer, RepeatsWhatIsInDoubt, "several executions"),
        (PromptLayer, RepeatsAfter529, "several executions"),
        (TriesOnceMore, Retries, "several executions"),
        (HidesTheDoubt, Retries, "a wrong may_have_run"),
        (PromptLayer, NeverRepeats, "given up too soon"),
        (AsyncPromptLayer, RepeatsWhatIsInDoubt, "several executions"),
        (AsyncPromptLayer, RepeatsAfter529, "several executions"),
        (AsyncPromptLayer, NeverRepeats, "given up too soon"),
    ],
    ids=lambda planted: getattr(planted, "__name__", planted),
)
def test_a_planted_fault_is_caught(kind: type[Any], policy: type[Retries], promise: str) -> None:
    """The same trial finds a client that breaks a promise, and says which one."""
    trial = Trial(RUN, kind, policy)
    if kind is AsyncPromptLayer:
        found = asyncio.run(trial.awaited_breaches(enough=100))
    else:
        found = list(itertools.islice(trial.breaches(), 100))
    assert {breach.partition(" under ")[0] for breach in found} == {promise}
