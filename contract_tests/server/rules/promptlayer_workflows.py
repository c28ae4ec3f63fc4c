"""PromptLayer: list, read, create and change workflows."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Final

import pytest

from contract_tests.openapi.json_text import same
from contract_tests.rules import NotExercised, Violation, judge, rule
from contract_tests.server.exchange import Exchange
from contract_tests.server.server import NO_SUCH_ID, NO_SUCH_LABEL, NO_SUCH_WORKFLOW, ServerUnderTest
from contract_tests.server.workflow_scenarios import LABEL, SOURCE, WorkflowScenarios

PAGES: Final = "https://docs.promptlayer.com/reference"
DEFINED: Final[dict[str, Any]] = {"side": "server", "service": "promptlayer"}
NO_PAGE: Final = "no page of the list could be read"


@pytest.fixture(scope="session")
def all_scenarios() -> dict[ServerUnderTest, WorkflowScenarios]:
    """Keep what was played with workflows, so that every rule looks at the same exchanges."""
    return {}


@pytest.fixture
def workflows(server: ServerUnderTest, all_scenarios: dict[ServerUnderTest, WorkflowScenarios]) -> WorkflowScenarios:
    """Return what is played with the workflows of this target."""
    return all_scenarios.setdefault(server, WorkflowScenarios(server))


@rule(
    "PL-LST-42",
    "external_source and external_id are refused one without the other.",
    says="The two filters go together.",
    source=f"{PAGES}/list-workflows",
    basis="documented",
    operations=["listWorkflows"],
    **DEFINED,
)
def test_pair_of_filters(workflows: WorkflowScenarios) -> None:
    """Each of them alone is refused with a 4xx."""
    for name in ("external_source", "external_id"):
        workflows.server.must_refuse(workflows.page(**{name: SOURCE}), sound=workflows.page)


@rule(
    "PL-LST-43",
    "A page below 1 and a size outside 1 to 100 are refused.",
    says="page is an integer from 1, per_page one from 1 to 100.",
    source=f"{PAGES}/list-workflows",
    basis="documented",
    operations=["listWorkflows"],
    **DEFINED,
)
def test_bounds_of_pages(workflows: WorkflowScenarios) -> None:
    """Page 0, per_page 0 and 101 are refused with a 4xx."""
    for name, number in (("page", 0), ("per_page", 0), ("per_page", 101)):
        workflows.server.must_refuse(workflows.page(**{name: number}), sound=workflows.page)


@rule(
    "PL-LST-01",
    "A page tells its number and its neighbours.",
    says="A page has its number, at most per_page workflows, and says whether there is a page before and after it.",
    source=f"{PAGES}/list-workflows",
    basis="documented",
    operations=["listWorkflows"],
    **DEFINED,
)
def test_pages_tell_their_neighbours(workflows: WorkflowScenarios) -> None:
    """has_next and has_prev, next_num and prev_num agree with the number of the page and of all pages."""
    judge((found for page in _bodies(workflows.pages) for found in _page_problems(*page)), NO_PAGE)


@rule(
    "PL-LST-02",
    "No workflow is on two pages.",
    says="The pages of a sorted list have each workflow once.",
    source=f"{PAGES}/list-workflows",
    basis="inferred",
    operations=["listWorkflows"],
    **DEFINED,
)
def test_pages_are_disjoint(workflows: WorkflowScenarios) -> None:
    """The ids of the first pages, sorted by id, rise from item to item."""
    pages = [(page, [item.get("id") for item in body["items"]]) for page, body in _bodies(workflows.pages)]
    pairs = [(page, one, before[-1]) for (_, before), (page, ids) in pairwise(pages) for one in ids[:1]]
    judge(
        (
            page.check(isinstance(one, int) and isinstance(last, int) and one > last, "items", f"{one} after {last}")
            for page, one, last in pairs
        ),
        "the list has one page",
    )


@rule(
    "PL-LST-03",
    "A workflow that was created is in the list.",
    says="The list has the workflows of the workspace, and can be narrowed to one by its external id.",
    source=f"{PAGES}/list-workflows",
    basis="documented",
    operations=["listWorkflows"],
    **DEFINED,
)
def test_created_workflow_is_listed(workflows: WorkflowScenarios) -> None:
    """By its external id it is found, and it alone."""
    id_ = workflows.id
    page = workflows.page(external_source=SOURCE, external_id=workflows.name).must_succeed()
    found = [item.get("id") for item in page.must_have("items", list) if isinstance(item, dict)]
    page.expect(found == [id_], "items", f"workflows {found} instead of {id_}")


@rule(
    "PL-GET-44",
    "A version number together with a label is refused.",
    says="version and label exclude each other.",
    source=f"{PAGES}/get-workflow",
    basis="documented",
    operations=["getWorkflow"],
    **DEFINED,
)
def test_version_or_label(workflows: WorkflowScenarios) -> None:
    """Both of them, though each exists, are refused with a 4xx."""
    server = workflows.server
    both = workflows.read(version=server.version, label=server.label)
    server.must_refuse(both, sound=lambda: workflows.read(version=server.version))


@rule(
    "PL-GET-01",
    "An unknown workflow, version or label is answered 404.",
    says="404 means that it does not exist or the key may not see it.",
    source=f"{PAGES}/get-workflow",
    basis="documented",
    operations=["getWorkflow"],
    **DEFINED,
)
def test_unknown_workflow(workflows: WorkflowScenarios) -> None:
    """A name that no workflow has, a version and a label that this one does not have."""
    refuse, sound = workflows.server.must_refuse, workflows.read
    refuse(workflows.read(NO_SUCH_WORKFLOW), 404, sound=sound)
    refuse(workflows.read(version=NO_SUCH_ID), 404, sound=sound)
    refuse(workflows.read(label=NO_SUCH_LABEL), 404, sound=sound)


@rule(
    "PL-GET-02",
    "The version that is asked for is the one that is read.",
    says="version and label pick a version; the response has its number and its labels.",
    source=f"{PAGES}/get-workflow",
    basis="documented",
    operations=["getWorkflow"],
    **DEFINED,
)
def test_version_that_is_asked_for(workflows: WorkflowScenarios) -> None:
    """By number it has this number, by label this label; without either the number is not below."""
    server = workflows.server
    by_number = workflows.read(version=server.version).must_succeed()
    by_number.expect(by_number.must_have("version", int) == server.version, "member version")
    latest = workflows.latest.must_succeed()
    latest.expect(latest.must_have("version", int) >= server.version, "member version", "not the latest version")
    by_label = workflows.read(label=server.label).must_succeed()
    labels = by_label.json.get("release_labels") if by_label.is_object else None
    by_label.expect(labels is None or server.label in labels, "member release_labels", f"without {server.label}")


@rule(
    "PL-GET-03",
    "A workflow is the same by its name and by its id.",
    says="The path has the workflow's id or its name.",
    source=f"{PAGES}/get-workflow",
    basis="documented",
    operations=["getWorkflow"],
    **DEFINED,
)
def test_name_and_id(workflows: WorkflowScenarios) -> None:
    """What is read by the id that a response has is what was read by the name."""
    by_name = workflows.latest.must_succeed()
    by_id = workflows.read(str(by_name.must_have("workflow_id", int))).must_succeed()
    by_id.expect(same(by_id.json, by_name.json), "body", "another body than by its name")


@rule(
    "PL-LBL-01",
    "A label leads to the version that it is said to be on.",
    says="Each label has the number of its version; reading the workflow by the label reads that version.",
    source=f"{PAGES}/workflow-labels",
    basis="documented",
    operations=["getWorkflowLabels"],
    **DEFINED,
)
def test_labels_lead_to_versions(workflows: WorkflowScenarios) -> None:
    """The first labels of the target's workflow."""
    reply = workflows.labels().must_succeed()
    labels = [one for one in reply.must_have("release_labels", list) if isinstance(one, dict)][:3]
    judge((_label_problem(workflows, reply, label) for label in labels), "the workflow has no label")


