"""PromptLayer: callbacks of runs in flight together, each of which is told of at an address of its own."""

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any, Final

import pytest

from contract_tests.http.callback_listener import Delivery
from contract_tests.openapi.json_text import read_json, same, whole
from contract_tests.rules import Checks, Violation
from contract_tests.rules import rule as card
from contract_tests.server.relations.marked_run import MarkedRun
from contract_tests.server.relations.marked_runs import MarkedRuns

PAGE: Final = "https://docs.promptlayer.com/reference/run-workflow"
CALLBACK: Final = f"{PAGE} (wording of 2025-11 to 2026-04)"
ID: Final = "workflow_version_execution_id"
NOT_COME: Final = "no callback came that could be read"
rule: Final = partial(
    card, operations=["runWorkflow"], side="server", requests=68, service="promptlayer", otherwise=NOT_COME
)
Runs = list[MarkedRun]


@pytest.fixture
def called(marked_runs: MarkedRuns) -> Runs:
    """Return the runs that were started and whose outcome is to be posted."""
    return [run for run in marked_runs.runs if run.execution is not None and run.url]


@rule(
    "REL-ECHO-03",
    "A callback shows what the results show.",
    says="The final output has the structure of the results. Whatever is in it, however much, is the same.",
    source=CALLBACK,
    basis="documented",
)
def test_callback_shows_the_input(called: Runs) -> Checks:
    return (found for run in called if run.posted for found in _differing(run))


@rule(
    "REL-CB-01",
    "A callback at an address is that of the run that named it.",
    says="The outcome of a run is posted to the address that it names.",
    source=CALLBACK,
    basis="documented",
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
)
def test_repeated_callback_is_the_same(called: Runs, marked_runs: MarkedRuns) -> Checks:
    return (_check_repeated(run, marked_runs) for run in called if run.delivery is not None)


@rule(
    "REL-CB-07",
    "A callback comes for every run that names an address, one that another run has named, too.",
    says="callback_url says where the outcome of this run is posted. Callers give all their runs the same one.",
    source=CALLBACK,
    basis="documented",
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
)
def test_key_is_in_no_callback(called: Runs, marked_runs: MarkedRuns) -> Checks:
    keys = marked_runs.server.target.secrets.values()
    came = [(run, run.delivery) for run in called if run.delivery is not None]
    return (_check_secrets(run, delivery, keys) for run, delivery in came)


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
