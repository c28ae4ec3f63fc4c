"""Run hosted AI workflows on PromptLayer and Interactly.

    >>> with PromptLayer() as client:  # key from PROMPTLAYER_API_KEY
    ...     run = client.run_workflow("support-agent", input_variables={"user_message": "Hello"})
    ...     print(client.wait(run).output)
    Your invoice is attached.

The public API is what `__all__` names. Importing it loads neither httpx nor attrs: those come with the first call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflow_runs_api.errors import (
    BadArgument,
    BadRequest,
    Conflict,
    ContractBroken,
    Forbidden,
    MaybeSent,
    NotFound,
    NotSent,
    ServerError,
    StatusError,
    TooManyRequests,
    Unauthorized,
    Unprocessable,
    WorkflowRunsError,
)
from workflow_runs_api.raw import RawResponse
from workflow_runs_api.unset import UNSET, Unset

from .candidates import RunCandidate
from .interactly import AsyncInteractly, Interactly
from .outcome import Progress, RunFailed, RunOutcome, WaitCancelled, WaitTimeout
from .promptlayer import AsyncPromptLayer, PromptLayer
from .retries import Retries
from .version import __version__

if TYPE_CHECKING:
    from workflow_runs_api import models
    from workflow_runs_api.api.promptlayer.get_workflow_version_execution_results import (
        ExecutionPending,
        ExecutionResults,
    )
    from workflow_runs_api.models import NodeOutput, RunAccepted, RunCreated, WorkflowRun

    from .batch import BatchItem, BatchProgress, BatchResult, run_batch, run_batch_async
    from .batch.ledger import Ledger, LedgerError, LedgerInUse, LedgerMismatch
    from .callbacks import RunFinished, read_callback
    from .callbacks.deliveries import DeliveryMemory, RecentDeliveries
    from .callbacks.listener import CallbackListener
    from .callbacks.receivers import DashboardWebhooks, InteractlyWebhooks, RunCallbacks
    from .callbacks.signatures import BadSignature, sign_dashboard_event, sign_interactly_event
    from .callbacks.webhooks import InteractlyEvent, read_dashboard_event, read_interactly_event

__all__ = [
    "UNSET",
    "AsyncInteractly",
    "AsyncPromptLayer",
    "BadArgument",
    "BadRequest",
    "BadSignature",
    "BatchItem",
    "BatchProgress",
    "BatchResult",
    "CallbackListener",
    "Conflict",
    "ContractBroken",
    "DashboardWebhooks",
    "DeliveryMemory",
    "ExecutionPending",
    "ExecutionResults",
    "Forbidden",
    "Interactly",
    "InteractlyEvent",
    "InteractlyWebhooks",
    "Ledger",
    "LedgerError",
    "LedgerInUse",
    "LedgerMismatch",
    "MaybeSent",
    "NodeOutput",
    "NotFound",
    "NotSent",
    "Progress",
    "PromptLayer",
    "RawResponse",
    "RecentDeliveries",
    "Retries",
    "RunAccepted",
    "RunCallbacks",
    "RunCandidate",
    "RunCreated",
    "RunFailed",
    "RunFinished",
    "RunOutcome",
    "ServerError",
    "StatusError",
    "TooManyRequests",
    "Unauthorized",
    "Unprocessable",
    "Unset",
    "WaitCancelled",
    "WaitTimeout",
    "WorkflowRun",
    "WorkflowRunsError",
    "__version__",
    "models",
    "read_callback",
    "read_dashboard_event",
    "read_interactly_event",
    "run_batch",
    "run_batch_async",
    "sign_dashboard_event",
    "sign_interactly_event",
]


if not TYPE_CHECKING:  # to a type checker a name that isn't there is an error

    def __getattr__(name: str) -> object:  # noqa: C901 - a case for each module
        """Load what needs attrs, httpx or a server of its own when it is first asked for.

        By statements, since programs that pack others up can't see what is loaded by name.
        """
        match name:
            case "ExecutionPending" | "ExecutionResults":
                from workflow_runs_api.api.promptlayer import get_workflow_version_execution_results as module
            case "BatchItem" | "BatchProgress" | "BatchResult" | "run_batch" | "run_batch_async":
                from . import batch as module
            case "RunFinished" | "read_callback":
                from . import callbacks as module
            case "DeliveryMemory" | "RecentDeliveries":
                from .callbacks import deliveries as module
            case "Ledger" | "LedgerError" | "LedgerInUse" | "LedgerMismatch":
                from .batch import ledger as module
            case "CallbackListener":
                from .callbacks import listener as module
            case "DashboardWebhooks" | "InteractlyWebhooks" | "RunCallbacks":
                from .callbacks import receivers as module
            case "BadSignature" | "sign_dashboard_event" | "sign_interactly_event":
                from .callbacks import signatures as module
            case "InteractlyEvent" | "read_dashboard_event" | "read_interactly_event":
                from .callbacks import webhooks as module
            case "models":
                from workflow_runs_api import models

                return models
            case "NodeOutput" | "RunAccepted" | "RunCreated" | "WorkflowRun":
                import workflow_runs_api.models as module
            case _:
                raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(module, name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
