"""Replies that break the contract: one typed error that says where, what was expected and what came."""

from __future__ import annotations

import gzip
import json
import zlib
from typing import Any

import httpx
import pytest
from client_calls import (
    CALLS,
    EXECUTE,
    INTERACTLY_WORKFLOW,
    NODES,
    RESULTS,
    RUN,
    SYNC,
    WORKFLOW_RUN,
    Call,
    Flavour,
    Wire,
    example,
    reply,
)

from workflow_runs import ContractBroken, PromptLayer, StatusError, models


def _broken(call: Call, answer: httpx.Response, flavour: Flavour = SYNC, *, tries: int = 1) -> ContractBroken:
    client, wire = flavour.over(call, answer, retries=2)
    with pytest.raises(ContractBroken) as caught:
        flavour.make(call, client)
    error = caught.value
    assert len(wire.requests) == tries
    assert error.operation == call.operation
    assert error.may_have_run == call.starts_something
    return error


_UNREADABLE = {
    "html": (httpx.Response(200, text="<h1>hello</h1>", headers={"content-type": "text/html"}), "content-type"),
    "no media type": (httpx.Response(200, content=b"{}"), "content-type"),
    "text": (httpx.Response(200, text="null"), "content-type"),
    "other json": (reply(200, {}, content_type="application/problem+json"), "content-type"),
    "empty": (httpx.Response(200, headers={"content-type": "application/json"}), "$"),
    "cut": (httpx.Response(200, content=b'{"a": [1, 2', headers={"content-type": "application/json"}), "$"),
    "two": (httpx.Response(200, content=b"{}{}", headers={"content-type": "application/json"}), "$"),
    "nan": (httpx.Response(200, content=b"NaN", headers={"content-type": "application/json"}), "$"),
    "infinity": (httpx.Response(200, content=b"[-Infinity]", headers={"content-type": "application/json"}), "$"),
    "bytes": (httpx.Response(200, content=b'"\xff\xfe"', headers={"content-type": "application/json"}), "$"),
    "too deep": (httpx.Response(200, content=b"[" * 99999, headers={"content-type": "application/json"}), "$"),
    "endless number": (httpx.Response(200, content=b"9" * 9999, headers={"content-type": "application/json"}), "$"),
}


@pytest.mark.parametrize("form", _UNREADABLE)
def test_an_unreadable_body_is_told(form: str, call: Call, flavour: Flavour) -> None:
    """A success without a JSON body says what came instead, keeps the raw reply, and is never asked for again."""
    answer, path = _UNREADABLE[form]
    answer = httpx.Response(call.success[0], headers=answer.headers, content=answer.content)
    error = _broken(call, answer, flavour)
    assert error.path == path
    assert error.expected
    assert error.received
    assert error.response is not None
    assert error.response.content == answer.content
    assert error.status == call.success[0]
    assert f"@ {path}" in str(error)


def _without(body: Any, *place: Any) -> Any:
    changed = json.loads(json.dumps(body))
    inner = changed
    for key in place[:-1]:
        inner = inner[key]
    del inner[place[-1]]
    return changed


def _with(body: Any, value: Any, *place: Any) -> Any:
    changed = json.loads(json.dumps(body))
    inner = changed
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    return changed


