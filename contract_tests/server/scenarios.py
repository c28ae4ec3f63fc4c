"""
Plays executions of the target's workflow, each by a script, and keeps what happens as a trace.

The three scripts of every run: an execution that is polled in both forms from its start; one with a callback, which is
polled once the callback has come; one whose output nodes fail, which only a server on this machine can be asked for.
Further ones are drawn.
"""

import contextlib
import time
from functools import cached_property
from itertools import cycle, repeat
from typing import Any, Final

from contract_tests.options import Options
from contract_tests.rules import NotExercised
from contract_tests.server.models.callback import Callback, bodies_of, came_of
from contract_tests.server.models.exchange import Exchange
from contract_tests.server.models.execution import Execution
from contract_tests.server.polling import RUNS, Caller, Polling, callbacks_of, executions_of
from contract_tests.server.sequences import Sequences, Trace
from contract_tests.server.server import PLAIN_RUN, ServerUnderTest
from contract_tests.server.watching import Watcher

FORMS: Final[tuple[bool | None, ...]] = (True, False, True, True)  # who asks for all outputs sees the nodes go on
LATER: Final[tuple[bool | None, ...]] = (True, False, None, True, False)
SECONDS_WITHOUT_POLLS: Final = 2.0
MAIN: Final = False  # the flag that asks for the main output alone


