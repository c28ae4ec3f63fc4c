"""A fault of a server: where it acts, and what it does to requests, replies and callbacks."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from mutants.defect import Defect
from mutants.servers.messages import Callback, Reply, Request


class Correct(Protocol):
    """The correct server behind a faulty one, and its way to post callbacks."""

    async def ask(self, request: Request) -> Reply:
        """Give the correct reply to a request."""

    async def post(self, callback: Callback) -> int:
        """Post a callback, and give the status that came back."""

    def later(self, seconds: float, do: Callable[[], Awaitable[object]]) -> None:
        """Do something beside the requests, after a while."""


class Fault:
    """
    Does nothing wrong. Each kind of fault changes one of the steps below.

    Attributes:
        sees_callbacks: Whether callbacks have to come through the faulty server.
    """

    sees_callbacks = False

    async def answer(self, request: Request, correct: Correct) -> Reply:
        """Answer a request."""
        self.change_request(request)
        reply = await correct.ask(request)
        self.change_reply(request, reply)
        return reply

    def change_request(self, request: Request) -> None:
        """Change a request before it is carried out."""

    def change_reply(self, request: Request, reply: Reply) -> None:
        """Change a reply before it is sent."""

    async def deliver(self, callback: Callback, correct: Correct) -> int:
        """Deliver a callback that the correct server would post now; give the status that it is told."""
        return await correct.post(callback)


@dataclass(frozen=True)
class Where:
    """Which replies a fault changes: those of an operation, with a status, in one form of the results."""

    operation: str
    status: int | None = None
    all_outputs: bool | None = None

    def holds(self, request: Request, reply: Reply) -> bool:
        """Whether this is such a reply."""
        return (
            request.operation == self.operation
            and self.status in (None, reply.status)
            and self.all_outputs in (None, request.wants_all)
        )


@dataclass(frozen=True, kw_only=True)
class ServerDefect(Defect):
    """
    A defect of a server.

    Attributes:
        fault: What makes a correct one faulty. A served copy of it may keep state.
        form: The form of Interactly's execute that is served and judged.
    """

    fault: Fault
    form: str = "a"