@rule(
    "PL-LBL-02",
    "The labels of an unknown workflow are answered 404.",
    says="404 means that the workflow does not exist or the key may not see it.",
    source=f"{PAGES}/workflow-labels",
    basis="documented",
    operations=["getWorkflowLabels"],
    **DEFINED,
)
def test_labels_of_nothing(workflows: WorkflowScenarios) -> None:
    """A name that no workflow has is not found."""
    workflows.server.must_refuse(workflows.labels(NO_SUCH_WORKFLOW), 404, sound=workflows.labels)


@rule(
    "PL-CRE-45",
    "A version without an output node is refused.",
    says="At least one node has is_output_node true.",
    source=f"{PAGES}/create-workflow",
    basis="documented",
    operations=["createWorkflow"],
    **DEFINED,
)
def test_output_node_is_needed(workflows: WorkflowScenarios) -> None:
    """The nodes of the target's workflow, none of them an output node, are refused with a 4xx."""
    nodes = [{**node, "is_output_node": False} for node in workflows.nodes]
    workflows.server.must_refuse(workflows.create(nodes=nodes), sound=lambda: workflows.created)


@rule(
    "PL-CRE-46",
    "A name for a new workflow together with the workflow to add a version to is refused.",
    says="name goes with neither workflow_id nor workflow_name.",
    source=f"{PAGES}/create-workflow",
    basis="documented",
    operations=["createWorkflow"],
    **DEFINED,
)
def test_name_or_workflow(workflows: WorkflowScenarios) -> None:
    """With the id, and with the name, of a workflow that exists it is refused with a 4xx."""
    name, sound = f"{workflows.name} other", lambda: workflows.created
    for member in ({"workflow_id": workflows.id}, {"workflow_name": workflows.name}):
        workflows.server.must_refuse(workflows.create(name=name, **member), sound=sound)


