"""PromptLayer: workflows by filters, in orders and pages, and by what is nearly their keys."""

from collections.abc import Iterator
from functools import partial
from typing import Final

import pytest

from contract_tests.openapi.document import Operation
from contract_tests.rules import Violation
from contract_tests.rules import rule as card
from contract_tests.server.relations.workflow_history import WorkflowHistory
from contract_tests.server.relations.workflow_lists import ListTopic, WorkflowLists
from contract_tests.server.relations.workflow_lookups import LookupTopic, VersionRuns, WorkflowLookups

PAGES: Final = "https://docs.promptlayer.com/reference"
Found = Iterator[Violation | None]
rule: Final = partial(
    card, basis="documented", side="server", service="promptlayer", requests=40, otherwise="no response has shown it"
)
list_rule: Final = partial(rule, source=f"{PAGES}/list-workflows", operations=["listWorkflows"])


@pytest.fixture
def lists(history: WorkflowHistory) -> WorkflowLists:
    """Return lists of workflows."""
    return history.stage(WorkflowLists)


@pytest.fixture
def lookups(history: WorkflowHistory) -> WorkflowLookups:
    """Return what is asked for by what is nearly a key."""
    return history.stage(WorkflowLookups)


@list_rule(
    "REL-WF-21",
    "A filter leaves the workflows that it describes, and no others.",
    says="Created or changed at a time or later, at a time or earlier, or created by somebody; times have offsets.",
)
def test_filters_filter(lists: WorkflowLists, operation: Operation) -> Found:
    return lists.checks(ListTopic.FILTERS, operation)


@list_rule(
    "REL-WF-22",
    "A workflow that was created at the very time of a bound is in the list.",
    says="Both bounds are inclusive. That a workflow is created with its first version is inferred.",
    basis="inferred",
)
def test_bounds_are_inclusive(lists: WorkflowLists, operation: Operation) -> Found:
    return lists.checks(ListTopic.BOUNDS, operation)


@list_rule(
    "REL-WF-23",
    "A list is in the order that was asked for, by default with the newest first.",
    says="sort_by says by what, sort_order whether up or down, down by default.",
)
def test_lists_are_in_order(lists: WorkflowLists, operation: Operation) -> Found:
    return lists.checks(ListTopic.ORDER, operation)


@list_rule(
    "REL-WF-24",
    "A page has the size that was asked for, by default 30, and the numbers of pages and workflows fit it.",
    says="per_page is 30 by default. Each page but the last is full, and there are as many as all workflows fill.",
)
def test_pages_are_full(lists: WorkflowLists, operation: Operation) -> Found:
    return lists.checks(ListTopic.SIZES, operation)


@list_rule(
    "REL-WF-25",
    "Small pages together have what a large one has, and after the last there is nothing.",
    says="A page is a part of the list in its order: page is its number, per_page how many are on each.",
)
def test_pages_are_parts_of_one_list(lists: WorkflowLists, operation: Operation) -> Found:
    return lists.checks(ListTopic.PAGES, operation)


@rule(
    "REL-WF-26",
    "A part of a key, the key of another workflow and the number after the latest lead to nothing.",
    says="A workflow is read by its name or id, a version by its number or a label of its workflow; 404 means that it "
    "does not exist. A list has the workflow with the external id that was named.",
    source=f"{PAGES}/get-workflow; {PAGES}/list-workflows; {PAGES}/run-workflow",
    operations=["getWorkflow", "listWorkflows", "runWorkflow"],
)
def test_neighbours_of_keys_are_not_found(lookups: WorkflowLookups, operation: Operation) -> Found:
    return lookups.checks(LookupTopic.NEIGHBOURS, operation)


@rule(
    "REL-WF-27",
    "A key in another case, with white space or with other characters that look the same is another key.",
    says="No page says that names, labels and external ids are compared otherwise than character by character.",
    source=f"{PAGES}/get-workflow; {PAGES}/run-workflow; {PAGES}/list-workflows",
    basis="inferred",
    operations=["getWorkflow", "runWorkflow", "listWorkflows", "patchWorkflow", "attachWorkflowExternalId"],
)
def test_keys_are_compared_as_they_are(lookups: WorkflowLookups, operation: Operation) -> Found:
    return lookups.checks(LookupTopic.SPELLINGS, operation)


@rule(
    "REL-WF-28",
    "A run by a label, by a number or by neither is one of the version that this leads to now.",
    says="The label's version runs, wherever it was before, the numbered or the latest one. Nodes tell by their names.",
    source=f"{PAGES}/run-workflow",
    operations=["runWorkflow"],
)
def test_runs_are_of_their_versions(history: WorkflowHistory, operation: Operation) -> Found:
    return history.stage(VersionRuns).checks(LookupTopic.RUNS, operation)
