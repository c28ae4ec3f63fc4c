"""Calls in flight at once: `many.py measure|profile ours|rival|both async|threads|aiohttp NUMBER RIVAL`.

RIVAL is httpx, aiohttp or promptlayer. Our client is its own rival with `both`: `one` sets its processor time beside
that with one call in flight, `median` its p99 beside its median. The service is a process of its own that does next to
nothing; promptlayer's client needs the stub.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import logging
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from turns import profile, tell, version

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TASK, SIDE, KIND, NUMBER, RIVAL = sys.argv[1:]
IS_OURS = SIDE != "rival"
IN_FLIGHT = int(NUMBER)
CALLS = {"promptlayer": 20, "httpx": 720}.get(RIVAL, 1_440)
BODY = {"input_variables": {"user_message": "Hello"}}
HEADERS = {"x-api-key": "key"}
# Under many threads httpx closes connections that others are reading from: such a call counts like any other.
LET_PASS: tuple[type[Exception], ...] = () if IS_OURS else (Exception,)
logging.disable()


@contextlib.contextmanager
def service() -> Iterator[str]:
    """The address of the service."""
    if RIVAL == "promptlayer":
        yield os.environ["ADDRESS"]
        return
    command = [sys.executable, str(Path(__file__).with_name("instant_service.py"))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.terminate()


def in_threads(address: str) -> Callable[[], object]:
    """One call that waits."""
    if IS_OURS:
        client: Any = importlib.import_module("workflow_runs").PromptLayer(api_key="key", base_url=address)
        if RIVAL == "promptlayer":
            return lambda: client.run_and_wait("takes-0", **BODY)
        return lambda: client.run_workflow("takes-0", **BODY)
    if RIVAL == "promptlayer":
        client = importlib.import_module("promptlayer").PromptLayer(api_key="key", base_url=address)
        return lambda: client.run_workflow("takes-0", **BODY)
    client = importlib.import_module("httpx").Client()
    url = f"{address}/workflows/takes-0/run"
    return lambda: client.post(url, json=BODY, headers=HEADERS).json()


async def awaited(address: str, stack: contextlib.AsyncExitStack) -> Callable[[], Any]:
    """One call that is awaited."""
    if IS_OURS:
        named = {"http_client": "aiohttp"} if KIND == "aiohttp" else {}
        kind = importlib.import_module("workflow_runs").AsyncPromptLayer
        client = await stack.enter_async_context(kind(api_key="key", base_url=address, **named))
        call = client.run_and_wait if RIVAL == "promptlayer" else client.run_workflow
        return lambda: call("takes-0", **BODY)
    if RIVAL == "promptlayer":
        client = importlib.import_module("promptlayer").AsyncPromptLayer(api_key="key", base_url=address)
        return lambda: client.run_workflow("takes-0", **BODY)
    url = f"{address}/workflows/takes-0/run"
    if RIVAL == "httpx":
        client = await stack.enter_async_context(importlib.import_module("httpx").AsyncClient())
        return lambda: _json_of_httpx(client, url)
    client = await stack.enter_async_context(importlib.import_module("aiohttp").ClientSession())
    return lambda: _json_of_aiohttp(client, url)


async def _json_of_httpx(client: Any, url: str) -> Any:
    return (await client.post(url, json=BODY, headers=HEADERS)).json()


async def _json_of_aiohttp(client: Any, url: str) -> Any:
    async with client.post(url, json=BODY, headers=HEADERS) as response:
        return await response.json()


class Clock:
    """Times the calls, those of the first round apart, which open the connections."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def start(self) -> None:
        """Start to measure."""
        self.seconds.clear()
        self._cpu, self._wall = time.process_time(), time.perf_counter()

    def figures(self) -> dict[str, float]:
        """Processor and wall time by call, and how long calls took."""
        cpu, wall = time.process_time() - self._cpu, time.perf_counter() - self._wall
        ordered = sorted(self.seconds)
        count = len(ordered)
        middle, late = ordered[count // 2], ordered[int(count * 0.99)]
        return {"cpu": cpu / count, "wall": wall / count, "median": middle, "p99": late}


def threads(address: str, in_flight: int) -> dict[str, float]:
    """Measure calls in threads."""
    call, clock = in_threads(address), Clock()

    def timed(count: int) -> None:
        for _ in range(count):
            began = time.perf_counter()
            with contextlib.suppress(*LET_PASS):
                call()
            clock.seconds.append(time.perf_counter() - began)

    with ThreadPoolExecutor(in_flight) as pool:
        list(pool.map(timed, [1] * in_flight))
        clock.start()
        list(pool.map(timed, [max(3, CALLS // in_flight)] * in_flight))
        return clock.figures()


async def tasks(address: str, in_flight: int) -> dict[str, float]:
    """Measure calls of asyncio."""
    async with contextlib.AsyncExitStack() as stack:
        call, clock = await awaited(address, stack), Clock()

        async def timed(count: int) -> None:
            for _ in range(count):
                began = time.perf_counter()
                with contextlib.suppress(*LET_PASS):
                    await call()
                clock.seconds.append(time.perf_counter() - began)

        await asyncio.gather(*(timed(1) for _ in range(in_flight)))
        clock.start()
        await asyncio.gather(*(timed(max(3, CALLS // in_flight)) for _ in range(in_flight)))
        return clock.figures()


def measured(address: str, in_flight: int) -> dict[str, float]:
    """The figures of this side."""
    return threads(address, in_flight) if KIND == "threads" else asyncio.run(tasks(address, in_flight))


def paired(address: str) -> tuple[float, float]:
    """Two figures of our own client that belong together."""
    if RIVAL == "one":
        return measured(address, IN_FLIGHT)["cpu"], measured(address, 1)["cpu"]
    found = measured(address, IN_FLIGHT)
    return found["p99"], found["median"]


with service() as where:
    if TASK == "profile":
        lines = profile(lambda: measured(where, IN_FLIGHT))
        tell(profile=lines, ours=lines, rival=[])
    elif SIDE == "both":
        own = importlib.import_module("workflow_runs.version").__version__
        tell(pairs=[paired(where) for _ in range(int(os.environ["PAIRS"]))], version=own)
    else:
        tell(**measured(where, IN_FLIGHT), version="" if SIDE == "ours" else version(RIVAL))
