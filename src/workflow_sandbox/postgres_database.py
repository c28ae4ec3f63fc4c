"""Everything in a PostgreSQL database that several processes share, on one machine or on many.

Each process has one session, and a number whose advisory lock the session holds. When the process is gone, PostgreSQL
ends the session and frees the lock, and the others take its runs over: there is no lease to renew, and none that
runs out on a process that is only slow. A process that hangs but lives keeps its runs.

What a response promises, and what became of a node, is flushed to disk, if the server is set so. That a node has begun
and that a callback was posted is not: a crash of PostgreSQL itself can forget it, and the callback comes again.
"""

import functools
import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.resources import files
from typing import Any, Final

import psycopg
from psycopg.conninfo import make_conninfo

from workflow_sandbox.database import DatabaseFailed, UnusableDatabase

_TABLES_VERSION: Final = 2
_FROM_OLDER: Final = """
    ALTER TABLE nodes ADD COLUMN ended INTEGER NOT NULL DEFAULT 0; UPDATE workflow_sandbox SET tables_version = 2
"""
_TAKEN_AT_ONCE: Final = 20
_SECONDS_BETWEEN_CONNECTS: Final = 2.0
# A machine that has gone without a word is noticed by both sides within half a minute.
_CLIENT: Final[dict[str, Any]] = {
    "connect_timeout": 5,
    "client_encoding": "utf8",
    "application_name": "workflow-sandbox",
    "keepalives_idle": 5,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
_SERVER: Final = """
    SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3;
    SET tcp_user_timeout = 20000; SET lock_timeout = '5s'; SET statement_timeout = '30s'; SET synchronous_commit = off;
"""
# What is there twice already was another process's a moment earlier: who tries again sees it.
_PASSING: Final = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    psycopg.IntegrityError,
    psycopg.errors.ReadOnlySqlTransaction,
)
_LOCK: Final = "('workers'::regclass::oid::integer, %s)"
_ALONE: Final = 0  # no process has this number
_GONE: Final = """
    SELECT id FROM workers WHERE NOT EXISTS (
        SELECT FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2 AND granted
        AND classid = 'workers'::regclass::oid AND objid = workers.id::oid
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    )
"""
_OPEN: Final = """
    SELECT run_id FROM nodes WHERE status IN ('QUEUED', 'RUNNING')
    UNION SELECT run_id FROM callbacks WHERE state = 'pending'
"""
# It compares with the number of who is gone: whoever comes second finds none of these runs any more.
_TAKE: Final = f"""
    UPDATE runs SET worker = DEFAULT WHERE worker = %s AND id IN (
        SELECT runs.id FROM runs JOIN ({_OPEN}) AS open ON run_id = runs.id WHERE worker = %s
        ORDER BY runs.id LIMIT {_TAKEN_AT_ONCE} FOR UPDATE OF runs SKIP LOCKED
    ) RETURNING id
"""  # noqa: S608 - words of our own
_RELEASE: Final = """
    WITH released AS (DELETE FROM holds WHERE worker = %s RETURNING id)
    DELETE FROM held WHERE hold_id IN (SELECT id FROM released)
"""
_FORGET: Final = f"""
    DELETE FROM workers WHERE id = %s AND NOT EXISTS (
        SELECT FROM runs JOIN ({_OPEN}) AS open ON run_id = runs.id WHERE worker = workers.id
    )
"""  # noqa: S608 - words of our own


