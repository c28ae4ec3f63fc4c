"""Our client against the hostile sandbox: whatever happens, a call starts at most one run and has one typed outcome."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from workflow_runs import (
    AsyncPromptLayer,
    ContractBroken,
    MaybeSent,
    Retries,
    RunOutcome,
    StatusError,
    WorkflowRunsError,
)
from workflow_sandbox import InProcessSandbox

if TYPE_CHECKING:
    from pathlib import Path

_SEED = 20261127
_AT_ONCE = 16
# Those that only take time take none here.
_OF_REQUESTS = (
    "delay:0",
    "rate-limit",
    "rate-limit:zero",
    "error",
    "error-after",
    "error-after:503",
    "reset-before",
    "reset-after",
    "cut",
    "trickle:0",
    "media-type",
    "html",
    "unknown-property",
    "unknown-status",
)
_SHARES = {**dict.fromkeys(_OF_REQUESTS, 0.035), "stay-pending:1": 0.2}


async def _call(client: AsyncPromptLayer, number: int) -> RunOutcome | WorkflowRunsError:
    try:
        return await client.run_and_wait("canary", input_variables={"user_message": f"call {number}"}, deadline=60)
    except WorkflowRunsError as error:
        return error


async def _calls(sandbox: InProcessSandbox, count: int) -> list[RunOutcome | WorkflowRunsError]:
    outcomes: dict[int, RunOutcome | WorkflowRunsError] = {}
    numbers = iter(range(count))
    # A Retry-After that would have to be waited for is told instead.
    retries = Retries(first_wait=0, longest_retry_after=0)

    async def work(client: AsyncPromptLayer) -> None:
        for number in numbers:
            outcomes[number] = await _call(client, number)

    async with AsyncPromptLayer(api_key=sandbox.api_key, base_url=sandbox.promptlayer_url, retries=retries) as client:
        await asyncio.gather(*(work(client) for _ in range(_AT_ONCE)))
    return [outcomes[number] for number in range(count)]


def _started(database: Path) -> Counter[int]:
    """Return how many runs each call has started."""
    connection = sqlite3.connect(database)
    try:
        rows = connection.execute("SELECT input_variables FROM runs").fetchall()
    finally:
        connection.close()
    return Counter(int(json.loads(text)["user_message"].split()[1]) for (text,) in rows)


@pytest.mark.parametrize("count", [200, pytest.param(10_000, marks=pytest.mark.nightly)])
def test_a_call_starts_at_most_one_run_and_has_a_typed_outcome(tmp_path: Path, count: int) -> None:
    """Half of all requests meet a fault, by a seed. An error that rules a run out is right about it."""
    database = tmp_path / "runs.db"
    with InProcessSandbox(database=database) as sandbox:
        sandbox.set_chaos(shares=_SHARES, seed=_SEED)
        outcomes = asyncio.run(_calls(sandbox, count))
        met = {fault.partition(":")[0] for request in sandbox.requests for fault in request.faults}
    started = _started(database)

    assert not {number: times for number, times in started.items() if times > 1}
    for number, outcome in enumerate(outcomes):
        if isinstance(outcome, RunOutcome):
            assert started[number] == 1
            assert f"call {number}" in outcome.output
        elif not outcome.may_have_run:
            assert started[number] == 0
    # It was hostile indeed, and the client got through all the same.
    assert met == {fault.partition(":")[0] for fault in _SHARES}
    endings = {kind: sum(isinstance(each, kind) for each in outcomes) for kind in (RunOutcome, MaybeSent, StatusError)}
    assert all(share > count / 40 for share in endings.values())
    assert any(isinstance(each, ContractBroken) for each in outcomes)
