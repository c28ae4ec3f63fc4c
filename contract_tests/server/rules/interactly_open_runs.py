"""Interactly: runs that are open side by side."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Final

from contract_tests.openapi.json_equality import cut_to_difference
from contract_tests.rules import Checks, NotExercised, Violation
from contract_tests.rules import rule as card
from contract_tests.server.models.exchange import Exchange
from contract_tests.server.relations.marked_inputs import MarkedInput
from contract_tests.server.relations.open_runs import OpenRun, OpenRuns
from contract_tests.server.relations.run_story import RunStory
from contract_tests.server.relations.shown_inputs import losses

PAGE: Final = "https://docs-qa.interactly.ai/api-reference/workflows/workflow-execution/execute-workflow"
NOT_SHOWN: Final = "the run does not show what it was given"
rule: Final = partial(
    card,
    source=PAGE,
    operations=["executeWorkflow"],
    side="server",
    requests=30,
    service="interactly",
    otherwise=NOT_SHOWN,
)


@rule(
    "REL-OPEN-01",
    "A command for a run changes no other run.",
    says="workflow_run_id names the run to go on with: pause, resume, stop and data are for this one alone.",
    basis="documented",
)
def test_command_is_for_one_run(open_runs: OpenRuns) -> Checks:
    _ = open_runs.runs
    if not open_runs.violations and not open_runs.are_open:
        raise NotExercised("no run stays open after its start")
    return open_runs.violations or [None]


@rule(
    "REL-OPEN-02",
    "A run is started as ever, however other runs stand.",
    says="Without version the active one is executed; a start begins a run of its own, whether others are paused.",
    basis="documented",
)
def test_start_is_as_ever(open_runs: OpenRuns) -> Checks:
    runs = open_runs.runs
    return (_like(runs["B"], runs[other], name) for other in "CD" for name in ("status", "version_number"))


@rule(
    "REL-OPEN-03",
    "Nothing of a run is seen in another one.",
    says="The variables and run_by of a run are its own.",
    basis="documented",
)
def test_runs_do_not_mix(open_runs: OpenRuns) -> Checks:
    return (found for run in open_runs.runs.values() for found in _own_alone(run, open_runs))


@rule(
    "REL-OPEN-04",
    "What a run shows of its input is what was given.",
    says="run_input of a pair is the input as the service keeps it, run_by who has started the run. Any JSON may be a "
    "variable.",
    basis="inferred",
)
def test_input_is_shown_whole(open_runs: OpenRuns) -> Checks:
    return (found for name in "ABC" for found in _whole(open_runs.runs[name].inputs, open_runs.runs[name].started))


@rule(
    "REL-OPEN-05",
    "A run that was paused and taken up again goes on as one that was not.",
    says="resume goes on with the run: its variables fill the texts of later turns. Seen where two runs that were not "
    "paused say the same.",
    basis="documented",
    otherwise="two runs alike differ in more than their input",
)
def test_paused_run_goes_on_as_ever(open_runs: OpenRuns) -> Checks:
    runs = open_runs.runs
    one, other, paused = (runs[name].last_output for name in "BEC")
    if one and one == other and runs["B"].shown.get("status") == runs["E"].shown.get("status"):
        last = runs["C"].exchanges[-1]
        said = "expected was {}, came {}".format(*cut_to_difference(other, paused))
        is_comparable = runs["C"].shown.get("status") == runs["E"].shown.get("status")
        yield last.check(not is_comparable or paused == other, "run_output", last.bounded(said))


@rule(
    "REL-SIZE-03",
    "A large input is taken whole, or refused.",
    says="No limit is documented; what is beyond a service's own is refused with a 4xx, not cut, and breaks nothing.",
    basis="inferred",
)
def test_large_input_is_whole_or_refused(story: RunStory) -> Checks:
    if story.problem is not None:
        raise story.problem
    large = story.large
    if not large.started.has_succeeded:
        large.started.must_be_refused()
    return [None, *(found for one in large.exchanges for found in _whole(large.inputs, one))]


def _like(one: OpenRun, other: OpenRun, name: str) -> Violation | None:
    first, second = (run.started.json.get(name) if run.started.is_object else None for run in (one, other))
    is_known = first is not None and second is not None and one.started.has_succeeded
    return other.started.check(
        not is_known or first == second, f"member {name}", f"{name} is {second!r}, not {first!r}"
    )


def _own_alone(run: OpenRun, open_runs: OpenRuns) -> Iterator[Violation | None]:
    others = [one for one in open_runs.runs.values() if one is not run]
    marks = {given.mark: place for one in others for place, given in one.inputs.items()}
    for exchange in run.exchanges:
        text = exchange.reply.decode("utf-8", "replace")
        found = sorted(place for mark, place in marks.items() if mark in text)
        yield exchange.check(not found, found[0] if found else "", f"{', '.join(found)} of another run")


def _whole(inputs: Mapping[str, MarkedInput], exchange: Exchange) -> Iterator[Violation | None]:
    for place, lost in losses(exchange.result, inputs):
        told = f"{place}, {lost.name}: {lost.told}" if lost else ""
        yield exchange.check(lost is None, f"{place}: {lost.name}" if lost else "", told)
