"""The Interactly clients: the contract's operations, and waiting for a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflow_runs_api.api.interactly import AsyncInteractlyOperations, InteractlyOperations

from .both_forms import at_once
from .candidates import RunCandidate, candidates
from .paging import RunPages
from .settings import Http
from .waiting_client import WaitingClient, started_and_waited, waited

if TYPE_CHECKING:
    import datetime
    from collections.abc import AsyncIterator, Callable, Iterator
    from typing import Any, Literal, Unpack  # noqa: F401 - what the bases below name

    import httpx  # noqa: F401

    from workflow_runs_api.api.interactly.execute_workflow import Keywords
    from workflow_runs_api.api.interactly.list_workflow_runs import Keywords as Filters
    from workflow_runs_api.models import InteractiveRun, WorkflowRun, WorkflowRunRecord

    from .outcome import Progress
    from .waiting import Cancellation

__all__ = ["AsyncInteractly", "Interactly"]

_HOUR = 3600.0
_SLACK = 600.0


class _Interactly(WaitingClient[Http]):
    """Only a QA address is documented, and nobody should land there by accident: the address has no default."""

    _service = "INTERACTLY"
    _production = None


async def _wait(
    client: Interactly | AsyncInteractly, run: WorkflowRun | InteractiveRun | str, *, until_input: bool, **how: Any
) -> WorkflowRun:
    # Loaded here, since it needs the models and with them attrs, which a script may never use.
    from .interactly_question import WorkflowRunQuestion

    outgoing = client._question  # noqa: SLF001 - our own kind
    return await waited(client, WorkflowRunQuestion(run, outgoing, until_input=until_input), **how)


async def _run_and_wait(
    client: Interactly | AsyncInteractly, workflow_id: str, arguments: Keywords, *, until_input: bool, **how: Any
) -> WorkflowRun:
    def start() -> Any:
        return client.execute_workflow(workflow_id, **arguments)

    def wait(run: WorkflowRun | InteractiveRun) -> Any:
        return client.wait(run, until_input=until_input, **how)

    def name_of(run: WorkflowRun | InteractiveRun) -> str:
        from .interactly_question import name_of_run

        return name_of_run(run)

    return await started_and_waited(client, start, wait, name_of, **how)


class Interactly(_Interactly["httpx.Client"], InteractlyOperations):
    """A client for Interactly: key from `INTERACTLY_API_KEY`, address from `INTERACTLY_BASE_URL` if not given.

    Example:
        >>> with Interactly(api_key="key", base_url="https://api-qa.interactly.ai/workflows") as client:
        ...     client.base_url
        'https://api-qa.interactly.ai/workflows'
    """

    def wait(
        self,
        run: WorkflowRun | InteractiveRun | str,
        *,
        until_input: bool = False,
        deadline: float = _HOUR,
        on_progress: Callable[[Progress], object] | None = None,
        cancelled: Cancellation | None = None,
    ) -> WorkflowRun:
        """Read a workflow run until it has ended, and return it.

        It has ended when it is completed, failed, cancelled or aborted_looping_risk; a status that nobody knows yet
        means that it goes on. Reading it does not move it: a run that is paused, or that waits for its user, needs a
        further `execute_workflow`, of this or another program. When questions are asked, and which are asked again,
        is the same as for `PromptLayer.wait`.

        Args:
            run: What `execute_workflow` returned, in either form, or the id of the run.
            until_input: Whether the wait ends, too, when the run waits for its user; see the status of what is
                returned.
            deadline: Seconds to wait at most. Default: an hour.
            on_progress: Is called with a `Progress` after every question that leaves the run going on. What it raises
                ends the wait.
            cancelled: Ends the wait, even in the middle of a pause, as soon as it is set: a `threading.Event`, for the
                asyncio client an `asyncio.Event`.

        Raises:
            RunFailed: The run is failed, cancelled or aborted_looping_risk; `run` has all of it.
            WaitTimeout: The deadline came first. The run goes on.
            WaitCancelled: `cancelled` was set first. The run goes on.
            BadArgument: An argument makes no sense; nothing was asked.
            WorkflowRunsError: Asking failed, see `get_workflow_run`; `may_have_run` is true, since the run was
                started before.

        Example:
            >>> client.wait("5eb7cf5a86d9755df3a6c594", deadline=600, on_progress=print).status
            'completed'
        """
        how = {"deadline": deadline, "on_progress": on_progress, "cancelled": cancelled}
        return at_once(_wait(self, run, until_input=until_input, **how))

    def run_and_wait(
        self,
        workflow_id: str,
        *,
        until_input: bool = False,
        deadline: float = _HOUR,
        on_progress: Callable[[Progress], object] | None = None,
        cancelled: Cancellation | None = None,
        **arguments: Unpack[Keywords],
    ) -> WorkflowRun:
        """Execute a workflow and wait for the run. Takes the arguments of `execute_workflow`, and how to wait.

        An error from after the start has `may_have_run` true and names the run: wait for it, don't start again. What is
        none of this library's errors (from `on_progress`, or Ctrl-C) has the run in a note.

        Args:
            workflow_id: Id of the workflow.
            until_input: Whether the wait ends, too, when the run waits for its user.
            deadline: Seconds to wait at most, once the run is started. Default: an hour.
            on_progress: Is called with a `Progress` after every question that leaves the run going on.
            cancelled: Ends the wait, not the run, as soon as it is set: a `threading.Event`, for the asyncio client an
                `asyncio.Event`.
            arguments: Those of `execute_workflow`.

        Raises:
            RunFailed: The run is failed, cancelled or aborted_looping_risk; `run` has all of it.
            WaitTimeout: The deadline came first. The run goes on.
            WaitCancelled: `cancelled` was set first. The run goes on.
            BadArgument: An argument makes no sense; nothing was started.
            WorkflowRunsError: Starting or asking failed, see `execute_workflow` and `wait`.

        Example:
            >>> run = client.run_and_wait("5eb7cf5a86d9755df3a6c593", dynamic_variables={"customer_name": "Ada"})
            >>> run.status
            'completed'
        """
        how = {"deadline": deadline, "on_progress": on_progress, "cancelled": cancelled}
        return at_once(_run_and_wait(self, workflow_id, arguments, until_input=until_input, **how))

    def find_run_in_doubt(
        self, workflow_id: str, *, sent_at: datetime.datetime, slack: float = _SLACK, **arguments: Unpack[Keywords]
    ) -> list[RunCandidate]:
        """Return the runs that an `execute_workflow` in doubt may have started, each with its reasons.

        It lists the workflow's runs of the time in question and reads each of them; nothing is started, and nothing
        guessed: which of them it is, if any, is for you to say. Then wait for that one. If several agree in
        everything, give each start something of its own, in `miscellaneous` for instance. An empty list is no proof
        that nothing has started: the run may not be listed yet, or the clocks differ by more than `slack`. A request
        that names a run, with `workflow_run_id` or `run_id`, can have moved that one alone; it is compared with the
        inputs of that run.

        Args:
            workflow_id: Id of the workflow, as it was executed.
            sent_at: When the request went out: `sent_at` of the error. With a time zone.
            slack: Seconds that the service's time of the run may be from `sent_at`, either way. Default: 600.
            arguments: Those of `execute_workflow`, as they were given.

        Returns:
            The candidates. First those of which the least differs, among these those of which the most agrees.

        Raises:
            BadArgument: An argument makes no sense; nothing was asked.
            WorkflowRunsError: Asking failed, see `list_workflow_runs` and `get_workflow_run`.

        Example:
            >>> when = datetime.fromisoformat("2026-05-15T12:00:00+00:00")  # error.sent_at
            >>> for run in client.find_run_in_doubt("5eb7cf5a86d9755df3a6c593", sent_at=when, version=1, run_by="ada"):
            ...     print(run)
            workflow run 5eb7cf5a86d9755df3a6c594: agrees in workflow_id, version, created_at; does not tell run_by
        """
        return at_once(candidates(self, workflow_id, arguments, sent_at, slack))

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
        pages = RunPages("iter_workflow_runs", {**filters}, limit)
        while pages.has_more:
            yield from pages.read(self.list_workflow_runs(**pages.question))


class AsyncInteractly(_Interactly["httpx.AsyncClient | Literal['aiohttp']"], AsyncInteractlyOperations):
    """The same for asyncio: its methods are awaited, and it is closed by `async with` or `aclose()`."""

    async def wait(
        self,
        run: WorkflowRun | InteractiveRun | str,
        *,
        until_input: bool = False,
        deadline: float = _HOUR,
        on_progress: Callable[[Progress], object] | None = None,
        cancelled: Cancellation | None = None,
    ) -> WorkflowRun:
        """Read a workflow run until it has ended, and return it. See `Interactly.wait`.

        It can be cancelled like any task, too: the run goes on.
        """
        how = {"deadline": deadline, "on_progress": on_progress, "cancelled": cancelled}
        return await _wait(self, run, until_input=until_input, **how)

    async def run_and_wait(
        self,
        workflow_id: str,
        *,
        until_input: bool = False,
        deadline: float = _HOUR,
        on_progress: Callable[[Progress], object] | None = None,
        cancelled: Cancellation | None = None,
        **arguments: Unpack[Keywords],
    ) -> WorkflowRun:
        """Execute a workflow and wait for the run. See `Interactly.run_and_wait`."""
        how = {"deadline": deadline, "on_progress": on_progress, "cancelled": cancelled}
        return await _run_and_wait(self, workflow_id, arguments, until_input=until_input, **how)

    async def find_run_in_doubt(
        self, workflow_id: str, *, sent_at: datetime.datetime, slack: float = _SLACK, **arguments: Unpack[Keywords]
    ) -> list[RunCandidate]:
        """Return the runs that an `execute_workflow` in doubt may have started. See `Interactly.find_run_in_doubt`."""
        return await candidates(self, workflow_id, arguments, sent_at, slack)

    async def iter_workflow_runs(
        self, *, limit: int | None = None, **filters: Unpack[Filters]
    ) -> AsyncIterator[WorkflowRunRecord]:
        """Go through the runs of all pages. See `Interactly.iter_workflow_runs`."""
        pages = RunPages("iter_workflow_runs", {**filters}, limit)
        while pages.has_more:
            for record in pages.read(await self.list_workflow_runs(**pages.question)):
                yield record
