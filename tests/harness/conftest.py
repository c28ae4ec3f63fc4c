"""What the tests of the harness share: one sandbox, and a key in the environment."""

from collections.abc import Iterator

import pytest
from judging import KEY, KEY_ENV

from workflow_sandbox.server import Sandbox


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """A conforming server, the same for all tests."""
    with Sandbox(api_key=KEY) as running:
        yield running


@pytest.fixture(scope="session")
def slow_sandbox() -> Iterator[Sandbox]:
    """The same with runs so long that a busy machine sees them running."""
    with Sandbox(api_key=KEY, run_seconds=0.5) as running:
        yield running


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY_ENV, KEY)
