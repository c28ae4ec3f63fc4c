"""A service without a network and a clock that only pauses move: hours of waiting take no time."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx

from workflow_runs import AsyncInteractly, AsyncPromptLayer, Interactly, PromptLayer

if TYPE_CHECKING:
    from collections.abc import Callable

    from workflow_runs import RunOutcome

KEY = "key-that-nobody-may-see"
EXECUTION = 98765
WORKFLOW_RUN = "5eb7cf5a86d9755df3a6c594"


def answer(status: int, body: Any = None, **headers: str) -> httpx.Response:
    """A JSON reply; underscores in header names stand for hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(
        status, content=json.dumps(body).encode(), headers={"content-type": "application/json", **named}
    )


def node(status: str, value: Any = None, *, is_output: bool = True) -> dict[str, Any]:
    """A node's entry."""
    told = {"error_message": None, "raw_error_message": None}
    return {"status": status, "value": value, "is_output_node": is_output, **told}


@dataclass
class World:
    """A clock, and a service that answers by a script, its last answer for ever.

    Attributes:
        now: Seconds since the world began.
        asked: When each question came.
        seconds_per_answer: How long the service thinks.
    """

    script: list[httpx.Response | Exception]
    now: float = 0.0
    asked: list[float] = field(default_factory=list)
    requests: list[httpx.Request] = field(default_factory=list)
    seconds_per_answer: float = 0.0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer a question."""
        self.asked.append(self.now)
        self.requests.append(request)
        self.now += self.seconds_per_answer
        scripted = self.script[min(len(self.asked), len(self.script)) - 1]
        if isinstance(scripted, Exception):
            raise scripted
        return httpx.Response(scripted.status_code, headers=scripted.headers.raw, content=scripted.content)

    @property
    def pauses(self) -> list[float]:
        """Seconds from one question to the next, the first one from the beginning."""
        return [later - earlier for earlier, later in zip([0.0, *self.asked], self.asked, strict=False)]

    def pause(self, seconds: float) -> None:
        """Let time go by."""
        assert seconds >= 0
        self.now += seconds


class _Pauses:
    world: World

    def _pause(self, seconds: float) -> None:
        self.world.pause(seconds)


class _PausesAwaited:
    world: World

    async def _pause(self, seconds: float) -> None:
        self.world.pause(seconds)


_CLIENTS: dict[tuple[str, str], Any] = {
    ("sync", "promptlayer"): type("Waits", (_Pauses, PromptLayer), {}),
    ("sync", "interactly"): type("Waits", (_Pauses, Interactly), {}),
    ("async", "promptlayer"): type("Awaits", (_PausesAwaited, AsyncPromptLayer), {}),
    ("async", "interactly"): type("Awaits", (_PausesAwaited, AsyncInteractly), {}),
}


@dataclass(frozen=True)
class Flavour:
    """Sync or async: the same test drives both."""

    name: str

    def __str__(self) -> str:
        return self.name

    def http_client(self, handle: Callable[[httpx.Request], httpx.Response]) -> httpx.Client | httpx.AsyncClient:
        """An httpx client whose requests a function answers."""
        kind = httpx.Client if self.name == "sync" else httpx.AsyncClient
        return kind(transport=httpx.MockTransport(handle))

    def client(self, world: World, service: str = "promptlayer", **settings: Any) -> Any:
        """A client of a service in a world."""
        about = {"api_key": KEY, "base_url": "https://service.example", "http_client": self.http_client(world)}
        client = _CLIENTS[self.name, service](**about | settings)
        client.world, client._now = world, lambda: world.now
        return client

    def wait(
        self, world: World, run: Any = EXECUTION, *, settings: dict[str, Any] | None = None, **options: Any
    ) -> Any:
        """Wait in a world, and give what comes of it."""
        found = self.client(world, **settings or {}).wait(run, **options)
        return asyncio.run(found) if asyncio.iscoroutine(found) else found

    def run_and_wait(self, world: World, **arguments: Any) -> RunOutcome:
        """Start a run in a world and wait for it."""
        found = self.client(world).run_and_wait("support-agent", **arguments)
        outcome: RunOutcome = asyncio.run(found) if asyncio.iscoroutine(found) else found
        return outcome


def pending(body: Any = None, **headers: str) -> httpx.Response:
    """The answer that a run goes on."""
    return answer(202, body, **headers)


def done(value: Any = "done") -> httpx.Response:
    """The answer that a run has ended."""
    return answer(200, value)


def raw(text: str, content_type: str = "application/json", status: int = 200) -> httpx.Response:
    """A reply that is no JSON."""
    return httpx.Response(status, content=text.encode(), headers={"content-type": content_type})


def failed_form(output: Any, message: str = "No output node succeeded") -> httpx.Response:
    """The documented form of a failure."""
    return answer(500, {"success": False, "message": message, "output": output})


def query_of(request: httpx.Request) -> dict[str, str]:
    """The parameters of a question."""
    return dict(request.url.params)


def body_of(request: httpx.Request) -> Any:
    """The JSON body of a request."""
    return json.loads(request.content)


SYNC, ASYNC = Flavour("sync"), Flavour("async")


def run(status: str | None, **members: Any) -> httpx.Response:
    """The answer of Interactly about a run in a status."""
    known = {"workflow_run_id": WORKFLOW_RUN, **({} if status is None else {"status": status}), **members}
    return answer(200, {"workflow_run": {"_id": WORKFLOW_RUN, "workflow_run": known}})
