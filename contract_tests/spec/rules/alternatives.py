"""The contract's alternatives."""

import json
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import combinations
from typing import Any, Final

from contract_tests.cases.generation import Generator
from contract_tests.openapi.document import Contract, join, split
from contract_tests.openapi.reference_cycles import ReferenceCycles
from contract_tests.openapi.schema import all_schemas
from contract_tests.openapi.unsatisfiable import Emptiness
from contract_tests.rules import DOCUMENT, NotExercised, Violation, report_all, rule, shown

PLAIN: Final[tuple[Any, ...]] = ({}, [], "", 0, 0.5, True, None)


@rule(
    "SPEC-07",
    "No value fits two branches of a oneOf.",
    says="oneOf demands exactly one branch that fits: a value that fits two is refused. Use anyOf if several may fit.",
    source="https://json-schema.org/draft/2020-12/json-schema-core#section-10.2.1.3",
    basis="documented",
    operations=DOCUMENT,
    side="spec",
)
def test_one_of_does_not_overlap(contract: Contract, generator: Generator) -> None:
    circles = ReferenceCycles(contract)
    search = _Search(contract, generator)
    report_all(
        overlap
        for pointer, schema in all_schemas(contract.document)
        if isinstance(schema, dict) and isinstance(schema.get("oneOf"), list) and circles.is_decidable(pointer)
        for overlap in search.overlaps(pointer, schema)
    )
    circles.report()
    if search.left_out:
        raise NotExercised(f"no time was left for {search.left_out} of {search.pairs} pairs of branches")


class _Search:
    """Looks for values that fit two branches, the cheapest first: plain ones and examples, then drawn ones."""

    def __init__(self, contract: Contract, generator: Generator) -> None:
        self._contract = contract
        self._generator = generator
        self._emptiness = Emptiness(contract)
        self._ends = generator.budget.row_ends()
        # The same branches stand in many places of a large contract; what was drawn for them is not drawn again.
        self._drawn = cache(lambda text: list(generator.drawn_from(json.loads(text))))
        self.pairs = 0  # pairs of branches that were met
        self.left_out = 0  # how many of them could not be tried, since the time was spent

    def overlaps(self, pointer: str, schema: dict[str, Any]) -> Iterator[Violation]:
        """Return the pairs of branches of a schema that a value fits."""
        examples = schema.get("examples")
        known = [*PLAIN, *(examples if isinstance(examples, list) else ())]
        branches = [join(pointer, "oneOf", index) for index in range(len(schema["oneOf"]))]
        for pair in combinations(range(len(branches)), 2):
            self.pairs += 1
            witnesses = self._fitting(known, branches, pair)
            if not witnesses and not self._emptiness.is_proven(*(branches[index] for index in pair)):
                if self._generator.budget.clock() > self._ends:
                    self.left_out += 1
                    continue
                witnesses = self._drawn_witnesses(schema["oneOf"], branches, pair)
            if witnesses:
                yield self._violation(pointer, branches, pair, witnesses)

    def _drawn_witnesses(self, stated: list[Any], branches: list[str], pair: tuple[int, ...]) -> list[Any]:
        one, other = (self._drawn(json.dumps(stated[index], sort_keys=True)) for index in pair)
        required = [_required(self._contract, branches[index]) for index in pair]
        joined = _joined(one, other, {name for names in required for name in names or ()})
        found = self._fitting([*one, *other, *joined], branches, pair)
        # What is drawn for both at once finds more, but has to be drawn for each pair.
        both = json.dumps({"allOf": [stated[index] for index in pair]}, sort_keys=True)
        return found or self._fitting(self._drawn(both), branches, pair)

    def _fitting(self, values: Iterable[Any], branches: list[str], pair: tuple[int, ...]) -> list[Any]:
        both = [branches[index] for index in pair]
        return [value for value in values if all(self._contract.is_valid(value, one, formats=False) for one in both)]

    def _violation(self, pointer: str, branches: list[str], pair: tuple[int, ...], witnesses: list[Any]) -> Violation:
        texts = (json.dumps(value, sort_keys=True) for value in witnesses)
        witness = min(texts, key=lambda text: (len(text), text))
        picked = _picked(self._contract, branches, json.loads(witness))
        return Violation(
            received=f"at {pointer}/oneOf: {shown(witness)} fits branch {pair[0]} and branch {pair[1]}{picked}",
            constraint=f"{pointer}/oneOf {pair[0]} {pair[1]}",
        )


def _joined(one: list[Any], other: list[Any], required: set[str]) -> Iterator[dict[str, Any]]:
    """Return objects with the properties that both branches require, each taken from a value of one of them."""
    for first, second in zip(one, other, strict=False):
        if isinstance(first, dict) and isinstance(second, dict):
            for value in (first | second, second | first):
                yield {name: inner for name, inner in value.items() if name in required}


def _picked(contract: Contract, branches: list[str], witness: Any) -> str:
    """Say which branch openapi-python-client's union makes of an object; empty if its properties don't tell."""
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
    """Return the properties that an object of a branch has to have; None if the branch is no plain object."""
    node = contract.at(contract.follow(branch))
    if not isinstance(node, dict) or node.get("type") != "object":
        return None
    return set(node.get("required", ()))
