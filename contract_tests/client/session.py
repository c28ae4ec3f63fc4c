"""Plays single cases: one call by the client, answered by the harness, with all that was seen of it."""

import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any, Final, Generic, TypeVar

from contract_tests.cases.case import RequestCase
from contract_tests.cases.case_book import CaseBook
from contract_tests.cases.keeping import once
from contract_tests.client.adapter import ABSENT, Call, Connection, OperationInfo, Scheme
from contract_tests.client.credentials import scheme_of
from contract_tests.client.operation_info import base_path, facts_of
from contract_tests.client.outcome import Outcome, outcome_of
from contract_tests.client.subject import Subject
from contract_tests.coverage import Coverage
from contract_tests.http.body_kinds import request_media, with_bytes
from contract_tests.http.recording_server import REQUEST_LIMIT, RecordedRequest, RecordingServer, ScriptedResponse
from contract_tests.openapi.document import Operation
from contract_tests.rules import Violation

MODES: Final = ("sync", "async")
PATIENCE: Final = 10.0

Case = TypeVar("Case")


@dataclass(frozen=True, kw_only=True)
class Trial(Generic[Case]):
    """
    One call and what came of it.

    Attributes:
        case: What was tried: a request, a response, an ending or a fault.
        mode: ``sync`` or ``async``.
        seen: The requests on the wire, in order.
        told: The driver's message, with further facts for a task that looks for more than the outcome.
        seconds: From call to outcome.
        ended: When the outcome was there, on the clock of ``seen``.
        number: How many cases had been played when it was, itself included.
    """

    case: Case
    mode: str
    seen: tuple[RecordedRequest, ...]
    told: Mapping[str, Any]
    seconds: float = 0
    ended: float = 0
    number: int = 0

    @cached_property
    def outcome(self) -> Outcome:
        """What the caller got."""
        return outcome_of(self.told)

    def violation(self, constraint: str, received: str, documented: str = "") -> Violation:
        """Return what of a rule was broken, named without values, and what was seen instead of what is documented."""
        return Violation(f"{self.mode} call: {received}", constraint, documented, found_after=self.number)


@dataclass
class ClientSession:
    """
    The judged client opposite the harness's server.

    Attributes:
        book: The cases that are played.
        key: The credentials of this run.
        played: Cases so far.
    """

    book: CaseBook
    subject: Subject
    server: RecordingServer
    coverage: Coverage
    key: str = field(default_factory=lambda: f"key-{secrets.token_hex(12)}", repr=False)
    played: int = 0
    _counting: threading.Lock = field(default_factory=threading.Lock)

    def play(
        self,
        case: Case,
        request: RequestCase,
        answers: Sequence[ScriptedResponse],
        mode: str,
        *,
        task: str = "call",
        server: RecordingServer | None = None,
        respond: Callable[[RecordedRequest], ScriptedResponse] | None = None,
        rest: float = 0,
        limit: int = REQUEST_LIMIT,
        more: Mapping[str, Any] = MappingProxyType({}),
        **connection: Any,
    ) -> Trial[Case]:
        """
        Let the client make one call.

        Args:
            case: What is tried.
            request: The arguments.
            answers: For the requests in order; the last one serves all further ones.
            mode: ``sync`` or ``async``.
            task: What the driver does with the call; see :class:`~contract_tests.client.driver.program.Driver`.
            server: Another server than the session's, for cases that are played at the same time.
            respond: Makes the answers instead, each by its request.
            rest: Seconds for which requests are taken down that come after the outcome.
            limit: How many requests are more than any client makes.
            more: What else the task asks for.
            connection: What the client is built with, where it is not :meth:`connection`.
        """
        server = server or self.server
        connected = replace(self.connection(request.operation, mode, server), **connection)
        number, started = self.count(), time.monotonic()
        with server.play(*answers, on_request_limit=self._stop, respond=respond, limit=limit) as recording:
            told = self.subject.ask(task, connected, self._call(request), **more)
            ended = time.monotonic()
            time.sleep(rest)
        facts: dict[str, Any] = {"told": told, "seconds": ended - started, "ended": ended, "number": number}
        return Trial(case=case, mode=mode, seen=tuple(recording.seen), **facts)

    def play_together(
        self,
        starts: Sequence[RequestCase],
        answers: Sequence[ScriptedResponse],
        mode: str,
        *,
        task: str = "call",
        **connection: Any,
    ) -> tuple[tuple[RecordedRequest, ...], list[Mapping[str, Any]]]:
        """Let one client do a task several times at once; return the requests as they came, and the messages."""
        connected = replace(self.connection(starts[0].operation, mode), **connection)
        self.count(len(starts))
        playing = self.server.play(*answers, on_request_limit=self._stop, together=len(starts))
        with playing as recording, ThreadPoolExecutor(len(starts)) as pool:
            told = list(pool.map(lambda start: self.subject.ask(task, connected, self._call(start)), starts))
        return tuple(recording.seen), told

    def ask_together(
        self,
        task: str,
        start: RequestCase,
        asked: Sequence[Mapping[str, Any]],
        mode: str,
        *,
        server: RecordingServer,
        respond: Callable[[RecordedRequest], ScriptedResponse],
        **connection: Any,
    ) -> list[Mapping[str, Any]]:
        """Let one client do a task several times at once, each with what else it asks for; return the messages."""
        asking = self.asking(task, start, mode, server=server, respond=respond, **connection)
        with asking as ask, ThreadPoolExecutor(len(asked)) as pool:
            return list(pool.map(lambda more: ask(**more), asked))

    @contextmanager
    def asking(
        self,
        task: str,
        start: RequestCase,
        mode: str,
        *,
        server: RecordingServer,
        respond: Callable[[RecordedRequest], ScriptedResponse],
        **connection: Any,
    ) -> Iterator[Callable[..., Mapping[str, Any]]]:
        """Yield what lets one client do a task, with what else that asks for, as often as wanted and at any time."""
        connected = replace(self.connection(start.operation, mode, server), **connection)
        with server.play(on_request_limit=self._stop, respond=respond):
            yield lambda **more: self.subject.ask(task, connected, self._call(start), **more)

    def connection(self, operation: Operation, mode: str, server: RecordingServer | None = None) -> Connection:
        """Return what a client is built with."""
        return Connection(
            base_url=(server or self.server).url + base_path(operation),
            key=self.key,
            scheme=self.scheme(operation),
            timeout=PATIENCE,
            retries=0,
            is_async=mode == "async",
        )

    def scheme(self, operation: Operation) -> Scheme | None:
        """Return where the operation's credentials go."""
        return scheme_of(self.book.outgoing, operation)

    def count(self, cases: int = 1) -> int:
        """Count cases; return the number of the first of them."""
        with self._counting:
            first = self.played + 1
            self.played += cases
        return first

    def _call(self, case: RequestCase) -> Call:
        body, media = case.body, request_media(case.operation)
        if case.has_body and media is not None:
            body = with_bytes(self.book.outgoing, media, body)
        return Call(
            operation=self._facts(case.operation),
            path=case.path,
            query=case.query,
            header=case.headers,
            cookie=case.cookies,
            body=body if case.has_body else ABSENT,
        )

    @once
    def _facts(self, operation: Operation) -> OperationInfo:
        return facts_of(self.book.outgoing, operation)

    def _stop(self) -> None:
        # Such a client would go on until the time that a call may take is over, and keep the machine busy meanwhile.
        self.subject.stop_calls(f"the client was stopped after {REQUEST_LIMIT} requests in one call")
