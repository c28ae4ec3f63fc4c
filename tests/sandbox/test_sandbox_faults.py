"""Hostile on request: each fault by header, orders, a seeded profile, and the history that records it all."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from callback_receiver import CallbackReceiver
from sandbox_calls import INTERACTLY_WORKFLOW, finished, promptlayer_client, run

from workflow_sandbox import Sandbox
from workflow_sandbox.__main__ import main

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workflow_sandbox import InProcessSandbox

_RUN = "/workflows/canary/run"
_RESULTS = "/workflow-version-execution-results"


@pytest.fixture
def client(fresh_workflow_sandbox: InProcessSandbox) -> Iterator[httpx.Client]:
    """A client of a fresh sandbox whose responses nobody judges by the contract."""
    headers = {"X-API-KEY": fresh_workflow_sandbox.api_key}
    with httpx.Client(base_url=fresh_workflow_sandbox.promptlayer_url, headers=headers) as client:
        yield client


def _start(client: httpx.Client, fault: str, **body: Any) -> httpx.Response:
    return client.post(_RUN, json=body, headers={"X-Sandbox-Fault": fault})


def _results(client: httpx.Client, run_id: int, fault: str = "", **query: str) -> httpx.Response:
    headers = {"X-Sandbox-Fault": fault} if fault else {}
    return client.get(_RESULTS, params={"workflow_version_execution_id": run_id, **query}, headers=headers)


def _runs(client: httpx.Client) -> int:
    """Return how many runs were started before, by starting one more."""
    first_id = 5_000_000_001
    run_id: int = client.post(_RUN, json={}).json()["workflow_version_execution_id"]
    return run_id - first_id


@pytest.mark.parametrize(
    ("fault", "status", "retry_after"),
    [
        ("rate-limit", 429, "1"),
        ("rate-limit:none", 429, None),
        ("rate-limit:zero", 429, "0"),
        ("rate-limit:fraction", 429, "0.5"),
        ("rate-limit:nonsense", 429, "soon"),
        ("rate-limit:long", 429, "86400"),
        ("error", 500, None),
        ("error:503", 503, None),
        ("error:520", 520, None),
    ],
)
def test_a_refusal_by_header_does_nothing(
    client: httpx.Client, fault: str, status: int, retry_after: str | None
) -> None:
    """The status comes instead of what was asked for, in the contract's form of an error."""
    response = _start(client, fault)

    assert (response.status_code, response.headers.get("retry-after")) == (status, retry_after)
    assert response.json()["success"] is False
    assert _runs(client) == 0


@pytest.mark.parametrize("form", ["date", "past"])
def test_retry_after_may_be_a_date(client: httpx.Client, form: str) -> None:
    """Both dates are dates of HTTP."""
    assert _start(client, f"rate-limit:{form}").headers["retry-after"].endswith(" GMT")


def test_an_error_of_interactly_has_its_form(client: httpx.Client, fresh_workflow_sandbox: InProcessSandbox) -> None:
    """The other service's errors have a `detail`."""
    url = f"{fresh_workflow_sandbox.interactly_url}/v1/workflows/{INTERACTLY_WORKFLOW}/execute"
    response = client.post(url, json={}, headers={"X-Sandbox-Fault": "error:503"})

    assert (response.status_code, list(response.json())) == (503, ["detail"])


@pytest.mark.parametrize(
    ("fault", "runs"), [("reset-before", 0), ("reset-after", 1), ("cut", 1), ("error-after:503", 1), ("html", 1)]
)
@pytest.mark.parametrize("by", ["socket", "transport"])
def test_a_request_is_carried_out_or_not_as_the_fault_says(
    fresh_workflow_sandbox: InProcessSandbox, by: str, fault: str, runs: int
) -> None:
    """What is lost after the request was read has started a run, by socket as in process."""
    transport = fresh_workflow_sandbox.transport if by == "transport" else None
    headers = {"X-API-KEY": fresh_workflow_sandbox.api_key}
    with httpx.Client(base_url=fresh_workflow_sandbox.promptlayer_url, headers=headers, transport=transport) as client:
        if fault in {"reset-before", "reset-after", "cut"}:
            with pytest.raises(httpx.TransportError):
                _start(client, fault)
        else:
            response = _start(client, fault)
            assert response.status_code == (503 if fault == "error-after:503" else 200)
            assert fault != "html" or response.text.startswith("<!doctype html>")
        assert _runs(client) == runs


def test_a_response_may_be_slow_in_parts_or_of_a_wrong_type(client: httpx.Client) -> None:
    """The body is whole all the same."""
    trickling, typed = _start(client, "trickle:0.1"), _start(client, "media-type")

    assert _start(client, "delay:0.1").elapsed.total_seconds() >= 0.1
    assert trickling.elapsed.total_seconds() >= 0.08
    assert typed.headers["content-type"] == "text/plain"
    assert trickling.json()["success"]
    assert typed.json()["success"]


