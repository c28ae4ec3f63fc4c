"""Every operation of a server."""

from dataclasses import replace

from contract_tests.openapi.document import Contract, Operation
from contract_tests.rules import EVERY_OPERATION, NotApplicable, NotExercised, report_all, rule
from contract_tests.server.checks import DENIED, required_headers
from contract_tests.server.exchange import Access
from contract_tests.server.links import links_of
from contract_tests.server.methods import is_allowed_to, undocumented_methods
from contract_tests.server.models.callback import posted_problems
from contract_tests.server.server import ServerUnderTest
from contract_tests.server.traffic import Traffic

OAS = "https://spec.openapis.org/oas/v3.1.0"
HTTP = "https://www.rfc-editor.org/rfc/rfc9110"
METHOD_NOT_ALLOWED = 405


def _must_tell_faults(server: ServerUnderTest, operation: Operation) -> None:
    """
    See whether the refusals of an operation are due to what is wrong with the requests.

    Raises:
        NotExercised: If legal requests get the same ones, and none was taken.
    """
    own = [one for one in server.watch.of(operation.id) if one.access is Access.OWN]
    legal = [one for one in own if one.is_legal]
    usual = {one.status for one in legal if one.is_refused}
    faulty = {one.status for one in own if one.case.breach and one.is_refused}
    if faulty and faulty <= usual and not any(one.has_succeeded for one in legal):
        statuses = ", ".join(map(str, sorted(faulty)))
        raise NotExercised(f"requests without a fault are refused as well, with {statuses}")


@rule(
    "SRV-01",
    "A request gets a complete response with one of the documented statuses.",
    says="The contract lists the statuses of each operation, those of failures included; a reply has one of them, "
    "unless it refuses what the contract doesn't allow: any 4xx does that. It is whole within total_timeout (30 s) and "
    "max_response_bytes (8 MiB) of the target's table, in the content coding that it names.",
    source=f"{OAS}#responses-object",
    basis="documented",
    operations=EVERY_OPERATION,
    side="server",
)
def test_status_is_documented(operation: Operation, server: ServerUnderTest, traffic: Traffic) -> None:
    """No reply to any request has another status, and none is cut off or missing."""
    traffic.play(operation)
    report_all(server.watch.found("SRV-01", operation.id))


@rule(
    "SRV-02",
    "A response has one of the media types documented for its status.",
    says="For each status the contract lists the media types that its body can have.",
    source=f"{OAS}#response-object",
    basis="documented",
    operations=EVERY_OPERATION,
    side="server",
)
def test_media_type_is_documented(operation: Operation, server: ServerUnderTest, traffic: Traffic) -> None:
    """No reply whose status is documented with a body has another media type; its parameters do not matter."""
    traffic.play(operation)
    report_all(server.watch.found("SRV-02", operation.id))


@rule(
    "SRV-03",
    "A response's body fits the schema documented for its status.",
    says="The body is what the schema of its status and media type says, under strict JSON Schema 2020-12.",
    source=f"{OAS}#media-type-object",
    basis="documented",
    operations=EVERY_OPERATION,
    side="server",
)
def test_body_fits_its_schema(operation: Operation, server: ServerUnderTest, traffic: Traffic) -> None:
    """Every JSON body of a documented status and media type is valid against its schema, formats included."""
    traffic.play(operation)
    report_all(server.watch.found("SRV-03", operation.id))


@rule(
    "SRV-04",
    "A request that breaks the contract is refused with a 4xx.",
    says="Parameters and bodies have schemas; a request that does not fit them is not one that the operation takes.",
    source=f"{OAS}#operation-object",
    basis="documented",
    operations=EVERY_OPERATION,
    side="server",
)
def test_illegal_request_is_refused(operation: Operation, server: ServerUnderTest, traffic: Traffic) -> None:
    """A request that breaks exactly one constraint of the contract is answered with a status from 400 to 499."""
    traffic.play(operation)
    report_all(server.watch.found("SRV-04", operation.id))
    if not any(exchange.case.breach for exchange in server.watch.of(operation.id)):
        raise NotApplicable("nothing in the contract makes a request illegal")
    _must_tell_faults(server, operation)


