"""Interactly: execute a workflow turn by turn, the form with run_input and run_id."""

from functools import partial
from typing import Final

import pytest

from contract_tests.rules import NotApplicable, NotExercised
from contract_tests.rules import rule as card
from contract_tests.server.models.conversation import FINAL
from contract_tests.server.models.exchange import Exchange
from contract_tests.server.relations.known_runs import BUSY
from contract_tests.server.server import ServerUnderTest

PAGE: Final = "https://docs-qa.interactly.ai/api-reference/workflows/workflow-execution/execute-workflow (newer form)"
LIBRARY: Final = "github.com/interactly-ai/workflow-sdk 0.2.0"
rule: Final = partial(card, basis="documented", operations=["executeWorkflow"], side="server", service="interactly")


@pytest.fixture
def turns(server: ServerUnderTest) -> ServerUnderTest:
    """Return the target, if it serves this form; raises NotApplicable if it serves the other one."""
    if server.target.generation != "b":
        raise NotApplicable("the target serves the other generation of execute")
    return server


@rule("IA-EXE-58", "A body without run_input is refused.", says="run_input is required.", source=PAGE)
def test_run_input_is_required(turns: ServerUnderTest) -> None:
    turns.must_refuse(turns.execute({}))


@rule(
    "IA-EXE-59",
    "The first turn has a new run_id and the number 1.",
    says="Without run_id the service makes one; turns are counted from 1.",
    source=f"{PAGE}; {LIBRARY}",
)
def test_first_turn(turns: ServerUnderTest) -> None:
    first, second = _first(turns), turns.execute(turns.start_body)
    for reply in (first, second):
        reply.must_succeed()
        reply.expect(reply.must_have("turn_number", int) == 1, "member turn_number")
    second.expect(second.must_have("run_id", str) != first.must_have("run_id", str), "member run_id")


@rule(
    "IA-EXE-60",
    "A further turn has the same run_id and a higher number.",
    says="Later turns echo run_id, keep the version of the first one, and are counted on.",
    source=f"{PAGE}; {LIBRARY}",
)
def test_further_turn(turns: ServerUnderTest) -> None:
    first = _must_be_open(_first(turns))
    further = _further(turns, "data").must_succeed()
    further.expect(further.must_have("run_id", str) == first.must_have("run_id", str), "member run_id")
    further.expect(further.must_have("turn_number", int) > first.must_have("turn_number", int), "member turn_number")


@rule(
    "IA-EXE-61",
    "stop cancels the run.",
    says="A run is cancelled by the command stop together with its run_id; its status is cancelled then.",
    source=PAGE,
)
def test_stop_cancels(turns: ServerUnderTest) -> None:
    started = _must_be_open(turns.execute(turns.start_body).must_succeed())
    stop = turns.body_of({**turns.start_input, "command": "stop"}, run_id=started.must_have("run_id", str))
    reply = turns.execute(stop).must_succeed()
    reply.expect(reply.must_have("status", str) == "cancelled", "member status")


@rule(
    "IA-EXE-83",
    "A turn of a run that does not exist is answered 404.",
    says="The vendor's library expects 404 for a session that is gone, which run_id names.",
    source=f"{LIBRARY}, its tests",
)
def test_turn_of_an_unknown_run(turns: ServerUnderTest) -> None:
    turns.must_refuse(turns.command_to_no_run(), 404)


@rule(
    "IA-EXE-62",
    "is_completed, is_waiting_for_input and error go with the status.",
    says="is_completed tells that nothing more may be sent, is_waiting_for_input that something is wanted, error why "
    "the run failed.",
    source=LIBRARY,
    basis="inferred",
)
def test_flags_go_with_the_status(turns: ServerUnderTest) -> None:
    _first(turns)
    for reply in turns.watch.of("executeWorkflow"):
        # What has taken a body without a turn, and answers it, is a matter of IA-EXE-58.
        if not (reply.has_succeeded and reply.is_object and "turn_number" in reply.json):
            continue
        body, status = reply.json, reply.must_have("status", str)
        completed = reply.must_have("is_completed", bool)
        reply.expect(completed == (status in FINAL), "member is_completed")
        reply.expect(not (completed and body.get("is_waiting_for_input")), "member is_waiting_for_input")
        reply.expect(body.get("error") is None or status == "failed", "member error")


def _first(turns: ServerUnderTest) -> Exchange:
    return turns.once("first turn", lambda: turns.execute(turns.start_body))


def _further(turns: ServerUnderTest, command: str) -> Exchange:
    body = turns.body_of({**turns.start_input, "command": command}, run_id=_first(turns).must_have("run_id", str))
    return turns.once(f"further turn {command}", lambda: turns.execute(body))


def _must_be_open(started: Exchange) -> Exchange:
    """Return the response to a first turn; raises NotExercised if the run takes no further one, or not yet."""
    if started.must_have("is_completed", bool):
        raise NotExercised("the run was completed by its first turn")
    if started.result.get("status") in BUSY:
        raise NotExercised("the run goes on by itself after its first turn")
    return started
