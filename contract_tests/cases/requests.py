"""Legal requests of an operation: its examples, treacherous values next to them, and generated ones."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import takewhile
from typing import Any, Final

from contract_tests.cases.boundary_values import (
    HEADER_POOL,
    PARAMETER_POOL,
    PATH_PROBES,
    is_ambiguous_integer,
    legal,
    variants,
)
from contract_tests.cases.generation import ABSENT, Generator, RequestCase, request_problems
from contract_tests.cases.single_violations import Sample
from contract_tests.http.body_kinds import request_media
from contract_tests.http.parameters import COOKIE_VALUE, HEADER_VALUE
from contract_tests.openapi.discriminators import discriminators_match, with_valid_discriminators
from contract_tests.openapi.document import LOCATIONS, Contract, Operation, Parameter
from contract_tests.openapi.json_text import is_json
from contract_tests.openapi.schema import members
from contract_tests.rules import NotExercised

SMUGGLED: Final = {
    "header": ("a\r\nX-Smuggled: 1", "a\nb", "a\rb", "a\0b", "é", "日本"),
    "cookie": ("a; smuggled=1", "a;b", "a,b c", 'a"b', "a\r\nX-Smuggled: 1", "é"),
}
LONG: Final = 5_000_000  # characters: more than a system keeps of what is sent and not read
ODD_NUMBERS: Final = (float("nan"), float("inf"), float("-inf"))
HALF_A_LETTER: Final = "half \ud83d"


def start_case(contract: Contract, generator: Generator, sample: Sample, operation: Operation) -> RequestCase:
    """
    Return a small legal request to start from: what is required, with the contract's own examples.

    Raises:
        NotExercised: If no legal request can be made, for instance since the body is not JSON.
    """
    case = RequestCase(operation)
    for parameter in operation.parameters:
        if parameter.required:
            values = {**case.values(parameter.location), parameter.name: _example(parameter, sample)}
            case = case.with_values(parameter.location, values)
    case = _with_start_body(case, sample)
    case = _with_tags(contract, case)
    if is_legal(contract, case):
        return case
    drawn = (without_nulls(drawn) for drawn in generator.requests(operation))
    for found in drawn:
        if parameters_carry_values(found) and is_driven(found) and not has_probe(found):
            return found
    raise NotExercised("no legal request could be made from the contract: its body or a parameter is not driven yet")


def _example(parameter: Parameter, sample: Sample) -> Any:
    if parameter.examples:
        return parameter.examples[0].value
    return sample(parameter.schema) if parameter.schema else "text"


def _with_start_body(case: RequestCase, sample: Sample) -> RequestCase:
    media = request_media(case.operation)
    if media is None or not (case.operation.body and case.operation.body.required):
        return case
    body = media.examples[0].value if media.examples else sample(media.schema) if media.schema else {}
    return replace(case, body=body, media_type=media.media_type)


def legal_cases(contract: Contract, generator: Generator, start: RequestCase) -> Iterator[RequestCase]:
    """Return legal requests near a start, then generated ones; none of them twice."""
    seen: set[str] = set()
    for case in _all_cases(contract, generator, start):
        text = text_of(case)
        if text not in seen and is_legal(contract, case):
            seen.add(text)
            yield case


def fullest_case(contract: Contract, start: RequestCase, cases: Iterable[RequestCase]) -> RequestCase:
    """Return a start with all arguments that the requests have which are made for one each, as far as that is legal."""
    full = start
    for case in takewhile(lambda one: not one.is_drawn, cases):
        if not (members_of(full) >= members_of(case) and {*full.names} >= {*case.names}):
            wider = _with_all(full, case)
            full = wider if is_legal(contract, wider) else full
    return full


def with_long_text(contract: Contract, cases: Iterable[RequestCase]) -> RequestCase | None:
    """Return the first legal request whose body can have a very long text, with one; None if there is none."""
    for case in takewhile(lambda one: not one.is_drawn, cases):
        for body in _stretched(case.body) if is_json(case.media_type) else ():
            long = replace(case, body=body, focus="")
            if is_legal(contract, long):
                return long
    return None


def _stretched(value: Any) -> Iterator[Any]:
    """Return a value with each of its texts made very long in turn."""
    if isinstance(value, str):
        yield "x" * LONG
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        for changed in _stretched(inner):
            whole = value.copy()
            whole[key] = changed
            yield whole


def members_of(case: RequestCase) -> set[str]:
    """Return the names of a body's members."""
    return {*case.body} if isinstance(case.body, dict) else set()


