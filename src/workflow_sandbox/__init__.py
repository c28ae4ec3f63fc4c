"""A stateful server that keeps the contract: it really executes runs, on disk, with no set-up.

`Sandbox` runs it as a child process for the length of a `with` block, `InProcessSandbox` on a thread of this process;
`workflow-sandbox` runs it from a shell. Importing this package alone loads none of them.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workflow_sandbox.in_process import InProcessSandbox
    from workflow_sandbox.prompt import Prompt
    from workflow_sandbox.server import Sandbox

__all__ = ["InProcessSandbox", "Prompt", "Sandbox"]


def __getattr__(name: str) -> Any:
    # Imported late to keep `import workflow_sandbox` light.
    if name == "Sandbox":
        from workflow_sandbox.server import Sandbox  # noqa: PLC0415

        return Sandbox
    if name == "InProcessSandbox":
        from workflow_sandbox.in_process import InProcessSandbox  # noqa: PLC0415

        return InProcessSandbox
    if name == "Prompt":
        from workflow_sandbox.prompt import Prompt  # noqa: PLC0415

        return Prompt
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
