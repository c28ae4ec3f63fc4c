"""What is too much: a body, a text, a workflow, a value, rows in all; each is refused in the contract's form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest
from contract_check import check_reply
from sandbox_calls import INTERACTLY_WORKFLOW, finished

from workflow_sandbox import InProcessSandbox
from workflow_sandbox.sizes import Sizes

if TYPE_CHECKING:
    from collections.abc import Iterator

_RUN, _EXECUTE = "/workflows/canary/run", f"/workflows/v1/workflows/{INTERACTLY_WORKFLOW}/execute"


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    """A client of a sandbox with narrow limits; every response is judged by the contract."""
    sizes = Sizes(body_bytes=5000, text_characters=1000, rows=3)
    with InProcessSandbox(sizes=sizes) as sandbox, _client(sandbox) as client:
        yield client


def _client(sandbox: InProcessSandbox) -> httpx.Client:
    headers = {"X-API-KEY": sandbox.api_key, "Authorization": f"Bearer {sandbox.api_key}"}
    hooks = {"response": [check_reply]}
    return httpx.Client(
        base_url=sandbox.promptlayer_url, headers=headers, event_hooks=hooks, transport=sandbox.transport
    )


@pytest.mark.parametrize(
    ("variables", "location"),
    [
        ({"x": ["y" * 1001]}, ["body", "input_variables", "x", 0]),
        ({"x": {"y" * 1001: 1}}, ["body", "input_variables", "x", "(name)"]),
        ({"x": ["y" * 999] * 6}, ["body"]),
    ],
)
@pytest.mark.parametrize(("path", "member"), [(_RUN, "input_variables"), (_EXECUTE, "dynamic_variables")])
def test_a_body_or_text_that_is_too_long_is_422(
    client: httpx.Client, path: str, member: str, variables: dict[str, Any], location: list[str | int]
) -> None:
    """The problem says where and how much would be taken."""
    response = client.post(path, json={member: variables})
    (problem,) = response.json()["detail"]

    assert response.status_code == 422
    assert problem["loc"] == [member if part == "input_variables" else part for part in location]
    assert "at most" in problem["msg"]


def test_a_text_of_the_greatest_length_is_taken(client: httpx.Client) -> None:
    """The limit itself is allowed."""
    assert client.post(_RUN, json={"input_variables": {"x": ["y" * 1000] * 4}}).status_code == 201


@pytest.mark.parametrize(
    ("path", "body", "kind"),
    [
        (_RUN, {}, "runs"),
        (_EXECUTE, {}, "Interactly runs"),
        (
            "/rest/workflows",
            {"nodes": [{"name": "A", "node_type": "X", "configuration": {}, "is_output_node": True}]},
            "",
        ),
    ],
)
def test_more_rows_than_are_kept_are_400(client: httpx.Client, path: str, body: dict[str, Any], kind: str) -> None:
    """What is there can still be read; the words say what to do."""
    statuses = [client.post(path, json=body).status_code for _ in range(4)]
    last = client.post(path, json=body)

    assert statuses[-1] == last.status_code == 400
    assert f"at most 3 {kind}" in last.text
    assert "--max-rows" in last.text
    assert client.get("/workflows").status_code == 200


def test_external_ids_are_counted_too(client: httpx.Client) -> None:
    """A fourth is refused."""
    ids = [{"source": "s", "external_id": str(number)} for number in range(4)]
    responses = [client.post("/workflows/1/external-ids", json=each) for each in ids]

    assert [each.status_code for each in responses] == [201, 201, 201, 400]


@pytest.fixture
def narrow(database: str) -> Iterator[httpx.Client]:
    """A client of a sandbox of its own that keeps six rows of each kind."""
    with InProcessSandbox(database=database, sizes=Sizes(rows=6)) as sandbox, _client(sandbox) as client:
        yield client


def test_what_is_detached_takes_no_room(narrow: httpx.Client) -> None:
    """A pair that comes and goes any number of times is one at most."""
    path, pair = "/workflows/1/external-ids", {"source": "s", "external_id": "1"}
    statuses = []
    for _ in range(8):
        statuses += [narrow.post(path, json=pair).status_code, narrow.delete(f"{path}/s/1").status_code]

    assert statuses == [201, 200] * 8


def test_what_is_refused_takes_no_room(narrow: httpx.Client) -> None:
    """Neither the version nor the external ids of a create that is refused are counted."""
    node = {"name": "A", "node_type": "X", "configuration": {}, "is_output_node": True}
    pairs = [{"source": "s", "external_id": id_} for id_ in ("free", "also free", "taken")]
    narrow.post("/workflows/1/external-ids", json=pairs[-1])
    refused = [narrow.post("/rest/workflows", json={"nodes": [node], "external_ids": pairs}) for _ in range(8)]
    created = [narrow.post("/rest/workflows", json={"nodes": [node]}).status_code for _ in range(5)]
    attached = [
        narrow.post("/workflows/1/external-ids", json={"source": "s", "external_id": str(number)}).status_code
        for number in range(6)
    ]

    assert {response.status_code for response in refused} == {409}
    assert created == [201] * 4 + [400]  # beside the two of canary
    assert attached == [201] * 5 + [400]


def test_a_command_to_a_run_that_is_there_takes_no_room(client: httpx.Client) -> None:
    """A full sandbox goes on with what it has."""
    while client.post(_EXECUTE, json={}).status_code == 200:
        pass
    listed = client.get("/workflows/v1/workflow-runs").json()["workflow_runs"]

    assert len(listed) == 3
    assert client.post(_EXECUTE, json={"command": "stop", "workflow_run_id": listed[0]["_id"]}).status_code == 200


def test_a_workflow_of_too_many_nodes_is_400(fresh_workflow_sandbox: InProcessSandbox) -> None:
    """A thousand are taken."""
    nodes = [{"name": f"N{n}", "node_type": "X", "configuration": {}, "is_output_node": True} for n in range(1001)]
    with _client(fresh_workflow_sandbox) as client:
        most = client.post("/rest/workflows", json={"nodes": nodes[:1000]})
        more = client.post("/rest/workflows", json={"nodes": nodes})

    assert (most.status_code, more.status_code) == (201, 400)
    assert "at most 1000 nodes" in more.text


def test_a_value_that_grows_without_bounds_is_a_failed_node(
    fresh_workflow_sandbox: InProcessSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A template that repeats a long text, and nodes that each hold all before them, end with words."""
    monkeypatch.setattr("workflow_sandbox.sizes.LONGEST_OUTPUT", 100_000)
    node = {"configuration": {}, "is_output_node": True, "node_type": "X"}
    names = ["text", *(f"N{number}" for number in range(40))]
    chain = [{**node, "name": name, "dependencies": names[: names.index(name)]} for name in names[1:]]
    template = {**node, "node_type": "PROMPT_TEMPLATE", "configuration": {"inline_template": "{text}" * 2000}}
    with _client(fresh_workflow_sandbox) as client:
        for name, nodes in (("chain", chain), ("template", [{**template, "name": "T"}])):
            assert client.post("/rest/workflows", json={"name": name, "nodes": nodes}).status_code == 201
            body = {"input_variables": {"text": "x" * 10_000}}
            run_id = client.post(f"/workflows/{name}/run", json=body).json()["workflow_version_execution_id"]
            last = list(finished(client, run_id, return_all_outputs="true").json().values())
            failed = [each["error_message"] for each in last if each["status"] == "FAILED"]

            assert failed
            assert "more than 100000 characters" in failed[0]


def test_a_long_text_that_is_said_to_many_threads_is_400(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """The request is small, the outputs of all threads would not be."""
    monkeypatch.setattr("workflow_sandbox.conversation.LONGEST_OUTPUT", 10_000)
    body = {
        "dynamic_variables": {"customer_name": "x" * 900},
        "thread_to_node_inputs": {str(number): {} for number in range(20)},
    }
    response = client.post(_EXECUTE, json=body)

    assert response.status_code == 400
    assert "all threads" in response.text
