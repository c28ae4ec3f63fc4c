"""Keys and secret headers are shown nowhere: not in an error, its repr, its reply, a pickle or a log line."""

from __future__ import annotations

import json
import logging
import pickle
import traceback
from typing import Any

import httpx
import pytest
from client_calls import KEY, RESULTS, RUN, Call, Flavour, reply

from workflow_runs import Interactly, PromptLayer, RunFailed, StatusError, WorkflowRunsError

RUN_ID = "5eb7cf5a86d9755df3a6c594"
_ECHOES = [
    reply(400, {"message": f"bad key {KEY}"}),
    reply(401, {"error": KEY, "detail": [{"loc": [KEY], "msg": KEY, "type": KEY}]}),
    reply(422, {"detail": [{"loc": [KEY], "msg": KEY, "type": KEY}]}),
    reply(400, {"message": "x" * (300 - len(KEY) // 2) + KEY}),
    reply(500, {"success": False, "message": KEY, "output": {}}),
    reply(418, {KEY: KEY}, x_request_id=KEY),
    reply(400, {}, x_request_id="x" * (80 - len(KEY) // 2) + KEY),
    httpx.Response(200, text="no JSON", headers={"content-type": KEY}),
    httpx.Response(200, text="no JSON", headers={"content-type": "x" * (80 - len(KEY) // 2) + KEY}),
    reply(201, {KEY: 1}),
    httpx.Response(307, headers={"location": f"https://evil.example/{KEY}"}),
    httpx.ReadError(f"lost {KEY}"),
    httpx.ConnectError("x" * (200 - len(KEY) // 2) + KEY),
    httpx.LocalProtocolError(KEY),
]


def _shown(error: WorkflowRunsError) -> str:
    lines = traceback.format_exception(error)
    return "".join([*lines, str(error), repr(error), repr(error.args), str(error.request_id), repr(error.response)])


def _hidden(text: str) -> bool:
    # Half a key is a leak too: a cut in the wrong place must not leave one behind.
    return KEY[: len(KEY) // 2] not in text


@pytest.mark.parametrize("echo", _ECHOES, ids=range(len(_ECHOES)))
@pytest.mark.parametrize("call", [RUN, RESULTS], ids=str)
def test_an_echoed_key_is_masked(call: Call, echo: Any, flavour: Flavour, caplog: pytest.LogCaptureFixture) -> None:
    """A service or a network layer that repeats the key can't bring it, or half of it, into an error or a log."""
    caplog.set_level(logging.DEBUG, "workflow_runs")
    client, _ = flavour.over(call, echo)
    with pytest.raises(WorkflowRunsError) as caught:
        flavour.make(call, client)
    assert _hidden(_shown(caught.value))
    assert _hidden(caplog.text)


@pytest.mark.parametrize("name", ["authorization", "x-api-key", "cookie", "x-team-token"])
def test_headers_of_the_caller_are_masked_too(name: str, flavour: Flavour) -> None:
    """Any header that was given may be a secret."""
    client, _ = flavour.over(RUN, reply(400, {"message": f"bad {KEY}!"}), api_key="other", headers={name: KEY})
    with pytest.raises(WorkflowRunsError) as caught:
        flavour.make(RUN, client)
    assert _hidden(_shown(caught.value))
    assert caught.value.response is not None
    assert _hidden(repr(caught.value.response.request.headers.raw))


@pytest.mark.parametrize(
    "answer", [httpx.Response(400), httpx.Response(302, headers={"location": "https://other.example/"})], ids=[400, 302]
)
def test_no_reply_of_an_error_holds_the_key(answer: httpx.Response, flavour: Flavour) -> None:
    """The raw reply that an error carries has lost the key wherever httpx keeps a request, and so has its pickle."""
    client, _ = flavour.over(RUN, answer)
    with pytest.raises(WorkflowRunsError) as caught:
        flavour.make(RUN, client)
    response = caught.value.response
    assert response is not None
    for request in (response.request, response.next_request):
        assert request is None or KEY not in repr(request.headers.raw)
    assert KEY.encode() not in pickle.dumps(caught.value)


@pytest.mark.parametrize("size", [1, 100_000])
@pytest.mark.parametrize("all_outputs", [True, False])
def test_failed_nodes_are_told_without_the_key(size: int, *, all_outputs: bool) -> None:
    """A node's own words are the service's words: they are masked as well, also in what the error keeps of the run."""
    value: Any = {KEY: "x" * size}
    for _ in range(200):
        value = [value]
    told = {"error_message": f"refused {KEY}", "raw_error_message": None, "is_output_node": True}
    nodes = {"Reply": {"status": "FAILED", "value": value, **told}}
    transport = httpx.MockTransport(lambda _: reply(200, nodes))
    client = PromptLayer(api_key=KEY, http_client=httpx.Client(transport=transport))
    with pytest.raises(RunFailed) as caught:
        client.wait(1, return_all_outputs=all_outputs)
    assert _hidden(_shown(caught.value) + repr(caught.value.nodes))
    assert caught.value.nodes is not None
    assert caught.value.nodes["Reply"].error_message == "refused ***"


def test_a_failed_run_is_told_without_the_key() -> None:
    """The same of Interactly, whose error keeps the whole run."""
    run = {"_id": RUN_ID, "status": "failed", "termination_source": KEY, "inputs": {"a": [KEY]}}
    transport = httpx.MockTransport(
        lambda _: reply(200, {"success": True, "workflow_run": {"_id": RUN_ID, "workflow_run": run}})
    )
    client = Interactly(base_url="https://ai.example", api_key=KEY, http_client=httpx.Client(transport=transport))
    with pytest.raises(RunFailed) as caught:
        client.wait(RUN_ID)
    assert _hidden(_shown(caught.value) + repr(caught.value.run))
    assert caught.value.run is not None
    assert caught.value.run.status == "failed"


def test_log_lines_tell_the_call_and_no_input(flavour: Flavour, caplog: pytest.LogCaptureFixture) -> None:
    """A log names operation, workflow, outcome and execution; inputs, what was added to the query, and key stay out."""
    caplog.set_level(logging.DEBUG, "workflow_runs")
    client, _ = flavour.over(RUN, RUN.ok())
    client = client.with_options(extra_query={"trace": "secret-trace"})
    flavour.do(client, "run_workflow", "support-agent", input_variables={"a": "secret-input"})
    told = "\n".join(record.getMessage() for record in caplog.records if record.name == "workflow_runs")
    assert "run_workflow: POST /workflows/support-agent/run: 201 after" in told
    assert told.endswith("workflow_version_execution_id 98765")
    assert "secret" not in told
    assert KEY not in told


@pytest.mark.parametrize(
    "body",
    [
        {"message": KEY, "deep": [{KEY: [KEY, 1, None]}]},
        {"message": "".join(f"\\{ord(char):o}" for char in KEY)},
        {"message": "".join(f"\\u{{{ord(char):x}}}" for char in KEY)},
        {"message": KEY, "long": ["x" * 100] * 1000},
    ],
    ids=["deep", "octal", "braces", "long"],
)
def test_the_body_of_an_error_has_lost_the_key(body: Any, flavour: Flavour) -> None:
    """Whoever logs, keeps or pickles an error with its body doesn't spread a key that the service has sent back."""
    spelled = json.loads(json.dumps(body))["message"]
    client, _ = flavour.over(RUN, reply(400, body))
    with pytest.raises(StatusError) as caught:
        flavour.make(RUN, client)
    again = pickle.loads(pickle.dumps(caught.value))  # noqa: S301 - our own
    for shown in (repr(caught.value.body), repr(again.body), str(caught.value)):
        assert KEY not in shown
        assert spelled not in shown
        assert repr(spelled)[1:-1] not in shown
        assert "***" in shown or shown == str(caught.value)


def test_a_request_id_does_nothing_to_a_terminal(flavour: Flavour) -> None:
    """It is the service's text, and some control characters are allowed in headers."""
    client, _ = flavour.over(RUN, httpx.Response(404, json={}, headers=[(b"x-request-id", b"a\x9b31mb")]))
    with pytest.raises(StatusError) as caught:
        flavour.make(RUN, client)
    assert str(caught.value).isprintable()
    assert "a\\x9b31mb" in str(caught.value)
