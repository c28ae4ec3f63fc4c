"""What the generated client would send or read otherwise than the contract says, found before it is generated.

Silence would be worse than a refusal: each names its place and what to do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import document as doc
import refused_operations
import refused_schemas
import shape

from workflow_contract.printing import printable

if TYPE_CHECKING:
    from collections.abc import Iterable

_PLACES_SHOWN, _CAUSES_SHOWN, _TEXT_SHOWN = 3, 100, 300


class Refusal(NamedTuple):
    """One place in the contract, and why it can't be generated."""

    pointer: str
    reason: str


def malformed(document: dict[str, Any]) -> list[Refusal]:
    """What is so wrong with the contract that nothing else can be looked at."""
    return [Refusal(*problem) for problem in shape.problems(document)]


def find(document: dict[str, Any]) -> list[Refusal]:
    """Everything in a well-formed contract that must be refused."""
    found = [*refused_operations.problems(document), *refused_schemas.problems(document)]
    return [Refusal(*problem) for problem in found]


def lines(document: dict[str, Any], found: Iterable[Refusal]) -> list[str]:
    """A line for each cause and the first places where it is met: a contract may make one mistake a thousand times."""
    places: dict[str, list[str]] = {}
    for refusal in found:
        places.setdefault(refusal.reason, []).append(_place(document, refusal.pointer))
    told = [_line(reason, list(dict.fromkeys(pointers))) for reason, pointers in places.items()]
    more = len(told) - _CAUSES_SHOWN
    return [*told[:_CAUSES_SHOWN], *([f"... and {more} causes more"] if more > 0 else [])]


def _line(reason: str, pointers: list[str]) -> str:
    first, *others = pointers
    shown, more = others[: _PLACES_SHOWN - 1], len(others) - _PLACES_SHOWN + 1
    also = f" (also {', '.join(shown)}{f' and {more} places more' if more > 0 else ''})" if others else ""
    return printable(f"{first}: {reason}"[:_TEXT_SHOWN] + also)


def _place(document: dict[str, Any], pointer: str) -> str:
    """A pointer, and the name of the operation that it leads to."""
    try:
        value = doc.target(document, pointer)
    except (KeyError, IndexError, ValueError):
        value = None
    name = value.get("operationId") if isinstance(value, dict) and pointer.startswith("#/paths/") else None
    return f"{pointer} ({name})" if isinstance(name, str) else pointer
