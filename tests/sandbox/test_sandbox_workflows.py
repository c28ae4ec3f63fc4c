"""Workflows in the sandbox: what is created can be listed, read, labelled, patched and run."""

import json
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from sandbox_calls import execute, finished, promptlayer_client

from workflow_sandbox import Sandbox


def node(name: str, *dependencies: str, is_output: bool = False, **configuration: Any) -> dict[str, Any]:
    """Return a node of a version to create."""
    return {
        "name": name,
        "node_type": "PROMPT_TEMPLATE",
        "configuration": configuration,
        "dependencies": list(dependencies),
        "is_output_node": is_output,
    }


NODES = [
    node("Reply", "Draft", is_output=True, inline_template="Reply to {Draft}", model={"name": "a", "heat": 1}),
    node("Draft", "topic", inline_template="draft of {topic}"),
]
CONDITION = {"position": 0, "operator": "is_not_null", "left_config": {"source": "Draft"}, "right_config": {}}
EDGE = {
    "source_node_name": "Draft",
    "target_node_name": "Reply",
    "is_and": True,
    "conditionals": [CONDITION],
}


def create(client: httpx.Client, **body: Any) -> dict[str, Any]:
    """Create a version and return the reply's body."""
    response = client.post("/rest/workflows", json={"nodes": NODES, **body})
    assert response.status_code == 201, response.text
    created: dict[str, Any] = response.json()
    return created


@pytest.fixture
def name() -> str:
    """A name that no other test uses."""
    return f"test {uuid.uuid4()}"


def output(client: httpx.Client, workflow: str, **body: Any) -> Any:
    """Run a workflow and return its main output."""
    response = client.post(f"/workflows/{workflow}/run", json=body)
    assert response.status_code == 201, response.text
    return finished(client, response.json()["workflow_version_execution_id"]).json()


def test_what_is_created_can_be_read_listed_and_run(promptlayer: httpx.Client, name: str) -> None:
    """By name and by id, by label, by number and as the latest; nodes run in the order of their dependencies."""
    pair = {"source": "crm", "external_id": name}
    created = create(
        promptlayer,
        name=name,
        edges=[EDGE],
        required_input_variables={"topic": "string"},
        release_labels=["live"],
        external_ids=[pair],
    )
    second = create(promptlayer, workflow_name=name, nodes=[node("Only", is_output=True, inline_template="second")])

    read = promptlayer.get(f"/workflows/{created['workflow_id']}", params={"version": 1}).json()
    listed = promptlayer.get("/workflows", params={"external_source": "crm", "external_id": name}).json()
    labels = promptlayer.get(f"/workflows/{name}/labels").json()["release_labels"]

    assert (created["version_number"], created["base_version"], second["version_number"]) == (1, None, 2)
    assert created["external_ids"] == [pair]
    assert [one["name"] for one in read["nodes"]] == ["Reply", "Draft"]
    assert [{member: edge[member] for member in EDGE} for edge in read["edges"]] == [EDGE]
    assert read["release_labels"] == ["live"]
    assert [(one["name"], one["latest_version_number"]) for one in listed["items"]] == [(name, 2)]
    assert [(one["release_label"], one["workflow_version_number"]) for one in labels] == [("live", 1)]
    assert (
        output(promptlayer, name, workflow_label_name="live", input_variables={"topic": "x"}) == "Reply to draft of x"
    )
    assert output(promptlayer, str(created["workflow_id"]), workflow_version_number=1) == "Reply to draft of "
    assert output(promptlayer, name) == "second"


