"""Requests that break one constraint each, made from legal ones: what must be refused is not left to chance."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from contract_tests.contract import Contract, Operation, Parameter, split
from contract_tests.coverage import member_schemas
from contract_tests.encoding import text_of
from contract_tests.json_text import read_json
from contract_tests.problems import Problem
from contract_tests.request_case import ABSENT, RequestCase, request_problems

PROBES: Final[tuple[Any, ...]] = (None, True, 7, -1, 0.5, "text", "", [], {}, [None], {"text": 7})
LENIENT_BOOLEANS: Final = {"0", "1", "t", "f", "y", "n", "yes", "no", "on", "off", "true", "false"}


def single_breaches(contract: Contract, legal: RequestCase, seen: set[str]) -> Iterator[RequestCase]:
    """
    Give one request for each constraint that some small change of a legal request breaks, and no other.

    Args:
        contract: Where the constraints are.
        legal: The request to change.
        seen: Constraints that need no further request; grows.
    """
    for candidate in _candidates(contract, legal):
        broken = broken_once(contract, candidate)
        if broken is None or broken.breach is None:
            continue
        # A whole body of another type fells a server in ways of its own: null, a list, a text.
        kind = type(candidate.body).__name__ if broken.breach.at == "" else ""
        name = f"{broken.breach.constraint} {kind}".rstrip()
        if name not in seen:
            seen |= {name, broken.breach.constraint}
            yield broken


def broken_once(contract: Contract, case: RequestCase) -> RequestCase | None:
    """Give the request with its breach if it breaks exactly one constraint, which alone can explain a refusal then."""
    problems = _independent(request_problems(contract, case))
    if len(problems) != 1 or _looks_legal_as_text(contract, case):
        return None
    return replace(case, breach=problems[0])


def _independent(problems: list[Problem]) -> list[Problem]:
    """Leave out what follows from a wrong type: such a value is no word of the same schema's enum either."""
    wrong = {(one.at, one.constraint.rpartition("/")[0]) for one in problems if one.constraint.endswith("/type")}
    return [
        one
        for one in problems
        if one.constraint.endswith("/type") or (one.at, one.constraint.rpartition("/")[0]) not in wrong
    ]


def _looks_legal_as_text(contract: Contract, case: RequestCase) -> bool:
    return any(
        _looks_legal(contract, parameter, value)
        for parameter in case.operation.parameters
        if parameter.schema is not None and (value := case.values(parameter.location).get(parameter.name)) is not None
        if not contract.is_valid(value, parameter.schema)
    )


def _looks_legal(contract: Contract, parameter: Parameter, value: Any) -> bool:
    # An object may stand on the wire as other parameters, and of several values a reader may take any one.
    if isinstance(value, list):
        return not value or any(_looks_legal(contract, parameter, item) for item in value)
    return isinstance(value, dict) or _is_legal_text(contract, parameter, text_of(value))


def _is_legal_text(contract: Contract, parameter: Parameter, text: str) -> bool:
    # A parameter has no types on the wire. What a lenient reader may take for a legal value proves nothing.
    assert parameter.schema is not None
    # An empty query parameter may count as absent; in a path there is no such thing.
    if (not text and parameter.location != "path") or contract.is_valid(text, parameter.schema):
        return True
    readings: list[Any] = [True] if text.lower() in LENIENT_BOOLEANS else []
    for read in (read_json, int, float):
        try:
            readings.append(read(text))
        except (ValueError, OverflowError):
            continue
    readings += [[value] for value in (*readings, text)]
    return any(contract.is_valid(value, parameter.schema) for value in readings)


def _candidates(contract: Contract, legal: RequestCase) -> Iterator[RequestCase]:
    for parameter in legal.operation.parameters:
        given = legal.values(parameter.location)
        without = {name: value for name, value in given.items() if name != parameter.name}
        if parameter.location != "path":
            yield legal.with_values(parameter.location, without)
        for probe in (*PROBES, *_bent(given.get(parameter.name))):
            if probe is not None:
                yield legal.with_values(parameter.location, {**given, parameter.name: probe})
    if legal.operation.body is not None:
        yield from _bodies(contract, legal, legal.operation)


def _bodies(contract: Contract, legal: RequestCase, operation: Operation) -> Iterator[RequestCase]:
    assert operation.body is not None
    yield replace(legal, body=ABSENT, media_type="")
    yield replace(legal, body=b'{"cut": ')
    for probe in PROBES:
        yield replace(legal, body=probe)
    media = operation.body.media.get(legal.media_type)
    if isinstance(legal.body, dict):
        for value in _objects(contract, legal.body, media.schema if media else None, depth=3):
            yield replace(legal, body=value)


def _objects(contract: Contract, legal: dict[str, Any], schema: str | None, depth: int) -> Iterator[dict[str, Any]]:
    for pointer in member_schemas(contract, schema):
        name = split(pointer)[-1]
        present = legal.get(name)
        yield {key: value for key, value in legal.items() if key != name}
        for probe in (*PROBES, *_bent(present)):
            yield {**legal, name: probe}
        if isinstance(present, dict) and depth:
            for inner in _objects(contract, present, pointer, depth - 1):
                yield {**legal, name: inner}


def _bent(value: Any) -> Iterator[Any]:
    # The same length and all but one character of a legal text: it breaks a pattern and nothing else.
    if isinstance(value, str) and value:
        yield "!" + value[1:]
