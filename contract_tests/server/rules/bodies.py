"""Every operation of a server: the same body written in another way."""

from functools import partial
from typing import Final

import pytest

from contract_tests.openapi.document import Operation
from contract_tests.rules import EVERY_OPERATION, Checks, Violation
from contract_tests.rules import rule as card
from contract_tests.server.relations.repeated_requests import Respelled, respelled
from contract_tests.server.relations.spellings import MAY_BE_REFUSED
from contract_tests.server.server import ServerUnderTest

JSON: Final = "https://www.rfc-editor.org/rfc/rfc8259"
HTTP: Final = "https://www.rfc-editor.org/rfc/rfc9112#section-6.3"
LENGTH_REQUIRED: Final = 411
rule: Final = partial(card, operations=EVERY_OPERATION, side="server", requests=5)


@pytest.fixture
def requests(operation: Operation, server: ServerUnderTest) -> list[Respelled]:
    """Return a request that was taken with its body written in other ways."""
    return respelled(server, operation)


@rule(
    "REL-SAME-01",
    "The same JSON is the same request, however it is written.",
    says="Names have no order, a character may be escaped or not, white space says nothing, and a media type is the "
    "same in capitals.",
    source=JSON,
    basis="documented",
)
def test_same_json_is_the_same_request(requests: list[Respelled]) -> Checks:
    return (_violation(one) for one in requests if one.spelling not in MAY_BE_REFUSED and not one.is_equal)


@rule(
    "REL-SAME-02",
    "A charset, chunks and 1.0 for 1 change nothing.",
    says="application/json has no parameters that mean anything; a body may come in chunks, which 411 may refuse; and "
    "JSON Schema has 1.0 for an integer. A service that knows none of it says so.",
    source=f"{JSON}; {HTTP}",
    basis="inferred",
)
def test_leniency_changes_nothing(requests: list[Respelled]) -> Checks:
    found = [one for one in requests if one.spelling in MAY_BE_REFUSED and not one.is_equal]
    return (_violation(one) for one in found if one.exchange.status != LENGTH_REQUIRED)


def _violation(one: Respelled) -> Violation:
    return one.exchange.violation(one.spelling, f"with {one.spelling}, and {one.usual.status} when written as usual")
