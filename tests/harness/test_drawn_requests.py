"""A breach that only drawn requests show: found, shrunk to the smallest request, and found again by what is printed."""

import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from breaking_proxy import Break, BreakingProxy, Reply, Request
from judging import Judgement, judge, promptlayer, targets_file
from server_breaks import is_run

from workflow_sandbox.server import Sandbox

PAIR = "Ê©"  # stands in what seed 1 draws, in no example and at no edge of a schema
LONGEST = 20


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict | list):
        for inner in [*value, *value.values()] if isinstance(value, dict) else value:
            yield from _texts(inner)
    elif isinstance(value, str):
        yield value


def _fails_on_a_long_pair(request: Request, reply: Reply) -> None:
    is_met = any(PAIR in text and len(text) > LONGEST for text in _texts(request.json))
    reply.status = 500 if is_met and is_run(request) else reply.status


@pytest.fixture
def proxy(sandbox: Sandbox) -> Iterator[BreakingProxy]:
    """A server that fails on a text that holds the pair and is long."""
    with BreakingProxy(sandbox.promptlayer_url, Break(after=_fails_on_a_long_pair)) as broken:
        yield broken


def _judged(folder: Path, proxy: BreakingProxy, *more: str, **changes: Any) -> Judgement:
    path = targets_file(folder, {"broken": promptlayer(proxy.url, **changes)})
    only = ("--side", "server", "--target", "broken", "--targets", str(path), "-k", "SRV-01", "--seed=1")
    return judge(folder, *only, *more)


@pytest.mark.slow
def test_the_smallest_request_is_reported_and_found_again(
    tmp_path: Path, proxy: BreakingProxy, few: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has one text of 21 characters and nothing else; the second command finds it, and the first one sends it."""
    monkeypatch.setattr("contract_tests.server.drawn_requests.MOST_SECONDS", 600.0)  # however busy the machine is
    row = _judged(tmp_path, proxy, *few).row("SRV-01", "runWorkflow")
    curl, again = row["reproduce"].splitlines()
    body = json.loads(shlex.split(curl)[-1])
    (text,) = [one for one in _texts(body) if PAIR in one]
    _, _, _, *arguments = shlex.split(again)
    repeated = judge(tmp_path / "again", *arguments).row("SRV-01", "runWorkflow")

    assert row["identity"].endswith("/post/responses 5XX")
    assert "; shrunk from " in row["received"]
    assert sorted(text) == sorted(PAIR + "0" * (LONGEST + 1 - len(PAIR)))
    assert body == {text: None}
    assert (repeated["identity"], repeated["reproduce"]) == (row["identity"], row["reproduce"])


@pytest.mark.nightly
def test_shrinking_stays_within_the_requests_of_the_target(
    tmp_path: Path, proxy: BreakingProxy, few: tuple[str, str]
) -> None:
    """The breach is reported with what a few requests could do, and requests are left for what comes then."""
    judgement = _judged(tmp_path, proxy, *few, max_requests=150)
    (target,) = judgement.report["targets"]

    assert judgement.row("SRV-01", "runWorkflow")["verdict"] == "violation"
    assert "python -m contract_tests" in judgement.row("SRV-01", "runWorkflow")["reproduce"]
    assert target["requests"] == len(proxy.seen) < 150
    assert target["left_out"] == 0
