"""Everything in one SQLite file: opened if it is whole and ours, written in transactions, and what it can end in.

The file is locked for as long as it is open, since two servers on one file would execute every run twice. With
`synchronous=NORMAL` a committed transaction survives `kill -9` of the server; only a crash of the whole machine can
lose the last ones.
"""

import contextlib
import sqlite3
import stat
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib.resources import files
from pathlib import Path
from typing import Any

from workflow_sandbox.database import DAMAGED_ROW, DatabaseFailed, UnusableDatabase

_TABLES = files("workflow_sandbox").joinpath("sqlite_tables.sql").read_text(encoding="utf-8")
_APPLICATION_ID, _TABLES_VERSION = 0x77667362, 4
_WITH_ENDED = "ALTER TABLE nodes ADD COLUMN ended INTEGER NOT NULL DEFAULT 0;"
# Versions 1 and 2 had the names of nodes and of runs' workflows as they are, and so not all of them.
_QUOTED = "UPDATE runs SET workflow = json_quote(workflow); UPDATE nodes SET name = json_quote(name);"
_FROM_OLDER = {1: _QUOTED + _WITH_ENDED, 2: _QUOTED + _WITH_ENDED, 3: _WITH_ENDED}
# Holds are gone with the process that they were set in.
_OWN_TABLES = """
    PRAGMA temp_store = MEMORY;
    CREATE TEMP TABLE holds (id TEXT PRIMARY KEY, workflow TEXT, run TEXT, node TEXT, status TEXT NOT NULL);
    CREATE TEMP TABLE held (
        position INTEGER PRIMARY KEY, hold_id TEXT NOT NULL, run_id INTEGER NOT NULL, UNIQUE (hold_id, run_id)
    );
"""
_TABLE_NAMES = {"runs", "nodes", "callbacks", "conversations", "workflows", "versions", "labels", "external_ids"}
_OPEN_RUNS = (
    "SELECT run_id FROM nodes WHERE run_id > ?1 AND run_id <= ?2 AND status IN ('QUEUED', 'RUNNING')"
    " UNION SELECT run_id FROM callbacks WHERE run_id > ?1 AND run_id <= ?2 AND state = 'pending' ORDER BY run_id"
)
_OLDEST = (3, 35)  # of 2021: RETURNING
_LOOKED_AT = 1000
_LARGEST_CHECKED = 256 * 1024 * 1024
_PRIMARY_CODE = 0xFF
_PASSING = {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
}


class SqliteDatabase:
    """The open file."""

    is_shared = False

    def __init__(self, path: str) -> None:
        """Open or create the database at `path`.

        Raises:
            UnusableDatabase: It can't be written, is damaged or another program's, or another server has it open.
        """
        try:
            if sqlite3.sqlite_version_info < _OLDEST:
                raise ValueError(f"this Python has SQLite {sqlite3.sqlite_version}, which is older than 3.35")
            _refuse_special(path)
            self._looked_until = 0
            self._connection = sqlite3.connect(path, timeout=2, isolation_level=None)
            try:
                self._prepare()
            except BaseException:
                self._connection.close()
                raise
        except (sqlite3.Error, OSError, ValueError) as error:
            reason = "another server has it open" if "locked" in str(error) else _reason(error)
            raise UnusableDatabase(f"cannot use database {path}: {reason}") from None

    def _prepare(self) -> None:
        execute = self._connection.execute
        execute("PRAGMA locking_mode = EXCLUSIVE")
        execute("PRAGMA synchronous = NORMAL")
        is_new = execute("SELECT count(*) FROM sqlite_schema").fetchone() == (0,)
        if is_new:
            execute("PRAGMA journal_mode = WAL")
        owner, version = self._owner()
        if is_new or (owner == _APPLICATION_ID and version in _FROM_OLDER):
            self._connection.executescript(f"BEGIN IMMEDIATE;{_FROM_OLDER.get(version, '')}{_TABLES}COMMIT;")
        if self._owner() != (_APPLICATION_ID, _TABLES_VERSION):
            raise sqlite3.DatabaseError("it belongs to another program or to another version of this one")
        self._refuse_damaged()
        # A read alone takes neither the write lock nor notices a read-only file.
        execute("BEGIN IMMEDIATE")
        execute(f"PRAGMA user_version = {_TABLES_VERSION}")
        execute("COMMIT")
        self._connection.executescript(_OWN_TABLES)

    def _owner(self) -> tuple[int, int]:
        execute = self._connection.execute
        found: tuple[int, int] = execute("PRAGMA application_id").fetchone() + execute("PRAGMA user_version").fetchone()
        return found

    def _refuse_damaged(self) -> None:
        execute = self._connection.execute
        names = {name for (name,) in execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
        if not names >= _TABLE_NAMES:
            raise sqlite3.DatabaseError("it is damaged: a table is missing")
        # It takes a second for some hundred MB; what is wrong with a larger file shows when it is read.
        pages, size = execute("PRAGMA page_count").fetchone() + execute("PRAGMA page_size").fetchone()
        if pages * size <= _LARGEST_CHECKED and execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
            raise sqlite3.DatabaseError("it is damaged: some of its pages are not what they should be")

    def rows(self, query: str, values: Sequence[object] = (), *, flushed: bool = False) -> list[tuple[Any, ...]]:  # noqa: ARG002
        """Carry out one statement and return the rows that it gives."""
        try:
            return self._connection.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise _failure(error) from None

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Have several statements take effect together."""
        try:
            self._roll_back()
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                # A rollback that fails as well is made up for before the next transaction.
                with contextlib.suppress(sqlite3.Error):
                    self._roll_back()
                raise
        except sqlite3.Error as error:
            raise _failure(error) from None

    def alone(self) -> AbstractContextManager[None]:
        """Do nothing: the file is this process's as long as it is open."""
        return nullcontext()

    def claim(self, run_id: int) -> bool:  # noqa: ARG002
        """Return that a run is this process's."""
        return True

    def take_over(self) -> list[int] | None:
        """Look at the next runs of an earlier start; return which of them have something left to be done."""
        look = "SELECT max(id) FROM (SELECT id FROM runs WHERE id > ? ORDER BY id LIMIT ?)"
        after, [(last,)] = self._looked_until, self.rows(look, (self._looked_until, _LOOKED_AT))
        if last is None:
            return None
        found = self.rows(_OPEN_RUNS, (after, last))
        self._looked_until = last
        return [run_id for (run_id,) in found]

    def recover(self) -> None:
        """Empty the write-ahead log, which may be what the disk is full of."""
        with contextlib.suppress(sqlite3.Error):
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Close the file."""
        with contextlib.suppress(sqlite3.Error):
            self._connection.close()

    def _roll_back(self) -> None:
        # On some errors SQLite has done it already; a commit that fails for want of space leaves it to us.
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")


def _refuse_special(path: str) -> None:
    if path == ":memory:":
        return
    try:
        found = Path(path).stat()
    except FileNotFoundError:
        return
    if not stat.S_ISREG(found.st_mode):
        raise ValueError("it is no regular file")
    log = Path(f"{path}-wal")
    if found.st_size == 0 and log.exists() and log.stat().st_size:
        raise ValueError("it is empty, though its -wal file is not")


def _failure(error: sqlite3.Error) -> DatabaseFailed:
    # A text that is no UTF-8 has no code, and stands in the error's words.
    code = getattr(error, "sqlite_errorcode", None)
    words = DAMAGED_ROW if code is None else str(error)
    return DatabaseFailed(words, is_damaged=code is None or code & _PRIMARY_CODE not in _PASSING)


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or " ".join(str(error).split())