@rule(
    "PL-CRE-01",
    "What was created can be read.",
    says="A workflow is created with its nodes, under its name, with its labels.",
    source=f"{PAGES}/create-workflow",
    basis="documented",
    operations=["createWorkflow"],
    **DEFINED,
)
def test_created_workflow_is_read(workflows: WorkflowScenarios) -> None:
    """Read by its name it has the version, the nodes and the label that it was created with."""
    created = workflows.created.must_be(201)
    number = created.must_have("version_number", int)
    read = workflows.read(workflows.name, version=number).must_succeed()
    names = ("name", "node_type", "configuration", "is_output_node")
    kept = [{name: node.get(name) for name in names} for node in read.must_have("nodes", list)]
    sent = [{name: node.get(name) for name in names} for node in workflows.nodes]
    read.expect(same(_sorted(kept), _sorted(sent)), "member nodes", "other nodes than those that were sent")
    read.expect(read.must_have("workflow_id", int) == workflows.id, "member workflow_id")


@rule(
    "PL-CRE-02",
    "A further version has a higher number, and its labels move to it.",
    says="With the name of a workflow a version is added to it; a label is on one version.",
    source=f"{PAGES}/create-workflow",
    basis="documented",
    operations=["createWorkflow"],
    **DEFINED,
)
def test_further_version(workflows: WorkflowScenarios) -> None:
    """It belongs to the same workflow, is the latest one, and reading by the label reads it."""
    first = workflows.must_create()
    second = workflows.second.must_succeed()
    number = second.must_have("version_number", int)
    second.expect(second.must_have("workflow_id", int) == workflows.id, "member workflow_id")
    second.expect(number > first.must_have("version_number", int), "member version_number")
    labelled = workflows.read(workflows.name, label=LABEL).must_succeed()
    labelled.expect(labelled.must_have("version", int) == number, "label", f"not on version {number}")


@rule(
    "PL-CRE-03",
    "What was created can be run.",
    says="A workflow is run by its name.",
    source=f"{PAGES}/run-workflow",
    basis="documented",
    operations=["createWorkflow"],
    **DEFINED,
)
def test_created_workflow_is_run(workflows: WorkflowScenarios) -> None:
    """A run of the new workflow is started."""
    workflows.must_create()
    workflows.server.run(workflow=workflows.name).must_succeed()


@rule(
    "PL-PAT-48",
    "A patch creates a version with a higher number than its base.",
    says="A patch makes a new version, by default from the latest one.",
    source=f"{PAGES}/patch-workflow",
    basis="documented",
    operations=["patchWorkflow"],
    **DEFINED,
)
def test_patch_creates_a_version(workflows: WorkflowScenarios) -> None:
    """It is answered 201, and version_number is above that of the version before."""
    before = workflows.must_create(workflows.second).must_have("version_number", int)
    patched = workflows.patched.must_be(201)
    patched.expect(patched.must_have("version_number", int) > before, "member version_number")
    base = patched.json.get("base_version") if patched.is_object else None
    patched.expect(base is None or base == before, "member base_version", f"not {before}")


@rule(
    "PL-PAT-47",
    "A node that a patch sets to null is gone, and so are its edges.",
    says="A null removes a node; copied edges that touch it are left out.",
    source=f"{PAGES}/patch-workflow",
    basis="documented",
    operations=["patchWorkflow"],
    **DEFINED,
)
def test_null_removes_a_node(workflows: WorkflowScenarios) -> None:
    """The version that the patch has made is read."""
    if not workflows.removed:
        raise NotExercised("every node of the target's workflow is an output node")
    read = _patched(workflows)
    ends = [edge.get(end) for edge in read.must_have("edges", list) for end in ("source_node_name", "target_node_name")]
    names = [node.get("name") for node in read.must_have("nodes", list)]
    read.expect(not {*names} & {*workflows.removed}, "member nodes", "the node is still there")
    read.expect(not {*ends} & {*workflows.removed}, "member edges", "an edge of the node is still there")


