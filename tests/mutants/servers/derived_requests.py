"""Defects in what a server takes, drawn from the contract: every constraint of a request that it could not enforce."""

import re
from collections.abc import Iterator
from typing import Any, Final

from contract_tests.openapi.document import Contract, Media, Operation, Parameter
from mutants.servers import declared
from mutants.servers.changes import REMOVED
from mutants.servers.fault import Fault, ServerDefect
from mutants.servers.messages import EXECUTE, RUN, Request
from mutants.servers.places import Place, meant, places
from mutants.servers.request_faults import (
    TAKEN_URI,
    KeyNotChecked,
    MemberNotChecked,
    PathNotChecked,
    QueryNotChecked,
    TakenAs,
)

INTEGER: Final = re.compile(r"-?[0-9]+")
OBJECT_ID: Final = "whatever breaks it also breaks the pattern ^[0-9a-f]{24}$, which is still enforced"
EQUIVALENT: Final = {
    "execute.body.command.type": "whatever is no text is none of the five words either, and these are still enforced",
    "results.workflow_version_execution_id.format": (
        "an id beyond 64 bits that is taken for an id is one that no execution has: it is refused with 404, a 4xx"
    ),
    "execute.workflow_id.minLength": OBJECT_ID,
    "execute.body.workflow_id.minLength": OBJECT_ID,
    "execute.body.workflow_run_id.minLength": OBJECT_ID,
}


def derived_requests(contract: Contract) -> Iterator[ServerDefect]:
    """Draw every defect in what a server takes."""
    for operation in map(contract.operation, declared.SHORT):
        for parameter in operation.parameters:
            yield from _parameter(contract, operation, parameter)
        if operation.body is not None:
            yield from _body(contract, operation, operation.body.media["application/json"])
        yield from _keys(operation)


def _parameter(contract: Contract, operation: Operation, parameter: Parameter) -> Iterator[ServerDefect]:
    if parameter.schema is None:
        return
    if parameter.required and parameter.location == "query":
        fault: Fault = QueryNotChecked(operation.id, parameter.name, lambda text: text is None)
        yield _defect(operation.id, parameter.name, "required", fault)
    for place in places(contract, parameter.schema):
        for keyword, stated in (("type", place.types[0]), *place.keywords):
            if parameter.location == "query":
                fault = QueryNotChecked(operation.id, parameter.name, _query_breaks(keyword, stated))
                yield _defect(operation.id, parameter.name, keyword, fault)
            elif keyword != "type":  # every path parameter is a text
                fault = PathNotChecked(operation.id, keyword, stated, _others(place, keyword))
                yield _defect(operation.id, parameter.name, keyword, fault)


def _query_breaks(keyword: str, stated: Any) -> Any:
    def is_broken(text: str | None) -> bool:
        if text is None:
            return False
        if (keyword, stated) == ("type", "boolean"):
            return text not in {"true", "false"}
        if not INTEGER.fullmatch(text):
            return keyword == "type"
        return (keyword == "minimum" and int(text) < stated) or (keyword == "format" and abs(int(text)) >= 2**63)

    return is_broken


def _body(contract: Contract, operation: Operation, media: Media) -> Iterator[ServerDefect]:
    name = operation.id
    yield _defect(name, "body", "required", TakenAs(name, lambda request: not request.content, _as_empty_object))
    yield _defect(name, "body", "content", TakenAs(name, _is_no_json_type, _as_json_type))
    yield _defect(name, "body", "json", TakenAs(name, _is_no_json, _as_empty_object))
    assert media.schema is not None
    if name == RUN and "not" in contract.at(meant(contract, media.schema)):
        yield _defect(name, "body", "not", TakenAs(name, _has_both, _without_number))
    for place in places(contract, media.schema):
        if place.types:
            yield _member(name, place, "type", list(place.types))
        for keyword, stated in place.keywords:
            yield _member(name, place, keyword, stated)


def _member(operation: str, place: Place, keyword: str, stated: Any) -> ServerDefect:
    instead: Any = TAKEN_URI if keyword == "format" else REMOVED if place.path else {}
    fault = MemberNotChecked(operation, place.path, keyword, stated, instead, _others(place, keyword))
    # The path has a parameter of the name that a member has too.
    name = f"body.{place.name}" if operation == EXECUTE and place.path else place.name
    return _defect(operation, name, keyword, fault)


def _others(place: Place, keyword: str) -> tuple[tuple[str, Any], ...]:
    return tuple((name, stated) for name, stated in place.keywords if name != keyword)


def _keys(operation: Operation) -> Iterator[ServerDefect]:
    for what, if_missing, if_wrong in (
        ("no-key", True, False),
        ("wrong-key", False, True),
        ("any-key", True, True),
    ):
        yield ServerDefect(
            id=f"{declared.SHORT[operation.id]}.key.{what}",
            title=f"takes a request with {what.replace('-', ' ')}",
            operator="key not checked",
            operation=operation.id,
            rules=(declared.KEYS[operation.id],),
            fault=KeyNotChecked(operation.id, if_missing, if_wrong),
        )


def _defect(operation: str, place: str, keyword: str, fault: Fault) -> ServerDefect:
    id_ = f"{declared.SHORT[operation]}.{place}.{keyword}"
    return ServerDefect(
        id=f"{id_}-not-enforced",
        title=f"takes a request that breaks {keyword} of {place}",
        operator=f"{keyword} not enforced",
        operation=operation,
        rules=(declared.REQUESTS.get((operation, place, keyword), declared.REQUEST),),
        fault=fault,
        equivalent=EQUIVALENT.get(id_, ""),
    )


def _is_no_json_type(request: Request) -> bool:
    media_type = (request.header("content-type") or "").partition(";")[0].strip().lower()
    return bool(request.content) and media_type != "application/json"


def _is_no_json(request: Request) -> bool:
    return bool(request.content) and request.json is None and request.content.strip() != b"null"


def _as_json_type(request: Request) -> None:
    request.set_header("content-type", "application/json")


def _as_empty_object(request: Request) -> None:
    request.set_header("content-type", "application/json")
    request.put({})


def _has_both(request: Request) -> bool:
    members = request.members
    return isinstance(members.get("workflow_label_name"), str) and members.get("workflow_version_number") is not None


def _without_number(request: Request) -> None:
    request.put({name: value for name, value in request.members.items() if name != "workflow_version_number"})
