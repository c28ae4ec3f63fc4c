"""What ends a run from outside ends it wherever it comes."""

import gc
import os
import signal
import time
from collections.abc import Iterator

import pytest

from contract_tests.runner.signals import ended_like_ctrl_c


@pytest.fixture
def while_memory_is_freed() -> Iterator[None]:
    """Send SIGTERM once, in the middle of a collection, from a callback as hypothesis has one."""
    left = [signal.SIGTERM]

    def callback(phase: str, _: object) -> None:
        if phase == "start" and left:
            os.kill(os.getpid(), left.pop())
            time.sleep(0)  # here it arrives

    gc.callbacks.append(callback)
    yield
    gc.callbacks.remove(callback)


@pytest.mark.usefixtures("while_memory_is_freed")
def test_signal_that_comes_while_memory_is_freed_is_not_lost() -> None:
    """Python drops what is raised there, so it is raised behind it."""

    def run() -> None:
        with ended_like_ctrl_c():
            gc.collect()
            time.sleep(5)

    with pytest.raises(KeyboardInterrupt):
        run()
