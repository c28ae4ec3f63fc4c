"""
Proves that no value fits a schema.

jsonschema-rs reduces schemas to a form that shows contradictions. What it can't prove counts as fitting: it knows three
answers, and formats and what leads back to itself are often beyond it.
"""

from typing import Any

from jsonschema_rs import Draft202012, canonicalize
from jsonschema_rs.canonical import CanonicalizationError, Satisfiability, UnsatisfiableReason, find_unsatisfiable

from contract_tests.openapi.document import Contract
from contract_tests.openapi.validation import reference_to, refuse, registry_of

UNJUDGED = (ValueError, CanonicalizationError)  # of what is no schema, or refers to nowhere


def forbids(schema: Any) -> bool:
    """Whether a schema says on purpose that nothing may stand at its place."""
    return schema is False or (isinstance(schema, dict) and (schema.get("not") is True or schema.get("not") == {}))


class Emptiness:
    """Proofs for the schemas of one contract."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._registry = registry_of(contract.document)

    def is_proven(self, *pointers: str) -> bool:
        """Whether it can be proven that no value fits the schemas at all of these pointers."""
        whole = {"allOf": [reference_to(pointer) for pointer in pointers]}
        try:
            reduced = canonicalize(whole, draft=Draft202012, validate_formats=False, registry=self._registry)
        except UNJUDGED:
            return False
        return reduced.satisfiability() == Satisfiability.NO

    def reason(self, pointer: str) -> str:
        """Return which keywords of a schema that no value fits exclude each other."""
        schema = {**self._contract.document, **self._contract.at(pointer)}
        try:
            match find_unsatisfiable(schema, draft=Draft202012, validate_formats=False, retriever=refuse).get(""):
                case UnsatisfiableReason.Conflict(causes):
                    parts = causes
                case UnsatisfiableReason.Empty(cause):
                    parts = [cause]
                case _:
                    parts = []
        except UNJUDGED:
            parts = []
        names = [f"{cause.pointer} {', '.join(cause.keywords)}".strip() for cause in parts]
        return (
            f"{' and '.join(names)} exclude each other" if names else "each would have to hold another one of the kind"
        )
