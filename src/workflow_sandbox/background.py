"""Tasks that outlive the request that started them."""

import asyncio
import functools
import logging
from collections.abc import Callable, Coroutine

from workflow_sandbox.database import DatabaseFailed

_log = logging.getLogger("workflow_sandbox")


class Background:
    """A set of running tasks; what has not ended when the server stops is cancelled, and the next start picks it up."""

    def __init__(self) -> None:
        # The loop itself keeps only weak references to its tasks.
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._one_ended = asyncio.Event()

    def start(self, key: str, work: Callable[[], Coroutine[None, None, None]]) -> None:
        """Run `work` beside everything else, unless `key` runs already. An error in it concerns no other task."""
        if key not in self._tasks:
            task = self._tasks[key] = asyncio.get_running_loop().create_task(work())
            task.add_done_callback(functools.partial(self._ended, key))

    def __contains__(self, key: str) -> bool:
        return key in self._tasks

    async def room(self, most: int) -> None:
        """Wait until fewer than `most` tasks run."""
        while len(self._tasks) >= most:
            self._one_ended.clear()
            await self._one_ended.wait()

    def _ended(self, key: str, task: asyncio.Task[None]) -> None:
        del self._tasks[key]
        self._one_ended.set()
        error = None if task.cancelled() else task.exception()
        if isinstance(error, DatabaseFailed):
            _log.error("%s can't go on: %s", key, error)
        elif error is not None:
            _log.error("%s failed", key, exc_info=error)

    async def close(self) -> None:
        """Cancel what still runs and wait until it has ended."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