def test_what_the_contract_allows_and_nobody_sends(client: httpx.Client) -> None:
    """Nodes may have other properties and statuses; what a run has put out is never touched."""
    run_id = run(client)
    finished(client, run_id)
    nodes = _results(client, run_id, "unknown-property, unknown-status", return_all_outputs="true").json()
    plain, spoilt = _results(client, run_id), _results(client, run_id, "unknown-property")

    assert {node["status"] for node in nodes.values()} == {"SUCCEEDED_WITH_NOTES"}
    assert all("sandbox_unknown_property" in node for node in nodes.values())
    assert plain.content == spoilt.content


@pytest.mark.parametrize("metadata", [{}, {"sandbox": "fail"}])
def test_results_may_stay_pending(client: httpx.Client, metadata: dict[str, str]) -> None:
    """The polls that were asked for find the run still running, also one that has failed; the next finds its end."""
    run_id = _start(client, "stay-pending:2", metadata=metadata).json()["workflow_version_execution_id"]
    other = run(client, metadata=metadata)
    status = finished(client, other).status_code
    first = _results(client, run_id)
    second = _results(client, run_id, return_all_outputs="true")

    assert (first.status_code, first.json()) == (202, None)
    assert (second.status_code, second.json()["Reply"]["status"]) == (202, "RUNNING")
    assert _results(client, run_id).status_code == status == (500 if metadata else 200)


@pytest.mark.parametrize(
    ("fault", "states"),
    [("callback-lost", ["lost"]), ("callback-duplicate", ["delivered"] * 2), ("callback-late:0.1", ["delivered"])],
)
def test_callbacks_may_be_lost_late_or_doubled(
    client: httpx.Client, fresh_workflow_sandbox: InProcessSandbox, fault: str, states: list[str]
) -> None:
    """The receiver sees as many posts as the history tells of."""
    with CallbackReceiver() as receiver:
        finished(client, _start(client, fault, callback_url=f"{receiver.url}?token=x").json()[_ID])
        _wait_for_callbacks(fresh_workflow_sandbox, len(states))
        posts = fresh_workflow_sandbox.callbacks

        assert [post.state for post in posts] == states
        assert all(post.url == f"{receiver.url}?***" and post.faults[0].startswith(fault) for post in posts)
        for _ in range(sum(post.attempt > 0 for post in posts)):
            receiver.wait()
        assert not receiver.has_more()


_ID = "workflow_version_execution_id"


def _wait_for_callbacks(sandbox: InProcessSandbox, count: int) -> None:
    for _ in range(500):
        if len(sandbox.callbacks) >= count:
            return
        time.sleep(0.01)
    pytest.fail("the callbacks don't come")


@pytest.mark.parametrize("text", ["nonsense", "error:200", "delay:-1", "reset-after:1"])
def test_an_unknown_fault_is_refused_by_name(
    client: httpx.Client, fresh_workflow_sandbox: InProcessSandbox, text: str
) -> None:
    """By header it is 422 in the contract's form, in Python a ValueError; nothing is done."""
    problem = _start(client, text).json()["detail"][0]

    assert problem["loc"] == ["header", "x-sandbox-fault"]
    assert text.partition(":")[0] in problem["msg"]
    with pytest.raises(ValueError, match="fault"):
        fresh_workflow_sandbox.inject(text)
    assert _runs(client) == 0


def test_an_order_is_met_as_often_as_it_says_by_the_requests_that_it_names(
    client: httpx.Client, fresh_workflow_sandbox: InProcessSandbox
) -> None:
    """Other requests pass."""
    fresh_workflow_sandbox.inject("error:503", times=2, method="POST", path=_RUN)

    assert [client.get("/workflows").status_code, *(client.post(_RUN, json={}).status_code for _ in range(3))] == [
        200,
        503,
        503,
        201,
    ]


def _profile_of_30(client: httpx.Client, sandbox: InProcessSandbox, seed: int) -> list[list[str]]:
    shares = {"error:520": 0.2, "rate-limit": 0.1, "error": 0.1, "unknown-property": 0.1, "delay:0": 0.1}
    sandbox.set_chaos(shares=shares, seed=seed)
    sandbox.clear_history()
    for _ in range(30):
        client.get("/workflows")
    return [each.faults for each in sandbox.requests]


