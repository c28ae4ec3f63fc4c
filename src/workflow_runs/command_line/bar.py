"""The progress bar of a batch. The one module that needs the extra `cli`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from .output import line_of

if TYPE_CHECKING:
    from workflow_runs.batch import BatchProgress

__all__ = ["Bar"]


class Bar:
    """A bar on standard error; results that go to the same terminal stand above it."""

    def __init__(self) -> None:
        columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
        # A standard output that goes elsewhere has to stay what it is.
        self._bar = Progress(
            *columns, console=Console(stderr=True), redirect_stdout=sys.stdout is not None and sys.stdout.isatty()
        )
        self._task = self._bar.add_task("", total=None)

    def show(self, progress: BatchProgress) -> None:
        """Show how many items have ended, and how."""
        ended = progress.total - progress.new - progress.under_way
        names = ("under_way", "failed", "refused", "in_doubt")
        counts = ", ".join(f"{getattr(progress, n)} {n.replace('_', ' ')}" for n in names if getattr(progress, n))
        self._bar.update(self._task, total=progress.total, completed=ended, description=counts)

    def tell(self, words: str) -> None:
        """Write a line above the bar."""
        self._bar.console.print(line_of(words), markup=False, highlight=False)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()
