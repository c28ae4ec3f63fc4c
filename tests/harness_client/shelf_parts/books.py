"""Data of the shelf."""

from __future__ import annotations

from dataclasses import dataclass

from .words import Genre  # noqa: TC001 - for typing.get_type_hints


@dataclass(frozen=True)
class BookData:
    """A book."""

    title: str
    genre: Genre | None = None
