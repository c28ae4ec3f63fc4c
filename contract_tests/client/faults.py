"""Plays what goes wrong on the wire: mostly waiting, so many calls wait at the same time."""

from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

from contract_tests.cases.network import FaultCase
from contract_tests.client.outcome import Lost, Raised
from contract_tests.client.session import Trial
from contract_tests.http.recording_server import REQUEST_LIMIT

AT_A_TIME: Final = 48

FaultTrial = Trial[FaultCase]
Tried = TypeVar("Tried", bound=Trial[Any])


def play_faults(calls: Sequence[Callable[[], Tried]]) -> list[Tried]:
    """Return what came of calls on a wire that misbehaves, each of which may be made again."""
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        played = list(pool.map(_make, calls))
    # All calls of a moment share one process: what another call did to it says nothing of this one. So whoever was
    # lost with it is called again, without the cases that end it, and then alone. Alone a call that hangs costs its
    # whole time, so a case that hung once is not tried again; one that storms is stopped at once. On a busy machine a
    # short time-out may also pass before anything is sent.
    for at_a_time, is_guilty in ((AT_A_TIME, _ends_its_process), (1, _hangs)):
        guilty = {trial.case.name for trial in played if is_guilty(trial)}
        lost = [index for index, trial in enumerate(played) if _proves_nothing(trial, guilty)]
        with ThreadPoolExecutor(at_a_time) as pool:
            for index, trial in zip(lost, pool.map(_make, [calls[index] for index in lost]), strict=True):
                played[index] = trial
    return played


def _make(call: Callable[[], Tried]) -> Tried:
    return call()


def _hangs(trial: Trial[Any]) -> bool:
    return isinstance(trial.outcome, Lost) and trial.outcome.is_hung


def _ends_its_process(trial: Trial[Any]) -> bool:
    """Return whether a call hung or sent requests without end."""
    return _hangs(trial) or (isinstance(trial.outcome, Lost) and len(trial.seen) >= REQUEST_LIMIT)


def _proves_nothing(trial: Trial[Any], guilty: Collection[str]) -> bool:
    """Return whether a call was lost with a process that another one ended, or was over before it was sent."""
    if isinstance(trial.outcome, Lost):
        return not _ends_its_process(trial) and trial.case.name not in guilty
    return isinstance(trial.outcome, Raised) and not trial.seen
