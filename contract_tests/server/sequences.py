"""
Sequences of steps that a state machine of hypothesis draws, each played on the target once and kept as a trace.

Where a rule finds something in a drawn trace, the machine draws again with the same seed. What was played before is
known by its steps and costs no request, so that only what hypothesis tries on its way to the fewest steps is sent.
"""

# Not schemathesis' ``as_state_machine``: its steps are the links of responses, and neither a further command for a run,
# nor a second request for the same results, nor a callback is one. It knows no budget of requests either.

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Protocol

from hypothesis import Phase, seed
from hypothesis.errors import Flaky
from hypothesis.stateful import RuleBasedStateMachine, invariant, run_state_machine_as_test

from contract_tests.cases.shrinking import StillFails, quiet_settings
from contract_tests.http.callback_listener import Delivery
from contract_tests.options import Options
from contract_tests.rules import NotExercised, Unanswered
from contract_tests.server.models.exchange import Exchange
from contract_tests.server.server import ServerUnderTest
from contract_tests.server.shares import has_few_requests
from contract_tests.server.transport import Wire

STEPS: Final = 8  # of a sequence
LONGEST: Final = 2 * STEPS  # where each step is two requests
CASES_PER_SEQUENCE: Final = 4  # of a budget, which counts requests
SHARE: Final = 5  # the part of a target's requests that drawn sequences may take, and shrinking them
MOST_REQUESTS: Final = 500  # for shrinking, in one run
ROWS: Final = 10  # that share what is drawn, and so its part of a budget in seconds


@dataclass(frozen=True)
class Played:
    """A step that was played."""

    step: str  # its name
    came: Exchange | Delivery | None  # the exchange, or the callback that was waited for; None if nothing came
    at: float  # when it was over, by the monotonic clock


Trace = tuple[Played, ...]
Fails = Callable[[Trace], bool]


class Session(Protocol):
    """Plays one sequence, step by step."""

    def play(self, step: str) -> Exchange | Delivery | None:
        """Play a step after those before."""


class Player(Protocol):
    """Plays what the rules of a service's chapters look at."""

    server: ServerUnderTest
    sequences: "Sequences"

    def fixtures(self, trace: Trace) -> dict[str, Any]:
        """Return what the rules would look at if this had been the only sequence that was drawn."""


