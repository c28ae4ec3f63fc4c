"""
Values and requests near a legal one, for the violations that schemathesis' coverage phase does not make.

What that phase leaves out: items of a parameter, entries of an optional map, members that exclude one another beside a
legal rest, bodies that are no JSON, and what a lenient reader takes for right, such as ``"7"`` for a number.
"""

import itertools
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any, Final, TypeVar

from contract_tests.budget import PER_CONSTRAINT
from contract_tests.cases.boundary_values import BY_FORMAT, PLAIN, UNKNOWN_MEMBER, UNKNOWN_WORD, declared_values, legal
from contract_tests.cases.case import ABSENT, RequestCase
from contract_tests.http.body_kinds import request_media
from contract_tests.openapi.document import Contract, join
from contract_tests.openapi.schema import branches
from contract_tests.openapi.validation import Problem, sole_problem

Item = TypeVar("Item")
Sample = Callable[[str], Any]
"""Returns a legal value for the schema at a pointer; :data:`ABSENT` if none was found."""

NEARLY_RIGHT: Final[dict[str, tuple[Any, ...]]] = {
    "integer": ("7",),
    "number": ("2.5",),
    "boolean": (0, "true"),
    "array": ({},),
    "object": ([],),
    "null": ("",),
}
PROBES: Final[tuple[Any, ...]] = (None, True, 7, 0.5, "text", ["text"], {"text": 7}, "", [], {}, {"text": []}, "7", 1)
BEYOND: Final = {"minimum": -1, "maximum": 1}
NO_JSON: Final = b'{"cut": '
MOST_IN_VAIN: Final = 500
DEEPEST: Final = 8


def single_violations(
    contract: Contract, schema: str, *values: Iterable[Any], most: int = PER_CONSTRAINT
) -> Iterator[tuple[Any, Problem]]:
    """Return those values that break one constraint of a schema, at most so many for each."""
    judged = [(value for value in some if not isinstance(value, bytes)) for some in values]
    return few_for_each(judged, json.dumps, lambda value: sole_problem(contract.problems(value, schema)), most)


def few_for_each(
    sources: Iterable[Iterable[Item]],
    text_of: Callable[[Item], str],
    problem_of: Callable[[Item], Problem | None],
    most: int,
) -> Iterator[tuple[Item, Problem]]:
    """Return those items that break one constraint, with it: at most so many for each, and none twice."""
    count: Counter[str] = Counter()
    seen: set[str] = set()
    for items in sources:
        in_vain = 0
        for item in items:
            if (text := text_of(item)) not in seen:
                seen.add(text)
                problem, in_vain = problem_of(item), in_vain + 1
                if problem is not None and count[problem.constraint] < most:
                    count[problem.constraint] += 1
                    in_vain = 0
                    yield item, problem
                # Unions within unions have ten thousand values near them, most of which break the outermost one.
                if in_vain == MOST_IN_VAIN:
                    break


def requests_near(contract: Contract, start: RequestCase, sample: Sample) -> Iterator[RequestCase]:
    """Return requests that differ from a legal one in one part; many of them break a constraint."""
    for parameter in start.operation.parameters:
        given = start.values(parameter.location)
        without = {name: value for name, value in given.items() if name != parameter.name}
        yield start.with_values(parameter.location, without)
        if parameter.schema is not None:
            legal_value = given.get(parameter.name, sample(parameter.schema))
            for value in near(contract, parameter.schema, legal_value, sample):
                if value is not None:
                    yield start.with_values(parameter.location, {**given, parameter.name: value})
    media = request_media(start.operation)
    if media is not None:
        yield replace(start, body=ABSENT, media_type="")
    if media is not None and start.has_body:
        yield replace(start, body=NO_JSON)
        yield from (replace(start, body=body) for body in near(contract, media.schema or "#", start.body, sample))


