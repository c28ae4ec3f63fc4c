"""What a batch must not forget, in one SQLite file: which items were begun, and what is known of each.

Every step is committed, and synced to the disk, before the next is taken: an item is noted as begun before its request
goes out. So after `kill -9` or a power cut each item is in a state that tells what may be done with it. The file is
locked while it is open, since two processes on one ledger would start items twice; the lock ends with its process.

Inputs and outputs are not kept: of an item the ledger holds its key, a keyed hash of what is run, its state, its
execution id and the words of its error.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import secrets
import sqlite3
import threading
from collections import Counter
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

from workflow_runs_api.errors import BadArgument, WorkflowRunsError

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator

    from workflow_runs_api.operation import Call

__all__ = ["Entry", "Ledger", "LedgerError", "LedgerInUse", "LedgerMismatch"]

# "wfrb" and the version of the tables: another program's file is refused, not written to.
_APPLICATION_ID: Final = 0x77667262
_TABLES_VERSION: Final = 1
_SECONDS_TO_GET_THE_LOCK = 0.5
_TABLES = f"""
    BEGIN IMMEDIATE;
    CREATE TABLE batch (base_url TEXT NOT NULL, salt BLOB NOT NULL);
    CREATE TABLE items (
        position INTEGER PRIMARY KEY,
        key TEXT NOT NULL UNIQUE,
        digest BLOB NOT NULL,
        state TEXT NOT NULL DEFAULT 'new',
        execution_id TEXT,
        reason TEXT
    );
    PRAGMA application_id = {_APPLICATION_ID};
    PRAGMA user_version = {_TABLES_VERSION};
"""
_INTERRUPTED = "the process ended after the item was begun and before a reply was noted"


class LedgerError(WorkflowRunsError):
    """The ledger can't be read or written, or is no ledger. Nothing was started without it."""


