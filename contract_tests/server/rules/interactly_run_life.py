"""Interactly: the life of a run."""

from collections.abc import Iterator
from functools import partial
from typing import Any, Final

import pytest

from contract_tests.openapi.json_text import same
from contract_tests.rules import Checks, Violation
from contract_tests.rules import rule as card
from contract_tests.server.conversations import Conversations
from contract_tests.server.models.conversation import Runs, Steps, Turn

PAGE: Final = "https://docs-qa.interactly.ai/api-reference/workflows/workflow-execution/execute-workflow"
HTTP: Final = "https://www.rfc-editor.org/rfc/rfc9110"
LIBRARY: Final = "github.com/interactly-ai/workflow-sdk 0.2.0"
NOT_TAKEN: Final = "the service took no such command"
NO_FURTHER_TURN: Final = "the service took no further command for a run"
PAIRS: Final = "input_output_pairs"
rule: Final = partial(
    card,
    source=PAGE,
    basis="inferred",
    operations=["executeWorkflow"],
    side="server",
    service="interactly",
    otherwise=NO_FURTHER_TURN,
)


@pytest.fixture
def runs(conversations: Conversations) -> Runs:
    """Return the runs that were talked to."""
    return conversations.runs


@rule(
    "IA-EXE-63",
    "A run that has completed has no termination_source.",
    says="termination_source names what ended a run that failed; after a normal end it is null.",
    basis="documented",
    otherwise="no run was seen to complete",
)
def test_normal_end_has_no_termination_source(runs: Runs) -> Checks:
    ended = [turn for turn in runs.shown if turn.status == "completed"]
    return map(_names_no_end, ended)


@rule(
    "IA-EXE-63-OPEN",
    "A run that has not ended has no termination_source.",
    says="termination_source names what ended a run; before its end there is nothing to name.",
    otherwise="no run was seen before its end",
)
def test_open_run_has_no_termination_source(runs: Runs) -> Checks:
    before_end = [turn for turn in runs.shown if turn.status and not turn.is_final]
    return map(_names_no_end, before_end)


@rule(
    "IA-EXE-67",
    "A run keeps its ids.",
    says="workflow_run_id names the run to go on with, logical_id is unique to it; neither can change between turns.",
)
def test_run_keeps_its_ids(runs: Runs) -> Checks:
    return _kept(runs.steps, "workflow_run_id", "logical_id")


@rule("IA-EXE-68", "A run keeps its version.", says="Later turns keep the version of the first one.", source=LIBRARY)
def test_run_keeps_its_version(runs: Runs) -> Checks:
    return _kept(runs.steps, "version_number")


@rule(
    "IA-EXE-69",
    "A run never leaves a final status.",
    says="completed, failed, cancelled and aborted_looping_risk are final.",
    source=LIBRARY,
    otherwise="no run was seen to end",
)
def test_final_status_stays(runs: Runs) -> Checks:
    return (
        turn.exchange.check(
            turn.run is None or turn.status == turn.before.status,
            "status",
            f"the run was {turn.before.status} before",
        )
        for turn in runs.turns
        if turn.before is not None and turn.before.is_final
    )


@rule(
    "IA-EXE-70",
    "stop cancels a run.",
    says="The command stop ends a run, whose status is cancelled then.",
    source=LIBRARY,
    otherwise=NOT_TAKEN,
)
def test_stop_cancels(runs: Runs) -> Checks:
    return (_check_status(*step, step[1].status == "cancelled") for step in _open(runs.steps, "stop"))


@rule(
    "IA-EXE-71",
    "pause makes a run paused.",
    says="pause is a command and paused a status; that one leads to the other no page says.",
    otherwise=NOT_TAKEN,
)
def test_pause_pauses(runs: Runs) -> Checks:
    return (_check_status(*step, step[1].status == "paused") for step in _open(runs.steps, "pause"))


@rule(
    "IA-EXE-72",
    "resume takes a paused run up again.",
    says="resume is a command; that it ends the status paused no page says.",
    otherwise=NOT_TAKEN,
)
def test_resume_takes_up(runs: Runs) -> Checks:
    paused = [(before, turn) for before, turn in _open(runs.steps, "resume") if before.status == "paused"]
    return (_check_status(*step, step[1].status != "paused") for step in paused)


