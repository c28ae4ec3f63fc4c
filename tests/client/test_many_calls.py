"""More calls at once than connections: they wait for their turn, and neither fail nor starve."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from client_calls import KEY
from keeping_loop import KeepingLoop

from workflow_runs import AsyncPromptLayer, NotSent, PromptLayer
from workflow_runs_api import pool

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

_PLACES = 100


@pytest.fixture(params=[None, "aiohttp"], ids=["httpx", "aiohttp"])
def below(request: pytest.FixtureRequest) -> Any:
    """What sends for the asyncio client."""
    return request.param


def _played(
    below: Any, play: Callable[[KeepingLoop, AsyncPromptLayer], Coroutine[Any, Any, None]], **named: Any
) -> None:
    async def whole() -> None:
        service = KeepingLoop()
        async with service.running() as address:
            client = AsyncPromptLayer(api_key=KEY, base_url=address, retries=0, http_client=below, **named)
            async with client:
                await play(service, client)

    asyncio.run(whole())


async def _id(client: AsyncPromptLayer, number: int) -> int:
    return (await client.run_workflow(str(number))).workflow_version_execution_id


def _called(client: AsyncPromptLayer, *numbers: int) -> list[asyncio.Task[int]]:
    return [asyncio.create_task(_id(client, number)) for number in numbers]


@pytest.mark.parametrize(("calls", "below"), [(2_000, None), (600, "aiohttp")])
def test_all_calls_are_made(calls: int, below: Any) -> None:
    """Each gets its own reply, over a hundred connections at most, however long it has waited for one."""

    async def play(service: KeepingLoop, client: AsyncPromptLayer) -> None:
        assert await asyncio.gather(*_called(client, *range(calls))) == [*range(calls)]
        assert sorted(service.names, key=int) == [str(number) for number in range(calls)]
        assert len(set(service.peers)) <= _PLACES

    _played(below, play)


def test_waiting_for_a_place_is_no_time_out(below: Any) -> None:
    """`timeout` and `total_timeout` don't count for it: the clock starts with the connection."""

    async def play(service: KeepingLoop, client: AsyncPromptLayer) -> None:
        first, later = range(_PLACES), range(_PLACES, _PLACES + 20)
        service.held = {str(number) for number in first}
        unhurried = client.with_options(timeout=600, total_timeout=600)
        holding = _called(unhurried, *first)
        await service.until("names", _PLACES)
        queueing = _called(client, *later)
        await asyncio.sleep(1.6)
        assert len(service.names) == _PLACES
        await service.let(*service.held)
        assert await asyncio.gather(*holding, *queueing) == [*first, *later]

    _played(below, play, timeout=1.5, total_timeout=1.5)


def test_who_comes_first_is_served_first(below: Any) -> None:
    """A place that becomes free goes to the call that has waited longest; one that was cancelled loses none."""

    async def play(service: KeepingLoop, client: AsyncPromptLayer) -> None:
        service.held = {str(number) for number in range(_PLACES + 10)}
        calls = _called(client, *range(_PLACES))
        await service.until("names", _PLACES)
        queueing = _called(client, *range(_PLACES, _PLACES + 10))
        await asyncio.sleep(0)
        for cancelled in queueing[::2]:
            cancelled.cancel()
        for served, number in enumerate(range(_PLACES + 1, _PLACES + 10, 2), 1):
            await service.let(str(served))
            await service.until("names", _PLACES + served)
            assert service.names[-1] == str(number)
        await service.let(*service.held)
        await asyncio.gather(*calls, *queueing[1::2])
        assert await asyncio.gather(*_called(client, *range(_PLACES))) == [*range(_PLACES)]

    _played(below, play)


def test_a_call_that_is_cancelled_under_way_frees_its_place(below: Any) -> None:
    """So that the next one goes on."""

    async def play(service: KeepingLoop, client: AsyncPromptLayer) -> None:
        service.held = {str(number) for number in range(_PLACES)}
        calls = _called(client, *range(_PLACES))
        await service.until("names", _PLACES)
        queueing = _called(client, _PLACES)
        calls[7].cancel()
        assert await asyncio.gather(*queueing) == [_PLACES]
        await service.let(*service.held)
        await asyncio.gather(*calls[:7], *calls[8:])

    _played(below, play)


def test_a_bound_on_waiting_for_a_place_names_the_limit(below: Any) -> None:
    """Whoever wants one gives an `httpx.Timeout`; nothing was sent then, and the words say of how many."""

    async def play(service: KeepingLoop, client: AsyncPromptLayer) -> None:
        service.held = {str(number) for number in range(_PLACES)}
        calls = _called(client, *range(_PLACES))
        await service.until("names", _PLACES)
        with pytest.raises(NotSent, match="all 100 connections"):
            await _id(client.with_options(timeout=httpx.Timeout(30, pool=0.05)), 1)
        await service.let(*service.held)
        await asyncio.gather(*calls)

    _played(below, play)


def test_closing_ends_the_queue(below: Any) -> None:
    """Calls that still wait when the client is closed have sent nothing, and say so."""

    async def play(service: KeepingLoop, client: AsyncPromptLayer) -> None:
        service.held = {str(number) for number in range(_PLACES)}
        calls = _called(client, *range(_PLACES))
        await service.until("names", _PLACES)
        queueing = _called(client, _PLACES, _PLACES + 1)
        await asyncio.sleep(0)
        await client.aclose()
        ends = await asyncio.gather(*queueing, return_exceptions=True)
        assert [type(end) for end in ends] == [NotSent, NotSent]
        assert "was closed" in str(ends[0])
        await asyncio.gather(*calls, return_exceptions=True)

    _played(below, play)


def test_the_first_connections_are_used_first() -> None:
    """After many calls at once, those one after the other go over one connection."""

    async def play(service: KeepingLoop, client: AsyncPromptLayer) -> None:
        await asyncio.gather(*_called(client, *range(20)))
        for number in range(5):
            await _id(client, number)
        assert len(set(service.peers[-5:])) == 1
        assert service.open <= 20

    _played(None, play)


def test_idle_connections_are_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that a burst has opened and nobody needs any more go away with one of the next calls."""
    monkeypatch.setattr(pool, "KEPT", 0.2)
    monkeypatch.setattr(pool, "_LOOKED_FOR", 0.0)

    async def play(service: KeepingLoop, client: AsyncPromptLayer) -> None:
        service.held = {str(number) for number in range(20)}
        calls = _called(client, *range(20))
        await service.until("names", 20)
        await service.let(*service.held)
        await asyncio.gather(*calls)
        await asyncio.sleep(0.3)
        await _id(client, 1)
        await service.until("open", 1)

    _played(None, play)


def test_threads_queue_too() -> None:
    """Six hundred threads with one client: each gets its own reply."""
    service = KeepingLoop()

    def call(client: PromptLayer, number: int) -> int:
        return client.run_workflow(str(number)).workflow_version_execution_id

    async def whole() -> None:
        async with service.running() as address:
            with ThreadPoolExecutor(600) as threads, PromptLayer(api_key=KEY, base_url=address, retries=0) as client:
                loop = asyncio.get_running_loop()
                calls = [loop.run_in_executor(threads, call, client, number) for number in range(600)]
                assert await asyncio.gather(*calls) == [*range(600)]
        assert len(set(service.peers)) <= _PLACES

    asyncio.run(whole())
