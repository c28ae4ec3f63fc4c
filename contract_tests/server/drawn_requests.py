"""
Property tests of a target: hypothesis draws requests, each is sent and judged, and one that breaks a rule is shrunk.

The same seed draws the same requests, and so finds the same breach again.
"""

import shlex
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

from contract_tests.cases.case import RequestCase, can_travel, request_problems
from contract_tests.cases.generation import DrawnBatch, Generator
from contract_tests.cases.negative import with_sole_violation
from contract_tests.http.body_writing import written
from contract_tests.http.parameters import encode_path, encode_query
from contract_tests.openapi.document import Operation
from contract_tests.options import Options
from contract_tests.rules import NotExercised, Side, Violation
from contract_tests.server.recorder import Event, ViolationKey
from contract_tests.server.sanitize import sanitize, with_existing_ids
from contract_tests.server.server import ServerUnderTest
from contract_tests.server.tries import Tried, Tries

PROPERTIES: Final = 10  # rules that share the traffic of an operation, and so its part of a budget in seconds
MOST_TRIES: Final = 300  # to make one request smaller
MOST_SHRUNK: Final = 3  # violations of one operation, in so many seconds; the others are reported as they were drawn
MOST_SECONDS: Final = 20.0
SHARE: Final = 4  # of the requests that are left of max_requests, a quarter at most goes into shrinking one


@dataclass
class _Search:
    """One run of a property test: what broke first is shrunk, until ``ends`` or the last request that it may take."""

    is_broken: bool
    ends: float
    breach: ViolationKey | None = None
    failed: list[Tried] = field(default_factory=list)
    started: float = 0.0
    last_request: int = 0
    is_grounded: bool = True
    is_repeated: bool = True

    @property
    def note(self) -> str:
        """What the report says of the request."""
        if not self.is_repeated:
            return "; the same request was sent again, and it did not show"
        before, after = _size(self.failed[0].case), _size(self.failed[-1].case)
        return f"; shrunk from {before} to {after} bytes" if after < before else ""


class DrawnRequests:
    """Tries drawn requests on one target."""

    def __init__(self, server: ServerUnderTest, generator: Generator, options: Options, tries: Tries) -> None:
        self._server = server
        self._generator = generator
        self._options = options
        self._tries = tries
        self._known: set[ViolationKey] = set()
        self._links, self._odd = (server.watch.rules[event] for event in (Event.DEAD_LINK, Event.ODD_REFUSAL))
        self._left, self._seconds = 0, 0.0

    def play(self, operation: Operation) -> None:
        """Try the drawn requests for an operation."""
        self._known |= self._server.watch.violation_keys()
        self._left, self._seconds = MOST_SHRUNK, MOST_SECONDS
        ends = self._generator.budget.row_ends(PROPERTIES)
        for number, size in enumerate(self._generator.budget.batches(PROPERTIES)):
            legal = DrawnBatch(size, number, most_tries=MOST_TRIES)
            for batch in (legal, replace(legal, is_broken=True)):
                # What is known fails no more, so that the rest of the batch is tried as well.
                while self._finds_violation(operation, batch, ends):
                    pass

    def _finds_violation(self, operation: Operation, batch: DrawnBatch, ends: float) -> bool:
        search = _Search(batch.is_broken, ends)
        self._generator.smallest_request(operation, partial(self._fails, search), batch)
        if search.breach is None:
            return False
        self._left -= 1
        self._seconds -= self._generator.budget.clock() - search.started
        self._report(search.breach, search)
        return True

    def _fails(self, search: _Search, drawn: RequestCase) -> bool:
        """Whether a drawn request breaks anything unknown; once one has, whether it breaks the same."""
        if search.breach is not None and self._is_over(search):
            return False
        case = self._prepared(search, replace(drawn, is_drawn=True))
        if case is None:
            return False
        try:
            tried = self._tries.once(case)
        except NotExercised:
            if search.breach is None:
                raise
            return False  # a violation is reported, even if it can be shrunk no more
        found = self._to_shrink(tried)
        if search.breach is None and found:
            self._start(search, min(found), case)
        if search.breach not in found:
            return False
        search.failed.append(tried)
        return True

    def _prepared(self, search: _Search, drawn: RequestCase) -> RequestCase | None:
        if search.is_broken:
            broken = with_sole_violation(self._server.contract, drawn)
            return None if broken is None else sanitize(broken, self._server)
        if not can_travel(drawn) or request_problems(self._server.contract, drawn):
            return None
        if search.breach is None:
            # Every other one refers to what exists: the rest shows how the target takes what does not.
            search.is_grounded = not search.is_grounded
        return with_existing_ids(drawn, self._server) if search.is_grounded else sanitize(drawn, self._server)

    def _start(self, search: _Search, breach: ViolationKey, case: RequestCase) -> None:
        search.breach, search.started = breach, self._generator.budget.clock()
        search.ends = min(search.ends, search.started + self._seconds)
        with suppress(NotExercised):
            # What does not show twice would take all tries for nothing.
            search.is_repeated = breach in self._to_shrink(self._tries.again(case))
        left = self._server.target.max_requests - self._server.wire.sent if search.is_repeated else 0
        search.last_request = self._server.wire.sent + left // SHARE

    def _is_over(self, search: _Search) -> bool:
        return self._server.wire.sent >= search.last_request or self._generator.budget.clock() > search.ends

    def _to_shrink(self, tried: Tried) -> set[ViolationKey]:
        """Return what broke with a request, was not seen before, and may be shrunk."""
        operation = tried.case.operation
        # Whether a link can be followed depends on earlier requests, which are not shrunk.
        found = {one for one in tried.violations - self._known if one.rule != self._links}
        is_spent = not self._left or self._seconds <= 0 or self._server.wire.is_costly(operation)
        if tried.refused is not None and self._tries.acceptance.is_breach(tried.refused):
            found.add(ViolationKey(self._odd, operation.id, ""))
            if is_spent:
                self._tries.acceptance.add(Event.ODD_REFUSAL, tried.refused)
        return set() if is_spent else {one for one in found if self._options.selects(one.rule)}

    def _report(self, breach: ViolationKey, search: _Search) -> None:
        """Have the smallest request reported in place of the one that was drawn."""
        smallest = search.failed[-1]
        again = shlex.join(self._options.command_for(breach.rule, Side.SERVER, self._server.target.name))

        def tell(violation: Violation) -> Violation:
            received, reproduce = violation.received + search.note, f"{violation.reproduce}\n{again}"
            return replace(violation, received=received, reproduce=reproduce)

        if smallest.refused is not None and breach.rule == self._odd:
            self._tries.acceptance.add(Event.ODD_REFUSAL, smallest.refused, tell)
        else:
            self._known.add(breach)
            self._server.watch.report_by(breach, smallest.number, tell)


def _size(case: RequestCase) -> int:
    content = written(case.media_type, case.body)[0] if case.has_body else b""
    return len(encode_path(case.operation, case.path) + encode_query(case.operation, case.query)) + len(content)
