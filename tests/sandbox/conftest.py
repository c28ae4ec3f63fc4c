"""Fixtures: a running sandbox and clients of its two sides."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sandbox_calls import interactly_client, promptlayer_client

from workflow_sandbox import Sandbox


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out what needs PostgreSQL where there is none."""
    return True if collection_path.stem.endswith("_shared") and not config.getoption("--postgres") else None


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """A sandbox that all tests share that leave it running."""
    with Sandbox(options=["--callback-backoff=0.02"]) as running:
        yield running


@pytest.fixture(scope="session")
def promptlayer(sandbox: Sandbox) -> Iterator[httpx.Client]:
    """A client of the shared sandbox's PromptLayer side."""
    with promptlayer_client(sandbox) as client:
        yield client


@pytest.fixture(scope="session")
def interactly(sandbox: Sandbox) -> Iterator[httpx.Client]:
    """A client of the shared sandbox's Interactly side."""
    with interactly_client(sandbox) as client:
        yield client
