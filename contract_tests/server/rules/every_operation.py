"""Every operation of a server."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any, Final

from contract_tests.openapi.document import Contract, Operation, join
from contract_tests.openapi.json_text import is_json, json_or, read_json
from contract_tests.openapi.validation import Problem
from contract_tests.registry import found_by
from contract_tests.rules import (
    EVERY_OPERATION,
    Checks,
    NotApplicable,
    NotExercised,
    Violation,
    Wrong,
    report_all,
)
from contract_tests.rules import (
    rule as card,
)
from contract_tests.server.checks import body_problems
from contract_tests.server.links import links_of
from contract_tests.server.models.callback import delivery_problems
from contract_tests.server.models.exchange import Access, Exchange
from contract_tests.server.recorder import Event
from contract_tests.server.server import ServerUnderTest
from contract_tests.server.traffic import Traffic

OAS: Final = "https://spec.openapis.org/oas/v3.1.0"
rule: Final = partial(card, basis="documented", operations=EVERY_OPERATION, side="server")
TOO_LARGE: Final = (413, 414, 422, 431)
LARGE: Final = 1_000  # bytes of an address or a body that some service may find too many
Found = Callable[[], list[Violation]]


def _check_status(_: Contract, exchange: Exchange) -> Iterator[Violation]:
    """The status is documented. What has to be refused may be with any 4xx, and if it isn't, other properties tell."""
    operation = exchange.case.operation
    must_be_refused = exchange.case.breach is not None or exchange.access is not Access.OWN
    # A service has limits that no schema states, and may not know every way in which a body can be written.
    is_beyond = exchange.status in TOO_LARGE and len(exchange.url) + len(exchange.content or b"") > LARGE
    is_spelled = exchange.case.spelling is not None
    is_refusal = (not exchange.is_legal or is_beyond or is_spelled) and exchange.is_refused
    if operation.response(exchange.status) is not None or must_be_refused or is_refusal:
        return
    documented = f"The statuses of {operation.id} are {', '.join(operation.responses)}."
    # The class of statuses names the violation: which of them comes may change from night to night.
    constraint = f"{operation.pointer}/responses {exchange.status // 100}XX"
    yield exchange.violation(constraint, documented=documented, wrong=Wrong.STATUS)


@rule(
    "SRV-01",
    "A request gets a complete response with one of the documented statuses.",
    says="The contract lists the statuses of each operation, those of failures included; a reply has one of them, "
    "unless it refuses what the contract doesn't allow: any 4xx does that. It is whole within total_timeout (30 s) and "
    "max_response_bytes (8 MiB) of the target's table, in the content coding that it names.",
    source=f"{OAS}#responses-object",
)
@found_by(_check_status, Event.NO_RESPONSE)
def test_status_is_documented(found: Found) -> Checks:
    return found()


def _check_media_type(_: Contract, exchange: Exchange) -> Iterator[Violation]:
    """The body has a documented media type."""
    response = exchange.case.operation.response(exchange.status)
    if response is not None and response.media and exchange.media_type not in response.media:
        documented = f"The body of {response.status} is {', '.join(response.media)}."
        yield exchange.violation(f"{response.pointer}/content", documented=documented, wrong=Wrong.MEDIA_TYPE)


@rule(
    "SRV-02",
    "A response has one of the media types documented for its status.",
    says="For each status the contract lists the media types that its body can have.",
    source=f"{OAS}#response-object",
)
@found_by(_check_media_type)
def test_media_type_is_documented(found: Found) -> Checks:
    return found()


def _check_body(contract: Contract, exchange: Exchange) -> Iterator[Violation]:
    """The body fits its schema."""
    media = exchange.media
    if media is None or media.schema is None or not is_json(media.media_type):
        return
    try:
        read_json(exchange.reply)
    except ValueError as error:
        received = exchange.bounded(f"no JSON: {error}", 160)
        yield exchange.violation(media.schema, received, documented="The body is JSON.", wrong=Wrong.BODY)
        return
    for _, violation in body_problems(contract, exchange):
        yield violation


@rule(
    "SRV-03",
    "A response's body fits the schema documented for its status.",
    says="The body is what the schema of its status and media type says, under strict JSON Schema 2020-12.",
    source=f"{OAS}#media-type-object",
)
@found_by(_check_body)
def test_body_fits_its_schema(found: Found) -> Checks:
    return found()


def _check_headers(contract: Contract, exchange: Exchange) -> Iterator[Violation]:
    """
    Documented headers are there if they have to be, and fit their schemas.

    The stock check does not say which header and which keyword is broken: no finding would be the same tomorrow.
    """
    response = exchange.case.operation.response(exchange.status)
    for name, header in response.headers.items() if response is not None else ():
        pointer = contract.follow(join(response.pointer, "headers", name)) if response is not None else ""
        text = exchange.reply_headers.get(name.lower())
        if text is None and header.get("required"):
            yield exchange.violation(join(pointer, "required"), f"there is no header {name}")
        if text is None or "schema" not in header or name.lower() == "content-type":
            continue
        for problem in _header_problems(contract, text, join(pointer, "schema")):
            yield exchange.violation(problem.constraint, exchange.bounded(f"{name}: {problem.message}", 160))


@rule(
    "SRV-12",
    "A response's headers are those documented for its status.",
    says="The contract lists headers of a response: a required one is there, and each that is there fits its schema.",
    source=f"{OAS}#header-object",
)
@found_by(_check_headers)
def test_headers_fit_their_schemas(operation: Operation, server: ServerUnderTest, found: Found) -> None:
    if not any(response.headers for response in operation.responses.values()):
        raise NotApplicable("its replies have no documented headers")
    report_all(found())
    replies = [operation.response(exchange.status) for exchange in server.watch.of(operation.id)]
    if not any(reply is not None and reply.headers for reply in replies):
        raise NotExercised("no reply came that has documented headers")


def _header_problems(contract: Contract, text: str, schema: str) -> list[Problem]:
    readings: list[Any] = [text, json_or(text, text), [json_or(item.strip(), item.strip()) for item in text.split(",")]]
    found = [contract.problems(value, schema) for value in readings]
    of_type = [one for one in found if not any(problem.constraint.endswith("/type") for problem in one)]
    return min(of_type or found, key=len)


@rule(
    "SRV-08",
    "What a response's links lead to exists.",
    says="A link says how values of a response are used in another operation's request.",
    source=f"{OAS}#link-object",
)
@found_by(Event.DEAD_LINK)
def test_links_can_be_followed(operation: Operation, server: ServerUnderTest, found: Found) -> None:
    if not links_of(operation):
        raise NotApplicable("its replies have no links")
    report_all(found())
    if not server.watch.links.kept:
        raise NotExercised("no link could be followed")


@rule(
    "SRV-09",
    "What a server posts to a callback address is what the contract's callback says.",
    says="A callback describes the request that the server makes: method, media type and body.",
    source=f"{OAS}#callback-object",
)
def test_callbacks_are_as_described(
    contract: Contract, operation: Operation, server: ServerUnderTest, traffic: Traffic
) -> Checks:
    if not operation.callbacks:
        raise NotApplicable("it has no callbacks")
    traffic.play(operation)
    deliveries = server.listener.all_deliveries(operation.id)
    if not deliveries:
        raise NotExercised("nothing was posted")
    exchanges = server.watch.of(operation.id)
    if not exchanges:
        raise NotExercised("no complete reply came")
    evidence = exchanges[0]
    return [
        replace(found, found_after=delivery.number)
        for delivery in deliveries
        for found in delivery_problems(contract, operation, delivery, evidence)
    ]
