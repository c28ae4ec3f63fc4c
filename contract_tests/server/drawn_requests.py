"""
Property tests of a target: hypothesis draws requests, each is sent and judged, and one that breaks a rule is shrunk.

The same seed draws the same requests, and so finds the same breach again.
"""

import shlex
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from contract_tests.cases.case import RequestCase, can_travel, request_problems
from contract_tests.cases.generation import DrawnBatch, Generator
from contract_tests.cases.negative import with_sole_violation
from contract_tests.http.parameters import encode_path, encode_query
from contract_tests.openapi.document import Operation
from contract_tests.options import Options
from contract_tests.rules import NotExercised, Side, Violation
from contract_tests.server.exchange import Exchange
from contract_tests.server.minimize import Acceptance
from contract_tests.server.recorder import Breach, Event
from contract_tests.server.sanitize import safe, with_existing_ids
from contract_tests.server.server import ServerUnderTest
from contract_tests.server.transport import content_of

PROPERTIES: Final = 10  # rules that share the traffic of an operation, and so its part of a budget in seconds
MOST_TRIES: Final = 300  # to make one request smaller
MOST_SHRUNK: Final = 3  # breaches of one operation, in so many seconds; the others are reported as they were drawn
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
        self._links, self._odd = (server.watch.rules[event] for event in (Event.DEAD_LINK, Event.ODD_REFUSAL))
        self._left, self._seconds = 0, 0.0

    def play(self, operation: Operation) -> None:
        """Try the drawn requests for an operation."""
        self._known |= self._server.watch.breaches()
        self._left, self._seconds = MOST_SHRUNK, MOST_SECONDS
        budget = self._generator.budget
        ends = budget.row_ends(PROPERTIES)
        for number, size in enumerate(budget.batches(PROPERTIES)):
            legal = DrawnBatch(size, number, most_tries=MOST_TRIES)
            for batch in (legal, replace(legal, is_broken=True)):
                # What is known fails no more, so that the rest of the batch is tried as well.
                while self._finds_breach(operation, batch, ends):
                    pass

    def _finds_breach(self, operation: Operation, batch: DrawnBatch, ends: float) -> bool:
        clock = self._generator.budget.clock
        search = _Search(self._server, batch.is_broken, self._try, self._to_shrink, clock, ends, self._seconds)
        self._generator.smallest_request(operation, search.fails, batch)
        if search.breach is None:
            return False
        self._left -= 1
        self._seconds -= clock() - search.started
        self._report(search.breach, search.failed[0], search.failed[-1])
        return True

    def _to_shrink(self, tried: Tried) -> set[Breach]:
        """Return what broke with a request, was not seen before, and may be shrunk."""
        # Whether a link can be followed depends on earlier requests, which are not shrunk.
        found = {one for one in tried.breaches - self._known if one.rule != self._links}
        if tried.refused is not None and self._acceptance.is_breach(tried.refused):
            found.add(Breach(self._odd, tried.case.operation.id, ""))
            if self._is_spent:
                self._acceptance.add(Event.ODD_REFUSAL, tried.refused)
        return set() if self._is_spent else {one for one in found if self._options.selects(one.rule)}

    @property
    def _is_spent(self) -> bool:
        return not self._left or self._seconds <= 0

    def _report(self, breach: Breach, first: Tried, smallest: Tried) -> None:
        """Have the smallest request reported in place of the one that was drawn."""
        again = shlex.join(self._options.command_for(breach.rule, Side.SERVER, self._server.target.name))
        before, after = _size(first.case), _size(smallest.case)

        def tell(violation: Violation) -> Violation:
            shrunk = f"; shrunk from {before} to {after} bytes" if after < before else ""
            reproduce = f"{violation.reproduce}\n{again}"
            return replace(violation, received=violation.received + shrunk, reproduce=reproduce)

        if smallest.refused is not None and breach.rule == self._odd:
            self._acceptance.add(Event.ODD_REFUSAL, smallest.refused, tell)
        else:
            self._known.add(breach)
            self._server.watch.report_by(breach, smallest.number, tell)


@dataclass
class _Search:
    """The property: nothing unknown breaks with a request. What breaks first is what is shrunk."""

    server: ServerUnderTest
    is_broken: bool
    try_: Callable[[RequestCase], Tried]
    to_shrink: Callable[[Tried], set[Breach]]
    clock: Callable[[], float]
    ends: float
    seconds: float
    breach: Breach | None = None
    failed: list[Tried] = field(default_factory=list)
    started: float = 0.0
    last_request: int = 0
    is_grounded: bool = True

    def fails(self, drawn: RequestCase) -> bool:
        """Whether a drawn request breaks anything unknown; once one has, whether it breaks the same."""
        if self.breach is not None and (self.clock() > self.ends or self.server.wire.sent >= self.last_request):
            return False
        case = self._prepared(replace(drawn, is_drawn=True))
        try:
            tried = Tried(drawn) if case is None else self.try_(case)
        except NotExercised:
            if self.breach is None:
                raise
            return False  # a breach is reported, even if it can be shrunk no more
        found = self.to_shrink(tried)
        if self.breach is None and found:
            self._start(min(found))
        if self.breach is None or self.breach not in found:
            return False
        self.failed.append(tried)
        return True

    def _prepared(self, drawn: RequestCase) -> RequestCase | None:
        if self.is_broken:
            broken = with_sole_violation(self.server.contract, drawn)
            return None if broken is None else safe(broken, self.server)
        if not can_travel(drawn) or request_problems(self.server.contract, drawn):
            return None
        if self.breach is None:
            # Every other one refers to what exists: the rest shows how the target takes what does not.
            self.is_grounded = not self.is_grounded
        return with_existing_ids(drawn, self.server) if self.is_grounded else safe(drawn, self.server)

    def _start(self, breach: Breach) -> None:
        self.breach, self.started = breach, self.clock()
        self.ends = min(self.ends, self.started + self.seconds)
        left = self.server.target.max_requests - self.server.wire.sent
        self.last_request = self.server.wire.sent + left // SHARE


def _size(case: RequestCase) -> int:
    content, _ = content_of(case)
    return len(encode_path(case.operation, case.path) + encode_query(case.operation, case.query)) + len(content or b"")
