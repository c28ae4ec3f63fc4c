"""The contract's contradictions."""

from collections.abc import Iterator
from functools import partial
from typing import Final

from contract_tests.openapi.document import Contract, split
from contract_tests.openapi.reference_cycles import ReferenceCycles
from contract_tests.openapi.schema import all_schemas
from contract_tests.openapi.unsatisfiable import Emptiness, forbids
from contract_tests.rules import DOCUMENT, Checks, Violation, shown
from contract_tests.rules import rule as card

TURNED_ROUND = {"not", "if"}
rule: Final = partial(card, operations=DOCUMENT, side="spec")


@rule(
    "SPEC-14",
    "Every schema describes at least one value.",
    says="A schema that contradicts itself refuses every value: nobody can send such a request or response.",
    source="https://json-schema.org/draft/2020-12/json-schema-core#section-4.3.1",
    basis="inferred",
)
def test_schemas_can_be_satisfied(contract: Contract) -> Checks:
    return _contradictions(contract)


@rule(
    "SPEC-15",
    "No schema is applied to the same value without end.",
    says="A schema that refers to itself before it enters a property or an item has no meaning.",
    source="https://json-schema.org/draft/2020-12/json-schema-core#section-9.4.1",
    basis="documented",
)
def test_no_schema_is_applied_without_end(contract: Contract) -> Checks:
    return (
        Violation(f"at {circle[0]}: it leads back to itself for the same value, through {', '.join(circle)}", circle[0])
        for circle in ReferenceCycles(contract).all()
    )


def _contradictions(contract: Contract) -> Iterator[Violation]:
    emptiness, circles = Emptiness(contract), ReferenceCycles(contract)
    # Under `not` and `if` a schema that nothing fits is a way to say something.
    stated = [
        pointer
        for pointer, schema in all_schemas(contract.document)
        if not forbids(schema) and not TURNED_ROUND & set(split(pointer))
    ]
    empty = {pointer: None for pointer in stated if emptiness.is_proven(pointer)}
    within = {pointer: circles.within(pointer) & empty.keys() for pointer in empty}
    reported: set[str] = set()
    for pointer, inner in within.items():
        # What is empty since something within it is, is told there; what leads back to itself is told once.
        if all(pointer in within[one] for one in inner) and not inner & reported:
            reported.add(pointer)
            yield Violation(f"at {pointer}: no value fits: {shown(emptiness.reason(pointer))}", pointer)
