"""Legal replies: each example of the contract is read without loss and has its own type."""

from __future__ import annotations

import json
from typing import Any

import pytest
from client_calls import (
    CALLS,
    CONTRACT,
    EVERY_CALL,
    NODES,
    RESULTS,
    RUN,
    SYNC,
    WORKFLOW_RUN,
    Call,
    Flavour,
    reply,
    resolved,
)

from workflow_runs import ExecutionPending, ExecutionResults, RunFailed, StatusError, WorkflowRunsError, models


def _examples() -> list[Any]:
    operations = {
        operation["operationId"]: operation
        for item in CONTRACT["paths"].values()
        for operation in item.values()
        if isinstance(operation, dict) and "operationId" in operation
    }
    return [
        pytest.param(
            EVERY_CALL[operation_id], int(status), named["value"], id=f"{EVERY_CALL[operation_id]}-{status}-{name}"
        )
        for operation_id, operation in operations.items()
        for status, declared in operation["responses"].items()
        for name, named in resolved(declared)["content"]["application/json"]["examples"].items()
    ]


def _plain(value: Any) -> Any:
    """What a result or an error's body stands for as JSON."""
    if hasattr(value, "to_json"):
        return value.to_json()
    return value.to_dict() if hasattr(value, "to_dict") else value


def _same(one: Any, other: Any) -> bool:
    # As texts, since in Python true equals 1 and 1 equals 1.0.
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


@pytest.mark.parametrize(("call", "status", "body"), _examples())
def test_every_example_is_read_without_loss(call: Call, status: int, body: Any, flavour: Flavour) -> None:
    """What the contract shows arrives, and written out again it is the same JSON."""
    client, wire = flavour.over(call, reply(status, body))
    if status < 400:
        result = flavour.make(call.answered_by(body), client)
    else:
        with pytest.raises((StatusError, RunFailed)) as caught:
            flavour.make(call, client)
        assert caught.value.status == status
        result = vars(caught.value)["body"]
    assert _same(_plain(result), body)
    assert not isinstance(result, dict)
    assert len(wire.requests) == 1


@pytest.mark.parametrize(
    ("status", "kind"), [(200, ExecutionResults), (202, ExecutionPending)], ids=["results", "pending"]
)
@pytest.mark.parametrize(
    "value", [None, False, 0, "", {}, [], True, 1, 0.5, "text", [1], {"a": 1}, NODES, "null", -1e-300], ids=repr
)
def test_every_json_value_is_a_result(status: int, kind: type[Any], value: Any, flavour: Flavour) -> None:
    """Any JSON value may be an output; what is still pending can't be taken for one."""
    client, _ = flavour.over(RESULTS, reply(status, value))
    result = flavour.make(RESULTS, client)
    assert _same(result.value, value)
    assert _same(result.to_json(), value)
    assert type(result) is kind


def test_a_result_and_a_pending_one_are_never_equal() -> None:
    """The same body means another thing with another status."""
    pending: Any = ExecutionPending(1)
    assert ExecutionResults(1) != pending
    assert ExecutionResults(1) == ExecutionResults(1)


@pytest.mark.parametrize(
    "header", ["application/json", "application/json; charset=utf-8", "Application/JSON", "application/json ;q=1"]
)
def test_the_media_type_may_be_spelt_in_any_way(header: str) -> None:
    """Case and parameters of a media type mean nothing."""
    client, _ = SYNC.over(RUN, reply(*RUN.success, content_type=header))
    assert SYNC.make(RUN, client).workflow_version_execution_id == 98765


def test_a_missing_optional_member_is_absent(flavour: Flavour) -> None:
    """Absent and null stay apart."""
    body = {key: value for key, value in RUN.success[1].items() if key != "warning"}
    client, _ = flavour.over(RUN, reply(201, body))
    run = flavour.make(RUN, client)
    assert not run.warning
    assert run.warning is not None
    assert run.to_dict() == body


def test_unknown_members_survive(starting_call: Call, flavour: Flavour) -> None:
    """A service may add members: they are readable and written out again."""
    call = starting_call
    body = {**call.success[1], "brand_new": {"a": [1, None]}}
    client, _ = flavour.over(call, reply(call.success[0], body))
    result = flavour.make(call, client)
    assert result.additional_properties == {"brand_new": {"a": [1, None]}}
    assert result.to_dict() == body


def test_an_unknown_word_of_an_enum_survives(flavour: Flavour) -> None:
    """A status that the contract does not know is still readable, and the same when written out."""
    body = {**WORKFLOW_RUN, "status": "hibernating"}
    client, _ = flavour.over(CALLS[2], reply(200, body))
    run = flavour.make(CALLS[2], client)
    assert run.status == "hibernating"
    assert run.to_dict() == body


def test_nested_objects_are_models(flavour: Flavour) -> None:
    """Objects within the reply are typed all the way down."""
    client, _ = flavour.over(CALLS[2], CALLS[2].ok())
    run: Any = flavour.make(CALLS[2], client)
    assert isinstance(run, models.WorkflowRun)
    members: Any = run
    assert type(members.input_output_pairs[0].run_output) is models.RunOutput
    assert members.llm_token_usage.breakdown_by_models[0].provider == "example"


@pytest.mark.parametrize("size", [0, 1, 2**53 + 1, 2**63 - 1])
def test_large_ids_keep_their_digits(size: int) -> None:
    """An id beyond what a float can hold is read exactly."""
    client, _ = SYNC.over(RUN, reply(201, {**RUN.success[1], "workflow_version_execution_id": size}))
    assert SYNC.make(RUN, client).workflow_version_execution_id == size


@pytest.mark.parametrize("text", ["ü☃😀", "\ud83d\ude00", "\u0000", "a" * 100_000], ids=ascii)
def test_texts_are_read_as_they_are(text: str) -> None:
    """Whatever a text holds and however long it is."""
    client, _ = SYNC.over(RESULTS, reply(200, text))
    assert SYNC.make(RESULTS, client).value == json.loads(json.dumps(text))


def test_a_422_is_read_in_the_form_it_has(flavour: Flavour) -> None:
    """The list of problems and the plain words are told apart by what they hold."""
    listed = {"detail": [{"loc": ["body", "a", 0], "msg": "wrong", "type": "t"}]}
    for body, kind in ((listed, models.HTTPValidationError), ({"detail": "wrong"}, models.ErrorResponse)):
        client, _ = flavour.over(RUN, reply(422, body))
        with pytest.raises(StatusError) as caught:
            flavour.make(RUN, client)
        assert type(caught.value.body) is kind


@pytest.mark.parametrize("depth", [50, 900])
def test_deeply_nested_outputs_are_read_or_refused(depth: int) -> None:
    """However deep an output is nested, it arrives or ends in a typed error."""
    body = "[" * depth + "]" * depth
    client, _ = SYNC.over(RESULTS, reply(200, json.loads(body)))
    try:
        assert json.dumps(SYNC.make(RESULTS, client).to_json()) == body
    except WorkflowRunsError:
        assert depth > 500
