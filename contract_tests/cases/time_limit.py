"""Ends what takes too long in the midst of it: a library that draws or searches without end asks no clock."""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final, NoReturn

from contract_tests.rules import NotApplicable, NotExercised, SetUpError, Violation, Violations

# Where it is caught and dropped, as while an object is being deleted, it comes again after so many seconds.
AGAIN: Final = 0.5


VERDICTS: Final = (Violation, Violations, NotApplicable, NotExercised, SetUpError)


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

    came, hook = list[bool](), sys.unraisablehook

    def pass_over(dropped: "sys.UnraisableHookArgs") -> None:
        # It comes again, so that nobody has to hear of it; pytest would warn.
        if not isinstance(dropped.exc_value, OutOfTime):
            hook(dropped)

    def end(_: int, __: FrameType | None) -> NoReturn:
        came.append(True)
        raise OutOfTime(reason)

    before, sys.unraisablehook = signal.signal(signal.SIGALRM, end), pass_over
    signal.setitimer(signal.ITIMER_REAL, max(seconds, 0.001), AGAIN)
    try:
        yield
    except VERDICTS:
        raise
    except Exception as raised:
        # What was ended in the midst of it may complain of that in its own way, as hypothesis does.
        if came:
            raise OutOfTime(reason) from raised
        raise
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        sys.unraisablehook = hook
