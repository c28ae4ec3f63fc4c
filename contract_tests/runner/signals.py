"""What ends a run from outside: SIGTERM and SIGHUP do what Ctrl-C does, so that a report is left and nothing else."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final, NoReturn

ENDING: Final = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
SOON: Final = 0.01  # seconds


@contextmanager
def ended_like_ctrl_c() -> Iterator[None]:
    """Have these signals raise KeyboardInterrupt within the block; one that is ignored, as under nohup, stays so."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {one: signal.getsignal(one) for one in ENDING if signal.getsignal(one) is not signal.SIG_IGN}
    hook = sys.unraisablehook
    for one in before:
        signal.signal(one, _interrupt)
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
        sys.unraisablehook = hook


def _interrupt(number: int, _: FrameType | None) -> NoReturn:
    """Raise it; if Python drops it, as all that is raised while memory is freed, send the signal again."""
    interrupt, before = KeyboardInterrupt(), sys.unraisablehook

    def take_up(dropped: "sys.UnraisableHookArgs") -> None:
        if dropped.exc_value is not interrupt:
            before(dropped)
            return
        sys.unraisablehook = before
        threading.Timer(SOON, os.kill, [os.getpid(), number]).start()

    # Only now: pytest has put a hook of its own there meanwhile.
    sys.unraisablehook = take_up
    raise interrupt
