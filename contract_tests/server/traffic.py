"""Generated traffic of one operation on one target: sent once, judged by every property."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from contract_tests.contract import Operation
from contract_tests.exchange import Exchange
from contract_tests.generation import Generator, example_requests
from contract_tests.request_case import RequestCase
from contract_tests.rules import NotExercised, Violation
from contract_tests.server.live import Server
from contract_tests.server.safety import check_allowed, safe

Sent = tuple[RequestCase, Exchange]


@dataclass
class _Part:
    sent: list[Sent]
    unanswered: list[Violation]
    stopped: NotExercised | None = None


class Traffic:
    """Legal and illegal requests and what came back."""

    def __init__(self, server: Server, operation: Operation, generator: Generator) -> None:
        self.server = server
        self.operation = operation
        self._generator = generator
        self._parts: dict[str, _Part] = {}

    @property
    def legal(self) -> list[Sent]:
        """Legal requests and their replies: the contract's examples, then generated ones."""
        return self._part("legal", self._legal_cases).sent

    @property
    def broken(self) -> list[Sent]:
        """Requests that break one constraint each, and their replies."""
        return self._part("broken", lambda: self._generator.broken_requests(self.operation)).sent

    @property
    def unanswered(self) -> list[Violation]:
        """Requests to which no complete reply came."""
        return [violation for part in self._parts.values() for violation in part.unanswered]

    def _legal_cases(self) -> Iterator[RequestCase]:
        yield from example_requests(self.operation)
        yield from self._generator.requests(self.operation)

    def _part(self, name: str, cases: Callable[[], Iterator[RequestCase]]) -> _Part:
        check_allowed(self.operation, self.server.target)
        if name not in self._parts:
            self._parts[name] = self._send(cases())
        part = self._parts[name]
        if part.stopped is not None and not part.sent:
            raise part.stopped
        return part

    def _send(self, cases: Iterator[RequestCase]) -> _Part:
        part = _Part([], [])
        for case in cases:
            allowed = safe(case, self.server.target, self.server.contract)
            if allowed is None:
                continue
            try:
                part.sent.append((allowed, self.server.wire.send(allowed)))
            except Violation as violation:
                part.unanswered.append(violation)
            except NotExercised as stop:
                part.stopped = stop
                break
        return part
