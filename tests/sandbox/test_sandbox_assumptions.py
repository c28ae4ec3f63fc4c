"""What no source says of the services: each setting has its effect, the page lists all, a wrong one is refused."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from callback_receiver import CallbackReceiver
from sandbox_calls import ONE_THREAD, execute, finished, interactly_client, poll, run

from workflow_sandbox import InProcessSandbox
from workflow_sandbox.assumptions import table

_PAGE = Path(__file__).parents[2] / "docs" / "sandbox.md"
_TWO_OUTPUTS = [
    {"name": name, "node_type": "VARIABLE", "configuration": {"value": name}, "is_output_node": True} for name in "AB"
]


def _both_ways(show: Callable[[InProcessSandbox], Any], settings: dict[str, str | int], usual: Any, other: Any) -> None:
    for chosen, expected in (({}, usual), (settings, other)):
        with InProcessSandbox(settings=chosen) as sandbox:
            assert show(sandbox) == expected


def test_promptlayer_settings() -> None:
    """All at once, against a sandbox without any."""

    def show(sandbox: InProcessSandbox) -> Any:
        with httpx.Client(base_url=sandbox.promptlayer_url, headers={"X-API-KEY": sandbox.api_key}) as client:
            start = client.post
            both = {"workflow_label_name": "production", "workflow_version_number": 1}
            created = start("/rest/workflows", json={"name": "a/b", "nodes": _TWO_OUTPUTS}).json()
            failed = run(client, metadata={"sandbox": "fail"})
            two = start(f"/workflows/{created['workflow_id']}/run", json={}).json()["workflow_version_execution_id"]
            with sandbox.hold("canary"):
                unfinished = poll(client, run(client)).json()
            bare, entries = finished(client, failed), finished(client, failed, return_all_outputs="true").json()
            return [
                start("/workflows/canary/run", json=both).status_code,
                client.get("/workflows", params={"external_id": "1"}).status_code,
                start("/workflows/canary/run", json={"workflow_version_number": 99}).status_code,
                start("/workflows/a%2Fb/run", json={}).status_code,
                unfinished and unfinished["Draft"]["status"],
                (bare.status_code, "output" in bare.json()),
                type(entries["Reply"]["raw_error_message"]).__name__,
                finished(client, two).json(),
            ]

    settings: dict[str, str | int] = {
        "broken_rule_status": 400,
        "unknown_version_status": 400,
        "slash_in_name": "refused",
        "unfinished_output": "nodes",
        "no_output": 200,
        "raw_error": "object",
        "several_outputs": "object",
    }
    usual = [422, 422, 404, 201, None, (500, True), "str", "A"]
    other = [400, 400, 400, 404, "QUEUED", (200, False), "dict", {"A": "A", "B": "B"}]
    _both_ways(show, settings, usual, other)


def test_interactly_settings() -> None:
    """All but limits at once, against a sandbox without any."""

    def show(sandbox: InProcessSandbox) -> Any:
        with interactly_client(sandbox) as client:
            bare_headers = execute(client).status_code
            client.headers.update({"teamid": "t", "uuid": "u"})
            turn = execute(client, run_input={"version_number": 0, **ONE_THREAD})
            return [
                bare_headers,
                execute(client).status_code,
                turn.status_code,
                client.get(f"/v1/workflow-runs/{turn.json()['run_id']}").json()["workflow_run"]["workflow_run"][
                    "version_number"
                ],
                execute(client, run_input={"workflow_id": "f" * 24, **ONE_THREAD}).status_code,
                execute(client, run_input={}).status_code,
            ]

    settings: dict[str, str | int] = {
        "interactly_team_headers": "required",
        "interactly_form": "b",
        "interactly_version": "body",
        "interactly_other_workflow": "refused",
        "interactly_no_thread": 400,
    }
    _both_ways(show, settings, [200, 200, 200, 1, 200, 422], [401, 422, 200, 0, 422, 400])


def test_a_turn_without_a_thread_can_be_taken() -> None:
    """By a setting, for a start and for data."""
    settings: dict[str, str | int] = {"interactly_no_thread": "accepted"}
    with InProcessSandbox(settings=settings) as sandbox, interactly_client(sandbox) as client:
        run_id = execute(client, run_input={}).json()["run_id"]
        assert execute(client, run_id=run_id, run_input={"command": "data"}).json()["status"] == "completed"


@pytest.mark.parametrize(
    ("settings", "output", "raw"),
    [
        ({}, "Fast", str),
        ({"several_outputs": "object", "raw_error": "object"}, {"Slow": "Slow", "Fast": "Fast"}, dict),
    ],
)
def test_results_and_callbacks_say_the_same(settings: dict[str, str | int], output: Any, raw: type) -> None:
    """Of several outputs, and of what went wrong."""
    nodes = [{**_TWO_OUTPUTS[0], "name": name, "configuration": {"value": name}} for name in ("Slow", "Fast")]
    with (
        InProcessSandbox(settings={"callback_output": "as_asked", **settings}) as sandbox,
        httpx.Client(base_url=sandbox.promptlayer_url, headers={"X-API-KEY": sandbox.api_key}) as client,
        CallbackReceiver() as receiver,
    ):
        assert client.post("/rest/workflows", json={"name": "two", "nodes": nodes}).status_code == 201
        called = {"callback_url": receiver.url}
        with sandbox.hold("two", node="Slow") as slow, sandbox.hold("two", node="Fast") as fast:
            run_id = client.post("/workflows/two/run", json=called).json()["workflow_version_execution_id"]
            slow.wait()
            fast.release()
            while poll(client, run_id, return_all_outputs="true").json()["Fast"]["status"] != "SUCCESS":
                time.sleep(0.001)
        ended = finished(client, run_id).json()
        posted = receiver.wait().body["final_output"]
        failed = run(client, metadata={"sandbox": "fail"}, return_all_outputs=True, **called)
        entries = finished(client, failed, return_all_outputs="true").json()
        posted_entries = receiver.wait().body["final_output"]

    assert (ended, posted) == (output, output)
    assert posted_entries == entries
    assert isinstance(entries["Reply"]["raw_error_message"], raw)


@pytest.mark.parametrize(
    ("setting", "status"),
    [("interactly_runs_of_a_workflow", 429), ("interactly_runs_in_all", 409)],
)
def test_runs_under_way_are_limited(setting: str, status: int) -> None:
    """So many wait or run at a time; a paused or ended one makes room, a resumed one takes it."""
    settings: dict[str, str | int] = {setting: 1, "interactly_limit_status": status}
    with InProcessSandbox(settings=settings) as sandbox, interactly_client(sandbox) as client:
        first = execute(client).json()["workflow_run_id"]
        refused = execute(client)
        execute(client, command="pause", workflow_run_id=first)
        second = execute(client).json()["workflow_run_id"]
        too_early = execute(client, command="resume", workflow_run_id=first)
        execute(client, command="stop", workflow_run_id=second)
        resumed = execute(client, command="resume", workflow_run_id=first)
        assert execute(client, command="data", workflow_run_id=first).json()["status"] == "completed"
        again = execute(client)

    assert [reply.status_code for reply in (refused, too_early, resumed, again)] == [status, status, 200, 200]
    assert "1 runs" in refused.json()["detail"]


def test_a_run_that_nobody_goes_on_with_fails() -> None:
    """As stale, wherever it is looked at, and makes room for another; a paused one is spared."""
    settings: dict[str, str | int] = {"interactly_stale_seconds": 1, "interactly_runs_in_all": 1}
    with InProcessSandbox(settings=settings) as sandbox, interactly_client(sandbox) as client:
        paused, stale = execute(client).json()["workflow_run_id"], ""
        execute(client, command="pause", workflow_run_id=paused)
        stale = execute(client).json()["workflow_run_id"]
        time.sleep(1.1)
        runs = [
            client.get(f"/v1/workflow-runs/{one}").json()["workflow_run"]["workflow_run"] for one in (paused, stale)
        ]
        late = execute(client, command="data", workflow_run_id=stale)
        listed = client.get("/v1/workflow-runs", params={"status": "failed"}).json()["total"]
        assert execute(client).status_code == 200

    assert [(one["status"], one["termination_source"]) for one in runs] == [
        ("paused", None),
        ("failed", "stale_run_reaper"),
    ]
    assert (late.status_code, listed) == (409, 1)


@pytest.mark.parametrize(
    ("order", "status", "source"),
    [
        ("fail", "failed", "execution_error"),
        ("fail:finally_safety_net", "failed", "finally_safety_net"),
        ("loop", "aborted_looping_risk", None),
    ],
)
def test_every_end_can_be_asked_for(interactly: httpx.Client, order: str, status: str, source: str | None) -> None:
    """In both forms of the reply, and it is final."""
    ended = execute(interactly, miscellaneous={"sandbox": order}).json()
    turn = execute(interactly, run_input={"miscellaneous": {"sandbox": order}, **ONE_THREAD}).json()

    assert (ended["status"], ended["termination_source"]) == (status, source)
    assert (turn["status"], turn["is_completed"], turn["error"] is not None) == (status, True, status == "failed")
    assert execute(interactly, command="stop", workflow_run_id=ended["workflow_run_id"]).status_code == 409


def test_the_page_lists_every_setting() -> None:
    """As the code has it."""
    assert table() in _PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ("nonsense=1", "'nonsense' is no setting"),
        ("no_output=404", "no_output is one of 500, 200, not '404'"),
        ("no_output", "no_output is one of"),
        ("interactly_runs_in_all=-1", "interactly_runs_in_all is a number"),
    ],
)
def test_a_wrong_setting_is_refused(tmp_path: Path, given: str, named: str) -> None:
    """By name, with what it takes, before anything is opened."""
    command = [sys.executable, "-m", "workflow_sandbox", f"--database={tmp_path / 'x.db'}", f"--set={given}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"workflow-sandbox: error: argument --set: {named}")
    assert not list(tmp_path.iterdir())