def test_a_patch_makes_a_new_version(promptlayer: httpx.Client, name: str) -> None:
    """Configuration is merged deeply, null removes a node and its edges, the rest is copied; labels move."""
    create(promptlayer, name=name, edges=[EDGE], release_labels=["live"], required_input_variables={"topic": "string"})
    update = {"configuration": {"model": {"heat": 2}, "inline_template": "new"}, "dependencies": ["topic"]}
    patch = {"nodes": {"Draft": None, "Reply": update}, "release_labels": ["live"], "commit_message": "less"}

    response = promptlayer.patch(f"/rest/workflows/{name}", json=patch)
    read = promptlayer.get(f"/workflows/{name}").json()
    base = promptlayer.get(f"/workflows/{name}", params={"version": 1}).json()

    assert (response.status_code, response.json()["version_number"], response.json()["base_version"]) == (201, 2, 1)
    assert [(one["name"], one["dependencies"]) for one in read["nodes"]] == [("Reply", ["topic"])]
    assert read["nodes"][0]["configuration"] == {"inline_template": "new", "model": {"name": "a", "heat": 2}}
    assert (read["edges"], read["required_input_variables"]) == ([], {"topic": "string"})
    assert (read["release_labels"], base["release_labels"], len(base["nodes"])) == (["live"], [], 2)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"nodes": [node("Reply")]}, 400),
        ({"nodes": [node("Reply", is_output=True), node("Reply")]}, 400),
        ({"nodes": [node("Reply", "Draft", is_output=True), node("Draft", "Reply")]}, 400),
        ({"edges": [{**EDGE, "target_node_name": "Nowhere"}]}, 400),
        ({"edges": [{**EDGE, "source_node_name": "Reply", "target_node_name": "Draft"}]}, 400),
        ({"name": "canary"}, 400),
        ({"name": "another", "workflow_name": "canary"}, 422),
        ({"workflow_name": "nobody's"}, 404),
        ({"workflow_name": "1"}, 404),
        ({"workflow_id": 10**30}, 404),
        ({"nodes": []}, 422),
        ({"nodes": [{**NODES[0], "name": ""}]}, 422),
        ({"edges": [{**EDGE, "conditionals": []}]}, 422),
        ({"external_ids": [{"source": "s", "external_id": "1", "more": 1}]}, 422),
    ],
)
def test_an_unsound_version_is_refused(promptlayer: httpx.Client, body: dict[str, Any], status: int) -> None:
    """Nothing is kept of it."""
    before = promptlayer.get("/workflows").json()["total"]
    assert promptlayer.post("/rest/workflows", json={"nodes": NODES, **body}).status_code == status
    assert promptlayer.get("/workflows").json()["total"] == before
    assert promptlayer.get("/workflows/canary").json()["version"] == 2


@pytest.mark.parametrize(
    ("patch", "status"),
    [
        ({"nodes": {"Reply": None}}, 400),
        ({"nodes": {"Nobody": None}}, 400),
        ({"nodes": {"Draft": None}}, 400),
        ({"nodes": {"Draft": None, "Reply": {"dependencies": ["Draft", "user_message"]}}}, 400),
        ({"nodes": {"New": {"node_type": "VARIABLE"}}}, 400),
        ({"base_version": 99}, 404),
        ({"nodes": {"Reply": {"is_output_node": "yes"}}}, 422),
    ],
)
def test_an_unsound_patch_is_refused(promptlayer: httpx.Client, patch: dict[str, Any], status: int) -> None:
    """No version is kept of it."""
    assert promptlayer.patch("/rest/workflows/canary", json=patch).status_code == status
    assert promptlayer.get("/workflows/canary").json()["version"] == 2


def test_members_that_the_contract_does_not_name_come_back(promptlayer: httpx.Client, name: str) -> None:
    """Those of nodes, edges and conditions, in the form in which they were created, also after a patch."""
    further: dict[str, Any] = {"extra": [{"kept": None}], "\ud800": "\udfff", "model_dump": 1.5, "": {}}
    condition = {**CONDITION, **further}
    edge = {**EDGE, **further, "conditionals": [condition]}
    updated = {**further, "extra": "new", "name": "no other", "id": "none of its own", "configuration": {}}
    body = {"name": name, "nodes": [{**one, **further} for one in NODES], "edges": [edge]}
    patches = [{"nodes": {"Draft": updated, "Added": {**updated, "node_type": "X"}}}, {"edges": [edge]}]

    reads = []
    for method, path, content in [
        ("POST", "", body),
        *(("PATCH", f"/{name}", patch) for patch in patches),
    ]:
        # httpx itself sends no text that UTF-8 can't carry.
        headers = {"content-type": "application/json"}
        response = promptlayer.request(method, f"/rest/workflows{path}", content=json.dumps(content), headers=headers)
        assert response.status_code == 201, response.text
        reads.append(promptlayer.get(f"/workflows/{name}").json())

    for read in reads:
        assert [{member: one[member] for member in edge} for one in read["edges"]] == [edge]
        assert {member: read["nodes"][0][member] for member in further} == further
        assert len({one["id"] for one in read["nodes"]}) == len(read["nodes"])
    assert [[one["name"] for one in read["nodes"]] for read in reads] == [
        ["Reply", "Draft"],
        ["Reply", "Draft", "Added"],
        ["Reply", "Draft", "Added"],
    ]
    assert [one["extra"] for one in reads[1]["nodes"]] == [further["extra"], "new", "new"]


