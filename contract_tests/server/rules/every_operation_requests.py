"""Every operation of a server: legal requests, and methods."""

from collections.abc import Callable
from functools import partial
from typing import Final

from contract_tests.openapi.document import Operation
from contract_tests.registry import found_by
from contract_tests.rules import EVERY_OPERATION, Checks, NotApplicable, NotExercised, Violation, report_all
from contract_tests.rules import rule as card
from contract_tests.server.methods import is_allowed_to, undocumented_methods
from contract_tests.server.recorder import Event
from contract_tests.server.server import ServerUnderTest
from contract_tests.server.traffic import Traffic

OAS: Final = "https://spec.openapis.org/oas/v3.1.0"
HTTP: Final = "https://www.rfc-editor.org/rfc/rfc9110"
rule: Final = partial(card, operations=EVERY_OPERATION, side="server")
METHOD_NOT_ALLOWED: Final = 405
DONE: Final = (201, 202)
Found = Callable[[], list[Violation]]


@rule(
    "SRV-06",
    "A legal request for what exists is not refused.",
    says="Every documented parameter and property can be sent, with each kind of value that its schema allows.",
    source=f"{OAS}#operation-object",
    basis="documented",
)
@found_by(Event.REFUSAL)
def test_legal_request_is_taken(operation: Operation, server: ServerUnderTest, found: Found) -> None:
    report_all(found())
    if not any(exchange.case.is_grounded for exchange in server.watch.of(operation.id)):
        raise NotExercised("no legal request could be made of what is known to exist")


@rule(
    "SRV-07",
    "A legal request is not refused, however odd its values are.",
    says="A schema does not distinguish ordinary values from odd ones. Further limits of a service are undocumented.",
    source=f"{OAS}#schema-object",
    basis="inferred",
)
@found_by(Event.ODD_REFUSAL)
def test_odd_request_is_taken(found: Found) -> Checks:
    return found()


@rule(
    "SRV-13",
    "A method that the contract does not have on a path is refused.",
    says="405 is for such a method, 501 for one that nothing there knows, and 401, 403 or 404 from who looks at other "
    "things first; HTTP says should. Elsewhere than on this machine only OPTIONS is tried.",
    source=f"{HTTP}#section-9.1",
    basis="inferred",
)
def test_undocumented_method_is_refused(operation: Operation, server: ServerUnderTest, traffic: Traffic) -> Checks:
    # The stock check takes 405 alone where a path needs no key, and sends DELETE to anybody's server.
    traffic.play(operation)
    path, _, _ = operation.pointer.rpartition("/")
    return (
        exchange.violation(f"{path}/{exchange.method.lower()}", f"{exchange.method} was taken")
        for exchange in undocumented_methods(server, operation)
        if not is_allowed_to(exchange)
    )


@rule(
    "SRV-16",
    "A GET that the contract does not have on a path starts and creates nothing.",
    says="GET is safe: who sends it asks for no change. 201 says that something was created by it, 202 that something "
    "was accepted and is being done.",
    source=f"{HTTP}#section-9.2.1; {HTTP}#section-15.3.2; {HTTP}#section-15.3.3",
    basis="documented",
    otherwise="no GET was tried that the contract does not have",
)
def test_undocumented_get_is_safe(operation: Operation, server: ServerUnderTest, traffic: Traffic) -> Checks:
    if any(one.path == operation.path and one.method.upper() == "GET" for one in server.contract.operations):
        raise NotApplicable("the contract has GET on this path")
    traffic.play(operation)
    return (
        exchange.check(exchange.status not in DONE, "GET", "GET has started or created something")
        for exchange in undocumented_methods(server, operation)
        if exchange.method == "GET"
    )


@rule(
    "SRV-14",
    "A 405 says in Allow which methods there are.",
    says="A server that answers 405 must send Allow with the methods that the resource takes.",
    source=f"{HTTP}#section-15.5.6",
    basis="documented",
)
def test_refused_method_is_told_others(operation: Operation, server: ServerUnderTest, traffic: Traffic) -> Checks:
    # Whether Allow lists every documented method is left open: common frameworks name those of one route alone.
    traffic.play(operation)
    replies = [*server.watch.of(operation.id), *undocumented_methods(server, operation)]
    refused = [one for one in replies if one.status == METHOD_NOT_ALLOWED]
    if not refused:
        raise NotExercised("no method was refused with 405")
    allowed = [(one, one.reply_headers.get("allow")) for one in refused]
    return (
        one.violation("header Allow", f"Allow is {allow!r}")
        for one, allow in allowed
        if allow is None or one.method in {method.strip() for method in allow.split(",")}
    )
