"""Fixtures: a sandbox, and a shell to use it from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from commands import Shell

from workflow_sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """A sandbox that all tests share."""
    with Sandbox(run_seconds=0.05) as running:
        yield running


@pytest.fixture
def shell(sandbox: Sandbox, tmp_path: Path) -> Shell:
    """A shell in an empty directory."""
    return Shell(tmp_path, sandbox.promptlayer_url)
