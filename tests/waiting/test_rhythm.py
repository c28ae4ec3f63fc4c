"""When a wait asks: as often as the time gone by makes it worth while, and never after the deadline."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING

import pytest
from virtual_time import Flavour, World, answer, done, node, pending, query_of

from workflow_runs import BadArgument, Retries, RunOutcome, WaitTimeout

if TYPE_CHECKING:
    import httpx


def test_pauses_follow_the_time_that_has_gone_by(flavour: Flavour) -> None:
    """A short run is noticed soon, a long one isn't asked for too often."""
    world = World([*[pending()] * 50, done()])
    assert flavour.wait(world) == RunOutcome(98765, "done")
    for began, pause in zip([0.0, *world.asked], world.pauses, strict=False):
        assert pause == pytest.approx(min(0.045 + 0.15 * began, 5))
    assert max(world.pauses) == pytest.approx(5)
    assert len([moment for moment in world.asked if moment <= 60]) == 39


@pytest.mark.parametrize("seconds_per_answer", [0.0, 0.005])
@pytest.mark.parametrize("lasts", [0, 0.04, 0.06, 0.3, 0.9, 1, 2.5, 3, 7.7, 10, 29, 32])
def test_an_outcome_is_noticed_soon(lasts: float, seconds_per_answer: float, flavour: Flavour) -> None:
    """At most 15 % and 60 ms after the run has ended, the calls included, if they take 5 ms."""
    world = World([], seconds_per_answer=seconds_per_answer)

    def handle(request: httpx.Request) -> httpx.Response:
        world.script = [done() if world.now >= lasts else pending()]
        return world(request)

    flavour.wait(world, settings={"http_client": flavour.http_client(handle)})
    assert lasts <= world.now <= 1.15 * lasts + 0.06
    assert len(world.asked) <= 40


@pytest.mark.parametrize("deadline", [0.02, 0.5, 1, 7.3, 61, 3600])
def test_the_last_question_comes_at_the_deadline(deadline: float, flavour: Flavour) -> None:
    """The time that was given is used, and no more than that."""
    world = World([pending()])
    with pytest.raises(WaitTimeout) as caught:
        flavour.wait(world, deadline=deadline)
    assert world.asked[-1] == world.now == pytest.approx(deadline)
    assert caught.value.execution_id == 98765


def test_a_wait_of_an_hour_is_the_default(flavour: Flavour) -> None:
    """Nobody waits for ever by oversight."""
    world = World([pending()])
    with pytest.raises(WaitTimeout, match="3600 s"):
        flavour.wait(world)
    assert world.now == pytest.approx(3600)


def test_no_question_is_asked_after_the_deadline(flavour: Flavour) -> None:
    """One that was asked before it may come back after it."""
    world = World([pending()], seconds_per_answer=0.9)
    with pytest.raises(WaitTimeout):
        flavour.wait(world, deadline=0.5)
    assert world.asked == [0.045]
    assert world.now == pytest.approx(0.945)


def test_an_outcome_that_comes_late_is_an_outcome(flavour: Flavour) -> None:
    """What the last question brings counts, even after the deadline."""
    world = World([done()], seconds_per_answer=0.9)
    assert flavour.wait(world, deadline=0.01).output == "done"


def test_there_may_be_no_deadline(flavour: Flavour) -> None:
    """Infinity is a number of seconds."""
    for deadline in (math.inf, 10**400):
        world = World([*[pending()] * 1000, done()])
        assert flavour.wait(world, deadline=deadline).output == "done"


@pytest.mark.parametrize("asked", ["7", "29"])
def test_a_service_may_ask_for_a_longer_pause(asked: str, flavour: Flavour) -> None:
    """A Retry-After of a pending answer is the least pause before the next question, for that pause alone."""
    world = World([pending(retry_after=asked), pending(), done()])
    flavour.wait(world)
    first, long, next_one = world.pauses
    assert first == 0.045
    assert long == float(asked)
    assert next_one < 5


def test_a_service_may_ask_by_a_date(flavour: Flavour) -> None:
    """The other form of Retry-After counts as well."""
    moment = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    world = World([pending(retry_after=moment), done()])
    flavour.wait(world)
    assert 20 < world.pauses[1] <= 30


def test_a_shorter_pause_is_not_for_the_service_to_choose(flavour: Flavour) -> None:
    """Retry-After is the least pause, not the pause."""
    world = World([*[pending(retry_after="0")] * 40, done()])
    flavour.wait(world)
    assert world.pauses[-1] == pytest.approx(5)


def test_an_absurd_wish_has_a_limit(flavour: Flavour) -> None:
    """A service that asks for a day doesn't make a run's outcome a day late: the policy has the last word."""
    world = World([pending(retry_after="86400"), done()])
    assert flavour.wait(world, settings={"retries": Retries(longest_retry_after=20)}).output == "done"
    assert world.pauses == pytest.approx([0.045, 20])


def test_a_pause_beyond_the_deadline_is_not_begun(flavour: Flavour) -> None:
    """If the service wants no question before the deadline the wait ends at once."""
    world = World([pending(retry_after="30")])
    with pytest.raises(WaitTimeout):
        flavour.wait(world, deadline=10)
    assert world.asked == [0.045]
    assert world.now == 0.045


@pytest.mark.parametrize("return_all_outputs", [True, False])
def test_every_question_is_the_same(return_all_outputs: bool, flavour: Flavour) -> None:  # noqa: FBT001
    """The form of the answer follows the question, so that it must not change on the way."""
    nodes = {"Reply": node("SUCCESS", "done")}
    world = World([pending(), pending(), answer(200, nodes if return_all_outputs else "done")])
    assert flavour.wait(world, return_all_outputs=return_all_outputs).output == "done"
    wanted = {
        "workflow_version_execution_id": "98765",
        "return_all_outputs": "true" if return_all_outputs else "false",
    }
    assert [query_of(request) for request in world.requests] == [wanted] * 3


@pytest.mark.parametrize("deadline", [-1, math.nan, "5", True, None])
def test_a_deadline_is_a_number_of_seconds(deadline: object, flavour: Flavour) -> None:
    """What no clock can reach is refused by name, before anything is asked or waited for."""
    world = World([done()])
    with pytest.raises(BadArgument) as caught:
        flavour.wait(world, deadline=deadline)
    assert caught.value.field == "deadline"
    assert (world.asked, world.now) == ([], 0)


def test_what_cannot_be_asked_is_refused_before_the_first_pause(flavour: Flavour) -> None:
    """A flag that is none is found at once, not after a pause."""
    world = World([done()])
    with pytest.raises(BadArgument) as caught:
        flavour.wait(world, return_all_outputs="yes")
    assert caught.value.field == "return_all_outputs"
    assert world.now == 0
