"""What is done while the database takes nothing, say because the disk is full: wait, and try again until it does."""

import asyncio
import logging
from collections.abc import Callable
from typing import TypeVar

from workflow_sandbox.database import Database, DatabaseFailed

T = TypeVar("T")

_log = logging.getLogger("workflow_sandbox")

_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 2.0


class Outages:
    """Repeats what the database refuses, and tells the beginning and the end of an outage in one line each."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._is_out = False

    async def outlast(self, work: Callable[[], T]) -> T:
        """Return what `work` does with the database, as soon as that is possible.

        Raises:
            DatabaseFailed: It is damaged, so that waiting is of no use.
        """
        pause = _FIRST_PAUSE
        while True:
            try:
                done = work()
            except DatabaseFailed as failure:
                if failure.is_damaged:
                    raise
                self.tell(failure)
                self._database.recover()
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
            else:
                if self._is_out:
                    self._is_out = False
                    _log.warning("the database can be used again")
                return done

    def tell(self, failure: DatabaseFailed) -> None:
        """Log a failure, unless it belongs to an outage that is told already."""
        if failure.is_damaged:
            _log.error("the database is damaged: %s", failure)
        elif not self._is_out:
            self._is_out = True
            _log.warning("the database can't be used, accepted runs go on once it can be: %s", failure)
