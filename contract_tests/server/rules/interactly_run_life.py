"""Interactly: the life of a run."""

from typing import Any, Final

import pytest

from contract_tests.rules import rule
from contract_tests.server.conversations import Conversations
from contract_tests.server.models.conversation import Conversation
from contract_tests.server.server import ServerUnderTest

PAGE: Final = "https://docs-qa.interactly.ai/api-reference/workflows/workflow-execution/execute-workflow"
LIBRARY: Final = "github.com/interactly-ai/workflow-sdk 0.2.0"
ABOUT: Final[dict[str, Any]] = {"operations": ["executeWorkflow"], "side": "server", "service": "interactly"}
NOT_TAKEN: Final = "the service took no such command"
NO_FURTHER_TURN: Final = "the service took no further command for a run"


@pytest.fixture
def runs(conversations: Conversations) -> list[Conversation]:
    """Give runs that were talked to; the same ones for every rule."""
    return conversations.all


@pytest.mark.usefixtures("runs")
@rule(
    "IA-EXE-63",
    "A run that has completed has no termination_source.",
    says="termination_source names what ended a run that failed; after a normal end it is null.",
    source=PAGE,
    basis="documented",
    **ABOUT,
)
def test_normal_end_has_no_termination_source(server: ServerUnderTest) -> None:
    """Every reply with the status completed has null there, or nothing."""
    server.ledger.must_be_kept("IA-EXE-63", "no run was seen to complete")


@pytest.mark.usefixtures("runs")
@rule(
    "IA-EXE-63-OPEN",
    "A run that has not ended has no termination_source.",
    says="termination_source names what ended a run; before its end there is nothing to name.",
    source=PAGE,
    basis="inferred",
    **ABOUT,
)
def test_open_run_has_no_termination_source(server: ServerUnderTest) -> None:
    """Every reply with a status that is not final has null there, or nothing."""
    server.ledger.must_be_kept("IA-EXE-63-OPEN", "no run was seen before its end")


@pytest.mark.usefixtures("runs")
@rule(
    "IA-EXE-67",
    "A run keeps its ids.",
    says="workflow_run_id names the run to go on with, logical_id is unique to it; neither can change between turns.",
    source=PAGE,
    basis="inferred",
    **ABOUT,
)
def test_run_keeps_its_ids(server: ServerUnderTest) -> None:
    """Every reply to a command for a run has the ids of the reply that started it."""
    server.ledger.must_be_kept("IA-EXE-67", NO_FURTHER_TURN)


@pytest.mark.usefixtures("runs")
@rule(
    "IA-EXE-68",
    "A run keeps its version.",
    says="Later turns keep the version of the first one.",
    source=LIBRARY,
    basis="inferred",
    **ABOUT,
)
def test_run_keeps_its_version(server: ServerUnderTest) -> None:
    """Every reply to a command for a run has the version_number of the one before."""
    server.ledger.must_be_kept("IA-EXE-68", NO_FURTHER_TURN)


@pytest.mark.usefixtures("runs")
@rule(
    "IA-EXE-69",
    "A run never leaves a final status.",
    says="completed, failed, cancelled and aborted_looping_risk are final.",
    source=LIBRARY,
    basis="inferred",
    **ABOUT,
)
def test_final_status_stays(server: ServerUnderTest) -> None:
    """A command for a run in a final status is refused, or answered with the run in that status."""
    server.ledger.must_be_kept("IA-EXE-69", "no run was seen to end")


@pytest.mark.usefixtures("runs")
@rule(
    "IA-EXE-70",
    "stop cancels a run.",
    says="The command stop ends a run, whose status is cancelled then.",
    source=LIBRARY,
    basis="inferred",
    **ABOUT,
)
def test_stop_cancels(server: ServerUnderTest) -> None:
    """Where stop is taken for a run that has not ended, the reply's status is cancelled."""
    server.ledger.must_be_kept("IA-EXE-70", NOT_TAKEN)


@pytest.mark.usefixtures("runs")
@rule(
    "IA-EXE-71",
    "pause makes a run paused.",
    says="pause is a command and paused a status; that one leads to the other no page says.",
    source=PAGE,
    basis="inferred",
    **ABOUT,
)
def test_pause_pauses(server: ServerUnderTest) -> None:
    """Where pause is taken for a run that has not ended, the reply's status is paused."""
    server.ledger.must_be_kept("IA-EXE-71", NOT_TAKEN)


@pytest.mark.usefixtures("runs")
@rule(
    "IA-EXE-72",
    "resume takes a paused run up again.",
    says="resume is a command; that it ends the status paused no page says.",
    source=PAGE,
    basis="inferred",
    **ABOUT,
)
def test_resume_takes_up(server: ServerUnderTest) -> None:
    """Where resume is taken for a paused run, the reply's status is another one."""
    server.ledger.must_be_kept("IA-EXE-72", NOT_TAKEN)


@pytest.mark.usefixtures("runs")
@rule(
    "IA-EXE-73",
    "What was said in a run stays.",
    says="input_output_pairs has one pair for each stretch of execution; a further turn adds to them.",
    source=PAGE,
    basis="inferred",
    **ABOUT,
)
def test_what_was_said_stays(server: ServerUnderTest) -> None:
    """The pairs of a reply begin with those of the one before."""
    server.ledger.must_be_kept("IA-EXE-73", NO_FURTHER_TURN)


@pytest.mark.usefixtures("runs")
@rule(
    "IA-EXE-74",
    "A run names the workflow that was executed.",
    says="workflow_id of the run is the id of the workflow, which stands in the path.",
    source=PAGE,
    basis="inferred",
    **ABOUT,
)
def test_run_names_its_workflow(server: ServerUnderTest) -> None:
    """Every reply's workflow_id is the one of the path, or null."""
    server.ledger.must_be_kept("IA-EXE-74", "the replies do not name the workflow")


@pytest.mark.usefixtures("runs")
@rule(
    "IA-EXE-78",
    "A run that has begun is not not_started any more.",
    says="not_started is the status before the start.",
    source=PAGE,
    basis="inferred",
    **ABOUT,
)
def test_run_does_not_go_back(server: ServerUnderTest) -> None:
    """No reply after another status has the status not_started."""
    server.ledger.must_be_kept("IA-EXE-78", NO_FURTHER_TURN)


@pytest.mark.usefixtures("runs")
@rule(
    "IA-EXE-79",
    "data is another turn.",
    says="data goes to the run, and input_output_pairs has one pair for each stretch of execution.",
    source=PAGE,
    basis="inferred",
    **ABOUT,
)
def test_data_is_another_turn(server: ServerUnderTest) -> None:
    """Where data is taken for a run that has not ended, and it is not still running, there is one more pair."""
    server.ledger.must_be_kept("IA-EXE-79", NOT_TAKEN)
