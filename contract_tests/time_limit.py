"""Ends what takes too long in the midst of it: a library that draws or searches without end asks no clock."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final, NoReturn

# Where it is caught and dropped, as while an object is being deleted, it comes again after so many seconds.
AGAIN: Final = 0.5


class OutOfTime(BaseException):
    """The time is spent; no `except Exception` on the way keeps it."""


@contextmanager
def time_limit(seconds: float | None, reason: str) -> Iterator[None]:
    """
    End the block after so many seconds; without limit where signals can't be used (Windows, other threads).

    Raises:
        OutOfTime: It took longer; the reason is its text.
    """
    if seconds is None or not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(_: int, __: FrameType | None) -> NoReturn:
        raise OutOfTime(reason)

    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, max(seconds, 0.001), AGAIN)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
