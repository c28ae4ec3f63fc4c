"""Every operation of a server: requests in flight together."""

from functools import partial
from typing import Final

from contract_tests.openapi.document import Operation
from contract_tests.rules import EVERY_OPERATION, Checks, NotApplicable
from contract_tests.rules import rule as card
from contract_tests.server.once_per_run import OncePerRun
from contract_tests.server.relations.requests_at_once import RequestsAtOnce
from contract_tests.server.server import ServerUnderTest

rule: Final = partial(
    card, operations=EVERY_OPERATION, side="server", requests=3, otherwise="no request for it is taken"
)


@rule(
    "REL-ONCE-01",
    "Requests that are in flight together are each answered as they are alone.",
    says="Each request is understood by itself. One that only reads is answered for what it asks, whatever is asked on "
    "other connections meanwhile.",
    source="https://www.rfc-editor.org/rfc/rfc9110#section-3.3",
    basis="documented",
)
def test_requests_at_once_are_answered_as_alone(
    operation: Operation, server: ServerUnderTest, once_per_run: OncePerRun
) -> Checks:
    if not operation.is_read_only:
        raise NotApplicable("it changes something")
    compared = once_per_run(RequestsAtOnce, server).compared
    mixed = "together with others it is answered otherwise than alone, before and afterwards"
    return (
        one.together.check(not one.is_mixed_up, "together with others", f"{mixed}: {one.alone.shown}")
        for one in compared
        if one.together.case.operation.id == operation.id
    )
