"""Has pytest judge the rows of a run."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from contract_tests.runner.collector import Collector
from contract_tests.runner.context import Run

PACKAGE: Final = Path(__file__).parents[1]
# Variables by which a user's own pytest could change what is judged here.
FOREIGN: Final = ("PYTEST_ADDOPTS", "PYTEST_PLUGINS")


def judge(run: Run, collector: Collector, *, collect_only: bool = False) -> None:
    """Judge each row that the collector takes, or only collect them; a problem is left with the collector."""
    arguments = [
        *("-c", str(PACKAGE / "pytest.ini"), "--rootdir", str(PACKAGE)),
        *("-p", "no:cacheprovider", "-p", "no:terminal", "-p", "no:logging", "-p", "no:unraisableexception"),
        *("--import-mode=importlib", "--capture=sys", "--assert=plain"),
        *(["--collect-only"] if collect_only else []),
        *(str(PACKAGE / side / "rules") for side in run.options.sides),
    ]
    with _own_environment():
        status = pytest.main(arguments, plugins=[collector])
    if status == pytest.ExitCode.INTERRUPTED and not collector.problem:
        collector.problem = "interrupted"
    if status in (pytest.ExitCode.USAGE_ERROR, pytest.ExitCode.INTERNAL_ERROR) and not collector.problem:
        collector.problem = "pytest could not run the rules"


@contextmanager
def _own_environment() -> Iterator[None]:
    before = dict(os.environ)
    for name in FOREIGN:
        os.environ.pop(name, None)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
