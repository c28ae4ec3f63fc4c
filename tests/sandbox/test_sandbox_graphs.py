"""The graph of a workflow's nodes: what each type makes, conditional edges, branches, and holds."""

import json
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from sandbox_calls import finished, poll, promptlayer_client

from workflow_sandbox import InProcessSandbox


@pytest.fixture(scope="module")
def quick() -> Iterator[InProcessSandbox]:
    """A sandbox whose nodes take no time."""
    with InProcessSandbox() as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def client(quick: InProcessSandbox) -> Iterator[httpx.Client]:
    """A client of it."""
    with promptlayer_client(quick) as opened:
        yield opened


def node(name: str, node_type: str, *needs: str, is_output: bool = False, **configuration: Any) -> dict[str, Any]:
    """Return a node of a version to create."""
    return {
        "name": name,
        "node_type": node_type,
        "configuration": configuration,
        "dependencies": list(needs),
        "is_output_node": is_output,
    }


def edge(source: str, target: str, *conditions: tuple[Any, str, Any], is_and: bool = True) -> dict[str, Any]:
    """Return a conditional edge."""
    conditionals = [
        {"position": position, "operator": operator, "left_config": left, "right_config": right}
        for position, (left, operator, right) in enumerate(conditions)
    ]
    return {"source_node_name": source, "target_node_name": target, "is_and": is_and, "conditionals": conditionals}


def create(client: httpx.Client, *nodes: dict[str, Any], edges: Any = (), **body: Any) -> str:
    """Create a workflow and return its name."""
    name = f"graph {uuid.uuid4()}"
    response = client.post("/rest/workflows", json={"name": name, "nodes": nodes, "edges": list(edges), **body})
    assert response.status_code == 201, response.text
    return name


def start(client: httpx.Client, workflow: str, **variables: Any) -> int:
    """Start a run of a workflow."""
    reply = client.post(f"/workflows/{workflow}/run", json={"input_variables": variables})
    run_id: int = reply.json()["workflow_version_execution_id"]
    return run_id


def entries(client: httpx.Client, *nodes: dict[str, Any], edges: Any = (), **variables: Any) -> dict[str, Any]:
    """Run a new workflow and return the entries of its nodes."""
    run_id = start(client, create(client, *nodes, edges=edges), **variables)
    found: dict[str, Any] = finished(client, run_id, return_all_outputs="true").json()
    return found


def _chat(*texts: str, **rest: Any) -> dict[str, Any]:
    messages = [{"role": "user", "content": [{"type": "text", "text": text}]} for text in texts]
    return {"inline": True, "prompt_template": {"type": "chat", "messages": messages, **rest}}


@pytest.mark.parametrize(
    ("configuration", "prompt"),
    [
        ({"inline_template": "to {who}"}, "to {{x}}"),
        ({"inline_template": "to {{ who }}, {{who}}"}, "to {{x}}, {{x}}"),
        ({"inline_template": "{} {unknown}!"}, "{} !"),
        ({"inline_template": _chat("be {who}", "about {topic.name}")}, "be {{x}}\n\nabout "),
        ({"inline_template": _chat("{{ topic.name }} {who}")}, "tea {who}"),
        ({"inline_template": _chat('{{"a": 1}} {who}', template_format="f-string")}, '{"a": 1} {{x}}'),
        ({"inline_template": _chat("{who}", template_format="jinja2")}, "{who}"),
        ({"inline_template": {"prompt_template": {"type": "completion", "content": "{topic}"}}}, '{"name":"tea"}'),
        ({"inline_template": "{q}", "prompt_template_variable_mappings": {"q": "who"}}, "{{x}}"),
        ({"template": {"name": "of the registry"}}, '{"who":"{{x}}"}'),
    ],
)
def test_a_prompt_is_rendered_in_the_documented_formats(
    client: httpx.Client, configuration: dict[str, Any], prompt: str
) -> None:
    """f-string and jinja2 placeholders, texts of a chat, mapped variables; values are never templates themselves."""
    found = entries(
        client,
        node("P", "PROMPT_TEMPLATE", "who", is_output=True, **configuration),
        who="{{x}}",
        topic={"name": "tea"},
    )

    assert found["P"]["value"] == prompt