@pytest.mark.parametrize(("length", "is_fit"), [(0, False), (1, True), (255, True), (256, False)])
def test_a_node_has_a_name_of_1_to_255_characters(
    promptlayer: httpx.Client, name: str, length: int, *, is_fit: bool
) -> None:
    """Whether it is created or added later, where the contract's schema doesn't say so."""
    one = node("ä" * length, is_output=True)
    update = {"node_type": "X", "configuration": {}}
    created = promptlayer.post("/rest/workflows", json={"name": name, "nodes": [one]})
    base = create(promptlayer)["workflow_id"]
    patched = promptlayer.patch(f"/rest/workflows/{base}", json={"nodes": {one["name"]: update}})

    assert [created.status_code, patched.status_code] == ([201, 201] if is_fit else [422, 400])


def test_a_removed_name_may_become_that_of_a_variable(promptlayer: httpx.Client, name: str) -> None:
    """Then what depends on it still has it."""
    create(promptlayer, name=name)
    patch = {"nodes": {"Draft": None}, "required_input_variables": {"Draft": "string"}}

    assert promptlayer.patch(f"/rest/workflows/{name}", json=patch).status_code == 201
    assert output(promptlayer, name, input_variables={"Draft": "a word"}) == "Reply to a word"


def test_a_name_of_digits_is_a_name_before_it_is_an_id(promptlayer: httpx.Client) -> None:
    """Where either may stand; where the name is asked for, it is no id."""
    id_ = create(promptlayer)["workflow_id"]
    create(promptlayer, name=str(id_), nodes=[node("Only", is_output=True, inline_template="by name")])
    added = create(promptlayer, workflow_name=str(id_))

    assert (added["workflow_name"], added["version_number"]) == (str(id_), 2)
    assert promptlayer.get(f"/workflows/{id_}").json()["workflow_name"] == str(id_)
    assert output(promptlayer, str(id_), workflow_version_number=1) == "by name"
    assert create(promptlayer, workflow_id=id_)["workflow_name"] != str(id_)


def test_an_external_id_belongs_to_one_workflow(promptlayer: httpx.Client, name: str) -> None:
    """To attach it again changes nothing; another workflow gets 409; what is detached is gone."""
    first, second = create(promptlayer, name=name)["workflow_id"], create(promptlayer)["workflow_id"]
    pair = {"source": "a/b", "external_id": f"{name}/1"}
    path = f"/workflows/{first}/external-ids"

    attached = [promptlayer.post(path, json=pair).status_code for _ in range(2)]
    taken = promptlayer.post(f"/workflows/{second}/external-ids", json=pair)
    in_create = promptlayer.post("/rest/workflows", json={"nodes": NODES, "external_ids": [pair]})
    listed = promptlayer.get(path).json()["external_ids"]
    encoded = f"{path}/a%2Fb/{name.replace(' ', '%20')}%2F1"
    detached = [promptlayer.delete(encoded).status_code for _ in range(2)]

    assert (attached, taken.status_code, in_create.status_code) == ([201, 201], 409, 409)
    assert (listed, detached, promptlayer.get(path).json()["external_ids"]) == ([pair], [200, 404], [])


