"""The SQLite file of a ledger: made whole or not at all, locked while it is open, and checked before it is believed.

One file holds all that was begun: a change is in it, synced to the disk, when `change` returns, and what lies beside it
(SQLite's rollback journal) matters only within a change. So it may be moved, copied or linked. What is damaged is found
by `ledger_checks`.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import tempfile
import threading
import time
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workflow_runs_api.errors import BadArgument

from .ledger_checks import (
    APPLICATION_ID,
    COLUMNS,
    TABLES,
    VERSION,
    Batch,
    KeyIsTaken,
    LedgerError,
    LedgerInUse,
    Row,
    checked_batch,
    checked_row,
    checked_rows,
    reporting,
    seal,
)

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator

__all__ = ["LedgerFile", "make", "read_alone"]

_SECONDS_TO_GET_THE_LOCK = 0.5
# A change takes milliseconds: a journal that stays as it is for so long was left behind by a process that is gone.
_SECONDS_OF_A_CHANGE = 0.25
_LOOKS_AT_A_CHANGING_FILE = 20
_BESIDE = ("-journal", "-wal", "-shm")


def make(path: str, base_url: str, salt: bytes, rows: Iterable[Row]) -> None:
    """Make a new ledger beside its place, whole and synced to the disk, and put it there.

    Raises:
        LedgerInUse: Another process has put one there meanwhile.
        LedgerError: It can't be written.
        BadArgument: Two items have the same key.
    """
    folder = Path(path).parent
    with reporting(path):
        descriptor, name = tempfile.mkstemp(prefix=".ledger-", dir=folder)
    os.close(descriptor)
    beside = Path(name)
    try:
        _fill(path, name, base_url, salt, rows)
        with reporting(path):
            _sync(beside)
            _put(beside, path)
            _sync(folder)
    finally:
        beside.unlink(missing_ok=True)


def _fill(path: str, name: str, base_url: str, salt: bytes, rows: Iterable[Row]) -> None:
    with closing(_connected(name, "mode=rw")) as connection:
        with reporting(path):
            for pragma in ("journal_mode = OFF", "synchronous = OFF", f"application_id = {APPLICATION_ID}"):
                connection.execute(f"PRAGMA {pragma}")
            connection.execute("BEGIN")
            for table in TABLES:
                connection.execute(table)
        batch = Batch(base_url, salt, _insert(path, connection, salt, rows))
        with reporting(path):
            connection.execute("INSERT INTO batch VALUES (?, ?, ?, ?)", (*batch, seal(batch, salt)))
            connection.execute(f"PRAGMA user_version = {VERSION}")
            connection.execute("COMMIT")


def _insert(path: str, connection: sqlite3.Connection, salt: bytes, rows: Iterable[Row]) -> int:
    number = 0
    statement = f"INSERT INTO items ({COLUMNS}, seal) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 - our own names
    for row in rows:  # whatever the user's items raise is none of the ledger's errors
        try:
            with reporting(path):
                connection.execute(statement, (*row, seal(row, salt)))
        except KeyIsTaken:
            words = f"{row.key!r} is another item's key already"
            raise BadArgument(words, field=f"items[{row.position}].key") from None
        number += 1
    return number


def _put(beside: Path, path: str) -> None:
    # A journal of an earlier ledger with this name would be taken for one of this.
    for suffix in _BESIDE:
        Path(path + suffix).unlink(missing_ok=True)
    try:
        # A link, since a renamed file would take the place of one that another process has put there meanwhile.
        os.link(beside, path)
    except FileExistsError:
        raise LedgerInUse(f"another process has just begun the ledger {path}") from None
    except OSError:
        # A file system without links. An empty file, if this process is killed here, is refused by the next one.
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        beside.replace(path)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _connected(path: str, how: str) -> sqlite3.Connection:
    # As an address with everything escaped: a name is never taken for options, and no file is made by opening it.
    address = f"{Path(path).absolute().as_uri()}?{how}"
    connection = sqlite3.connect(
        address, uri=True, timeout=_SECONDS_TO_GET_THE_LOCK, isolation_level=None, check_same_thread=False
    )
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA cell_size_check = ON")
    return connection


def read_alone(path: str) -> tuple[Batch, list[Row]]:
    """Read a ledger that another process may be writing, without its lock and without what lies beside it.

    Raises:
        LedgerError: it can't be read, or is damaged.
    """
    with reporting(path):
        for look in range(_LOOKS_AT_A_CHANGING_FILE):
            try:
                with closing(_connected(path, "mode=ro&immutable=1")) as connection:
                    batch = checked_batch(path, connection)
                    return batch, [*checked_rows(path, connection, batch)]
            except (sqlite3.Error, UnicodeError, LedgerError):
                if look == _LOOKS_AT_A_CHANGING_FILE - 1:
                    raise
                time.sleep(_SECONDS_OF_A_CHANGE / _LOOKS_AT_A_CHANGING_FILE)
    raise AssertionError


class LedgerFile:
    """A ledger's file, open and locked. Its methods may be called by any thread.

    Attributes:
        batch: What it says of the batch.

    Raises:
        LedgerInUse: Another process has it open.
        LedgerError: It can't be used, is damaged, or is no ledger.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._place = Path(path).absolute()
        self._lock = threading.Lock()
        _drop_stale_journal(path)
        with reporting(path):
            self._stat = self._place.stat()
            self._connection = _connected(os.path.realpath(path), "mode=rw")
        try:
            with reporting(path):
                self.batch = self._locked()
        except BaseException:
            self._connection.close()
            raise

    def _locked(self) -> Batch:
        # The lock comes with the first transaction, and stays until the file is closed. Somebody else's file is
        # recognised before anything is written.
        for pragma in ("locking_mode = EXCLUSIVE", "synchronous = EXTRA"):
            self._connection.execute(f"PRAGMA {pragma}")
        self._connection.execute("BEGIN EXCLUSIVE")
        batch = checked_batch(self.path, self._connection)
        for _ in checked_rows(self.path, self._connection, batch):
            pass
        self._connection.execute("ROLLBACK")
        self._connection.execute("PRAGMA journal_mode = TRUNCATE")
        return batch

    def rows(self) -> Generator[Row]:
        """Return all rows, in order."""
        query = f"SELECT {COLUMNS} FROM items ORDER BY position"  # noqa: S608 - our own names
        # Closed on the way out: a cursor that is left half read would keep the file locked.
        with reporting(self.path), closing(self._connection.execute(query)) as found:
            for values in found:
                yield Row(*values)

    def row(self, where: str, value: object) -> Row | None:
        """Return the row whose column has a value, or None."""
        with self._lock, reporting(self.path):
            return self._row(where, value)

    def _row(self, where: str, value: object) -> Row | None:
        query = f"SELECT {COLUMNS}, seal FROM items WHERE {where} = ?"  # noqa: S608 - our own names
        values = self._connection.execute(query, (value,)).fetchone()
        return None if values is None else checked_row(self.path, values, self.batch.salt)

    def check_place(self) -> None:
        """Check that the file still has its name: what is noted in another one would be forgotten.

        Raises:
            LedgerError: It was removed, moved or replaced.
        """
        try:
            is_there = os.path.samestat(self._place.stat(), self._stat)
        except OSError:
            is_there = False
        if not is_there:
            raise LedgerError(
                f"the ledger {self.path} was removed, moved or replaced while its batch was running; nothing more is"
                " started; put it back, and go on with the same call"
            )

    def change(self, position: int, **changes: Any) -> None:
        """Change a row; it is on the disk when this returns."""
        with self._lock, self._transaction():
            with reporting(self.path):
                row = self._row("position", position)
            assert row is not None
            row = row._replace(**changes)
            values = (row.state, row.execution_id, row.reason, row.result, seal(row, self.batch.salt), position)
            statement = "UPDATE items SET state = ?, execution_id = ?, reason = ?, result = ?, seal = ?"
            with reporting(self.path):
                self._connection.execute(f"{statement} WHERE position = ?", values)

    def append(self, rows: Iterable[Row]) -> int:
        """Add rows at the end, all or none; return their number."""
        with self._lock, self._transaction():
            number = _insert(self.path, self._connection, self.batch.salt, rows)
            batch = self.batch._replace(total=self.batch.total + number)
            values = (batch.total, seal(batch, batch.salt))
            with reporting(self.path):
                self._connection.execute("UPDATE batch SET total = ?, seal = ?", values)
        self.batch = batch
        return number

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with reporting(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            with reporting(self.path):
                self._connection.execute("COMMIT")
        except BaseException:
            with reporting(self.path):
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
            raise

    def close(self) -> None:
        """Close the file and give the lock back."""
        with self._lock, contextlib.suppress(sqlite3.Error):
            # Removes the journal, which is empty.
            self._connection.execute("PRAGMA journal_mode = DELETE")
        with self._lock:
            self._connection.close()


def _drop_stale_journal(path: str) -> None:
    """Remove a rollback journal that a killed process has left, if the file is whole without it.

    It may be older than the file, which has perhaps been changed under another name since: SQLite would roll back to
    what the journal knows, and items would be started again.
    """
    journal = Path(os.path.realpath(path) + "-journal")
    before = _size_and_time(journal)
    if before is None:
        return
    time.sleep(_SECONDS_OF_A_CHANGE)
    if _size_and_time(journal) != before:
        return  # it is being written, or was rolled back: the file is in use
    with contextlib.suppress(LedgerError, OSError):
        read_alone(path)
        journal.unlink()


def _size_and_time(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_size, found.st_mtime_ns) if found.st_size else None
