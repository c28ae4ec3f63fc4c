"""Services, each of which becomes a class: the first tag of an operation names its own.

A contract that says by `x-class-name` what its classes are is meant to be right in all: there a slip is refused which a
stranger's contract is helped over.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import document as doc
import naming
import structure

if TYPE_CHECKING:
    from collections.abc import Iterator


_ORIGINAL = "x-original-name"
# Methods of these names would take the place of the generated client's own, or hide behind what `workflow_runs` adds by
# hand. Written down here, since that package imports what is generated and can't be asked while it is; a test compares.
TAKEN = frozenset(
    {
        "aclose",
        "base_url",
        "close",
        "find_run_in_doubt",
        "iter_workflow_runs",
        "iter_workflows",
        "run_and_wait",
        "wait",
        "with_options",
        "with_raw_response",
        "with_run_tags",
    }
)


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
    return [*_with_names_of_their_own(document), *_without_discriminators(document)]


def original_name(operation: dict[str, Any]) -> str | None:
    """What a stranger's contract calls an operation."""
    name: str | None = operation.get(_ORIGINAL, operation.get("operationId"))
    return name


def _with_names_of_their_own(document: dict[str, Any]) -> Iterator[str]:
    """Of operations whose methods would be called the same, or like one of the client's, all but one get a number."""
    taken = set(TAKEN)
    for found in sorted(doc.operations(document), key=_by_name):
        name = found.operation["operationId"]
        plain = naming.identifier(name)
        method = naming.free(plain, taken)
        taken.add(method)
        if method != plain:
            is_unnamed = name == unnamed(found.method, found.path)
            told = f"{found.method.upper()} {found.path}" if is_unnamed else name
            found.operation.update({_ORIGINAL: told, "operationId": method})
            yield f"{found.pointer}: its method is called {method}, since {plain} is taken"


def _by_name(found: doc.Found) -> tuple[bool, str]:
    # Names that stay as they are first, then all others by the alphabet.
    name = found.operation["operationId"]
    return naming.identifier(name) != name, name


def _without_discriminators(document: dict[str, Any]) -> Iterator[str]:
    """Of forms that aren't all components none can be named; they are told apart by what they hold instead."""
    for where, holder in doc.objects(document):
        if isinstance(holder.get("discriminator"), dict) and not structure.names_forms(holder):
            del holder["discriminator"]
            yield f"{where}/discriminator: its forms are not all components, so it is passed over"
