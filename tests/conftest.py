"""What holds for every test."""

import gc
import signal
from pathlib import Path

import pytest

from support.contract import option_for

# A process that a shell script started in the background ignores Ctrl-C, and one under nohup a closed terminal. Both
# hand that on to the programs they start: the tests that interrupt one would wait for ever.
for number, handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that `nox -s postgres` uses."""
    words = "have every sandbox keep everything in a schema of its own of this PostgreSQL server"
    parser.addoption("--postgres", metavar="URL", help=words)


def pytest_configure(config: pytest.Config) -> None:
    """Have every sandbox use PostgreSQL, if there is to be one."""
    if url := config.getoption("--postgres"):
        from support.postgres import keep_everything_there  # noqa: PLC0415 - its driver is there for this alone

        keep_everything_there(url)


def pytest_collection_finish() -> None:
    """Leave what was collected out of every later search for garbage, of which each run of the harness makes two."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return where a test's sandboxes, one after the other, have the same database: a file or a PostgreSQL schema."""
    url = request.config.getoption("--postgres")
    if url is None:
        return str(tmp_path / "sandbox.db")
    from support.postgres import fresh_schema  # noqa: PLC0415 - its driver is there for this alone

    return fresh_schema(url)


@pytest.fixture(scope="session")
def few(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Return the option for a part of the contract, in which runs start and results are read: each operation costs."""
    promptlayer = "/workflows/{workflow_name}/run", "/workflow-version-execution-results"
    interactly = "/v1/workflows/{workflow_id}/execute", "/v1/workflow-runs", "/v1/workflow-runs/{workflow_run_id}"
    return option_for(tmp_path_factory.mktemp("few"), *promptlayer, *interactly)
