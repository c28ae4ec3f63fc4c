"""References: within the document alone, written as JSON pointers, and not more of them than can be followed."""

from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import unquote

from workflow_contract.places import at, join, objects
from workflow_contract.reading import SHOWN, UnreadableError

# A value is judged by this many schemas at most; contracts that are published stay below a thousand.
MOST_APPLIED: Final = 100_000
_REFERENCES: Final = ("$ref", "$dynamicRef")
_ONE: Final = ("not", "if", "then", "else")
_MANY: Final = ("allOf", "anyOf", "oneOf")


def decode(document: dict[str, Any]) -> None:
    """
    Write all references as plain JSON pointers: as parts of a URI they may be percent-encoded.

    Raises:
        UnreadableError: One leads out of the document. Nothing is ever fetched, and no other file is opened.
    """
    outside = []
    for place in objects(document):
        for key in _REFERENCES:
            reference = place.value.get(key)
            is_inside = key == "$dynamicRef" and str(reference).startswith("#")
            if isinstance(reference, str) and not (is_inside or _is_pointer(reference)):
                why = "is no JSON pointer" if reference.startswith("#") else "leads out of the document"
                outside.append(f"{join(place.pointer, key)}: {reference[:SHOWN]!r} {why}")
        _decode(place.value, "$ref")
        _decode(place.value, "operationRef")
        if isinstance(mapping := place.value.get("mapping"), dict):
            for name in mapping:
                _decode(mapping, name)
    if outside:
        more = f" (and {len(outside) - 1} more)" if len(outside) > 1 else ""
        raise UnreadableError(
            f"{outside[0]}{more}: only JSON pointers within the document are followed, and nothing is fetched; "
            "bundle it into one file of such references"
        )


def check_applied(document: Mapping[str, Any]) -> None:
    """
    Demand that no value is judged by too many schemas at once.

    Raises:
        UnreadableError: References and alternatives multiply beyond the limit.
    """
    weights: dict[str, int] = {}
    for place in objects(document):
        if place.is_schema and _weight(document, place.pointer, weights) > MOST_APPLIED:
            raise UnreadableError(
                f"{place.pointer}: references and alternatives apply more than {MOST_APPLIED:,} schemas to one value"
            )


def _weight(document: Mapping[str, Any], start: str, weights: dict[str, int]) -> int:
    waiting = [start]
    opened: set[str] = set()
    while waiting:
        pointer = waiting[-1]
        inner = list(_at_once(document, pointer))
        missing = [one for one in inner if one not in weights and one not in opened]
        if pointer not in weights and missing and pointer not in opened:
            opened.add(pointer)
            waiting += missing
            continue
        waiting.pop()
        # What leads back to itself has no meaning, and a rule of its own.
        weights.setdefault(pointer, 1 + sum(weights.get(one, 0) for one in inner))
    return weights[start]


def _at_once(document: Mapping[str, Any], pointer: str) -> Iterator[str]:
    """Return the pointers of the schemas that judge the same value as the one at a pointer."""
    try:
        schema = at(document, pointer)
    except KeyError:
        return
    if not isinstance(schema, dict):
        return
    if isinstance(schema.get("$ref"), str):
        yield schema["$ref"]
    for key in _ONE:
        if key in schema:
            yield join(pointer, key)
    for key in _MANY:
        listed = schema.get(key)
        yield from (join(join(pointer, key), index) for index in range(len(listed) if isinstance(listed, list) else 0))
    dependent = schema.get("dependentSchemas")
    yield from (
        join(join(pointer, "dependentSchemas"), name) for name in (dependent if isinstance(dependent, dict) else ())
    )


def _is_pointer(reference: str) -> bool:
    return reference == "#" or reference.startswith("#/")


def _decode(holder: dict[str, Any], key: str) -> None:
    reference = holder.get(key)
    if isinstance(reference, str) and _is_pointer(reference):
        holder[key] = unquote(reference)
