"""What is left to a client is not held against it, in whatever way it does that."""

from pathlib import Path
from typing import Any

import pytest
from judging_clients import Judge, client_rules, judging
from mannered_client import MANNERS

from contract_tests.client.subject_process import Choice
from contract_tests.rules import Verdict

SPEC = Path(__file__).with_name("shelf.yaml")
OF_REQUESTS = {rule.id for rule in client_rules() if rule.id.startswith("CL-REQ")}


def sent(judge: Judge) -> set[Any]:
    """Give all legal requests as they stood on the wire, without what differs from run to run."""
    key, host = judge.client.session.key, judge.client.session.server.url.removeprefix("http://")
    return {
        (seen.target, seen.body, repr(seen.headers).replace(key, "key").replace(host, "host"))
        for operation in judge.client.contract.operations
        for trial in judge.client.of(operation).legal_requests()
        for seen in trial.seen
    }


@pytest.fixture(scope="module")
def usual() -> set[Any]:
    """Give what the conforming client sends."""
    with judging(Choice(adapter="shelf_client:Conforming"), SPEC) as judge:
        return sent(judge)


def test_what_is_usual_is_the_same_every_time(usual: set[Any]) -> None:
    """The conforming client sends the same again, so that a manner is what makes a difference."""
    with judging(Choice(adapter="shelf_client:Conforming"), SPEC) as judge:
        assert sent(judge) == usual


@pytest.mark.parametrize("manner", MANNERS)
def test_a_manner_is_no_breach(manner: str, usual: set[Any]) -> None:
    """No rule about requests finds anything in what is not sent as usual, and each of them has judged it."""
    with judging(Choice(adapter=f"mannered_client:with_manner.{manner}"), SPEC) as judge:
        verdicts = judge.verdicts(*OF_REQUESTS)
        assert sent(judge) - usual

    assert [judged for judged in verdicts if judged.verdict is Verdict.VIOLATION] == []
    assert {judged.rule.id for judged in verdicts if judged.verdict is Verdict.PASS} == OF_REQUESTS