class ExecutionScenarios:
    """The executions that the rules about results and callbacks look at, played when a rule first asks for them."""

    def __init__(self, server: ServerUnderTest, options: Options) -> None:
        self.server = server
        self.watcher = Watcher(server)
        self.callbacks: list[Callback] = []  # all that were waited for, whose executions have ended
        self.sequences = Sequences(
            lambda sequences, fails: Polling(sequences, fails, self._runs_to_draw),
            lambda: Caller(server, self.seconds_for_callback),
            server.wire,
            options,
        )
        server.player = self

    @property
    def executions(self) -> list[Execution]:
        """All that were started, in order."""
        return self.watcher.executions

    @property
    def plain(self) -> Execution:
        """
        An execution that is polled in both forms from its start, and again after its end.

        Raises NotExercised if it could not be started.
        """
        self.must_start()
        if isinstance(self._plain, NotExercised):
            raise self._plain
        return self._plain

    @cached_property
    def _plain(self) -> Execution | NotExercised:
        started = self.server.once(PLAIN_RUN, self.server.run)
        try:
            execution = self.watcher.execution(started)
        except NotExercised as reason:
            return reason
        self.watcher.watch(execution, cycle(FORMS))
        time.sleep(self.watcher.first_pause)
        for form in LATER:
            self.watcher.poll(execution, form)
        return execution

    @property
    def plain_run(self) -> Exchange:
        """The response that started the plain execution, which is watched at once: it may not take long."""
        with contextlib.suppress(NotExercised):
            self._plain  # noqa: B018 - reading it is what starts and watches it
        return self.server.once(PLAIN_RUN, self.server.run)

    @cached_property
    def called_back(self) -> Callback:
        """
        An execution with a callback URL that asks for all outputs, watched until its callback has come.

        Raises NotExercised if the target's description gives no address to listen on.
        """
        started, url = self._callback_run()
        return self._watch_callback(started, url, asked_for_all=True)

    @cached_property
    def called_back_bare(self) -> Callback:
        """
        An execution with a callback URL that does not ask for all outputs.

        Raises NotExercised if the target's description gives no address to listen on.
        """
        url = self.server.listener.new_url("runWorkflow")
        started = self.server.run(callback_url=url)
        return self._watch_callback(started, url)

    def must_start(self) -> Exchange:
        """
        Return the response that started the plain execution, without which nothing else can be said of runs.

        Raises NotExercised if it was refused, which has rules of its own.
        """
        if not self.plain_run.has_succeeded:
            raise NotExercised(f"no run can be started: {self.plain_run.shown}")
        return self.plain_run

    def output_of(self, started: Exchange) -> Any:
        """
        Return the main output of a run, once it has ended.

        Raises NotExercised if the results operation does not tell.
        """
        execution = self.watcher.execution(started)
        self.watcher.watch(execution, repeat(MAIN), needs_both=False)
        poll = execution.last(all_outputs=False)
        if poll is None or not poll.exchange.has_succeeded:
            raise NotExercised("the output cannot be fetched; rules about results say why")
        return poll.body

    def output_of_version(self, number: int) -> Any:
        """Return the main output of a version of the workflow; NotExercised if it cannot be had."""
        return self.output_of(self.version_run(number))

    def version_run(self, number: int) -> Exchange:
        """The response to a run of a version."""
        run = self.server.run
        return self.server.once(f"run of version {number}", lambda: run(workflow_version_number=number))

    @property
    def run_without_variables(self) -> Exchange:
        """The response to a run without input variables."""
        return self.server.once("run without variables", lambda: self.server.run(input_variables={}))

    @property
    def called_back_run(self) -> Exchange:
        """The response that started the execution with a callback."""
        return self._callback_run()[0]

    @cached_property
    def asked_for_all(self) -> Execution:
        """An execution that was started with return_all_outputs: the one with a callback if there is one."""
        if self.server.has_listener:
            return self.called_back.execution
        execution = self.watcher.execution(self.server.run(return_all_outputs=True), asked_for_all=True)
        self.watcher.watch(execution, cycle(FORMS))
        return execution

    @cached_property
    def failing(self) -> Execution:
        """
        An execution whose output nodes fail, as the sandbox lets one ask for it; with a callback, if one can come.

        Raises NotExercised if the target is not one of this machine.
        """
        if not self.server.target.is_local:
            raise NotExercised("a live target cannot be asked for an execution that fails")
        metadata = {**self.server.metadata, "sandbox": "fail"}
        if self.server.has_listener:
            url = self.server.listener.new_url("runWorkflow")
            started = self.server.run(metadata=metadata, callback_url=url)
            execution = self._watch_callback(started, url).execution
        else:
            execution = self.watcher.execution(self.server.run(metadata=metadata))
            self.watcher.watch(execution, cycle(FORMS))
        for form in (True, False):  # a failure is as final as any other end
            self.watcher.poll(execution, form)
        return execution

    def play(self) -> None:
        """Play the drawn sequences, if runs can be started and requests are left."""
        with contextlib.suppress(NotExercised):
            if self.sequences.are_affordable and self.server.once(PLAIN_RUN, self.server.run).has_succeeded:
                self.sequences.drawn  # noqa: B018 - reading it is what plays them

    @cached_property
    def drawn(self) -> list[Execution]:
        """The executions of drawn sequences."""
        drawn = executions_of(self.sequences.drawn)
        self.watcher.executions += drawn
        return drawn

    @property
    def drawn_callbacks(self) -> list[Callback]:
        """Those callbacks of theirs that were waited for."""
        return callbacks_of(self.sequences.drawn, self.seconds_for_callback)

    def fixtures(self, trace: Trace) -> dict[str, Any]:
        """Return what the rules would look at if this had been the only sequence that was played."""
        executions, callbacks = executions_of([trace]), callbacks_of([trace], self.seconds_for_callback)
        steps = [step for execution in executions for step in execution.steps]
        judged = {"callbacks": callbacks, "came": came_of(callbacks), "bodies": bodies_of(callbacks)}
        return {"executions": executions, "failing": executions, "steps": steps, **judged}

    @cached_property
    def _runs_to_draw(self) -> list[str]:
        try:
            can_come = self.called_back.delivery is not None
        except NotExercised:
            can_come = False
        # Where one callback is lost, waiting for another tells nothing new.
        return [run for run, members in RUNS.items() if can_come or "callback_url" not in members]

    @property
    def seconds_for_callback(self) -> float:
        """How long after the end of an execution its callback may take."""
        return 3.0 if self.server.target.is_local else 60.0

    def _watch_callback(self, started: Exchange, url: str, *, asked_for_all: bool = False) -> Callback:
        execution = self.watcher.execution(started, asked_for_all=asked_for_all)
        callback = Callback(execution, url, self.seconds_for_callback)
        # Nobody asks for results meanwhile: what is asked next tells whether it was early.
        wait = self.server.listener.wait
        callback.delivery = wait(url, min(callback.seconds, SECONDS_WITHOUT_POLLS))
        self.watcher.watch(execution, cycle(FORMS))
        callback.ended_at = time.monotonic()
        callback.delivery = callback.delivery or wait(url, 2 * callback.seconds)
        self.callbacks.append(callback)
        return callback

    def _callback_run(self) -> tuple[Exchange, str]:
        url, run = self._callback_url, self.server.run
        return self.server.once("run with a callback", lambda: run(callback_url=url, return_all_outputs=True)), url

    @cached_property
    def _callback_url(self) -> str:
        return self.server.listener.new_url("runWorkflow")
