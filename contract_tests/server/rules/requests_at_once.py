"""Every operation of a server: requests in flight together."""

from functools import partial
from typing import Final

from contract_tests.openapi.document import Operation
from contract_tests.rules import EVERY_OPERATION, Checks, NotApplicable, NotExercised
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


@rule(
    "REL-HTTP-04",
    "On one connection each request gets its own response, however many came before it.",
    says="Responses have no names: the first one belongs to the first request, and the tenth to the tenth.",
    source="https://www.rfc-editor.org/rfc/rfc9112#section-9.2",
    basis="documented",
)
def test_responses_come_in_order(operation: Operation, server: ServerUnderTest, once_per_run: OncePerRun) -> Checks:
    if not operation.is_read_only:
        raise NotApplicable("it changes something")
    mixed = "on a connection that has had others it is answered otherwise than alone, before and afterwards"
    return (
        one.together.check(not one.is_mixed_up, "on one connection", f"{mixed}: {one.alone.shown}")
        for one in once_per_run(RequestsAtOnce, server).in_order
        if one.together.case.operation.id == operation.id
    )


@rule(
    "REL-KEY-06",
    "A wrong key is refused while many requests are in flight, too.",
    says="The contract asks for the key of each request; how many others are being answered has nothing to do with it, "
    "nor have their keys.",
    source="https://spec.openapis.org/oas/v3.1.0#security-requirement-object",
    basis="documented",
)
def test_wrong_key_is_refused_in_a_crowd(
    operation: Operation, server: ServerUnderTest, once_per_run: OncePerRun
) -> Checks:
    if not operation.is_read_only or not operation.security or () in operation.security:
        raise NotApplicable("it changes something, or the contract asks for no credentials")
    if not server.target.is_local:
        raise NotExercised("elsewhere than on this machine many wrong keys at once may have their sender locked out")
    at_once = once_per_run(RequestsAtOnce, server)
    _ = at_once.compared
    taken = "together with others it is taken with a wrong key"
    return (
        one.check(not one.has_succeeded, "wrong key", taken)
        for one in at_once.strangers
        if one.case.operation.id == operation.id
    )
