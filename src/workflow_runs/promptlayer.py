"""The PromptLayer clients: the contract's operations, and waiting for a run."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from workflow_runs_api.api.promptlayer import SERVER, AsyncPromptLayerOperations, PromptLayerOperations
from workflow_runs_api.errors import StatusError, WorkflowRunsError

from .outcome import RunFailed, RunOutcome
from .settings import Configured

if TYPE_CHECKING:
    from typing import Unpack

    from workflow_runs_api.api.promptlayer.run_workflow import Keywords
    from workflow_runs_api.models import RunAccepted, RunCreated

    from .waiting import Waiting

__all__ = ["AsyncPromptLayer", "PromptLayer"]

_ENDED_WITHOUT_OUTPUT = 500
_HOUR = 3600.0


class _Waits(Configured):
    """What waiting needs, whether or not it is awaited."""

    _service = "PROMPTLAYER"
    _production = SERVER

    def _refined(self, error: WorkflowRunsError) -> WorkflowRunsError:
        # The contract's failure form has become a model; anything else with this status is a server in trouble.
        if isinstance(error, StatusError) and error.status == _ENDED_WITHOUT_OUTPUT and hasattr(error.body, "output"):
            return RunFailed(
                f"the execution has ended without an output; {error.message}",
                output=error.body.output,
                body=error.body,
                operation=error.operation,
                response=error.response,
                request_id=error.request_id,
            )
        return error

    def _waiting(self, run: Any, *, return_all_outputs: bool, deadline: float) -> Waiting:
        # Loaded by name, since it needs the models and with them attrs, which a script may never use.
        module = importlib.import_module("workflow_runs.waiting")
        waiting: Waiting = module.Waiting(run, return_all_outputs=return_all_outputs, deadline=deadline)
        return waiting


class PromptLayer(_Waits, PromptLayerOperations):
    """A client for PromptLayer: key from `PROMPTLAYER_API_KEY`, address from `PROMPTLAYER_BASE_URL` by default.

    See `Configured` for the keywords.

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
    ) -> RunOutcome:
        """Ask for the results of a run until it has ended.

        Args:
            run: What `run_workflow` gave back, or the execution id, perhaps of a run that another process started.
            return_all_outputs: Whether every node's entry is wanted, or the main output alone.
            deadline: Seconds to wait at most.

        Raises:
            RunFailed: None of the run's output nodes has succeeded.
            WaitTimeout: The deadline came first. The run goes on.
            WorkflowRunsError: Asking failed, see `get_workflow_version_execution_results`.

        Example:
            >>> client.wait(98765, return_all_outputs=True).output
            'Your invoice is attached.'
        """
        waiting = self._waiting(run, return_all_outputs=return_all_outputs, deadline=deadline)
        outcome = None
        while outcome is None:
            self._pause(waiting.pause())
            reply = self.get_workflow_version_execution_results(
                workflow_version_execution_id=waiting.execution_id, return_all_outputs=waiting.return_all_outputs
            )
            outcome = waiting.outcome(reply)
        return outcome

    def run_and_wait(self, workflow_name: str, **arguments: Unpack[Keywords]) -> RunOutcome:
        """Start a run and wait for it for up to an hour. Takes the arguments of `run_workflow`.

        Raises:
            RunFailed: None of the run's output nodes has succeeded.
            WaitTimeout: The run had not ended after an hour. It goes on.
            WorkflowRunsError: Starting or asking failed, see `run_workflow` and `wait`.

        Example:
            >>> client.run_and_wait("support-agent", return_all_outputs=True).output
            'Your invoice is attached.'
        """
        run = self.run_workflow(workflow_name, **arguments)
        return self.wait(run, return_all_outputs=bool(arguments.get("return_all_outputs")))


class AsyncPromptLayer(_Waits, AsyncPromptLayerOperations):
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
    ) -> RunOutcome:
        """Ask for the results of a run until it has ended. See `PromptLayer.wait`."""
        waiting = self._waiting(run, return_all_outputs=return_all_outputs, deadline=deadline)
        outcome = None
        while outcome is None:
            await self._pause(waiting.pause())
            reply = await self.get_workflow_version_execution_results(
                workflow_version_execution_id=waiting.execution_id, return_all_outputs=waiting.return_all_outputs
            )
            outcome = waiting.outcome(reply)
        return outcome

    async def run_and_wait(self, workflow_name: str, **arguments: Unpack[Keywords]) -> RunOutcome:
        """Start a run and wait for it for up to an hour. See `PromptLayer.run_and_wait`."""
        run = await self.run_workflow(workflow_name, **arguments)
        return await self.wait(run, return_all_outputs=bool(arguments.get("return_all_outputs")))
