"""Has a server end with the program that embeds it, even where that was killed and could stop nothing."""

import os
import shutil
import signal
import sys
import threading

_SECONDS_TO_STOP = 5


class Parent:
    """Watches standard input, whose first line names the folder that goes with the parent, and whose end is its end."""

    def __init__(self) -> None:
        self._folder = ""
        self._is_gone = threading.Event()
        self._is_cleaned = threading.Event()
        threading.Thread(target=self._watch, daemon=True).start()

    def clean_up(self) -> None:
        """Remove the folder, if nobody else is left to do so."""
        if self._is_gone.is_set() and self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)
        self._is_cleaned.set()

    def _watch(self) -> None:
        with os.fdopen(os.dup(0), encoding=sys.getfilesystemencoding()) as parent:
            self._folder = parent.readline().rstrip("\n")
            parent.read()
        self._is_gone.set()
        os.kill(os.getpid(), signal.SIGTERM)
        if not self._is_cleaned.wait(_SECONDS_TO_STOP):
            self.clean_up()
            os._exit(1)