def test_a_seed_gives_the_same_faults_again(fresh_workflow_sandbox: InProcessSandbox) -> None:
    """Same seed, same order of requests, same faults; another seed, others; and none once it is ended."""
    headers = {"X-API-KEY": fresh_workflow_sandbox.api_key}
    with httpx.Client(
        base_url="http://127.0.0.1", headers=headers, transport=fresh_workflow_sandbox.transport
    ) as client:
        first, again, other = (_profile_of_30(client, fresh_workflow_sandbox, seed) for seed in (7, 7, 8))
        fresh_workflow_sandbox.set_chaos()

        assert client.get("/workflows").status_code == 200
    assert first == again != other
    assert ["error:520"] in first
    assert 8 <= sum(map(bool, first)) <= 28


@pytest.mark.parametrize(
    ("share", "shares"), [(1.1, {}), (-0.1, {}), (0.5, {"cut": 0.6}), (0, {"nonsense": 0.1}), (0, {"cut": 2.0})]
)
def test_a_profile_that_cannot_be_is_refused(
    fresh_workflow_sandbox: InProcessSandbox, share: float, shares: dict[str, float]
) -> None:
    """Its words say what a share is, or which faults there are."""
    with pytest.raises(ValueError, match=r"shares are numbers|no fault is called"):
        fresh_workflow_sandbox.set_chaos(share, shares=shares)


def test_the_history_has_no_secrets(client: httpx.Client, fresh_workflow_sandbox: InProcessSandbox) -> None:
    """The key is hidden wherever it was sent, a callback's password and query too, and other headers are left out."""
    key = fresh_workflow_sandbox.api_key
    body = {"input_variables": {"user_message": key}, "callback_url": "http://me:pw@127.0.0.1:9/x?token=1"}
    client.post(f"/workflows/{key}/run?key={key}", json=body, headers={"Cookie": "a=b"})
    (record,) = fresh_workflow_sandbox.requests

    assert (record.number, record.method, record.path, record.query) == (1, "POST", "/workflows/***/run", "key=***")
    assert record.status == 404
    assert record.body == {
        "input_variables": {"user_message": "***"},
        "callback_url": "http://127.0.0.1:9/x?***",
    }
    assert not record.headers.keys() & {"x-api-key", "cookie"}
    fresh_workflow_sandbox.clear_history()
    assert fresh_workflow_sandbox.requests == []


def test_the_history_is_bounded(fresh_workflow_sandbox: InProcessSandbox) -> None:
    """The last thousand requests are kept, without bodies of more than 16 KiB."""
    with httpx.Client(transport=fresh_workflow_sandbox.transport, base_url="http://127.0.0.1") as client:
        for _ in range(1001):
            client.get("/x")
        client.post(_RUN, json={"input_variables": {"x": "y" * 20_000}}, headers={"X-API-KEY": "sandbox-key"})
    records = fresh_workflow_sandbox.requests

    assert (len(records), records[0].number, records[-1].number) == (1000, 3, 1002)
    assert (records[-1].status, records[-1].body) == (201, None)


def test_the_child_process_can_be_asked_too(sandbox: Sandbox) -> None:
    """The same control by a port of its own, which takes nothing that a web page could send."""
    with promptlayer_client(sandbox) as judged:
        sandbox.inject("error:503", path="/workflows", method="GET")
        with pytest.raises(AssertionError, match="not documented"):
            judged.get("/workflows")
    assert sandbox.requests[-1].faults == ["error:503"]
    for headers in ({"Host": "sandbox.example"}, {"Origin": "http://127.0.0.1:80"}):
        assert httpx.get(f"{sandbox._admin_url}/requests", headers=headers).status_code == 403
    form = httpx.post(
        f"{sandbox._admin_url}/faults", content='{"fault": "cut"}', headers={"Content-Type": "text/plain"}
    )
    assert form.status_code == 422


def test_the_command_line_takes_a_profile_and_limits() -> None:
    """What is asked for at the start holds from the first request on."""
    with Sandbox(options=["--fault=error:520=1", "--seed=7", "--max-body-bytes=100"]) as sandbox:
        url, headers = f"{sandbox.promptlayer_url}{_RUN}", {"X-API-KEY": sandbox.api_key}
        first = httpx.post(url, json={}, headers=headers)
        sandbox.set_chaos()
        second = httpx.post(url, json={"input_variables": {"x": "y" * 100}}, headers=headers)

    assert (first.status_code, second.status_code) == (520, 422)


@pytest.mark.parametrize(
    "option", ["--chaos=1.5", "--chaos=x", "--fault=cut", "--fault=nonsense=0.1", "--fault=cut=2", "--max-rows=0"]
)
def test_what_makes_no_sense_is_refused_at_the_start(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One line that names the option, and status 2."""
    with pytest.raises(SystemExit) as ended:
        main([option])

    assert ended.value.code == 2
    assert option.partition("=")[0] in capsys.readouterr().err
