"""What ends a run from outside: SIGTERM and SIGHUP do what Ctrl-C does, so that a report is left and nothing else."""

import gc
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

ENDING: Final = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
SOON: Final = 0.01  # seconds


@contextmanager
def ended_like_ctrl_c() -> Iterator[None]:
    """Have these signals raise KeyboardInterrupt within the block; one that is ignored, as under nohup, stays so."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {one: signal.getsignal(one) for one in ENDING if signal.getsignal(one) is not signal.SIG_IGN}
    for one in before:
        signal.signal(one, _interrupt)
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def _interrupt(number: int, frame: FrameType | None) -> None:
    if _is_in_vain(frame):
        threading.Timer(SOON, os.kill, [os.getpid(), number]).start()
        return
    raise KeyboardInterrupt


def _is_in_vain(frame: FrameType | None) -> bool:
    """Whether Python drops what is raised: while memory is freed, which hypothesis takes the time of."""
    callbacks = {getattr(callback, "__code__", None) for callback in gc.callbacks}
    while frame is not None:
        if frame.f_code in callbacks or frame.f_code.co_name == "__del__":
            return True
        frame = frame.f_back
    return False
