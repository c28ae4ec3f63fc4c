"""Whether a request breaks exactly one constraint, whatever a lenient reader makes of it."""

import contextlib
from collections.abc import Iterable, Iterator
from copy import copy
from dataclasses import replace
from typing import Any, Final

from contract_tests.cases.case import RequestCase, request_problems
from contract_tests.http.body_kinds import BodyKind, kind_of
from contract_tests.http.parameters import text_of
from contract_tests.openapi.document import Contract, Parameter, split
from contract_tests.openapi.json_text import read_json
from contract_tests.openapi.schema import schemas_at
from contract_tests.openapi.validation import UNIONS, Problem, sole_problem

READABLE: Final = {"type", "enum", "const", *UNIONS}
LENIENT_BOOLEANS: Final = {"0", "1", "t", "f", "y", "n", "yes", "no", "on", "off", "true", "false"}


def with_sole_violation(contract: Contract, case: RequestCase) -> RequestCase | None:
    """Return the request with its breach if it breaks exactly one constraint, which alone can explain a refusal."""
    problem = sole_problem(request_problems(contract, case))
    if problem is None or _looks_legal_as_text(contract, case) or _has_legal_looking_body(contract, case):
        return None
    return replace(case, breach=problem, is_coercible=_reads_legal(contract, case, problem))


def _looks_legal_as_text(contract: Contract, case: RequestCase) -> bool:
    return any(
        _looks_legal(contract, parameter, value)
        for parameter in case.operation.parameters
        if parameter.schema is not None and (value := case.values(parameter.location).get(parameter.name)) is not None
        if not contract.is_valid(value, parameter.schema)
    )


def _has_legal_looking_body(contract: Contract, case: RequestCase) -> bool:
    """Whether a body that is no JSON may be legal as it stands on the wire: a form has fields without types."""
    media = case.operation.body.media.get(case.media_type) if case.operation.body and case.has_body else None
    if media is None or kind_of(media.media_type) is BodyKind.JSON:
        return False
    if kind_of(media.media_type) not in {BodyKind.FORM, BodyKind.MULTIPART}:
        return not isinstance(case.body, str)
    if not isinstance(case.body, dict):
        return True
    # What a field must be is asked as of a query parameter, which has no type either.
    fields = (
        (
            Parameter(
                name, "query", required=False, pointer=schema, schema=schema, style="", explode=True, examples=()
            ),
            value,
        )
        for name, value in case.body.items()
        for schema in schemas_at(contract, media.schema or media.pointer, [name])
        if not contract.is_valid(value, schema)
    )
    return any(value is None or _looks_legal(contract, field, value) for field, value in fields)


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
    if not isinstance(case.body, dict | list) or split(problem.constraint)[-1] not in READABLE:
        return False
    # A whole body that fits none of several schemas may have its one odd value anywhere.
    bodies = (body for place in ([tokens] if tokens else _places(case.body)) for body in _bodies_read(case.body, place))
    return any(not request_problems(contract, replace(case, body=body)) for body in bodies)


def _places(body: Any) -> Iterator[list[str]]:
    """Return the places of values within objects, as tokens of a pointer."""
    for name, inner in body.items() if isinstance(body, dict) else ():
        yield [name]
        yield from ([name, *rest] for rest in _places(inner))


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


def is_wire_illegal(contract: Contract, parameter: Parameter, value: Any) -> bool:
    """Whether no reading of what would stand on the wire is legal: 5 for a text is, null stands for nothing at all."""
    if value is None or parameter.schema is None:
        return False
    readings: list[Any] = [text_of(value)]
    with contextlib.suppress(ValueError):
        readings.append(read_json(text_of(value)))
    return not any(contract.is_valid(reading, parameter.schema) for reading in readings)


def manner(contract: Contract, case: RequestCase, breach: Problem) -> str:
    """Return in which of the ways that fell a server differently a request breaks its constraint; often empty."""
    # A whole body of another type fells a server in ways of its own: null, a list, a text.
    if not breach.at:
        return f"{type(case.body).__name__} {_odd_member(contract, case)} {case.is_coercible}"
    if case.is_coercible:
        return f"read from {type(_value_at(case.body, split(breach.at))).__name__}"
    # Who takes integers may cut a fraction off, and refuse anything else.
    is_of_integer = breach.constraint.endswith("/type") and "integer" in contract.at(breach.constraint)
    return "fraction" if is_of_integer and isinstance(_value_at(case.body, split(breach.at)), float) else ""


def _odd_member(contract: Contract, case: RequestCase) -> str:
    """Return the member without which a body would fit; empty if there is none."""
    body = case.body if isinstance(case.body, dict) else {}
    shorter = ((name, {key: value for key, value in body.items() if key != name}) for name in body)
    return next((name for name, rest in shorter if not request_problems(contract, replace(case, body=rest))), "")


def _value_at(body: Any, tokens: list[str]) -> Any:
    for token in tokens:
        if not isinstance(body, dict | list):
            return None
        key: Any = int(token) if isinstance(body, list) else token
        body = body[key]
    return body
