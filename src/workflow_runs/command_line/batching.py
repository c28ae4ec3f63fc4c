"""`workflow-runs batch`: many runs, each at most once, with a ledger and a file of results."""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections import Counter
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self

from workflow_runs.batch import BatchProgress, BatchResult, progress_of, run_batch
from workflow_runs.batch.ledger import Ledger, LedgerError, stored_results
from workflow_runs.batch.ledger_checks import checked_path, exists
from workflow_runs.promptlayer import PromptLayer
from workflow_runs_api.errors import BadArgument

from .endings import Exit, Interrupted, Stopped, UsageError
from .inputs import ItemFile
from .output import Output, tell, write

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

__all__ = ["batch"]

_LISTED = 20
_SECONDS_IN_A_LOG, _SECONDS_ON_A_TERMINAL = 5.0, 1.0
_BEGINNING = b'{"key": "'
_PLACE = re.compile(r"items\[(\d+)\]\.?")


class Display(Protocol):
    """Shows how far a batch has come."""

    def show(self, progress: BatchProgress) -> None:
        """Show it."""

    def tell(self, words: str) -> None:
        """Write a line for a person."""


def batch(options: argparse.Namespace, _: Output) -> Exit:
    """Run the items of a file, or show the results of a batch again."""
    if options.show is not None:
        return _shown(options)
    if options.file is None:
        raise UsageError("give a FILE with the items, or --show LEDGER")
    items = ItemFile(options.file, options.workflow)
    if items.comes_once and options.ledger is None:
        raise UsageError(f"items from {'standard input' if options.file == '-' else 'a pipe'} need --ledger FILE")
    ledger = checked_path(f"{options.file}.ledger" if options.ledger is None else options.ledger)
    if options.output and any(_is_one_file(options.output, each) for each in (ledger, options.file)):
        raise UsageError(f"--output {options.output} is the file of the items or of the ledger: name another one")
    if options.settle:
        _settle(ledger, options.settle)
    with (
        PromptLayer(base_url=options.base_url) as client,
        ResultLines(options.output, new=not exists(ledger)) as lines,
        _display(options) as display,
        _told_by_line(items),
    ):
        return _Run(display, lines).through(
            client,
            items,
            ledger=ledger,
            concurrency=options.concurrency,
            deadline=options.deadline,
            repeat_refused=options.repeat_refused,
        )


def _shown(options: argparse.Namespace) -> Exit:
    if any((options.file, options.workflow, options.ledger, options.settle, options.repeat_refused)):
        raise UsageError("--show LEDGER prints the results of a batch, and takes --output alone")
    results, counts = stored_results(options.show)
    with ResultLines(options.output, new=False) as lines:
        for result in results:
            lines.write(result)
    progress = progress_of(counts)
    tell(_summary(progress))
    return _status(progress)


class _Run:
    """One run through the items: keeps what the summary needs."""

    def __init__(self, display: Display, lines: ResultLines) -> None:
        self._display = display
        self._lines = lines
        self._progress = BatchProgress(0, 0, 0, 0, 0, 0, 0)
        self._doubtful: list[BatchResult] = []

    def through(self, client: PromptLayer, items: ItemFile, **options: Any) -> Exit:
        """Run the items and write each result.

        Raises:
            Interrupted: the user has had enough.
            Stopped: the ledger or the items can't be used any more.
        """
        try:
            # Closed at the latest here, while the client is open: requests on their way are let finish.
            with closing(run_batch(client, items, on_progress=self._show, **options)) as results:
                for result in results:
                    self._take(result)
        except KeyboardInterrupt:
            again = " and the same items" if items.comes_once else ""
            words = f"interrupted; {_summary(self._progress)}; go on with the same command{again}"
            raise Interrupted(words) from None
        except (LedgerError, UsageError) as error:
            if not self._progress.total or getattr(error, "may_have_run", False):
                raise
            raise Stopped(f"{error}; {_summary(self._progress)}") from None
        self._display.tell(_summary(self._progress))
        self._list_doubtful()
        return _status(self._progress)

    def _show(self, progress: BatchProgress) -> None:
        self._progress = progress
        self._display.show(progress)

    def _take(self, result: BatchResult) -> None:
        self._lines.write(result.to_json())
        if result.state == "in_doubt" and len(self._doubtful) < _LISTED:
            self._doubtful.append(result)
        if result.state != "succeeded":
            self._display.tell(f"{result.key}: {result.state}: {result.reason}")

    def _list_doubtful(self) -> None:
        if self._doubtful:
            keys = ", ".join(result.key for result in self._doubtful)
            more = self._progress.in_doubt - len(self._doubtful)
            self._display.tell(
                f"in doubt: {keys}{f' and {more} more' if more > 0 else ''}; look for them in the dashboard, then give"
                " --settle KEY=ID, or --settle KEY=none for one that has never run"
            )


def _summary(progress: BatchProgress) -> str:
    counts = ", ".join(f"{number} {name.replace('_', ' ')}" for name, number in progress._asdict().items() if number)
    return f"items: {counts or 'none'}"


def _status(progress: BatchProgress) -> Exit:
    if progress.in_doubt:
        return Exit.IN_DOUBT
    if progress.failed or progress.refused:
        return Exit.FAILED
    return Exit.RUNNING if progress.under_way or progress.new else Exit.OK


