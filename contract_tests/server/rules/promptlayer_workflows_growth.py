"""PromptLayer: workflows that are asked for before they are there, and run while they change."""

from collections.abc import Iterator
from functools import partial
from typing import Final

import pytest

from contract_tests.openapi.document import Operation
from contract_tests.rules import Violation
from contract_tests.rules import rule as card
from contract_tests.server.once_per_run import OncePerRun
from contract_tests.server.relations.output_types import OutputTopic, OutputTypes
from contract_tests.server.relations.refused_writes import RefusedTopic, RefusedWrites
from contract_tests.server.relations.workflow_growth import GrowthTopic, WorkflowGrowth
from contract_tests.server.relations.workflow_history import WorkflowHistory
from contract_tests.server.relations.workflow_numbers import NumberTopic, WorkflowNumbers
from contract_tests.server.server import ServerUnderTest

PAGES: Final = "https://docs.promptlayer.com/reference"
RESULTS: Final = f"{PAGES}/workflow-version-execution-results"
CALLBACK: Final = f"{PAGES}/run-workflow (wording of 2025-11 to 2026-04)"
GET_RESULTS: Final = "getWorkflowVersionExecutionResults"
Found = Iterator[Violation | None]
rule: Final = partial(
    card,
    basis="documented",
    side="server",
    service="promptlayer",
    requests=80,
    otherwise="no response has shown it",
)


@pytest.fixture
def growth(history: WorkflowHistory) -> WorkflowGrowth:
    """Return what was played with a workflow that grows."""
    return history.stage(WorkflowGrowth)


@pytest.fixture
def numbers(history: WorkflowHistory) -> WorkflowNumbers:
    """Return what was played with versions of two digits and with external ids."""
    return history.stage(WorkflowNumbers)


@pytest.fixture
def refused(history: WorkflowHistory) -> RefusedWrites:
    """Return what has come of writes that were refused."""
    return history.stage(RefusedWrites)


@pytest.fixture
def outputs(server: ServerUnderTest, once_per_run: OncePerRun) -> OutputTypes:
    """Return what came of outputs of each type."""
    return once_per_run(OutputTypes, server)


@rule(
    "REL-WF-31",
    "What was asked for before it was there is found once it is.",
    says="404 means that a workflow, version or label does not exist. Once it is created, it does: for reads and runs, "
    "by each key.",
    source=f"{PAGES}/get-workflow; {PAGES}/run-workflow; {PAGES}/list-workflows",
    operations=["getWorkflow", "getWorkflowLabels", "runWorkflow", "listWorkflows"],
)
def test_absence_is_not_remembered(growth: WorkflowGrowth, operation: Operation) -> Found:
    return growth.checks(GrowthTopic.APPEARED, operation)


@rule(
    "REL-WF-32",
    "A workflow of any name is read as it was written.",
    says="A name has 1 to 255 characters, whichever they are; it is in the path percent-encoded. So are labels and "
    "external ids in the query.",
    source=f"{PAGES}/create-workflow; {PAGES}/get-workflow",
    operations=["createWorkflow", "patchWorkflow", "getWorkflow", "attachWorkflowExternalId"],
)
def test_odd_names_are_kept(growth: WorkflowGrowth, operation: Operation) -> Found:
    return growth.checks(GrowthTopic.WRITTEN, operation)


@rule(
    "REL-WF-33",
    "Where a reserved character stands in a path as it is, it means itself.",
    says="A reserved character for which no delimiting role is known stands for itself, as its escape does: a plus "
    "sign is a space in forms and their queries alone.",
    source="https://www.rfc-editor.org/rfc/rfc3986#section-2.2",
    operations=["getWorkflow", "runWorkflow", "detachWorkflowExternalId"],
)
def test_bare_characters_mean_themselves(
    growth: WorkflowGrowth, numbers: WorkflowNumbers, operation: Operation
) -> Found:
    if operation.id == "detachWorkflowExternalId":
        return numbers.checks(NumberTopic.BARE, operation)
    return growth.checks(GrowthTopic.BARE, operation)


