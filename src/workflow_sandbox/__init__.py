"""A stateful server that keeps the contract: it really executes runs, on disk, with no set-up.

`Sandbox` runs it as a child process for the length of a `with` block; `workflow-sandbox` runs it from a shell.
Importing this package alone loads neither.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workflow_sandbox.server import Sandbox

__all__ = ["Sandbox"]


def __getattr__(name: str) -> Any:
    if name == "Sandbox":
        from workflow_sandbox.server import Sandbox  # noqa: PLC0415  # keeps `import workflow_sandbox` light

        return Sandbox
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
