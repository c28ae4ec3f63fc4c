"""Every operation of a server."""

from collections.abc import Iterator

from contract_tests.contract import Contract, Operation
from contract_tests.exchange import Exchange
from contract_tests.json_text import read_json
from contract_tests.rules import (
    EVERY_OPERATION,
    NotApplicable,
    NotExercised,
    Violation,
    expect,
    report_all,
    rule,
)
from contract_tests.server.live import Server
from contract_tests.server.traffic import Traffic

OAS = "https://spec.openapis.org/oas/v3.1.0"
REFUSED = range(400, 500)


@rule(
    "SRV-01",
    "A request gets one of the documented statuses.",
    says="The contract lists the statuses of each operation, those of failures included; a reply has one of them.",
    source=f"{OAS}#responses-object",
    basis="documented",
    operations=EVERY_OPERATION,
    side="server",
)
def test_status_is_documented(operation: Operation, traffic: Traffic) -> None:
    """Every reply to a legal or illegal request has a documented status."""
    found = [*_undocumented(operation, traffic)]
    report_all([*found, *traffic.unanswered])


@rule(
    "SRV-02",
    "A reply has one of the media types documented for its status.",
    says="For each status the contract lists the media types that its body can have.",
    source=f"{OAS}#response-object",
    basis="documented",
    operations=EVERY_OPERATION,
    side="server",
)
def test_media_type_is_documented(operation: Operation, traffic: Traffic) -> None:
    """Every reply whose status is documented with a body has one of the media types listed there."""
    report_all(_other_media_types(operation, traffic))


@rule(
    "SRV-03",
    "A reply's body fits the schema documented for its status.",
    says="The body is what the schema of its status and media type says, under strict JSON Schema 2020-12.",
    source=f"{OAS}#media-type-object",
    basis="documented",
    operations=EVERY_OPERATION,
    side="server",
)
def test_body_fits_its_schema(contract: Contract, operation: Operation, traffic: Traffic) -> None:
    """Every JSON body of a documented status and media type is valid against its schema."""
    report_all(_broken_bodies(contract, operation, traffic))


@rule(
    "SRV-04",
    "A request that breaks the contract is refused with a 4xx.",
    says="Parameters and bodies have schemas; a request that does not fit them is not one that the operation takes.",
    source=f"{OAS}#operation-object",
    basis="documented",
    operations=EVERY_OPERATION,
    side="server",
)
def test_illegal_request_is_refused(traffic: Traffic) -> None:
    """A request that breaks exactly one constraint of the contract is answered with a status from 400 to 499."""
    if not traffic.broken:
        raise NotApplicable("nothing in the contract makes a request illegal")
    report_all(
        Violation(
            received=f"{case.breach.at} {exchange.bounded(case.breach.message, 120)}; reply {exchange.shown}",
            constraint=case.breach.constraint,
            documented=f"A request that breaks {case.breach.constraint} is refused with a 4xx.",
            reproduce=exchange.curl,
        )
        for case, exchange in traffic.broken
        if case.breach is not None and exchange.status not in REFUSED
    )


@rule(
    "SRV-05",
    "A request without credentials is refused.",
    says="The contract declares a security scheme for the operation; without credentials for it there is no access.",
    source=f"{OAS}#security-requirement-object",
    basis="documented",
    operations=EVERY_OPERATION,
    side="server",
)
def test_missing_credentials_are_refused(operation: Operation, server: Server, traffic: Traffic) -> None:
    """A legal request is answered 401 or 403 without a key, and with a key that no one has."""
    if not operation.security or () in operation.security:
        raise NotApplicable("the contract asks for no credentials")
    if not traffic.legal:
        raise NotExercised("no legal request could be generated")
    case = traffic.legal[0][0]
    for key, constraint in ((None, "no key"), ("contract-tests-no-such-key", "wrong key")):
        reply = server.wire.send(case, authenticated=key is not None, key=key)
        expect(reply.status in (401, 403), constraint, received=reply.shown, reproduce=reply.curl)


def _undocumented(operation: Operation, traffic: Traffic) -> Iterator[Violation]:
    for _, exchange in [*traffic.legal, *traffic.broken]:
        if operation.response(exchange.status) is None:
            yield Violation(
                received=exchange.shown,
                constraint=f"{operation.pointer}/responses {exchange.status // 100}XX",
                documented=f"The statuses of {operation.id} are {', '.join(operation.responses)}.",
                reproduce=exchange.curl,
            )


def _other_media_types(operation: Operation, traffic: Traffic) -> Iterator[Violation]:
    for _, exchange in [*traffic.legal, *traffic.broken]:
        response = operation.response(exchange.status)
        if response is not None and response.media and exchange.media_type not in response.media:
            yield Violation(
                received=exchange.shown,
                constraint=f"{response.pointer}/content",
                documented=f"The body of {response.status} is {', '.join(response.media)}.",
                reproduce=exchange.curl,
            )


def _broken_bodies(contract: Contract, operation: Operation, traffic: Traffic) -> Iterator[Violation]:
    for _, exchange in [*traffic.legal, *traffic.broken]:
        response = operation.response(exchange.status)
        media = response.media.get(exchange.media_type) if response else None
        if media is None or media.schema is None or not media.media_type.endswith("json"):
            continue
        yield from _problems(contract, media.schema, exchange)


def _problems(contract: Contract, schema: str, exchange: Exchange) -> Iterator[Violation]:
    try:
        value = read_json(exchange.reply)
    except ValueError as error:
        yield Violation(f"no JSON: {error}; {exchange.shown}", schema, "The body is JSON.", exchange.curl)
        return
    for problem in contract.problems(value, schema):
        yield Violation(
            received=f"at {problem.at or '/'}: {exchange.bounded(problem.message, 160)}; reply {exchange.shown}",
            constraint=problem.constraint,
            documented=f"The body fits {schema}, which states {problem.constraint}.",
            reproduce=exchange.curl,
        )
