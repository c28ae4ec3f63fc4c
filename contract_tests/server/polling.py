"""Draws what a caller does with a PromptLayer run: asks for results in any form and order, waits, is called back."""

import time
from collections.abc import Iterable
from typing import Any, Final

from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from contract_tests.http.callback_listener import Delivery
from contract_tests.rules import NotExercised, Unanswered
from contract_tests.server.models.callback import Callback
from contract_tests.server.models.exchange import Exchange
from contract_tests.server.models.execution import Execution, id_of
from contract_tests.server.sequences import Fails, Machine, Sequences, Trace, steps_of
from contract_tests.server.server import ServerUnderTest

ALL_OUTPUTS: Final = {"return_all_outputs": True}
RUNS: Final[dict[str, dict[str, Any]]] = {
    "run": {},
    "run for all outputs": ALL_OUTPUTS,
    "run with a callback": {"callback_url": ...},
    "run for all outputs with a callback": {**ALL_OUTPUTS, "callback_url": ...},
}
POLLS: Final = {"ask for all outputs": True, "ask for the main output": False, "ask without the flag": None}
WAIT: Final = "wait"
RECEIVE: Final = "receive the callback"
MOST_WAITS: Final = 2


class Caller:
    """Plays one sequence: a run, and what is asked of it."""

    def __init__(self, server: ServerUnderTest, seconds_for_callback: float) -> None:
        self._server = server
        self._seconds = seconds_for_callback
        self._id: int | None = None
        self._url = ""

    def play(self, step: str) -> Exchange | Delivery | None:
        """Play a step."""
        if step in RUNS:
            return self._run(RUNS[step])
        if step == WAIT:
            time.sleep(0.1 if self._server.target.is_local else 2.0)
            return None
        if step == RECEIVE:
            if not self._url:
                raise Unanswered("no run was started that posts a callback")
            return self._server.listener.wait(self._url, 2 * self._seconds)
        if self._id is None:
            raise Unanswered("no run was started")
        return self._server.results(self._id, return_all_outputs=POLLS[step])

    def _run(self, members: dict[str, Any]) -> Exchange:
        if "callback_url" in members:
            self._url = self._server.listener.new_url("runWorkflow")
            members = {**members, "callback_url": self._url}
        started = self._server.run(**members)
        try:
            self._id = id_of(started)
        except NotExercised:
            self._id = None
        return started


class Polling(Machine):
    """Draws a run, and in which order results are asked for, time goes by and the callback is taken."""

    def __init__(self, sequences: Sequences, fails: Fails, runs: list[str]) -> None:
        super().__init__(sequences, fails)
        self._runs = runs

    @initialize(data=st.data())
    def run(self, data: st.DataObject) -> None:
        """Run the workflow."""
        self.do(data.draw(st.sampled_from(self._runs)))

    @rule(step=st.sampled_from([*POLLS, *POLLS, RECEIVE, WAIT]), times=st.sampled_from([1, 2]))
    def go_on(self, step: str, times: int) -> None:
        """Ask for results, once or twice, wait for the callback, or let time go by, in which the run may end."""
        steps = steps_of(self.trace)
        can_receive = bool(steps) and "callback_url" in RUNS[steps[0]] and RECEIVE not in steps
        if step in POLLS:
            for _ in range(times):
                self.do(step)
        elif (step == RECEIVE and can_receive) or (step == WAIT and steps.count(WAIT) < MOST_WAITS):
            self.do(step)


def executions_of(traces: Iterable[Trace]) -> list[Execution]:
    """Return the executions that were started, with what was asked of them."""
    return [execution for trace in traces if (execution := _execution_of(trace)) is not None]


def callbacks_of(traces: Iterable[Trace], seconds: float) -> list[Callback]:
    """Return the callbacks that were waited for, each of which may take so many seconds."""
    found = []
    for trace in traces:
        execution = _execution_of(trace)
        received = next((played for played in trace if played.step == RECEIVE), None)
        if execution is None or received is None:
            continue
        delivery = received.came if isinstance(received.came, Delivery) else None
        done = {poll.exchange.number for poll in execution.polls if poll.is_done}
        ends = [one.at for one in trace if isinstance(one.came, Exchange) and one.came.number in done]
        # Of an execution that was not seen to end nobody knows when its callback was due.
        ended_at = min((end for end in ends if end < received.at), default=delivery.at if delivery else None)
        if ended_at is not None:
            found.append(Callback(execution, "", seconds, ended_at, delivery))
    return found


def _execution_of(trace: Trace) -> Execution | None:
    first, *others = trace
    if not isinstance(first.came, Exchange):
        return None
    try:
        execution = Execution(first.came, asked_for_all="return_all_outputs" in RUNS[first.step])
    except NotExercised:
        return None
    for played in others:
        if isinstance(played.came, Exchange):
            execution.polled(POLLS[played.step], played.came)
    return execution
