"""What holds for every test."""

import gc
import signal

import pytest

from support.contract import option_for

# A process that a shell script started in the background ignores Ctrl-C, and one under nohup a closed terminal. Both
# hand that on to the programs they start: the tests that interrupt one would wait for ever.
for number, handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, handler)


def pytest_collection_finish() -> None:
    """Leave what was collected out of every later search for garbage, of which each run of the harness makes two."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def few(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Return the option for a part of the contract, in which runs start and results are read: each operation costs."""
    promptlayer = "/workflows/{workflow_name}/run", "/workflow-version-execution-results"
    interactly = "/v1/workflows/{workflow_id}/execute", "/v1/workflow-runs", "/v1/workflow-runs/{workflow_run_id}"
    return option_for(tmp_path_factory.mktemp("few"), *promptlayer, *interactly)
