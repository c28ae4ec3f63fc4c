"""PromptLayer: runs in flight together, each with an input of its own."""

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any, Final

import pytest

from contract_tests.http.callback_listener import Delivery
from contract_tests.openapi.json_text import read_json, same, whole
from contract_tests.rules import Checks, NotExercised, Violation
from contract_tests.rules import rule as card
from contract_tests.server.models.exchange import LATER
from contract_tests.server.models.execution import id_of
from contract_tests.server.relations.marked_inputs import WIDE, Loss
from contract_tests.server.relations.marked_run import MarkedRun
from contract_tests.server.relations.marked_runs import MarkedRuns

PAGE: Final = "https://docs.promptlayer.com/reference/run-workflow"
CALLBACK: Final = f"{PAGE} (wording of 2025-11 to 2026-04)"
JSON: Final = "https://www.rfc-editor.org/rfc/rfc8259"
ID: Final = "workflow_version_execution_id"
CREATED, ACCEPTED = 201, 202
NOT_COME: Final = "no callback came that could be read"
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


@pytest.fixture
def called(started: Runs) -> Runs:
    """Return those whose outcome is to be posted."""
    return [run for run in started if run.url]


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


@rule(
    "REL-ECHO-03",
    "A callback shows what the results show.",
    says="The final output has the structure of the results. Whatever is in it, however much, is the same.",
    source=CALLBACK,
    basis="documented",
    otherwise=NOT_COME,
)
def test_callback_shows_the_input(called: Runs) -> Checks:
    return (found for run in called if run.posted for found in _differing(run))


@rule(
    "REL-CB-01",
    "A callback at an address is that of the run that named it.",
    says="The outcome of a run is posted to the address that it names.",
    source=CALLBACK,
    basis="documented",
    otherwise=NOT_COME,
)
def test_callback_is_of_its_run(called: Runs, marked_runs: MarkedRuns) -> Checks:
    deliveries = marked_runs.server.listener.deliveries if marked_runs.server.has_listener else lambda _: []
    return (_check_id(run, one.body) for run in called for one in deliveries(run.url))


@rule(
    "REL-CB-02",
    "A callback comes to the very address that was named.",
    says="callback_url is a URI: its path keeps case and escapes, its query all its parameters in their order.",
    source="https://www.rfc-editor.org/rfc/rfc3986#section-6.2.2",
    basis="documented",
    otherwise=NOT_COME,
)
def test_callback_comes_to_the_very_address(called: Runs) -> Checks:
    return (_check_address(run) for run in called if run.delivery is not None)


@rule(
    "REL-CB-03",
    "A callback comes for every run that asks for one, though nobody asks for results.",
    says="The outcome is posted once the run has ended: of any version, with a warning or without, however large.",
    source=CALLBACK,
    basis="documented",
    otherwise="no run with a callback was started",
)
def test_callback_comes_unasked(called: Runs) -> Checks:
    return (_check_came(run) for run in called)


@rule(
    "REL-CB-04",
    "A callback that comes again is the same.",
    says="Treat a repeated delivery for the same execution as one: it can be told by its id, and says the same.",
    source=CALLBACK,
    basis="inferred",
    otherwise=NOT_COME,
)
def test_repeated_callback_is_the_same(called: Runs, marked_runs: MarkedRuns) -> Checks:
    return (_check_repeated(run, marked_runs) for run in called if run.delivery is not None)


@rule(
    "REL-CB-07",
    "A callback comes for every run that names an address, one that another run has named, too.",
    says="callback_url says where the outcome of this run is posted. Callers give all their runs the same one.",
    source=CALLBACK,
    basis="documented",
    otherwise=NOT_COME,
)
def test_address_may_be_named_again(marked_runs: MarkedRuns) -> Checks:
    first, later = marked_runs.called_again
    lost = f"the callback of an earlier run, {first.execution.id if first.execution else 0}, came to it, this one's not"
    return [None if later.delivery is not None else later.violation("delivery", lost)]