@rule(
    "REL-WF-42",
    "An external id with the characters that divide an address is detached by their escapes.",
    says="Source and external id are texts of any characters. A slash that is escaped in a path is a part of the "
    "value, and ends none: it must not be decoded before the path is taken apart.",
    source="https://www.rfc-editor.org/rfc/rfc3986#section-2.4",
    operations=["detachWorkflowExternalId"],
)
def test_escaped_slashes_are_data(numbers: WorkflowNumbers, operation: Operation) -> Found:
    return numbers.checks(NumberTopic.ESCAPED, operation)


@rule(
    "REL-WF-43",
    "A node runs if all conditions of the edge to it hold, or one of them, as is_and says.",
    says="is_and says whether all conditions have to hold or one of them; a node whose edge is not taken is SKIPPED. "
    "Seen where edges with one condition do as it says.",
    source=f"{PAGES}/create-workflow",
    operations=[GET_RESULTS],
    otherwise="edges with one condition have not done as it says",
)
def test_conditions_of_edges(growth: WorkflowGrowth, operation: Operation) -> Found:
    return growth.checks(GrowthTopic.CONDITIONS, operation)


@rule(
    "REL-WF-34",
    "A run goes on, by its status, until the nodes behind its output have ended, too.",
    says="202 means that at least one node is QUEUED or RUNNING, 200 that all have ended, in either form.",
    source=RESULTS,
    operations=[GET_RESULTS],
)
def test_nodes_behind_the_output_count(growth: WorkflowGrowth, operation: Operation) -> Found:
    return growth.checks(GrowthTopic.PENDING, operation)


@rule(
    "REL-CB-08",
    "The callback comes once the nodes behind the output have ended, too.",
    says="The outcome is posted when the run completes; as long as a node is QUEUED or RUNNING it has not.",
    source=f"{PAGES}/run-workflow",
    operations=["runWorkflow"],
    otherwise="no callback came",
)
def test_callback_waits_for_nodes_behind_the_output(growth: WorkflowGrowth, operation: Operation) -> Found:
    return growth.checks(GrowthTopic.CALLED, operation)


@rule(
    "REL-CB-10",
    "A callback has the entries of all nodes that the results have, of those that were skipped, too.",
    says="final_output has the structure of the results: where all outputs were asked for, one entry for each node. "
    "Seen where the edge to a node has a condition that does not hold.",
    source=CALLBACK,
    operations=["runWorkflow"],
    otherwise="no callback with entries of nodes came",
)
def test_skipped_nodes_are_posted(growth: WorkflowGrowth, operation: Operation) -> Found:
    return growth.checks(GrowthTopic.POSTED, operation)


@rule(
    "REL-WF-41",
    "The results of all nodes have an entry for each node of the version, for one that was skipped, too.",
    says="With return_all_outputs the outputs of all nodes are returned, each with its status.",
    source=RESULTS,
    operations=[GET_RESULTS],
)
def test_skipped_nodes_are_shown(growth: WorkflowGrowth, operation: Operation) -> Found:
    return growth.checks(GrowthTopic.ALL, operation)


@rule(
    "REL-WF-35",
    "A run is one of the version that was the latest when it was started.",
    says="The latest version runs unless another one is asked for. That a version which is made right behind the "
    "start is not the latest one then is inferred.",
    source=f"{PAGES}/run-workflow",
    basis="inferred",
    operations=["runWorkflow"],
)
def test_version_is_that_of_the_start(growth: WorkflowGrowth, operation: Operation) -> Found:
    return growth.checks(GrowthTopic.PINNED, operation)


@rule(
    "REL-WF-36",
    "The results of a run stay as they are when its workflow gets another version.",
    says="An execution is one of a version. Which node the output of another one is has nothing to do with it.",
    source=RESULTS,
    basis="inferred",
    operations=[GET_RESULTS],
)
def test_results_stay_when_the_workflow_changes(growth: WorkflowGrowth, operation: Operation) -> Found:
    return growth.checks(GrowthTopic.STAYED, operation)


