"""
Takes out of a document the patterns whose search might never end, so that nobody enforces them.

What is left accepts all that it accepted before: where a pattern stands under a word that turns it round (`not`, `if`,
`oneOf`, `contains`), directly or by reference, that word goes as well.
"""

import math
from collections.abc import Iterator
from typing import Any, Final

from workflow_contract.backtracking import longest_text
from workflow_contract.places import Place, join, objects

_TURN_ROUND: Final = {
    "not": ("not",),
    "if": ("if", "then", "else"),
    "contains": ("contains", "minContains", "maxContains"),
    "oneOf": ("oneOf",),
}


def set_aside(document: dict[str, Any]) -> list[str]:
    """Change a document so that no pattern takes long; give a note for each that did, with its JSON pointer."""
    schemas = [place for place in objects(document) if place.is_schema]
    notes = [note for place in schemas for note in _notes(place)]
    unsafe = {place.pointer for place in schemas if _unsafe_names(place.value) or _is_unsafe(place.value)}
    if unsafe:
        tainted = _holders(schemas, unsafe)
        for place in schemas:
            for keyword in _TURN_ROUND:
                if join(place.pointer, keyword) in tainted:
                    _loosen(place.value, keyword)
            _remove(place.value)
    return notes


def _notes(place: Place) -> Iterator[str]:
    pattern = place.value.get("pattern")
    if isinstance(pattern, str) and (longest := longest_text(pattern)) < math.inf:
        where = join(place.pointer, "pattern")
        if longest:
            yield f"{where}: a search takes a power of the text's length; it is enforced up to {longest:,} characters"
        else:
            yield f"{where}: a search might never end (catastrophic backtracking), so it is not enforced"
    for name in _unsafe_names(place.value):
        where = join(join(place.pointer, "patternProperties"), name)
        yield f"{where}: a search might take very long, so neither it nor additionalProperties is enforced"


def _is_unsafe(schema: dict[str, Any]) -> bool:
    pattern = schema.get("pattern")
    return isinstance(pattern, str) and longest_text(pattern) == 0


def _unsafe_names(schema: dict[str, Any]) -> list[str]:
    named = schema.get("patternProperties")
    return [name for name in named if longest_text(name) < math.inf] if isinstance(named, dict) else []


def _holders(schemas: list[Place], unsafe: set[str]) -> set[str]:
    """Return the pointers of everything that holds one of these schemas, inside of it or by reference."""
    referring: dict[str, list[str]] = {}
    for place in schemas:
        if isinstance(reference := place.value.get("$ref"), str):
            referring.setdefault(reference, []).append(place.pointer)
    found: set[str] = set()
    waiting = list(unsafe)
    while waiting:
        pointer = waiting.pop()
        while pointer and pointer not in found:
            found.add(pointer)
            waiting += referring.get(pointer, [])
            pointer = pointer.rpartition("/")[0]
    return found


def _loosen(schema: dict[str, Any], keyword: str) -> None:
    removed = {key: schema.pop(key) for key in _TURN_ROUND[keyword] if key in schema}
    if "oneOf" in removed:
        schema["allOf"] = [*schema.get("allOf", ()), {"anyOf": removed["oneOf"]}]


def _remove(schema: dict[str, Any]) -> None:
    if _is_unsafe(schema):
        del schema["pattern"]
    for name in _unsafe_names(schema):
        del schema["patternProperties"][name]
        for others in ("additionalProperties", "unevaluatedProperties"):
            schema.pop(others, None)
