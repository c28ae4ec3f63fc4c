"""Legal requests of an operation: its examples, treacherous values next to them, and generated ones."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from contract_tests.client.breaking import Sample, with_values
from contract_tests.client.edges import HEADER_TEXTS, PARAMETER_POOL, PATH_PROBES, POOL, legal, variants
from contract_tests.client.facts import PLACES, request_media
from contract_tests.contract import Contract, Operation, Parameter
from contract_tests.generation import ABSENT, Generator, RequestCase, request_problems
from contract_tests.rules import NotExercised

HEADER_VALUE: Final = re.compile(r"[!-~]+( [!-~]+)*")
COOKIE_VALUE: Final = re.compile(r"[!#-+\--:<-\[\]-~]+")


@dataclass(frozen=True)
class LegalCase:
    """A legal request; ``focus`` is the pointer of the schema that it was made for, empty if it was made for none."""

    request: RequestCase
    focus: str = ""


def start_case(contract: Contract, generator: Generator, sample: Sample, operation: Operation) -> RequestCase:
    """
    Give a small legal request to start from: what is required, with the contract's own examples.

    Raises:
        NotExercised: If no legal request can be made, for instance since the body is not JSON.
    """
    case = RequestCase(operation)
    for parameter in operation.parameters:
        if parameter.required:
            values = {**case.values(parameter.location), parameter.name: _example(parameter, sample)}
            case = with_values(case, parameter.location, values)
    case = _with_start_body(case, sample)
    if not request_problems(contract, case) and can_travel(case):
        return case
    drawn = (without_nulls(drawn) for drawn in generator.requests(operation))
    for found in drawn:
        if can_travel(found) and is_json_or_nothing(found) and not has_probe(found):
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


def legal_cases(contract: Contract, generator: Generator, start: RequestCase) -> Iterator[LegalCase]:
    """Give legal requests near a start, then generated ones; none of them twice."""
    seen: set[str] = set()
    for case in _all_cases(contract, generator, start):
        text = _text(case.request)
        if text not in seen and not request_problems(contract, case.request) and can_travel(case.request):
            seen.add(text)
            yield case


def _all_cases(contract: Contract, generator: Generator, start: RequestCase) -> Iterator[LegalCase]:
    yield LegalCase(start)
    yield from _with_body_variants(contract, start)
    for parameter in start.operation.parameters:
        yield from _with_parameter_variants(contract, start, parameter)
    for drawn in generator.requests(start.operation):
        case = without_nulls(drawn)
        if is_json_or_nothing(case) and not has_probe(case):
            yield LegalCase(case)


def _with_body_variants(contract: Contract, start: RequestCase) -> Iterator[LegalCase]:
    media = request_media(start.operation)
    if media is None:
        return
    for example in media.examples:
        yield LegalCase(replace(start, body=example.value, media_type=media.media_type))
    if media.schema is not None:
        smallest = {} if contract.is_valid({}, media.schema) else start.body
        for body, focus in variants(contract, media.schema, {} if smallest is ABSENT else smallest):
            yield LegalCase(replace(start, body=body, media_type=media.media_type), focus)


def _with_parameter_variants(contract: Contract, start: RequestCase, parameter: Parameter) -> Iterator[LegalCase]:
    if parameter.schema is None:
        return
    pool = PARAMETER_POOL if parameter.location in {"path", "query"} else (*HEADER_TEXTS, *POOL)
    given = start.values(parameter.location)
    for value in legal(contract, parameter.schema, pool):
        case = with_values(start, parameter.location, {**given, parameter.name: value})
        if value is not None and not has_probe(case):
            yield LegalCase(case, parameter.pointer)


def probes(start: RequestCase) -> Iterator[tuple[RequestCase, Parameter]]:
    """Give requests whose path holds a step (``.``, ``..``) or nothing where a value belongs."""
    for parameter in start.operation.parameters:
        if parameter.location == "path" and f"/{{{parameter.name}}}" in start.operation.path:
            for value in PATH_PROBES:
                yield with_values(start, "path", {**start.path, parameter.name: value}), parameter


def has_probe(case: RequestCase) -> bool:
    """Whether a path parameter is a step or empty: those requests have a rule of their own."""
    return any(value in PATH_PROBES for value in case.path.values() if isinstance(value, str))


def without_nulls(case: RequestCase) -> RequestCase:
    """Leave out parameters that are null: null has no form in a path, query, header or cookie."""
    for place in PLACES:
        case = with_values(
            case, place, {name: value for name, value in case.values(place).items() if value is not None}
        )
    return case


def is_json_or_nothing(case: RequestCase) -> bool:
    """Whether the body is one that the harness drives: JSON, or none."""
    return not case.has_body or (case.media_type.endswith("json") and not isinstance(case.body, bytes))


def can_travel(case: RequestCase) -> bool:
    """Whether headers and cookies can carry their values at all: HTTP has no form for others."""
    headers = [value for value in case.headers.values() if isinstance(value, str)]
    cookies = [value for value in case.cookies.values() if isinstance(value, str)]
    holds = all(HEADER_VALUE.fullmatch(value) for value in headers)
    return holds and all(COOKIE_VALUE.fullmatch(value) for value in cookies)


def _text(case: RequestCase) -> str:
    body = "" if case.body is ABSENT or not case.has_body else json.dumps(case.body)
    return json.dumps([case.path, case.query, case.headers, case.cookies]) + body