@rule(
    "REL-WF-37",
    "A warning is about the variables of the version that runs.",
    says="It names missing and unused input variables: those of the version that a label or number picks. Seen where "
    "the latest version is warned of one that is missing, and not if it is there.",
    source=f"{PAGES}/run-workflow",
    operations=["runWorkflow"],
)
def test_warning_is_about_its_version(growth: WorkflowGrowth, operation: Operation) -> Found:
    return growth.checks(GrowthTopic.WARNED, operation)


@rule(
    "REL-WF-38",
    "Versions are counted on past the ninth, and the highest number is the latest.",
    says="Version numbers are integers; the latest version is read and listed, and labels stay on their own ones.",
    source=f"{PAGES}/get-workflow; {PAGES}/list-workflows; {PAGES}/patch-workflow",
    operations=["getWorkflow", "getWorkflowLabels", "listWorkflows", "patchWorkflow"],
)
def test_numbers_are_no_texts(numbers: WorkflowNumbers, operation: Operation) -> Found:
    return numbers.checks(NumberTopic.GROWN, operation)


@rule(
    "REL-WF-39",
    "Of two writes at once each does what it would do alone.",
    says="A patch, or a create that names a workflow, makes a version of its own. An external id belongs to one "
    "workflow, and 409 is for the other.",
    source=f"{PAGES}/patch-workflow; {PAGES}/external-ids-workflows-attach",
    operations=["createWorkflow", "patchWorkflow", "getWorkflow", "attachWorkflowExternalId"],
)
def test_writes_at_once(numbers: WorkflowNumbers, operation: Operation) -> Found:
    return numbers.checks(NumberTopic.AT_ONCE, operation)


@rule(
    "REL-WF-40",
    "An external id that was detached can be attached again, to any workflow.",
    says="Detaching takes the pair away: nobody has it then. 409 is for a pair that another workflow has.",
    source=f"{PAGES}/external-ids-workflows-attach; {PAGES}/external-ids-workflows-detach",
    operations=["attachWorkflowExternalId", "detachWorkflowExternalId", "listWorkflows"],
)
def test_detached_ids_are_free(numbers: WorkflowNumbers, operation: Operation) -> Found:
    return numbers.checks(NumberTopic.PAIRS, operation)


@rule(
    "REL-REF-01",
    "What is refused for its key is not carried out.",
    says="401 means that the request has not been applied, since it lacks valid credentials: no run is started, no "
    "version made, no external id attached or detached.",
    source="https://www.rfc-editor.org/rfc/rfc9110#section-15.5.2",
    operations=[
        "runWorkflow",
        "createWorkflow",
        "patchWorkflow",
        "attachWorkflowExternalId",
        "detachWorkflowExternalId",
    ],
    otherwise="a wrong key was not refused",
)
def test_refused_for_its_key_is_not_done(refused: RefusedWrites, operation: Operation) -> Found:
    return refused.checks(RefusedTopic.STRANGER, operation)


@rule(
    "REL-REF-02",
    "A workflow that is refused for its external id is not there.",
    says="409 means that the request could not be completed: the external id is another workflow's, and the name stays "
    "free.",
    source=f"{PAGES}/create-workflow; https://www.rfc-editor.org/rfc/rfc9110#section-15.5.10",
    operations=["createWorkflow"],
    otherwise="no workflow was refused with 409 for its external id",
)
def test_refused_for_a_conflict_is_not_done(refused: RefusedWrites, operation: Operation) -> Found:
    return refused.checks(RefusedTopic.CONFLICT, operation)


@rule(
    "REL-OUT-01",
    "An output of any type is the result of its run, also what counts as nothing.",
    says="The bare output is any JSON value. Where the output node has succeeded, it is there: 0, false, null and what "
    "is empty, too.",
    source=RESULTS,
    operations=[GET_RESULTS],
)
def test_empty_outputs_are_results(outputs: OutputTypes, operation: Operation) -> Found:
    return outputs.checks(OutputTopic.RESULT, operation)


@rule(
    "REL-OUT-02",
    "A callback has an output of any type.",
    says="final_output has the structure of the results, whatever the output is.",
    source=CALLBACK,
    operations=["runWorkflow"],
    otherwise="no callback came that could be read",
)
def test_empty_outputs_are_posted(outputs: OutputTypes, operation: Operation) -> Found:
    return outputs.checks(OutputTopic.POSTED, operation)
