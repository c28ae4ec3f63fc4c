"""
Proves that no value fits a schema.

Sound and not complete: what is proven holds for every validator, and what is not understood counts as fitting. Keywords
that hold together (a schema, what it refers to, and its ``allOf``) are looked at together, for each JSON type that they
leave; where a list of values is given, the values themselves are judged.
"""

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

from jsonschema.exceptions import UnknownType
from referencing.exceptions import Unresolvable

from contract_tests.openapi.document import Contract, join
from contract_tests.openapi.reference_cycles import ReferenceCycles
from contract_tests.rules import SetUpError

TYPES: Final = frozenset({"null", "boolean", "number", "integer", "string", "array", "object"})
DEEPEST: Final = 30
UNJUDGED: Final = (UnknownType, Unresolvable, re.error, TypeError, RecursionError)  # of a schema that is none
SIZES: Final = (
    ("string", "minLength", "maxLength"),
    ("array", "minItems", "maxItems"),
    ("object", "minProperties", "maxProperties"),
)

Parts = frozenset[str]


@dataclass(frozen=True)
class Proof:
    """Why nothing fits: the pointer of the schema that contradicts itself, and how it does."""

    place: str
    text: str


def forbids(schema: Any) -> bool:
    """Whether a schema says on purpose that nothing may stand at its place."""
    return schema is False or (isinstance(schema, dict) and (schema.get("not") is True or schema.get("not") == {}))


