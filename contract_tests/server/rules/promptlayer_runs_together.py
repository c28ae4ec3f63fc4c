"""PromptLayer: runs in flight together, each with an input of its own."""

from collections.abc import Iterator
from functools import partial
from typing import Final

import pytest

from contract_tests.openapi.json_text import same
from contract_tests.rules import Checks, NotExercised, Violation
from contract_tests.rules import rule as card
from contract_tests.server.models.exchange import LATER
from contract_tests.server.models.execution import id_of
from contract_tests.server.relations.marked_inputs import WIDE, Loss
from contract_tests.server.relations.marked_run import MarkedRun
from contract_tests.server.relations.marked_runs import MarkedRuns

PAGE: Final = "https://docs.promptlayer.com/reference/run-workflow"
JSON: Final = "https://www.rfc-editor.org/rfc/rfc8259"
ID: Final = "workflow_version_execution_id"
CREATED, ACCEPTED = 201, 202
NONE_STARTED: Final = "no run was started"
PLAIN: Final = ("a run", "another run")
rule: Final = partial(
    card, operations=["runWorkflow"], side="server", requests=68, service="promptlayer", otherwise=NONE_STARTED
)
Runs = list[MarkedRun]


@pytest.fixture
def started(marked_runs: MarkedRuns) -> Runs:
    """Return the runs that were started."""
    return [run for run in marked_runs.runs if run.execution is not None]


@rule(
    "REL-RUNS-01",
    "Runs that are started together have ids of their own.",
    says="Every request starts an execution, and its id is what results are asked by.",
    source=PAGE,
    basis="documented",
)
def test_ids_are_unique(started: Runs) -> Checks:
    seen: dict[int, str] = {}
    return (_twin(run, seen) for run in started)


@rule(
    "REL-RUNS-05",
    "Requests that are the same to the byte start a run each, also at once.",
    says="Every request starts an execution, and 201 says that something was created by it; with a callback 202.",
    source=f"{PAGE}; https://www.rfc-editor.org/rfc/rfc9110#section-15.3.2",
    basis="documented",
)
def test_equal_requests_start_a_run_each(marked_runs: MarkedRuns) -> Checks:
    started = [run.started for run in marked_runs.equal if run.started is not None]
    created = [one for one in started if one.status in {CREATED, ACCEPTED} and one.is_object]
    ids = [one.json.get(ID) for one in created]
    return [one.check(ids.count(one.json.get(ID)) == 1, ID, "two equal requests have it") for one in created]


@rule(
    "REL-RUNS-02",
    "What is said of a run has nothing of another one in it.",
    says="Runs have nothing to do with each other, whenever they are started.",
    source=PAGE,
    basis="documented",
)
def test_runs_do_not_mix(started: Runs, marked_runs: MarkedRuns) -> Checks:
    _ = marked_runs.asked_together
    return (found for run in started for found in _mixed(run, started))


@rule(
    "REL-RUNS-03",
    "A run that is started together with others is started, and ends.",
    says="A run is created or accepted. How many at a time is not limited by any page: 429 is an answer to too many.",
    source=PAGE,
    basis="documented",
)
def test_none_is_lost(marked_runs: MarkedRuns) -> Checks:
    runs = [run for run in marked_runs.runs if run.started is not None and run.is_latest]
    if not marked_runs.first.execution:
        raise NotExercised(NONE_STARTED)
    return (found for run in runs for found in _lost(run, marked_runs))


@rule(
    "REL-RUNS-04",
    "The results of a run are the same later, after others were asked for.",
    says="Results are asked for by the id. How long they are kept is not told; it is longer than a minute.",
    source="https://docs.promptlayer.com/reference/workflow-version-execution-results",
    basis="inferred",
)
def test_results_stay(marked_runs: MarkedRuns, started: Runs) -> None:
    first = marked_runs.first
    if first.ended is None or not first.ended.is_done or not started:
        raise NotExercised("the first run was not seen to end")
    again = marked_runs.server.results(id_of(first.started), return_all_outputs=True) if first.started else None
    assert again is not None
    again.expect(again.status == first.ended.status, "status")
    again.expect(same(again.json, first.ended.body), "body")


