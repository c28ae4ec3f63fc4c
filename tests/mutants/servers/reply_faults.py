"""Faults in replies: another status, another header, another body, a member gone or of another kind."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from mutants.servers.changes import Path, dropped, put
from mutants.servers.fault import Fault, Where
from mutants.servers.messages import Reply, Request


@dataclass
class ReplyFault(Fault):
    """Changes the replies that ``where`` names, and of those the ones that ``when`` allows."""

    where: Where
    when: Callable[[Request, Reply], bool] = field(default=lambda *_: True, kw_only=True)

    def change_reply(self, request: Request, reply: Reply) -> None:
        """Change one reply, if it is meant."""
        if self.where.holds(request, reply) and self.when(request, reply):
            self.spoil(request, reply)

    def spoil(self, request: Request, reply: Reply) -> None:
        """Change a reply that is meant."""


@dataclass
class StatusChanged(ReplyFault):
    """Answers with another status."""

    to: int

    def spoil(self, _: Request, reply: Reply) -> None:
        """Put the other status."""
        reply.status = self.to


@dataclass
class HeaderChanged(ReplyFault):
    """Answers with another value of a header; None leaves it out."""

    name: str
    value: str | None

    def spoil(self, _: Request, reply: Reply) -> None:
        """Put the other value."""
        reply.set_header(self.name, self.value)


@dataclass
class ContentChanged(ReplyFault):
    """Answers with these bytes."""

    content: bytes

    def spoil(self, _: Request, reply: Reply) -> None:
        """Put the bytes."""
        reply.content = self.content


@dataclass
class BodyChanged(ReplyFault):
    """Answers with a JSON body made from the correct one."""

    change: Callable[[Any], Any]

    def spoil(self, _: Request, reply: Reply) -> None:
        """Put the other body."""
        reply.put(self.change(reply.json))


@dataclass
class MemberDropped(ReplyFault):
    """Leaves a member out."""

    path: Path

    def spoil(self, _: Request, reply: Reply) -> None:
        """Take the member out."""
        reply.put(dropped(reply.json, self.path))


@dataclass
class MemberSet(ReplyFault):
    """Gives a member another value, and makes the member if the correct reply has none."""

    path: Path
    value: Any

    def spoil(self, _: Request, reply: Reply) -> None:
        """Put the value."""
        reply.put(put(reply.json, self.path, self.value))


@dataclass
class Replaced(ReplyFault):
    """Answers with another status and body."""

    status: int
    body: Any

    def spoil(self, _: Request, reply: Reply) -> None:
        """Put both."""
        reply.status = self.status
        reply.put(self.body)


@dataclass
class Cut(ReplyFault):
    """Ends the connection before the whole body is sent."""

    def spoil(self, _: Request, reply: Reply) -> None:
        """Have it cut."""
        reply.is_cut = True