def near(contract: Contract, schema: str, start: Any, sample: Sample, depth: int = 0) -> Iterator[Any]:
    """Return values that differ from a legal one in one place, level by level of its schema."""
    pointer = contract.follow(schema)
    stated = contract.at(pointer)
    node = stated if isinstance(stated, dict) else {}
    yield from (node[key] + step for key, step in BEYOND.items() if key in node)
    yield from (*_nearly_right(node), *PROBES, *BY_FORMAT.get(node.get("format", ""), ()))
    if depth > DEEPEST or start is ABSENT:
        return
    if isinstance(start, str):
        yield from _near_text(node, start)
    for branch in branches(contract, pointer):
        inner = start if contract.is_valid(start, branch) else sample(branch)
        yield from near(contract, branch, inner, sample, depth + 1)
    yield from _excluded(contract, pointer, start, sample)
    if isinstance(start, dict):
        yield from _near_object(contract, pointer, start, sample, depth)
    if isinstance(start, list) and isinstance(node.get("items"), dict):
        yield from _near_list(contract, pointer, start, sample, depth)


def _near_object(
    contract: Contract, pointer: str, start: dict[str, Any], sample: Sample, depth: int
) -> Iterator[dict[str, Any]]:
    node = contract.at(pointer)
    for name in start:
        yield {key: value for key, value in start.items() if key != name}
    yield {**start, UNKNOWN_MEMBER: 1}
    children = {name: join(pointer, "properties", name) for name in node.get("properties", {})}
    if isinstance(node.get("additionalProperties"), dict):
        open_names = [name for name in start if name not in children] or [UNKNOWN_MEMBER]
        children[open_names[0]] = join(pointer, "additionalProperties")
    for name, child in children.items():
        inner = start[name] if start.get(name) is not None else sample(child)
        yield from ({**start, name: value} for value in near(contract, child, inner, sample, depth + 1))


def _near_list(contract: Contract, pointer: str, start: list[Any], sample: Sample, depth: int) -> Iterator[list[Any]]:
    items = join(pointer, "items")
    first = start[0] if start else sample(items)
    yield from ([first, first], [first] * (contract.at(pointer).get("maxItems", 0) + 1))
    yield from ([item, *start[1:]] for item in near(contract, items, first, sample, depth + 1))


def _excluded(contract: Contract, pointer: str, start: Any, sample: Sample) -> Iterator[Any]:
    """Return what a schema says ``not`` to, and the members beside a legal rest that exclude one another."""
    node = contract.at(pointer)
    forbidden = node.get("not") if isinstance(node, dict) else None
    if not isinstance(forbidden, dict):
        return
    described = {name: join(pointer, "properties", name) for name in node.get("properties", {})}
    described |= {name: join(pointer, "not", "properties", name) for name in forbidden.get("properties", {})}
    names = forbidden.get("required", ())
    if isinstance(start, dict) and names and described.keys() >= set(names):
        yield {**{name: sample(described[name]) for name in names}, **start}
    yield from legal(contract, join(pointer, "not"))


def _nearly_right(node: dict[str, Any]) -> Iterator[Any]:
    """Return what a lenient reader takes for right: numbers as texts, 0 for false, nothing for null, other letters."""
    types = node.get("type", ())
    for name in [types] if isinstance(types, str) else types:
        yield from NEARLY_RIGHT.get(name, ())
    if "enum" in node or "const" in node:
        yield UNKNOWN_WORD
    yield from [word.upper() for word in node.get("enum", ()) if isinstance(word, str)][:1]


def _near_text(node: dict[str, Any], start: str) -> Iterator[str]:
    # All but one character of a legal text, in the same length, breaks a pattern alone; `$` lets a line feed through.
    if "pattern" in node:
        yield from (start.upper(), start.lower(), "!" * max(len(start), node.get("minLength", 0)), start[:-1] + "\n")
        yield from ("!" + start[1:], start + "\n")
    if node.get("format") == "uri":
        yield from ("mailto:nobody@example.com", f"{start}%zz")
    if "maxLength" in node:
        yield (start or "x").ljust(node["maxLength"] + 1, (start or "x")[-1])


def sampler(contract: Contract, draw: Callable[[str], Iterator[Any]]) -> Sample:
    """Return a source of legal values: what the schema names, then a table of plain values, then ``draw``."""
    known: dict[str, Any] = {}

    def sample(schema: str) -> Any:
        pointer = contract.follow(schema)
        if pointer not in known:
            made = (*declared_values(contract, pointer), *PLAIN, *legal(contract, pointer))
            fitting = (value for value in made if value is not None and contract.is_valid(value, pointer))
            known[pointer] = next(itertools.chain(fitting, draw(pointer)), ABSENT)
        return known[pointer]

    return sample