class Emptiness:
    """Proofs for the schemas of one contract."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._circles = ReferenceCycles(contract)
        self._open: list[Parts] = []
        self._fitting: set[Parts] = set()

    def proof(self, pointer: str) -> Proof | None:
        """Prove that nothing fits the schema at a pointer; None if that cannot be proven."""
        return self._prove(frozenset({pointer}), pointer)

    def excludes(self, one: str, other: str) -> bool:
        """Whether it can be proven that no value fits the schemas at both pointers."""
        try:
            return self._prove(frozenset({one, other}), one) is not None
        except (*UNJUDGED, SetUpError):
            return False

    def _prove(self, stated: Parts, place: str) -> Proof | None:
        parts = self._together(stated)
        if parts in self._open:
            # A value inside a value of the same kind, and so on: no finite value has that.
            return Proof(place, "every value has to hold a further value of the same schema")
        if parts in self._fitting or len(self._open) > DEEPEST:
            return None
        self._open.append(parts)
        try:
            found = self._of_parts(parts, place) or self._of_alternatives(parts, place)
        finally:
            self._open.pop()
        if found is None:
            self._fitting.add(parts)
        return found

    def _together(self, stated: Iterable[str]) -> Parts:
        """Give the schemas that hold together: with what they refer to, and with all of their `allOf`."""
        found: set[str] = set()
        waiting = list(stated)
        while waiting:
            pointer = waiting.pop()
            if pointer in found:
                continue
            found.add(pointer)
            node = self._contract.at(pointer)
            if not isinstance(node, dict):
                continue
            listed = node.get("allOf")
            waiting += [
                join(pointer, "allOf", index) for index in range(len(listed) if isinstance(listed, list) else 0)
            ]
            if isinstance(node.get("$ref"), str):
                try:
                    waiting.append(self._contract.follow(pointer))
                except SetUpError:
                    continue  # leads out of the document: nothing is known of it
        return frozenset(found)

    def _of_parts(self, parts: Parts, place: str) -> Proof | None:
        if any(forbids(self._contract.at(pointer)) for pointer in parts):
            return Proof(place, "a part of it forbids every value")
        listed = self._listed(parts)
        if listed is not None:
            fits = any(self._fits(value, parts) for value in listed)
            return None if fits else Proof(place, f"none of the listed values {listed!r} fits the other keywords")
        types = self._types(parts)
        if not types:
            return Proof(place, "its types exclude each other")
        reasons = [self._of_type(parts, kind, place) for kind in sorted(types)]
        return reasons[0] if all(reasons) else None

    def _of_alternatives(self, parts: Parts, place: str) -> Proof | None:
        for pointer, node in self._nodes(parts):
            for keyword in ("anyOf", "oneOf"):
                count = len(node[keyword]) if isinstance(node.get(keyword), list) else 0
                whole = [self._together({*parts, join(pointer, keyword, index)}) for index in range(count)]
                # A branch that adds nothing would be assumed to be empty, since it is being looked at.
                reasons = [None if one in self._open else self._of_parts(one, place) for one in whole]
                if reasons and all(reasons):
                    first = next(filter(None, reasons)).text
                    return Proof(place, f"no branch of {keyword} fits the rest; of the first, {first}")
        return None

    def _nodes(self, parts: Parts) -> Iterator[tuple[str, dict[str, Any]]]:
        for pointer in sorted(parts):
            node = self._contract.at(pointer)
            if isinstance(node, dict):
                yield pointer, node

    def _fits(self, value: Any, parts: Parts) -> bool:
        if not all(map(self._circles.is_decidable, parts)):
            return True
        try:
            return all(self._contract.is_valid(value, pointer, formats=False) for pointer in parts)
        except UNJUDGED:
            return True

    def _listed(self, parts: Parts) -> list[Any] | None:
        for _, node in self._nodes(parts):
            if "const" in node:
                return [node["const"]]
            if isinstance(node.get("enum"), list):
                return list(node["enum"])
        return None

    def _types(self, parts: Parts) -> frozenset[str]:
        left = TYPES
        for _, node in self._nodes(parts):
            said = node.get("type")
            named = {said} if isinstance(said, str) else set(said) if isinstance(said, list) else set()
            if named and named <= TYPES:
                left &= named | ({"integer"} if "number" in named else set())
        return left

    def _of_type(self, parts: Parts, kind: str, place: str) -> Proof | None:
        if kind in {"number", "integer"}:
            text = self._of_numbers(parts, kind)
            return Proof(place, text) if text else None
        for name, least, most in SIZES:
            if name == kind and (text := self._of_sizes(parts, least, most)):
                return Proof(place, text)
        if kind == "array":
            return self._of_items(parts, place)
        return self._of_members(parts, place) if kind == "object" else None

    def _limits(self, parts: Parts, keyword: str) -> list[Fraction]:
        found = [node.get(keyword) for _, node in self._nodes(parts)]
        numbers = [one for one in found if isinstance(one, int | float) and not isinstance(one, bool)]
        return [Fraction(str(one)) for one in numbers if math.isfinite(one)]

    def _of_sizes(self, parts: Parts, least: str, most: str) -> str:
        low, high = self._limits(parts, least), self._limits(parts, most)
        return f"{least} {max(low)} is more than {most} {min(high)}" if low and high and max(low) > min(high) else ""

    def _of_numbers(self, parts: Parts, kind: str) -> str:
        lows = [(one, False) for one in self._limits(parts, "minimum")]
        lows += [(one, True) for one in self._limits(parts, "exclusiveMinimum")]
        highs = [(one, False) for one in self._limits(parts, "maximum")]
        highs += [(one, True) for one in self._limits(parts, "exclusiveMaximum")]
        if not lows or not highs:
            return ""
        low, is_above = max(lows)
        high, is_below = min(highs, key=lambda one: (one[0], not one[1]))
        if low > high or (low == high and (is_above or is_below)):
            return f"{low} {'<' if is_above else '<='} value {'<' if is_below else '<='} {high} holds for no number"
        steps = [*self._limits(parts, "multipleOf"), *([Fraction(1)] if kind == "integer" else [])]
        for step in (one for one in steps if one > 0):
            first = math.floor(low / step) + 1 if is_above else math.ceil(low / step)
            if first * step > high or (first * step == high and is_below):
                return f"no multiple of {step} is between {low} and {high}"
        return ""

    def _of_items(self, parts: Parts, place: str) -> Proof | None:
        fewest = max(self._limits(parts, "minItems"), default=Fraction(0))
        for pointer, node in self._nodes(parts):
            listed = node.get("prefixItems")
            first: list[Any] = listed if isinstance(listed, list) else []
            places = [join(pointer, "prefixItems", index) for index in range(len(first)) if index < fewest]
            places += [join(pointer, "items")] if "items" in node and fewest > len(first) else []
            for inner in places:
                if proof := self._inner(inner, place, f"it has to have {fewest} items, and none fits {inner}"):
                    return proof
        return None

    def _of_members(self, parts: Parts, place: str) -> Proof | None:
        required = self._required(parts)
        most = min(self._limits(parts, "maxProperties"), default=None)
        if most is not None and len(required) > most:
            return Proof(place, f"{len(required)} members are required, and maxProperties is {most}")
        for name in required:
            schemas = frozenset(
                inner for pointer, node in self._nodes(parts) for inner in _of_name(pointer, node, name)
            )
            if not schemas:
                continue
            text = f"member {name!r} is required, and nothing may stand there"
            if len(schemas) == 1:
                proof = self._inner(next(iter(schemas)), place, text)
            else:
                joint = self._prove(schemas, place)
                proof = Proof(place, f"{text}: {joint.text}") if joint else None
            if proof:
                return proof
        return None

    def _required(self, parts: Parts) -> list[str]:
        found = [node.get("required") for _, node in self._nodes(parts)]
        return sorted({name for names in found if isinstance(names, list) for name in names if isinstance(name, str)})

    def _inner(self, pointer: str, place: str, text: str) -> Proof | None:
        proof = self._prove(frozenset({pointer}), pointer)
        if proof is None:
            return None
        # What is plainly forbidden is no contradiction by itself: demanding it is.
        return Proof(place, text) if any(map(forbids, map(self._contract.at, self._together({pointer})))) else proof


def _of_name(pointer: str, node: dict[str, Any], name: str) -> Iterator[str]:
    """Give the schemas that a schema has for the value of a member."""
    named = node.get("properties")
    if isinstance(named, dict) and name in named:
        yield join(pointer, "properties", name)
    # Whether a pattern fits a name may depend on the dialect: beside patterns nothing is concluded.
    elif "additionalProperties" in node and not node.get("patternProperties"):
        yield join(pointer, "additionalProperties")