@rule(
    "REL-CB-09",
    "Of runs that are started at once and name one address each is told of there.",
    says="The outcome of a run is posted to the address that it names, once it has ended: of this run, whatever ends "
    "beside it and whatever was posted there just before.",
    source=CALLBACK,
    basis="documented",
    otherwise=NOT_COME,
)
def test_runs_of_one_address_are_each_told_of(marked_runs: MarkedRuns) -> Checks:
    lost = "it has ended, and no callback of it came to the address that another run has named, too"
    called = marked_runs.equal_called
    return [None if run.delivery is not None else run.violation("delivery", lost) for run in called]


@rule(
    "REL-CB-06",
    "A run with a callback is the one that it is without.",
    says="callback_url says where the outcome goes. Label and version number pick the version all the same, and unused "
    "variables are warned of.",
    source=PAGE,
    basis="documented",
    otherwise="no run of another version, or with an unused variable, was started",
)
def test_callback_changes_nothing_else(called: Runs, marked_runs: MarkedRuns) -> Checks:
    target = marked_runs.server.target
    for run in called:
        if run.is_warned_of and marked_runs.warns:
            yield None if run.is_warned else run.violation("warning", "with a callback there is no warning")
        if not run.is_latest and target.latest_version not in {None, target.version} and marked_runs.is_foretold:
            shown = [(run.values.get(name), parts) for name, parts in marked_runs.templates.items()]
            is_other = not run.values or any(value != run.input.value.join(parts) for value, parts in shown)
            yield None if is_other else run.violation("version", f"{run.name} with a callback runs the latest version")


@rule(
    "REL-KEY-04",
    "No callback has the key in it.",
    says="The key goes to the service, in the header that the contract names. The callback is described without "
    "credentials, and its address is anybody's.",
    source=f"{CALLBACK}; https://spec.openapis.org/oas/v3.1.0#security-requirement-object",
    basis="documented",
    otherwise=NOT_COME,
)
def test_key_is_in_no_callback(called: Runs, marked_runs: MarkedRuns) -> Checks:
    keys = marked_runs.server.target.secrets.values()
    came = [(run, run.delivery) for run in called if run.delivery is not None]
    return (_check_secrets(run, delivery, keys) for run, delivery in came)


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


def _differing(run: MarkedRun) -> Iterator[Violation | None]:
    results = run.values
    for node, value in run.posted.items() if results else ():
        expected = [results[node]] if node in results else list(results.values())
        is_shown = any(same(value, one) for one in expected)
        told = f"the results show {expected[0]!r:.150}, the callback {value!r:.150}"
        yield (None if is_shown else run.violation("final_output", f"{node or 'the output'} of {run.name}: {told}"))


def _check_id(run: MarkedRun, body: bytes) -> Violation | None:
    found = _json(body)
    id_ = whole(found.get(ID)) if isinstance(found, dict) else None
    assert run.execution is not None
    return (
        None
        if id_ in {None, run.execution.id}
        else run.violation(ID, f"at the address of run {run.execution.id} alone came the callback of run {id_}")
    )


def _check_address(run: MarkedRun) -> Violation | None:
    assert run.delivery is not None
    return None if run.delivery.is_exact else run.violation("address", f"it was posted to {run.delivery.path}")


def _check_came(run: MarkedRun) -> Violation | None:
    polls = run.execution.polls if run.execution is not None else []
    had_ended = bool(polls) and polls[0].is_done
    if run.came_unasked or not had_ended:
        return None
    return run.violation(
        f"delivery of {run.name}", "it had ended, and no callback came until its results were asked for"
    )


def _check_repeated(run: MarkedRun, marked_runs: MarkedRuns) -> Violation | None:
    bodies = [_json(one.body) for one in marked_runs.server.listener.deliveries(run.url)]
    return (
        None
        if all(same(body, bodies[0]) for body in bodies)
        else run.violation("repeated", f"first it said {bodies[0]!r:.150}, then {bodies[-1]!r:.150}")
    )


def _check_secrets(run: MarkedRun, delivery: Delivery, keys: Iterable[str]) -> Violation | None:
    told = [delivery.body.decode("utf-8", "replace"), *delivery.headers.values()]
    is_told = any(key in text for key in keys for text in told)
    return run.violation("key", "the callback has the key in it") if is_told else None


def _json(body: bytes) -> Any:
    try:
        return read_json(body)
    except ValueError:
        return None
