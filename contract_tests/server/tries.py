"""What came of each generated request: sent once, however many layers of traffic ask for it."""

import contextlib
import re
from dataclasses import dataclass
from typing import Final

from contract_tests.cases.case import RequestCase, can_travel, is_http
from contract_tests.http.body_writing import can_be_sent_as
from contract_tests.rules import Unanswered
from contract_tests.server.minimize import Acceptance
from contract_tests.server.models.exchange import Exchange
from contract_tests.server.recorder import Event, ViolationKey
from contract_tests.server.server import ServerUnderTest

GIVEN_ADDRESS: Final = re.compile(r"/callback/[0-9a-f]{32}\?run=\d+")


@dataclass(frozen=True)
class Tried:
    """A request that was tried."""

    case: RequestCase
    number: int = 0  # its number; 0 if it was not sent
    violations: frozenset[ViolationKey] = frozenset()  # what broke with it
    refused: Exchange | None = None  # what came, if it refers to what exists alone and was refused


class Tries:
    """The requests that were tried on one target; ``acceptance`` knows for what legal ones were refused."""

    def __init__(self, server: ServerUnderTest) -> None:
        self.acceptance = Acceptance(server)
        self._server = server
        self._tried: dict[str, Tried] = {}

    def once(self, case: RequestCase) -> Tried:
        """Send a request unless that was done, or it can't travel."""
        is_written = not case.has_body or can_be_sent_as(case.media_type, case.body)
        if not (can_travel(case) and is_written if case.breach is None else is_http(case)):
            return Tried(case)
        key = _key(case)
        if key not in self._tried:
            self._tried[key] = self.again(case)
        return self._tried[key]

    def again(self, case: RequestCase) -> Tried:
        """Send a request in any case."""
        number, refused = self._server.wire.sent + 1, None
        with contextlib.suppress(Unanswered):
            exchange = self._server.wire.send(case)
            if not case.is_drawn and self.acceptance.is_breach(exchange):
                self.acceptance.add(Event.REFUSAL, exchange)
            refused = exchange if case.is_grounded and exchange.is_refused else None
        return Tried(case, number, frozenset(self._server.watch.violation_keys(number)), refused)


def _key(case: RequestCase) -> str:
    body = GIVEN_ADDRESS.sub("", repr(case.body))
    return repr([case.operation.id, case.path, case.query, case.headers, body, case.media_type])
