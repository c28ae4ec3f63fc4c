"""One client in several threads, event loops and processes, and after a call that was broken off."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import threading
import warnings
import weakref
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import httpx
import pytest
from client_calls import KEY
from keeping_server import KeepingServer

from workflow_runs import AsyncPromptLayer, MaybeSent, PromptLayer, WorkflowRunsError

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def server() -> Iterator[KeepingServer]:
    """A service that keeps its connections open."""
    with KeepingServer() as running:
        yield running


@pytest.fixture
def client(server: KeepingServer) -> Iterator[PromptLayer]:
    """A client of its own."""
    with PromptLayer(api_key=KEY, base_url=server.url, retries=0) as opened:
        yield opened


# A pool from under which an ended event loop or another thread has pulled the ground can't hang up in order.
left_behind = pytest.mark.filterwarnings(
    "ignore:unclosed:ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)


@pytest.fixture
def collected() -> Iterator[None]:
    """What a test leaves behind is its own matter, not that of the next one."""
    yield
    gc.collect()


def _id(client: PromptLayer, number: int) -> int:
    return client.run_workflow(str(number)).workflow_version_execution_id


def test_threads_share_a_client(client: PromptLayer, server: KeepingServer) -> None:
    """However many threads make its first call at once, there is one pool, and each gets its own reply."""
    start = threading.Barrier(16)

    def several(thread: int) -> list[int]:
        start.wait()
        return [_id(client, 100 * thread + call) for call in range(5)]

    with ThreadPoolExecutor(16) as threads:
        found = list(threads.map(several, range(16)))
    assert found == [[100 * thread + call for call in range(5)] for thread in range(16)]
    assert server.connections <= 16
    assert {headers["user-agent"].partition("/")[0] for _, headers in server.requests} == {"workflow-runs"}


def test_a_forked_process_has_connections_of_its_own(client: PromptLayer, server: KeepingServer) -> None:
    """Two processes on one socket would get each other's replies."""
    assert _id(client, 1) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 on warns of threads; this child uses one
        child = os.fork()
    if child == 0:
        try:
            fits = all(_id(client, number) == number for number in range(10, 15))
            client.close()
        finally:
            os._exit(0 if fits else 1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert server.connections == 2
    assert _id(client, 2) == 2
    assert server.connections == 2, "the child has closed a connection of its parent's"


@left_behind
@pytest.mark.usefixtures("collected")
def test_one_client_serves_one_event_loop_after_the_other(server: KeepingServer) -> None:
    """`asyncio.run` may be called again and again with the same client, and each request goes out once."""
    client = AsyncPromptLayer(api_key=KEY, base_url=server.url, retries=0)

    loops = []

    async def once(number: int) -> int:
        loops.append(weakref.ref(asyncio.get_running_loop()))
        return (await client.run_workflow(str(number))).workflow_version_execution_id

    assert [asyncio.run(once(number)) for number in (1, 2, 3)] == [1, 2, 3]
    assert len(server.requests) == 3
    gc.collect()
    assert [loop() for loop in loops[:2]] == [None, None], "a loop that has ended is kept"

    async def last() -> int:
        async with client:
            return await once(4)

    assert asyncio.run(last()) == 4


def test_one_client_serves_two_event_loops_at_once(server: KeepingServer) -> None:
    """Each loop has a pool of its own, which stays while the other works."""
    client = AsyncPromptLayer(api_key=KEY, base_url=server.url, retries=0)
    turns = threading.Barrier(2)

    async def several(first: int) -> list[int]:
        found = []
        for number in range(first, first + 5):
            turns.wait()
            found.append((await client.run_workflow(str(number))).workflow_version_execution_id)
        await client._connection._standings[asyncio.get_running_loop()].http.aclose()
        return found

    with ThreadPoolExecutor(2) as threads:
        assert list(threads.map(lambda first: asyncio.run(several(first)), (10, 20))) == [
            [*range(10, 15)],
            [*range(20, 25)],
        ]
    assert server.connections == 2


@left_behind
@pytest.mark.usefixtures("collected")
def test_a_brought_client_in_another_event_loop_ends_in_a_typed_error(server: KeepingServer) -> None:
    """Then httpx ends in a RuntimeError there, with the request perhaps on its way: the run is in doubt."""
    http = httpx.AsyncClient()
    client = AsyncPromptLayer(api_key=KEY, base_url=server.url, retries=0, http_client=http)

    async def once() -> None:
        await client.run_workflow("1")

    asyncio.run(once())
    with pytest.raises(MaybeSent, match="RuntimeError") as caught:
        asyncio.run(once())
    assert caught.value.may_have_run


@left_behind
@pytest.mark.usefixtures("collected")
def test_closing_a_client_under_a_call_ends_it_in_a_typed_error(client: PromptLayer, server: KeepingServer) -> None:
    """Another thread may close it at any moment."""
    with ThreadPoolExecutor(1) as threads:
        call = threads.submit(client.run_workflow, "slow")
        server.await_slow()
        client.close()
        server.go_on.set()
        assert isinstance(call.exception(), WorkflowRunsError | None)


@left_behind
@pytest.mark.usefixtures("collected")
def test_closing_an_asyncio_client_under_a_call_ends_it_in_a_typed_error(server: KeepingServer) -> None:
    """So may another task."""

    async def check() -> None:
        client = AsyncPromptLayer(api_key=KEY, base_url=server.url, retries=0)
        call = asyncio.create_task(client.run_workflow("slow"))
        await asyncio.to_thread(server.await_slow)
        await client.aclose()
        with pytest.raises(MaybeSent):
            await call

    asyncio.run(check())


def test_an_interrupt_leaves_a_client_that_works(client: PromptLayer, server: KeepingServer) -> None:
    """Ctrl-C in the middle of a call passes through; the next call doesn't get the reply of the broken one."""

    def interrupt() -> None:
        server.await_slow()
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        threading.Thread(target=interrupt).start()
        with pytest.raises(KeyboardInterrupt):
            client.run_workflow("slow")
    finally:
        signal.signal(signal.SIGINT, before)
    server.go_on.set()
    assert [_id(client, number) for number in (1, 2, 3)] == [1, 2, 3]


@left_behind
@pytest.mark.usefixtures("collected")
def test_a_cancelled_task_leaves_a_client_that_works(server: KeepingServer) -> None:
    """So does a cancelled call of asyncio: however often it happens, the pool runs neither dry nor out of step."""

    async def check() -> None:
        async with AsyncPromptLayer(api_key=KEY, base_url=server.url, retries=0) as client:
            for _ in range(120):
                call = asyncio.create_task(client.run_workflow("slow"))
                await asyncio.sleep(0.001)
                call.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await call
            server.go_on.set()
            found = await asyncio.gather(*(client.run_workflow(str(number)) for number in range(20)))
            assert [run.workflow_version_execution_id for run in found] == [*range(20)]

    asyncio.run(check())
