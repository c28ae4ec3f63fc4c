"""Fixtures: both flavours of batches, a ledger's place, and a clean environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from counting_service import ASYNC, SYNC, Flavour, Service

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(params=[SYNC, ASYNC], ids=str)
def flavour(request: pytest.FixtureRequest) -> Flavour:
    """Threads, and tasks."""
    chosen: Flavour = request.param
    return chosen


@pytest.fixture
def service() -> Service:
    """A service that has executed nothing."""
    return Service()


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """Where a ledger may be."""
    return tmp_path / "batch.ledger"


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("PROMPTLAYER_API_KEY", "PROMPTLAYER_BASE_URL"):
        monkeypatch.delenv(variable, raising=False)
