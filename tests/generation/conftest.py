"""Fixtures: what has to be generated is when a test first asks for it, and once."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import pytest
from growing import Generated, Tried, Try, generate, try_out
from growths import GROWTHS
from runs import RUNS

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture(scope="session")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Generated]:
    """What came of a run of the generator, by its name."""
    folder = tmp_path_factory.mktemp("runs")

    @functools.cache
    def of(name: str) -> Generated:
        return generate(GROWTHS[name](), folder / name) if name in GROWTHS else RUNS[name](folder / name)

    return of


@pytest.fixture(scope="session")
def tried_all(grown: Callable[[str], Generated]) -> Callable[[str, dict[str, Try]], dict[str, Tried]]:
    """Makes all calls that tests want of a grown contract in one fresh process, once."""
    done: dict[str, dict[str, Tried] | AssertionError] = {}

    def of(growth: str, tries: dict[str, Try]) -> dict[str, Tried]:
        if growth not in done:
            try:
                results = try_out(grown(growth), *tries.values(), whole=growth == "wide")
                done[growth] = dict(zip(tries, results, strict=True))
            except AssertionError as error:
                # A package that can't be used fails every test of it, but has to be tried only once.
                done[growth] = error
        result = done[growth]
        if isinstance(result, AssertionError):
            raise AssertionError(str(result))  # noqa: TRY004 - it is one
        return result

    return of


@pytest.fixture
def wide(grown: Callable[[str], Generated]) -> Generated:
    """Our own contract, grown in every way that works."""
    return grown("wide")
