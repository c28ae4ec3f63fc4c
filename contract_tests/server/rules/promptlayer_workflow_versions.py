"""PromptLayer: create and patch workflows."""

from functools import partial
from typing import Any, Final

from contract_tests.openapi.json_text import same
from contract_tests.rules import NotExercised
from contract_tests.rules import rule as card
from contract_tests.server.models.exchange import Exchange
from contract_tests.server.workflow_scenarios import LABEL, WorkflowScenarios

PAGES: Final = "https://docs.promptlayer.com/reference"
rule: Final = partial(card, basis="documented", side="server", service="promptlayer")
create_rule: Final = partial(rule, source=f"{PAGES}/create-workflow", operations=["createWorkflow"])
patch_rule: Final = partial(rule, source=f"{PAGES}/patch-workflow", operations=["patchWorkflow"])


@create_rule(
    "PL-CRE-45", "A version without an output node is refused.", says="At least one node has is_output_node true."
)
def test_output_node_is_needed(workflows: WorkflowScenarios) -> None:
    nodes = [{**node, "is_output_node": False} for node in workflows.nodes]
    workflows.server.must_refuse(workflows.create(nodes=nodes), sound=lambda: workflows.created)


@create_rule(
    "PL-CRE-46",
    "A name for a new workflow together with the workflow to add a version to is refused.",
    says="name goes with neither workflow_id nor workflow_name.",
)
def test_name_or_workflow(workflows: WorkflowScenarios) -> None:
    name, sound = f"{workflows.name} other", lambda: workflows.created
    for member in ({"workflow_id": workflows.id}, {"workflow_name": workflows.name}):
        workflows.server.must_refuse(workflows.create(name=name, **member), sound=sound)


@create_rule(
    "PL-CRE-01",
    "What was created can be read.",
    says="A workflow is created with its nodes, under its name, with its labels.",
)
def test_created_workflow_is_read(workflows: WorkflowScenarios) -> None:
    created = workflows.created.must_be(201)
    number = created.must_have("version_number", int)
    read = workflows.read(workflows.name, version=number).must_succeed()
    names = ("name", "node_type", "configuration", "is_output_node")
    kept = [{name: node.get(name) for name in names} for node in read.must_have("nodes", list)]
    sent = [{name: node.get(name) for name in names} for node in workflows.nodes]
    read.expect(same(_sorted(kept), _sorted(sent)), "member nodes", "other nodes than those that were sent")
    read.expect(read.must_have("workflow_id", int) == workflows.id, "member workflow_id")


@create_rule(
    "PL-CRE-02",
    "A further version has a higher number, and its labels move to it.",
    says="With the name of a workflow a version is added to it; a label is on one version.",
)
def test_further_version(workflows: WorkflowScenarios) -> None:
    first = workflows.must_create()
    second = workflows.second.must_succeed()
    number = second.must_have("version_number", int)
    second.expect(second.must_have("workflow_id", int) == workflows.id, "member workflow_id")
    second.expect(number > first.must_have("version_number", int), "member version_number")
    labelled = workflows.read(workflows.name, label=LABEL).must_succeed()
    labelled.expect(labelled.must_have("version", int) == number, "label", f"not on version {number}")


@create_rule(
    "PL-CRE-03", "What was created can be run.", says="A workflow is run by its name.", source=f"{PAGES}/run-workflow"
)
def test_created_workflow_is_run(workflows: WorkflowScenarios) -> None:
    workflows.must_create()
    workflows.server.run(workflow=workflows.name).must_succeed()


@patch_rule(
    "PL-PAT-48",
    "A patch creates a version with a higher number than its base.",
    says="A patch makes a new version, by default from the latest one.",
)
def test_patch_creates_a_version(workflows: WorkflowScenarios) -> None:
    before = workflows.must_create(workflows.second).must_have("version_number", int)
    patched = workflows.patched.must_be(201)
    patched.expect(patched.must_have("version_number", int) > before, "member version_number")
    base = patched.result.get("base_version")
    patched.expect(base is None or base == before, "member base_version", f"not {before}")


@patch_rule(
    "PL-PAT-47",
    "A node that a patch sets to null is gone, and so are its edges.",
    says="A null removes a node; copied edges that touch it are left out.",
)
def test_null_removes_a_node(workflows: WorkflowScenarios) -> None:
    if not workflows.removed:
        raise NotExercised("every node of the target's workflow is an output node")
    read = _patched(workflows)
    ends = [edge.get(end) for edge in read.must_have("edges", list) for end in ("source_node_name", "target_node_name")]
    names = [node.get("name") for node in read.must_have("nodes", list)]
    read.expect(not {*names} & {*workflows.removed}, "member nodes", "the node is still there")
    read.expect(not {*ends} & {*workflows.removed}, "member edges", "an edge of the node is still there")


@patch_rule(
    "PL-PAT-01", "What a patch does not mention is copied.", says="Nodes that are not mentioned are kept as they are."
)
def test_rest_is_copied(workflows: WorkflowScenarios) -> None:
    read = _patched(workflows)
    names = ("name", "node_type", "configuration")
    kept = [{name: node.get(name) for name in names} for node in read.must_have("nodes", list)]
    sent = [
        {name: node.get(name) for name in names} for node in workflows.nodes if node["name"] not in workflows.removed
    ]
    read.expect(all(any(same(one, other) for other in kept) for one in sent), "member nodes", "a node was changed")


def _patched(workflows: WorkflowScenarios) -> Exchange:
    if not workflows.patched.has_succeeded:
        raise NotExercised(f"the patch was refused: {workflows.patched.shown}")
    number = workflows.patched.must_have("version_number", int)
    return workflows.server.once("read patched", lambda: workflows.read(workflows.name, version=number)).must_succeed()


def _sorted(nodes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(nodes, key=lambda node: str(node.get("name")))
