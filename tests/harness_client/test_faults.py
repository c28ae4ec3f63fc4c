"""Calls on a wire that misbehaves are made at the same time, and again where that has proven nothing."""

from dataclasses import replace

from contract_tests.cases.network import FaultCase
from contract_tests.client.faults import FaultTrial, play_faults
from contract_tests.client.session import Trial
from contract_tests.http.recording_server import RecordedRequest

SEEN = RecordedRequest(method="GET", target="/", headers=(), body=b"", at=0)
TIME_OUT: FaultTrial = Trial(
    case=FaultCase(name="no answer", kind="time-out", answers=(), timeout=0.5),
    mode="sync",
    seen=(SEEN,),
    told={"kind": "error", "type_name": "TimeoutError"},
)
TOO_EARLY = replace(TIME_OUT, seen=())
LOST = replace(TIME_OUT, seen=(), told={"kind": "lost", "reason": "another call hung"})
HUNG = replace(LOST, told={"kind": "lost", "reason": "it hung", "is_hung": True})


def played(*trials: FaultTrial) -> tuple[FaultTrial, int]:
    """Return what is kept of a call that comes to these trials in turn, and how often it was made."""
    made = iter(trials)
    (kept,) = play_faults([lambda: next(made)])
    return kept, len(trials) - len(list(made))


def test_a_call_that_proves_nothing_is_made_again() -> None:
    """So is one that was lost with another one's process, and one whose time had passed before it was sent."""
    assert played(TIME_OUT, LOST) == (TIME_OUT, 1)
    assert played(TOO_EARLY, TIME_OUT, LOST) == (TIME_OUT, 2)
    assert played(LOST, TOO_EARLY, TIME_OUT) == (TIME_OUT, 3)


def test_a_call_that_hangs_is_not_made_again() -> None:
    """It would take its whole time once more."""
    assert played(HUNG, TIME_OUT) == (HUNG, 1)