@rule(
    "PL-PAT-01",
    "What a patch does not mention is copied.",
    says="Nodes that are not mentioned are kept as they are.",
    source=f"{PAGES}/patch-workflow",
    basis="documented",
    operations=["patchWorkflow"],
    **DEFINED,
)
def test_rest_is_copied(workflows: WorkflowScenarios) -> None:
    """Every other node is there, with its type and configuration."""
    read = _patched(workflows)
    names = ("name", "node_type", "configuration")
    kept = [{name: node.get(name) for name in names} for node in read.must_have("nodes", list)]
    sent = [
        {name: node.get(name) for name in names} for node in workflows.nodes if node["name"] not in workflows.removed
    ]
    read.expect(all(any(same(one, other) for other in kept) for one in sent), "member nodes", "a node was changed")


@rule(
    "PL-EXT-49",
    "An external id can be attached again to its workflow and to no other.",
    says="To attach the same pair again changes nothing; a pair that another workflow has is answered 409.",
    source=f"{PAGES}/external-ids-workflows-attach",
    basis="documented",
    operations=["attachWorkflowExternalId"],
    **DEFINED,
)
def test_external_id_belongs_to_one_workflow(workflows: WorkflowScenarios) -> None:
    """The second time it succeeds like the first; on another workflow it is answered 409."""
    attached = _attachments(workflows)
    attached["first"].must_succeed()
    attached["again"].must_succeed()
    attached["elsewhere"].must_be(409)


@rule(
    "PL-EXT-01",
    "An attached external id is listed once.",
    says="The list has the external ids of the workflow.",
    source=f"{PAGES}/external-ids-workflows-list",
    basis="documented",
    operations=["listWorkflowExternalIds"],
    **DEFINED,
)
def test_attached_id_is_listed(workflows: WorkflowScenarios) -> None:
    """Once, though it was attached twice, beside the one that the workflow was created with."""
    attached = _attachments(workflows)
    attached["first"].must_succeed()
    found = _listed(attached["list"])
    for name in (f"{workflows.name} attached", workflows.name):
        attached["list"].expect(found.count(name) == 1, "member external_ids", f"{name}: {found.count(name)} times")


@rule(
    "PL-EXT-02",
    "A detached external id is no longer listed, and the others are.",
    says="Detaching takes one pair away from the workflow.",
    source=f"{PAGES}/external-ids-workflows-detach",
    basis="documented",
    operations=["detachWorkflowExternalId"],
    **DEFINED,
)
def test_detached_id_is_gone(workflows: WorkflowScenarios) -> None:
    """The list after it has the other external id alone."""
    attached = _attachments(workflows)
    attached["detach"].must_succeed()
    found, after = _listed(attached["list after"]), attached["list after"]
    after.expect(f"{workflows.name} attached" not in found, "member external_ids", "it is still listed")
    after.expect(workflows.name in found, "member external_ids", "another one is no longer listed")


def _attachments(workflows: WorkflowScenarios) -> dict[str, Exchange]:
    workflows.must_create()
    return workflows.attachments


def _bodies(pages: list[Exchange]) -> Iterator[tuple[Exchange, dict[str, Any]]]:
    """Give the pages that can be read, with their bodies."""
    for page in pages:
        body = page.json if page.has_succeeded and page.is_object else {}
        if isinstance(body.get("items"), list) and all(isinstance(item, dict) for item in body["items"]):
            yield page, body


def _page_problems(page: Exchange, body: dict[str, Any]) -> Iterator[Violation | None]:
    number, pages = page.case.query["page"], body.get("pages")
    yield page.check(body.get("page") == number, "member page")
    yield page.check(len(body["items"]) <= page.case.query["per_page"], "member items", f"{len(body['items'])} items")
    yield page.check(body.get("has_prev") is (number > 1), "member has_prev")
    if isinstance(pages, int):
        yield page.check(body.get("has_next") is (number < pages), "member has_next", f"page {number} of {pages}")
    if body.get("has_next") is True:
        yield page.check(body.get("next_num") in {None, number + 1}, "member next_num")


def _label_problem(workflows: WorkflowScenarios, reply: Exchange, label: dict[str, Any]) -> Violation | None:
    name, number = label.get("release_label"), label.get("workflow_version_number")
    read = workflows.read(label=name)
    version = read.json.get("version") if read.has_succeeded and read.is_object else None
    return reply.check(version == number, "member workflow_version_number", f"{name} reads version {version}")


def _patched(workflows: WorkflowScenarios) -> Exchange:
    if not workflows.patched.has_succeeded:
        raise NotExercised(f"the patch was refused: {workflows.patched.shown}")
    number = workflows.patched.must_have("version_number", int)
    return workflows.server.once("read patched", lambda: workflows.read(workflows.name, version=number)).must_succeed()


def _listed(reply: Exchange) -> list[Any]:
    found = reply.must_succeed().must_have("external_ids", list)
    return [one.get("external_id") for one in found if isinstance(one, dict) and one.get("source") == SOURCE]


def _sorted(nodes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(nodes, key=lambda node: str(node.get("name")))