@pytest.mark.parametrize("template", ["{{ who | upper }}", "{{ 1 + 1 }} ", "{{ who }}{% if x %}{% endif %}"])
def test_a_template_that_is_a_program_is_not_run(client: httpx.Client, template: str) -> None:
    """Its node fails and says why."""
    found = entries(client, node("P", "PROMPT_TEMPLATE", is_output=True, inline_template=template), who="x")

    assert found["P"]["status"] == "FAILED"
    assert "jinja2" in found["P"]["error_message"]


@pytest.mark.parametrize("kind", ["PROMPT_TEMPLATE", "ENDPOINT"])
@pytest.mark.parametrize("value", [None, False, 0, "", {}, [1, {"a": None}]])
def test_a_node_of_any_type_can_be_told_what_to_return(client: httpx.Client, kind: str, value: Any) -> None:
    """Also null, which is an output like another."""
    name = create(client, node("Out", kind, is_output=True, sandbox={"return": value, "sleep": 0.001}))
    bare = finished(client, start(client, name))

    assert (bare.status_code, bare.json()) == (200, value)


def test_a_node_can_be_told_to_fail(client: httpx.Client) -> None:
    """With the words that it was told."""
    found = entries(client, node("Out", "ENDPOINT", is_output=True, sandbox={"fail": "no credit"}))

    assert (found["Out"]["status"], found["Out"]["value"]) == ("FAILED", None)
    assert "no credit" in found["Out"]["error_message"]


@pytest.mark.parametrize(
    "orders", [1, {"return": 1, "fail": "x"}, {"sleep": "1"}, {"sleep": -1}, {"fail": True}, {"returns": 1}]
)
def test_orders_that_make_no_sense_are_refused(client: httpx.Client, orders: Any) -> None:
    """By the name of the node."""
    nodes = [node("Out", "ENDPOINT", is_output=True, sandbox=orders)]
    response = client.post("/rest/workflows", json={"nodes": nodes})

    assert response.status_code == 400
    assert "Node Out: configuration.sandbox" in response.json()["message"]


def test_values_and_comparisons(client: httpx.Client) -> None:
    """VARIABLE has its value in the documented form or as it is; COMPARE tells whether two are equal."""
    found = entries(
        client,
        node("text", "VARIABLE", value={"type": "string", "value": "1"}),
        node("bare", "VARIABLE", value=[1]),
        node("as text", "COMPARE", "text", "number", sources=["text", "number"], comparison_type={"type": "STRING"}),
        node("true is 1", "COMPARE", "yes", "number", sources=["yes", "number"], comparison_type={"type": "JSON"}),
        node("json", "COMPARE", "text", "number", sources=["text", "number"], comparison_type={"type": "JSON"}),
        node("other", "SOMETHING", "bare", "number", "absent", is_output=True),
        number=1,
        yes=True,
    )

    assert {name: entry["value"] for name, entry in found.items()} == {
        "text": "1",
        "bare": [1],
        "as text": True,
        "true is 1": False,
        "json": True,
        "other": {"bare": [1], "number": 1},
    }


_SOURCE, _STATIC = {"source": "A"}, "static_value"


