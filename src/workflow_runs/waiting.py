"""Waiting for a run: when to ask, what an answer means, what a lost answer means.

Sends nothing itself, and gets its clock from outside: the clients' `wait` asks and pauses.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import logging
import math
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, NoReturn, Protocol, TypeVar

from workflow_runs_api.errors import BadArgument, MaybeSent, NotSent, WorkflowRunsError
from workflow_runs_api.redaction import Redaction
from workflow_runs_api.reply import Reply

from .both_forms import result_of
from .outcome import Progress, RunFailed, RunId, WaitCancelled, WaitTimeout, named

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    import httpx

    from workflow_runs_api.operation import Call, Operation, Outgoing

    from .retries import Retries, Tries

__all__ = ["Cancellation", "GoingOn", "Question", "Waiting", "check_options", "checked_deadline"]

Outcome = TypeVar("Outcome")

# A pause is a share of the time gone by: an outcome comes at most 15 % and 60 ms late, with some time for the calls
# themselves, and the first minute has 39 questions.
_FIRST_PAUSE, _SHARE, _LONGEST_PAUSE = 0.045, 0.15, 5.0
_FOR_EVER = 1e9  # seconds, a lifetime; a clock can't add just any number
# For the last question, which comes at the deadline. It may be the one to find out that the server has closed the
# connection, which was idle, and then it is asked again.
_GRACE = 1.0
_LOG = logging.getLogger("workflow_runs")


class Cancellation(Protocol):
    """What cancels a wait: a `threading.Event`, or for the asyncio client an `asyncio.Event`."""

    @property
    def wait(self) -> Callable[..., Any]:
        """Wait until it is set."""


class GoingOn(NamedTuple):
    """An answer that isn't the end of the run.

    Attributes:
        nodes: Status of every node by its name, if the answer has them.
        status: Status of the run, if the answer has one.
    """

    nodes: dict[str, str] | None = None
    status: str | None = None


class Question(Generic[Outcome]):
    """What a service is asked about one run, and what its answers mean.

    Args:
        call: The call that asks; making it has refused what can't be asked.
        outgoing: Tells what is sent for a call: an error must not show any of it.
    """

    def __init__(
        self,
        execution_id: RunId,
        operation: Operation[Any],
        call: Call,
        outgoing: Callable[[Operation[Any], Call], Outgoing],
    ) -> None:
        self.execution_id = execution_id
        self._operation = operation
        self._call = call
        self._outgoing = outgoing

    def ask(self, client: Any) -> Any:
        """Ask once; with an asyncio client it is to be awaited."""
        raise NotImplementedError

    def read(self, result: Any, response: httpx.Response) -> Outcome | GoingOn:
        """Return what an answer means.

        Raises:
            RunFailed: The run has ended without success.
            ContractBroken: The answer doesn't have the form that was asked for.
        """
        raise NotImplementedError

    def explained(self, failure: RunFailed, response: httpx.Response) -> RunFailed:  # noqa: ARG002
        """Return a failure with what is known of this run."""
        return failure

    def reply(self, response: httpx.Response) -> Reply:
        """Return a response as errors need it."""
        return Reply(self._operation, response, Redaction(self._outgoing(self._operation, self._call)))


class Waiting(Generic[Outcome]):
    """One wait for one run.

    Attributes:
        response: The raw reply to the last question; whoever asks puts it here.
        outcome: What the run has produced, once `pauses` has come to its end.
    """

    outcome: Outcome

    def __init__(
        self,
        question: Question[Outcome],
        *,
        deadline: float,
        retries: Retries,
        now: Callable[[], float],
        on_progress: Callable[[Progress], object] | None,
        cancelled: Cancellation | None,
        asynchronous: bool,
    ) -> None:
        check_options("wait", deadline, on_progress, cancelled, asynchronous=asynchronous)
        self._question = question
        self._name = named(question.execution_id)
        self.response: httpx.Response | None = None
        self._deadline = checked_deadline(deadline)
        self._policy = retries
        self._now = now
        self._on_progress = on_progress
        self._cancelled = cancelled
        self._asynchronous = asynchronous
        self._began = now()
        self._polls = 0
        self._ended = False
        self._tries: Tries | None = None
        self._further_try: float | None = None
        self._retry_after: float | None = None
        self._problem: WorkflowRunsError | None = None
        self._status: str | None = None
        self._news: GoingOn | None = None
        self._raised: BaseException | None = None

    def pauses(self) -> Iterator[float]:
        """Yield the seconds to pause before each question, until the run has ended; the first question is always asked.

        Raises:
            WaitTimeout: the deadline has come, or will have come before the service wants to be asked again.
        """
        while not self._ended:
            yield self._next_pause()

    def _next_pause(self) -> float:
        elapsed = self._now() - self._began
        left = self._deadline - elapsed
        floor = min(self._retry_after or 0.0, self._policy.longest_retry_after)
        further_try, self._further_try = self._further_try, None
        is_late = left <= (0.0 if further_try is None else -_GRACE) or floor > max(left, 0.0)
        # However short the deadline and slow the machine: whoever waits has asked once.
        if is_late and self._polls:
            self._give_up()
        rhythm = min(_FIRST_PAUSE + _SHARE * elapsed, _LONGEST_PAUSE)
        pause = rhythm if further_try is None else further_try
        return max(0.0, min(max(pause, floor), left))

    @property
    def seconds_left(self) -> float:
        """Seconds that a question which is asked now may take; the first one always has some."""
        left = self._deadline - (self._now() - self._began)
        return max(left + _GRACE, _GRACE if self._polls == 1 else 0.0)

    def _give_up(self) -> NoReturn:
        state = "it goes on" if self._status is None else f"it is {self._status}"
        words = f"{self._name} has no outcome after {self._deadline:g} s; {state}, wait again"
        if self._problem is not None:
            words += f" (the last question got no answer: {self._problem})"
        raise WaitTimeout(words, execution_id=self._question.execution_id) from self._problem

    async def rest(self, seconds: float, pause: Callable[[float], Awaitable[None] | None]) -> None:
        """Pause, unless the wait is cancelled.

        Raises:
            WaitCancelled: it is.
        """
        if self._cancelled is None:
            await result_of(pause(seconds))
        elif await self._is_cancelled_within(seconds, self._cancelled):
            words = f"no longer waiting for {self._name}; it goes on, wait again"
            raise WaitCancelled(words, execution_id=self._question.execution_id)

    async def _is_cancelled_within(self, seconds: float, cancelled: Cancellation) -> bool:
        if not self._asynchronous:
            return bool(cancelled.wait(seconds))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await cancelled.wait()
            return True
        return False

    @contextlib.contextmanager
    def asking(self) -> Iterator[None]:
        """Stands round a question: one that got lost on the way is asked again, any other error is raised.

        Lost is what the client's policy would send again: no connection, a broken one, 429 and 5xx. Such a trouble may
        pass while the run goes on, so it is waited out until the deadline. A policy without further tries raises it,
        unless it was the deadline that broke the connection.
        """
        self._polls += 1
        self.response = None
        try:
            yield
        except RunFailed as failure:
            assert self.response is not None
            raise self._question.explained(failure, self.response) from None
        except WorkflowRunsError as problem:
            if problem is self._raised:
                raise
            has_tries = self._policy.further_tries or self._was_cut_off(problem)
            if not has_tries or not self._policy.allows(problem, repeatable=True):
                problem.may_have_run = True
                problem.how_to_find = f"it is {self._name}"
                raise
            self._after_loss(problem)

    @contextlib.contextmanager
    def callers_own(self) -> Iterator[None]:
        """Stands round a function of the caller's: what it raises, an error of ours too, ends the wait."""
        try:
            yield
        except BaseException as error:
            self._raised = error
            raise

    def _was_cut_off(self, problem: WorkflowRunsError) -> bool:
        return isinstance(problem, NotSent | MaybeSent) and self._now() - self._began >= self._deadline

    def _after_loss(self, problem: WorkflowRunsError) -> None:
        self._tries = self._tries or self._policy.begin()
        self._further_try = self._tries.after(problem, repeatable=True)
        self._retry_after = problem.retry_after
        self._problem = problem
        # Not its words: the service may have sent back what the run was started with.
        told = type(problem).__name__ + (f", status {problem.status}" if problem.status else "")
        _LOG.info("%s: a question got no answer (%s); asking again", self._name, told)
        self._news = GoingOn()

    def _after_answer(self, retry_after: float | None) -> None:
        self._tries = self._further_try = self._problem = None
        self._retry_after = retry_after

    def read(self, result: Any) -> None:
        """Take an answer in.

        Raises:
            RunFailed: The run has ended without success.
            ContractBroken: The answer doesn't have the form that was asked for.
        """
        assert self.response is not None
        found = self._question.read(result, self.response)
        if not isinstance(found, GoingOn):
            self._ended, self.outcome = True, found
            return
        self._status = found.status
        self._after_answer(self._question.reply(self.response).retry_after)
        self._news = found

    def tell(self) -> None:
        """Tell whoever follows the wait how the last question went, if the run goes on."""
        found, self._news = self._news, None
        if self._on_progress is not None and found is not None:
            seconds, about = self._now() - self._began, (found.nodes, self._problem, found.status)
            self._on_progress(Progress(self._question.execution_id, seconds, self._polls, *about))


def checked_deadline(deadline: Any, operation: str = "wait") -> float:
    """Return the seconds to wait at most.

    Raises:
        BadArgument: it is no number of seconds.
    """
    if isinstance(deadline, bool) or not isinstance(deadline, int | float) or not deadline >= 0:
        raise BadArgument("expected seconds, 0 or more", field="deadline", operation=operation)
    return math.inf if deadline > _FOR_EVER else float(deadline)


def check_options(operation: str, deadline: Any, on_progress: Any, cancelled: Any, *, asynchronous: bool) -> None:
    """Check how long to wait, whom to tell and what ends the wait: before a run is started, not after it.

    Raises:
        BadArgument: one of them can't be used.
    """
    checked_deadline(deadline, operation)
    if on_progress is not None and not callable(on_progress):
        raise BadArgument("expected a function", field="on_progress", operation=operation)
    wait = getattr(cancelled, "wait", None)
    if cancelled is not None and (not callable(wait) or inspect.iscoroutinefunction(wait) is not asynchronous):
        kind = "an asyncio.Event" if asynchronous else "a threading.Event"
        raise BadArgument(f"expected {kind}", field="cancelled", operation=operation)
