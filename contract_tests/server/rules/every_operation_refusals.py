"""Every operation of a server: what it refuses."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

from contract_tests.openapi.document import Contract, Operation, Parameter
from contract_tests.openapi.validation import Problem
from contract_tests.registry import found_by
from contract_tests.rules import EVERY_OPERATION, NotApplicable, NotExercised, Violation, report_all
from contract_tests.rules import rule as card
from contract_tests.server.checks import DENIED
from contract_tests.server.models.exchange import STRANGERS, Access, Exchange
from contract_tests.server.server import ServerUnderTest

OAS: Final = "https://spec.openapis.org/oas/v3.1.0"
rule: Final = partial(card, basis="documented", operations=EVERY_OPERATION, side="server")
SENT_BY_EVERY_CLIENT: Final = ("Accept", "Accept-Encoding", "Connection", "Content-Length", "Host", "User-Agent")
Found = Callable[[], list[Violation]]


def _check_refusal(_: Contract, exchange: Exchange) -> Iterator[Violation]:
    """A request that breaks one constraint is refused."""
    if not exchange.case.is_coercible:
        yield from _not_refused(exchange)


@rule(
    "SRV-04",
    "A request that breaks the contract is refused with a 4xx.",
    says="Parameters and bodies have schemas; a request that does not fit them is not one that the operation takes.",
    source=f"{OAS}#operation-object",
)
@found_by(_check_refusal)
def test_illegal_request_is_refused(operation: Operation, server: ServerUnderTest, found: Found) -> None:
    report_all(found())
    if not any(exchange.case.breach for exchange in server.watch.of(operation.id)):
        raise NotApplicable("nothing in the contract makes a request illegal")
    _must_tell_faults(server, operation)


def _check_missing_header(_: Contract, exchange: Exchange) -> Iterator[Violation]:
    """
    A request without a header that must be there is refused.

    The stock check takes six statuses; it says nothing where a path has parameters and the response is a 404.
    """
    header = _missing_header(exchange)
    if header is None or _accepted_breach(exchange) is None or _is_sent_anyway(exchange, header):
        return
    documented = f"A request without the header {header.name} is refused with a 4xx."
    yield exchange.violation(f"{header.pointer}/required", f"there was no {header.name}", documented=documented)


@rule(
    "SRV-15",
    "A request without a required header is refused with a 4xx.",
    says="A header that the contract marks as required must be in every request. Credentials are looked at by SRV-05.",
    source=f"{OAS}#parameter-object",
)
@found_by(_check_missing_header)
def test_missing_header_is_refused(operation: Operation, server: ServerUnderTest, found: Found) -> None:
    headers = {f"{one.pointer}/required" for one in _required_headers(operation)}
    if not headers:
        raise NotApplicable("it has no required headers")
    report_all(found())
    breaches = [exchange.case.breach for exchange in server.watch.of(operation.id)]
    if not any(breach is not None and breach.constraint in headers for breach in breaches):
        raise NotExercised("no request could be made that lacks nothing but a header")
    _must_tell_faults(server, operation)


def _check_coercible_data(_: Contract, exchange: Exchange) -> Iterator[Violation]:
    """So is one that a lenient reader may take for a legal one."""
    if exchange.case.is_coercible:
        yield from _not_refused(exchange)


@rule(
    "SRV-11",
    "A value that only reads like one of its type is refused with a 4xx.",
    says='A schema names types. Whether "7" is taken for a number, or null for nothing, no page says.',
    source=f"{OAS}#schema-object",
    basis="inferred",
)
@found_by(_check_coercible_data)
def test_value_of_another_type_is_refused(operation: Operation, server: ServerUnderTest, found: Found) -> None:
    if operation.body is None:
        raise NotApplicable("it has no body")
    report_all(found())
    _must_tell_faults(server, operation)


def _check_foreign_media_type(_: Contract, exchange: Exchange) -> Iterator[Violation]:
    """A body in another media type is refused."""
    breach = _accepted_breach(exchange)
    if breach is not None and _is_about_media_type(exchange):
        yield exchange.violation(breach.constraint, f"the body was sent as {exchange.case.media_type}")


@rule(
    "SRV-10",
    "A body in a media type that the contract does not list is refused with a 4xx.",
    says="The contract lists the media types of a body; a server that reads JSON under another name is lenient.",
    source=f"{OAS}#request-body-object",
    basis="inferred",
)
@found_by(_check_foreign_media_type)
def test_foreign_media_type_is_refused(operation: Operation, server: ServerUnderTest, found: Found) -> None:
    if operation.body is None:
        raise NotApplicable("it has no body")
    report_all(found())
    _must_tell_faults(server, operation)


def _check_access(_: Contract, exchange: Exchange) -> Iterator[Violation]:
    """Nobody gets in without the key."""
    if exchange.is_legal and exchange.access in STRANGERS and exchange.status not in DENIED:
        yield exchange.violation(exchange.access.value)


@rule(
    "SRV-05",
    "A request without credentials is refused.",
    says="The contract declares a security scheme for the operation; without credentials for it there is no access.",
    source=f"{OAS}#security-requirement-object",
)
@found_by(_check_access)
def test_missing_credentials_are_refused(operation: Operation, server: ServerUnderTest, found: Found) -> None:
    if not operation.security or () in operation.security:
        raise NotApplicable("the contract asks for no credentials")
    report_all(found())
    if all(exchange.access is Access.OWN for exchange in server.watch.of(operation.id)):
        raise NotExercised("no legal request could be made")
    own = [one for one in server.watch.of(operation.id) if one.is_legal and one.access is Access.OWN]
    if own and all(one.status in DENIED for one in own):
        raise NotExercised("the target's own key is refused as well")


def _must_tell_faults(server: ServerUnderTest, operation: Operation) -> None:
    """
    See whether the refusals of an operation are due to what is wrong with the requests.

    Raises NotExercised if legal requests get the same ones, and none was taken.
    """
    own = [one for one in server.watch.of(operation.id) if one.access is Access.OWN]
    legal = [one for one in own if one.is_legal]
    usual = {one.status for one in legal if one.is_refused}
    faulty = {one.status for one in own if one.case.breach and one.is_refused}
    if faulty and faulty <= usual and not any(one.has_succeeded for one in legal):
        statuses = ", ".join(map(str, sorted(faulty)))
        raise NotExercised(f"requests without a fault are refused as well, with {statuses}")


def _accepted_breach(exchange: Exchange) -> Problem | None:
    """Return what a request with the target's own key breaks, if it was not refused."""
    return None if exchange.is_refused or exchange.access is not Access.OWN else exchange.case.breach