class ResultLines:
    """Results as JSON lines. Those in a file are kept, and one that stands there isn't written again."""

    def __init__(self, path: str | None, *, new: bool) -> None:
        self._known: dict[str, tuple[Any, Any]] = {}
        self._keeps = False
        self._file = sys.stdout
        if path is None:
            return
        try:
            # What is no file, as a pipe or a terminal, keeps nothing that could be read.
            self._keeps = Path(path).is_file() or not Path(path).exists()
            if new and self._keeps and Path(path).exists() and Path(path).stat().st_size:
                raise UsageError(
                    f"{path} is not empty, and holds no results of this batch: name another file for --output"
                )
            self._file = Path(path).open("a+" if self._keeps else "w", encoding="utf-8")  # noqa: SIM115
        except OSError as error:
            raise UsageError(f"--output {path!r} can't be written: {error.strerror}") from None
        if self._keeps:
            self._read(path)

    def _read(self, path: str) -> None:
        """Take in what stands there; a last line that a kill has torn goes."""
        self._file.seek(0)
        kept, is_whole = 0, True
        with Path(path).open("rb") as file:
            for number, line in enumerate(file, 1):
                if _is_torn(line):
                    break
                kept += len(line)
                is_whole = line.endswith(b"\n")
                self._know(path, number, line)
        self._file.truncate(kept)
        self._file.seek(0, os.SEEK_END)
        if not is_whole:
            self._file.write("\n")

    def _know(self, path: str, number: int, line: bytes) -> None:
        try:
            found = json.loads(line)
            self._known[found["key"]] = (found["state"], found["execution_id"])
        except (ValueError, KeyError, TypeError):
            raise UsageError(
                f"{path}, line {number}, is no result of a batch: name another file for --output"
            ) from None

    def write(self, result: dict[str, Any]) -> None:
        """Write a result, on the disk when this returns: the ledger takes it for handed over then."""
        state = (result["state"], result["execution_id"])
        if self._known.get(result["key"]) == state:
            return
        write(self._file, json.dumps(result))
        if self._keeps:
            os.fsync(self._file.fileno())
            self._known[result["key"]] = state

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not sys.stdout:
            self._file.close()


def _is_torn(line: bytes) -> bool:
    """Return whether a line is the beginning of a result and no more. What is somebody else's isn't cut off."""
    if line.endswith(b"\n") or not (line.startswith(_BEGINNING) or _BEGINNING.startswith(line)):
        return False
    try:
        json.loads(line)
    except ValueError:
        return True
    return False


class _Lines:
    """Tells in plain lines, as a log wants them: a change at once, and the next one some seconds later."""

    def __init__(self) -> None:
        self._told = ""
        self._next = 0.0
        self._seconds = _SECONDS_ON_A_TERMINAL if _is_terminal() else _SECONDS_IN_A_LOG

    def show(self, progress: BatchProgress) -> None:
        """Print how many items have ended, if that has changed; that all have is printed at once."""
        ended = progress.total - progress.new - progress.under_way
        words, now = f"{ended} of {progress.total} items", time.monotonic()
        if words != self._told and (now >= self._next or ended == progress.total):
            tell(words)
            self._told, self._next = words, now + self._seconds

    def tell(self, words: str) -> None:
        """Write a line."""
        tell(words)


def _is_terminal() -> bool:
    return sys.stderr is not None and sys.stderr.isatty()


def _display(options: argparse.Namespace) -> AbstractContextManager[Display]:
    if options.plain or not _is_terminal():
        return nullcontext(_Lines())
    try:
        # Here: the bar's library comes with the extra, and plain lines do without.
        from .bar import Bar
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] != "rich":
            raise
        return nullcontext(_Lines())
    return Bar()


@contextmanager
def _told_by_line(items: ItemFile) -> Iterator[None]:
    """Name the line of a faulty item."""
    try:
        yield
    except BadArgument as refusal:
        place = _PLACE.match(refusal.field)
        if place is None:
            raise
        where = f"{items.name}, line {items.line_of(int(place[1]))}"
        raise UsageError(f"{where}: {refusal.message.removeprefix(place[0])}") from None


def _is_one_file(one: str, other: str) -> bool:
    try:
        return Path(one).samefile(other)
    except OSError:  # one of them isn't there
        return Path(one).absolute() == Path(other).absolute()


def _settle(path: str, settled: list[str]) -> None:
    known = [_settled(pair) for pair in settled]
    twice = next((key for key, number in Counter(key for key, _ in known).items() if number > 1), None)
    if twice is not None:
        raise UsageError(f"--settle {twice}=... is given twice")
    if not exists(path):
        raise UsageError(f"there is no ledger {path}")
    with Ledger(path) as ledger:
        # All are checked before the first is settled, so that a command with a mistake can be corrected and repeated.
        for pair, (key, _) in zip(settled, known, strict=True):
            if not ledger.is_in_doubt(key):
                raise UsageError(f"--settle {pair}: no item in doubt has this key")
        for key, execution_id in known:
            ledger.settle(key, execution_id=execution_id)


def _settled(pair: str) -> tuple[str, int | None]:
    key, separator, execution_id = pair.rpartition("=")
    if not separator or not (execution_id == "none" or (execution_id.isascii() and execution_id.isdigit())):
        raise UsageError(f"--settle {pair!r} is not KEY=ID or KEY=none")
    try:
        return key, None if execution_id == "none" else int(execution_id)
    except ValueError:  # more digits than Python reads
        raise UsageError(f"--settle {key}=...: {len(execution_id)} digits are no execution id") from None
