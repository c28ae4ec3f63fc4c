"""What goes over the wire for a call: method, address, headers and body, exactly and nothing else."""

from __future__ import annotations

import json
from types import MappingProxyType
from typing import Any

import pytest
from client_calls import ACCEPTED, CREATED, EXECUTE, INTERACTLY_WORKFLOW, KEY, RESULTS, RUN, SYNC, Call, Flavour, reply

from workflow_runs import UNSET, Unset, models

_EVERY_RUN_ARGUMENT = {
    "workflow_label_name": "production",
    "metadata": {"environment": "test"},
    "input_variables": {"text": "ü ☃ 😀", "deep": [{"a": [None, True, 0, 1.5, ""]}]},
    "return_all_outputs": True,
    "callback_url": "https://example.com/hook?a=b",
}
_EVERY_EXECUTE_ARGUMENT = {
    "dynamic_variables": {"name": "Ada"},
    "runtime_variables": {"n": 1},
    "miscellaneous": {},
    "command": "data",
    "version_number": 2,
    "run_by": "me",
    "workflow_run_id": "5eb7cf5a86d9755df3a6c594",
    "team_id": "team",
    "thread_to_node_inputs": {"0": {"node_run_inputs": [{"text": "yes"}, 1, None]}},
}
_OWN_HEADERS = {"accept", "accept-encoding", "connection", "content-length", "content-type", "host", "user-agent"}


def _sent(call: Call, *positional: Any, **keywords: Any) -> Any:
    client, wire = SYNC.over(call, call.ok())
    SYNC.do(client, call.operation, *(positional or call.positional), **keywords)
    return wire.only


def test_run_sends_its_documented_form(flavour: Flavour) -> None:
    """A run is a POST to the workflow's address with its inputs as JSON and the key in its header."""
    client, wire = flavour.over(RUN, RUN.ok())
    flavour.make(RUN, client)
    request = wire.only
    assert (request.method, str(request.url)) == ("POST", "https://api.promptlayer.com/workflows/support-agent/run")
    assert json.loads(request.content) == {"input_variables": {"user_message": "Hi"}}
    assert request.headers["content-type"] == "application/json"
    assert request.headers["x-api-key"] == KEY
    assert "authorization" not in request.headers


def test_results_sends_its_documented_form(flavour: Flavour) -> None:
    """Asking for results is a GET with the id and the wish in the query, and no body."""
    client, wire = flavour.over(RESULTS, RESULTS.ok())
    flavour.make(RESULTS, client)
    request = wire.only
    address = "/workflow-version-execution-results?workflow_version_execution_id=98765&return_all_outputs=true"
    assert (request.method, request.url.raw_path.decode()) == ("GET", address)
    assert request.content == b""
    assert "content-type" not in request.headers
    assert request.headers["x-api-key"] == KEY


def test_execute_sends_its_documented_form(flavour: Flavour) -> None:
    """Executing is a POST below the base URL's own path, with the key as bearer."""
    client, wire = flavour.over(EXECUTE, EXECUTE.ok())
    flavour.make(EXECUTE, client, version=0)
    request = wire.only
    expected = f"https://api-qa.interactly.ai/workflows/v1/workflows/{INTERACTLY_WORKFLOW}/execute?version=0"
    assert (request.method, str(request.url)) == ("POST", expected)
    assert json.loads(request.content) == {"command": "start"}
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert "x-api-key" not in request.headers


def test_nothing_is_added(call: Call, flavour: Flavour) -> None:
    """Beside the credential a request has only the headers that HTTP itself needs."""
    client, wire = flavour.over(call, call.ok())
    flavour.make(call, client)
    assert set(wire.only.headers) <= _OWN_HEADERS | {"x-api-key", "authorization"}


def test_a_run_without_arguments_has_an_empty_object_as_body() -> None:
    """A required body is there although all its members are absent."""
    assert _sent(RUN).content == b"{}"


def test_results_without_the_wish_leave_it_out() -> None:
    """A default of the contract is the service's to apply and is not sent."""
    query = _sent(RESULTS, workflow_version_execution_id=5).url.query
    assert query == b"workflow_version_execution_id=5"


@pytest.mark.parametrize(
    ("call", "keywords"), [(RUN, _EVERY_RUN_ARGUMENT), (EXECUTE, _EVERY_EXECUTE_ARGUMENT)], ids=["run", "execute"]
)
def test_every_argument_becomes_a_member(call: Call, keywords: dict[str, Any]) -> None:
    """Each keyword arrives as the body member of that name with the value that was given."""
    assert json.loads(_sent(call, **keywords).content) == keywords


def test_the_workflow_id_of_the_body_has_its_own_argument() -> None:
    """Where a body member shares its name with a path parameter, both can be given."""
    request = _sent(EXECUTE, INTERACTLY_WORKFLOW, body_workflow_id="5eb7cf5a86d9755df3a6c599")
    assert json.loads(request.content) == {"workflow_id": "5eb7cf5a86d9755df3a6c599"}
    assert f"/{INTERACTLY_WORKFLOW}/" in request.url.path


@pytest.mark.parametrize("name", ["workflow_label_name", "workflow_version_number", "metadata", "callback_url"])
def test_null_is_sent_as_null(name: str) -> None:
    """None stands for JSON's null, which is not the same as an absent member."""
    assert json.loads(_sent(RUN, **{name: None}).content) == {name: None}