@rule(
    "SRV-05",
    "A request without credentials is refused.",
    says="The contract declares a security scheme for the operation; without credentials for it there is no access.",
    source=f"{OAS}#security-requirement-object",
    basis="documented",
    operations=EVERY_OPERATION,
    side="server",
)
def test_missing_credentials_are_refused(operation: Operation, server: ServerUnderTest, traffic: Traffic) -> None:
    """A legal request is answered 401 or 403 without a key, and with a key that no one has."""
    if not operation.security or () in operation.security:
        raise NotApplicable("the contract asks for no credentials")
    traffic.play(operation)
    report_all(server.watch.found("SRV-05", operation.id))
    if all(exchange.access is Access.OWN for exchange in server.watch.of(operation.id)):
        raise NotExercised("no legal request could be made")
    own = [one for one in server.watch.of(operation.id) if one.is_legal and one.access is Access.OWN]
    if own and all(one.status in DENIED for one in own):
        raise NotExercised("the target's own key is refused as well")


@rule(
    "SRV-06",
    "A legal request for what exists is not refused.",
    says="Every documented parameter and property can be sent, with each kind of value that its schema allows.",
    source=f"{OAS}#operation-object",
    basis="documented",
    operations=EVERY_OPERATION,
    side="server",
)
def test_legal_request_is_taken(operation: Operation, server: ServerUnderTest, traffic: Traffic) -> None:
    """The contract's examples, and legal values of every part one by one, are not answered like a wrong request."""
    traffic.play(operation)
    report_all(server.watch.found("SRV-06", operation.id))
    if not any(exchange.case.is_grounded for exchange in server.watch.of(operation.id)):
        raise NotExercised("no legal request could be made of what is known to exist")


@rule(
    "SRV-07",
    "A legal request is not refused, however odd its values are.",
    says="A schema does not distinguish ordinary values from odd ones. Further limits of a service are undocumented.",
    source=f"{OAS}#schema-object",
    basis="inferred",
    operations=EVERY_OPERATION,
    side="server",
)
def test_odd_request_is_taken(operation: Operation, server: ServerUnderTest, traffic: Traffic) -> None:
    """Drawn requests, which refer to what exists alone, are not answered like wrong ones."""
    traffic.play(operation)
    report_all(server.watch.found("SRV-07", operation.id))


@rule(
    "SRV-08",
    "What a response's links lead to exists.",
    says="A link says how values of a response are used in another operation's request.",
    source=f"{OAS}#link-object",
    basis="documented",
    operations=EVERY_OPERATION,
    side="server",
)
def test_links_can_be_followed(operation: Operation, server: ServerUnderTest, traffic: Traffic) -> None:
    """A request made from a reply as a link says is never answered 404 or 410 the first time."""
    if not links_of(operation):
        raise NotApplicable("its replies have no links")
    traffic.play(operation)
    report_all(server.watch.found("SRV-08", operation.id))
    if not server.watch.links.kept:
        raise NotExercised("no link could be followed")


@rule(
    "SRV-09",
    "What a server posts to a callback address is what the contract's callback says.",
    says="A callback describes the request that the server makes: method, media type and body.",
    source=f"{OAS}#callback-object",
    basis="documented",
    operations=EVERY_OPERATION,
    side="server",
)
def test_callbacks_are_as_described(
    contract: Contract, operation: Operation, server: ServerUnderTest, traffic: Traffic
) -> None:
    """Everything that has come to an address of ours has a documented method, media type and body."""
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
    problems = [
        replace(found, found_after=delivery.number)
        for delivery in deliveries
        for found in posted_problems(contract, operation, delivery, evidence)
    ]
    report_all(problems)


@rule(
    "SRV-10",
    "A body in a media type that the contract does not list is refused with a 4xx.",
    says="The contract lists the media types of a body; a server that reads JSON under another name is lenient.",
    source=f"{OAS}#request-body-object",
    basis="inferred",
    operations=EVERY_OPERATION,
    side="server",
)
def test_foreign_media_type_is_refused(operation: Operation, server: ServerUnderTest, traffic: Traffic) -> None:
    """The same JSON, sent as plain text, is answered with a status from 400 to 499."""
    if operation.body is None:
        raise NotApplicable("it has no body")
    traffic.play(operation)
    report_all(server.watch.found("SRV-10", operation.id))
    _must_tell_faults(server, operation)


