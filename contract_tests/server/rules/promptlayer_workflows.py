"""PromptLayer: list and read workflows."""

from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from typing import Any, Final

from contract_tests.openapi.json_text import same
from contract_tests.rules import Checks, Violation
from contract_tests.rules import rule as card
from contract_tests.server.models.exchange import Exchange
from contract_tests.server.server import NO_SUCH_ID, NO_SUCH_LABEL, NO_SUCH_WORKFLOW
from contract_tests.server.workflow_scenarios import SOURCE, WorkflowScenarios

PAGES: Final = "https://docs.promptlayer.com/reference"
rule: Final = partial(card, basis="documented", side="server", service="promptlayer")
list_rule: Final = partial(rule, source=f"{PAGES}/list-workflows", operations=["listWorkflows"])
read_rule: Final = partial(rule, source=f"{PAGES}/get-workflow", operations=["getWorkflow"])
label_rule: Final = partial(rule, source=f"{PAGES}/workflow-labels", operations=["getWorkflowLabels"])
NO_PAGE: Final = "no page of the list could be read"


@list_rule(
    "PL-LST-42",
    "external_source and external_id are refused one without the other.",
    says="The two filters go together.",
)
def test_pair_of_filters(workflows: WorkflowScenarios) -> None:
    for name in ("external_source", "external_id"):
        workflows.server.must_refuse(workflows.page(**{name: SOURCE}), sound=workflows.page)


@list_rule(
    "PL-LST-43",
    "A page below 1 and a size outside 1 to 100 are refused.",
    says="page is an integer from 1, per_page one from 1 to 100.",
)
def test_bounds_of_pages(workflows: WorkflowScenarios) -> None:
    for name, number in (("page", 0), ("per_page", 0), ("per_page", 101)):
        workflows.server.must_refuse(workflows.page(**{name: number}), sound=workflows.page)


@list_rule(
    "PL-LST-01",
    "A page tells its number and its neighbours.",
    says="A page has its number, at most per_page workflows, and says whether there is a page before and after it.",
    otherwise=NO_PAGE,
)
def test_pages_tell_their_neighbours(workflows: WorkflowScenarios) -> Checks:
    return (found for page in _bodies(workflows.pages) for found in _page_problems(*page))


@list_rule(
    "PL-LST-02",
    "Sorted by id upwards, a page begins with a workflow whose id is above the last one of the page before.",
    says="Pages are parts of one list: sorted by sort_by=id and sort_order=asc it has each workflow once, and no page "
    "repeats one of the page before.",
    basis="inferred",
    otherwise="the list has one page",
)
def test_pages_are_disjoint(workflows: WorkflowScenarios) -> Checks:
    pages = [(page, [item.get("id") for item in body["items"]]) for page, body in _bodies(workflows.pages)]
    pairs = [(page, one, before[-1]) for (_, before), (page, ids) in pairwise(pages) for one in ids[:1]]
    return (
        page.check(isinstance(one, int) and isinstance(last, int) and one > last, "items", _after(one, last))
        for page, one, last in pairs
    )


@list_rule(
    "PL-LST-03",
    "The list for an external id has the workflow that was created with it, and no other.",
    says="external_source and external_id narrow the list to the one workflow that has this pair.",
)
def test_created_workflow_is_listed(workflows: WorkflowScenarios) -> None:
    id_ = workflows.id
    page = workflows.page(external_source=SOURCE, external_id=workflows.name).must_succeed()
    found = [item.get("id") for item in page.must_have("items", list) if isinstance(item, dict)]
    page.expect(found == [id_], "items", f"listed are workflows {found}; created with it was {id_}")


@read_rule(
    "PL-GET-44", "A version number together with a label is refused.", says="version and label exclude each other."
)
def test_version_or_label(workflows: WorkflowScenarios) -> None:
    server = workflows.server
    both = workflows.read(version=server.version, label=server.label)
    server.must_refuse(both, sound=lambda: workflows.read(version=server.version))


@read_rule(
    "PL-GET-01",
    "An unknown workflow, version or label is answered 404.",
    says="404 means that it does not exist or the key may not see it.",
)
def test_unknown_workflow(workflows: WorkflowScenarios) -> None:
    refuse, sound = workflows.server.must_refuse, workflows.read
    refuse(workflows.read(NO_SUCH_WORKFLOW), 404, sound=sound)
    refuse(workflows.read(version=NO_SUCH_ID), 404, sound=sound)
    refuse(workflows.read(label=NO_SUCH_LABEL), 404, sound=sound)


@read_rule(
    "PL-GET-02",
    "The version that is asked for is the one that is read.",
    says="version and label pick a version; the response has its number and its labels.",
)
def test_version_that_is_asked_for(workflows: WorkflowScenarios) -> None:
    server = workflows.server
    by_number = workflows.read(version=server.version).must_succeed()
    by_number.expect(by_number.must_have("version", int) == server.version, "member version")
    latest = workflows.latest.must_succeed()
    latest.expect(latest.must_have("version", int) >= server.version, "member version", "not the latest version")
    by_label = workflows.read(label=server.label).must_succeed()
    labels = by_label.result.get("release_labels")
    by_label.expect(labels is None or server.label in labels, "member release_labels", f"without {server.label}")


@read_rule(
    "PL-GET-03", "A workflow is the same by its name and by its id.", says="The path has the workflow's id or its name."
)
def test_name_and_id(workflows: WorkflowScenarios) -> None:
    by_name = workflows.latest.must_succeed()
    by_id = workflows.read(str(by_name.must_have("workflow_id", int))).must_succeed()
    by_id.expect(same(by_id.json, by_name.json), "body", "another body than by its name")


@label_rule(
    "PL-LBL-01",
    "A label leads to the version that it is said to be on.",
    says="Each label has the number of its version; reading the workflow by the label reads that version.",
    otherwise="the workflow has no label",
)
def test_labels_lead_to_versions(workflows: WorkflowScenarios) -> Checks:
    reply = workflows.labels().must_succeed()
    labels = [one for one in reply.must_have("release_labels", list) if isinstance(one, dict)][:3]
    return (_label_problem(workflows, reply, label) for label in labels)


@label_rule(
    "PL-LBL-02",
    "The labels of an unknown workflow are answered 404.",
    says="404 means that the workflow does not exist or the key may not see it.",
)
def test_labels_of_nothing(workflows: WorkflowScenarios) -> None:
    workflows.server.must_refuse(workflows.labels(NO_SUCH_WORKFLOW), 404, sound=workflows.labels)


def _after(one: Any, last: Any) -> str:
    return f"the page begins with workflow {one}, and the page before ends with {last}"


def _bodies(pages: list[Exchange]) -> Iterator[tuple[Exchange, dict[str, Any]]]:
    """Return the pages that can be read, with their bodies."""
    for page in pages:
        body = page.result
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
    version = read.result.get("version")
    return reply.check(version == number, "member workflow_version_number", f"{name} reads version {version}")
