"""Fixtures: both flavours of waiting, and a clean environment."""

from __future__ import annotations

import pytest
from virtual_time import ASYNC, SYNC, Flavour


@pytest.fixture(params=[SYNC, ASYNC], ids=str)
def flavour(request: pytest.FixtureRequest) -> Flavour:
    """Waiting, and awaiting."""
    chosen: Flavour = request.param
    return chosen


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("PROMPTLAYER_API_KEY", "PROMPTLAYER_BASE_URL"):
        monkeypatch.delenv(variable, raising=False)