@pytest.mark.parametrize(
    ("value", "conditions", "is_and", "status"),
    [
        (1, [(_SOURCE, "=", {_STATIC: 1.0})], True, "SUCCESS"),
        (True, [(_SOURCE, "=", {_STATIC: 1})], True, "SKIPPED"),
        ("5", [(_SOURCE, ">", {_STATIC: 3})], True, "SUCCESS"),
        ("x", [(_SOURCE, ">", {_STATIC: 3})], True, "SKIPPED"),
        ("b", [(_SOURCE, "<=", "b")], True, "SUCCESS"),
        (2, [(_SOURCE, "<", {"source": "limit"})], True, "SUCCESS"),
        (2, [(_SOURCE, "in", {_STATIC: [1, 2]}), (_SOURCE, "not_in", [2])], True, "SKIPPED"),
        (2, [(_SOURCE, "in", {_STATIC: [1, 2]}), (_SOURCE, "not_in", [2])], False, "SUCCESS"),
        ("refund me", [("refund", "in", _SOURCE)], True, "SUCCESS"),
        ("refund me", [({_STATIC: 5}, "in", _SOURCE)], True, "SKIPPED"),
        ("refund me", [({_STATIC: 5}, "not_in", _SOURCE)], True, "SUCCESS"),
        ({"a": 1}, [({_STATIC: ["a"]}, "not_in", _SOURCE)], True, "SUCCESS"),
        (None, [(_SOURCE, "is_null", {})], True, "SUCCESS"),
        (None, [(_SOURCE, "is_not_null", {})], True, "SKIPPED"),
        (0, [(_SOURCE, "!=", {_STATIC: False}), (_SOURCE, ">=", 0)], True, "SUCCESS"),
        (1, [({"type": "source", "source": {"name": "A"}}, "=", {"type": _STATIC, _STATIC: 1})], True, "SUCCESS"),
        (1, [({"type": "source", "source": {"name": "A"}}, "=", {"type": _STATIC, _STATIC: 2})], True, "SKIPPED"),
        (2, [(_SOURCE, "<", {"type": "source", "source": {"name": "limit"}})], True, "SUCCESS"),
    ],
)
def test_a_conditional_edge_lets_its_target_run_or_not(
    client: httpx.Client, value: Any, conditions: list[tuple[Any, str, Any]], *, is_and: bool, status: str
) -> None:
    """And what depends on the target shares its lot."""
    found = entries(
        client,
        node("A", "VARIABLE", value={"type": "json", "value": value}),
        node("B", "VARIABLE", "A", is_output=True, value="b"),
        node("C", "VARIABLE", "B", value="c"),
        edges=[edge("A", "B", *conditions, is_and=is_and)],
        limit=3,
    )

    assert [found[name]["status"] for name in "ABC"] == ["SUCCESS", status, status]


def test_only_variables_that_nothing_uses_are_warned_of(client: httpx.Client) -> None:
    """A node may depend on a variable, be filled in with it, compare it or stand behind a condition on it."""
    name = create(
        client,
        node("needs", "PROMPT_TEMPLATE", "needed", inline_template="{needed}{filled}"),
        node("jinja", "PROMPT_TEMPLATE", inline_template="{{ member.of }} {{ filtered | upper }}"),
        node(
            "chat", "PROMPT_TEMPLATE", inline_template=_chat("{q}"), prompt_template_variable_mappings={"q": "mapped"}
        ),
        node("compares", "COMPARE", sources=["left", "right"]),
        node("called", "ENDPOINT", "called with", "needs"),
        node("told", "PROMPT_TEMPLATE", "needs", is_output=True, inline_template="{hidden}", sandbox={"return": 1}),
        edges=[edge("needs", "told", ({"source": "limit"}, "=", 1), ({"source": {"name": "former"}}, "=", 1))],
        required_input_variables={"declared": "string"},
    )
    used = ["needed", "filled", "member", "filtered", "mapped", "left", "right", "called with", "limit", "former"]
    unused = ["q", "hidden", "needs", "upper case"]
    quiet, warned = [
        client.post(f"/workflows/{name}/run", json={"input_variables": dict.fromkeys([*names, "declared"], 1)}).json()
        for names in (used, [*used, *unused])
    ]

    assert quiet["warning"] is None
    assert warned["warning"] == "Unused input variables: q, hidden, needs, upper case"


