"""Questions that get no answer: they are asked again until the deadline, and what they can't mend ends the wait."""

from __future__ import annotations

import logging
import random
from typing import Any

import httpx
import pytest
from virtual_time import Flavour, World, answer, done, failed_form, node, pending, raw

from workflow_runs import (
    ContractBroken,
    MaybeSent,
    NotSent,
    Retries,
    RunFailed,
    ServerError,
    StatusError,
    TooManyRequests,
    WaitTimeout,
    WorkflowRunsError,
)

LOST: dict[str, tuple[Any, type[WorkflowRunsError]]] = {
    "refused": (httpx.ConnectError("connection refused"), NotSent),
    "connect time-out": (httpx.ConnectTimeout("late"), NotSent),
    "reset": (httpx.ReadError("reset"), MaybeSent),
    "read time-out": (httpx.ReadTimeout("late"), MaybeSent),
    "cut": (httpx.RemoteProtocolError("peer closed connection"), MaybeSent),
    "429": (answer(429, {"message": "slow down"}), TooManyRequests),
    "500": (answer(500, {"message": "oops"}), ServerError),
    "502": (raw("<h1>Bad gateway</h1>", "text/html", 502), ServerError),
    "503": (answer(503), ServerError),
    "529": (answer(529), ServerError),
}
FINAL: dict[str, tuple[Any, type[WorkflowRunsError]]] = {
    "302": (answer(302, None, location="https://example.com"), StatusError),
    "400": (answer(400, {"message": "m"}), StatusError),
    "401": (answer(401, {"message": "m"}), StatusError),
    "403": (answer(403, {"message": "m"}), StatusError),
    "404": (answer(404, {"message": "m"}), StatusError),
    "422": (answer(422, {"detail": []}), StatusError),
    "html": (raw("<h1>Welcome</h1>", "text/html"), ContractBroken),
    "cut JSON": (raw('{"a": '), ContractBroken),
    "failure": (failed_form({"Reply": node("FAILED")}), RunFailed),
}


@pytest.fixture(params=[*LOST.values()], ids=[*LOST])
def lost(request: pytest.FixtureRequest) -> tuple[Any, type[WorkflowRunsError]]:
    """What makes a question get lost, and the error that stands for it."""
    chosen: tuple[Any, type[WorkflowRunsError]] = request.param
    return chosen


@pytest.mark.parametrize("further_tries", [1, 2, 5])
def test_a_run_outlasts_a_trouble_that_passes(further_tries: int, lost: Any, flavour: Flavour) -> None:
    """However long questions get lost: as long as there is time, the outcome is asked for."""
    world = World([pending(), *[lost[0]] * 20, pending(), lost[0], done()])
    assert flavour.wait(world, settings={"retries": further_tries}).output == "done"
    assert len(world.asked) == 24


def test_a_trouble_that_stays_ends_at_the_deadline(lost: Any, flavour: Flavour) -> None:
    """The run goes on as far as anybody knows; the last error is the cause."""
    world = World([lost[0]])
    with pytest.raises(WaitTimeout) as caught:
        flavour.wait(world, deadline=60)
    assert type(caught.value.__cause__) is lost[1]
    assert caught.value.execution_id == 98765
    assert max(world.asked) <= world.now <= 60


def test_a_policy_without_further_tries_ends_the_wait(lost: Any, flavour: Flavour) -> None:
    """Who wants every request sent once gets the first error."""
    world = World([lost[0]])
    with pytest.raises(lost[1]):
        flavour.wait(world, settings={"retries": 0})
    assert len(world.asked) == 1


@pytest.mark.parametrize(("reply", "error"), FINAL.values(), ids=FINAL)
def test_what_asking_again_cannot_mend_ends_the_wait(reply: Any, error: type[Exception], flavour: Flavour) -> None:
    """A wrong key, an unknown execution, a broken reply or a failed run is told at once."""
    world = World([pending(), reply])
    with pytest.raises(error):
        flavour.wait(world)
    assert len(world.asked) == 2


def test_a_lost_question_is_asked_again_sooner_than_the_next_one_would_be(flavour: Flavour) -> None:
    """The client's own policy says how soon, until its further tries are used up; an answer gives them back."""
    lost = httpx.ReadError("reset")
    world = World([*[pending()] * 40, lost, lost, lost, done()])
    flavour.wait(world, settings={"retries": Retries(further_tries=2, first_wait=0.1)})
    assert world.pauses[39] == world.pauses[40] == pytest.approx(5)
    assert world.pauses[41] <= 0.1
    assert world.pauses[42] <= 0.2
    assert world.pauses[43] == pytest.approx(5)


def test_the_last_question_has_its_further_tries(flavour: Flavour) -> None:
    """A connection that the service has closed meanwhile doesn't cost the outcome; a slow loss does."""
    for seconds, questions in ((0.1, 3), (2, 1)):
        world = World([httpx.ReadError("reset"), httpx.ReadError("reset"), done()], seconds_per_answer=seconds)
        try:
            assert flavour.wait(world, deadline=0.1).output == "done"
        except WaitTimeout:
            assert questions == 1
        assert len(world.asked) == questions


