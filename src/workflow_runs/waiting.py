"""Waiting for a run: when to ask, what an answer means, what a lost answer means.

Sends nothing itself, and gets its clock from outside: the clients' `wait` asks and pauses.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import logging
import math
from typing import TYPE_CHECKING, Any, Final, NoReturn, Protocol

import attrs

from workflow_runs_api.api.promptlayer.get_workflow_version_execution_results import (
    OPERATION,
    ExecutionPending,
    ExecutionResults,
    Keywords,
    request,
)
from workflow_runs_api.errors import BadArgument, MaybeSent, NotSent, WorkflowRunsError
from workflow_runs_api.models import ExecutionFailed, NodeOutput
from workflow_runs_api.models.node_outputs import read_node_outputs
from workflow_runs_api.redaction import Redaction
from workflow_runs_api.reply import Reply
from workflow_runs_api.types import Problem

from .both_forms import result_of
from .outcome import (
    Progress,
    RunFailed,
    RunOutcome,
    WaitCancelled,
    WaitTimeout,
    execution_id_of,
    main_output,
    output_nodes,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    import httpx

    from workflow_runs_api.models import RunAccepted, RunCreated
    from workflow_runs_api.operation import Call, Operation, Outgoing

    from .retries import Retries, Tries

__all__ = ["Cancellation", "Waiting", "check_options", "checked_deadline"]

# A pause is a share of the time gone by: an outcome comes at most 15 % and 60 ms late, with some time for the calls
# themselves, and the first minute has 39 questions.
_FIRST_PAUSE, _SHARE, _LONGEST_PAUSE = 0.045, 0.15, 5.0
_FOR_EVER = 1e9  # seconds, a lifetime; a clock can't add just any number
# For the last question, which comes at the deadline. It may be the one to find out that the server has closed the
# connection, which was idle, and then it is asked again.
_GRACE = 1.0
_WORDS_SHOWN = 300
_NODE_MEMBERS: Final = attrs.fields_dict(NodeOutput).keys() - {"additional_properties"}
_LOG = logging.getLogger("workflow_runs")


class Cancellation(Protocol):
    """What cancels a wait: a `threading.Event`, or for the asyncio client an `asyncio.Event`."""

    @property
    def wait(self) -> Callable[..., Any]:
        """Wait until it is set."""


class Waiting:
    """One wait for one execution.

    Attributes:
        execution_id: Id of the execution.
        question: The arguments to ask for the results with.
        response: The raw reply to the last question; whoever asks puts it here.
        outcome: What the run has produced, once `pauses` has come to its end.
    """

    outcome: RunOutcome

    def __init__(
        self,
        run: RunCreated | RunAccepted | int,
        *,
        return_all_outputs: bool,
        deadline: float,
        retries: Retries,
        now: Callable[[], float],
        outgoing: Callable[[Operation[Any], Call], Outgoing],
        on_progress: Callable[[Progress], object] | None,
        cancelled: Cancellation | None,
        asynchronous: bool,
    ) -> None:
        self.execution_id = execution_id_of(run)
        check_options("wait", deadline, on_progress, cancelled, asynchronous=asynchronous)
        self.question: Keywords = {
            "workflow_version_execution_id": self.execution_id,
            "return_all_outputs": return_all_outputs,
        }
        self._call = request(**self.question)  # refuses what can't be asked now, not after the first pause
        self.response: httpx.Response | None = None
        self._deadline = checked_deadline(deadline)
        self._policy = retries
        self._now = now
        self._outgoing = outgoing
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
        words = f"execution {self.execution_id} has no outcome after {self._deadline:g} s; it goes on, wait again"
        if self._problem is not None:
            words += f" (the last question got no answer: {self._problem})"
        raise WaitTimeout(words, execution_id=self.execution_id) from self._problem

    async def rest(self, seconds: float, pause: Callable[[float], Awaitable[None] | None]) -> None:
        """Pause, unless the wait is cancelled.

        Raises:
            WaitCancelled: it is.
        """
        if self._cancelled is None:
            await result_of(pause(seconds))
        elif await self._is_cancelled_within(seconds, self._cancelled):
            words = f"no longer waiting for execution {self.execution_id}; it goes on, wait again"
            raise WaitCancelled(words, execution_id=self.execution_id)

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
            raise self._explained(failure) from None
        except WorkflowRunsError as problem:
            has_tries = self._policy.further_tries or self._was_cut_off(problem)
            if not has_tries or not self._policy.allows(problem, repeatable=True):
                problem.may_have_run = True
                problem.how_to_find = f"it is execution {self.execution_id}"
                raise
            self._after_loss(problem)

    def _was_cut_off(self, problem: WorkflowRunsError) -> bool:
        return isinstance(problem, NotSent | MaybeSent) and self._now() - self._began >= self._deadline

    def _after_loss(self, problem: WorkflowRunsError) -> None:
        self._tries = self._tries or self._policy.begin()
        self._further_try = self._tries.after(problem, repeatable=True)
        self._retry_after = problem.retry_after
        self._problem = problem
        _LOG.info("execution %d: a question got no answer (%s); asking again", self.execution_id, problem)
        self._tell(None)

    def _after_answer(self, retry_after: float | None) -> None:
        self._tries = self._further_try = self._problem = None
        self._retry_after = retry_after

    def read(self, reply: ExecutionResults | ExecutionPending) -> None:
        """Take an answer in.

        Raises:
            RunFailed: no output node has succeeded.
            ContractBroken: all nodes were asked for, and the answer doesn't have their form.
        """
        self._ended = isinstance(reply, ExecutionResults)
        if isinstance(reply, ExecutionResults):
            self.outcome = self._outcome(reply.value)
            return
        self._after_answer(self._reply().retry_after)
        self._tell(_statuses(reply.value) if self.question["return_all_outputs"] else None)

    def _tell(self, nodes: dict[str, str] | None) -> None:
        if self._on_progress is not None:
            seconds = self._now() - self._began
            self._on_progress(Progress(self.execution_id, seconds, self._polls, nodes, self._problem))

    def _outcome(self, value: Any) -> RunOutcome:
        if self.question["return_all_outputs"]:
            return self._of_nodes(self._nodes(value))
        failed = _failed_nodes(value)
        if failed is not None:
            raise self._failure(failed)
        return RunOutcome(self.execution_id, value)

    def _nodes(self, value: Any) -> dict[str, NodeOutput]:
        try:
            return read_node_outputs(value)
        except Problem as problem:
            raise self._reply().broken(problem) from None

    def _reply(self) -> Reply:
        assert self.response is not None
        return Reply(OPERATION, self.response, Redaction(self._outgoing(OPERATION, self._call)))

    def _of_nodes(self, nodes: dict[str, NodeOutput]) -> RunOutcome:
        main = main_output(nodes)
        if main.succeeded is False:
            raise self._failure(nodes)
        return RunOutcome(self.execution_id, main.value, nodes)

    def _failure(self, nodes: dict[str, NodeOutput]) -> RunFailed:
        return RunFailed("", nodes=nodes, **self._reply().about())

    def _explained(self, failure: RunFailed) -> RunFailed:
        """Return a failure, in either form, with what is known here: which execution, why its output nodes failed."""
        failure.execution_id = self.execution_id
        failure.nodes = _failed_nodes(failure.output) if failure.nodes is None else failure.nodes
        ended = output_nodes(failure.nodes or {}).items()
        causes = [f"{name}: {node.error_message or node.status}" for name, node in ended]
        # The nodes' words are the service's: it may have sent back what it was sent.
        said = failure.body.message if isinstance(failure.body, ExecutionFailed) else ""
        words = self._reply().shown("; ".join(causes) or said, _WORDS_SHOWN)
        failure.message = f"execution {self.execution_id} has ended without an output; {words}"
        failure.how_to_find = f"it is execution {self.execution_id}, which has ended"
        failure.args = (failure.message,)
        return failure


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


def _failed_nodes(value: Any) -> dict[str, NodeOutput] | None:
    """Return the nodes, if a bare output is none: some servers send all nodes when no output node has succeeded.

    An output of the workflow's own may be an object of objects too; so it has to look like nodes in every entry.
    """
    if not isinstance(value, dict) or not value:
        return None
    if not all(isinstance(entry, dict) and entry.keys() >= _NODE_MEMBERS for entry in value.values()):
        return None
    try:
        nodes = read_node_outputs(value)
    except Problem:
        return None
    return nodes if main_output(nodes).succeeded is False else None


def _statuses(value: Any) -> dict[str, str] | None:
    """Return the nodes' statuses; the contract leaves a pending body open, so any other form is no error."""
    try:
        return {name: node.status for name, node in read_node_outputs(value).items()}
    except Problem:
        return None
