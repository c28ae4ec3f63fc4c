"""A service that counts what it executes, and clients of both flavours that need no network to reach it."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import httpx

from workflow_runs import AsyncPromptLayer, PromptLayer
from workflow_runs.batch import BatchItem, BatchProgress, BatchResult, run_batch, run_batch_async

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from workflow_runs import RunOutcome

    Fault = Callable[[], httpx.Response]

KEY = "key-that-nobody-may-see"
SECRET = "input-that-nobody-may-see"


def reply(status: int, body: Any = None) -> httpx.Response:
    """A JSON reply."""
    return httpx.Response(status, content=json.dumps(body).encode(), headers={"content-type": "application/json"})


def raising(error: Exception) -> Fault:
    """A fault of the network."""

    def fault() -> httpx.Response:
        raise error

    return fault


def items(number: int, **arguments: Any) -> list[BatchItem]:
    """Items whose message is m0, m1, ..."""
    return [
        BatchItem("canary", cast("Any", {"input_variables": {"user_message": f"m{n}", "more": SECRET}, **arguments}))
        for n in range(number)
    ]


@dataclass
class Service:
    """Starts a run for every request that isn't stopped by a fault; runs end at the first question.

    Attributes:
        executions: How often each message was executed.
        before: Faults by message that come before anything is started.
        after: Faults by message that come in place of the reply, when the run has started.
        ends: Answers by message to the questions for results, in place of the output.
        most_at_once: Largest number of requests and runs under way.
    """

    executions: Counter[str] = field(default_factory=Counter)
    before: dict[str, Fault] = field(default_factory=dict)
    after: dict[str, Fault] = field(default_factory=dict)
    ends: dict[str, Fault] = field(default_factory=dict)
    most_at_once: int = 0
    _messages: list[str] = field(default_factory=list)
    _asked: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer a request."""
        if request.method == "POST":
            return self._start(json.loads(request.content)["input_variables"]["user_message"])
        return self._result(self._messages[int(request.url.params["workflow_version_execution_id"]) - 1])

    def _start(self, message: str) -> httpx.Response:
        if message in self.before:
            return self.before[message]()
        with self._lock:
            self.executions[message] += 1
            self._messages.append(message)
            number = len(self._messages)
            self.most_at_once = max(self.most_at_once, number - len(self._asked))
        if message in self.after:
            return self.after[message]()
        return reply(201, {"success": True, "message": "started", "workflow_version_execution_id": number})

    def _result(self, message: str) -> httpx.Response:
        with self._lock:
            self._asked.add(message)
        return self.ends[message]() if message in self.ends else reply(200, f"done {message}")


@dataclass
class _NoTime:
    """An event that nobody waits for: pauses take no time."""

    event: Any

    def wait(self, _: float) -> bool:
        return bool(self.event.is_set())


@dataclass
class _NoTimeAtAll:
    """The same for asyncio: the time to wait for it is always over."""

    event: Any

    async def wait(self) -> bool:
        await asyncio.sleep(0)
        if not self.event.is_set():
            raise TimeoutError
        return True


class _Waits(PromptLayer):
    def wait(self, run: Any, **options: Any) -> RunOutcome:
        """Wait without pauses."""
        return super().wait(run, **{**options, "cancelled": _NoTime(options["cancelled"])})


class _Awaits(AsyncPromptLayer):
    async def wait(self, run: Any, **options: Any) -> RunOutcome:
        """Wait without pauses."""
        return await super().wait(run, **{**options, "cancelled": _NoTimeAtAll(options["cancelled"])})


@dataclass(frozen=True)
class Flavour:
    """Sync or async: the same test drives both."""

    name: str

    def __str__(self) -> str:
        return self.name

    def client(self, service: Any, **settings: Any) -> Any:
        """A client of a service; it sends everything once unless told otherwise."""
        transport = httpx.MockTransport(service)
        settings = {"api_key": KEY, "retries": 0, **settings}
        if self.name == "sync":
            return _Waits(http_client=httpx.Client(transport=transport), **settings)
        return _Awaits(http_client=httpx.AsyncClient(transport=transport), **settings)

    def run(
        self, service: Any, batch: Iterable[BatchItem], ledger: Path, *, first: int | None = None, **options: Any
    ) -> list[BatchResult]:
        """Run a batch, or leave it after its first results."""
        client = self.client(service, **options.pop("settings", {}))
        if self.name == "sync":
            with contextlib.closing(run_batch(client, batch, ledger=ledger, **options)) as results:
                return [*itertools.islice(results, first)]
        return asyncio.run(_gathered(client, batch, ledger, first, options))

    def by_key(self, *arguments: Any, **options: Any) -> dict[str, BatchResult]:
        """Run a batch, and give each result by its key."""
        found = self.run(*arguments, **options)
        assert len({result.key for result in found}) == len(found)
        return {result.key: result for result in found}


async def _gathered(
    client: AsyncPromptLayer, batch: Iterable[BatchItem], ledger: Path, first: int | None, options: dict[str, Any]
) -> list[BatchResult]:
    found: list[BatchResult] = []
    async with contextlib.aclosing(run_batch_async(client, batch, ledger=ledger, **options)) as results:
        async for result in results:
            found.append(result)
            if len(found) == first:
                break
    assert asyncio.all_tasks() == {asyncio.current_task()}
    return found


SYNC, ASYNC = Flavour("sync"), Flavour("async")
__all__ = ["ASYNC", "KEY", "SECRET", "SYNC", "BatchProgress", "Flavour", "Service", "items", "raising", "reply"]