def _not_refused(exchange: Exchange) -> Iterator[Violation]:
    breach = _accepted_breach(exchange)
    if breach is None or _is_about_media_type(exchange) or _missing_header(exchange) is not None:
        return
    received = f"{breach.at} {exchange.bounded(breach.message, 120)}"
    documented = f"A request that breaks {breach.constraint} is refused with a 4xx."
    yield exchange.violation(breach.constraint, received, documented=documented)


def _missing_header(exchange: Exchange) -> Parameter | None:
    breach = exchange.case.breach
    missing = [one for one in _required_headers(exchange.case.operation) if one.name not in exchange.case.headers]
    return next((one for one in missing if breach and breach.constraint == f"{one.pointer}/required"), None)


def _is_sent_anyway(exchange: Exchange, header: Parameter) -> bool:
    # Credentials have a rule of their own, and every HTTP client adds some headers by itself.
    named = {*SENT_BY_EVERY_CLIENT, *exchange.headers, *exchange.environment}
    return header.name.lower() in {name.lower() for name in named}


def _required_headers(operation: Operation) -> list[Parameter]:
    """Return the headers that every request for an operation must have."""
    return [one for one in operation.parameters if one.location == "header" and one.required]


def _is_about_media_type(exchange: Exchange) -> bool:
    case = exchange.case
    return (
        case.breach is not None
        and case.operation.body is not None
        and case.breach.constraint == (f"{case.operation.body.pointer}/content")
    )
