"""PromptLayer: runs one after the other."""

import time
from collections.abc import Iterator
from functools import partial
from typing import Final

from contract_tests.rules import NotExercised, Violation
from contract_tests.rules import rule as card
from contract_tests.server.relations.marked_runs import MarkedRuns
from contract_tests.server.relations.runs_in_a_row import QUIET_SECONDS, OneOfARow, RunsInARow

PAGE: Final = "https://docs.promptlayer.com/reference/run-workflow"
NOTHING: Final = "no run was started"
ID: Final = "workflow_version_execution_id"
Found = list[Violation | None]
rule: Final = partial(
    card, source=PAGE, operations=["runWorkflow"], side="server", requests=16, service="promptlayer", otherwise=NOTHING
)


@rule(
    "REL-ROW-01",
    "A run that asks for nothing is answered as ever, whatever was asked for before.",
    says="Without label and version the latest version runs, without callback_url the response is 201, and a warning "
    "is about the run's own variables.",
    basis="documented",
)
def test_next_run_is_answered_as_ever(runs_in_a_row: RunsInARow, marked_runs: MarkedRuns) -> Found:
    return [found for before, run in runs_in_a_row.plain for found in _as_ever(before, run, marked_runs)]


@rule(
    "REL-ROW-02",
    "A run that asks for nothing runs as ever, whatever was run before.",
    says="It is the latest version on the run's own input, whose output is that of another run of it. Seen where two "
    "runs of the latest version differ in nothing but their input.",
    basis="inferred",
)
def test_next_run_runs_as_ever(runs_in_a_row: RunsInARow, marked_runs: MarkedRuns) -> Found:
    if not (marked_runs.templates and marked_runs.is_foretold):
        raise NotExercised("two runs of the workflow differ in more than their input")
    return [found for before, run in runs_in_a_row.plain for found in _runs_as_ever(before, run, marked_runs)]


@rule(
    "REL-ROW-03",
    "Nothing of a run is seen in the next ones.",
    says="A run's input is its own: no response to another run, and no results of it, tell it.",
    basis="documented",
)
def test_nothing_is_left_of_a_run(runs_in_a_row: RunsInARow) -> Found:
    return [found for run in runs_in_a_row.runs for found in _own_alone(run, runs_in_a_row)]


@rule(
    "REL-ROW-04",
    "Metadata is no input.",
    says="Input variables are given in input_variables; one that is missing there is warned of, and not looked for in "
    "the metadata.",
    basis="documented",
)
def test_metadata_is_no_input(runs_in_a_row: RunsInARow) -> Found:
    noted = [(run, poll) for run in runs_in_a_row.runs if run.note for poll in run.polls]
    told = "a value that stands in the metadata alone is in the results"
    return [
        poll.check(run.note not in poll.exchange.reply.decode("utf-8", "replace"), "metadata", told)
        for run, poll in noted
    ]


@rule(
    "REL-CB-05",
    "No callback comes for a run that was refused or named no address.",
    says="The outcome of a run that has ended is posted to the address that this run names, and nowhere else.",
    basis="documented",
)
def test_no_callback_comes_uncalled_for(runs_in_a_row: RunsInARow) -> Found:
    called = [run for run in runs_in_a_row.runs if run.url]
    if not called:
        raise NotExercised("the target has no callback_listen")
    time.sleep(QUIET_SECONDS[runs_in_a_row.server.target.is_local])
    return [_uncalled_for(run, runs_in_a_row) for run in called]


def _as_ever(before: OneOfARow, run: OneOfARow, marked_runs: MarkedRuns) -> Iterator[Violation | None]:
    first, after = marked_runs.first.started, f"after {before.name}"
    assert first is not None
    yield run.started.check_status(first.status, constraint=f"status {after}")
    if run.mark and run.started.is_object:
        is_warned = isinstance(run.started.json.get("warning"), str)
        told = is_warned and not marked_runs.first.is_warned
        yield run.started.check(not told, f"warning {after}", "the run has a warning that an equal one has not")


def _runs_as_ever(before: OneOfARow, run: OneOfARow, marked_runs: MarkedRuns) -> Iterator[Violation | None]:
    shown = next((poll for poll in run.polls if poll.all_outputs and poll.is_done), None)
    if shown is None or not run.mark:
        return
    for name, parts in marked_runs.templates.items():
        value = shown.entries.get(name, {}).get("value")
        is_same = value == run.mark.join(parts)
        yield shown.check(is_same, f"output after {before.name}", f"{name} is {value!r:.200}")


def _own_alone(run: OneOfARow, row: RunsInARow) -> Iterator[Violation | None]:
    for exchange, text in run.texts:
        found = [one for one in row.runs if one.mark and one is not run and one.mark in text]
        received = f"the input of {found[0].name} is in a response to {run.name}" if found else ""
        yield exchange.check(not found, "input", received)


def _uncalled_for(run: OneOfARow, row: RunsInARow) -> Violation | None:
    came = row.server.listener.deliveries(run.url)
    if run.started.is_refused:
        return run.started.check(
            not came, "refused run", f"{run.name} was answered {run.started.status}, and a callback came"
        )
    own = str(run.started.json.get(ID)) if run.started.is_object else ""
    strange = [one for one in came if own.encode() not in one.body]
    said = run.started.bounded(strange[0].body.decode("utf-8", "replace")) if strange else ""
    received = f"to the address of run {own} alone came the outcome of another run: {said}"
    return run.started.check(not strange, "other run", received)
