"""Requests that only read, in flight together, each compared with what it is answered alone."""

import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import cycle, islice, zip_longest
from typing import Any, Final

import h11

from contract_tests.http.raw_connection import RawConnection
from contract_tests.openapi.document import Operation
from contract_tests.openapi.json_text import json_or, same
from contract_tests.rules import NotExercised
from contract_tests.server.connections import address_of, context_for
from contract_tests.server.credentials import credentials_of
from contract_tests.server.models.exchange import LATER, Access, Exchange
from contract_tests.server.relations.legal_requests import taken_request
from contract_tests.server.relations.one_connection import headers_of, target_of
from contract_tests.server.sanitize import check_allowed
from contract_tests.server.server import ServerUnderTest

OK: Final = 200
MOST_OF_EACH: Final = 2
MOST: Final = 8
ON_ONE_CONNECTION: Final = 21
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
    """
    The requests of one target, sent when a rule first asks for them.

    Attributes:
        strangers: Those among them that went with a wrong key.
    """

    def __init__(self, server: ServerUnderTest) -> None:
        self.server = server
        self.strangers: list[Exchange] = []

    @cached_property
    def compared(self) -> list[AtOnce]:
        """
        Each of them, sent twice together with all others, and on this machine once more with a wrong key.

        Raises:
            NotExercised: If there are not two of them, or too few requests are left.
        """
        chosen = self._chosen
        with_wrong_key = chosen if self.server.target.is_local else []
        pairs = zip_longest(chosen, with_wrong_key, reversed(chosen))
        planned = [(one, place == 1) for ones in pairs for place, one in enumerate(ones) if one is not None]
        strangers = {place for place, (_, is_stranger) in enumerate(planned) if is_stranger}
        came = self.server.wire.send_together([one.case for one, _ in planned], strangers)
        answered = [(*one, came) for one, came in zip(planned, came, strict=True) if not isinstance(came, NotExercised)]
        self.strangers = [one for _, is_stranger, one in answered if is_stranger]
        return [self._compared(alone, one) for alone, is_stranger, one in answered if not is_stranger]

    @cached_property
    def in_order(self) -> list[AtOnce]:
        """
        Return what came of them on one connection, in turn, so often that many are answered on it.

        Raises:
            NotExercised: If there are not two of them, too few requests are left, or a proxy stands in between.
        """
        target, chosen = self.server.target, self._chosen
        if target.max_requests // SHARE < ON_ONE_CONNECTION or (urllib.request.getproxies() and not target.is_local):
            raise NotExercised("max_requests is too small for it, or a proxy would answer for the connection")
        found: list[AtOnce] = []
        connection = RawConnection(address_of(target), context_for(target), target.total_timeout)
        with suppress(OSError, h11.RemoteProtocolError), connection:  # which other rules are about
            for alone in islice(cycle(chosen), ON_ONE_CONNECTION):
                own = credentials_of(target, self.server.contract, alone.case.operation, Access.OWN, "")
                self.server.wire.take_turn(alone.case.operation)
                came = connection.send("GET", target_of(alone, own), headers_of(alone, own))
                if not came.all("content-encoding"):  # nobody has asked for that, which is a matter of another rule
                    there = replace(alone, status=came.status, reply=came.body, number=self.server.wire.sent)
                    found.append(self._compared(alone, there))
        return found

    @cached_property
    def _chosen(self) -> list[Exchange]:
        by_operation = [self._different(operation) for operation in self._reading()]
        in_turn = (one for ones in zip_longest(*by_operation) for one in ones if one is not None)
        chosen = list(islice(in_turn, MOST))
        target = self.server.target
        left = min(target.max_requests // SHARE, self.server.wire.left)
        if len(chosen) < FEWEST or 2 * len(chosen) > left:
            raise NotExercised("fewer than two requests that read are taken, or max_requests is too small for them")
        return chosen

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
