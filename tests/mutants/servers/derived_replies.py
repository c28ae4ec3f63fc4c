"""Defects of replies, drawn from the contract: every status, media type and member of what the server answers."""

from collections.abc import Iterator
from typing import Any, Final

from contract_tests.openapi.document import Contract, Media, Operation
from mutants.servers import declared
from mutants.servers.changes import dropped, put
from mutants.servers.fault import Fault, ServerDefect, Where
from mutants.servers.messages import EXECUTE, RESULTS, RUN
from mutants.servers.places import Place, places
from mutants.servers.reply_faults import (
    ContentChanged,
    HeaderChanged,
    MemberDropped,
    MemberSet,
    StatusChanged,
)

# What the correct server can be brought to answer. A fault in another reply would never be shown.
GIVEN: Final = {RUN: (201, 202, 401, 404, 422), RESULTS: (200, 202, 401, 404, 422), EXECUTE: (200, 401, 404, 409, 422)}
OTHER_KIND: Final[dict[str, Any]] = {
    "string": 7,
    "integer": "7",
    "number": "0.5",
    "boolean": "yes",
    "object": [],
    "array": {},
}
OUTSIDE: Final[dict[str, Any]] = {"enum": "finished", "int64": 2**63}
ENTRIES: Final = "#/components/schemas/NodeOutputs"
OPEN_401: Final = "no page says which of 401 and 403 answers a request without a valid key for this operation"
OPEN_4XX: Final = "no page says which 4xx refuses a request that is not as the contract says; each is documented"
EQUIVALENT: Final = {
    (RESULTS, 401, 403): OPEN_401,
    (EXECUTE, 401, 403): OPEN_401,
    (RUN, 422, 400): OPEN_4XX,
    (RESULTS, 422, 400): OPEN_4XX,
    (EXECUTE, 422, 429): OPEN_4XX,
    (EXECUTE, 409, 422): "no page says which 4xx refuses a command that the run's status does not allow",
}


def derived_replies(contract: Contract) -> Iterator[ServerDefect]:
    """Draw every defect of a reply."""
    for name, statuses in GIVEN.items():
        operation = contract.operation(name)
        for status in statuses:
            yield from _statuses(operation, status)
            yield from _bodies(contract, operation, status)
    for status in (200, 202):
        yield from _entries(contract, status)


def _statuses(operation: Operation, status: int) -> Iterator[ServerDefect]:
    yield _status(operation, status, _undocumented(operation, status), "status undocumented")
    yield _status(operation, status, next(to for to in (500, 503) if str(to) not in operation.responses), "status 5xx")
    same_class = [int(known) for known in operation.responses if int(known) // 100 == status // 100]
    if len(same_class) > 1:
        to = same_class[(same_class.index(status) + 1) % len(same_class)]
        yield _status(operation, status, to, "status neighbour")


def _undocumented(operation: Operation, status: int) -> int:
    near = (status + step * sign for step in range(1, 20) for sign in (1, -1))
    return next(to for to in near if str(to) not in operation.responses and to // 100 == status // 100)


def _status(operation: Operation, status: int, to: int, operator: str) -> ServerDefect:
    place = (operation.id, status, to)
    return _defect(
        operation.id,
        f"{status}.status-{to}",
        f"answers {to} where it should answer {status}",
        operator,
        declared.rule_of_status(*place),
        StatusChanged(Where(operation.id, status), to),
        equivalent=EQUIVALENT.get(place, ""),
    )


def _bodies(contract: Contract, operation: Operation, status: int) -> Iterator[ServerDefect]:
    name, where, response = operation.id, Where(operation.id, status), operation.response(status)
    media = response.media["application/json"] if response else None
    if media is None or media.schema is None:
        return
    yield _defect(
        name, f"{status}.media-type", f"sends a {status} as text/plain", "media type", declared.MEDIA_TYPE,
        HeaderChanged(where, "content-type", "text/plain"),
    )  # fmt: skip
    yield _defect(
        name, f"{status}.not-json", f"sends words as the body of a {status}", "body not JSON",
        declared.rule_of_text(name, status), ContentChanged(where, b"Something went as it went"),
    )  # fmt: skip
    if _is_success(status):
        yield _defect(
            name, f"{status}.no-content-type", f"sends a {status} without Content-Type", "header dropped",
            declared.MEDIA_TYPE, HeaderChanged(where, "content-type", None),
        )  # fmt: skip
        yield _defect(
            name, f"{status}.empty", f"sends a {status} with an empty body", "body not JSON", declared.BODY,
            ContentChanged(where, b""),
        )  # fmt: skip
    for place in places(contract, media.schema):
        rule = declared.MEMBERS.get((name, status, place.path[0] if place.path else ""), declared.BODY)
        yield from _members(contract, place, where, rule, media)


def _members(contract: Contract, place: Place, where: Where, rule: str, media: Media) -> Iterator[ServerDefect]:
    # What the schema allows is no defect: the changed example of the contract decides.
    assert media.schema is not None
    example = media.examples[0].value
    for operator, changed, fault in _spoilt(place, where, example):
        if not contract.is_valid(changed, media.schema):
            yield _member(place, where, rule, operator, fault)


def _is_success(status: int | None) -> bool:
    return status in range(200, 300)


def _entries(contract: Contract, status: int) -> Iterator[ServerDefect]:
    # The results' schema allows any value beside the entries, but with all outputs the entries are what is documented.
    where = Where(RESULTS, status, all_outputs=True)
    for place in places(contract, ENTRIES):
        for operator, _, fault in _spoilt(place, where, {}):
            if len(place.path) != 1 or operator != "member dropped":
                yield _member(place, where, declared.NODE_ENTRIES[status], operator, fault)


def _spoilt(place: Place, where: Where, example: Any) -> Iterator[tuple[str, Any, Fault]]:
    if place.path:
        yield "member dropped", dropped(example, place.path), MemberDropped(where, place.path)
    for operator, value in _wrong_values(place, where):
        yield operator, put(example, place.path, value), MemberSet(where, place.path, value)


def _wrong_values(place: Place, where: Where) -> Iterator[tuple[str, Any]]:
    # Null breaks the same keyword as any other kind: it is drawn where a client looks first.
    if not place.is_nullable and len(place.path) <= 1 and _is_success(where.status):
        yield "member null", None
    if place.types:
        yield "member retyped", OTHER_KIND[place.types[0]]
    for keyword, stated in place.keywords:
        if (value := OUTSIDE.get(stated if keyword == "format" else keyword)) is not None:
            yield f"member outside {keyword}", value


def _member(place: Place, where: Where, rule: str, operator: str, fault: Fault) -> ServerDefect:
    what = operator.removeprefix("member ").replace(" ", "-")
    form = "" if where.all_outputs is None else "all."
    return _defect(
        where.operation,
        f"{where.status}.{form}{place.name}.{what}",
        f"sends a {where.status} whose {place.name} is {what.replace('-', ' ')}",
        operator if place.path else operator.replace("member", "body"),
        rule,
        fault,
    )


def _defect(  # noqa: PLR0917 - the order of the table
    operation: str, name: str, title: str, operator: str, rule: str, fault: Fault, equivalent: str = ""
) -> ServerDefect:
    return ServerDefect(
        id=f"{declared.SHORT[operation]}.{name}",
        title=title,
        operator=operator,
        operation=operation,
        rules=(rule,),
        fault=fault,
        equivalent=equivalent,
    )
