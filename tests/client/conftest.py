"""Fixtures: both flavours of the clients, the contract, a running sandbox, and a clean environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from client_calls import ASYNC, CALLS, SYNC, Call, Flavour

from workflow_sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

_VARIABLES = ("PROMPTLAYER_API_KEY", "PROMPTLAYER_BASE_URL", "INTERACTLY_API_KEY", "INTERACTLY_BASE_URL")


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in _VARIABLES:
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture(params=[SYNC, ASYNC], ids=str)
def flavour(request: pytest.FixtureRequest) -> Flavour:
    """Calls that wait, and calls that are awaited."""
    chosen: Flavour = request.param
    return chosen


@pytest.fixture(params=CALLS, ids=str)
def call(request: pytest.FixtureRequest) -> Call:
    """One legal call of each operation."""
    chosen: Call = request.param
    return chosen


@pytest.fixture(params=[each for each in CALLS if each.starts_something], ids=str)
def starting_call(request: pytest.FixtureRequest) -> Call:
    """One legal call of each operation that starts something."""
    chosen: Call = request.param
    return chosen


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """A sandbox that all tests share; its runs end quickly."""
    with Sandbox(run_seconds=0.05) as running:
        yield running
