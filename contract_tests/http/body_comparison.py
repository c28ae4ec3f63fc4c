"""Compares a body on the wire, or in the caller's hand, with the value that it should be."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from contract_tests.openapi.document import Contract, join
from contract_tests.openapi.json_equality import Difference, Kind, differences
from contract_tests.openapi.schema import defaults_at, schemas_at
from contract_tests.openapi.text_equality import equal_by_format

SPELLED_FREELY: Final = frozenset({"date-time", "uuid"})


@dataclass(frozen=True)
class BodyDifference:
    """A difference in words; ``is_default`` if it is nothing but an added default of the contract."""

    place: tuple[str | int, ...]
    kind: Kind
    is_default: bool
    documented: str
    received: str


def body_differences(contract: Contract, schema: str | None, before: Any, after: Any) -> Iterator[BodyDifference]:
    """
    Say where a value is not what it was.

    An integer that was written as 1.0 may come back as 1, a time as another spelling of the same instant.
    """
    for found in differences(before, after):
        if schema and _is_same(contract, schema, found):
            continue
        is_added = found.kind is Kind.ADDED
        defaults = defaults_at(contract, schema, found.place) if schema and is_added else []
        is_default = any(not list(differences(default, found.after)) for default in defaults)
        yield BodyDifference(found.place, found.kind, is_default, *_words(found))


def _is_same(contract: Contract, schema: str, found: Difference) -> bool:
    before, after = found.before, found.after
    is_number = {type(before), type(after)} == {int, float} and before == after
    if not is_number and not (isinstance(before, str) and isinstance(after, str) and equal_by_format(before, after)):
        return False
    described = [contract.at(pointer) for pointer in schemas_at(contract, schema, found.place)]
    nodes = [node for node in described if isinstance(node, dict)]
    if is_number:
        return any("integer" in node.get("type", ()) for node in nodes)
    return any(node.get("format") in SPELLED_FREELY for node in nodes)


def _words(found: Difference) -> tuple[str, str]:
    place = join("", *found.place) or "the whole body"
    before = f"nothing at {place}" if found.kind is Kind.ADDED else f"{_typed(found.before)} at {place}"
    after = f"nothing at {place}" if found.kind is Kind.MISSING else f"{_typed(found.after)} at {place}"
    return before, after


def _typed(value: Any) -> str:
    return f"{type(value).__name__} {value!r}"