class LedgerInUse(LedgerError):
    """Another process, or another loop of this one, goes on with this batch."""


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
        path: The SQLite file; it is made if it doesn't exist. Not on a network drive: locks don't hold there.

    Raises:
        LedgerInUse: Another process has it open.
        LedgerError: It can't be opened or written, or is another program's.

    Example:
        >>> with Ledger("support.ledger") as ledger:
        ...     ledger.settle("ada", execution_id=None)  # looked in the dashboard: it has never run
        Traceback (most recent call last):
        workflow_runs_api.errors.BadArgument: key: no item in doubt has this key
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = str(path)
        self._lock = threading.Lock()
        self._salt = b""
        self._counts: Counter[str] = Counter()
        with self._reporting():
            self._connection = sqlite3.connect(
                path, timeout=_SECONDS_TO_GET_THE_LOCK, isolation_level=None, check_same_thread=False
            )
        try:
            with self._reporting():
                self._prepare()
        except BaseException:
            self._connection.close()
            raise

    def _prepare(self) -> None:
        # The lock comes with the first transaction, and stays until the file is closed. Somebody else's file is
        # recognised before anything is written.
        self._connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        self._connection.execute("BEGIN IMMEDIATE")
        found = [self._one(f"PRAGMA {name}") for name in ("application_id", "user_version")]
        empty = self._one("SELECT count(*) FROM sqlite_schema") == 0
        self._connection.execute("ROLLBACK")
        if found != [_APPLICATION_ID, _TABLES_VERSION] and not empty:
            raise LedgerError(f"{self._path} is no ledger of a batch, or one of another version")
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        if not empty:
            self._recover()

    def _recover(self) -> None:
        # Whoever held the lock before is gone: what it had begun and not noted is in doubt.
        self._write("UPDATE items SET state = 'in_doubt', reason = ? WHERE state = 'begun'", _INTERRUPTED)
        self._counts = Counter(dict(self._connection.execute("SELECT state, count(*) FROM items GROUP BY state")))

    def _one(self, query: str, *values: Any) -> Any:
        row = self._connection.execute(query, values).fetchone()
        return None if row is None else row[0]

    @contextmanager
    def _reporting(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            if "locked" in str(error):
                words = f"the ledger {self._path} is open already: another process or loop goes on with this batch"
                raise LedgerInUse(words) from None
            raise LedgerError(f"the ledger {self._path} can't be used: {error}") from None

    def _write(self, statement: str, *values: Any) -> int:
        with self._lock, self._reporting():
            return self._connection.execute(statement, values).rowcount

    def admit(self, base_url: str, items: Iterable[tuple[str, Call]]) -> None:
        """Note a new batch's items, by key and what is to be run; or check that they are those noted before.

        Raises:
            LedgerMismatch: They aren't.
            BadArgument: Two items have the same key.
        """
        if self._one("SELECT count(*) FROM sqlite_schema") == 0:
            self._note_batch(base_url, items)
        else:
            self._compare(base_url, items)
        self._recover()

    def _note_batch(self, base_url: str, items: Iterable[tuple[str, Call]]) -> None:
        self._salt = secrets.token_bytes(16)
        try:
            with self._reporting():
                self._connection.executescript(_TABLES)
                self._connection.execute("INSERT INTO batch VALUES (?, ?)", (base_url, self._salt))
                for position, (key, call) in enumerate(items):
                    self._insert(position, key, self._digest(call))
                self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    def _insert(self, position: int, key: str, digest: bytes) -> None:
        try:
            values = (position, key, digest)
            self._connection.execute("INSERT INTO items (position, key, digest) VALUES (?, ?, ?)", values)
        except sqlite3.IntegrityError:
            raise BadArgument(f"{key!r} is another item's key already", field=f"items[{position}].key") from None

    def _compare(self, base_url: str, items: Iterable[tuple[str, Call]]) -> None:
        noted_url, self._salt = self._connection.execute("SELECT base_url, salt FROM batch").fetchone()
        if noted_url != base_url:
            raise self._mismatch(f"its runs are at {noted_url}, not at {base_url}")
        query = "SELECT key, digest FROM items ORDER BY position"
        # Closed on the way out: a cursor that is left half read would keep the file locked.
        with closing(self._connection.execute(query)) as noted:
            for position, (item, row) in enumerate(itertools.zip_longest(items, noted)):
                self._compare_item(position, item, row)

    def _compare_item(self, position: int, item: tuple[str, Call] | None, row: tuple[str, bytes] | None) -> None:
        if item is None or row is None:
            number = "more" if item is None else "fewer"
            raise self._mismatch(f"it has {number} than {position} items")
        if (item[0], self._digest(item[1])) != row:
            which = "other arguments" if item[0] == row[0] else f"the key {row[0]!r}"
            raise self._mismatch(f"item {position} (key {item[0]!r}) has {which} there")

    def _digest(self, call: Call) -> bytes:
        # Keyed, so that the hashes of two ledgers can't be compared.
        text = json.dumps([call.path, call.body], sort_keys=True, separators=(",", ":"))
        return hashlib.blake2b(text.encode("ascii"), key=self._salt, digest_size=16).digest()

    def _mismatch(self, difference: str) -> LedgerMismatch:
        words = f"the ledger {self._path} is not of this batch: {difference}; a changed batch needs a ledger of its own"
        return LedgerMismatch(words)

    def entry(self, position: int, call: Call) -> Entry:
        """What is known of an item, by its place.

        Raises:
            LedgerMismatch: What is to be run there has changed since the batch was admitted.
        """
        with self._lock, self._reporting():
            row = self._connection.execute(
                "SELECT key, state, execution_id, reason, digest FROM items WHERE position = ?", (position,)
            ).fetchone()
        if row is None or row[4] != self._digest(call):
            raise self._mismatch(f"item {position} has changed while the batch was running")
        key, state, execution_id, reason, _ = row
        return Entry(position, key, state, None if execution_id is None else int(execution_id), reason)

    def note(self, entry: Entry, state: str, *, execution_id: int | None = None, reason: str | None = None) -> Entry:
        """Note an item's new state, synced to the disk when this returns.

        Raises:
            LedgerError: It could not be noted.
        """
        execution_id = entry.execution_id if execution_id is None else execution_id
        noted = entry._replace(state=state, execution_id=execution_id, reason=reason)
        statement = "UPDATE items SET state = ?, execution_id = ?, reason = ? WHERE position = ?"
        self._write(statement, state, _text(execution_id), _text(reason), noted.position)
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
        state = "new" if execution_id is None else "started"
        statement = "UPDATE items SET state = ?, execution_id = ?, reason = NULL WHERE key = ? AND state = 'in_doubt'"
        noted = self._one("SELECT count(*) FROM sqlite_schema") and self._write(
            statement, state, _text(execution_id), key
        )
        if not noted:
            raise BadArgument("no item in doubt has this key", field="key")
        self._recover()

    def counts(self) -> dict[str, int]:
        """Number of items in each state that any item is in."""
        with self._lock:
            return {state: number for state, number in self._counts.items() if number}

    def close(self) -> None:
        """Close the file and give the lock back."""
        with self._lock:
            self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _text(value: object) -> str | None:
    # SQLite takes neither an integer beyond 64 bits nor half a surrogate pair, and a service may send both.
    return None if value is None else str(value).encode("utf-8", "backslashreplace").decode()
