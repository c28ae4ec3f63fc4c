"""What stands for absence. A module of its own, so that a client is imported without what only a call needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from typing import Self

__all__ = ["UNSET", "Unset"]


class Unset:
    """The type of `UNSET`: a member or parameter that is absent, which is not the same as null."""

    __slots__ = ()
    _only: Unset | None = None

    def __new__(cls) -> Self:
        """The one object of this class."""
        if cls._only is None:
            cls._only = super().__new__(cls)
        return cls._only  # type: ignore[return-value]

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "UNSET"

    def __reduce__(self) -> str:
        # A name instead of a recipe: copies and pickles give back this very object, so that `is UNSET` stays true.
        return "UNSET"


UNSET: Final = Unset()
