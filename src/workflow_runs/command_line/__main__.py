"""The entry of `workflow-runs`."""

from __future__ import annotations

import importlib
import os
import sys
from typing import TYPE_CHECKING

from workflow_runs_api.errors import WorkflowRunsError

from .arguments import parser
from .endings import Exit, Interrupted, Unwritable, UsageError
from .output import Output, tell

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]

# Each command is loaded by name when it is asked for: help and refusals need none of them.
_COMMANDS = {"run": "one_run", "results": "one_run", "batch": "batching", "listen": "listen"}


def main(argv: Sequence[str] | None = None) -> int:
    """Carry out a command; return its exit status, see `endings`."""
    arguments = sys.argv[1:] if argv is None else list(argv)
    try:
        return _ended(arguments)
    except BrokenPipeError:
        # Whoever read the output has gone. What is left in the buffer must not make the interpreter's exit complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.FAILED


def _ended(arguments: Sequence[str]) -> int:
    # Asked for by hand: a refusal of the other arguments is to be a document, too.
    output = Output(as_json="--json" in arguments)
    try:
        options = parser().parse_args(arguments)
        module = importlib.import_module(f"workflow_runs.command_line.{_COMMANDS[options.command]}")
        status: int = getattr(module, options.command)(options, output)
    except (UsageError, Interrupted, Unwritable, WorkflowRunsError) as error:
        return output.error(error)
    except KeyboardInterrupt:
        return output.error(Interrupted("interrupted"))
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] != "rich":
            raise
        tell('the progress bar needs rich: pip install "workflow-runs[cli]", or do without: --plain')
        return Exit.MISUSED
    return status


if __name__ == "__main__":
    sys.exit(main())
