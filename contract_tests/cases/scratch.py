"""The folder for what a run needs on disk for a while: gone when this process has ended, however it ended."""

import atexit
import contextlib
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Final

# Waits for the end of whoever holds the other end of its standard input. A killed process can't clean up by itself.
REMOVER: Final = "import shutil, sys; sys.stdin.read(); shutil.rmtree(sys.argv[1], ignore_errors=True)"


@cache
def scratch_folder() -> Path:
    """Return the folder, which is made when it is first asked for."""
    folder = tempfile.mkdtemp(prefix="contract-tests-")
    remover = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", REMOVER, folder], stdin=subprocess.PIPE, start_new_session=True
    )
    atexit.register(_end, remover)
    return Path(folder)


def _end(remover: "subprocess.Popen[bytes]") -> None:
    assert remover.stdin is not None
    with contextlib.suppress(OSError):
        remover.stdin.close()
    with contextlib.suppress(subprocess.TimeoutExpired):
        remover.wait(5)
