"""
Finds schemas that lead back to themselves at the same place of the data.

``a`` which refers to ``b`` by ``anyOf``, and ``b`` which refers to ``a``, are judged for ever by a plain validator.
A tree is no such thing: it leads back to itself for a property or an item of the value, and every value ends somewhere.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

from contract_tests.openapi.document import Contract
from contract_tests.openapi.schema import COMPOSED, MANY, NAMED, ONE, all_schemas, subschemas
from contract_tests.rules import NotExercised, SetUpError

AT_ONCE: Final = frozenset({*COMPOSED, "not", "if", "then", "else", "dependentSchemas"})
SHOWN: Final = 3

Edges = Callable[[str], Iterator[str]]


class ReferenceCycles:
    """The circles in the schemas of one contract, and what of them was met."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._known: dict[str, bool] = {}
        self._met: list[str] = []

    def all(self) -> Iterator[list[str]]:
        """Return the pointers of each circle, the first one of the document first."""
        told: set[str] = set()
        for pointer, _ in all_schemas(self._contract.document):
            if pointer not in told and self.has(pointer):
                circle = [one for one in self._reached(pointer, self._at_once) if self.has(one)]
                told.update(circle)
                yield [pointer, *sorted({*circle} - {pointer})]

    def refuse(self) -> None:
        """Demand that there is none, for whoever needs values of all schemas; raises SetUpError if there is one."""
        circle = next(self.all(), None)
        if circle is not None:
            where = f"{self._contract.source}: {circle[0]}"
            raise SetUpError(f"{where} leads back to itself for the same value: it has no meaning, see SPEC-15")

    def has(self, pointer: str) -> bool:
        """Whether the schema at a pointer is part of a circle."""
        return pointer in self._reached(pointer, self._at_once)

    def is_decidable(self, pointer: str) -> bool:
        """Whether values can be judged by the schema at a pointer, without a circle; if they can't, that is noted."""
        if pointer not in self._known:
            within = self.within(pointer) | {pointer}
            self._known[pointer] = not any(map(self.has, within)) and self._contract.can_judge(pointer)
        if not self._known[pointer] and pointer not in self._met:
            self._met.append(pointer)
        return self._known[pointer]

    def within(self, pointer: str) -> set[str]:
        """Return the schemas that the schema at a pointer refers to or holds, at any depth."""
        return self._reached(pointer, self._everywhere)

    def report(self) -> None:
        """Say what could not be judged; raises NotExercised if something could not."""
        if self._met:
            more = f" and {len(self._met) - SHOWN} more" if len(self._met) > SHOWN else ""
            raise NotExercised(
                f"not decidable by {', '.join(self._met[:SHOWN])}{more}, see SPEC-15, SPEC-01 and SPEC-02"
            )

    def _reached(self, start: str, edges: Edges) -> set[str]:
        found: set[str] = set()
        waiting = list(edges(start))
        while waiting:
            pointer = waiting.pop()
            if pointer not in found:
                found.add(pointer)
                waiting += edges(pointer)
        return found

    def _at_once(self, pointer: str) -> Iterator[str]:
        """Return the schemas that judge the same value."""
        yield from self._from(pointer, AT_ONCE)

    def _everywhere(self, pointer: str) -> Iterator[str]:
        """Return those as well that judge a part of the value."""
        yield from self._from(pointer, {*ONE, *MANY, *NAMED} - {"$defs"})

    def _from(self, pointer: str, keywords: frozenset[str] | set[str]) -> Iterator[str]:
        node = self._node(pointer)
        if isinstance(reference := node.get("$ref"), str) and reference.startswith("#"):
            yield reference
        yield from (here for keyword, here, _ in subschemas(node, pointer) if keyword in keywords)

    def _node(self, pointer: str) -> dict[str, Any]:
        try:
            node = self._contract.at(pointer)
        except (KeyError, IndexError, ValueError, TypeError):
            return {}  # a reference that leads nowhere: no circle goes through it
        return node if isinstance(node, dict) else {}
