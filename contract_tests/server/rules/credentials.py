"""Every operation of a server: credentials."""

from collections.abc import Iterator
from functools import partial
from typing import Final

import pytest

from contract_tests.budget import QUICK
from contract_tests.openapi.document import Operation
from contract_tests.options import Options
from contract_tests.rules import EVERY_OPERATION, Checks, NotExercised, Violation
from contract_tests.rules import rule as card
from contract_tests.server.models.exchange import LATER, Exchange
from contract_tests.server.relations.near_keys import exchanges_with_near_keys, exchanges_with_other_names
from contract_tests.server.sanitize import RUNS
from contract_tests.server.server import ServerUnderTest
from contract_tests.server.shares import has_few_requests

OAS: Final = "https://spec.openapis.org/oas/v3.1.0#security-scheme-object"
RESULTS: Final = "getWorkflowVersionExecutionResults"
NOT_UNDERSTOOD: Final = (401, 403, 415)  # without the key, or the content type
SHORTEST: Final = 8  # a shorter key may be found in any text
TWO: Final = "a wrong key"  # beside the right one
rule: Final = partial(card, source=OAS, operations=EVERY_OPERATION, side="server", requests=8)


@pytest.fixture
def near(operation: Operation, server: ServerUnderTest, options: Options) -> list[Exchange]:
    """Return what came of a request that is taken with the key, with what is nearly the key."""
    all_kinds = operation.id in {*RUNS, RESULTS} or options.budget.name != QUICK
    all_kinds = all_kinds and server.target.is_local and not has_few_requests(server.target)
    return exchanges_with_near_keys(server, operation, options.seed, all_kinds=all_kinds)


@rule(
    "REL-KEY-01",
    "What is nearly the key is refused.",
    says="The contract names the header that carries the key, and the key is what was given out: not its beginning, "
    "not the same in another case, not in the query, a cookie, the body or another header.",
    basis="documented",
)
def test_near_keys_are_refused(near: list[Exchange]) -> Checks:
    return (found for one in near if not one.presented.startswith(TWO) for found in _taken(one))


@rule(
    "REL-KEY-02",
    "Two keys at once are refused.",
    says="A header that is no list stands in a request once; which of two counts no page says, and a proxy before the "
    "service may look at the other one.",
    source="https://www.rfc-editor.org/rfc/rfc9110#section-5.3",
    basis="inferred",
)
def test_two_keys_are_refused(near: list[Exchange]) -> Checks:
    found = [one for one in near if one.presented.startswith(TWO)]
    if not found:
        raise NotExercised("this operation was tried with other keys")
    return (violation for one in found for violation in _taken(one))


@rule(
    "REL-KEY-03",
    "No response repeats the key that was sent.",
    says="A key that stands in a response gets into logs, caches and pages. No page says that it does.",
    basis="inferred",
)
@pytest.mark.usefixtures("near")
def test_keys_are_not_repeated(operation: Operation, server: ServerUnderTest) -> Checks:
    return (found for exchange in server.watch.of(operation.id) for found in _repeated(exchange))


@rule(
    "REL-KEY-05",
    "The names of headers are understood in any case.",
    says="Field names are case-insensitive: Go writes X-Api-Key, and who comes by HTTP/2 x-api-key. The key is found "
    "under each of them, and so is the content type.",
    source="https://www.rfc-editor.org/rfc/rfc9110#section-5.1",
    basis="documented",
    requests=2,
)
def test_names_of_headers_are_in_any_case(operation: Operation, server: ServerUnderTest, options: Options) -> Checks:
    all_kinds = operation.id in {*RUNS, RESULTS} or options.budget.name != QUICK
    all_kinds = all_kinds and server.target.is_local and not has_few_requests(server.target)
    for one, is_repeatable in exchanges_with_other_names(server, operation, all_kinds=all_kinds):
        is_refused = one.is_refused and one.status not in LATER if is_repeatable else one.status in NOT_UNDERSTOOD
        yield one.check(not is_refused, one.presented, f"{one.presented}: it was taken before")


def _taken(exchange: Exchange) -> Iterator[Violation]:
    if not exchange.is_refused:
        yield exchange.violation(exchange.presented, f"with {exchange.presented}")


def _repeated(exchange: Exchange) -> Iterator[Violation]:
    for key in (key for key in exchange.keys if len(key) >= SHORTEST):
        if key.encode() in exchange.reply:
            yield exchange.violation("body", "the key is in the body")
        for name, value in exchange.reply_headers.items():
            if key in value:
                yield exchange.violation("header", f"the key is in the header {name}")
