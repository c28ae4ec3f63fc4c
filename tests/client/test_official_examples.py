"""The vendors' own examples, as values: the contract takes all the true ones, the client and the sandbox do as well."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from client_calls import EVERY_CALL, Flavour, reply, resolved
from jsonschema import Draft202012Validator
from official_examples import CREATE, EXAMPLES, EXECUTE, PATCH, READ, REQUEST, RESULTS, RUN, Example

from support.contract import CONTRACT
from workflow_runs import StatusError, read_callback, read_dashboard_event, sign_dashboard_event
from workflow_runs_api.types import to_json

if TYPE_CHECKING:
    from workflow_sandbox import Sandbox

TRUE = [each for each in EXAMPLES if not each.false]
REQUESTS = [each for each in TRUE if each.status == REQUEST and each.operation in EVERY_CALL]
RESPONSES = [each for each in TRUE if each.status != REQUEST]
NODES = [
    {"name": name, "node_type": "VARIABLE", "configuration": {}, "is_output_node": name == "output"}
    for name in ("response_generator", "old_processor", "input_data", "output")
]
PLACES = {
    RUN: ("POST", "/workflows/canary/run"),
    CREATE: ("POST", "/rest/workflows"),
    PATCH: ("PATCH", "/rest/workflows/patched-workflow"),
    EXECUTE: ("POST", "/v1/workflows/5eb7cf5a86d9755df3a6c593/execute"),
}


def _name(example: Example) -> str:
    return f"{example.operation} {example.status or 'request'} {example.name}"


def _operations() -> dict[str, Any]:
    items = [*CONTRACT["paths"].values(), *CONTRACT["webhooks"].values()]
    operations = {each["operationId"]: each for item in items for each in item.values() if "operationId" in each}
    [callback] = operations[RUN]["callbacks"]["workflowFinished"].values()
    return {**operations, "workflowFinished": callback["post"]}


def _problems(example: Example) -> list[str]:
    declared = _operations()[example.operation]
    part = (
        declared["requestBody"] if example.status == REQUEST else resolved(declared["responses"][str(example.status)])
    )
    schema = {**part["content"]["application/json"]["schema"], "components": CONTRACT["components"]}
    return [error.message for error in Draft202012Validator(schema).iter_errors(example.value)]


@pytest.mark.parametrize("example", EXAMPLES, ids=_name)
def test_the_contract_takes_the_true_ones(example: Example) -> None:
    """And no other: an example that contradicts its own page stays refused."""
    assert bool(_problems(example)) == bool(example.false), _problems(example)


def test_the_vendors_document_refuses_some_of_its_own() -> None:
    """Why each is refused stands beside it; all but one of them are true."""
    refused = [each for each in EXAMPLES if each.refused]
    assert [each.operation for each in refused if each.false] == [READ]
    assert len([each for each in refused if not each.false]) > 5


@pytest.mark.parametrize("example", REQUESTS, ids=_name)
def test_the_client_sends_them(example: Example, flavour: Flavour) -> None:
    """Exactly as they are."""
    call = EVERY_CALL[example.operation]
    turn = next(each.value for each in EXAMPLES if each.name == "turn")
    client, wire = flavour.over(call, reply(200, turn) if "run_input" in example.value else call.ok())
    flavour.do(client, call.operation, *call.positional, **_keywords(example))
    assert json.loads(wire.only.content) == example.value


def _keywords(example: Example) -> dict[str, Any]:
    # The path has the workflow's id as well; the one of the body has another name then.
    renamed = {"workflow_id": "body_workflow_id"} if example.operation == EXECUTE else {}
    return {renamed.get(name, name): value for name, value in example.value.items()}


@pytest.mark.parametrize("example", RESPONSES, ids=_name)
def test_the_client_reads_them(example: Example, flavour: Flavour) -> None:
    """Nothing is lost."""
    call = EVERY_CALL[example.operation]
    keywords = {"return_all_outputs": True} if example.operation == RESULTS else {}
    client, _ = flavour.over(call, reply(example.status, example.value))
    try:
        result = flavour.make(call.answered_by(example.value), client, **keywords)
    except StatusError as error:
        result = error.body
    assert to_json(getattr(result, "value", result)) == example.value


def test_the_client_reads_what_is_posted() -> None:
    """The callbacks and the webhook."""
    posted = {each.name: each for each in TRUE if each.operation not in EVERY_CALL}
    assert posted.keys() == {"final output", "failure of the older page", "run finished"}
    assert read_callback(posted["final output"].value).output == "result"
    assert read_callback(posted["failure of the older page"].value).succeeded is False
    event = posted["run finished"].value
    headers = sign_dashboard_event(event, "secret")
    assert to_json(read_dashboard_event(event, headers, secret="secret")) == event


def test_the_sandbox_takes_them(sandbox: Sandbox) -> None:
    """All of them, with names of workflows that are there, and without leaving this machine."""
    keys = {"X-API-KEY": sandbox.api_key, "Authorization": f"Bearer {sandbox.api_key}"}
    with httpx.Client(headers=keys, timeout=30) as http:
        for name in ("my-workflow", "patched-workflow"):
            version = {"name": name, "nodes": NODES}
            http.post(f"{sandbox.promptlayer_url}/rest/workflows", json=version).raise_for_status()
        for _ in range(4):  # an example starts from version 5
            http.patch(f"{sandbox.promptlayer_url}/rest/workflows/patched-workflow", json={}).raise_for_status()
        for example in REQUESTS:
            is_promptlayer = EVERY_CALL[example.operation].service == "promptlayer"
            base = sandbox.promptlayer_url if is_promptlayer else sandbox.interactly_url
            method, path = PLACES[example.operation]
            local = {"callback_url": "http://127.0.0.1:9/"} if "callback_url" in example.value else {}
            response = http.request(method, base + path, json={**example.value, **local})
            assert response.status_code in {200, 201, 202}, (_name(example), response.text)
