"""Which classes the objects in a value have, by the places of their JSON."""

from collections.abc import Mapping
from typing import Any

from contract_tests.client.adapters.python_names import python_name


def types_in(value: Any, data: Any, place: str = "") -> dict[str, str]:
    """
    Return the names of classes by JSON pointer, as far as attributes have the names of members.

    Args:
        value: A model, or a container of models.
        data: The same as JSON.
        place: Pointer of both in the whole.
    """
    found = {place: type(value).__name__} if isinstance(data, dict) else {}
    if isinstance(data, dict):
        for name, member in data.items():
            inner = _member(value, name)
            if inner is not None:
                found |= types_in(inner, member, f"{place}/{name.replace('~', '~0').replace('/', '~1')}")
    if isinstance(data, list) and isinstance(value, list | tuple) and len(value) == len(data):
        for index, (item, entry) in enumerate(zip(value, data, strict=True)):
            found |= types_in(item, entry, f"{place}/{index}")
    return found


def _member(value: Any, name: str) -> Any:
    if isinstance(value, Mapping):
        return value.get(name)
    more = getattr(value, "additional_properties", None)
    if isinstance(more, Mapping) and name in more:
        return more[name]
    plain = python_name(name)
    return next(
        (found for spelled in (plain, f"{plain}_") if (found := getattr(value, spelled, None)) is not None), None
    )