def test_the_branch_that_is_taken_gives_the_output(client: httpx.Client) -> None:
    """Of two output nodes behind opposite conditions one runs, the other is skipped with nothing to say."""
    name = create(
        client,
        node("Kind", "PROMPT_TEMPLATE", "kind", inline_template="{kind}"),
        node("Refund", "VARIABLE", "Kind", is_output=True, value="refunded"),
        node("Other", "VARIABLE", "Kind", is_output=True, value="forwarded"),
        edges=[
            edge("Kind", "Refund", (_kind := {"source": "Kind"}, "=", {_STATIC: "refund"})),
            edge("Kind", "Other", (_kind, "!=", {_STATIC: "refund"})),
        ],
    )
    runs = [start(client, name, kind=kind) for kind in ("refund", "other")]

    assert [finished(client, run).json() for run in runs] == ["refunded", "forwarded"]
    skipped = finished(client, runs[0], return_all_outputs="true").json()["Other"]
    assert skipped == {
        "status": "SKIPPED",
        "value": None,
        "error_message": None,
        "raw_error_message": None,
        "is_output_node": True,
    }


def test_the_first_output_node_to_succeed_gives_the_output(client: httpx.Client) -> None:
    """Not the first in the list, and not one that failed before it."""
    name = create(
        client,
        node("Slow", "OTHER", is_output=True, sandbox={"return": "slow", "sleep": 0.2}),
        node("Failed", "OTHER", is_output=True, sandbox={"fail": "at once"}),
        node("Fast", "OTHER", is_output=True, sandbox={"return": "fast", "sleep": 0.01}),
    )
    run_id = start(client, name)

    assert finished(client, run_id).json() == "fast"
    assert [*finished(client, run_id, return_all_outputs="true").json()] == ["Slow", "Failed", "Fast"]


def _statuses(client: httpx.Client, run_id: int) -> tuple[int, list[str]]:
    reply = poll(client, run_id, return_all_outputs="true")
    return reply.status_code, [entry["status"] for entry in reply.json().values()]


def test_every_status_is_seen_without_sleeping(quick: InProcessSandbox, client: httpx.Client) -> None:
    """A run is held before it begins, then in one node of two that run side by side, then let go to its end."""
    name = create(
        client,
        node("Left", "VARIABLE", value=1),
        node("Right", "VARIABLE", value=2),
        node("Both", "OTHER", "Left", "Right", is_output=True),
    )
    with quick.hold(name) as whole, quick.hold(name, node="Left") as left, quick.hold(name, node="Both") as both:
        run_id = start(client, name)
        assert whole.wait() == run_id
        assert _statuses(client, run_id) == (202, ["QUEUED", "QUEUED", "QUEUED"])
        with quick.hold(run=run_id, node="Right") as right:
            whole.release()
            assert (left.wait(), right.wait()) == (run_id, run_id)
            assert _statuses(client, run_id) == (202, ["RUNNING", "RUNNING", "QUEUED"])
        left.release()
        both.wait()
        assert _statuses(client, run_id) == (202, ["SUCCESS", "SUCCESS", "RUNNING"])
    assert finished(client, run_id).json() == {"Left": 1, "Right": 2}
    assert finished(client, start(client, name)).status_code == 200


def test_a_hold_that_holds_nothing_says_so(quick: InProcessSandbox) -> None:
    """Its wait ends in time."""
    with quick.hold("nobody's") as held, pytest.raises(TimeoutError):
        held.wait(0.01)


def test_holds_are_set_over_http_with_the_key(client: httpx.Client) -> None:
    """Strictly, and each for itself."""
    path = "/_sandbox/holds"
    made = client.post(path, json={"workflow": "x", "node": "n", "status": "QUEUED"})
    one = f"{path}/{made.json()['id']}"
    bad: list[dict[str, Any]] = [{}, {"workflow": "x", "run": 1}, {"run": "1"}, {"run": 1, "status": "FAILED"}]

    assert (made.status_code, json.loads(client.get(one).content)["held"]) == (201, [])
    assert [client.post(path, json=body).status_code for body in bad] == [422] * 4
    assert client.get(one, headers={"X-API-KEY": "another"}).status_code == 401
    assert [client.delete(one).status_code for _ in range(2)] == [200, 404]
