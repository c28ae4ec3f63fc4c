"""How a wait ends of which its caller hears, inside the client's process."""

import asyncio
import threading
from typing import Any, Final

MOMENT: Final = 0.2  # seconds: so that the client pauses by then


class CallerFailed(Exception):
    """What the caller raises where it is to fail; its own name, so that nobody takes it for an error of the client."""


def end_wait(end: str, stop: Any, task: "asyncio.Task[Any] | None") -> None:
    """End a wait from within what its caller is told by: ``stopped``, ``raised`` or ``interrupted``; else go on."""
    if end == "raised":
        raise CallerFailed
    if end == "stopped" and task is None:
        threading.Timer(MOMENT, stop.set).start()
    elif end == "stopped":
        asyncio.get_running_loop().call_later(MOMENT, stop.set)
    elif end == "interrupted" and task is not None:
        asyncio.get_running_loop().call_later(MOMENT, task.cancel)
    elif end == "interrupted":
        raise KeyboardInterrupt
