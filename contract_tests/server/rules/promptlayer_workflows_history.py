"""PromptLayer: workflows as they are read after each write."""

from collections.abc import Iterator
from functools import partial
from typing import Final

from contract_tests.openapi.document import Operation
from contract_tests.rules import Violation
from contract_tests.rules import rule as card
from contract_tests.server.relations.workflow_history import WorkflowHistory
from contract_tests.server.relations.workflow_reads import Topic

PAGES: Final = "https://docs.promptlayer.com/reference"
PATCH: Final = f"{PAGES}/patch-workflow"
Found = Iterator[Violation | None]
rule: Final = partial(
    card,
    basis="documented",
    side="server",
    service="promptlayer",
    requests=49,
    otherwise="no response has shown it",
)


@rule(
    "REL-WF-01",
    "A patched node is the one before with the patch merged in, and other nodes are copied.",
    says="A configuration is merged at any depth and dependencies are replaced; what is not mentioned stays.",
    source=PATCH,
    operations=["getWorkflow", "patchWorkflow"],
)
def test_nodes_are_merged(history: WorkflowHistory, operation: Operation) -> Found:
    return history.checks(Topic.MERGED, operation)


@rule(
    "REL-WF-02",
    "Edges and required input variables are copied by a patch that leaves them out, and replaced by one that does not.",
    says="Copied edges that touch a removed node are left out, no others; what is named is replaced as a whole.",
    source=PATCH,
    operations=["getWorkflow"],
)
def test_edges_are_copied(history: WorkflowHistory, operation: Operation) -> Found:
    return history.checks(Topic.EDGES, operation)


@rule(
    "REL-WF-03",
    "A patch starts from the version that it names.",
    says="base_version is the version to start from, the latest one by default; the new version has a higher number.",
    source=PATCH,
    operations=["getWorkflow", "patchWorkflow"],
)
def test_base_is_the_named_one(history: WorkflowHistory, operation: Operation) -> Found:
    return history.checks(Topic.BASE, operation)


@rule(
    "REL-WF-04",
    "A version is read as it was read first, whatever was written since.",
    says="Patch and create make a new version of the workflow that they name. Those before stay, and other workflows.",
    source=PATCH,
    operations=["getWorkflow"],
)
def test_versions_stay(history: WorkflowHistory, operation: Operation) -> Found:
    return history.checks(Topic.KEPT, operation)


@rule(
    "REL-WF-05",
    "A label is on the version that it was given to last, in each workflow for itself.",
    says="Labels are put on a version by creating or patching it with them, and move from the one before. A write that "
    "does not name a label leaves it where it is.",
    source=f"{PAGES}/workflow-labels; {PATCH}",
    operations=["getWorkflowLabels", "getWorkflow", "createWorkflow", "patchWorkflow"],
)
def test_labels_are_where_they_were_put(history: WorkflowHistory, operation: Operation) -> Found:
    return history.checks(Topic.LABELS, operation)


@rule(
    "REL-WF-06",
    "Without version and label the latest version is read, as soon as it is there.",
    says="The latest version is read unless another one is asked for, by name and by id, over any connection.",
    source=f"{PAGES}/get-workflow",
    operations=["getWorkflow"],
)
def test_latest_version_is_read(history: WorkflowHistory, operation: Operation) -> Found:
    return history.checks(Topic.LATEST, operation)


@rule(
    "REL-WF-07",
    "A version is created with all that was sent, and with nothing of the versions before.",
    says="A version has the nodes, dependencies, edges, variables and message that it is created with.",
    source=f"{PAGES}/create-workflow",
    operations=["getWorkflow", "createWorkflow"],
)
def test_version_is_what_was_sent(history: WorkflowHistory, operation: Operation) -> Found:
    return history.checks(Topic.CREATED, operation)


@rule(
    "REL-WF-08",
    "A list shows a workflow as it is now.",
    says="Name, number of the latest version, labels and external ids are those of the workflow, after each write.",
    source=f"{PAGES}/list-workflows",
    operations=["listWorkflows"],
)
def test_list_is_up_to_date(history: WorkflowHistory, operation: Operation) -> Found:
    return history.checks(Topic.LISTED, operation)


@rule(
    "REL-WF-09",
    "A workflow has the external ids that were attached to it and not detached, and no others.",
    says="Attaching adds one pair of source and id, detaching takes one pair away, from one workflow.",
    source=f"{PAGES}/external-ids-workflows-attach; {PAGES}/external-ids-workflows-detach",
    operations=[
        "listWorkflowExternalIds",
        "attachWorkflowExternalId",
        "detachWorkflowExternalId",
        "createWorkflow",
        "patchWorkflow",
    ],
)
def test_external_ids_are_those_attached(history: WorkflowHistory, operation: Operation) -> Found:
    return history.checks(Topic.PAIRS, operation)


@rule(
    "REL-WF-10",
    "The list for an external id has the workflow with this id of this source, and no other.",
    says="external_source and external_id go together: only the workflow that has this pair is listed.",
    source=f"{PAGES}/list-workflows",
    operations=["listWorkflows"],
)
def test_pair_finds_its_workflow(history: WorkflowHistory, operation: Operation) -> Found:
    return history.checks(Topic.FOUND, operation)


@rule(
    "REL-WF-11",
    "A write that is refused changes nothing.",
    says="An external id that another workflow has is refused with 409, a base that does not exist with 404: there is "
    "no workflow, no version and no moved label then.",
    source=f"{PAGES}/create-workflow; {PATCH}",
    basis="inferred",
    operations=["createWorkflow", "patchWorkflow", "getWorkflow"],
)
def test_refused_write_changes_nothing(history: WorkflowHistory, operation: Operation) -> Found:
    return history.checks(Topic.REFUSED, operation)


@rule(
    "REL-WF-12",
    "What is in a configuration is read as it was sent.",
    says="A configuration is a JSON object: texts of every plane and any length, numbers, null and empty values stay. "
    "Seen where the service keeps properties that it does not know.",
    source=f"{PAGES}/create-workflow; https://www.rfc-editor.org/rfc/rfc8259",
    basis="inferred",
    operations=["getWorkflow"],
)
def test_configurations_come_out_whole(history: WorkflowHistory, operation: Operation) -> Found:
    return history.checks(Topic.CARRIED, operation)
