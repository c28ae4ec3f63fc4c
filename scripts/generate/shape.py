"""Whether a document is an OpenAPI document at all, and whether its references lead anywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import document as doc
from openapi_python_client.schema import OpenAPI
from pydantic import ValidationError

if TYPE_CHECKING:
    from collections.abc import Iterator

_SHOWN = 5


def problems(document: dict[str, Any]) -> list[tuple[str, str]]:
    """What stands in the way of looking at anything else: places and reasons."""
    return [*_falsehoods(document)] or [*_misfits(document)] or [*_references(document)]


def _falsehoods(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for where in doc.falsehoods(document):
        yield where, "the schema `false` allows no value at all; leave it out, or use additionalProperties: false"


def _misfits(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    try:
        OpenAPI.model_validate(document)
    except ValidationError as error:
        for problem in error.errors()[:_SHOWN]:
            yield _place(document, problem["loc"], is_missing=problem["type"] == "missing"), problem["msg"]


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