@rule(
    "IA-EXE-73",
    "What was said in a run stays.",
    says="input_output_pairs has one pair for each stretch of execution; a further turn adds to them.",
)
def test_what_was_said_stays(runs: Runs) -> Checks:
    return (
        turn.exchange.check(_begins_with(turn.get(PAIRS), before.get(PAIRS)), f"member {PAIRS}")
        for before, turn in runs.steps
        if isinstance(before.get(PAIRS), list) and before.get(PAIRS) and before.status != "running"
    )


@rule(
    "IA-EXE-74",
    "A run names the workflow that was executed.",
    says="workflow_id of the run is the id of the workflow, which stands in the path.",
    otherwise="the replies do not name the workflow",
)
def test_run_names_its_workflow(runs: Runs) -> Checks:
    return (
        turn.exchange.check(turn.get("workflow_id") == turn.exchange.case.path["workflow_id"], "member workflow_id")
        for turn in runs.shown
        if turn.get("workflow_id") is not None
    )


@rule(
    "IA-EXE-78", "A run that has begun is not not_started any more.", says="not_started is the status before the start."
)
def test_run_does_not_go_back(runs: Runs) -> Checks:
    return (
        turn.exchange.check(turn.status != "not_started", "status")
        for before, turn in runs.steps
        if before.status not in {"", "not_started"}
    )


@rule(
    "IA-EXE-79",
    "data is another turn.",
    says="data goes to the run, and input_output_pairs has one pair for each stretch of execution.",
    otherwise=NOT_TAKEN,
)
def test_data_is_another_turn(runs: Runs) -> Checks:
    return (
        turn.exchange.check(_is_longer(turn.get(PAIRS), before.get(PAIRS)), f"member {PAIRS}", _became(before, turn))
        for before, turn in _open(runs.steps, "data")
        if turn.status != "running" and isinstance(before.get(PAIRS), list)
    )


@rule(
    "IA-EXE-80",
    "A refused command changes nothing.",
    says="What is refused with a 4xx was not carried out: what the run would have taken before, it takes after.",
    source=f"{HTTP}#section-15.5",
    otherwise="no command came after one that was refused",
)
def test_refused_command_changes_nothing(runs: Runs) -> Checks:
    commands = [(turn.before, turn) for turn in runs.turns if turn.before is not None and turn.refused is not None]
    at_once = [(_case(*step), step[1]) for step in commands if not step[1].refused]
    taken = {case for case, turn in at_once if turn.run is not None}
    taken -= {case for case, turn in at_once if turn.exchange.is_refused}
    return (
        turn.exchange.check(
            not turn.exchange.is_refused,
            f"refused {turn.command}",
            f"{turn.command} for a run that is {before.status} was refused after refused commands "
            f"({', '.join(turn.refused)}), and taken where none had been refused",
        )
        for before, turn in commands
        if turn.refused and _case(before, turn) in taken
    )


def _case(before: Turn, turn: Turn) -> tuple[str, str, int]:
    """Return a command with what it depends on: the status of the run, and how many turns there were."""
    pairs = before.get(PAIRS)
    return turn.command, before.status, len(pairs) if isinstance(pairs, list) else 0


def _names_no_end(turn: Turn) -> Violation | None:
    return turn.exchange.check(turn.get("termination_source") is None, "member termination_source")


def _kept(steps: Steps, *names: str) -> Iterator[Violation | None]:
    for before, turn in steps:
        for name in names:
            if before.get(name) is not None:
                yield turn.exchange.check(same(turn.get(name), before.get(name)), f"member {name}")


def _open(steps: Steps, command: str) -> Steps:
    """Return the turns of a command that was taken for a run which had not ended."""
    return [(before, turn) for before, turn in steps if turn.command == command and not before.is_final]


def _check_status(before: Turn, turn: Turn, holds: bool) -> Violation | None:  # noqa: FBT001
    return turn.exchange.check(holds, "status", _became(before, turn))


def _became(before: Turn, turn: Turn) -> str:
    return f"{turn.command} made the run {turn.status}, which was {before.status}"


def _begins_with(new: Any, old: list[Any]) -> bool:
    return isinstance(new, list) and same(new[: len(old)], old)


def _is_longer(new: Any, old: list[Any]) -> bool:
    return isinstance(new, list) and len(new) > len(old)
