"""The Interactly clients: the contract's operations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflow_runs_api.api.interactly import AsyncInteractlyOperations, InteractlyOperations

from .paging import Paging
from .settings import Configured, Http

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from typing import Any, Literal, Unpack  # noqa: F401 - what the bases below name

    import httpx  # noqa: F401

    from workflow_runs_api.api.interactly.list_workflow_runs import Keywords as Filters
    from workflow_runs_api.models import WorkflowRunPage, WorkflowRunRecord

__all__ = ["AsyncInteractly", "Interactly"]

_SIZE = 100  # of a page, if none is asked for


class _Interactly(Configured[Http]):
    """Only a QA address is documented, and nobody should land there by accident: the address has no default."""

    _service = "INTERACTLY"
    _production = None


class Interactly(_Interactly["httpx.Client"], InteractlyOperations):
    """A client for Interactly: key from `INTERACTLY_API_KEY`, address from `INTERACTLY_BASE_URL` if not given.

    Example:
        >>> with Interactly(api_key="key", base_url="https://api-qa.interactly.ai/workflows") as client:
        ...     client.base_url
        'https://api-qa.interactly.ai/workflows'
    """

    def iter_workflow_runs(
        self, *, limit: int | None = None, **filters: Unpack[Filters]
    ) -> Iterator[WorkflowRunRecord]:
        """Go through the runs of all pages; a page is asked for when its first run is wanted.

        Args:
            limit: Runs at most. Default: all.
            filters: Those of `list_workflow_runs`; `page` is where to begin.

        Raises:
            BadArgument: An argument makes no sense; said when the first run is wanted.
            WorkflowRunsError: Asking failed, see `list_workflow_runs`.

        Example:
            >>> [record.workflow_run.status for record in client.iter_workflow_runs(limit=10)]
            ['completed']
        """
        pages: Paging[WorkflowRunRecord] = Paging("iter_workflow_runs", {**filters}, limit)
        while pages.has_more:
            page = self.list_workflow_runs(**pages.question)
            yield from pages.read(page.workflow_runs, is_last=_is_last(page, pages.question))


class AsyncInteractly(_Interactly["httpx.AsyncClient | Literal['aiohttp']"], AsyncInteractlyOperations):
    """The same for asyncio: its methods are awaited, and it is closed by `async with` or `aclose()`."""

    async def iter_workflow_runs(
        self, *, limit: int | None = None, **filters: Unpack[Filters]
    ) -> AsyncIterator[WorkflowRunRecord]:
        """Go through the runs of all pages. See `Interactly.iter_workflow_runs`."""
        pages: Paging[WorkflowRunRecord] = Paging("iter_workflow_runs", {**filters}, limit)
        while pages.has_more:
            page = await self.list_workflow_runs(**pages.question)
            for record in pages.read(page.workflow_runs, is_last=_is_last(page, pages.question)):
                yield record


def _is_last(page: WorkflowRunPage, question: dict[str, Any]) -> bool:
    """Go by the total; a service that tells none has its say by an empty page."""
    size = question.get("size") or _SIZE
    return isinstance(page.total, int) and question["page"] * size >= page.total