def test_the_deadline_ends_a_wait_without_further_tries_as_any_other(flavour: Flavour) -> None:
    """A question that it cuts off is no broken connection; one that is lost before is."""
    for seconds, end in ((2, WaitTimeout), (0.01, MaybeSent)):
        world = World([httpx.ReadTimeout("over")], seconds_per_answer=seconds)
        with pytest.raises(end):
            flavour.wait(world, deadline=0.1, settings={"retries": 0})


@pytest.mark.parametrize("status", [429, 503])
def test_a_refusal_may_ask_for_a_longer_pause(status: int, flavour: Flavour) -> None:
    """Retry-After counts on errors as on pending answers, after the last further try as well."""
    world = World([answer(status, None, retry_after="30"), answer(status, None, retry_after="31"), done()])
    flavour.wait(world, settings={"retries": 1})
    assert world.pauses == pytest.approx([0.045, 30, 31])


def test_a_refusal_beyond_the_deadline_ends_the_wait(flavour: Flavour) -> None:
    """No question is asked before the service allows it, nor after the deadline."""
    world = World([answer(429, None, retry_after="30")])
    with pytest.raises(WaitTimeout):
        flavour.wait(world, deadline=20)
    assert world.asked == [0.045]


@pytest.mark.parametrize("seed", range(150))
def test_any_schedule_of_troubles_keeps_the_promises(seed: int, flavour: Flavour) -> None:
    """Questions come in time and not before the service allows; the outcome is found if there was time for it."""
    chance = random.Random(seed)  # noqa: S311 - a schedule, no secret
    choices = [
        pending(),
        pending(retry_after="4"),
        answer(503, None, retry_after="9"),
        *(each for each, _ in LOST.values()),
    ]
    script = [chance.choice(choices) for _ in range(chance.randrange(12))]
    deadline = chance.choice([1, 10, 40, 300])
    world = World([*script, done(seed)], seconds_per_answer=chance.choice([0, 0.2, 3]))
    try:
        outcome = flavour.wait(world, deadline=deadline, settings={"retries": chance.choice([1, 2, 6])})
        assert outcome.output == seed
        assert len(world.asked) == len(script) + 1
    except WaitTimeout:
        assert len(world.asked) <= len(script)
    # A last question that gets lost quickly is asked again at once.
    assert max(world.asked) <= deadline + 1
    for earlier, told, later in zip(world.asked, script, world.asked[1:], strict=False):
        asked = told.headers.get("retry-after", "0") if isinstance(told, httpx.Response) else "0"
        assert later - earlier >= world.seconds_per_answer + float(asked) - 1e-9


def test_a_failure_in_the_documented_form_brings_its_nodes(flavour: Flavour) -> None:
    """Both forms of a failure tell the same: execution, nodes, reasons."""
    nodes = {"Draft": node("SUCCESS", 1, is_output=False), "Reply": {**node("FAILED"), "error_message": "refused"}}
    for reply in (failed_form(nodes), answer(200, nodes)):
        with pytest.raises(RunFailed, match="execution 98765 has ended without an output; Reply: refused") as caught:
            flavour.wait(World([reply]))
        assert caught.value.execution_id == 98765
        assert caught.value.nodes is not None
        assert caught.value.nodes["Reply"].error_message == "refused"
        assert caught.value.status == reply.status_code


@pytest.mark.parametrize("output", [None, "", {}, 5, {"Reply": 1}, {"Reply": {"status": 1}}])
def test_a_failure_without_nodes_keeps_its_output(output: Any, flavour: Flavour) -> None:
    """The failure form allows any output, and the service's words take the nodes' place."""
    with pytest.raises(RunFailed, match=r"execution 98765 .*; out of luck") as caught:
        flavour.wait(World([failed_form(output, "out of luck")]))
    assert caught.value.output == output
    assert caught.value.nodes is None


def test_broken_nodes_are_told_by_their_path(flavour: Flavour) -> None:
    """The error says where, and keeps the raw reply and the service's name for the request."""
    nodes = {"Draft": node("SUCCESS"), "Reply": {**node("SUCCESS"), "status": None}}
    with pytest.raises(ContractBroken) as caught:
        flavour.wait(World([answer(200, nodes, x_request_id="r-1")]), return_all_outputs=True)
    assert caught.value.path == "$.Reply.status"
    assert (caught.value.expected, caught.value.received) == ("a text", "null")
    assert (caught.value.status, caught.value.request_id) == (200, "r-1")


def test_the_first_question_is_always_asked(flavour: Flavour) -> None:
    """A deadline that is over before anything could be asked still gives an outcome that is there."""
    world = World([done()])
    assert flavour.wait(world, deadline=0).output == "done"
    assert len(world.asked) == 1


def test_a_log_line_of_a_lost_question_has_no_word_of_the_service(
    flavour: Flavour, caplog: pytest.LogCaptureFixture
) -> None:
    """It may have sent back what the run was started with."""
    caplog.set_level(logging.DEBUG, "workflow_runs")
    flavour.wait(World([answer(503, {"message": "can't run on an-input"}), httpx.ReadError("an-input"), done()]))
    told = "\n".join(record.getMessage() for record in caplog.records if record.name == "workflow_runs")
    assert "execution 98765: a question got no answer (ServerError, status 503); asking again" in told
    assert "an-input" not in told
