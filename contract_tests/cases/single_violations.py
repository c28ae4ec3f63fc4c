"""
Data that breaks exactly one constraint of the contract, drawn from the schemas themselves, constraint by constraint.

Generated negative data breaks several constraints at a time, and then nobody knows which of them a refusal was about.
"""

import contextlib
import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Final

from contract_tests.cases.boundary_values import BY_FORMAT, PLAIN, UNKNOWN_MEMBER, UNKNOWN_WORD, declared_values, legal
from contract_tests.cases.generation import ABSENT, RequestCase, request_problems
from contract_tests.http.body_kinds import is_json, request_media
from contract_tests.http.parameters import text_of
from contract_tests.openapi.document import Contract, Parameter, join
from contract_tests.openapi.json_text import read_json
from contract_tests.openapi.validation import Problem, sole_problem

Sample = Callable[[str], Any]
"""Gives a legal value for the schema at a pointer; :data:`ABSENT` if none was found."""

ONE_OF_EACH_TYPE: Final[tuple[Any, ...]] = (None, True, 3, 2.5, "text", ["text"], {"text": 1})
NEARLY_RIGHT: Final[dict[str, tuple[Any, ...]]] = {
    "integer": ("3",),
    "number": ("2.5",),
    "boolean": (0, "true"),
    "array": ({},),
    "object": ([],),
    "null": ("",),
}
PER_CONSTRAINT: Final = 6
DEEPEST: Final = 8


class SingleViolations:
    """Breaks values of one contract; ``sample`` gives legal values to start from."""

    def __init__(self, contract: Contract, sample: Sample) -> None:
        self.contract = contract
        self.sample = sample

    def values(self, schema: str, start: Any, count: Counter[str] | None = None) -> Iterator[tuple[Any, Problem]]:
        """
        Give values near a legal one, each of which breaks one constraint.

        Args:
            schema: Pointer of the schema.
            start: The legal value.
            count: How many values there have been for each constraint, few of which are needed; grows.
        """
        count = Counter() if count is None else count
        seen: set[str] = set()
        for value in self._near(schema, start, 0):
            if (text := json.dumps(value)) in seen:
                continue
            seen.add(text)
            problem = sole_problem(self.contract.problems(value, schema))
            if problem is not None and count[problem.constraint] < PER_CONSTRAINT:
                count[problem.constraint] += 1
                yield value, problem

    def requests(self, start: RequestCase) -> Iterator[RequestCase]:
        """Give requests near a legal one, each of which breaks one constraint."""
        yield from self._without_required(start)
        for parameter in start.operation.parameters:
            yield from self._with_broken_parameter(start, parameter)
        media = request_media(start.operation)
        if media is not None and media.schema is not None and start.has_body:
            for value, problem in self.values(media.schema, start.body):
                # A form has no types on the wire, where 5 may stand for a text.
                if is_json(media.media_type) or problem.keyword == "required":
                    yield replace(start, body=value, breach=problem)

    def _without_required(self, start: RequestCase) -> Iterator[RequestCase]:
        for parameter in start.operation.parameters:
            if parameter.required and parameter.name in start.values(parameter.location):
                values = {
                    key: value for key, value in start.values(parameter.location).items() if key != parameter.name
                }
                yield from self._if_broken(start.with_values(parameter.location, values))
        if start.operation.body is not None and start.operation.body.required:
            yield from self._if_broken(replace(start, body=ABSENT, media_type=""))

    def _with_broken_parameter(self, start: RequestCase, parameter: Parameter) -> Iterator[RequestCase]:
        if parameter.schema is None:
            return
        given = start.values(parameter.location)
        legal_value = given.get(parameter.name, self.sample(parameter.schema))
        if legal_value is ABSENT:
            return
        for value, _ in self.values(parameter.schema, legal_value):
            if is_wire_illegal(self.contract, parameter, value):
                yield from self._if_broken(start.with_values(parameter.location, {**given, parameter.name: value}))

    def _if_broken(self, case: RequestCase) -> Iterator[RequestCase]:
        problem = sole_problem(request_problems(self.contract, case))
        if problem is not None:
            yield replace(case, breach=problem)

    def _near(self, schema: str, start: Any, depth: int) -> Iterator[Any]:
        pointer = self.contract.follow(schema)
        node = self.contract.at(pointer)
        if not isinstance(node, dict) or depth > DEEPEST or start is ABSENT:
            return
        yield from _nearly_right(node)
        yield from ONE_OF_EACH_TYPE
        yield from _beyond_limits(node, start)
        yield from BY_FORMAT.get(node.get("format", ""), ())
        yield from self._forbidden(pointer, node, start)
        for key in ("allOf", "anyOf", "oneOf"):
            for index in range(len(node.get(key, ()))):
                branch = join(pointer, key, index)
                inner = start if self.contract.is_valid(start, branch) else self.sample(branch)
                yield from self._near(branch, inner, depth + 1)
        if isinstance(start, dict):
            yield from self._near_object(pointer, node, start, depth)
        if isinstance(start, list) and isinstance(node.get("items"), dict):
            yield from self._near_list(join(pointer, "items"), start, depth)

    def _near_object(self, pointer: str, node: dict[str, Any], start: dict[str, Any], depth: int) -> Iterator[Any]:
        for name in start:
            yield {key: value for key, value in start.items() if key != name}
        yield {**start, UNKNOWN_MEMBER: 1}
        children = {name: join(pointer, "properties", name) for name in node.get("properties", {})}
        if isinstance(node.get("additionalProperties"), dict):
            open_names = [name for name in start if name not in children] or [UNKNOWN_MEMBER]
            children[open_names[0]] = join(pointer, "additionalProperties")
        for name, child in children.items():
            inner = start[name] if name in start and start[name] is not None else self.sample(child)
            yield from ({**start, name: value} for value in self._near(child, inner, depth + 1))

    def _near_list(self, items: str, start: list[Any], depth: int) -> Iterator[Any]:
        first = start[0] if start else self.sample(items)
        if first is not ABSENT:
            yield [first, first]
        yield from ([value, *start[1:]] for value in self._near(items, first, depth + 1))

    def _forbidden(self, pointer: str, node: dict[str, Any], start: Any) -> Iterator[Any]:
        forbidden = node.get("not")
        if not isinstance(forbidden, dict):
            return
        yield from legal(self.contract, join(pointer, "not"))
        known = {**self.contract.at(pointer).get("properties", {}), **forbidden.get("properties", {})}
        if isinstance(start, dict) and forbidden.get("required") and known.keys() >= set(forbidden["required"]):
            yield start | {name: self.sample(self._schema_of(pointer, name)) for name in forbidden["required"]}

    def _schema_of(self, pointer: str, name: str) -> str:
        """Give where a forbidden member is described: in the exclusion itself, or beside it."""
        inner = join(pointer, "not", "properties", name)
        return (
            inner
            if name in self.contract.at(join(pointer, "not")).get("properties", {})
            else join(pointer, "properties", name)
        )