def test_a_path_that_is_not_utf_8_is_nobodys_name(promptlayer: httpx.Client, name: str) -> None:
    """It is not read as the name with replacement characters that looks like it."""
    name = f"{name} \ufffd"
    pair = {"source": "a\ufffd", "external_id": name}
    id_ = create(promptlayer, name=name, external_ids=[pair])["workflow_id"]
    path, odd = f"/workflows/{id_}/external-ids", quote(name).replace("%EF%BF%BD", "%FF")

    for method, of_nobody in [
        ("GET", f"/workflows/{odd}"),
        ("POST", f"/workflows/{odd}/run"),
        ("GET", f"/workflows/{odd}/labels"),
        ("DELETE", f"{path}/a%FE/{odd}"),
    ]:
        body = {"json": {}} if method == "POST" else {}
        assert promptlayer.request(method, of_nobody, **body).status_code == 404
    assert promptlayer.post(f"/workflows/{quote(name)}/run", json={}).status_code == 201
    assert promptlayer.get(path).json()["external_ids"] == [pair]


def test_lists_are_paged_sorted_and_filtered(promptlayer: httpx.Client) -> None:
    """Every page is linked to its neighbours, and all pages together have everything once."""
    ids = [create(promptlayer)["workflow_id"] for _ in range(3)]
    pages = list(_pages(promptlayer, per_page=2, sort_by="id", sort_order="asc"))
    listed = [one["id"] for page in pages for one in page["items"]]
    newest = promptlayer.get("/workflows", params={"per_page": 1}).json()["items"][0]["id"]

    assert listed == sorted(listed)
    assert listed[-3:] == ids
    assert [page["has_prev"] for page in pages] == [False, *[True] * (len(pages) - 1)]
    assert newest == ids[-1]
    assert promptlayer.get("/workflows", params={"created_before": "2000-01-01T00:00:00Z"}).json()["items"] == []
    assert promptlayer.get("/workflows", params={"created_by_email": "nobody@example.com"}).json()["total"] == 0


def _pages(client: httpx.Client, **query: str | int) -> Iterator[dict[str, Any]]:
    number: int | None = 1
    while number is not None:
        page = client.get("/workflows", params={**query, "page": number}).json()
        yield page
        number = page["next_num"]


@pytest.mark.parametrize(
    "query",
    [
        {"page": "0"},
        {"per_page": "0"},
        {"per_page": "101"},
        {"sort_by": "size"},
        {"sort_order": "DESC"},
        {"external_id": "1"},
        {"external_source": "crm"},
        {"created_after": "2026-05-15"},
        {"updated_before": "2026-13-15T00:00:00Z"},
        {"created_after": "0000-02-30T00:00:00Z"},
        {"created_after": "9999-12-31T23:59:60-01:00"},
        {"page": str(10**100 + 1)},
        {"page": "1" * 5000},
    ],
)
def test_a_list_that_makes_no_sense_is_refused(promptlayer: httpx.Client, query: dict[str, str]) -> None:
    """With 422."""
    assert promptlayer.get("/workflows", params=query).status_code == 422


@pytest.mark.parametrize("page", [2**53 + 1, 2**64, 10**30, 10**100])
def test_a_page_far_behind_the_last_one_is_told_by_its_number(promptlayer: httpx.Client, page: int) -> None:
    """As it was asked for, and so is the one before."""
    told = promptlayer.get("/workflows", params={"page": str(page)}).json()

    assert (told["page"], told["prev_num"], told["items"], told["has_next"]) == (page, page - 1, [], False)


@pytest.mark.parametrize("before_all", ["0000-01-01T00:00:00Z", "0000-12-31T23:59:60Z", "0001-01-01T00:59:60+01:00"])
@pytest.mark.parametrize(
    "after_all", ["9999-12-31T23:59:60Z", "9999-12-31T22:59:60-01:00", "9999-12-31T23:59:59-23:59"]
)
def test_times_at_the_ends_of_the_calendar_are_bounds(
    promptlayer: httpx.Client, interactly: httpx.Client, before_all: str, after_all: str
) -> None:
    """Everything is between them, in both lists."""
    execute(interactly)
    lists = [
        [client.get(path, params=query).json()["total"] for query in ({}, {start: before_all, end: after_all})]
        for client, path, start, end in [
            (promptlayer, "/workflows", "created_after", "created_before"),
            (promptlayer, "/workflows", "updated_after", "updated_before"),
            (interactly, "/v1/workflow-runs", "start", "end"),
        ]
    ]
    outside = promptlayer.get("/workflows", params={"created_after": after_all, "updated_before": before_all}).json()

    assert all(every == between > 0 for every, between in lists)
    assert outside["total"] == 0


