"""The PromptLayer clients: the contract's operations, and waiting for a run."""

from __future__ import annotations

import copy
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from workflow_runs_api.api.promptlayer import SERVER, AsyncPromptLayerOperations, PromptLayerOperations
from workflow_runs_api.errors import BadArgument, StatusError, WorkflowRunsError

from .both_forms import at_once
from .outcome import RunFailed, RunOutcome, execution_id_of, named
from .paging import WorkflowPages
from .run_arguments import metadata_of, wants_all_outputs
from .settings import Http
from .waiting_client import WaitingClient, started_and_waited, waited

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from typing import Literal, Self, Unpack  # noqa: F401 - a base below names it

    import httpx  # noqa: F401 - likewise

    from workflow_runs_api.api.promptlayer.list_workflows import Keywords as Filters
    from workflow_runs_api.api.promptlayer.run_workflow import Keywords
    from workflow_runs_api.models import RunAccepted, RunCreated, WorkflowSummary
    from workflow_runs_api.operation import Call, Operation, Outgoing

    from .outcome import Progress
    from .waiting import Cancellation

__all__ = ["AsyncPromptLayer", "PromptLayer"]

_ENDED_WITHOUT_OUTPUT = 500
_HOUR = 3600.0


class _PromptLayer(WaitingClient[Http]):
    """What both forms have in common."""

    _service = "PROMPTLAYER"
    _production = SERVER

    def _refined(self, error: WorkflowRunsError) -> WorkflowRunsError:
        if not isinstance(error, StatusError) or error.status != _ENDED_WITHOUT_OUTPUT:
            return error
        from workflow_runs_api.models import ExecutionFailed

        # The contract's failure form has become a model; anything else with this status is a server in trouble.
        if not isinstance(error.body, ExecutionFailed):
            return error
        return RunFailed(
            f"the execution has ended without an output; {error.message}",
            output=error.body.output,
            body=error.body,
            operation=error.operation,
            response=error.response,
            request_id=error.request_id,
        )

    def with_run_tags(self, name: str = "client_tag") -> Self:
        """Return a view of this client whose runs can be told apart: each gets a new random text in its metadata.

        If an error leaves a run in doubt, its `how_to_find` has the text to look for in PromptLayer's dashboard.
        Your own metadata stays, under this name as well, and so does what `extra_body` adds.

        Args:
            name: The metadata's name. Default: `client_tag`.

        Raises:
            BadArgument: The name is no text, or empty.

        Example:
            >>> client.with_run_tags().run_workflow("support-agent", metadata={"team": "blue"}).success
            True
        """
        if not isinstance(name, str) or not name:
            raise BadArgument("expected a text that is not empty", field="name")
        view = copy.copy(self)
        view._tag_name = name  # noqa: SLF001 - our own kind
        return view

    def _outgoing(self, operation: Operation[Any], call: Call) -> Outgoing:
        if self._tag_name is not None and operation.name == "run_workflow":
            call = call.with_whole_body(_tagged(call.whole_body, self._tag_name))
        return super()._outgoing(operation, call)


def _tagged(body: Keywords, tag_name: str) -> Keywords:
    if "metadata" in body and not isinstance(body["metadata"], Mapping | None):  # which a view has added
        raise BadArgument("expected an object, to add a tag to", field="extra_body.metadata", operation="run_workflow")
    return {**body, "metadata": {tag_name: os.urandom(8).hex(), **metadata_of(body)}}


async def _wait(
    client: PromptLayer | AsyncPromptLayer,
    run: RunCreated | RunAccepted | int,
    *,
    return_all_outputs: bool,
    **how: Any,
) -> RunOutcome:
    # Loaded here, since it needs the models and with them attrs, which a script may never use.
    from .promptlayer_question import ExecutionQuestion

    outgoing = client._question  # noqa: SLF001 - our own kind
    return await waited(client, ExecutionQuestion(run, outgoing, return_all_outputs=return_all_outputs), **how)


async def _run_and_wait(
    client: PromptLayer | AsyncPromptLayer, workflow_name: str, arguments: Keywords, **how: Any
) -> RunOutcome:
    def start() -> Any:
        return client.run_workflow(workflow_name, **arguments)

    def wait(run: RunCreated | RunAccepted) -> Any:
        return client.wait(run, return_all_outputs=wants_all_outputs(arguments), **how)

    def name_of(run: RunCreated | RunAccepted) -> str:
        return named(execution_id_of(run))

    return await started_and_waited(client, start, wait, name_of, **how)


