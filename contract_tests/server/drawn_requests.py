"""
Property tests of a target: hypothesis draws requests, each is sent and judged, and one that breaks a rule is shrunk.

The same seed draws the same requests, and so finds the same breach again.
"""

import shlex
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from contract_tests.cases.case import RequestCase
from contract_tests.cases.generation import DrawnBatch, Generator
from contract_tests.cases.negative import with_sole_violation
from contract_tests.http.parameters import encode_path, encode_query
from contract_tests.openapi.document import Operation
from contract_tests.options import Options
from contract_tests.rules import NotExercised, Side, Violation
from contract_tests.server.exchange import Exchange
from contract_tests.server.links import RULE as LINKS_RULE
from contract_tests.server.minimize import Acceptance
from contract_tests.server.recorder import Breach
from contract_tests.server.sanitize import safe, with_existing_ids
from contract_tests.server.server import ServerUnderTest
from contract_tests.server.transport import content_of

ODD: Final = "SRV-07"
PROPERTIES: Final = 10  # rules that share the traffic of an operation, and so its part of a budget in seconds
MOST_TRIES: Final = 300  # to make one request smaller, in so many seconds
MOST_SECONDS: Final = 20.0
SHARE: Final = 4  # of the requests that are left of max_requests, a quarter at most goes into shrinking one


@dataclass(frozen=True)
class Tried:
    """
    A request that was tried.

    Attributes:
        number: Its number; 0 if it was not sent.
        breaches: What broke with it.
        refused: What came, if it refers to what exists alone and was refused.
    """

    case: RequestCase
    number: int = 0
    breaches: frozenset[Breach] = frozenset()
    refused: Exchange | None = None


Prepare = Callable[[RequestCase], RequestCase | None]
Try = Callable[[RequestCase], Tried]


class DrawnRequests:
    """Tries drawn requests on one target; ``try_`` sends one, unless that was done."""

    def __init__(
        self, server: ServerUnderTest, generator: Generator, options: Options, acceptance: Acceptance, try_: Try
    ) -> None:
        self._server = server
        self._generator = generator
        self._options = options
        self._acceptance = acceptance
        self._try = try_
        self._known: set[Breach] = set()

    def play(self, operation: Operation) -> None:
        """Try the drawn requests for an operation."""
        self._known |= self._server.watch.breaches()
        ends = self._generator.budget.row_ends(PROPERTIES)
        for number, size in enumerate(self._generator.budget.batches(PROPERTIES)):
            # Every other legal one refers to what exists: the rest shows how the target takes what does not.
            existing = DrawnBatch(size // 2, " of what exists", number, most_tries=MOST_TRIES)
            legal = DrawnBatch(size - size // 2, "", number, most_tries=MOST_TRIES)
            broken = DrawnBatch(size, "", number, is_broken=True, most_tries=MOST_TRIES)
            for batch, prepare in ((existing, self._existing), (legal, self._legal), (broken, self._broken)):
                # What is known fails no more, so that the rest of the batch is tried as well.
                while self._finds_breach(operation, batch, prepare, ends):
                    pass

    def _existing(self, drawn: RequestCase) -> RequestCase | None:
        return with_existing_ids(drawn, self._server)

    def _legal(self, drawn: RequestCase) -> RequestCase | None:
        return safe(drawn, self._server)

    def _broken(self, drawn: RequestCase) -> RequestCase | None:
        broken = with_sole_violation(self._server.contract, drawn)
        return None if broken is None else safe(broken, self._server)

    def _finds_breach(self, operation: Operation, batch: DrawnBatch, prepare: Prepare, ends: float) -> bool:
        def try_(drawn: RequestCase) -> Tried | None:
            case = prepare(replace(drawn, is_drawn=True))
            return None if case is None else self._try(case)

        search = _Search(self._server, try_, self._unknown, self._generator.budget.clock, ends)
        self._generator.smallest_request(operation, search.fails, batch)
        if search.breach is not None:
            self._report(search.breach, search.failed[0], search.failed[-1])
        return search.breach is not None

    def _unknown(self, tried: Tried) -> set[Breach]:
        """Return what broke with a request and was not seen before."""
        # Whether a link can be followed depends on earlier requests, which are not shrunk.
        found = {one for one in tried.breaches - self._known if one.rule != LINKS_RULE}
        if tried.refused is not None and self._acceptance.is_breach(tried.refused):
            found.add(Breach(ODD, tried.case.operation.id, ""))
        return found

    def _report(self, breach: Breach, first: Tried, smallest: Tried) -> None:
        """Have the smallest request reported in place of the one that was drawn."""
        again = shlex.join(self._options.command_for(breach.rule, Side.SERVER, self._server.target.name))
        before, after = _size(first.case), _size(smallest.case)

        def tell(violation: Violation) -> Violation:
            shrunk = f"; shrunk from {before} to {after} bytes" if after < before else ""
            reproduce = f"{violation.reproduce}\n{again}"
            return replace(violation, received=violation.received + shrunk, reproduce=reproduce)

        if smallest.refused is not None and breach.rule == ODD:
            self._acceptance.add(ODD, smallest.refused, tell)
        else:
            self._known.add(breach)
            self._server.watch.report_by(breach, smallest.number, tell)


@dataclass
class _Search:
    """The property: nothing unknown breaks with a request. What breaks first is what is shrunk."""

    server: ServerUnderTest
    try_: Callable[[RequestCase], Tried | None]
    unknown: Callable[[Tried], set[Breach]]
    clock: Callable[[], float]
    ends: float
    breach: Breach | None = None
    failed: list[Tried] = field(default_factory=list)
    last_request: int = 0

    def fails(self, drawn: RequestCase) -> bool:
        """Whether a drawn request breaks anything unknown; once one has, whether it breaks the same."""
        if self.breach is not None and (self.clock() > self.ends or self.server.wire.sent >= self.last_request):
            return False
        try:
            tried = self.try_(drawn)
        except NotExercised:
            if self.breach is None:
                raise
            return False  # a breach is reported, even if it can be shrunk no more
        found = set() if tried is None else self.unknown(tried)
        if self.breach is None and found:
            self.breach = min(found)
            left = self.server.target.max_requests - self.server.wire.sent
            self.last_request = self.server.wire.sent + left // SHARE
            self.ends = min(self.ends, self.clock() + MOST_SECONDS)
        if tried is None or self.breach not in found:
            return False
        self.failed.append(tried)
        return True


def _size(case: RequestCase) -> int:
    content, _ = content_of(case)
    return len(encode_path(case.operation, case.path) + encode_query(case.operation, case.query)) + len(content or b"")
