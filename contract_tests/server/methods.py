"""Requests with methods that the contract does not have on a path, sent where they can do no harm."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Final

from contract_tests.cases.case import ABSENT, RequestCase
from contract_tests.openapi.document import Operation, Response
from contract_tests.rules import NotExercised, Unanswered
from contract_tests.server.models.exchange import Access, Exchange
from contract_tests.server.server import ServerUnderTest

TRIED: Final = ("OPTIONS", "GET", "PUT", "POST", "PATCH", "DELETE")  # HEAD goes with GET, and TRACE is for proxies
NOT_IMPLEMENTED: Final = 501
ANYTHING: Final = {"default": Response("default", "", media={}, links={}, headers={})}


def undocumented_methods(server: ServerUnderTest, operation: Operation) -> list[Exchange]:
    """
    Return what came of the methods that the contract does not have on an operation's path, each sent once.

    Raises NotExercised if no legal request for the path is known, or none of them was answered.
    """
    sent = [one for one in server.watch.of(operation.id) if one.is_legal and one.access is Access.OWN]
    if not sent:
        raise NotExercised("no legal request could be made")
    legal = next((one for one in sent if one.has_succeeded), sent[0]).case
    documented = {one.method for one in server.contract.operations if one.path == operation.path}
    # Elsewhere than on this machine OPTIONS alone: an undocumented DELETE may delete.
    methods = [one for one in TRIED if one not in documented and (server.target.is_local or one == "OPTIONS")]
    found = list(_answered(server, legal, methods))
    if not found:
        raise NotExercised("no other method could be tried")
    return found


def is_allowed_to(exchange: Exchange) -> bool:
    """Whether a response to an undocumented method does nothing: it refuses it, or tells what can be done."""
    is_told = exchange.method == "OPTIONS" and exchange.has_succeeded
    return exchange.is_refused or exchange.status == NOT_IMPLEMENTED or is_told


def _answered(server: ServerUnderTest, legal: RequestCase, methods: list[str]) -> Iterator[Exchange]:
    for method in methods:
        # An operation of its own, of whose responses the contract says nothing.
        name = f"{method} {legal.operation.path}"
        operation = replace(legal.operation, id=name, method=method, body=None, responses=ANYTHING, callbacks={})
        case = replace(legal, operation=operation, body=ABSENT, media_type="")
        with suppress(Unanswered):
            yield server.once(name, partial(server.wire.send, case))
