"""Going through lists page by page: which page to ask for, and when to stop. Sends nothing itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from workflow_runs_api.errors import BadArgument
from workflow_runs_api.types import UNSET

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workflow_runs_api.models import WorkflowPage, WorkflowRunPage, WorkflowRunRecord, WorkflowSummary

__all__ = ["RunPages", "WorkflowPages"]

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
        self.question = {"page": 1, **{name: value for name, value in question.items() if value is not UNSET}}
        self._left = limit
        self.has_more = limit != 0

    def _wanted(self, items: Sequence[T], *, is_last: bool) -> Sequence[T]:
        wanted = items if self._left is None else items[: self._left]
        if self._left is not None:
            self._left -= len(wanted)
        self.has_more = bool(items) and not is_last and self._left != 0
        self.question["page"] += 1
        return wanted


class WorkflowPages(Paging["WorkflowSummary"]):
    """The pages of PromptLayer's workflows, each of which says whether another one follows."""

    def read(self, page: WorkflowPage) -> Sequence[WorkflowSummary]:
        """Return what is wanted of a page."""
        return self._wanted(page.items, is_last=not page.has_next)


class RunPages(Paging["WorkflowRunRecord"]):
    """The pages of Interactly's runs. Goes by the total; a service that tells none has its say by an empty page."""

    _reached: int | None = None

    def read(self, page: WorkflowRunPage) -> Sequence[WorkflowRunRecord]:
        """Return what is wanted of a page; how many runs are on one, the service decides."""
        length = len(page.workflow_runs)
        before = (self.question["page"] - 1) * length if self._reached is None else self._reached
        self._reached = before + length
        return self._wanted(page.workflow_runs, is_last=isinstance(page.total, int) and self._reached >= page.total)
