"""What is believed of a ledger's file: whether it is one, and whether all that was written into it is still there.

Each row carries a hash of all its values, and the batch says how many rows there are. So whatever is damaged, cut off
or written by somebody else is found, and nothing is started on its word.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import stat
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from workflow_runs_api.errors import BadArgument, WorkflowRunsError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "APPLICATION_ID",
    "COLUMNS",
    "TABLES",
    "VERSION",
    "Batch",
    "KeyIsTaken",
    "LedgerError",
    "LedgerInUse",
    "Row",
    "checked_batch",
    "checked_path",
    "checked_row",
    "checked_rows",
    "exists",
    "reporting",
    "seal",
]

# "wfrb" and the version of the tables: another program's file is refused, not written to.
APPLICATION_ID: Final = 0x77667262
VERSION: Final = 2
_BATCH_TABLE = """CREATE TABLE batch (
    base_url TEXT NOT NULL, salt BLOB NOT NULL, total INTEGER NOT NULL, seal BLOB NOT NULL
)"""
_ITEMS_TABLE = """CREATE TABLE items (
    position INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, digest BLOB NOT NULL, state TEXT NOT NULL,
    execution_id TEXT, reason TEXT, result TEXT, seal BLOB NOT NULL
)"""
TABLES: Final = (_BATCH_TABLE, _ITEMS_TABLE)
_PRIMARY: Final = 0xFF  # the part of an error code that names its kind
_IN_USE: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_OF_THE_SYSTEM: Final = frozenset(
    {
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_READONLY,
    }
)
_STATES: Final = frozenset({"new", "begun", "started", "succeeded", "failed", "refused", "in_doubt"})
_REMEDY = (
    "nothing was started; bring a copy back, or look in the dashboard for what has run and begin a new ledger with the"
    " rest"
)


class LedgerError(WorkflowRunsError):
    """The ledger can't be read or written, or is no ledger. Nothing was started without it."""


class LedgerInUse(LedgerError):
    """Another process, or another loop of this one, goes on with this batch."""


class KeyIsTaken(LedgerError):
    """Another item has the key."""


class Batch(NamedTuple):
    """What a ledger says of its batch."""

    base_url: str
    salt: bytes
    total: int


class Row(NamedTuple):
    """What a ledger says of an item, see `Entry`; `digest` is of what is run, `result` JSON text."""

    position: int
    key: str
    digest: bytes
    state: str = "new"
    execution_id: str | None = None
    reason: str | None = None
    result: str | None = None


COLUMNS: Final = ", ".join(Row._fields)


def checked_path(ledger: Any) -> str:
    """Return the path of a ledger.

    Raises:
        BadArgument: it is no path, or one that SQLite takes for a database that is kept nowhere.
    """
    try:
        path = os.fsdecode(ledger)
    except TypeError:
        raise BadArgument("expected the path of a file", field="ledger") from None
    if not path or "\0" in path or path == ":memory:" or path.startswith("file:"):
        raise BadArgument(f"expected the path of a file, which keeps what was begun, got {path!r}", field="ledger")
    return path


def exists(path: str) -> bool:
    """Return whether there is a file that may be a ledger.

    Raises:
        LedgerError: there is something else.
    """
    try:
        found = Path(path).stat()
    except FileNotFoundError:
        if Path(path).is_symlink():
            raise LedgerError(f"the ledger {path} is a link that leads nowhere; {_REMEDY}") from None
        return False
    except OSError as error:
        raise _unusable(path, error) from None
    if not stat.S_ISREG(found.st_mode):
        kind = "a directory" if stat.S_ISDIR(found.st_mode) else "a device or a pipe, which keeps nothing"
        raise LedgerError(f"the ledger {path} is {kind}; name a file")
    if not found.st_size:
        raise LedgerError(
            f"the ledger {path} is empty, and may have lost what was begun; {_REMEDY}, or name a new file"
        )
    return True


def checked_batch(path: str, connection: sqlite3.Connection) -> Batch:
    """Return what a ledger says of its batch, if it is whole.

    Raises:
        LedgerError: it is no ledger, of another version, or damaged.
    """
    kind, version = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version"))
    if kind != APPLICATION_ID:
        raise LedgerError(f"{path} is no ledger of a batch; name another file for the ledger")
    if version != VERSION:
        words = f"the ledger {path} is of another version ({version}, this is {VERSION}) of workflow-runs"
        raise LedgerError(f"{words}: finish the batch with that one")
    if connection.execute("PRAGMA integrity_check(1)").fetchone() != ("ok",):
        raise _damaged(path)
    tables = connection.execute("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid").fetchall()
    found = connection.execute("SELECT base_url, salt, total, seal FROM batch").fetchall()
    if [text for (text,) in tables] != [*TABLES] or len(found) != 1:
        raise _damaged(path)
    *values, sealed = found[0]
    batch = Batch(*values)
    if not isinstance(batch.salt, bytes) or not batch.salt or seal(batch, batch.salt) != sealed:
        raise _damaged(path)
    return batch


def checked_rows(path: str, connection: sqlite3.Connection, batch: Batch) -> Iterator[Row]:
    """Return all rows in order, each as it was written.

    Raises:
        LedgerError: one isn't, or they are not as many as the batch says.
    """
    number = 0
    query = f"SELECT {COLUMNS}, seal FROM items ORDER BY position"  # noqa: S608 - our own names
    with closing(connection.execute(query)) as found:
        for values in found:
            row = checked_row(path, values, batch.salt)
            if row.position != number or row.state not in _STATES:
                raise _damaged(path)
            number += 1
            yield row
    if number != batch.total:
        raise _damaged(path)


def checked_row(path: str, values: tuple[Any, ...], salt: bytes) -> Row:
    """Return a row as it was written.

    Raises:
        LedgerError: it isn't.
    """
    row = Row(*values[:-1])
    if seal(row, salt) != values[-1]:
        raise _damaged(path)
    return row


def seal(values: tuple[Any, ...], salt: bytes) -> bytes:
    """Return a hash of a row, whatever has become of its values."""
    text = repr(tuple(values)).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(text, key=salt[:64], digest_size=16).digest()


def _damaged(path: str) -> LedgerError:
    return LedgerError(f"the ledger {path} is damaged, and can't tell what was begun; {_REMEDY}")


def _unusable(path: str, error: Exception) -> LedgerError:
    return LedgerError(f"the ledger {path} can't be used: {getattr(error, 'strerror', None) or error}")


@contextmanager
def reporting(path: str) -> Iterator[None]:
    """Raise errors of SQLite and of the system as ours.

    Raises:
        LedgerInUse: Another process has the ledger open.
        LedgerError: It can't be used.
    """
    try:
        yield
    except sqlite3.IntegrityError:
        raise KeyIsTaken(f"the ledger {path} has an item with this key already") from None
    except UnicodeError:
        # Not even SQLite's own words can be read where the name of a table is damaged.
        raise _damaged(path) from None
    except sqlite3.Error as error:
        # Without a code: Python could not read a value, whose text stands in the error.
        code = getattr(error, "sqlite_errorcode", _PRIMARY) & _PRIMARY
        if code in _IN_USE:
            words = f"the ledger {path} is open already: another process or loop goes on with this batch"
            raise LedgerInUse(words) from None
        if code in _OF_THE_SYSTEM:
            raise _unusable(path, error) from None
        if code == sqlite3.SQLITE_NOTADB:
            raise LedgerError(f"{path} is no ledger of a batch; name another file for the ledger") from None
        raise _damaged(path) from None
    except OSError as error:
        raise _unusable(path, error) from None
