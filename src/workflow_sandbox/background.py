"""Tasks that outlive the request that started them."""

import asyncio
import logging
from collections.abc import Coroutine

_log = logging.getLogger("workflow_sandbox")


class Background:
    """A set of running tasks; what has not ended when the server stops is cancelled, and the next start picks it up."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[None, None, None]) -> None:
        """Run `work` beside everything else. An error in it is logged and concerns no other task."""
        task = asyncio.get_running_loop().create_task(work)
        # The loop itself keeps only weak references to its tasks.
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("background work failed", exc_info=error)

    async def close(self) -> None:
        """Cancel what still runs and wait until it has ended."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
