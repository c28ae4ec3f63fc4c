"""Our client against the hostile sandbox: whatever happens, a call starts at most one run and has one typed outcome."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

import pytest

from workflow_runs import (
    AsyncPromptLayer,
    CallbackListener,
    ContractBroken,
    MaybeSent,
    PromptLayer,
    Retries,
    RunOutcome,
    StatusError,
    WorkflowRunsError,
)
from workflow_sandbox import InProcessSandbox
from workflow_sandbox.faults import KINDS, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from workflow_sandbox.history import RequestRecord

    Outcome = RunOutcome | WorkflowRunsError

_SEED = 20261127
_AT_ONCE = 16
# Few enough that the sandbox remembers all their requests.
_ROUND = 100
_SECONDS = 60
# Those that only take time take little of it here.
_SHORT = {
    "delay": "delay:0.01",
    "trickle": "trickle:0.02",
    "stay-pending": "stay-pending:1",
    "callback-late": "callback-late:0.05",
}
_SHARES = {_SHORT.get(name, name): 0.15 if kind.of_run else 0.045 for name, kind in KINDS.items()}
_NOTHING_DONE = {"rate-limit", "error", "reset-before"}
# A Retry-After that would have to be waited for is told instead.
_RETRIES = Retries(first_wait=0, longest_retry_after=0)


class Round(NamedTuple):
    """What came of the calls of a round.

    Attributes:
        met: Faults, as they are written.
        told: Ids of the runs that the listener was told of.
        delivered: Ids of the runs that the sandbox has told of.
    """

    outcomes: Mapping[int, Outcome]
    requests: Iterable[RequestRecord]
    met: Iterable[str]
    told: Iterable[int]
    delivered: Iterable[int]


def _arguments(number: int, listener: CallbackListener) -> dict[str, object]:
    message = {"user_message": f"call {number}"}
    return {"input_variables": message, "callback_url": listener.url, "deadline": _SECONDS}


def _sync(sandbox: InProcessSandbox, numbers: range, listener: CallbackListener) -> dict[int, Outcome]:
    with (
        PromptLayer(api_key=sandbox.api_key, base_url=sandbox.promptlayer_url, retries=_RETRIES) as client,
        ThreadPoolExecutor(_AT_ONCE) as threads,
    ):

        def call(number: int) -> Outcome:
            try:
                return client.run_and_wait("canary", **_arguments(number, listener))  # type: ignore[arg-type]
            except WorkflowRunsError as error:
                return error

        return dict(zip(numbers, threads.map(call, numbers), strict=True))


def _async(sandbox: InProcessSandbox, numbers: range, listener: CallbackListener) -> dict[int, Outcome]:
    async def all_calls() -> list[Outcome]:
        places = asyncio.Semaphore(_AT_ONCE)
        address = sandbox.promptlayer_url
        async with AsyncPromptLayer(api_key=sandbox.api_key, base_url=address, retries=_RETRIES) as client:

            async def call(number: int) -> Outcome:
                async with places:
                    try:
                        return await client.run_and_wait("canary", **_arguments(number, listener))  # type: ignore[arg-type]
                    except WorkflowRunsError as error:
                        return error

            return await asyncio.gather(*map(call, numbers))

    return dict(zip(numbers, asyncio.run(all_calls()), strict=True))


def _played(
    sandbox: InProcessSandbox,
    listener: CallbackListener,
    play: Callable[[InProcessSandbox, range, CallbackListener], dict[int, Outcome]],
    numbers: range,
) -> Round:
    sandbox.clear_history()
    outcomes = play(sandbox, numbers, listener)
    requests = sandbox.requests
    ended: set[int] = set()
    until = time.monotonic() + _SECONDS
    while len(ended) < sum(map(_starts, requests)):
        assert time.monotonic() < until, "a callback is neither delivered nor lost"
        time.sleep(0.01)
        ended = {each.run_id for each in sandbox.callbacks if each.state in {"delivered", "lost"}}
    callbacks = sandbox.callbacks
    met = {fault for request in requests for fault in request.faults}
    met |= {fault for callback in callbacks for fault in callback.faults}
    delivered = {each.run_id for each in callbacks if each.state == "delivered"}
    return Round(outcomes, requests, met, [run.execution_id for run in listener.finished(timeout=0)], delivered)


def _starts(request: RequestRecord) -> bool:
    return request.method == "POST" and not {parse(fault).name for fault in request.faults} & _NOTHING_DONE


def _started(database: Path) -> Counter[int]:
    """Return how many runs each call has started, by the sandbox's file."""
    connection = sqlite3.connect(database)
    try:
        rows = connection.execute("SELECT input_variables FROM runs").fetchall()
    finally:
        connection.close()
    return Counter(int(json.loads(text)["user_message"].split()[1]) for (text,) in rows)


@pytest.mark.parametrize("count", [100, pytest.param(10_000, marks=pytest.mark.nightly)])
@pytest.mark.parametrize("play", [_sync, _async])
def test_a_call_starts_at_most_one_run_and_has_a_typed_outcome(
    tmp_path: Path,
    play: Callable[[InProcessSandbox, range, CallbackListener], dict[int, Outcome]],
    count: int,
) -> None:
    """Most requests and runs meet a fault, by a seed. An error that rules a run out is right about it."""
    database = tmp_path / "runs.db"
    with InProcessSandbox(database=database) as sandbox, CallbackListener() as listener:
        sandbox.set_chaos(shares=_SHARES, seed=_SEED)
        rounds = [_played(sandbox, listener, play, range(first, first + _ROUND)) for first in range(0, count, _ROUND)]
    outcomes = {number: outcome for each in rounds for number, outcome in each.outcomes.items()}
    started = _started(database)

    assert not {number: times for number, times in started.items() if times > 1}
    assert started == Counter(
        int(request.body["input_variables"]["user_message"].split()[1])
        for each in rounds
        for request in each.requests
        if _starts(request)
    )
    for number, outcome in outcomes.items():
        if isinstance(outcome, RunOutcome):
            assert started[number] == 1
            assert f"call {number}" in outcome.output
        elif not outcome.may_have_run:
            assert started[number] == 0
    # Each run that was posted comes once, however often it was posted.
    assert all(sorted(each.told) == sorted(each.delivered) for each in rounds)
    # It was hostile indeed, and the client got through all the same.
    met = {fault for each in rounds for fault in each.met}
    names = {parse(fault).name for fault in met}
    assert names >= KINDS.keys()
    if count > _ROUND:
        assert met >= {
            f"{name}:{each}" for name, kind in KINDS.items() if not kind.is_number for each in kind.arguments
        }
    endings = Counter(type(outcome).__name__ for outcome in outcomes.values())
    print(*(f"{name} {times}" for name, times in endings.most_common()), sep=", ")  # noqa: T201 - for `pytest -s`
    for kind in (RunOutcome, MaybeSent, StatusError, ContractBroken):
        assert any(isinstance(outcome, kind) for outcome in outcomes.values())
