"""One call through the client, and the same request by bare httpx.

`calls.py measure|profile both sync|async results|run socket|custom|memory`
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import TYPE_CHECKING, Any

import httpx
from turns import tell_in_turn

from workflow_runs import AsyncPromptLayer, PromptLayer

if TYPE_CHECKING:
    from collections.abc import Callable

KIND, WHAT, WAY = sys.argv[3:]
ADDRESS = os.environ["ADDRESS"]
HEADERS = {"x-api-key": "key"}
NODE = {"status": "SUCCESS", "value": "done", "error_message": None, "raw_error_message": None, "is_output_node": True}
CREATED = {"success": True, "message": "started", "warning": None, "workflow_version_execution_id": 5}
REPLIES = {"GET": (200, json.dumps({"Reply": NODE}).encode()), "POST": (201, json.dumps(CREATED).encode())}


def answer(request: httpx.Request) -> httpx.Response:
    """Answer in memory, by the method."""
    status, content = REPLIES[request.method]
    return httpx.Response(status, headers={"content-type": "application/json"}, content=content)


def http() -> Any:
    """A client of httpx as anybody would make it."""
    kind = httpx.Client if KIND == "sync" else httpx.AsyncClient
    return kind(transport=httpx.MockTransport(answer)) if WAY == "memory" else kind()


bare = http()
ours_of: Any = PromptLayer if KIND == "sync" else AsyncPromptLayer
client = ours_of(api_key="key", base_url=ADDRESS, http_client=None if WAY == "socket" else http())


def our_results() -> Any:
    """Ask for results."""
    return client.get_workflow_version_execution_results(workflow_version_execution_id=1, return_all_outputs=True)


def bare_results() -> Any:
    """Ask for results."""
    query = {"workflow_version_execution_id": 1, "return_all_outputs": "true"}
    return bare.request("GET", f"{ADDRESS}/workflow-version-execution-results", params=query, headers=HEADERS)


def our_run() -> Any:
    """Start a run."""
    return client.run_workflow("takes-0", input_variables={"user_message": "Hello"})


def bare_run() -> Any:
    """Start a run."""
    body = {"input_variables": {"user_message": "Hello"}}
    return bare.request("POST", f"{ADDRESS}/workflows/takes-0/run", json=body, headers=HEADERS)


def awaited(call: Callable[[], Any]) -> Callable[[], Any]:
    """The call to its end, on one loop for all."""

    def whole() -> Any:
        return loop.run_until_complete(call())

    return whole


loop = asyncio.new_event_loop()
ours, asked = (our_results, bare_results) if WHAT == "results" else (our_run, bare_run)
if KIND == "async":
    ours, asked = awaited(ours), awaited(asked)
tell_in_turn(ours, lambda: asked().json(), httpx.__version__)
