"""A contract for libraries that would fetch what it names: everything that leads out of the document is left out."""

import copy
from collections.abc import Mapping
from typing import Any, Final

from workflow_contract.places import objects

_NAMES_OF_SCHEMAS: Final = ("$id", "$schema")


def offline(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of a document in which no example, no identifier and no data names another one."""
    made: dict[str, Any] = copy.deepcopy(dict(document))
    for place in objects(made):
        if place.is_schema:
            for key in _NAMES_OF_SCHEMAS:
                # References of a schema with an identifier are read as if they began there.
                place.value.pop(key, None)
    waiting: list[Any] = [made]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            _cut(value)
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
    return made


def _cut(value: dict[str, Any]) -> None:
    if isinstance(value.get("externalValue"), str):
        del value["externalValue"]
    if isinstance(reference := value.get("$ref"), str) and not reference.startswith("#"):
        del value["$ref"]
