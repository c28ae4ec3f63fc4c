"""The SQLite file: opened if it is whole and ours, written in transactions, and what it can end in.

One connection, used by the event loop's thread alone: every call is a short transaction that commits before it
returns. The file is locked for as long as it is open, since two servers on one file would execute every run twice. With
`synchronous=NORMAL` a committed transaction survives `kill -9` of the server; only a crash of the whole machine can
lose the last ones.
"""

import contextlib
import sqlite3
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

# Beyond 32 bits, so that a caller who keeps ids in an int32 is found out.
_FIRST_RUN_ID = 5_000_000_001
# "wfsb" and the version of the tables: another program's file, or one of another time, is refused, not written to.
_APPLICATION_ID = 0x77667362
_TABLES_VERSION = 2
_TABLES = f"""
    CREATE TABLE runs (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        workflow TEXT NOT NULL,
        version INTEGER NOT NULL,
        input_variables TEXT NOT NULL,
        metadata TEXT NOT NULL,
        return_all_outputs INTEGER NOT NULL
    );
    INSERT INTO sqlite_sequence (name, seq) VALUES ('runs', {_FIRST_RUN_ID - 1});
    CREATE TABLE nodes (
        run_id INTEGER NOT NULL REFERENCES runs (id),
        position INTEGER NOT NULL,
        name TEXT NOT NULL,
        is_output INTEGER NOT NULL,
        status TEXT NOT NULL,
        value TEXT NOT NULL DEFAULT 'null',
        error_message TEXT NOT NULL DEFAULT 'null',
        raw_error_message TEXT NOT NULL DEFAULT 'null',
        PRIMARY KEY (run_id, position)
    ) WITHOUT ROWID;
    CREATE TABLE callbacks (
        run_id INTEGER PRIMARY KEY REFERENCES runs (id),
        url TEXT NOT NULL,
        state TEXT NOT NULL DEFAULT 'pending',
        attempts INTEGER NOT NULL DEFAULT 0,
        outcome TEXT
    );
    CREATE INDEX pending_callbacks ON callbacks (run_id) WHERE state = 'pending';
    CREATE TABLE conversations (
        workflow_run_id TEXT PRIMARY KEY,
        document TEXT NOT NULL
    ) WITHOUT ROWID;
    PRAGMA application_id = {_APPLICATION_ID};
"""  # noqa: S608  # figures of this module alone
_WORKFLOW_TABLES = f"""
    CREATE TABLE workflows (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL UNIQUE,
        created_at TEXT NOT NULL,
        updated_at TEXT NOT NULL
    );
    CREATE TABLE versions (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        workflow_id INTEGER NOT NULL REFERENCES workflows (id),
        number INTEGER NOT NULL,
        document TEXT NOT NULL,
        created_at TEXT NOT NULL,
        UNIQUE (workflow_id, number)
    );
    CREATE TABLE labels (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        workflow_id INTEGER NOT NULL REFERENCES workflows (id),
        label TEXT NOT NULL,
        number INTEGER NOT NULL,
        UNIQUE (workflow_id, label)
    );
    CREATE TABLE external_ids (
        source TEXT NOT NULL,
        external_id TEXT NOT NULL,
        workflow_id INTEGER NOT NULL REFERENCES workflows (id),
        UNIQUE (source, external_id)
    );
    PRAGMA user_version = {_TABLES_VERSION};
"""
_TABLE_NAMES = {"runs", "nodes", "callbacks", "conversations", "workflows", "versions", "labels", "external_ids"}
_LARGEST_CHECKED = 256 * 1024 * 1024
_DAMAGED_ROW = "a row of the database is damaged"
_PAGES_IN_LOG = 200
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


class UnusableDatabase(Exception):
    """The database file can't be opened, written or understood. Its text is one line for a person."""


class DatabaseFailed(Exception):
    """The open database could not be read or written. Its text is one line for a person.

    Attributes:
        is_damaged: Whether trying again is of no use.
    """

    def __init__(self, words: str, *, is_damaged: bool) -> None:
        super().__init__(words)
        self.is_damaged = is_damaged


@contextmanager
def failures_told() -> Iterator[None]:
    """Raise `DatabaseFailed` for whatever SQLite raises, and for a row that nobody here can have written."""
    try:
        yield
    except sqlite3.Error as error:
        # A text that is no UTF-8 has no code, and stands in the error's words.
        code = getattr(error, "sqlite_errorcode", None)
        words = _DAMAGED_ROW if code is None else str(error)
        raise DatabaseFailed(words, is_damaged=code is None or code & _PRIMARY_CODE not in _PASSING) from None
    except (ValueError, TypeError, LookupError):
        raise DatabaseFailed(_DAMAGED_ROW, is_damaged=True) from None


class Database:
    """The open file."""

    def __init__(self, path: str) -> None:
        """Open or create the database at `path`.

        Raises:
            UnusableDatabase: It can't be written, is damaged or another program's, or another server has it open.
        """
        try:
            _refuse_special(path)
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
        # A log of the usual 4 MB can fill a small disk by itself.
        execute(f"PRAGMA wal_autocheckpoint = {_PAGES_IN_LOG}")
        if execute("SELECT count(*) FROM sqlite_schema").fetchone() == (0,):
            execute("PRAGMA journal_mode = WAL")
            self._connection.executescript(f"BEGIN IMMEDIATE;{_TABLES}{_WORKFLOW_TABLES}COMMIT;")
        elif self._owner() == (_APPLICATION_ID, 1):
            # The first version kept no workflows.
            self._connection.executescript(f"BEGIN IMMEDIATE;{_WORKFLOW_TABLES}COMMIT;")
        if self._owner() != (_APPLICATION_ID, _TABLES_VERSION):
            raise sqlite3.DatabaseError("it belongs to another program or to another version of this one")
        self._refuse_damaged()
        # A read alone takes neither the write lock nor notices a read-only file.
        execute("BEGIN IMMEDIATE")
        execute(f"PRAGMA user_version = {_TABLES_VERSION}")
        execute("COMMIT")

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

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(sqlite3.Error):
            self._connection.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        self._roll_back()
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield self._connection
            self._connection.execute("COMMIT")
        except BaseException:
            # A rollback that fails as well is made up for before the next transaction.
            with contextlib.suppress(sqlite3.Error):
                self._roll_back()
            raise

    @failures_told()
    def rows(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Return what a query finds.

        Raises:
            DatabaseFailed: The database can't be read.
        """
        return self._connection.execute(query, values).fetchall()

    def give_space_back(self) -> None:
        """Empty the write-ahead log, which may be what the disk is full of."""
        with contextlib.suppress(sqlite3.Error):
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

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


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or " ".join(str(error).split())