_ID = "workflow_version_execution_id"
_CREATED = RUN.success[1]
_NO_OBJECTS: list[Any] = [None, True, 0, "", [], [_CREATED]]
_WRONG_MEMBERS: list[tuple[str, str, list[Any]]] = [
    ("success", "true or false", [None, 0, 1, "true", []]),
    ("message", "a text", [None, 0, {}, []]),
    ("warning", "a text", [False, 0, {}, []]),
    (_ID, "a whole number", [None, True, "1", 1.5, [1], {}]),
]
_WRONG: list[tuple[Call, Any, str, str]] = [
    *((RUN, value, "$", "an object") for value in _NO_OBJECTS),
    (RUN, {}, "$.success", "a value"),
    *((RUN, _without(_CREATED, name), f"$.{name}", "a value") for name in RUN.required),
    *((RUN, _with(_CREATED, value, name), f"$.{name}", words) for name, words, bad in _WRONG_MEMBERS for value in bad),
    *((EXECUTE, value, "$", "an object") for value in _NO_OBJECTS),
    (EXECUTE, _with(WORKFLOW_RUN, 5, "status"), "$.status", "a text"),
    (EXECUTE, _with(WORKFLOW_RUN, None, "status"), "$.status", "a text"),
    (EXECUTE, _with(WORKFLOW_RUN, None, "version_name"), "$.version_name", "a text"),
    (EXECUTE, _with(WORKFLOW_RUN, None, "comments"), "$.comments", "a list"),
    (EXECUTE, _with(WORKFLOW_RUN, {}, "comments"), "$.comments", "a list"),
    (EXECUTE, _with(WORKFLOW_RUN, [{}, 5], "comments"), "$.comments[1]", "an object"),
    (EXECUTE, _with(WORKFLOW_RUN, "1", "version_number"), "$.version_number", "a whole number"),
    (EXECUTE, _with(WORKFLOW_RUN, 1, "is_evaluation_run"), "$.is_evaluation_run", "true or false"),
    (EXECUTE, _with(WORKFLOW_RUN, "1", "llm_latency_stats", "average_latency_milliseconds"),
     "$.llm_latency_stats.average_latency_milliseconds", "a number"),
    (EXECUTE, _with(WORKFLOW_RUN, 5, "input_output_pairs", 0, "run_output", "thread_to_node_outputs", "0"),
     "$.input_output_pairs[0].run_output.thread_to_node_outputs['0']", "a list"),
    (EXECUTE, _with(WORKFLOW_RUN, "x", "llm_token_usage", "breakdown_by_models", 0, "call_count"),
     "$.llm_token_usage.breakdown_by_models[0].call_count", "a whole number"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("call", "body", "path", "expected"),
    _WRONG,
    ids=[f"{number}-{call}-{path}" for number, (call, _, path, _) in enumerate(_WRONG)],
)
def test_a_wrong_value_is_told_with_its_place(call: Call, body: Any, path: str, expected: str) -> None:
    """A missing member or a value of another type is found, however deep it stands."""
    error = _broken(call, reply(call.success[0], body))
    assert error.path == path
    assert expected in error.expected
    assert error.received
    assert error.response is not None
    assert error.response.json() == body


def test_a_wrong_value_is_told_for_asyncio_too(flavour: Flavour) -> None:
    """Both flavours read alike."""
    error = _broken(RUN, reply(202, {}), flavour)
    assert (error.path, error.received, error.status) == ("$.success", "nothing", 202)


def test_the_text_of_a_broken_reply_is_not_shown() -> None:
    """A text's length is told instead of the text, which may be a secret."""
    error = _broken(RUN, reply(201, {**_CREATED, "success": "very-private"}))
    assert "very-private" not in str(error)
    assert error.received == "a text of 12 characters"


def test_a_long_member_name_keeps_the_error_short() -> None:
    """A name that the service made up is shown bounded, since it may be as long as it likes."""
    long = "thread" * 10_000
    body = _with(WORKFLOW_RUN, {long: 5}, "input_output_pairs", 0, "run_output", "thread_to_node_outputs")
    error = _broken(EXECUTE, reply(200, body))
    assert len(str(error)) < 1_000


def test_corrupt_compression_is_told(call: Call, flavour: Flavour) -> None:
    """A reply that can't be unpacked breaks the contract; no codec's error leaks."""

    def corrupt(_: httpx.Request) -> httpx.Response:
        headers = {"content-type": "application/json", "content-encoding": "gzip"}
        return httpx.Response(call.success[0], headers=headers, stream=_Bytes(b"this is not gzip"))

    client, wire = flavour.over(call, corrupt)
    with pytest.raises(ContractBroken) as caught:
        flavour.make(call, client)
    assert caught.value.may_have_run == call.starts_something
    assert len(wire.requests) == 1


PACKED = gzip.compress(b"123456789012345678")
PARTS = {
    "a part": ("gzip", PACKED[:16]),
    "no trailer": ("gzip", PACKED[:-8]),
    "half a second member": ("gzip", gzip.compress(b"12345") + gzip.compress(b"678")[:-3]),
    "deflate": ("deflate", zlib.compress(b"123456789")[:-4]),
    "within another one": ("gzip, deflate", zlib.compress(PACKED[:-3])),
}


@pytest.mark.parametrize("about", PARTS)
def test_a_compressed_body_that_is_not_whole_is_no_result(about: str, flavour: Flavour) -> None:
    """The beginning of a number is a number: only the end of what is compressed tells that it is the whole one."""
    coding, content = PARTS[about]

    def cut(_: httpx.Request) -> httpx.Response:
        headers = {"content-type": "application/json", "content-encoding": coding}
        return httpx.Response(200, headers=headers, stream=_Bytes(content))

    client, _ = flavour.over(RESULTS, cut)
    with pytest.raises(ContractBroken, match="ends before its end"):
        flavour.make(RESULTS, client)


@pytest.mark.parametrize("coding", ["gzip", "x-gzip", "GZIP"])
def test_a_compressed_body_is_read_to_its_end(coding: str, flavour: Flavour) -> None:
    """Members in a row, what fills up behind them, and the other name of the coding (RFC 9110, 8.4.1.3)."""
    content = gzip.compress(b"12345") + gzip.compress(b"678") + b"\0" * 20

    def whole(_: httpx.Request) -> httpx.Response:
        headers = {"content-type": "application/json", "content-encoding": coding}
        return httpx.Response(200, headers=headers, stream=_Bytes(content))

    client, _ = flavour.over(RESULTS, whole)
    assert flavour.make(RESULTS, client).value == 12345678


class _Bytes(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body that arrives as it is."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def __iter__(self) -> Any:
        yield self._content

    async def __aiter__(self) -> Any:
        yield self._content


def test_an_error_with_a_broken_body_is_a_status_error(call: Call, flavour: Flavour) -> None:
    """An error's status counts more than its body: it is read as far as it can be."""
    for answer, body in (
        (httpx.Response(404, text="<h1>not here</h1>", headers={"content-type": "text/html"}), "<h1>not here</h1>"),
        (reply(404, {"message": 5}), {"message": 5}),
        (reply(404, [1]), [1]),
        (httpx.Response(404), ""),
    ):
        client, _ = flavour.over(call, answer)
        with pytest.raises(StatusError) as caught:
            flavour.make(call, client)
        assert caught.value.body == body


def test_waiting_for_nodes_that_are_none_breaks_the_contract() -> None:
    """Asked for all nodes, a service has to send nodes; the error keeps the raw reply."""
    broken = _with(NODES, 5, "Reply", "status")
    for body, path in ((5, "$"), (broken, "$.Reply.status")):
        transport = httpx.MockTransport(lambda _, body=body: reply(200, body))
        client = PromptLayer(api_key="key", http_client=httpx.Client(transport=transport))
        with pytest.raises(ContractBroken) as caught:
            client.wait(1, return_all_outputs=True)
        assert caught.value.path == path
        assert caught.value.status == 200
        assert caught.value.response is not None


def test_infinity_in_disguise_is_no_number() -> None:
    """A number too large for a float can't be read without loss, and isn't turned into infinity."""
    answer = httpx.Response(200, content=b"1e999", headers={"content-type": "application/json"})
    _broken(RESULTS, answer)


@pytest.mark.parametrize("call", CALLS, ids=str)
def test_an_undocumented_success_is_no_success(call: Call, flavour: Flavour) -> None:
    """A 2xx that the contract does not list is an error with its parsed body, and may have started a run."""
    client, wire = flavour.over(call, reply(299, {"a": 1}))
    with pytest.raises(StatusError) as caught:
        flavour.make(call, client)
    assert type(caught.value) is StatusError
    assert caught.value.body == {"a": 1}
    assert caught.value.may_have_run == call.starts_something
    assert len(wire.requests) == 1


TURN = example("/v1/workflows/{workflow_id}/execute", "post", "200", "turn")
FORMS = {"whole run": ({"command": "start"}, WORKFLOW_RUN), "turn": ({"run_input": {}}, TURN)}


@pytest.mark.parametrize("asked", FORMS)
@pytest.mark.parametrize("answered", FORMS)
def test_the_form_of_the_request_is_that_of_the_reply(asked: str, answered: str, flavour: Flavour) -> None:
    """A service of the other generation of execute is found out, and what it may have started is told."""
    client = flavour.client("interactly", Wire(reply(200, FORMS[answered][1])))
    if asked == answered:
        found = flavour.do(client, "execute_workflow", INTERACTLY_WORKFLOW, **FORMS[asked][0])
        assert type(found) is (models.WorkflowRun if asked == "whole run" else models.InteractiveRun)
        return
    with pytest.raises(ContractBroken, match="which answers a request of this form") as caught:
        flavour.do(client, "execute_workflow", INTERACTLY_WORKFLOW, **FORMS[asked][0])
    assert caught.value.may_have_run
