"""Going through lists page by page: which page to ask for, and when to stop. Sends nothing itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from workflow_runs_api.errors import BadArgument

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Paging"]

T = TypeVar("T")


class Paging(Generic[T]):
    """The pages of one list, from the one that the question names.

    A service that says of each page that another one follows is believed as long as its pages hold something.

    Attributes:
        question: The arguments to ask for the next page with.
        has_more: Whether there may be another page that is wanted.
    """

    def __init__(self, operation: str, question: dict[str, Any], limit: int | None) -> None:
        if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or limit < 0):
            raise BadArgument("expected a number that is not below 0, or None", field="limit", operation=operation)
        self.question = {"page": 1, **question}
        self._left = limit
        self.has_more = limit != 0

    def read(self, items: Sequence[T], *, is_last: bool) -> Sequence[T]:
        """Return what is wanted of a page."""
        wanted = items if self._left is None else items[: self._left]
        if self._left is not None:
            self._left -= len(wanted)
        self.has_more = bool(items) and not is_last and self._left != 0
        self.question["page"] += 1
        return wanted
