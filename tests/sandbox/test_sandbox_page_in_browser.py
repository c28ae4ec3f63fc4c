"""The page at `/` in a real browser: live, and whatever was stored stays text. `nox -s page` brings Playwright."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from callback_receiver import CallbackReceiver
from sandbox_calls import INTERACTLY_WORKFLOW, finished, run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workflow_sandbox import InProcessSandbox

_CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
pytestmark = pytest.mark.skipif(_CHROMIUM is None, reason="no Chromium is installed")

_OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]
_HOSTILE = "<img src=x onerror=alert(1)><script>alert(2)</script>"
_LINE = "#runs tbody tr"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """One browser for all tests."""
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=_CHROMIUM, args=_OPTIONS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Any, fresh_workflow_sandbox: InProcessSandbox) -> Iterator[Any]:
    """The page of a fresh sandbox; nothing may be complained of, asked for elsewhere or popped up."""
    page = browser.new_page(viewport={"width": 1200, "height": 900})
    page.set_default_timeout(20_000)
    troubles: list[str] = []
    page.on("console", lambda message: troubles.append(message.text))
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("dialog", lambda dialog: troubles.append(dialog.message))
    ours = fresh_workflow_sandbox.promptlayer_url
    page.on("request", lambda request: request.url.startswith(f"{ours}/") or troubles.append(request.url))
    yield page
    page.close()
    assert [each for each in troubles if "status of 500" not in each] == []


@pytest.fixture
def client(fresh_workflow_sandbox: InProcessSandbox) -> Iterator[httpx.Client]:
    """A client of the same sandbox."""
    sandbox = fresh_workflow_sandbox
    headers = {"X-API-KEY": sandbox.api_key, "Authorization": f"Bearer {sandbox.api_key}"}
    with httpx.Client(base_url=sandbox.promptlayer_url, headers=headers) as client:
        yield client


def test_runs_are_shown_while_they_go_on(
    page: Any, client: httpx.Client, fresh_workflow_sandbox: InProcessSandbox
) -> None:
    """A finished, a failed and a running run; the last one's end shows without a reload."""
    sandbox = fresh_workflow_sandbox
    with CallbackReceiver() as receiver:
        finished(
            client, run(client, input_variables={"user_message": "I need help with billing"}, callback_url=receiver.url)
        )
        receiver.wait()
    finished(client, run(client, metadata={"sandbox": "fail"}, input_variables={"user_message": "And now?"}))
    variables = {"dynamic_variables": {"customer_name": "Ada"}, "runtime_variables": {"agent_name": "Grace"}}
    client.post(f"/workflows/v1/workflows/{INTERACTLY_WORKFLOW}/execute", json=variables)
    client.get("/workflows", headers={"X-Sandbox-Fault": "error:503"})
    with sandbox.hold("canary", node="Reply") as held:
        run(client, input_variables={"user_message": "Where is my parcel?"})
        held.wait()
        page.goto(sandbox.promptlayer_url)
        page.wait_for_selector(f"{_LINE} >> text=RUNNING")
        statuses = [line.inner_text() for line in page.query_selector_all(_LINE)]

        assert [line.split()[1] for line in statuses] == ["running", "failed", "completed"]
        assert "delivered" in page.inner_text("#callbacks")
        assert "error:503" in page.inner_text("#requests")
        assert "waiting for user input" in page.inner_text("#conversations")
        if picture := os.environ.get("SANDBOX_PICTURE"):
            page.screenshot(path=picture, full_page=True)
    page.wait_for_selector("#runs .busy", state="detached")
    assert page.inner_text(f"{_LINE} >> nth=0").count("SUCCESS") == 2


def test_what_was_stored_stays_text(page: Any, client: httpx.Client, fresh_workflow_sandbox: InProcessSandbox) -> None:
    """Names, inputs, outputs and paths that look like HTML are shown as what they are."""
    node = {"name": _HOSTILE, "node_type": "VARIABLE", "configuration": {"value": _HOSTILE}, "is_output_node": True}
    body = {"name": "<b>bold</b>", "nodes": [node], "release_labels": [_HOSTILE]}
    assert client.post("/rest/workflows", json=body).status_code == 201
    run_id = client.post("/workflows/%3Cb%3Ebold%3C%2Fb%3E/run", json={"input_variables": {"x": _HOSTILE}}).json()
    finished(client, run_id["workflow_version_execution_id"])
    page.goto(fresh_workflow_sandbox.promptlayer_url)
    page.wait_for_selector(f"{_LINE} >> text=SUCCESS")

    assert page.inner_text("#runs").count(_HOSTILE) == 3  # input, node, output
    assert "<b>bold</b>" in page.inner_text("#workflows")
    assert page.query_selector_all("main img, main script, main b, main iframe") == []


def test_a_sandbox_that_is_gone_is_told(page: Any, fresh_workflow_sandbox: InProcessSandbox) -> None:
    """The page says whether it is live."""
    page.goto(fresh_workflow_sandbox.promptlayer_url)
    page.wait_for_selector("#live >> text=live")
    page.route("**/_sandbox/state", lambda route: route.fulfill(status=500))
    page.wait_for_selector("#live >> text=the sandbox answers 500")
