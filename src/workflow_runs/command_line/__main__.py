"""The entry of `workflow-runs`."""

from __future__ import annotations

import os
import signal
import sys
import threading
from typing import TYPE_CHECKING

from workflow_runs_api.errors import WorkflowRunsError

from .arguments import parser
from .endings import Exit, Interrupted, Stopped, Unwritable, UsageError
from .output import Output

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Carry out a command; return its exit status, see `endings`."""
    arguments = sys.argv[1:] if argv is None else list(argv)
    _end_in_order()
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
        status = _command(options.command)(options, output)
    except (UsageError, Interrupted, Stopped, Unwritable, WorkflowRunsError) as error:
        return output.error(error)
    except KeyboardInterrupt:
        return output.error(Interrupted("interrupted"))
    return status


def _end_in_order() -> None:
    """Have the signals that end a process do what Ctrl-C does: what is on its way is noted."""
    if threading.current_thread() is not threading.main_thread():
        return
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) == signal.SIG_DFL:  # nohup ignores SIGHUP
            signal.signal(number, signal.default_int_handler)


def _command(name: str) -> Callable[[argparse.Namespace, Output], int]:
    # Each is loaded when it is asked for: help and refusals need none of them.
    if name == "batch":
        from . import batching

        return batching.batch
    if name == "listen":
        from . import listen

        return listen.listen
    from . import one_run

    return one_run.run if name == "run" else one_run.results


if __name__ == "__main__":
    sys.exit(main())
