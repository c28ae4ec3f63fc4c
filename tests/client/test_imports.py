"""What importing costs and gives: nothing heavy is loaded, and the public names are the promised ones."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import workflow_runs

_HEAVY = ["httpx", "httpcore", "h11", "attr", "attrs", "asyncio", "ssl", "yaml"]
_PUBLIC = {
    "AsyncInteractly", "AsyncPromptLayer", "BadArgument", "BadRequest", "BadSignature", "BatchItem",
    "BatchProgress", "BatchResult", "CallbackListener", "Conflict", "ContractBroken", "DashboardWebhooks",
    "DeliveryMemory", "ExecutionPending", "ExecutionResults", "Forbidden", "Interactly", "InteractlyEvent",
    "InteractlyWebhooks", "Ledger", "LedgerError", "LedgerInUse", "LedgerMismatch", "MaybeSent",
    "NodeOutput", "NotFound",
    "NotSent", "Progress", "PromptLayer", "RawResponse", "RecentDeliveries", "Retries",
    "RunAccepted", "RunCallbacks",
    "RunCandidate", "RunCreated",
    "RunFailed",
    "RunFinished", "RunOutcome", "ServerError", "StatusError", "TooManyRequests", "UNSET", "Unauthorized",
    "Unprocessable", "Unset", "WaitCancelled", "WaitTimeout", "WorkflowRun", "WorkflowRunsError",
    "__version__", "models",
    "read_callback", "read_dashboard_event", "read_interactly_event", "run_batch", "run_batch_async",
    "sign_dashboard_event", "sign_interactly_event",
}  # fmt: skip


def _loaded_after(program: str) -> list[str]:
    report = f"{program}\nimport sys, json\nprint(json.dumps([name for name in {_HEAVY!r} if name in sys.modules]))"
    done = subprocess.run([sys.executable, "-c", report], capture_output=True, text=True, check=True)
    loaded: list[str] = json.loads(done.stdout)
    return loaded


@pytest.mark.parametrize(
    "program",
    [
        "import workflow_runs",
        "import workflow_runs; from workflow_runs import PromptLayer",
        "from workflow_runs import AsyncPromptLayer, AsyncInteractly, Interactly, Retries, RunFailed, UNSET",
        "from workflow_runs import PromptLayer; PromptLayer(api_key='k', retries=1, timeout=3).with_options(timeout=5)",
    ],
)
def test_importing_loads_nothing_heavy(program: str) -> None:
    """Importing, and even making a client, loads neither httpx nor attrs nor asyncio."""
    assert _loaded_after(program) == []


def test_a_name_that_needs_attrs_loads_it_when_it_is_asked_for() -> None:
    """The counter-check: the test above would see a heavy import."""
    assert "attr" in _loaded_after("import workflow_runs; workflow_runs.models.RunCreated")


def test_a_call_loads_one_operation() -> None:
    """Neither the other operations nor the models that they alone need, however many the contract has."""
    program = """
import json, sys, httpx
from workflow_runs import PromptLayer
def loaded(part): return sorted(name for name in sys.modules if name.startswith(f"workflow_runs_api.{part}."))
before = loaded("models"), [name for name in loaded("api") if name.count(".") > 2]
http = httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(200, json={"success": True, "labels": []})))
try:
    PromptLayer(api_key="k", http_client=http).get_workflow_labels("w")
except Exception:
    pass
print(json.dumps([before, [name for name in loaded("api") if name.count(".") > 2], len(loaded("models"))]))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    before, operations, models = json.loads(done.stdout)
    assert before == [[], []]
    assert operations == ["workflow_runs_api.api.promptlayer.get_workflow_labels"]
    assert 0 < models < len(workflow_runs.models.__all__) / 4


def test_the_public_names_are_the_promised_ones() -> None:
    """Semantic versioning applies to exactly these."""
    assert sorted(workflow_runs.__all__) == sorted(_PUBLIC)
    assert len(workflow_runs.__all__) == len(set(workflow_runs.__all__))


@pytest.mark.parametrize("name", sorted(_PUBLIC))
def test_every_public_name_is_there(name: str) -> None:
    """Each name resolves, is listed by dir(), and stays the same object."""
    assert getattr(workflow_runs, name) is getattr(workflow_runs, name)
    assert name in dir(workflow_runs)


def test_everything_can_be_imported_at_once() -> None:
    """A star import brings the late names too."""
    program = "from workflow_runs import *; assert models.RunCreated and ExecutionResults and __version__"
    assert "attr" in _loaded_after(program)


def test_an_unknown_name_is_an_attribute_error() -> None:
    """The late loading hides no typo."""
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = workflow_runs.no_such_name