def _with_all(case: RequestCase, other: RequestCase) -> RequestCase:
    for place in LOCATIONS:
        case = case.with_values(place, {**other.values(place), **case.values(place)})
    if not isinstance(other.body, dict):
        return case
    own = case.body if isinstance(case.body, dict) else {}
    return replace(case, body={**other.body, **own}, media_type=other.media_type)


def is_legal(contract: Contract, case: RequestCase) -> bool:
    """Whether nothing speaks against a request: neither the contract's schemas and discriminators, nor HTTP."""
    media = request_media(case.operation)
    is_tagged = (
        not case.has_body or not (media and media.schema) or discriminators_match(contract, media.schema, case.body)
    )
    is_clear = not any(is_ambiguous_integer(contract, schema, value) for schema, value in _schemas_and_values(case))
    return is_tagged and is_clear and not request_problems(contract, case) and parameters_carry_values(case)


def _schemas_and_values(case: RequestCase) -> Iterator[tuple[str, Any]]:
    media = request_media(case.operation)
    if case.has_body and media is not None and media.schema:
        yield media.schema, case.body
    for parameter in case.operation.parameters:
        values = case.values(parameter.location)
        if parameter.schema and parameter.name in values:
            yield parameter.schema, values[parameter.name]


def _with_tags(contract: Contract, case: RequestCase) -> RequestCase:
    media = request_media(case.operation)
    if not case.has_body or media is None or media.schema is None:
        return case
    return replace(case, body=next(with_valid_discriminators(contract, media.schema, [case.body]), case.body))


def _all_cases(contract: Contract, generator: Generator, start: RequestCase) -> Iterator[RequestCase]:
    yield start
    yield from _with_body_variants(contract, start)
    for parameter in start.operation.parameters:
        yield from _with_parameter_variants(contract, start, parameter)
    for drawn in generator.requests(start.operation):
        if (case := as_arguments(contract, drawn)) is not None:
            yield case


def as_arguments(contract: Contract, drawn: RequestCase) -> RequestCase | None:
    """Return a drawn request as a client can be asked for it; None if it can't."""
    case = without_nulls(drawn)
    return replace(_with_tags(contract, case), is_drawn=True) if is_driven(case) and not has_probe(case) else None


def _with_body_variants(contract: Contract, start: RequestCase) -> Iterator[RequestCase]:
    media = request_media(start.operation)
    if media is None:
        return
    for example in media.examples:
        yield replace(start, body=example.value, media_type=media.media_type)
    if media.schema is not None:
        smallest = {} if contract.is_valid({}, media.schema) else start.body
        for body, focus in variants(contract, media.schema, {} if smallest is ABSENT else smallest):
            yield _with_tags(contract, replace(start, body=body, media_type=media.media_type, focus=focus))


def _with_parameter_variants(contract: Contract, start: RequestCase, parameter: Parameter) -> Iterator[RequestCase]:
    if parameter.schema is None:
        return
    pool = PARAMETER_POOL if parameter.location in {"path", "query"} else HEADER_POOL
    for value in legal(contract, parameter.schema, pool):
        case = _with_value(start, parameter, value)
        if value is not None and not has_probe(case):
            yield case


def _with_value(start: RequestCase, parameter: Parameter, value: Any) -> RequestCase:
    values = {**start.values(parameter.location), parameter.name: value}
    return replace(start.with_values(parameter.location, values), focus=parameter.pointer)


