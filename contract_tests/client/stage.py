"""Plays single cases: one call by the client, answered by the harness, with all that was seen of it."""

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from contract_tests.client.adapter import ABSENT, Call, Connection, OperationFacts, Scheme
from contract_tests.client.facts import base_path, facts_of, scheme_of
from contract_tests.client.outcome import Outcome
from contract_tests.client.subject import Subject
from contract_tests.client.wire_server import Answer, Seen, WireServer
from contract_tests.contract import Contract, Operation
from contract_tests.generation import RequestCase

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
    """

    mode: str
    answers: tuple[Answer, ...]
    seen: tuple[Seen, ...]
    outcome: Outcome
    seconds: float


@dataclass
class Stage:
    """The judged client opposite the harness's server."""

    contract: Contract
    subject: Subject
    server: WireServer
    key: str = field(default_factory=lambda: f"key-{secrets.token_hex(12)}", repr=False)
    _facts: dict[str, OperationFacts] = field(default_factory=dict)

    def play(
        self,
        case: RequestCase,
        answers: Sequence[Answer],
        mode: str,
        *,
        timeout: float | None = PATIENCE,
        retries: int | None = 0,
        server: WireServer | None = None,
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
        """
        server = server or self.server
        connection = self.connection(case.operation, server, mode, timeout=timeout, retries=retries)
        started = time.monotonic()
        with server.play(*answers) as take:
            outcome = self.subject.call(self._call(case), connection)
        seconds = time.monotonic() - started
        return Played(mode=mode, answers=tuple(answers), seen=tuple(take.seen), outcome=outcome, seconds=seconds)

    def connection(
        self,
        operation: Operation,
        server: WireServer,
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

    def _call(self, case: RequestCase) -> Call:
        operation = case.operation
        if operation.id not in self._facts:
            self._facts[operation.id] = facts_of(self.contract, operation)
        body: Any = case.body if case.has_body else ABSENT
        facts = self._facts[operation.id]
        return Call(
            operation=facts, path=case.path, query=case.query, header=case.headers, cookie=case.cookies, body=body
        )
