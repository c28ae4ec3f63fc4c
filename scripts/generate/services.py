"""Services, each of which becomes a class: the first tag of an operation names its own.

A contract that says by `x-class-name` what its classes are is meant to be right in all: there a slip is refused which a
stranger's contract is helped over.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import document as doc
import structure

if TYPE_CHECKING:
    from collections.abc import Iterator


def is_strict(document: dict[str, Any]) -> bool:
    """Whether a contract names its classes itself."""
    return any("x-class-name" in tag for tag in document.get("tags", ()))


def write_out_path_items(document: dict[str, Any]) -> None:
    """Put path items in the place of references to them."""
    for path, item in document["paths"].items():
        if "$ref" in item:
            beside = {key: value for key, value in item.items() if key != "$ref"}
            document["paths"][path] = {**doc.resolve(document, item), **beside}


def unnamed(method: str, path: str) -> str:
    """The name of an operation that has none: by its method and path."""
    return re.sub(r"[^0-9A-Za-z]+", "_", f"{method}_{path}").strip("_")


def complete(document: dict[str, Any]) -> list[str]:
    """Describe what a stranger's contract uses without having described it; give a note for what is passed over.

    Operations without a tag go into a class that is named after the title, and those without a name are called by their
    method and path.
    """
    tags = document.setdefault("tags", [])
    if is_strict(document):
        return []
    known = {tag["name"] for tag in tags}
    for found in doc.operations(document):
        found.operation.setdefault("operationId", unnamed(found.method, found.path))
        found.operation["tags"] = found.operation.get("tags") or [document["info"]["title"]]
        name = found.operation["tags"][0]
        if name not in known:
            known.add(name)
            tags.append({"name": name})
    return [*_without_discriminators(document)]


def _without_discriminators(document: dict[str, Any]) -> Iterator[str]:
    """Of forms that aren't all components none can be named; they are told apart by what they hold instead."""
    for where, holder in doc.objects(document):
        if isinstance(holder.get("discriminator"), dict) and not structure.names_forms(holder):
            del holder["discriminator"]
            yield f"{where}/discriminator: its forms are not all components, so it is passed over"