def test_unset_is_absent(flavour: Flavour) -> None:
    """UNSET in an argument leaves the member out."""
    client, wire = flavour.over(RUN, RUN.ok())
    flavour.do(client, "run_workflow", "a", metadata=UNSET, callback_url=UNSET, input_variables={})
    assert wire.only.content == b'{"input_variables":{}}'
    assert isinstance(UNSET, Unset)


@pytest.mark.parametrize(
    ("label", "number"), [("production", None), (None, 3), (None, None)], ids=["label", "number", "neither"]
)
def test_a_label_and_a_number_exclude_each_other_only_if_neither_is_null(label: str | None, number: int | None) -> None:
    """Null beside a value is legal."""
    body = {"workflow_label_name": label, "workflow_version_number": number}
    assert json.loads(_sent(RUN, **body).content) == body


@pytest.mark.parametrize(
    ("name", "segment"),
    [
        ("support-agent", "support-agent"),
        ("a/b", "a%2Fb"),
        ("a b", "a%20b"),
        ("a+b", "a%2Bb"),
        ("a?b#c", "a%3Fb%23c"),
        ("100%", "100%25"),
        ("%2e%2e", "%252e%252e"),
        ("a;b=c&d", "a%3Bb%3Dc%26d"),
        ("ü☃😀", "%C3%BC%E2%98%83%F0%9F%98%80"),
        ("...", "..."),
        ("../x", "..%2Fx"),
        (" ", "%20"),
        ("a\\b", "a%5Cb"),
        ("-._~", "-._~"),
        ("a\x00\nb", "a%00%0Ab"),
        ("{workflow_name}", "%7Bworkflow_name%7D"),
    ],
)
def test_a_name_is_one_segment_of_the_path(name: str, segment: str) -> None:
    """Whatever a name holds, it arrives as one percent-encoded segment."""
    assert _sent(RUN, name).url.raw_path == f"/workflows/{segment}/run".encode()


@pytest.mark.parametrize("value", [0, -1, 2**63 - 1])
def test_ids_keep_their_digits(value: int) -> None:
    """A 64-bit id is written out in full."""
    request = _sent(RESULTS, workflow_version_execution_id=value)
    assert request.url.params["workflow_version_execution_id"] == str(value)


@pytest.mark.parametrize(("value", "text"), [(True, "true"), (False, "false")])
def test_a_truth_value_in_a_query_is_written_as_json_does(value: bool, text: str) -> None:  # noqa: FBT001
    """True becomes `true`, not `True`."""
    request = _sent(RESULTS, workflow_version_execution_id=1, return_all_outputs=value)
    assert request.url.params["return_all_outputs"] == text


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        0,
        -0.5,
        1e300,
        2**70,
        "",
        "\u2028",
        "\x00",
        '"',
        [],
        {},
        [[[]]],
        {"": {"": None}},
        {"__proto__": 1, "a.b": 2},
    ],
    ids=repr,
)
def test_any_json_value_arrives_unchanged(value: Any) -> None:
    """An input variable may be any JSON value, and its type stays what it is."""
    arrived = json.loads(_sent(RUN, input_variables={"x": value}).content)["input_variables"]["x"]
    assert arrived == value
    assert type(arrived) is type(value)


def test_models_and_other_mappings_are_taken() -> None:
    """A model, a read-only mapping and a tuple mean the same as the plain forms."""
    inputs = {"0": models.ThreadInputs(node_run_inputs=[1]), "1": MappingProxyType({"node_run_inputs": (2, 3)})}
    body = json.loads(_sent(EXECUTE, thread_to_node_inputs=inputs).content)
    assert body == {"thread_to_node_inputs": {"0": {"node_run_inputs": [1]}, "1": {"node_run_inputs": [2, 3]}}}


def test_arguments_are_left_alone() -> None:
    """What was given is neither changed nor kept."""
    variables = {"list": [1], "map": {"a": 1}}
    client, wire = SYNC.over(RUN, RUN.ok())
    client.run_workflow("a", input_variables=variables)
    assert variables == {"list": [1], "map": {"a": 1}}
    variables["list"].append(2)  # type: ignore[attr-defined]
    assert json.loads(wire.only.content) == {"input_variables": {"list": [1], "map": {"a": 1}}}


def test_a_model_that_was_read_can_be_sent_again() -> None:
    """Members that the contract doesn't know go out again as they came in."""
    thread = models.ThreadInputs.from_dict({"node_run_inputs": [], "new_member": {"a": 1}})
    body = json.loads(_sent(EXECUTE, thread_to_node_inputs={"0": thread}).content)
    assert body["thread_to_node_inputs"]["0"] == {"node_run_inputs": [], "new_member": {"a": 1}}


@pytest.mark.parametrize(("status", "body", "kind"), [(201, CREATED, "RunCreated"), (202, ACCEPTED, "RunAccepted")])
def test_the_status_decides_the_type_of_a_run(status: int, body: Any, kind: str, flavour: Flavour) -> None:
    """201 and 202 have the same members and are two types all the same."""
    client, _ = flavour.over(RUN, reply(status, body))
    run = flavour.make(RUN, client)
    assert type(run) is getattr(models, kind)
    assert run.workflow_version_execution_id == 98765
