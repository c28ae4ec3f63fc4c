"""The vocabulary of seeded defects: what was done to a correct subject, and which rule must say so."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

AnyDefect = TypeVar("AnyDefect", bound="Defect")


@dataclass(frozen=True, kw_only=True)
class Defect:
    """
    One fault in a subject that is correct otherwise. Each half adds how to make the faulty subject.

    Attributes:
        id: Stable and unique within its half: letters, digits, dots and dashes.
        title: What the subject does, in one line.
        operator: The kind of change, such as ``member dropped``; mechanical and hand-made ones share these words.
        operation: Which operation is affected; empty if it is none or all.
        rules: Ids of the rules that must find it. The first one is the declared one, which names the fault best.
        equivalent: Why nobody can tell it from a correct subject by the contract; empty if somebody can.
        missed: Why the harness does not find it yet; empty if it must.
    """

    id: str
    title: str
    operator: str
    operation: str
    rules: tuple[str, ...]
    equivalent: str = ""
    missed: str = ""


def core(defects: Iterable[AnyDefect]) -> list[AnyDefect]:
    """Give the first defect of each operator on each operation: few enough to try them all in one sitting."""
    first: dict[tuple[str, str], AnyDefect] = {}
    for defect in defects:
        first.setdefault((defect.operator, defect.operation), defect)
    return list(first.values())
