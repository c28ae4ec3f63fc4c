"""Services, each of which becomes a class: the first tag of an operation names its own."""

from __future__ import annotations

from typing import Any

import document as doc


def complete(document: dict[str, Any]) -> None:
    """Describe the tags that a stranger's contract uses without having described them.

    Operations without one go into a class that is named after the title. A contract that says by `x-class-name` what
    its classes are is meant to know them all, so that there an unknown tag is a mistake.
    """
    tags = document.setdefault("tags", [])
    if any("x-class-name" in tag for tag in tags):
        return
    known = {tag["name"] for tag in tags}
    for found in doc.operations(document):
        found.operation["tags"] = found.operation.get("tags") or [document["info"]["title"]]
        name = found.operation["tags"][0]
        if name not in known:
            known.add(name)
            tags.append({"name": name})