def _nearly_right(node: dict[str, Any]) -> Iterator[Any]:
    """Give what a lenient reader takes for right: numbers as texts, 0 for false, nothing for null, other letters."""
    types = node.get("type", ())
    for name in [types] if isinstance(types, str) else types:
        yield from NEARLY_RIGHT.get(name, ())
    yield from [word.upper() for word in node.get("enum", ()) if isinstance(word, str)][:1]


def _beyond_limits(node: dict[str, Any], start: Any) -> Iterator[Any]:
    if "enum" in node or "const" in node:
        yield UNKNOWN_WORD
    for key, step in (("minimum", -1), ("maximum", 1), ("exclusiveMinimum", 0), ("exclusiveMaximum", 0)):
        if key in node:
            yield node[key] + step
    if "multipleOf" in node:
        yield node["multipleOf"] * 1.5
    if isinstance(start, str):
        yield from _beyond_limits_of_text(node, start)
    if isinstance(start, list):
        yield from (start[: max(0, node.get("minItems", 0) - 1)], start * (node.get("maxItems", 0) + 1), start * 2)
    if isinstance(start, dict) and "maxProperties" in node:
        yield start | {f"{UNKNOWN_MEMBER}_{index}": 1 for index in range(node["maxProperties"] + 1)}


def _beyond_limits_of_text(node: dict[str, Any], start: str) -> Iterator[Any]:
    yield start[: max(0, node.get("minLength", 1) - 1)]
    if "maxLength" in node:
        yield (start or "x") * (node["maxLength"] + 1)
        yield (start or "x").ljust(node["maxLength"] + 1, (start or "x")[-1])
    if "pattern" in node:
        yield from (start.upper(), start.lower(), "!" * len(start), start[:-1] + "\n", "!", start + "\n")


def is_wire_illegal(contract: Contract, parameter: Parameter, value: Any) -> bool:
    """Whether no reading of what would stand on the wire is legal: 5 for a text is, null stands for nothing at all."""
    if value is None or parameter.schema is None:
        return False
    readings: list[Any] = [text_of(value)]
    with contextlib.suppress(ValueError):
        readings.append(read_json(text_of(value)))
    return not any(contract.is_valid(reading, parameter.schema) for reading in readings)


def sampler(contract: Contract, draw: Callable[[str], Iterator[Any]]) -> Sample:
    """Make a source of legal values: what the schema names, then a table of plain values, then ``draw``."""
    known: dict[str, Any] = {}

    def sample(schema: str) -> Any:
        pointer = contract.follow(schema)
        if pointer not in known:
            fitting = [
                value
                for value in (*declared_values(contract, pointer), *PLAIN, *legal(contract, pointer))
                if value is not None
            ]
            fitting = [value for value in fitting if contract.is_valid(value, pointer)]
            known[pointer] = fitting[0] if fitting else next(draw(pointer), ABSENT)
        return known[pointer]

    return sample


__all__ = ["SingleViolations", "is_wire_illegal", "sampler"]
