"""Listeners: what a client that listens on a socket makes of what is posted to it there."""

import base64
import itertools
import json
import time
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Final

from contract_tests.cases.boundary_values import with_empty_values
from contract_tests.cases.deliveries import Post
from contract_tests.client.cards import client_rule
from contract_tests.client.delivery_trials import DeliveryTrials
from contract_tests.client.driver.listening import SECONDS
from contract_tests.client.rules.webhooks import CALLBACKS, TAKEN, each_delivery
from contract_tests.openapi.json_text import canonical
from contract_tests.rules import NotApplicable, Violation

MOST, MOST_SILENT, FORMS = 40, 2, 2
WAYS: Final[Mapping[str, Mapping[str, Any]]] = {
    "whole": {},
    "head and body": {"pieces": 2},
    "pieces": {"pieces": 9},
    "chunks": {"chunked": True},
    "chunks in pieces": {"chunked": True, "pieces": 9},
    "chunks with sizes in capitals": {"chunked": True, "size_form": "{:04X}"},
    "chunks with extensions": {"chunked": True, "size_form": "{:x};name=value"},
    "after 100 Continue": {"expects": True, "pieces": 2},
}
rule: Final = partial(client_rule, source=CALLBACKS, basis="inferred")
Step = dict[str, Any]


def posted(*values: Any, **way: Any) -> Step:
    """Return a step: deliveries of these at the same time."""
    return {"posts": [{"content": base64.b64encode(json.dumps(value).encode()).decode(), **way} for value in values]}


def given_back(trials: DeliveryTrials) -> Iterator[Any]:
    """Return deliveries of which a listener gives back just what was posted: not so those of runs that have failed."""
    silent = 0
    for value in [post.value for post in trials.legal_posts() if _is_whole(post)][:MOST]:
        started = time.monotonic()
        if _is_given(value, trials.listened(posted(value), {"value": value})[-1]):
            yield value
        elif time.monotonic() - started >= SECONDS:
            silent += 1
        if silent == MOST_SILENT:
            return


def two_runs(trials: DeliveryTrials) -> tuple[Any, Any]:
    """Return two of them that share no value."""
    whole: list[Any] = []
    for one in given_back(trials):
        for other in whole:
            if all(canonical(one[name]) != canonical(other[name]) for name in one.keys() & other.keys()):
                return other, one
        whole.append(one)
    raise NotApplicable("no two deliveries that differ in all they have are given back as they were posted")


def _is_whole(post: Post) -> bool:
    return isinstance(post.value, dict)


def _is_given(value: Any, step: Mapping[str, Any]) -> bool:
    return "json" in step and canonical(step["json"]) == canonical(value)


def _unlike(trials: DeliveryTrials, about: str, value: Any, step: Mapping[str, Any]) -> Iterator[Violation]:
    if not _is_given(value, step):
        received = step.get("text", "another outcome than was posted")
        yield Violation(received, f"{trials.delivery.name} {about}", "what was posted of the run")


@rule(
    "CL-CB-11",
    "A listener takes a delivery however it comes over the wire.",
    says="Head and body may come apart, in pieces and in chunks, after the interim response that a sender waits for, "
    "and before anybody waits for the run.",
    source="https://www.rfc-editor.org/rfc/rfc9112#section-6",
    basis="documented",
)
@each_delivery
def test_ways_of_the_wire(trials: DeliveryTrials) -> Iterator[Violation]:
    value = next(given_back(trials), None)
    if value is None:
        yield Violation("no delivery is given back", f"{trials.delivery.name} whole", "what was posted of the run")
        return
    for about, way in WAYS.items():
        taken, waited = trials.listened(posted(value, **way), {"value": value})
        if taken["statuses"][0] not in TAKEN:
            yield Violation(f"answered {taken['statuses']}", f"{trials.delivery.name} {about} status", "success")
        yield from _unlike(trials, about, value, waited)


@rule(
    "CL-CB-12",
    "Whoever waits for a run at a listener gets that run's outcome.",
    says="Deliveries come in any order, at the same time and again: each run has its own outcome, however often asked.",
)
@each_delivery
def test_own_outcomes(trials: DeliveryTrials) -> Iterator[Violation]:
    one, other = two_runs(trials)
    orders = {
        "other order": [posted(other), posted(one)],
        "at once": [posted(one, other, one, other)],
    }
    for about, posts in orders.items():
        asked = [one, other, one]
        steps = trials.listened(*posts, *({"value": value} for value in asked))[len(posts) :]
        for value, step in zip(asked, steps, strict=True):
            yield from _unlike(trials, about, value, step)


@rule(
    "CL-CB-13",
    "A run's outcome at a listener stays what it was told first.",
    says="A repeated delivery for the same run is the same one: it changes nothing.",
)
@each_delivery
def test_first_outcome_stays(trials: DeliveryTrials) -> Iterator[Violation]:
    one, other = two_runs(trials)
    required = trials.contract.at(trials.contract.follow(trials.schema)).get("required", ())
    again = {**other, **{name: one[name] for name in required}}
    if canonical(again) == canonical(one):
        raise NotApplicable("two deliveries about one run can't differ")
    step = trials.listened(posted(one), posted(again), {"value": one})[-1]
    yield from _unlike(trials, "again", one, step)


@rule(
    "CL-CB-14",
    "An output that is nothing is given back like any other.",
    says="Where any value may stand, null, false, 0 and empty ones are outcomes too, and no sign of a failure.",
    source="https://json-schema.org/draft/2020-12/json-schema-core#section-4.3.1",
    basis="documented",
)
@each_delivery
def test_empty_outcomes(trials: DeliveryTrials) -> Iterator[Violation]:
    values = itertools.islice(given_back(trials), FORMS)
    emptied = [one for value in values for one in with_empty_values(trials.contract, trials.schema, value)]
    if not emptied:
        raise NotApplicable("no place in these deliveries takes any value")
    for value, empty in emptied:
        step = trials.listened(posted(value), {"value": value})[-1]
        yield from _unlike(trials, f"with {json.dumps(empty)}", value, step)
