"""Starts the correct servers for the length of a `with` block."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from workflow_sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

SANDBOX = "sandbox"
_PROGRAM = Path(__file__).with_name("other_server.py")


@contextmanager
def served(name: str) -> Iterator[str]:
    """Give the base URL of the sandbox, or of the other server with the manners of this name."""
    if name == SANDBOX:
        with Sandbox() as sandbox:
            yield sandbox.promptlayer_url
        return
    process = subprocess.Popen([sys.executable, str(_PROGRAM), name], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        with process.stdout:
            url = process.stdout.readline().strip()
        assert url, f"the server {name} does not start"
        yield url
    finally:
        process.kill()
        process.wait()
