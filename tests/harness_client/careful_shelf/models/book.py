"""Books, and who has written them."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from attrs import define

from careful_shelf.types import UNSET, Unset

from .record import Record


@define
class Author(Record):
    """An author."""

    name: str
    born: int | Unset | None = UNSET


@define
class BookNotes(Record):
    """Notes by their headings."""


@define
class Book(Record):
    """A book."""

    title: str
    pages: int | Unset | None = UNSET
    genre: str | Unset = UNSET
    isbn: str | Unset = UNSET
    price: float | Unset = UNSET
    draft: bool | Unset = UNSET
    notes: BookNotes | Unset = UNSET
    authors: list[Author] | Unset = UNSET
    owner: str | Unset = UNSET
    library: str | Unset = UNSET

    readers: ClassVar[Mapping[str, Callable[[Any], Any]]] = {
        "notes": BookNotes.from_dict,
        "authors": Author.list_from,
    }