@rule(
    "REL-ECHO-01",
    "A text comes out of a run as it went in.",
    says="A JSON string is a sequence of characters, and an input variable is one. Seen where nodes show their input, "
    "the same way in two runs.",
    source=f"{PAGE}; {JSON}#section-7",
    basis="documented",
)
def test_texts_come_out_whole(marked_runs: MarkedRuns, started: Runs) -> Checks:
    return _of_kind(marked_runs, started, "text")


@rule(
    "REL-ECHO-02",
    "A value that is no text comes out of a run as it went in.",
    says="Input variables are any JSON: numbers, lists, objects, null, at any depth. Seen where nodes show their "
    "input, the same way in two runs.",
    source=f"{PAGE}; {JSON}",
    basis="documented",
)
def test_values_come_out_whole(marked_runs: MarkedRuns, started: Runs) -> Checks:
    checks = [one for one in _of_kind(marked_runs, started, "value") if one is None or one.constraint != WIDE]
    null = next((run.started for run in started if run.input.value is None), None)
    if checks and null is not None:
        is_told = any(run.started is null and run.is_warned for run in started) and not marked_runs.first.is_warned
        checks.append(null.check(not is_told, "warning", "a variable that is null is said to be missing"))
    return checks


@rule(
    "REL-ECHO-04",
    "An integer beyond 2^53 comes out of a run as it went in.",
    says="Who reads numbers as doubles takes it for a neighbour; JSON has it, and says that some do.",
    source=f"{JSON}#section-6",
    basis="inferred",
)
def test_wide_integers_come_out_whole(marked_runs: MarkedRuns, started: Runs) -> Checks:
    return [one for one in _of_kind(marked_runs, started, "value") if one is None or one.constraint == WIDE]


@rule(
    "REL-SIZE-01",
    "A text of any size, and one with U+0000 in it, comes out of a run whole.",
    says="No limit of input variables is documented. What is beyond a service's own is refused, by 413 or 422; what is "
    "taken is the whole of the string. Seen where nodes show their input, the same way in two runs.",
    source=f"{PAGE}; {JSON}#section-7; https://www.rfc-editor.org/rfc/rfc9110#section-15.5.14",
    basis="documented",
)
def test_long_texts_come_out_whole(marked_runs: MarkedRuns, started: Runs) -> Checks:
    return _of_kind(marked_runs, started, "size")


def _twin(run: MarkedRun, seen: dict[int, str]) -> Violation | None:
    assert run.execution is not None
    other = seen.setdefault(run.execution.id, run.name)
    return None if other == run.name else run.violation(ID, f"{other} has the same id")


def _mixed(run: MarkedRun, runs: Runs) -> Iterator[Violation | None]:
    marks = {one.input.mark for one in runs if one is not run and one.input.mark}
    for what, text in run.texts:
        found = sorted(mark for mark in marks if mark in text)
        yield run.violation(what, f"{what} shows the input of another run, {found[0]}") if found else None


def _lost(run: MarkedRun, marked_runs: MarkedRuns) -> Iterator[Violation | None]:
    assert run.started is not None
    if not run.started.has_succeeded:
        # An odd input may be refused by itself, too, and so may be too many.
        is_excused = run.started.status in LATER or (run.started.is_refused and run.name not in PLAIN)
        yield None if is_excused else run.violation("status", "one of several runs was not started")
        return
    have_ended = any(one.ended is not None and one.ended.is_result for one in marked_runs.runs)
    is_ended = run.ended is not None and run.ended.is_done and run.ended.is_result
    came = f"{run.ended.exchange.shown}" if run.ended is not None else "nothing"
    is_lost = have_ended and not is_ended and not marked_runs.is_cut
    yield run.violation("end", f"others have ended, of this one came {came}") if is_lost else None


def _of_kind(marked_runs: MarkedRuns, started: Runs, kind: str) -> Iterator[Violation | None]:
    if not (marked_runs.templates and marked_runs.is_foretold):
        raise NotExercised("two runs of the workflow differ in more than their input")
    for run in (one for one in started if one.input.kind == kind and one.values):
        found = {one.name: one for one in marked_runs.lost(run)}
        yield from (_not_shown(run, one) for one in found.values()) if found else (None,)


def _not_shown(run: MarkedRun, lost: Loss) -> Violation:
    return run.violation(lost.name, f"{lost.name} of {run.name}: sent was {lost.sent}, out came {lost.came}")
