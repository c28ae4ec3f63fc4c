"""Requests that only read, in flight together, each compared with what it is answered alone."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from itertools import islice, zip_longest
from typing import Any, Final

from contract_tests.openapi.document import Operation
from contract_tests.openapi.json_text import json_or, same
from contract_tests.rules import NotExercised
from contract_tests.server.models.exchange import LATER, Access, Exchange
from contract_tests.server.relations.legal_requests import taken_request
from contract_tests.server.sanitize import check_allowed
from contract_tests.server.server import ServerUnderTest

OK: Final = 200
MOST_OF_EACH: Final = 2
MOST: Final = 8
FEWEST: Final = 2
SHARE: Final = 10  # the part of a target's requests that this may take


@dataclass(frozen=True)
class AtOnce:
    """
    A request that was sent together with others.

    Attributes:
        alone: What it was answered before.
        again: What it was answered alone afterwards; None if there was no need to ask.
    """

    alone: Exchange
    together: Exchange
    again: Exchange | None

    @property
    def is_mixed_up(self) -> bool:
        """Whether it is answered alike before and afterwards, and otherwise together with others."""
        return self.again is not None and _is_same(self.alone, self.again) and self.together.status not in LATER


class RequestsAtOnce:
    """The requests of one target, sent when a rule first asks for them."""

    def __init__(self, server: ServerUnderTest) -> None:
        self.server = server

    @cached_property
    def compared(self) -> list[AtOnce]:
        """
        Each of them, sent twice together with all others.

        Raises:
            NotExercised: If there are not two of them, or too few requests are left.
        """
        by_operation = [self._different(operation) for operation in self._reading()]
        in_turn = (one for ones in zip_longest(*by_operation) for one in ones if one is not None)
        chosen = list(islice(in_turn, MOST))
        target = self.server.target
        left = min(target.max_requests // SHARE, self.server.wire.left)
        if len(chosen) < FEWEST or 2 * len(chosen) > left:
            raise NotExercised("fewer than two requests that read are taken, or max_requests is too small for them")
        both_ways = [*chosen, *reversed(chosen)]
        came = self.server.wire.send_together([one.case for one in both_ways])
        pairs = zip(both_ways, came, strict=True)
        return [self._compared(alone, one) for alone, one in pairs if not isinstance(one, NotExercised)]

    def _compared(self, alone: Exchange, together: Exchange) -> AtOnce:
        again = None if _is_same(alone, together) else self.server.wire.send(alone.case)
        return AtOnce(alone, together, again)

    def _reading(self) -> Iterator[Operation]:
        for operation in self.server.contract.operations:
            if operation.service == self.server.target.service and operation.is_read_only:
                with suppress(NotExercised):
                    check_allowed(operation, self.server.target)
                    taken_request(self.server, operation)
                    yield operation

    def _different(self, operation: Operation) -> list[Exchange]:
        """Return the last exchanges of an operation that have come to different ends."""
        found: list[Exchange] = []
        latest = {one.url: one for one in self.server.watch.of(operation.id) if one.method == "GET"}
        for one in sorted(latest.values(), key=lambda one: -one.number):
            is_usual = one.is_legal and one.access is Access.OWN and not one.is_cut and one.status == OK
            if is_usual and not any(_is_same(one, other) for other in found):
                found.append(one)
        return found[:MOST_OF_EACH]


def _is_same(one: Exchange, other: Exchange) -> bool:
    return one.status == other.status and same(_body(one), _body(other))


def _body(exchange: Exchange) -> Any:
    return json_or(exchange.reply, exchange.reply.decode("latin-1"))