class Sequences:
    """
    The sequences of one target.

    Args:
        machine: Draws the steps.
        begin: Makes what plays a sequence.
        wire: What the requests go through.
        options: How many sequences are drawn, and the seed that makes them reproducible, as far as the target is.
    """

    def __init__(
        self,
        machine: "Callable[[Sequences, Fails], Machine]",
        begin: Callable[[], Session],
        wire: Wire,
        options: Options,
    ) -> None:
        self._machine = machine
        self._begin = begin
        self._wire = wire
        self._budget = options.budget
        self._seed = options.seed
        self._known: dict[tuple[str, ...], Trace] = {}
        self._session: Session | None = None
        self._last: tuple[str, ...] = ()  # the steps that the session has played
        self._batches: list[tuple[int, int]] = []
        self._drawn: dict[tuple[str, ...], Trace] = {}
        self._left = min(MOST_REQUESTS, wire.target.max_requests // SHARE)  # for shrinking
        self._longest = LONGEST
        self._most_sent, self._ends = 0, 0.0
        self._problem: Exception | None = None

    @cached_property
    def drawn(self) -> list[Trace]:
        """The traces of as many sequences as the budget allows, played when they are first asked for."""
        share = min(self._wire.target.max_requests // SHARE, self._wire.left // 2)
        share = min(share, LONGEST) if has_few_requests(self._wire.target) else share
        rows = max(1, min(ROWS, self._budget.rows_left // 2))  # those that come then need time too
        self._limit(share, rows)
        for number, cases in enumerate(self._budget.batches(rows)):
            count = max(1, min(cases // CASES_PER_SEQUENCE, share // STEPS))
            self._batches.append((self._seed + number, count))
            if self._run(*self._batches[-1], lambda _: False, Phase.generate):
                break
        return self.played

    @property
    def are_affordable(self) -> bool:
        """Whether the target's requests suffice for them and for what they need to be judged."""
        target = self._wire.target
        return target.max_requests - self._wire.sent > 2 * target.max_requests // SHARE

    @property
    def played(self) -> list[Trace]:
        """The traces that were played so far."""
        return list(self._drawn.values())

    def smallest(self, fails: Fails) -> Trace | None:
        """Return the trace of the fewest steps that fails; None if none of the drawn ones does any more."""
        found: list[Trace] = []

        def judge(trace: Trace) -> bool:
            if not fails(trace):
                return False
            found.append(trace)
            self._longest = len(trace)  # what hypothesis would send beyond it can't be smaller
            return True

        sent = self._wire.sent
        self._limit(self._left, 1)
        for random_seed, count in self._batches:
            self._run(random_seed, count, judge, Phase.generate, Phase.shrink)
            if found:
                found.append(self._without_needless(found[-1], fails))
                break
        self._left -= self._wire.sent - sent
        self._longest = LONGEST
        return found[-1] if found else None

    def _without_needless(self, trace: Trace, fails: Fails) -> Trace:
        # Hypothesis moves choices, not steps, and now and then leaves one in.
        for number in reversed(range(len(trace))):
            steps = steps_of(trace)
            fewer = self.after(steps[:number] + steps[number + 1 :])
            trace = fewer if fewer and fails(fewer) else trace
        return trace

    def after(self, steps: tuple[str, ...]) -> Trace | None:
        """Return what comes of these steps, which are played unless they were; None if nothing more may be played."""
        if steps not in self._known and len(steps) <= self._longest and not self._is_over():
            # Everything that is raised here hypothesis would take for a failure, and try again.
            try:
                self._play(steps)
            except Exception as problem:  # noqa: BLE001 - raised again once hypothesis is through
                self._problem = problem
        return self._known.get(steps)

    def drew(self, trace: Trace) -> None:
        """Keep a whole trace."""
        if trace:
            self._drawn.setdefault(steps_of(trace), trace)

    def _play(self, steps: tuple[str, ...]) -> None:
        goes_on = self._session is not None and self._last == steps[:-1] and bool(self._last)
        trace = self._known[self._last] if goes_on else ()
        session = self._session if goes_on and self._session is not None else self._begin()
        self._session = None  # until the step is played: a session that broke off is not gone on with
        for number in range(len(trace), len(steps)):
            came = None
            with contextlib.suppress(Unanswered):
                came = session.play(steps[number])
            trace = (*trace, Played(steps[number], came, time.monotonic()))
            self._known[steps[: number + 1]] = trace
        self._session, self._last = session, steps

    def _limit(self, requests: int, rows: int) -> None:
        self._most_sent = self._wire.sent + requests
        self._ends = self._budget.row_ends(rows)

    def _is_over(self) -> bool:
        is_spent = self._wire.sent >= self._most_sent or self._budget.clock() >= self._ends
        return is_spent or self._problem is not None

    def _run(self, random_seed: int, count: int, fails: Fails, *phases: Phase) -> bool:
        """Draw so many sequences; return whether something has ended that before its time."""

        def machine() -> Machine:
            return self._machine(self, fails)

        limits = quiet_settings(count, *phases, stateful_step_count=STEPS)
        seed(random_seed)(machine)
        with contextlib.suppress(StillFails, Flaky):
            run_state_machine_as_test(machine, settings=limits)  # type: ignore[arg-type]
        problem, self._problem = self._problem, None
        if problem is not None and not isinstance(problem, NotExercised):
            raise problem
        return problem is not None or self._is_over()


class Machine(RuleBasedStateMachine):
    """What draws the steps of one sequence; a subclass says by its rules which may come next."""

    def __init__(self, sequences: Sequences, fails: Fails) -> None:
        super().__init__()
        self.trace: Trace = ()  # what has come of them so far
        self._sequences = sequences
        self._fails = fails

    def do(self, step: str) -> None:
        """Take a step, unless nothing more may be played."""
        trace = self._sequences.after((*steps_of(self.trace), step))
        self.trace = self.trace if trace is None else trace

    @invariant()
    def keeps_the_rule(self) -> None:
        """End the sequence where it fails."""
        if self.trace and self._fails(self.trace):
            raise StillFails

    def teardown(self) -> None:
        """Keep the sequence."""
        self._sequences.drew(self.trace)


def steps_of(trace: Trace) -> tuple[str, ...]:
    """Return the names of the steps."""
    return tuple(played.step for played in trace)


def exchanges_of(trace: Trace) -> list[Exchange]:
    """Return the requests that were sent, with their responses."""
    return [played.came for played in trace if isinstance(played.came, Exchange)]
