"""The contract's alternatives."""

import json
from collections.abc import Iterator
from itertools import combinations
from typing import Any

from contract_tests.circles import Circles
from contract_tests.contract import Contract, join, split
from contract_tests.generation import Generator
from contract_tests.rules import DOCUMENT, Violation, report_all, rule, shown
from contract_tests.schemas import all_schemas


@rule(
    "SPEC-07",
    "No value fits two branches of a oneOf.",
    says="oneOf demands exactly one fitting branch: a value that fits two is refused, and what fits more is for anyOf.",
    source="https://json-schema.org/draft/2020-12/json-schema-core#section-10.2.1.3",
    basis="documented",
    operations=DOCUMENT,
    side="spec",
)
def test_one_of_does_not_overlap(contract: Contract, generator: Generator) -> None:
    """No generated value and no example is valid against two branches; one that is proves the overlap."""
    circles = Circles(contract)
    report_all(
        overlap
        for pointer, schema in all_schemas(contract.document)
        if isinstance(schema, dict) and isinstance(schema.get("oneOf"), list) and circles.is_decidable(pointer)
        for overlap in _overlaps(contract, generator, pointer, schema)
    )
    circles.report()


def _overlaps(contract: Contract, generator: Generator, pointer: str, schema: dict[str, Any]) -> Iterator[Violation]:
    branches = [join(pointer, "oneOf", index) for index in range(len(schema["oneOf"]))]
    for first, second in combinations(range(len(branches)), 2):
        witnesses = [
            value
            for value in _values(generator, schema, first, second)
            if all(contract.is_valid(value, branches[index], formats=False) for index in (first, second))
        ]
        if witnesses:
            witness = min(
                (json.dumps(value, sort_keys=True) for value in witnesses), key=lambda text: (len(text), text)
            )
            picked = _picked(contract, branches, json.loads(witness))
            yield Violation(
                received=f"at {pointer}/oneOf: {shown(witness)} fits branch {first} and branch {second}{picked}",
                constraint=f"{pointer}/oneOf {first} {second}",
            )


def _values(generator: Generator, schema: dict[str, Any], first: int, second: int) -> Iterator[Any]:
    # What fits both at once is the shortest way to a witness; each alone finds what the generator can't combine.
    one, other = schema["oneOf"][first], schema["oneOf"][second]
    examples = schema.get("examples")
    yield from examples if isinstance(examples, list) else ()
    for drawn in ({"allOf": [one, other]}, one, other):
        yield from generator.drawn_from(drawn)


def _picked(contract: Contract, branches: list[str], witness: Any) -> str:
    """Say which branch openapi-python-client's union makes of an object; empty if its members don't tell."""
    if not isinstance(witness, dict):
        return ""
    for index, branch in enumerate(branches):
        required = _required(contract, branch)
        if required is None:
            return ""
        if required <= witness.keys():
            name = split(contract.follow(branch))[-1] if "$ref" in contract.at(branch) else "without a name"
            return (
                "; openapi-python-client's union tries the branches in the order written, "
                f"so it picks branch {index} ({name})"
            )
    return ""


def _required(contract: Contract, branch: str) -> set[str] | None:
    """Give the members that an object of a branch has to have; None if the branch is no plain object."""
    node = contract.at(contract.follow(branch))
    if not isinstance(node, dict) or node.get("type") != "object":
        return None
    return set(node.get("required", ()))
