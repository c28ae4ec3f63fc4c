"""Fixtures of the server side."""

import pytest

from contract_tests.plugin import Run
from contract_tests.rows import Row
from contract_tests.server.live import Server
from contract_tests.server.traffic import Traffic


@pytest.fixture
def server(run: Run, row: Row) -> Server:
    """Give the server that this row is about."""
    return run.live.server(run.target(row))


@pytest.fixture(scope="session")
def all_traffic() -> dict[str, Traffic]:
    """Keep generated traffic, so that every property judges the same requests, sent once."""
    return {}


@pytest.fixture
def traffic(run: Run, row: Row, server: Server, all_traffic: dict[str, Traffic]) -> Traffic:
    """Give the generated traffic of this operation."""
    key = f"{row.target} {row.operation}"
    if key not in all_traffic:
        all_traffic[key] = Traffic(server, run.contract.operation(row.operation), run.generator)
    return all_traffic[key]
