"""Watches executions of a PromptLayer workflow: asks for their results until they have ended, or nothing more comes."""

import time
from collections.abc import Iterator
from typing import Final

from contract_tests.server.models.exchange import Exchange
from contract_tests.server.models.execution import Execution
from contract_tests.server.server import ServerUnderTest

LOCAL_SECONDS: Final = 10.0
LIVE_SECONDS: Final = 180.0
MOST_STRAYS: Final = 3
MOST_BYTES: Final = 32 * 1024 * 1024  # of results, since what an execution said is kept to compare it


class Watcher:
    """Asks one target for the results of its executions."""

    def __init__(self, server: ServerUnderTest) -> None:
        self.server = server
        self.executions: list[Execution] = []  # all that were started, in order

    def execution(self, started: Exchange, *, asked_for_all: bool = False) -> Execution:
        """Return the execution that a run has started; raises NotExercised if it has started none."""
        execution = Execution(started, asked_for_all=asked_for_all)
        self.executions.append(execution)
        return execution

    def poll(self, execution: Execution, form: bool | None) -> None:  # noqa: FBT001
        """Ask for the results of an execution in one form."""
        execution.polled(form, self.server.results(execution.id, return_all_outputs=form))

    def watch(self, execution: Execution, forms: Iterator[bool | None], *, needs_both: bool = True) -> None:
        """Ask for results, in these forms, until they have said that the execution has ended or the time is over."""
        seconds = LOCAL_SECONDS if self.server.target.is_local else LIVE_SECONDS
        deadline, pause = time.monotonic() + seconds, self.first_pause
        while len(execution.strays) < MOST_STRAYS and not self._is_endless:
            self.poll(execution, next(forms))
            if execution.has_moved:
                self.poll(execution, True)  # noqa: FBT003 - a node that goes back is seen by who looks twice
            if execution.is_over if needs_both else execution.has_ended:
                break
            is_late = time.monotonic() > deadline
            if execution.polls and (is_late or execution.size > MOST_BYTES):
                limit = f"{seconds:g} seconds" if is_late else f"{execution.size:,} bytes"
                execution.given_up = f"still running after {limit}"
                break
            if not execution.polls or not execution.polls[-1].is_done:
                time.sleep(pause)
                pause = min(self._growth * pause, 5.0)
        execution.is_watched = True

    @property
    def _is_endless(self) -> bool:
        """Whether one of the executions will hardly end: then no other one is waited for."""
        return any(execution.is_endless for execution in self.executions)

    @property
    def first_pause(self) -> float:
        """Seconds between the first two requests for results."""
        return 0.01 if self.server.target.is_local else 0.5

    @property
    def _growth(self) -> float:
        return 1.1 if self.server.target.is_local else 1.5
