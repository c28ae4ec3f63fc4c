"""Processes of `workflow-runs` at a tenth of their cost: forked from one that has loaded everything.

A program of its own, started by `commands`: it reads one JSON line for each command and answers with the exit status.
What a forked process does is what a fresh one does, `main()` on standard streams of its own, but for loading modules.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
import warnings

import workflow_runs_api.models
import workflow_runs_api.transport  # noqa: F401 - loaded for those who are forked
from workflow_runs.command_line.__main__ import main

warnings.simplefilter("error")


def _become(command: dict[str, str]) -> int:
    """Be the process of a command."""
    os.chdir(command["directory"])
    os.environ.clear()
    os.environ.update(command["environment"])
    for number, (name, flags) in enumerate((("in", os.O_RDONLY), ("out", os.O_WRONLY), ("err", os.O_WRONLY))):
        os.dup2(os.open(command[name], flags), number)
    sys.stdin = open(0, encoding="utf-8", errors="surrogateescape", closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115
    sys.argv = ["workflow-runs", *command["arguments"]]
    try:
        status = main()
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    except BaseException:  # noqa: BLE001 - what the interpreter does at its end
        traceback.print_exc()
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    return status


for line in sys.stdin:
    child = os.fork()
    if child == 0:
        os._exit(_become(json.loads(line)))
    _, ended = os.waitpid(child, 0)
    sys.stdout.write(f"{os.waitstatus_to_exitcode(ended)}\n")
    sys.stdout.flush()
