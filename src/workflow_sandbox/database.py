"""The seam to where everything is kept: a file of SQLite's, or a PostgreSQL database that several processes share.

The store writes SQL that both understand, with `?` for a value and `RETURNING` for what the database has made up.
"""

import functools
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, ParamSpec, Protocol, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

POSTGRES_SCHEMES = ("postgresql://", "postgres://")
DAMAGED_ROW = "a row of the database is damaged"


class UnusableDatabase(Exception):
    """The database can't be opened, written or understood. Its text is one line for a person."""


class DatabaseFailed(Exception):
    """The open database could not be read or written. Its text is one line for a person.

    Attributes:
        is_damaged: Whether trying again is of no use.
    """

    def __init__(self, words: str, *, is_damaged: bool) -> None:
        super().__init__(words)
        self.is_damaged = is_damaged


class Database(Protocol):
    """An open database, used by the event loop's thread alone. Every method but `close` may raise `DatabaseFailed`."""

    is_shared: bool
    """Whether other processes may change what is in it."""

    def rows(self, query: str, values: Sequence[object] = (), *, flushed: bool = False) -> list[tuple[Any, ...]]:
        """Carry out one statement, by itself a transaction, and return the rows that it gives.

        Whether it is `flushed` tells where a database may forget it when it crashes itself; a transaction always is.
        """

    def transaction(self) -> AbstractContextManager[None]:
        """Have the statements of a `with` block take effect all together, or not at all if it raises."""

    def alone(self) -> AbstractContextManager[None]:
        """Keep every other process out of such a `with` block: what is read there can be decided by."""

    def claim(self, run_id: int) -> bool:
        """Return whether a run is this process's to execute; one whose process is gone becomes so."""

    def take_over(self) -> list[int] | None:
        """Return some runs with something left to be done that no process goes on with; this one has to from now on.

        None if there can't be more of them, now and later.
        """

    def recover(self) -> None:
        """Do what may end an outage: make space, or connect again."""

    def close(self) -> None:
        """Let go of it."""


def open_database(where: str) -> Database:
    """Open or create the database at a path, or at a `postgresql://` URL.

    Raises:
        UnusableDatabase: It can't be written, is damaged or another program's, or another server has the file open.
    """
    # Late, since both modules need this one.
    if not where.startswith(POSTGRES_SCHEMES):
        from workflow_sandbox.sqlite_database import SqliteDatabase  # noqa: PLC0415

        return SqliteDatabase(where)
    try:
        from workflow_sandbox.postgres_database import PostgresDatabase  # noqa: PLC0415
    except ImportError:
        words = 'PostgreSQL needs a driver: pip install "workflow-runs[sandbox,postgres]"'
        raise UnusableDatabase(words) from None
    return PostgresDatabase(where)


def damage_told(method: Callable[P, T]) -> Callable[P, T]:
    """Have a method raise `DatabaseFailed` for a row that nobody here can have written."""

    @functools.wraps(method)
    def told(*values: P.args, **named: P.kwargs) -> T:
        try:
            return method(*values, **named)
        except (ValueError, TypeError, LookupError):
            raise DatabaseFailed(DAMAGED_ROW, is_damaged=True) from None

    return told
