"""What the keyword arguments of `run_workflow` say.

Read by `[...]`, where a type checker knows the contract's names; `get` would take any name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workflow_runs_api.api.promptlayer.run_workflow import Keywords

__all__ = ["metadata_of", "wants_all_outputs"]


def wants_all_outputs(arguments: Keywords) -> bool:
    """Return whether every node's entry is asked for."""
    return "return_all_outputs" in arguments and bool(arguments["return_all_outputs"])


def metadata_of(arguments: Keywords) -> dict[str, str]:
    """Return the metadata, empty if there is none."""
    if "metadata" in arguments and isinstance(arguments["metadata"], Mapping):
        return dict(arguments["metadata"])
    return {}
