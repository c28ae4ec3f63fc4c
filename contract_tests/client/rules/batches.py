"""Batches: what becomes of the items of a list of starts that is broken off, changed or gone on with."""

from collections.abc import Iterator
from functools import partial
from typing import Any, Final

from contract_tests.client.batch_stories import MANY, TWO, BatchTrial, batches, killed
from contract_tests.client.cards import operation_rule
from contract_tests.client.outcome import Raised, describe
from contract_tests.client.trials import Trials
from contract_tests.rules import Violation

OWN: Final = "the client's own documentation of its batches"
rule: Final = partial(operation_rule, source=OWN, basis="documented")


def _is_refused(outcome: Any) -> bool:
    return isinstance(outcome, Raised) and outcome.own


def _starts(trial: BatchTrial) -> str:
    return f"{trial.service.most_starts} starts of one item, {len(trial.service.starts)} of all"


@rule(
    "CL-BAT-01",
    "Each item of a batch is started at most once.",
    says="Neither a start without a response nor a process that was killed has an item started again by itself.",
)
def test_items_are_started_once(trials: Trials) -> Iterator[Violation]:
    for trial in (*batches(trials)["lost start"], *killed(trials)):
        if trial.service.most_starts > 1:
            yield trial.violation(trial.case, _starts(trial), "at most one of each")


@rule(
    "CL-BAT-02",
    "A batch that is gone on with comes to the end of what was begun.",
    says="A run that has not ended in time, or whose process was killed, is waited for again, and what is new is "
    "started.",
)
def test_batches_go_on(trials: Trials) -> Iterator[Violation]:
    for trial in batches(trials)["late run"]:
        if trial.states(0) != ["goes on"]:
            yield trial.violation("first go", f"{trial.states(0) or describe(trial.goes[0])}", "the run goes on")
        elif trial.states(1) != ["ended"]:
            yield trial.violation("second go", f"{trial.states(1) or describe(trial.goes[1])}", "the run has ended")
        elif trial.service.most_starts > 1:
            yield trial.violation("starts", _starts(trial), "one")
    for trial in killed(trials):
        marks = {mark for mark, _ in trial.service.starts}
        if marks != {"one", "two"}:
            yield trial.violation(f"{trial.case} rest", f"items {sorted(marks)} were started", "each of two items")
        if "question" in trial.case and (trial.states(1) or [])[:1] != ["ended"]:
            received = f"{trial.states(1) or describe(trial.goes[1])}"
            yield trial.violation(f"{trial.case} end", received, "the run whose id was there has ended")


@rule(
    "CL-BAT-03",
    "No more items of a batch are under way than were asked for.",
    says="A service that is asked for a few things at a time is not flooded.",
)
def test_items_at_once(trials: Trials) -> Iterator[Violation]:
    for trial in batches(trials)["many"]:
        if trial.service.most_at_once > TWO:
            yield trial.violation("at once", f"{trial.service.most_at_once} starts at once", f"{TWO}")
        if trial.states(0) != ["ended"] * MANY:
            yield trial.violation("all", f"{trial.states(0) or describe(trial.goes[0])}", "all items have ended")


@rule(
    "CL-BAT-04",
    "Two batches at the same time do not share what they have begun.",
    says="The second one with the same file is refused, or leaves alone what the first one has under way.",
)
def test_two_batches(trials: Trials) -> Iterator[Violation]:
    for trial in batches(trials)["two batches"]:
        states = [state for go in range(2) for state in trial.states(go) or ()]
        if trial.service.most_starts > 1 or "in doubt" in states:
            yield trial.violation("items", f"{_starts(trial)}, states {states}", "each item once, none in doubt")
        for outcome in trial.goes:
            if isinstance(outcome, Raised) and not outcome.own:
                yield trial.violation("error", describe(outcome), "an error of the client's own")


@rule(
    "CL-BAT-05",
    "What a batch remembers is of the items that it was given.",
    says="An item with other arguments is not taken for the one that stood there: it is refused, or started. One that "
    "is added at the end is started, and no other with it.",
)
def test_changed_lists(trials: Trials) -> Iterator[Violation]:
    for trial in (*batches(trials)["changed item"], *batches(trials)["added item"]):
        marks = [mark for mark, _ in trial.service.starts]
        if trial.case == "added item" and marks != ["one", "two"]:
            yield trial.violation(trial.case, f"items {marks} were started", "one, then the one that was added")
        if trial.case == "changed item" and not (_is_refused(trial.goes[1]) or marks == ["one", "other"]):
            received = f"{trial.states(1) or describe(trial.goes[1])}; items {marks} were started"
            yield trial.violation(trial.case, received, "an error, or a start of the changed item")
