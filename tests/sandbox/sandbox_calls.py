"""Calls that the sandbox's tests make over and over."""

import time
from typing import Any

import httpx
from contract_check import check_reply

from workflow_sandbox.control import Control

INTERACTLY_WORKFLOW = "5eb7cf5a86d9755df3a6c593"
ONE_THREAD: dict[str, Any] = {"thread_to_node_inputs": {"0": {"node_run_inputs": []}}}
"""What every turn needs that starts a run or gives it data."""

_RESULTS = "/workflow-version-execution-results"
_SECONDS_TO_FINISH = 30


def promptlayer_client(sandbox: Control) -> httpx.Client:
    """Return a client of the sandbox's PromptLayer side; every reply is judged by the contract."""
    hooks = {"response": [check_reply]}
    headers = {"X-API-KEY": sandbox.api_key}
    return httpx.Client(base_url=sandbox.promptlayer_url, headers=headers, event_hooks=hooks, timeout=30)


def interactly_client(sandbox: Control) -> httpx.Client:
    """Return a client of the sandbox's Interactly side; every reply is judged by the contract."""
    hooks = {"response": [check_reply]}
    headers = {"Authorization": f"Bearer {sandbox.api_key}"}
    return httpx.Client(base_url=sandbox.interactly_url, headers=headers, event_hooks=hooks, timeout=30)


def run(client: httpx.Client, **body: Any) -> int:
    """Start a run of `canary` and return its id."""
    response = client.post("/workflows/canary/run", json=body)
    assert response.status_code in {201, 202}, response.text
    run_id: int = response.json()["workflow_version_execution_id"]
    return run_id


def poll(client: httpx.Client, run_id: int, **query: str) -> httpx.Response:
    """Ask for results once."""
    return client.get(_RESULTS, params={"workflow_version_execution_id": run_id, **query})


def finished(client: httpx.Client, run_id: int, **query: str) -> httpx.Response:
    """Ask for results until they are final."""
    deadline = time.monotonic() + _SECONDS_TO_FINISH
    while (response := poll(client, run_id, **query)).status_code == 202:
        assert time.monotonic() < deadline, f"run {run_id} does not end"
        time.sleep(0.02)
    return response


def execute(client: httpx.Client, query: dict[str, Any] | None = None, **body: Any) -> httpx.Response:
    """Execute the Interactly workflow."""
    return client.post(f"/v1/workflows/{INTERACTLY_WORKFLOW}/execute", params=query, json=body)
