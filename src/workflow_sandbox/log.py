"""The server's log on standard error, bounded: whatever is sent to the sandbox, it doesn't fill a disk."""

import logging
import time

_SECONDS = 60.0
_MOST_CHARACTERS = 256 * 1024
_LONGEST_MESSAGE = 8 * 1024


class BoundedHandler(logging.StreamHandler):  # type: ignore[type-arg]  # of what stream is for logging to say
    """Writes up to 256 KiB a minute to standard error, and says so when it leaves the rest of a minute out."""

    def __init__(self) -> None:
        super().__init__()
        self._since, self._left = time.monotonic(), _MOST_CHARACTERS

    def format(self, record: logging.LogRecord) -> str:
        """Return the message, cut if it is long."""
        text = super().format(record)
        return text if len(text) <= _LONGEST_MESSAGE else f"{text[:_LONGEST_MESSAGE]} ..."

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record, unless this minute has had enough of them."""
        now = time.monotonic()
        if now - self._since >= _SECONDS:
            self._since, self._left = now, _MOST_CHARACTERS
        if self._left <= 0:
            return
        self._left -= len(self.format(record))
        super().emit(record)
        if self._left <= 0:
            words = "this was more than 256 KiB of log in a minute; the rest of the minute is left out"
            super().emit(logging.LogRecord(record.name, logging.WARNING, __file__, 0, words, None, None))
