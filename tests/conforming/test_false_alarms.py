"""The harness has nothing to say of a server that keeps the contract, however it uses what the contract leaves open."""

from __future__ import annotations

import pytest
from false_alarms import SERVERS, judge
from serving_others import SANDBOX

SEEDS = range(1, 2)  # `python tests/conforming/false_alarms.py --seeds 20` takes more


@pytest.mark.slow
@pytest.mark.parametrize("name", SERVERS)
def test_correct_server_causes_no_alarm(name: str) -> None:
    """No row is a violation, and on the sandbox, which can be told to fail, none is left untried."""
    judged = judge(name, SEEDS if name == SANDBOX else SEEDS[:1])

    assert judged.alarms == []
    assert judged.verdicts["pass"] > 0
    if name == SANDBOX:
        assert judged.verdicts["not_exercised"] == 0
