"""Whether a document is an OpenAPI document at all, and whether its references lead anywhere."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import document as doc
from openapi_python_client.schema import OpenAPI
from pydantic import ValidationError

if TYPE_CHECKING:
    from collections.abc import Iterator

_PLAIN_CONSTANTS = frozenset(("const", kind) for kind in ("str", "int", "float", "bool"))
_KINDS = {
    "patternProperties": ((dict,), "an object"),
    "$defs": ((dict,), "an object"),
    "propertyNames": ((dict, bool), "a schema"),
    "x-sources": ((list,), "a list"),
    "x-class-name": ((str,), "a text"),
}


def problems(document: dict[str, Any]) -> list[tuple[str, str]]:
    """What stands in the way of looking at anything else: places and reasons."""
    for part in (_half_characters, _falsehoods, _misfits, _wrong_keywords, _references):
        found = [*part(document)]
        if found:
            return found
    return []


def _half_characters(value: Any, where: str = "#") -> Iterator[tuple[str, str]]:
    """Texts that UTF-8, and so a module, can't hold."""
    if isinstance(value, str):
        if value.encode("utf-8", "ignore").decode() != value:
            yield (
                where.encode("utf-8", "backslashreplace").decode(),
                "half a character (a lone surrogate); mend the text",
            )
        return
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in entries:
        place = where + doc.pointer(key).removeprefix("#")
        if isinstance(key, str):
            yield from _half_characters(key, place)
        yield from _half_characters(inner, place)


def _falsehoods(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for where in doc.falsehoods(document):
        yield where, "the schema `false` allows no value at all; leave it out, or use additionalProperties: false"


def _misfits(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    # What stands there has been read as a version that the generator knows.
    told = document | {"openapi": "3.1.0"}
    try:
        # As JSON and strictly: anything else takes the words "on" and "no" for truth values, and texts for numbers.
        OpenAPI.model_validate_json(json.dumps(told), strict=True)
    except ValidationError as error:
        expected: dict[str, list[str]] = {}
        for problem in error.errors():
            # A constant may be any value, though the generator knows those without parts alone.
            if problem["loc"][-2:] not in _PLAIN_CONSTANTS:
                where = _place(document, problem["loc"], is_missing=problem["type"] == "missing")
                expected.setdefault(where, []).append(_words(problem["type"], problem["msg"]))
        for where, words in expected.items():
            yield where, f"{' or '.join(dict.fromkeys(words))} is expected here"


def _words(kind: str, message: str) -> str:
    """What is expected, in the words of a validator if it says it so."""
    if message.startswith("Input should be"):
        return message.removeprefix("Input should be").strip()
    return {"missing": "a value", "too_short": "a list that is not empty"}.get(kind, "another value")


def _wrong_keywords(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Keywords of JSON Schema that the generator doesn't know, and so doesn't look at."""
    for where, holder in doc.objects(document):
        for keyword, (kinds, words) in _KINDS.items():
            if keyword in holder and type(holder[keyword]) not in kinds:
                yield f"{where}/{keyword}", f"{words} is expected here"


def _place(document: dict[str, Any], steps: tuple[int | str, ...], *, is_missing: bool) -> str:
    """A pointer from the steps of a validation, among which are names of what was tried at a place."""
    value: Any = document
    keys: list[int | str] = []
    for step in steps:
        is_key = isinstance(value, dict) and step in value
        if is_key or (isinstance(value, list) and isinstance(step, int)):
            value = value[step]
            keys.append(step)
    return doc.pointer(*keys, *steps[-1:] if is_missing else ())


def _references(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for where, holder in doc.objects(document):
        reference = holder.get("$ref")
        if isinstance(reference, str):
            reason = _why_not(document, reference)
            if reason:
                yield where, f"$ref {reference}: {reason}"


def _why_not(document: dict[str, Any], reference: str) -> str:
    if not reference.startswith("#/"):
        return "only references within the document are followed"
    seen = []
    while reference not in seen:
        seen.append(reference)
        try:
            value = doc.target(document, reference)
        except KeyError:
            return f"nothing stands at {reference}"
        if not isinstance(value, dict) or not isinstance(value.get("$ref"), str):
            return ""
        reference = value["$ref"]
    return "it leads back to itself"
