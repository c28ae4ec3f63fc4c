"""The harness has nothing to say of a server that keeps the contract, however it uses what the contract leaves open."""

from __future__ import annotations

import pytest
from false_alarms import SERVERS, judge
from manners import SINGLE
from serving_others import SANDBOX

SEEDS = range(1, 2)  # `python tests/conforming/false_alarms.py --seeds 20` takes more
BY_DAY = "second"


@pytest.mark.parametrize(
    "name", [pytest.param(one, marks=pytest.mark.slow if one == BY_DAY else pytest.mark.nightly) for one in SERVERS]
)
def test_correct_server_causes_no_alarm(name: str) -> None:
    """No row is a violation, and on the sandbox, which can be told to fail, none is left untried."""
    judged = judge(name, SEEDS if name == SANDBOX else SEEDS[:1])

    assert judged.alarms == []
    assert judged.verdicts["pass"] > 0
    if name == SANDBOX:
        assert judged.verdicts["not_exercised"] == 0


@pytest.mark.nightly
@pytest.mark.parametrize("name", SINGLE)
def test_one_choice_causes_no_alarm_of_a_relation(name: str) -> None:
    """A server that differs in one thing that the contract leaves open keeps every relation, in a tenth of the time."""
    judged = judge(name, SEEDS[:1], pattern="REL-*")

    assert judged.alarms == []
    assert judged.verdicts["pass"] > 0


def test_drawn_writes_cause_no_alarm() -> None:
    """By night workflows are written as is drawn: of this seed both have all of the labels in the end."""
    judged = judge(SANDBOX, SEEDS, "nightly", "REL-WF-26")

    assert judged.alarms == []
    assert judged.verdicts["pass"] > 0
