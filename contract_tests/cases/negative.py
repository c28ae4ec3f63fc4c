"""Requests that break one constraint each, made from legal ones: what must be refused is not left to chance."""

import contextlib
from collections.abc import Iterable, Iterator
from copy import copy
from dataclasses import replace
from typing import Any, Final

from contract_tests.cases.case import ABSENT, RequestCase, request_problems
from contract_tests.http.parameters import text_of
from contract_tests.openapi.document import Contract, Operation, Parameter, join, split
from contract_tests.openapi.json_text import read_json
from contract_tests.openapi.schema_walk import member_schemas
from contract_tests.openapi.validation import Problem, sole_problem

PROBES: Final[tuple[Any, ...]] = (
    None,
    True,
    7,
    -1,
    0.5,
    "text",
    "",
    [],
    {},
    [None],
    {"text": 7},
    {"text": []},
    "7",
    "true",
    1,
)
READABLE: Final = {"type", "enum", "const", "anyOf", "oneOf"}
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
        broken = with_sole_violation(contract, candidate)
        if broken is None or broken.breach is None:
            continue
        # The same schema may stand for several parts, and a server may look at one of them alone.
        name = f"{broken.breach.constraint} {broken.breach.at} {_kind(contract, broken, broken.breach)}"
        if name not in seen:
            seen |= {name} if broken.is_coercible else {name, broken.breach.constraint}
            yield broken


def _kind(contract: Contract, case: RequestCase, breach: Problem) -> str:
    # A whole body of another type fells a server in ways of its own: null, a list, a text.
    if not breach.at:
        return type(case.body).__name__
    if case.is_coercible:
        return f"read from {type(_value_at(case.body, split(breach.at))).__name__}"
    # Who takes integers may cut a fraction off, and refuse anything else.
    is_of_integer = breach.constraint.endswith("/type") and "integer" in contract.at(breach.constraint)
    return "fraction" if is_of_integer and isinstance(_value_at(case.body, split(breach.at)), float) else ""


def _value_at(body: Any, tokens: list[str]) -> Any:
    for token in tokens:
        if not isinstance(body, dict | list):
            return None
        key: Any = int(token) if isinstance(body, list) else token
        body = body[key]
    return body


def with_sole_violation(contract: Contract, case: RequestCase) -> RequestCase | None:
    """Give the request with its breach if it breaks exactly one constraint, which alone can explain a refusal then."""
    problem = sole_problem(request_problems(contract, case))
    if problem is None or _looks_legal_as_text(contract, case):
        return None
    return replace(case, breach=problem, is_coercible=_reads_legal(contract, case, problem))


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
    readings = _readings_of_text(text)
    readings += [[value] for value in (*readings, text)]
    return any(contract.is_valid(value, parameter.schema) for value in readings)


def _readings_of_text(text: str) -> list[Any]:
    readings: list[Any] = [True] if text.lower() in LENIENT_BOOLEANS else []
    for read in (read_json, int, float):
        with contextlib.suppress(ValueError, OverflowError):
            readings.append(read(text))
    return readings


def _reads_legal(contract: Contract, case: RequestCase, problem: Problem) -> bool:
    """Whether a reader that goes by what a value says, not by its type, could take the body for a legal one."""
    tokens = split(problem.at)
    if not tokens or not isinstance(case.body, dict | list) or split(problem.constraint)[-1] not in READABLE:
        return False
    return any(not request_problems(contract, replace(case, body=body)) for body in _bodies_read(case.body, tokens))


def _bodies_read(body: Any, tokens: list[str]) -> Iterator[Any]:
    first: Any = int(tokens[0]) if isinstance(body, list) else tokens[0]
    insides: Iterable[Any]
    if tokens[1:]:
        insides = _bodies_read(body[first], tokens[1:])
    elif body[first] is None and isinstance(body, dict):
        yield {name: value for name, value in body.items() if name != first}
        return
    else:
        insides = _readings(body[first])
    for inside in insides:
        changed = copy(body)
        changed[first] = inside
        yield changed


def _readings(value: Any) -> list[Any]:
    if isinstance(value, str):
        return [*_readings_of_text(value), value.swapcase()]
    if isinstance(value, bool):
        return [int(value), text_of(value)]
    if isinstance(value, int | float):
        return [text_of(value), *([bool(value)] if value in {0, 1} else [])]
    return []


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
        for probe in (*PROBES, *_bent(present), *_long_enough(contract, pointer)):
            yield {**legal, name: probe}
        for inner in _inside(contract, present, pointer, depth):
            yield {**legal, name: inner}


def _inside(contract: Contract, present: Any, schema: str, depth: int) -> Iterator[Any]:
    """Give values with something spoilt inside, made from what is there or from nothing."""
    if not depth:
        return
    pointer = contract.follow(schema)
    stated = _stated(contract, pointer)
    if isinstance(present, dict) or "properties" in stated:
        yield from _objects(contract, present or {}, pointer, depth - 1)
    if present is None and isinstance(stated.get("additionalProperties"), dict):
        for inner in _inside(contract, None, join(pointer, "additionalProperties"), depth - 1):
            yield {"0": inner}


def _long_enough(contract: Contract, schema: str) -> Iterator[str]:
    """Give texts that break a pattern and no length."""
    pointer = contract.follow(schema)
    branches = range(len(_stated(contract, pointer).get("anyOf", ())))
    for one in (pointer, *(contract.follow(join(pointer, "anyOf", number)) for number in branches)):
        stated = _stated(contract, one)
        if "pattern" in stated and "minLength" in stated:
            yield "!" * stated["minLength"]


def _stated(contract: Contract, pointer: str) -> dict[str, Any]:
    # A schema may be plain true or false, which states no keyword.
    schema = contract.at(pointer)
    return schema if isinstance(schema, dict) else {}


def _bent(value: Any) -> Iterator[Any]:
    # The same length and all but one character of a legal text: it breaks a pattern and nothing else.
    if isinstance(value, str) and value:
        yield "!" + value[1:]
        yield value.swapcase()