@rule(
    "SRV-11",
    "A value that only reads like one of its type is refused with a 4xx.",
    says='A schema names types. Whether "7" is taken for a number, or null for nothing, no page says.',
    source=f"{OAS}#schema-object",
    basis="inferred",
    operations=EVERY_OPERATION,
    side="server",
)
def test_value_of_another_type_is_refused(operation: Operation, server: ServerUnderTest, traffic: Traffic) -> None:
    """A body that breaks the contract, but not for a lenient reader, is answered with a status from 400 to 499."""
    if operation.body is None:
        raise NotApplicable("it has no body")
    traffic.play(operation)
    report_all(server.watch.found("SRV-11", operation.id))
    _must_tell_faults(server, operation)


@rule(
    "SRV-12",
    "A response's headers are those documented for its status.",
    says="The contract lists headers of a response: a required one is there, and each that is there fits its schema.",
    source=f"{OAS}#header-object",
    basis="documented",
    operations=EVERY_OPERATION,
    side="server",
)
def test_headers_fit_their_schemas(operation: Operation, server: ServerUnderTest, traffic: Traffic) -> None:
    """No reply whose status is documented with headers lacks a required one, or has one that does not fit."""
    if not any(response.headers for response in operation.responses.values()):
        raise NotApplicable("its replies have no documented headers")
    traffic.play(operation)
    report_all(server.watch.found("SRV-12", operation.id))
    replies = [operation.response(exchange.status) for exchange in server.watch.of(operation.id)]
    if not any(reply is not None and reply.headers for reply in replies):
        raise NotExercised("no reply came that has documented headers")


@rule(
    "SRV-13",
    "A method that the contract does not have on a path is refused.",
    says="405 is for such a method, 501 for one that nothing there knows, and 401, 403 or 404 from who looks at other "
    "things first; HTTP says should. Elsewhere than on this machine only OPTIONS is tried.",
    source=f"{HTTP}#section-9.1",
    basis="inferred",
    operations=EVERY_OPERATION,
    side="server",
)
def test_undocumented_method_is_refused(operation: Operation, server: ServerUnderTest, traffic: Traffic) -> None:
    """It is answered with a 4xx or 501; OPTIONS may be answered with what can be done."""
    # The stock check takes 405 alone where a path needs no key, and sends DELETE to anybody's server.
    traffic.play(operation)
    path, _, _ = operation.pointer.rpartition("/")
    report_all(
        exchange.violation(f"{path}/{exchange.method.lower()}", f"{exchange.method} was taken")
        for exchange in undocumented_methods(server, operation)
        if not is_allowed_to(exchange)
    )


@rule(
    "SRV-14",
    "A 405 says in Allow which methods there are.",
    says="A server that answers 405 must send Allow with the methods that the resource takes.",
    source=f"{HTTP}#section-15.5.6",
    basis="documented",
    operations=EVERY_OPERATION,
    side="server",
)
def test_refused_method_is_told_others(operation: Operation, server: ServerUnderTest, traffic: Traffic) -> None:
    """Every 405 has Allow, in which the method that it refuses is not."""
    # Whether Allow lists every documented method is left open: common frameworks name those of one route alone.
    traffic.play(operation)
    replies = [*server.watch.of(operation.id), *undocumented_methods(server, operation)]
    refused = [one for one in replies if one.status == METHOD_NOT_ALLOWED]
    if not refused:
        raise NotExercised("no method was refused with 405")
    allowed = [(one, one.reply_headers.get("allow")) for one in refused]
    report_all(
        one.violation("header Allow", f"Allow is {allow!r}")
        for one, allow in allowed
        if allow is None or one.method in {method.strip() for method in allow.split(",")}
    )


@rule(
    "SRV-15",
    "A request without a required header is refused with a 4xx.",
    says="A header that the contract marks as required must be in every request. Credentials are looked at by SRV-05.",
    source=f"{OAS}#parameter-object",
    basis="documented",
    operations=EVERY_OPERATION,
    side="server",
)
def test_missing_header_is_refused(operation: Operation, server: ServerUnderTest, traffic: Traffic) -> None:
    """A request that lacks one header, and is right otherwise, is answered with a status from 400 to 499."""
    headers = {f"{one.pointer}/required" for one in required_headers(operation)}
    if not headers:
        raise NotApplicable("it has no required headers")
    traffic.play(operation)
    report_all(server.watch.found("SRV-15", operation.id))
    breaches = [exchange.case.breach for exchange in server.watch.of(operation.id)]
    if not any(breach is not None and breach.constraint in headers for breach in breaches):
        raise NotExercised("no request could be made that lacks nothing but a header")
    _must_tell_faults(server, operation)
