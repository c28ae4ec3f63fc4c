"""Schemas that the client can't check what is sent against, or can't read what comes back by."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import document as doc
import structure
from checkable import TooLargeError, checkable

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "templates"))
from runtime.schema import KEYWORDS, ecma_pattern

if TYPE_CHECKING:
    from collections.abc import Iterator

Problem = tuple[str, str]

_COMPONENTS = "#/components/schemas/"
_KNOWN = (
    KEYWORDS
    | {"$ref", "title", "description", "example", "examples", "default", "deprecated", "externalDocs", "xml"}
    | {"$comment", "readOnly", "writeOnly", "discriminator", "nullable"}
    | {"contentEncoding", "contentMediaType", "contentSchema"}
)
_NAMED = frozenset({"properties", "patternProperties", "$defs"})
_LISTED = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
_SINGLE = frozenset({"items", "additionalProperties", "propertyNames", "not"})


def problems(document: dict[str, Any]) -> Iterator[Problem]:
    """Places and reasons."""
    unions: dict[str, Any] = {}
    for top, schema in _tops(document):
        for where, inner in _within(top, schema):
            yield from _anywhere(where, inner)
            yield from _discriminator(where, inner, unions)
    seen: set[str] = set()
    for where, schema in _sent(document):
        for place, inner in _reached(document, where, schema, seen):
            yield from _uncheckable(place, inner)
        try:
            checkable(document, schema)
        except TooLargeError as error:
            yield where, f"{error}; have fewer references lead to references"


def _anywhere(where: str, schema: dict[str, Any]) -> Iterator[Problem]:
    reference = schema.get("$ref")
    if reference is not None and not _is_component(reference):
        yield where, f"$ref {reference}: a schema can only be a component; make one of what stands there"


def _is_component(reference: str) -> bool:
    return reference.startswith(_COMPONENTS) and "/" not in reference.removeprefix(_COMPONENTS)


def _discriminator(where: str, schema: dict[str, Any], unions: dict[str, Any]) -> Iterator[Problem]:
    if "discriminator" not in schema:
        return
    if not structure.names_forms(schema):
        yield where, "a discriminator whose forms are not all components can't be told apart; make components of them"
        return
    names = structure.forms_of(schema)
    for word, name in structure.mapped(schema).items():
        if name not in names:
            yield where, f"the discriminator's {word!r} stands for {name!r}, which is none of the forms; correct it"
    told = schema["discriminator"]["propertyName"], structure.mapped(schema)
    if unions.setdefault(" ".join(sorted(names)), told) != told:
        yield where, "the same forms are told apart in another way elsewhere; give both the same discriminator"


def _uncheckable(where: str, schema: dict[str, Any]) -> Iterator[Problem]:
    """Schemas of what is sent: the client checks arguments, so it must know every keyword."""
    for keyword in sorted(schema.keys() - _KNOWN):
        if not keyword.startswith("x-"):
            yield where, f"the client can't check the keyword {keyword} of what it sends; leave it out"
    for pattern in [*schema.get("patternProperties", ()), *([schema["pattern"]] if "pattern" in schema else [])]:
        try:
            ecma_pattern(pattern)
        except (re.error, OverflowError, RecursionError) as error:
            yield where, f"the pattern {pattern} can't be used in Python: {error}; write it another way"


def _tops(document: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Every schema that is no part of another."""
    for name, schema in document.get("components", {}).get("schemas", {}).items():
        yield doc.pointer("components", "schemas", name), schema
    seen: set[str] = set()
    for found in doc.operations(document):
        for where, schema in (*_sent_by(document, found), *_received_by(document, found)):
            if where not in seen:
                seen.add(where)
                yield where, schema


def _sent(document: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for found in doc.operations(document):
        yield from _sent_by(document, found)


def _sent_by(document: dict[str, Any], found: doc.Found) -> Iterator[tuple[str, Any]]:
    for where, parameter in doc.located_parameters(document, found):
        if "schema" in parameter:
            yield f"{where}/schema", parameter["schema"]
    yield from _contents(*doc.located(document, found.operation.get("requestBody"), f"{found.pointer}/requestBody"))


def _received_by(document: dict[str, Any], found: doc.Found) -> Iterator[tuple[str, Any]]:
    for status, reply in found.operation["responses"].items():
        yield from _contents(*doc.located(document, reply, found.pointer + _steps("responses", status)))


def _contents(where: str, holder: Any) -> Iterator[tuple[str, Any]]:
    for media_type, content in (holder or {}).get("content", {}).items():
        if "schema" in content:
            yield where + _steps("content", media_type, "schema"), content["schema"]


def _within(where: str, schema: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """A schema and all that are parts of it, up to where a reference begins another."""
    if isinstance(schema, dict):
        yield where, schema
        for place, inner in _inner(where, schema):
            yield from _within(place, inner)


def _inner(where: str, schema: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in schema.items():
        if key in _NAMED and isinstance(value, dict):
            yield from ((where + _steps(key, name), inner) for name, inner in value.items())
        elif key in _LISTED and isinstance(value, list):
            yield from ((f"{where}/{key}/{index}", inner) for index, inner in enumerate(value))
        elif key in _SINGLE:
            yield f"{where}/{key}", value


def _reached(document: dict[str, Any], where: str, schema: Any, seen: set[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The same, through references, each schema once; what only the service sends is left out."""
    ahead = [(where, schema)]
    while ahead:
        place, each = ahead.pop()
        if place in seen or not isinstance(each, dict) or structure.one_side(document, each) == "readOnly":
            continue
        seen.add(place)
        yield place, each
        ahead += _inner(place, each)
        if "$ref" in each:
            ahead.append((each["$ref"], doc.target(document, each["$ref"])))


def _steps(*keys: str) -> str:
    return doc.pointer(*keys).removeprefix("#")
