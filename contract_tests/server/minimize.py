"""Legal requests that are refused: which part of them the refusal is about."""

from dataclasses import replace
from typing import Final

from contract_tests.cases.case import RequestCase, request_problems
from contract_tests.openapi.document import split
from contract_tests.openapi.schema_walk import member_schemas
from contract_tests.server.exchange import Exchange
from contract_tests.server.sanitize import is_known
from contract_tests.server.server import ServerUnderTest

NO_EXCUSE: Final = (400, 405, 406, 415, 422)  # of a request that is legal and refers to what exists alone
NOT_FOUND: Final = 404
MOST_FINDINGS: Final = 5  # for each operation: a server that refuses everything is no riddle


class Acceptance:
    """Takes what is left of a refused request once every part is gone that has nothing to do with the refusal."""

    def __init__(self, server: ServerUnderTest) -> None:
        self._server = server
        self._causes: dict[str, list[frozenset[str]]] = {}

    def judge(self, exchange: Exchange) -> None:
        """Take down a finding if a grounded request was refused, and no smaller one that it contains was before."""
        if not exchange.case.is_grounded or not _has_no_excuse(exchange):
            return
        operation = exchange.case.operation
        guilty = self._causes.setdefault(operation.id, [])
        if len(guilty) >= MOST_FINDINGS or any(known <= self._parts(exchange.case) for known in guilty):
            return
        smallest = self._smallest(exchange)
        parts = self._parts(smallest.case)
        guilty.append(parts)
        constraint = " and ".join(sorted(parts)) or operation.pointer
        documented = "A request that fits the contract is carried out."
        rule = "SRV-07" if exchange.case.is_drawn else "SRV-06"
        self._server.watch.add(rule, smallest, smallest.violation(constraint, documented=documented))

    def _smallest(self, exchange: Exchange) -> Exchange:
        for part in sorted(self._parts(exchange.case)):
            smaller = _without(exchange.case, part)
            if not request_problems(self._server.contract, smaller):
                again = self._server.wire.send(smaller)
                exchange = again if _has_no_excuse(again) else exchange
        return exchange

    def _parts(self, case: RequestCase) -> frozenset[str]:
        """Give what a request has beyond what every request must have, each part by its pointer in the contract."""
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
    return is_lost or exchange.status in NO_EXCUSE


def _without(case: RequestCase, part: str) -> RequestCase:
    for one in case.operation.parameters:
        if one.pointer == part:
            values = case.values(one.location)
            return case.with_values(one.location, {name: value for name, value in values.items() if name != one.name})
    return replace(case, body={name: value for name, value in case.body.items() if name != split(part)[-1]})
