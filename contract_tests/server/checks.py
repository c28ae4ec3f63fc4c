"""The properties of a single exchange: what the contract says of any request and its reply."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from contract_tests.openapi.document import Contract, Operation, Parameter, join, split
from contract_tests.openapi.json_text import is_json, read_json
from contract_tests.openapi.validation import Problem
from contract_tests.rules import Violation, Wrong
from contract_tests.server.exchange import Access, Exchange

UNANSWERED: Final = "SRV-01"
WHOLE: Final = ""  # in place of a member: the body itself
DENIED: Final = (401, 403)
DETAIL: Final = {"loc": list, "msg": str, "type": str}  # members of an entry that a framework's own refusal has
SENT_BY_EVERY_CLIENT: Final = ("Accept", "Accept-Encoding", "Connection", "Content-Length", "Host", "User-Agent")


def status(_: Contract, exchange: Exchange) -> Iterator[Violation]:
    """The status is documented. What has to be refused may be with any 4xx, and if it isn't, other properties tell."""
    operation = exchange.case.operation
    must_be_refused = exchange.case.breach is not None or exchange.access is not Access.OWN
    is_refusal = not exchange.is_legal and exchange.is_refused
    if operation.response(exchange.status) is not None or must_be_refused or is_refusal:
        return
    documented = f"The statuses of {operation.id} are {', '.join(operation.responses)}."
    # The class of statuses names the breach: which of them comes may change from night to night.
    constraint = f"{operation.pointer}/responses {exchange.status // 100}XX"
    yield exchange.violation(constraint, documented=documented, wrong=Wrong.STATUS)


def media_type(_: Contract, exchange: Exchange) -> Iterator[Violation]:
    """The body has a documented media type."""
    response = exchange.case.operation.response(exchange.status)
    if response is not None and response.media and exchange.media_type not in response.media:
        documented = f"The body of {response.status} is {', '.join(response.media)}."
        yield exchange.violation(f"{response.pointer}/content", documented=documented, wrong=Wrong.MEDIA_TYPE)


def body(contract: Contract, exchange: Exchange) -> Iterator[Violation]:
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


def response_headers(contract: Contract, exchange: Exchange) -> Iterator[Violation]:
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


def _header_problems(contract: Contract, text: str, schema: str) -> list[Problem]:
    readings: list[Any] = [text, _scalar(text), [_scalar(item.strip()) for item in text.split(",")]]
    found = [contract.problems(value, schema) for value in readings]
    of_type = [one for one in found if not any(problem.constraint.endswith("/type") for problem in one)]
    return min(of_type or found, key=len)


def _scalar(text: str) -> Any:
    try:
        return read_json(text.encode())
    except ValueError:
        return text


def body_problems(contract: Contract, exchange: Exchange) -> Iterator[tuple[Problem, Violation]]:
    """Return what the contract has against a JSON body whose status and media type it knows."""
    media = exchange.media
    if media is None or media.schema is None:
        return
    for problem in contract.problems(exchange.json, media.schema):
        received = f"at {problem.at or '/'}: {exchange.bounded(problem.message, 160)}"
        documented = f"The body fits {media.schema}, which states {problem.constraint}."
        yield problem, exchange.violation(problem.constraint, received, documented=documented, wrong=Wrong.BODY)


def member_problems(contract: Contract, exchange: Exchange, *members: str) -> list[Violation]:
    """Return what the contract has against these members of a JSON object, missing ones included; the rule says why."""
    return [
        replace(violation, documented="", evidence=None)
        for problem, violation in body_problems(contract, exchange)
        if _member_of(contract, problem) in members
    ]


def _member_of(contract: Contract, problem: Problem) -> str:
    if problem.at:
        return split(problem.at)[0]
    tokens = split(problem.constraint)
    return str(contract.at(problem.constraint)) if "required" in tokens[-2:-1] else WHOLE


