"""What a batch must not forget, in one SQLite file: which items were begun, and what is known of each.

Every step is committed, and synced to the disk, before the next is taken: an item is noted as begun before its request
goes out. So after `kill -9` or a power cut each item is in a state that says what may be done with it. The file is
locked while it is open, since two processes on one ledger would start items twice; the lock ends with its process.

Inputs are not kept. Of an item the ledger holds its key, a keyed hash of what is run, its state, its execution id, and
its result as it was handed over, with the run's output.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import secrets
import threading
from collections import Counter
from contextlib import closing
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from workflow_runs_api.errors import BadArgument

from .items import BatchResult
from .ledger_checks import LedgerError, LedgerInUse, Row, checked_path, exists
from .ledger_file import LedgerFile, make, read_alone

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator

    from workflow_runs_api.operation import Call

__all__ = ["Entry", "Ledger", "LedgerError", "LedgerInUse", "LedgerMismatch", "stored_results"]

_INTERRUPTED = "the process ended after the item was begun and before a reply was noted"


class LedgerMismatch(LedgerError):
    """The ledger belongs to another batch, or the batch has changed since the ledger was begun."""


class Entry(NamedTuple):
    """What the ledger knows of an item.

    Attributes:
        position: Place in the batch, from 0.
        key: The item's key.
        state: `new`; `begun`: its request is about to go out; `started`: it has an execution id; `succeeded` or
            `failed`: its run has ended and the result was handed over; `refused`: it was not started; `in_doubt`: it
            may have been.
        execution_id: Id of the execution, if there is one.
        reason: Words of the error, if there was one.
    """

    position: int
    key: str
    state: str
    execution_id: int | None
    reason: str | None


class Ledger:
    """A batch's ledger, open until it is closed, by `with` or `close()`.

    Args:
        path: The SQLite file; a batch makes it once all its items are known to make sense. It may be moved or copied
            while it is closed; go on with one of the copies only. Not on a network drive: locks don't hold there.

    Raises:
        BadArgument: It is no path of a file.
        LedgerInUse: Another process has it open.
        LedgerError: It can't be opened or written, is empty or damaged, or is another program's.

    Example:
        >>> with Ledger("support.ledger") as ledger:
        ...     ledger.settle("ada", execution_id=None)  # looked in the dashboard: it has never run
        Traceback (most recent call last):
        workflow_runs_api.errors.BadArgument: key: no item in doubt has this key
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = checked_path(path)
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._file: LedgerFile | None = None
        if exists(self._path):
            self._open()

    def _open(self) -> LedgerFile:
        self._file = file = LedgerFile(self._path)
        # Whoever held the lock before is gone: what it had begun and not noted is in doubt.
        for row in [row for row in file.rows() if row.state == "begun"]:
            file.change(row.position, state="in_doubt", reason=_INTERRUPTED)
        self._counts = Counter(row.state for row in file.rows())
        return file

    def admit(self, base_url: str, items: Iterable[tuple[str, Call]]) -> None:
        """Note a batch's items, by key and what is to be run. Those noted before have to be the same.

        Raises:
            LedgerMismatch: They aren't.
            BadArgument: Two items have the same key.
        """
        if self._file is None:
            salt = secrets.token_bytes(16)
            make(self._path, base_url, salt, _rows(salt, 0, items))
            self._open()
        else:
            self._compare(self._file, base_url, iter(items))

    def _compare(self, file: LedgerFile, base_url: str, items: Iterator[tuple[str, Call]]) -> None:
        if file.batch.base_url != base_url:
            raise self._mismatch(f"its runs are at {file.batch.base_url}, not at {base_url}")
        with closing(file.rows()) as rows:
            for row in rows:
                self._compare_item(file, row, next(items, None))
        further = next(items, None)
        if further is not None:
            added = _rows(file.batch.salt, file.batch.total, itertools.chain([further], items))
            self._counts["new"] += file.append(added)

    def _compare_item(self, file: LedgerFile, row: Row, item: tuple[str, Call] | None) -> None:
        if item is None:
            raise self._mismatch(f"it has {file.batch.total} items, and now there are only {row.position}")
        if (item[0], _digest(file.batch.salt, item[1])) != (row.key, row.digest):
            which = "other arguments" if item[0] == row.key else f"the key {row.key!r}"
            raise self._mismatch(f"item {row.position} (key {item[0]!r}) has {which} there")

    def _mismatch(self, difference: str) -> LedgerMismatch:
        words = f"the ledger {self._path} is not of this batch: {difference}; items may be added at the end, and"
        return LedgerMismatch(f"{words} a changed batch needs a ledger of its own")

    @property
    def total(self) -> int:
        """Number of items that were admitted."""
        assert self._file is not None
        return self._file.batch.total

    def entry(self, position: int, call: Call) -> Entry:
        """Return what is known of an item, by its place.

        Raises:
            LedgerMismatch: What is to be run there has changed since the batch was admitted.
        """
        assert self._file is not None
        row = self._file.row("position", position)
        if row is None or row.digest != _digest(self._file.batch.salt, call):
            raise self._mismatch(f"item {position} has changed while the batch was running")
        execution_id = None if row.execution_id is None else int(row.execution_id)
        return Entry(row.position, row.key, row.state, execution_id, row.reason)

    def note(
        self,
        entry: Entry,
        state: str,
        *,
        execution_id: int | None = None,
        reason: str | None = None,
        result: Any = None,
    ) -> Entry:
        """Note an item's new state, synced to the disk when this returns, and its result as JSON if there is one.

        Raises:
            LedgerError: It could not be noted.
        """
        assert self._file is not None
        if state == "begun":
            self._file.check_place()
        execution_id = entry.execution_id if execution_id is None else execution_id
        noted = entry._replace(state=state, execution_id=execution_id, reason=reason)
        self._file.change(
            noted.position,
            state=state,
            execution_id=_text(execution_id),
            reason=_text(reason),
            result=None if result is None else json.dumps(result),
        )
        with self._lock:
            self._counts[entry.state] -= 1
            self._counts[state] += 1
        return noted

    def settle(self, key: str, *, execution_id: int | None) -> None:
        """Say what became of an item in doubt, once you know.

        Args:
            key: The item's key.
            execution_id: The execution that you found, which is waited for then; or None if it has never run, so that
                the item is started when the batch goes on.

        Raises:
            BadArgument: No item in doubt has this key.
        """
        row = self._doubtful(key)
        if row is None or self._file is None:
            raise BadArgument("no item in doubt has this key", field="key")
        state = "new" if execution_id is None else "started"
        self._file.change(row.position, state=state, execution_id=_text(execution_id), reason=None, result=None)
        with self._lock:
            self._counts["in_doubt"] -= 1
            self._counts[state] += 1

    def is_in_doubt(self, key: str) -> bool:
        """Return whether an item with this key can be settled."""
        return self._doubtful(key) is not None

    def _doubtful(self, key: str) -> Row | None:
        row = None if self._file is None else self._file.row("key", key)
        return row if row is not None and row.state == "in_doubt" else None

    def counts(self) -> dict[str, int]:
        """Return the number of items in each state that any item is in."""
        with self._lock:
            return {state: number for state, number in self._counts.items() if number}

    def close(self) -> None:
        """Close the file and give the lock back."""
        if self._file is not None:
            self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def stored_results(path: str | os.PathLike[str]) -> tuple[list[dict[str, Any]], dict[str, int]]:
    """Return the results that a ledger keeps, as JSON and in order, and the number of items in each state.

    The batch may be under way: what another process does with it isn't disturbed.

    Raises:
        BadArgument: It is no path of a file.
        LedgerError: It can't be read, is empty or damaged, or is another program's.
    """
    checked = checked_path(path)
    if not exists(checked):
        raise LedgerError(f"there is no ledger {checked}")
    _, rows = read_alone(checked)
    results = [_result(row) for row in rows if row.result is not None or row.state == "in_doubt"]
    return results, dict(Counter(row.state for row in rows))


def _result(row: Row) -> dict[str, Any]:
    if row.result is None:
        return BatchResult(row.key, row.position, "in_doubt", reason=row.reason).to_json()
    result: dict[str, Any] = json.loads(row.result)
    return result


def _rows(salt: bytes, first: int, items: Iterable[tuple[str, Call]]) -> Iterator[Row]:
    return (Row(position, key, _digest(salt, call)) for position, (key, call) in enumerate(items, first))


def _digest(salt: bytes, call: Call) -> bytes:
    # Keyed, so that the hashes of two ledgers can't be compared.
    text = json.dumps([call.path, call.body], sort_keys=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode("ascii"), key=salt, digest_size=16).digest()


def _text(value: object) -> str | None:
    # SQLite takes neither an integer beyond 64 bits nor half a surrogate pair, and a service may send both.
    return None if value is None else str(value).encode("utf-8", "backslashreplace").decode()