def probes(start: RequestCase) -> Iterator[RequestCase]:
    """Return requests whose path holds a step (``.``, ``..``) or nothing where a value belongs."""
    for parameter in start.operation.parameters:
        if parameter.location == "path" and f"/{{{parameter.name}}}" in start.operation.path:
            yield from (_with_value(start, parameter, value) for value in PATH_PROBES)


def smuggled(contract: Contract, start: RequestCase) -> Iterator[RequestCase]:
    """Return requests with texts in headers and cookies that could end them and begin another."""
    for parameter in start.operation.parameters:
        pool = SMUGGLED.get(parameter.location, ())
        for text in pool if parameter.schema and not parameter.media_type else ():
            if contract.is_valid(text, parameter.schema or "#"):
                yield _with_value(start, parameter, text)


def with_odd_numbers(contract: Contract, start: RequestCase) -> Iterator[RequestCase]:
    """Return requests with numbers that Python has and JSON does not, where the contract allows a number."""
    for parameter in start.operation.parameters:
        if parameter.schema and contract.is_valid(0.5, parameter.schema):
            yield from (_with_value(start, parameter, number) for number in ODD_NUMBERS)
    yield from _with_members(contract, start, [(0.5, number) for number in ODD_NUMBERS])


def with_half_letters(contract: Contract, start: RequestCase) -> Iterator[RequestCase]:
    """Return requests with a text that Python has and UTF-8 does not: one that was cut within a letter."""
    yield from _with_members(contract, start, [("half", HALF_A_LETTER)])


def _with_members(contract: Contract, start: RequestCase, odd: Sequence[tuple[Any, Any]]) -> Iterator[RequestCase]:
    """Return requests with odd values in each property, or in an object there, that may hold what they stand for."""
    media = request_media(start.operation)
    if media is None or media.schema is None or not is_json(media.media_type):
        return
    body = start.body if isinstance(start.body, dict) else {}
    for name, pointer in members(contract, media.schema).items():
        for usual, value in odd:
            for stand_in, given in ((usual, value), ({"a": usual}, {"a": value})):
                if contract.is_valid({**body, name: stand_in}, media.schema):
                    yield replace(start, body={**body, name: given}, media_type=media.media_type, focus=pointer)


def has_probe(case: RequestCase) -> bool:
    """Whether a path parameter is a step or empty: those requests have a rule of their own."""
    return any(value in PATH_PROBES for value in case.path.values() if isinstance(value, str))


def without_nulls(case: RequestCase) -> RequestCase:
    """Leave out parameters that are null: null has no form in a path, query, header or cookie."""
    for place in LOCATIONS:
        case = case.with_values(place, {name: value for name, value in case.values(place).items() if value is not None})
    return case


def is_driven(case: RequestCase) -> bool:
    """Whether the body is one that the harness drives: plain JSON in the form that is driven, or none."""
    media = request_media(case.operation)
    return not case.has_body or (media is not None and case.media_type == media.media_type and _is_plain(case.body))


def _is_plain(value: Any) -> bool:
    if isinstance(value, dict):
        return all(isinstance(name, str) and _is_plain(member) for name, member in value.items())
    if isinstance(value, list):
        return all(map(_is_plain, value))
    return value is None or type(value) in {bool, int, float, str}


def parameters_carry_values(case: RequestCase) -> bool:
    """Whether parameters can carry their values: HTTP has no form for some texts, and none for null in a list."""
    inside = [value for place in LOCATIONS for value in case.values(place).values() if isinstance(value, list | dict)]
    if any(None in (value.values() if isinstance(value, dict) else value) for value in inside):
        return False
    headers = [value for value in case.headers.values() if isinstance(value, str)]
    cookies = [value for value in case.cookies.values() if isinstance(value, str)]
    holds = all(HEADER_VALUE.fullmatch(value) for value in headers)
    return holds and all(COOKIE_VALUE.fullmatch(value) for value in cookies)


def text_of(case: RequestCase) -> str:
    """Return a text that tells a request from others of its operation."""
    body = "" if case.body is ABSENT or not case.has_body else json.dumps(case.body)
    return json.dumps([case.path, case.query, case.headers, case.cookies]) + body
