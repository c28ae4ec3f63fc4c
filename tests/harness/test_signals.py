"""What ends a run from outside ends it wherever it comes."""

import gc
import os
import signal
import time
import weakref
from collections.abc import Callable

import pytest

from contract_tests.runner.signals import ended_like_ctrl_c


class Freed:
    """Something whose end runs Python code."""

    def __init__(self, at_its_end: Callable[[], None] = lambda: None) -> None:
        self.at_its_end = at_its_end

    def __del__(self) -> None:
        self.at_its_end()


def _arrive() -> None:
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(0)  # here it does


def _in_a_collection() -> None:
    def callback(_: str, __: object) -> None:
        gc.callbacks.remove(callback)
        _arrive()

    gc.callbacks.append(callback)
    gc.collect()


def _in_a_finalizer() -> None:
    Freed(_arrive)


def _in_a_weak_reference() -> None:
    freed = Freed()
    reference = weakref.ref(freed, lambda _: _arrive())
    del freed
    assert reference() is None


@pytest.mark.parametrize("free", [_in_a_collection, _in_a_finalizer, _in_a_weak_reference])
def test_signal_that_comes_while_memory_is_freed_is_not_lost(free: Callable[[], None]) -> None:
    """Python drops what is raised there, so it is raised once more behind it."""

    def run() -> None:
        with ended_like_ctrl_c():
            free()
            time.sleep(10)

    with pytest.raises(KeyboardInterrupt):
        run()
