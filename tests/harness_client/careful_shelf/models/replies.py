"""What only replies hold."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from attrs import define

from careful_shelf.types import UNSET, Unset

from .book import Book
from .record import Record


@define
class BookPage(Record):
    """A page of books."""

    books: list[Book]
    next_: str | Unset | None = UNSET

    readers: ClassVar[Mapping[str, Callable[[Any], Any]]] = {"books": Book.list_from}


@define
class SearchPending(Record):
    """A search that goes on."""

    ticket: int


@define
class OpenDay(Record):
    """A day on which the shelf is open; the time is text, since Python's times lose some."""

    opens: str
    rooms: int | Unset = UNSET


@define
class ClosedDay(Record):
    """A day on which it is closed."""

    opens: None
    reason: str


@define
class Problem(Record):
    """Why something was refused."""

    message: str
    detail: Any = UNSET
