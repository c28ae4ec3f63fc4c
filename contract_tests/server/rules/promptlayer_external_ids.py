"""PromptLayer: external ids of workflows."""

from functools import partial
from typing import Any, Final

from contract_tests.rules import rule as card
from contract_tests.server.models.exchange import Exchange
from contract_tests.server.workflow_scenarios import SOURCE, WorkflowScenarios

PAGES: Final = "https://docs.promptlayer.com/reference"
rule: Final = partial(card, basis="documented", side="server", service="promptlayer")


@rule(
    "PL-EXT-49",
    "An external id can be attached again to its workflow and to no other.",
    says="To attach the same pair again changes nothing; a pair that another workflow has is answered 409.",
    source=f"{PAGES}/external-ids-workflows-attach",
    operations=["attachWorkflowExternalId"],
)
def test_external_id_belongs_to_one_workflow(workflows: WorkflowScenarios) -> None:
    attached = _attachments(workflows)
    attached["first"].must_succeed()
    attached["again"].must_succeed()
    attached["elsewhere"].must_be(409)


@rule(
    "PL-EXT-01",
    "An attached external id is listed once.",
    says="The list has the external ids of the workflow.",
    source=f"{PAGES}/external-ids-workflows-list",
    operations=["listWorkflowExternalIds"],
)
def test_attached_id_is_listed(workflows: WorkflowScenarios) -> None:
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
    operations=["detachWorkflowExternalId"],
)
def test_detached_id_is_gone(workflows: WorkflowScenarios) -> None:
    attached = _attachments(workflows)
    attached["detach"].must_succeed()
    found, after = _listed(attached["list after"]), attached["list after"]
    after.expect(f"{workflows.name} attached" not in found, "member external_ids", "it is still listed")
    after.expect(workflows.name in found, "member external_ids", "another one is no longer listed")


def _attachments(workflows: WorkflowScenarios) -> dict[str, Exchange]:
    workflows.must_create()
    return workflows.attachments


def _listed(reply: Exchange) -> list[Any]:
    found = reply.must_succeed().must_have("external_ids", list)
    return [one.get("external_id") for one in found if isinstance(one, dict) and one.get("source") == SOURCE]
