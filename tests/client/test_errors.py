"""Errors of the service: a class for each status, the parsed body, the service's own words, and what they carry."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import httpx
import pytest
from client_calls import FAILED, RESULTS, RUN, SYNC, Call, Flavour, reply

import workflow_runs
from workflow_runs import (
    BadArgument,
    BadRequest,
    Conflict,
    ContractBroken,
    Forbidden,
    MaybeSent,
    NotFound,
    NotSent,
    RunFailed,
    ServerError,
    StatusError,
    TooManyRequests,
    Unauthorized,
    Unprocessable,
    WaitTimeout,
    WorkflowRunsError,
    models,
)

_CLASSES: dict[int, type[StatusError]] = {
    400: BadRequest, 401: Unauthorized, 403: Forbidden, 404: NotFound, 409: Conflict, 422: Unprocessable,
    429: TooManyRequests, 500: ServerError, 502: ServerError, 503: ServerError, 504: ServerError, 520: ServerError,
    529: ServerError, 599: ServerError, 203: StatusError, 299: StatusError, 304: StatusError, 402: StatusError,
    418: StatusError, 451: StatusError, 499: StatusError,
}  # fmt: skip


def _caught(call: Call, outcome: Any, flavour: Flavour = SYNC) -> WorkflowRunsError:
    client, _ = flavour.over(call, outcome)
    with pytest.raises(WorkflowRunsError) as caught:
        flavour.make(call, client)
    return caught.value


@pytest.mark.parametrize("status", _CLASSES)
def test_every_status_has_its_class(status: int, call: Call, flavour: Flavour) -> None:
    """A status, documented or not, ends in the class for it, and the reply goes along."""
    body = {"message": "told", "more": [1]}
    error = _caught(call, reply(status, body, x_request_id="r-1", retry_after="3"), flavour)
    assert type(error) is _CLASSES[status]
    assert isinstance(error, StatusError)
    assert error.operation == call.operation
    assert error.status == status
    assert error.request_id == "r-1"
    assert error.retry_after == 3
    assert error.may_have_run == (call.starts_something and not 400 <= status < 500)
    assert error.response is not None
    assert error.response.json() == body
    assert "told" in str(error)
    assert f"status {status}" in str(error)
    assert call.operation in str(error)
    assert error.body == body or error.body.to_dict() == body


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"message": "first"}, ["first"]),
        ({"error": "second"}, ["second"]),
        ({"detail": "third"}, ["third"]),
        ({"message": "first", "error": "second", "detail": "third"}, ["first", "second", "third"]),
        ({"success": False, "message": "same", "error": "same"}, ["same"]),
        ({"detail": [{"loc": ["body", "a", 0], "msg": "wrong", "type": "t"}]}, ["body.a.0: wrong"]),
        ({"detail": [{"msg": "one"}, {"msg": "two"}]}, ["one", "two"]),
        ({"detail": ["one", "two"]}, ["one", "two"]),
    ],
)
@pytest.mark.parametrize("status", [400, 422, 418, 500])
def test_the_services_words_are_read_wherever_they_stand(status: int, body: Any, words: list[str]) -> None:
    """Message, error and detail are all read, each word once."""
    message = _caught(RUN, reply(status, body)).message
    for word in words:
        assert message.count(word) == 1


@pytest.mark.parametrize(
    "body",
    [None, 1, "text", [], {}, {"message": None}, {"message": ""}, {"error": {"a": 1}},
     {"detail": {"loc": 5, "msg": {}}}, {"detail": [[[]]]}, {"detail": [None, 5]},
     {"message": 5, "error": [], "detail": False}],
    ids=repr,
)  # fmt: skip
@pytest.mark.parametrize("status", [400, 422, 500])
def test_whatever_the_body_is_the_error_is_typed(status: int, body: Any, call: Call) -> None:
    """No form of an error's body leads to an error of another kind, and there are always some words."""
    error = _caught(call, reply(status, body))
    assert type(error) is _CLASSES[status]
    assert error.message


@pytest.mark.parametrize("member", ["message", "error", "detail"])
def test_deeply_nested_words_leak_no_recursion(member: str) -> None:
    """However deep a service nests its words, the status is told."""
    content = f'{{"{member}":{"[" * 400}{"]" * 400}}}'.encode()
    answer = httpx.Response(400, content=content, headers={"content-type": "application/json"})
    assert type(_caught(RUN, answer)) is BadRequest


def test_long_words_are_cut() -> None:
    """A message stays readable, however much the service has to say."""
    assert len(str(_caught(RUN, reply(400, {"message": "x" * 100_000, "detail": ["y" * 1000] * 1000})))) < 1_000
    assert len(str(_caught(RUN, reply(400, {}, x_request_id="r" * 5_000)))) < 1_000


@pytest.mark.parametrize("status", [502, 520])
def test_a_page_of_a_proxy_is_kept_as_text(status: int, call: Call, flavour: Flavour) -> None:
    """A gateway's HTML is no JSON: it is the body as text, and isn't poured into the message."""
    page = "<html><body><h1>Bad gateway</h1></body></html>"
    answer = httpx.Response(status, text=page, headers={"content-type": "text/html; charset=no-such-charset"})
    error = _caught(call, answer, flavour)
    assert type(error) is ServerError
    assert error.body == page
    assert "<html>" not in str(error)


