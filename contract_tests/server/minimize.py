"""Legal requests that are refused: which part of them the refusal is about."""

from collections.abc import Callable
from contextlib import suppress
from typing import Final

from contract_tests.cases.case import RequestCase, request_problems
from contract_tests.cases.shrinking import with_fewest_parts
from contract_tests.openapi.document import split
from contract_tests.openapi.schema_walk import member_schemas
from contract_tests.rules import NotExercised, Violation
from contract_tests.server.models.exchange import Exchange
from contract_tests.server.recorder import Event
from contract_tests.server.sanitize import depends_on_state, is_known, with_existing_ids
from contract_tests.server.server import ServerUnderTest

NO_EXCUSE: Final = (400, 405, 406, 415, 422)  # of a request that is legal and refers to what exists alone
NOT_FOUND: Final = 404
BAD_REQUEST: Final = 400
MOST_FINDINGS: Final = 5  # for each operation: a server that refuses everything is no riddle


class Acceptance:
    """Knows for what parts legal requests were refused; a violation is named by those that the smallest one has."""

    def __init__(self, server: ServerUnderTest) -> None:
        self._server = server
        self._causes: dict[str, list[frozenset[str]]] = {}

    def is_breach(self, exchange: Exchange) -> bool:
        """Whether a grounded request was refused, and no smaller one that it contains was before."""
        if not exchange.case.is_grounded or not _has_no_excuse(exchange):
            return False
        causes = self._causes.get(exchange.case.operation.id, [])
        parts = self._parts(exchange.case)
        return len(causes) < MOST_FINDINGS and not any(known <= parts for known in causes)

    def add(
        self, event: Event, exchange: Exchange, tell: Callable[[Violation], Violation] = lambda found: found
    ) -> None:
        """Take down a finding on the request without all that has nothing to do with the refusal."""
        smallest = self._smallest(exchange)
        operation, parts = exchange.case.operation, self._parts(smallest.case)
        self._causes.setdefault(operation.id, []).append(parts)
        constraint = " and ".join(sorted(parts)) or operation.pointer
        documented = "A request that fits the contract is carried out."
        violation = tell(smallest.violation(constraint, documented=documented))
        self._server.watch.add(event, smallest, violation)

    def _smallest(self, exchange: Exchange) -> Exchange:
        # Only parts are left out: hypothesis shrinks what it has drawn, no example and no case of the coverage phase.
        refused = [exchange]

        def fails(smaller: RequestCase) -> bool:
            case = smaller if self._server.target.is_local else with_existing_ids(smaller, self._server)
            if case is None or request_problems(self._server.contract, case):
                return False
            with suppress(NotExercised):  # the refusal is reported, even if it can be made no smaller
                again = self._server.wire.send(case)
                refused.extend([again] if _has_no_excuse(again) else [])
                return again is refused[-1]
            return False

        with_fewest_parts(exchange.case, fails)
        return refused[-1]

    def _parts(self, case: RequestCase) -> frozenset[str]:
        """Return what a request has beyond what every request must have, each part by its pointer in the contract."""
        parameters = [one for one in case.operation.parameters if not one.required]
        found = {one.pointer for one in parameters if one.name in case.values(one.location)}
        media = case.operation.body.media.get(case.media_type) if case.operation.body else None
        if media is not None and isinstance(case.body, dict):
            members = member_schemas(self._server.contract, media.schema)
            found |= {pointer for pointer in members if split(pointer)[-1] in case.body}
        return frozenset(found)


def _has_no_excuse(exchange: Exchange) -> bool:
    # Of a service that is not known by name nobody knows what exists, and its examples need not.
    is_lost = exchange.status == NOT_FOUND and is_known(exchange.case.operation)
    if exchange.status == BAD_REQUEST and depends_on_state(exchange.case.operation):
        return False
    return is_lost or exchange.status in NO_EXCUSE