def unexplained(reply: Exchange) -> Iterator[Violation]:
    """Return what keeps an error body from saying why."""
    body = reply.json
    if not isinstance(body, dict):
        return  # which the schema says already
    told = [body[name] for name in ("message", "error", "detail") if body.get(name)]
    if not told:
        yield reply.violation("message, error or detail")
    detail = body.get("detail")
    for entry in detail if isinstance(detail, list) else ():
        for name, type_ in DETAIL.items():
            if not isinstance(entry, dict) or not isinstance(entry.get(name), type_):
                yield reply.violation(f"detail member {name}")


def refusal(_: Contract, exchange: Exchange) -> Iterator[Violation]:
    """A request that breaks one constraint is refused."""
    if not exchange.case.is_coercible:
        yield from _not_refused(exchange)


def coercible_data_rejection(_: Contract, exchange: Exchange) -> Iterator[Violation]:
    """So is one that a lenient reader may take for a legal one."""
    if exchange.case.is_coercible:
        yield from _not_refused(exchange)


def _not_refused(exchange: Exchange) -> Iterator[Violation]:
    breach = exchange.case.breach
    if breach is None or exchange.is_refused or exchange.access is not Access.OWN:
        return
    if _is_about_media_type(exchange) or _missing_header(exchange) is not None:
        return
    received = f"{breach.at} {exchange.bounded(breach.message, 120)}"
    documented = f"A request that breaks {breach.constraint} is refused with a 4xx."
    yield exchange.violation(breach.constraint, received, documented=documented)


def foreign_media_type(_: Contract, exchange: Exchange) -> Iterator[Violation]:
    """A body in another media type is refused."""
    breach = exchange.case.breach
    if breach is None or exchange.is_refused or exchange.access is not Access.OWN or not _is_about_media_type(exchange):
        return
    yield exchange.violation(breach.constraint, f"the body was sent as {exchange.case.media_type}")


def missing_header(_: Contract, exchange: Exchange) -> Iterator[Violation]:
    """
    A request without a header that must be there is refused.

    The stock check takes six statuses; it says nothing where a path has parameters and the reply is a 404.
    """
    header = _missing_header(exchange)
    if header is None or exchange.is_refused or exchange.access is not Access.OWN or _is_sent_anyway(exchange, header):
        return
    documented = f"A request without the header {header.name} is refused with a 4xx."
    yield exchange.violation(f"{header.pointer}/required", f"there was no {header.name}", documented=documented)


def required_headers(operation: Operation) -> list[Parameter]:
    """Return the headers that every request for an operation must have."""
    return [one for one in operation.parameters if one.location == "header" and one.required]


def _missing_header(exchange: Exchange) -> Parameter | None:
    breach = exchange.case.breach
    missing = [one for one in required_headers(exchange.case.operation) if one.name not in exchange.case.headers]
    return next((one for one in missing if breach and breach.constraint == f"{one.pointer}/required"), None)


def _is_sent_anyway(exchange: Exchange, header: Parameter) -> bool:
    # Credentials have a rule of their own, and every HTTP client adds some headers by itself.
    named = {*SENT_BY_EVERY_CLIENT, *exchange.headers, *exchange.environment}
    return header.name.lower() in {name.lower() for name in named}


def access(_: Contract, exchange: Exchange) -> Iterator[Violation]:
    """Nobody gets in without the key."""
    if exchange.is_legal and exchange.access is not Access.OWN and exchange.status not in DENIED:
        yield exchange.violation(exchange.access.value)


def _is_about_media_type(exchange: Exchange) -> bool:
    case = exchange.case
    return (
        case.breach is not None
        and case.operation.body is not None
        and case.breach.constraint == (f"{case.operation.body.pointer}/content")
    )


Judge = Callable[[Contract, Exchange], Iterator[Violation]]
JUDGES: Final[Mapping[str, Judge]] = {
    "SRV-01": status,
    "SRV-02": media_type,
    "SRV-03": body,
    "SRV-04": refusal,
    "SRV-05": access,
    "SRV-10": foreign_media_type,
    "SRV-11": coercible_data_rejection,
    "SRV-12": response_headers,
    "SRV-15": missing_header,
}