def test_a_documented_body_is_a_model(flavour: Flavour) -> None:
    """What the contract describes is typed, unknown members included; an undocumented status has plain JSON."""
    error = _caught(RUN, reply(400, {"message": "m", "code": 7}), flavour)
    assert isinstance(error, StatusError)
    assert type(error.body) is models.ErrorResponse
    assert error.body.additional_properties == {"code": 7}
    plain = _caught(RUN, reply(418, {"message": "m"}), flavour)
    assert isinstance(plain, StatusError)
    assert plain.body == {"message": "m"}


def test_a_failed_execution_is_an_error_of_its_own(flavour: Flavour) -> None:
    """The documented failure form says what there is of the output."""
    error = _caught(RESULTS, reply(500, FAILED, x_request_id="r-2"), flavour)
    assert isinstance(error, RunFailed)
    assert error.status == 500
    assert error.request_id == "r-2"
    assert error.output == FAILED["output"]
    assert type(error.body) is models.ExecutionFailed
    assert "No output node succeeded" in str(error)


def test_the_failure_form_is_none_for_a_run(flavour: Flavour) -> None:
    """The same body from another operation is a server in trouble, and the run is in doubt."""
    error = _caught(RUN, reply(500, FAILED), flavour)
    assert type(error) is ServerError
    assert error.may_have_run


@pytest.mark.parametrize(
    "kind",
    [BadArgument, BadRequest, ContractBroken, MaybeSent, NotSent, RunFailed, StatusError, WaitTimeout, ServerError],
)
def test_there_is_one_root(kind: type[Exception]) -> None:
    """Whoever catches the root catches everything."""
    assert issubclass(kind, WorkflowRunsError)
    assert issubclass(workflow_runs.WorkflowRunsError, Exception)


_OUTCOMES = [
    reply(400, {"message": "m"}),
    reply(429, {}, retry_after="9", x_request_id="r"),
    reply(500, FAILED),
    reply(201, {}),
    httpx.Response(200, text="<html>"),
    httpx.Response(302, headers={"location": "https://other.example/"}),
    httpx.ReadTimeout("late"),
    httpx.ConnectError("refused"),
]


def _pickled(error: Any) -> Any:
    return pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes


def _with_jar(error: Any) -> Any:
    """Return the error after somebody has looked for cookies, which makes a jar."""
    assert error.response is None or not error.response.cookies
    return error


@pytest.mark.parametrize("outcome", _OUTCOMES, ids=range(len(_OUTCOMES)))
@pytest.mark.parametrize(
    "copied", [_pickled, copy.copy, lambda error: _pickled(_with_jar(error))], ids=["pickle", "copy", "jar"]
)
@pytest.mark.parametrize("call", [RUN, RESULTS], ids=str)
def test_errors_can_be_copied_and_pickled(call: Call, outcome: Any, copied: Any) -> None:
    """A copy says everything that the original says."""
    error = _caught(call, outcome)
    again = copied(error)
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert repr(again) == repr(error)
    for name in ("operation", "status", "request_id", "retry_after", "may_have_run", "message"):
        assert getattr(again, name) == getattr(error, name)
    assert getattr(again, "body", None) == getattr(error, "body", None)
    if error.response is not None:
        assert again.response is not None
        assert again.response.content == error.response.content


def test_errors_of_our_own_side_can_be_pickled() -> None:
    """A refusal and a missed deadline travel with their attributes."""
    client, _ = SYNC.over(RESULTS, httpx.Response(202, json={}))
    with pytest.raises(BadArgument) as refused:
        client.run_workflow("a", metadata={"a": 1})
    with pytest.raises(WaitTimeout) as missed:
        client.wait(7, deadline=0)
    refusal, late = (pickle.loads(pickle.dumps(caught.value)) for caught in (refused, missed))  # noqa: S301
    assert (type(refusal), refusal.field, str(refusal)) == (BadArgument, "metadata.a", str(refused.value))
    assert (type(late), late.execution_id) == (WaitTimeout, 7)


def test_no_foreign_error_hangs_behind(flavour: Flavour) -> None:
    """A traceback shows our error alone; what httpx said is in its words."""
    error = _caught(RUN, httpx.ReadTimeout("the read operation timed out"), flavour)
    assert error.__cause__ is None
    assert error.__context__ is None or error.__suppress_context__
    assert "ReadTimeout: the read operation timed out" in str(error)


def test_the_clients_own_words_are_never_masked(flavour: Flavour) -> None:
    """An input that happens to be a word of ours doesn't punch a hole into the advice."""
    client, _ = flavour.over(RUN, httpx.ReadTimeout("late"))
    with pytest.raises(MaybeSent) as caught:
        flavour.do(client, "run_workflow", "a", input_variables={"a": "reply", "b": "started", "c": "before calling"})
    assert "it may have started a run: look for it before calling again" in str(caught.value)