class PromptLayer(_PromptLayer["httpx.Client"], PromptLayerOperations):
    """A client for PromptLayer: key from `PROMPTLAYER_API_KEY`, address from `PROMPTLAYER_BASE_URL` by default.

    Example:
        >>> with PromptLayer(api_key="pl_...") as client:
        ...     client.base_url
        'https://api.promptlayer.com'
    """

    def wait(
        self,
        run: RunCreated | RunAccepted | int,
        *,
        return_all_outputs: bool = False,
        deadline: float = _HOUR,
        on_progress: Callable[[Progress], object] | None = None,
        cancelled: Cancellation | None = None,
    ) -> RunOutcome:
        """Ask for the results of a run until it has ended.

        Before each question is a pause of 0.045 s and 15 % of the time gone by, at most 5 s: 39 questions in the first
        minute. A `Retry-After` of the service makes a pause longer. The last question comes at the deadline. One that
        gets no answer (no connection, a broken one, 429, 5xx) is asked again and ends the wait only if the client's
        `retries` are 0: the run goes on meanwhile. Any other error, as 401 or 404, ends the wait.

        A question on its way is ended, too, a second after the deadline: the last one has that much for its answer.

        Args:
            run: What `run_workflow` returned, or the execution id, perhaps of a run that another process started.
            return_all_outputs: Whether every node's entry is wanted, or the main output alone.
            deadline: Seconds to wait at most. Default: an hour.
            on_progress: Is called with a `Progress` after every question that leaves the run going on. What it raises
                ends the wait.
            cancelled: Ends the wait, even in the middle of a pause, as soon as it is set: a `threading.Event`, for the
                asyncio client an `asyncio.Event`.

        Raises:
            RunFailed: None of the run's output nodes has succeeded.
            WaitTimeout: The deadline came first. The run goes on.
            WaitCancelled: `cancelled` was set first. The run goes on.
            BadArgument: An argument makes no sense; nothing was asked.
            WorkflowRunsError: Asking failed, see `get_workflow_version_execution_results`; `may_have_run` is
                true, since the run was started before.

        Example:
            >>> client.wait(98765, return_all_outputs=True, on_progress=print).output
            'Your invoice is attached.'
        """
        how = {"deadline": deadline, "on_progress": on_progress, "cancelled": cancelled}
        return at_once(_wait(self, run, return_all_outputs=return_all_outputs, **how))

    def run_and_wait(
        self,
        workflow_name: str,
        *,
        deadline: float = _HOUR,
        on_progress: Callable[[Progress], object] | None = None,
        cancelled: Cancellation | None = None,
        **arguments: Unpack[Keywords],
    ) -> RunOutcome:
        """Start a run and wait for it. Takes the arguments of `run_workflow`, and how to wait for the run.

        An error from after the start has `may_have_run` true and names the execution: wait for it, don't start again.
        What is none of this library's errors (from `on_progress`, or Ctrl-C) has the execution in a note.

        Args:
            workflow_name: Name of the workflow to run.
            deadline: Seconds to wait at most, once the run is started. Default: an hour.
            on_progress: Is called with a `Progress` after every question that leaves the run going on.
            cancelled: Ends the wait, not the run, as soon as it is set: a `threading.Event`, for the asyncio client an
                `asyncio.Event`.
            arguments: Those of `run_workflow`.

        Raises:
            RunFailed: None of the run's output nodes has succeeded.
            WaitTimeout: The deadline came first. The run goes on.
            WaitCancelled: `cancelled` was set first. The run goes on.
            BadArgument: An argument makes no sense; nothing was started.
            WorkflowRunsError: Starting or asking failed, see `run_workflow` and `wait`.

        Example:
            >>> client.run_and_wait("support-agent", deadline=600, on_progress=print, return_all_outputs=True).output
            'Your invoice is attached.'
        """
        how = {"deadline": deadline, "on_progress": on_progress, "cancelled": cancelled}
        return at_once(_run_and_wait(self, workflow_name, arguments, **how))

    def iter_workflows(self, *, limit: int | None = None, **filters: Unpack[Filters]) -> Iterator[WorkflowSummary]:
        """Go through the workflows of all pages; a page is asked for when its first workflow is wanted.

        Args:
            limit: Workflows at most. Default: all.
            filters: Those of `list_workflows`; `page` is where to begin.

        Raises:
            BadArgument: An argument makes no sense; said when the first workflow is wanted.
            WorkflowRunsError: Asking failed, see `list_workflows`.

        Example:
            >>> [workflow.name for workflow in client.iter_workflows(limit=10, sort_by="name")]
            ['support-agent']
        """
        pages = WorkflowPages("iter_workflows", {**filters}, limit)
        while pages.has_more:
            yield from pages.read(self.list_workflows(**pages.question))


class AsyncPromptLayer(_PromptLayer["httpx.AsyncClient | Literal['aiohttp']"], AsyncPromptLayerOperations):
    """The same for asyncio: its methods are awaited, and it is closed by `async with` or `aclose()`.

    Example:
        >>> async def main() -> RunOutcome:
        ...     async with AsyncPromptLayer() as client:  # key from PROMPTLAYER_API_KEY
        ...         return await client.run_and_wait("support-agent", return_all_outputs=True)
        >>> asyncio.run(main()).output
        'Your invoice is attached.'
    """

    async def wait(
        self,
        run: RunCreated | RunAccepted | int,
        *,
        return_all_outputs: bool = False,
        deadline: float = _HOUR,
        on_progress: Callable[[Progress], object] | None = None,
        cancelled: Cancellation | None = None,
    ) -> RunOutcome:
        """Ask for the results of a run until it has ended. See `PromptLayer.wait`.

        It can be cancelled like any task, too: the run goes on.
        """
        how = {"deadline": deadline, "on_progress": on_progress, "cancelled": cancelled}
        return await _wait(self, run, return_all_outputs=return_all_outputs, **how)

    async def run_and_wait(
        self,
        workflow_name: str,
        *,
        deadline: float = _HOUR,
        on_progress: Callable[[Progress], object] | None = None,
        cancelled: Cancellation | None = None,
        **arguments: Unpack[Keywords],
    ) -> RunOutcome:
        """Start a run and wait for it. See `PromptLayer.run_and_wait`."""
        how = {"deadline": deadline, "on_progress": on_progress, "cancelled": cancelled}
        return await _run_and_wait(self, workflow_name, arguments, **how)

    async def iter_workflows(
        self, *, limit: int | None = None, **filters: Unpack[Filters]
    ) -> AsyncIterator[WorkflowSummary]:
        """Go through the workflows of all pages. See `PromptLayer.iter_workflows`."""
        pages = WorkflowPages("iter_workflows", {**filters}, limit)
        while pages.has_more:
            for workflow in pages.read(await self.list_workflows(**pages.question)):
                yield workflow
