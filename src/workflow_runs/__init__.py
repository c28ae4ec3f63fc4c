"""Run hosted AI workflows on PromptLayer and Interactly.

    >>> with PromptLayer() as client:  # key from PROMPTLAYER_API_KEY
    ...     run = client.run_workflow("support-agent", input_variables={"user_message": "Hello"})
    ...     print(client.wait(run).output)
    Your invoice is attached.

The public API is what `__all__` names. Importing it loads neither httpx nor attrs: those come with the first call.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

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
from workflow_runs_api.unset import UNSET, Unset

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

    from .batch import BatchItem, BatchProgress, BatchResult, run_batch, run_batch_async
    from .callbacks import RunFinished, read_callback
    from .deliveries import DeliveryMemory, RecentDeliveries
    from .ledger import Ledger, LedgerError, LedgerInUse, LedgerMismatch
    from .listening import CallbackListener
    from .receivers import DashboardWebhooks, InteractlyWebhooks, RunCallbacks
    from .signatures import BadSignature, sign_dashboard_event, sign_interactly_event
    from .webhooks import InteractlyEvent, read_dashboard_event, read_interactly_event

_RESULTS = "workflow_runs_api.api.promptlayer.get_workflow_version_execution_results"
# What needs attrs, httpx or a server of its own is loaded when it is first asked for.
_LATER = {
    "BadSignature": "workflow_runs.signatures",
    "BatchItem": "workflow_runs.batch",
    "BatchProgress": "workflow_runs.batch",
    "BatchResult": "workflow_runs.batch",
    "CallbackListener": "workflow_runs.listening",
    "DashboardWebhooks": "workflow_runs.receivers",
    "DeliveryMemory": "workflow_runs.deliveries",
    "ExecutionPending": _RESULTS,
    "ExecutionResults": _RESULTS,
    "InteractlyEvent": "workflow_runs.webhooks",
    "InteractlyWebhooks": "workflow_runs.receivers",
    "Ledger": "workflow_runs.ledger",
    "LedgerError": "workflow_runs.ledger",
    "LedgerInUse": "workflow_runs.ledger",
    "LedgerMismatch": "workflow_runs.ledger",
    "RecentDeliveries": "workflow_runs.deliveries",
    "RunCallbacks": "workflow_runs.receivers",
    "RunFinished": "workflow_runs.callbacks",
    "models": "workflow_runs_api.models",
    "read_callback": "workflow_runs.callbacks",
    "read_dashboard_event": "workflow_runs.webhooks",
    "read_interactly_event": "workflow_runs.webhooks",
    "run_batch": "workflow_runs.batch",
    "run_batch_async": "workflow_runs.batch",
    "sign_dashboard_event": "workflow_runs.signatures",
    "sign_interactly_event": "workflow_runs.signatures",
}

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
    "NotFound",
    "NotSent",
    "Progress",
    "PromptLayer",
    "RecentDeliveries",
    "Retries",
    "RunCallbacks",
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


def __getattr__(name: str) -> Any:
    """Load what needs attrs when it is first asked for."""
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = importlib.import_module(_LATER[name])
    value = module if name == "models" else getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