@pytest.mark.parametrize(
    "path", ["/workflows", "/workflows/canary", "/workflows/canary/labels", "/workflows/1/external-ids"]
)
def test_a_key_is_needed(promptlayer: httpx.Client, path: str) -> None:
    """Everywhere; the refusal says how, as HTTP wants it."""
    refused = promptlayer.get(path, headers={"X-API-KEY": "another"})
    assert (refused.status_code, refused.headers["WWW-Authenticate"]) == (401, "APIKey")


@pytest.mark.parametrize(
    ("path", "member"),
    [
        ("/workflows/v1/nothing", "detail"),
        ("/workflows/v1/workflows", "detail"),
        ("/workflows/v1/runs/x", "detail"),
        ("/workflows/v1/run", "message"),
        ("/workflows/v1/labels", "message"),
        ("/workflows/v2/nothing", "message"),
        ("/nothing", "message"),
    ],
)
def test_what_is_not_there_is_told_as_its_service_tells_it(promptlayer: httpx.Client, path: str, member: str) -> None:
    """Interactly's prefix is also where PromptLayer would have a workflow of the name v1."""
    refused = promptlayer.get(path)
    assert refused.status_code in {404, 405}
    assert member in refused.json()


def test_label_and_version_exclude_each_other(promptlayer: httpx.Client) -> None:
    """As with a run."""
    query = {"version": "1", "label": "production"}
    assert promptlayer.get("/workflows/canary", params=query).status_code == 422
    assert promptlayer.get("/workflows/canary", params={"label": "production"}).json()["version"] == 1


def test_a_name_with_a_slash_is_one_segment(promptlayer: httpx.Client, name: str) -> None:
    """Also when what follows the slash is the name of an operation."""
    create(promptlayer, name=f"{name}/labels")
    assert promptlayer.get(f"/workflows/{name}%2Flabels").json()["workflow_name"] == f"{name}/labels"


def test_workflows_survive_a_restart_and_a_file_of_the_first_version(tmp_path: Path) -> None:
    """A database that an earlier sandbox made gets the tables that it lacks, and keeps its runs."""
    database = tmp_path / "x.db"
    with Sandbox(database=database) as sandbox, promptlayer_client(sandbox) as client:
        create(client, name="mine")
        sandbox.kill()
        sandbox.start()
        assert client.get("/workflows/mine").status_code == 200
        run_id = client.post("/workflows/canary/run", json={}).json()["workflow_version_execution_id"]
        finished(client, run_id)
    with closing(sqlite3.connect(database)) as connection:
        # Names stood there without quotes.
        connection.execute("UPDATE runs SET workflow = trim(workflow, '\"')")
        connection.execute("UPDATE nodes SET name = trim(name, '\"')")
        connection.execute("ALTER TABLE nodes DROP COLUMN ended")
        for table in ("workflows", "versions", "labels", "external_ids"):
            connection.execute(f"DROP TABLE {table}")
        connection.execute("PRAGMA user_version = 1")
        connection.commit()
    with Sandbox(database=database) as sandbox, promptlayer_client(sandbox) as client:
        assert [one["name"] for one in client.get("/workflows").json()["items"]] == ["canary"]
        assert finished(client, run_id, return_all_outputs="true").json().keys() == {"Draft", "Reply"}


def test_a_file_of_the_version_before_is_gone_on_with(tmp_path: Path) -> None:
    """Which node had ended first was not kept: the first in the order of the graph gives the output."""
    database, nodes = tmp_path / "x.db", [node(name, is_output=True, inline_template=name) for name in ("A", "B")]
    with Sandbox(database=database) as sandbox, promptlayer_client(sandbox) as client:
        create(client, name="two", nodes=nodes)
        run_id = client.post("/workflows/two/run", json={}).json()["workflow_version_execution_id"]
        finished(client, run_id)
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("ALTER TABLE nodes DROP COLUMN ended")
        connection.execute("PRAGMA user_version = 3")
        connection.commit()
    with Sandbox(database=database) as sandbox, promptlayer_client(sandbox) as client:
        assert finished(client, run_id).json() == "A"
        assert output(client, "two") == "A"
