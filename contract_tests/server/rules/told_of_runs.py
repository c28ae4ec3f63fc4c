"""Runs: what was told of one, told again."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, Final

import pytest

from contract_tests.openapi.document import Operation
from contract_tests.rules import Checks, NotApplicable, NotExercised, Violation
from contract_tests.rules import rule as card
from contract_tests.server.conversations import Conversations
from contract_tests.server.models.conversation import run_id_of
from contract_tests.server.models.told_facts import ToldFacts, facts_of_interactly, facts_of_promptlayer
from contract_tests.server.models.told_times import checks_of_times
from contract_tests.server.relations.marked_runs import MarkedRuns
from contract_tests.server.relations.open_runs import OpenRuns
from contract_tests.server.relations.run_crowd import RunCrowd
from contract_tests.server.relations.run_lists import RunLists
from contract_tests.server.relations.run_story import RunStory
from contract_tests.server.scenarios import ExecutionScenarios
from contract_tests.server.server import ServerUnderTest

RUNS: Final = "https://docs-qa.interactly.ai/api-reference/workflows/workflow-runs/get-workflow-run"
DATE: Final = "https://www.rfc-editor.org/rfc/rfc9110#section-6.6.1"
RESULTS: Final = "https://docs.promptlayer.com/reference/workflow-version-execution-results"
rule: Final = partial(card, basis="documented", side="server")


@pytest.fixture
def plays(
    conversations: Conversations, open_runs: OpenRuns, run_lists: RunLists, story: RunStory, crowd: RunCrowd
) -> list[Callable[[], Any]]:
    """Return what plays Interactly runs of which something is told."""
    return [
        lambda: conversations.runs,
        lambda: open_runs.runs,
        lambda: run_lists.whole,
        lambda: story.problem,
        lambda: crowd.problem,
    ]


@rule(
    "REL-TOLD-01",
    "What was told of a run is told of it again, by whatever operation.",
    says="Execute, reading a run and listing runs tell of the same record. Its ids, version and origin never change; a "
    "final status stays; and what waits or is paused changes by a command for it alone, which was not refused.",
    source=RUNS,
    operations=["executeWorkflow", "getWorkflowRun", "listWorkflowRuns"],
    service="interactly",
)
def test_runs_are_told_alike(operation: Operation, server: ServerUnderTest, plays: list[Callable[[], Any]]) -> Checks:
    _played(*plays)
    return _contradictions(facts_of_interactly(server.watch.exchanges), operation, server)


@rule(
    "REL-TOLD-02",
    "What was told of an execution is told of it again.",
    says="A node that has ended has one outcome, and an execution that is complete has one output, however often, in "
    "whatever form, on whatever connection and beside whatever else it is asked for.",
    source=RESULTS,
    operations=["getWorkflowVersionExecutionResults"],
    service="promptlayer",
)
def test_executions_are_told_alike(
    operation: Operation, server: ServerUnderTest, scenarios: ExecutionScenarios, marked_runs: MarkedRuns
) -> Checks:
    _played(lambda: scenarios.plain, lambda: marked_runs.asked_together)
    return _contradictions(facts_of_promptlayer(server.watch.of(operation.id)), operation, server)


@rule(
    "REL-TOLD-03",
    "A run was not changed before it was started, and neither was after the response that tells of it.",
    says="created_at is when a run was started, updated_at when it was changed last, and Date when the response was "
    "made. They are compared where they have an offset, and differ by more than ten minutes.",
    source=f"{RUNS}; {DATE}",
    operations=["getWorkflowRun", "listWorkflowRuns"],
    service="interactly",
    otherwise="no record tells both times with an offset",
)
def test_times_are_in_order(operation: Operation, server: ServerUnderTest, plays: list[Callable[[], Any]]) -> Checks:
    _played(*plays)
    started = {run_id_of(one) for one in server.watch.of("executeWorkflow") if one.has_succeeded}
    return checks_of_times(server.watch.of(operation.id), {one for one in started if one is not None})


def _played(*plays: Callable[[], Any]) -> None:
    """Have played what has not been: a whole run has played it all before."""
    for play in plays:
        with suppress(NotExercised, NotApplicable):
            play()


def _contradictions(facts: ToldFacts, operation: Operation, server: ServerUnderTest) -> list[Violation | None]:
    if not server.watch.of(operation.id):
        raise NotExercised("nothing was told by it")
    return [None, *(found for name, found in facts.contradictions if name == operation.id)]