class PostgresDatabase:
    """An open session."""

    is_shared = True

    def __init__(self, url: str) -> None:
        """Open the database at `url`, and create the tables if it has none.

        Raises:
            UnusableDatabase: It can't be reached or written, or another program's tables are in it.
        """
        # It tells of rollbacks on lost connections, which `DatabaseFailed` has told by then.
        logging.getLogger("psycopg").setLevel(logging.ERROR)
        self._url = url
        self._connects_again = 0.0
        try:
            self._connect()
        except psycopg.ProgrammingError as error:
            # What libpq can't read may be quoted by it, and hold a password.
            words = _words(error) if error.sqlstate else "its URL makes no sense"
            raise UnusableDatabase(f"cannot use the PostgreSQL database: {words}") from None
        except psycopg.Error as error:
            raise UnusableDatabase(f"cannot use the PostgreSQL database: {_words(error)}") from None

    def _connect(self) -> None:
        self._connection = psycopg.connect(make_conninfo(self._url, **_CLIENT), autocommit=True)
        try:
            self._connection.execute(_SERVER)
            self._prepare()
            self._enter()
        except BaseException:
            self._connection.close()
            raise

    def _prepare(self) -> None:
        execute = self._connection.execute
        # Two processes that start at a time would both create the tables.
        with self._connection.transaction():
            execute("SET LOCAL lock_timeout = '60s'; SELECT pg_advisory_xact_lock(hashtext('workflow_sandbox'))")
            if execute("SELECT to_regclass('workflow_sandbox')").fetchone() == (None,):
                execute(files("workflow_sandbox").joinpath("postgres_tables.sql").read_bytes())
            version = "SELECT tables_version FROM workflow_sandbox"
            if execute(version).fetchone() == (_TABLES_VERSION - 1,):
                execute(_FROM_OLDER)
            if execute(version).fetchone() != (_TABLES_VERSION,):
                raise psycopg.NotSupportedError("its tables are of another version of this program")

    def _enter(self) -> None:
        execute = self._connection.execute
        with self._connection.transaction():
            # Nobody sees the number before it is locked.
            found = execute("INSERT INTO workers DEFAULT VALUES RETURNING id").fetchone()
            assert found is not None
            self._number = int(found[0])
            execute(f"SELECT pg_advisory_lock{_LOCK}".encode(), (self._number,))
        execute("SELECT set_config('workflow_sandbox.worker', %s, false)", (str(self._number),))

    def rows(self, query: str, values: Sequence[object] = (), *, flushed: bool = False) -> list[tuple[Any, ...]]:
        """Carry out one statement and return the rows that it gives."""
        if flushed:
            with self.transaction():
                return self.rows(query, values)
        try:
            cursor = self._connection.execute(_translated(query), values)
            return cursor.fetchall() if cursor.description else []
        except psycopg.Error as error:
            raise _failure(error) from None

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Have several statements take effect together, and flushed."""
        try:
            with self._connection.transaction():
                self._connection.execute("SET LOCAL synchronous_commit TO DEFAULT")
                yield
        except psycopg.Error as error:
            raise _failure(error) from None

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Wait for every other process to leave such a block; one that dies in it has left it."""
        self.rows(f"SELECT pg_advisory_lock{_LOCK}", (_ALONE,))
        try:
            yield
        finally:
            with suppress(DatabaseFailed):  # the lock is gone with the connection
                self.rows(f"SELECT pg_advisory_unlock{_LOCK}", (_ALONE,))

    def claim(self, run_id: int) -> bool:
        """Return whether a run is this process's to execute; one whose process is gone becomes so."""
        if self.rows("SELECT worker FROM runs WHERE id = ?", (run_id,)) == [(self._number,)]:
            return True
        take = f"UPDATE runs SET worker = DEFAULT WHERE id = ? AND worker IN ({_GONE}) RETURNING 1"  # noqa: S608 - ours
        return bool(self.rows(take, (run_id,)))

    def take_over(self) -> list[int] | None:
        """Return some runs of a process that is gone; its holds end with it."""
        for (gone,) in self.rows(f"{_GONE} ORDER BY id"):
            self.rows(_RELEASE, (gone,))
            if taken := self.rows(_TAKE, (gone, gone)):
                return sorted(run_id for (run_id,) in taken)
            self.rows(_FORGET, (gone,))
        return []

    def recover(self) -> None:
        """Connect again, under another number, if the connection is lost.

        What this process executes it goes on with, and takes over from its former self, unless another one does first;
        `Store.end_node` has both agree.
        """
        if self._connection.closed and time.monotonic() >= self._connects_again:
            self._connects_again = time.monotonic() + _SECONDS_BETWEEN_CONNECTS
            with suppress(psycopg.Error):
                self._connect()

    def close(self) -> None:
        """End the session; what is unfinished is for others to take over."""
        with suppress(psycopg.Error):
            self._connection.close()


@functools.cache
def _translated(query: str) -> bytes:
    return query.replace("?", "%s").encode()


def _failure(error: psycopg.Error) -> DatabaseFailed:
    return DatabaseFailed(_words(error), is_damaged=not isinstance(error, _PASSING))


def _words(error: psycopg.Error) -> str:
    return " ".join(str(error).split())[:300]
