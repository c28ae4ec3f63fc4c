"""The contract's contradictions."""

from collections.abc import Iterator

from contract_tests.openapi.document import Contract, split
from contract_tests.openapi.reference_cycles import ReferenceCycles
from contract_tests.openapi.schemas import all_schemas
from contract_tests.openapi.unsatisfiable import Emptiness, forbids
from contract_tests.rules import DOCUMENT, Violation, report_all, rule, shown

TURNED_ROUND = {"not", "if"}


@rule(
    "SPEC-14",
    "Every schema describes at least one value.",
    says="A schema that contradicts itself refuses every value: no such request can be sent and no such reply arrive.",
    source="https://json-schema.org/draft/2020-12/json-schema-core#section-4.3.1",
    basis="inferred",
    operations=DOCUMENT,
    side="spec",
)
def test_schemas_can_be_satisfied(contract: Contract) -> None:
    """No schema is proven empty by its own keywords; what can't be proven is not reported, nor is plain `false`."""
    report_all(_contradictions(contract))


@rule(
    "SPEC-15",
    "No schema is applied to the same value without end.",
    says="A schema that leads back to itself before it goes into a member or an item has no meaning.",
    source="https://json-schema.org/draft/2020-12/json-schema-core#section-9.4.1",
    basis="documented",
    operations=DOCUMENT,
    side="spec",
)
def test_no_schema_is_applied_without_end(contract: Contract) -> None:
    """No schema is part of a circle of references and alternatives that all judge one value."""
    report_all(
        Violation(f"at {circle[0]}: it leads back to itself for the same value, through {', '.join(circle)}", circle[0])
        for circle in ReferenceCycles(contract).all()
    )


def _contradictions(contract: Contract) -> Iterator[Violation]:
    emptiness = Emptiness(contract)
    reported: set[str] = set()
    for pointer, schema in all_schemas(contract.document):
        # Under `not` and `if` a schema that nothing fits is a way to say something.
        if forbids(schema) or TURNED_ROUND & set(split(pointer)):
            continue
        proof = emptiness.proof(pointer)
        if proof is not None and proof.place not in reported:
            reported.add(proof.place)
            yield Violation(f"at {proof.place}: no value fits: {shown(proof.text)}", proof.place)
