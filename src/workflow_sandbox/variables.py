"""Which input variables a version makes use of, and what a run is warned of."""

from collections.abc import Mapping
from typing import Any

from workflow_sandbox.conditions import sources
from workflow_sandbox.node_types import names_read
from workflow_sandbox.workflows import Node, WorkflowVersion

_NAMES_IN_WARNING = 5
_NAME_LENGTH_IN_WARNING = 80


def warning(version: WorkflowVersion, given: Mapping[str, Any]) -> str | None:
    """Return in words which variables are missing, and which are used for nothing; None if all is well."""
    missing = [name for name in sorted(version.input_variables) if name not in given]
    further = [name for name in given if name not in version.input_variables]
    used = set[str]().union(*map(_used_by, version.nodes)) if further else set()
    unused = [name for name in further if name not in used]
    parts = []
    if missing:
        parts.append(f"Missing input variables: {_listed(missing)}")
    if unused:
        parts.append(f"Unused input variables: {_listed(unused)}")
    return ". ".join(parts) or None


def _used_by(node: Node) -> set[str]:
    # What a node says that it needs counts, whatever it makes of it; a node's value hides a variable of its name.
    names = {*node.dependencies, *names_read(node)}.union(*map(sources, node.edges))
    return names - {*node.depends_on}


def _listed(names: list[str]) -> str:
    shown = ", ".join(name[:_NAME_LENGTH_IN_WARNING] for name in names[:_NAMES_IN_WARNING])
    more = len(names) - _NAMES_IN_WARNING
    return f"{shown} and {more} more" if more > 0 else shown
