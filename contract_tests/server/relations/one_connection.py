"""Requests that follow each other on one connection."""

import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode, urlsplit

import h11

from contract_tests.http.raw_connection import RawConnection, RawResponse
from contract_tests.openapi.document import Operation
from contract_tests.rules import NotExercised, Violation
from contract_tests.server.connections import address_of, context_for
from contract_tests.server.credentials import Credentials, credentials_of
from contract_tests.server.models.exchange import Access, Exchange
from contract_tests.server.relations.legal_requests import taken_request
from contract_tests.server.server import ServerUnderTest

READING: Final = "one that reads something"
UNREAD: Final = b"{" + b" " * 200_000 + b"}"  # a body that nobody has to read to its end


@dataclass(frozen=True)
class Step:
    """A request, what it was after, and what came."""

    what: str
    response: RawResponse


@dataclass(frozen=True)
class OneConnection:
    """What came of an operation's requests on one connection; ``problem`` is why it ended before its time."""

    taken: Exchange
    steps: tuple[Step, ...]
    problem: str = ""

    def violation(self, constraint: str, received: str) -> Violation:
        """Make a finding; the curl line is that of the legal request."""
        return Violation(self.taken.bounded(received), constraint, "", self.taken.curl)


def one_connection(server: ServerUnderTest, operation: Operation) -> OneConnection:
    """
    Send them: a legal one, a refused one, HEAD and the legal one; of what changes something only refused ones.

    Raises:
        NotExercised: If there is no legal request, or a proxy stands in between.
    """
    if urllib.request.getproxies() and not server.target.is_local:
        raise NotExercised("a proxy would answer for the connection")
    taken = taken_request(server, operation)
    reading = None if taken.method == "GET" else _reading(server)
    steps: list[Step] = []
    target = server.target
    with RawConnection(address_of(target), context_for(target), target.total_timeout) as connection:
        try:
            for what, one, method, access, body in _plan(taken, reading, is_local=target.is_local):
                server.wire.take_turn(operation)
                own = credentials_of(server.target, server.contract, one.case.operation, access, "")
                steps.append(Step(what, connection.send(method, target_of(one, own), headers_of(one, own), body)))
        except (OSError, h11.RemoteProtocolError) as error:
            return OneConnection(taken, tuple(steps), f"{type(error).__name__}: {error}")
    return OneConnection(taken, tuple(steps))


def _reading(server: ServerUnderTest) -> Exchange | None:
    """Return a request that only reads and was taken; None if there is none."""
    for operation in server.contract.operations:
        if operation.service == server.target.service and operation.is_read_only:
            with suppress(NotExercised):
                return taken_request(server, operation)
    return None


def _plan(
    taken: Exchange, reading: Exchange | None, *, is_local: bool
) -> Iterator[tuple[str, Exchange, str, Access, bytes]]:
    if taken.method == "GET":
        yield "the first request", taken, "GET", Access.OWN, b""
        yield "a refused one", taken, "GET", Access.NO_KEY, b""
        yield "HEAD", taken, "HEAD", Access.OWN, b""
        yield "the first request again", taken, "GET", Access.OWN, b""
        return
    yield "a refused one with a large body", taken, taken.method, Access.NO_KEY, UNREAD if taken.content else b""
    yield "another refused one", taken, taken.method, Access.NO_KEY, taken.content or b""
    if isinstance(taken.case.body, dict) and is_local:
        yield "one with a list for a body", taken, taken.method, Access.OWN, b"[]"
    if reading is not None:
        yield READING, reading, "GET", Access.OWN, b""


def target_of(taken: Exchange, own: Credentials) -> str:
    """Return what a request line has of a request that was taken."""
    parts = urlsplit(taken.url)
    query = "&".join(filter(None, (parts.query, urlencode(own.query))))
    return parts.path + (f"?{query}" if query else "")


def headers_of(taken: Exchange, own: Credentials) -> list[tuple[str, str]]:
    """Return its headers; the body of the response is to come as it is."""
    return [("Accept-Encoding", "identity"), *taken.headers.items(), *own.headers.items()]
