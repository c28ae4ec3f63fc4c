"""Starts the stub of the service, which answers both our client and the official one."""

from __future__ import annotations

import contextlib
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from environments import Failed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from environments import Side

__all__ = ["running_stub"]


@contextlib.contextmanager
def running_stub(places: Side) -> Iterator[str]:
    """Run it in a process of its own; gives its address.

    Raises:
        Failed: it does not start.
    """
    command = [str(places.python("service")), str(Path(__file__).parent / "service.py")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            address = process.stdout.readline().strip()
            if not address:
                raise Failed("the stub of the service does not start")
            yield address
        finally:
            process.terminate()
