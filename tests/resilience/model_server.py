"""A model of a service that fails on schedule: a transport that counts what may have been executed, in virtual time."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_JSON = {"content-type": "application/json"}


@dataclass
class Clock:
    """A clock that moves only when it is told to."""

    now: float = 0.0


@dataclass(frozen=True)
class Fault:
    """One way for a request to go wrong.

    Attributes:
        answer: A status, or the error that httpx raises.
        seconds: How long it takes until the client knows.
        executes: Whether the service may have executed the request; the model takes it that it has.
        final: Whether asking again would be wrong even for a question.
        retry_after: Seconds that the service asks to wait.
    """

    name: str
    answer: int | type[httpx.TransportError]
    seconds: float
    executes: bool
    final: bool = False
    retry_after: int | None = None

    def __str__(self) -> str:
        return self.name

    def come_about(self) -> httpx.Response:
        """Answer, or raise."""
        if not isinstance(self.answer, int):
            raise self.answer(self.name)
        headers = {} if self.retry_after is None else {"retry-after": str(self.retry_after)}
        return httpx.Response(self.answer, headers={"content-type": "text/html", **headers}, content=b"<p>trouble</p>")


ALPHABET = (
    Fault("refused", httpx.ConnectError, 0.0, executes=False),
    Fault("connect time-out", httpx.ConnectTimeout, 5.0, executes=False),
    Fault("429 for 7 s", 429, 0.1, executes=False, retry_after=7),
    Fault("500", 500, 0.1, executes=True),
    Fault("503 for 1 s", 503, 0.1, executes=True, retry_after=1),
    Fault("529", 529, 0.1, executes=True),
    Fault("read time-out", httpx.ReadTimeout, 60.0, executes=True),
    Fault("reset before reading", httpx.WriteError, 0.1, executes=True),
    Fault("reset after reading", httpx.ReadError, 0.1, executes=True),
    Fault("cut reply", httpx.RemoteProtocolError, 0.1, executes=True),
    Fault("text/html", 200, 0.1, executes=True, final=True),
)
SLOWEST = max(fault.seconds for fault in ALPHABET)


@dataclass
class ModelServer(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Fails as its schedule says, then succeeds.

    Attributes:
        requests: Requests that have come since the schedule began.
        executions: How many of them may have been executed.
        succeeded: Whether the last one was answered with a success.
    """

    clock: Clock
    success: tuple[int, bytes]
    requests: int = 0
    executions: int = 0
    succeeded: bool = False
    _faults: Iterator[Fault] = field(default_factory=lambda: iter(()))

    def begin(self, schedule: Sequence[Fault]) -> None:
        """Start a schedule and count anew."""
        self.requests = self.executions = 0
        self.succeeded = False
        self._faults = iter(schedule)

    def handle_request(self, request: httpx.Request) -> httpx.Response:  # noqa: ARG002 - every one is treated alike
        """Answer a request."""
        self.requests += 1
        fault = next(self._faults, None)
        self.executions += fault is None or fault.executes
        self.succeeded = fault is None
        if fault is None:
            return httpx.Response(self.success[0], headers=_JSON, content=self.success[1])
        self.clock.now += fault.seconds
        return fault.come_about()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a request of asyncio."""
        return self.handle_request(request)
