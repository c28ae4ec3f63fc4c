"""The page at `/`: what it shows, for whom, and that what was stored stays text. A browser looks at it elsewhere."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from sandbox_calls import INTERACTLY_WORKFLOW, finished, run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workflow_sandbox import InProcessSandbox

_STATE = "/_sandbox/state"
_SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
def client(fresh_workflow_sandbox: InProcessSandbox) -> Iterator[httpx.Client]:
    """A client of a fresh sandbox."""
    sandbox = fresh_workflow_sandbox
    headers = {"X-API-KEY": sandbox.api_key, "Authorization": f"Bearer {sandbox.api_key}"}
    with httpx.Client(base_url=sandbox.promptlayer_url, headers=headers, transport=sandbox.transport) as client:
        yield client


def _state(client: httpx.Client) -> dict[str, Any]:
    state: dict[str, Any] = client.get(_STATE).json()
    return state


def test_the_page_lets_nothing_run_but_its_own_script(client: httpx.Client) -> None:
    """The policy names script and style by what they are; nothing comes from elsewhere."""
    page = client.get("/")
    policy = page.headers["content-security-policy"]

    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    for name in ("script", "style"):
        (text,) = re.findall(rf"<{name}>(.*?)</{name}>", page.text, re.DOTALL)
        assert f"{name}-src 'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" in policy
    assert not re.findall(r"(?:src|href)=|https?:|innerHTML", page.text)


@pytest.mark.parametrize("path", ["/", _STATE])
@pytest.mark.parametrize("headers", [{"Host": "rebound.example"}, {"Origin": "https://elsewhere.example"}])
def test_the_page_is_for_this_machine_alone(client: httpx.Client, path: str, headers: dict[str, str]) -> None:
    """A name that was rebound to loopback and another site's script see nothing."""
    assert client.get(path).status_code == 200
    assert client.get(path, headers=headers).status_code == 404


def test_the_state_has_runs_with_their_nodes_and_callback(client: httpx.Client) -> None:
    """Latest first; a failed node has its error, an address no secrets, a text that looks like HTML is that text."""
    finished(client, run(client, input_variables={"user_message": _SCRIPT}))
    finished(
        client, run(client, metadata={"sandbox": "fail"}, callback_url="https://me:pw@elsewhere.example/x?token=1")
    )
    failed, good = _state(client)["runs"]

    assert [node["status"] for node in good["nodes"]] == ["SUCCESS", "SUCCESS"]
    assert _SCRIPT in good["nodes"][1]["value"]
    assert good["callback"] is None
    assert (failed["nodes"][1]["status"], failed["nodes"][1]["value"]) == ("FAILED", None)
    assert failed["nodes"][1]["error"]
    assert failed["callback"]["url"] == "https://elsewhere.example/x?***"


def test_the_state_has_the_other_lists(client: httpx.Client) -> None:
    """Workflows of both services, Interactly runs, and the requests; the page's own are not among them."""
    execute = f"/workflows/v1/workflows/{INTERACTLY_WORKFLOW}/execute"
    first = client.post(execute, json={"dynamic_variables": {"customer_name": _SCRIPT}}).json()["workflow_run_id"]
    second = client.post(execute, json={}).json()["workflow_run_id"]
    client.post(execute, json={"command": "stop", "workflow_run_id": first})
    state = _state(client)

    assert [(run["id"], run["status"]) for run in state["conversations"]] == [
        (first, "cancelled"),
        (second, "waiting_for_user_input"),
    ]
    assert _SCRIPT in state["conversations"][0]["output"]
    assert [each["method"] for each in state["requests"]] == ["POST"] * 3
    assert [(each["name"], each["labels"]) for each in state["workflows"]] == [
        ("canary", "production on 1"),
        ("Second Version", "active version 1"),
    ]


def test_the_state_is_bounded_and_sent_once(client: httpx.Client) -> None:
    """Fifty runs, 2,000 characters a value; what has not changed is 304."""
    for _ in range(51):
        finished(client, run(client, input_variables={"user_message": "é" * 3000}))
    response = client.get(_STATE)
    again = client.get(_STATE, headers={"If-None-Match": response.headers["etag"]})

    assert len(response.json()["runs"]) == 50
    assert len(response.json()["runs"][0]["nodes"][0]["value"]) < 2010
    assert len(response.content) < 1_000_000
    assert (again.status_code, again.content) == (304, b"")
    run(client)
    assert client.get(_STATE, headers={"If-None-Match": response.headers["etag"]}).status_code == 200
