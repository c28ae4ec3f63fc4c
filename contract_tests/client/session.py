"""Plays single cases: one call by the client, answered by the harness, with all that was seen of it."""

import secrets
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from contract_tests.cases.generation import RequestCase
from contract_tests.client.adapter import ABSENT, Call, Connection, OperationInfo, Scheme
from contract_tests.client.operation_info import base_path, facts_of, scheme_of
from contract_tests.client.outcome import Outcome, outcome_of
from contract_tests.client.subject import Subject
from contract_tests.http.body_kinds import request_media, with_bytes
from contract_tests.http.recording_server import REQUEST_LIMIT, RecordedRequest, RecordingServer, ScriptedResponse
from contract_tests.openapi.document import Contract, Operation

MODES: Final = ("sync", "async")
PATIENCE: Final = 10.0


@dataclass(frozen=True, kw_only=True)
class Played:
    """
    One call and what came of it.

    Attributes:
        mode: ``sync`` or ``async``.
        answers: What the harness answered, the last one as often as needed.
        seen: The requests on the wire, in order.
        outcome: What the caller got.
        seconds: From call to outcome.
        number: How many cases had been played when it was, itself included.
    """

    mode: str
    answers: tuple[ScriptedResponse, ...]
    seen: tuple[RecordedRequest, ...]
    outcome: Outcome
    seconds: float
    number: int = 0


@dataclass
class ClientSession:
    """
    The judged client opposite the harness's server.

    Attributes:
        contract: As requests see it.
        key: The credentials of this run.
        played: Cases so far.
    """

    contract: Contract
    subject: Subject
    server: RecordingServer
    key: str = field(default_factory=lambda: f"key-{secrets.token_hex(12)}", repr=False)
    played: int = 0
    _facts: dict[str, OperationInfo] = field(default_factory=dict)
    _counting: threading.Lock = field(default_factory=threading.Lock)

    def play(
        self,
        case: RequestCase,
        answers: Sequence[ScriptedResponse],
        mode: str,
        *,
        timeout: float | None = PATIENCE,
        retries: int | None = 0,
        server: RecordingServer | None = None,
        connection: Connection | None = None,
    ) -> Played:
        """
        Let the client make one call.

        Args:
            case: The arguments.
            answers: For the requests in order; the last one serves all further ones.
            mode: ``sync`` or ``async``.
            timeout: The client's own time-out in seconds.
            retries: How often the client may send again; None for its default.
            server: Another server than the stage's, for cases that are played at the same time.
            connection: What the client is built with, instead of all that.
        """
        server = server or self.server
        connection = connection or self.connection(case.operation, server, mode, timeout=timeout, retries=retries)
        number, started = self.count(), time.monotonic()
        with server.play(*answers, on_request_limit=self._stop) as take:
            outcome = self.subject.call(self.call(case), connection)
        return Played(
            mode=mode,
            answers=tuple(answers),
            seen=tuple(take.seen),
            outcome=outcome,
            seconds=time.monotonic() - started,
            number=number,
        )

    def ask(self, task: str, case: RequestCase, answers: Sequence[ScriptedResponse], connection: Connection) -> "Asked":
        """Let the driver do a task with one call in it; see :class:`~contract_tests.client.driver.program.Driver`."""
        number = self.count()
        with self.server.play(*answers, on_request_limit=self._stop) as take:
            answer = self.subject.ask(task, connection, self.call(case))
        return Asked(tuple(take.seen), answer, number)

    def _stop(self) -> None:
        # Such a client would go on until the time that a call may take is over, and keep the machine busy meanwhile.
        self.subject.stop_calls(f"the client was stopped after {REQUEST_LIMIT} requests in one call")

    def connection(
        self,
        operation: Operation,
        server: RecordingServer,
        mode: str,
        *,
        timeout: float | None = PATIENCE,
        retries: int | None = 0,
    ) -> Connection:
        """Say what a client is built with."""
        return Connection(
            base_url=server.url + base_path(operation),
            key=self.key,
            scheme=self.scheme(operation),
            timeout=timeout,
            retries=retries,
            is_async=mode == "async",
        )

    def scheme(self, operation: Operation) -> Scheme | None:
        """Give where the operation's credentials go."""
        return scheme_of(self.contract, operation)

    def call(self, case: RequestCase) -> Call:
        """Say a case as a call."""
        facts = self.facts(case.operation)
        body: Any = case.body if case.has_body else ABSENT
        if case.has_body and (media := request_media(case.operation)) is not None:
            body = with_bytes(self.contract, media, body)
        return Call(
            operation=facts, path=case.path, query=case.query, header=case.headers, cookie=case.cookies, body=body
        )

    def facts(self, operation: Operation) -> OperationInfo:
        """Say what an adapter may want to know of an operation."""
        if operation.id not in self._facts:
            self._facts[operation.id] = facts_of(self.contract, operation)
        return self._facts[operation.id]

    def count(self, cases: int = 1) -> int:
        """Count cases; give the number of the first of them."""
        with self._counting:
            first = self.played + 1
            self.played += cases
        return first


@dataclass(frozen=True)
class Asked:
    """What came of a task of the driver's."""

    seen: tuple[RecordedRequest, ...]
    answer: Mapping[str, Any]
    number: int

    @property
    def outcome(self) -> Outcome:
        """What the caller got, for a task that tells."""
        return outcome_of(self.answer)


__all__ = ["MODES", "PATIENCE", "Asked", "ClientSession", "Played"]
