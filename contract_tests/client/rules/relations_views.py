"""Views of a client: what they are given is theirs alone."""

from collections.abc import Iterator
from functools import partial
from typing import Any, Final

from contract_tests.client import relations
from contract_tests.client.cards import operation_rule
from contract_tests.client.outcome import Unclaimed, describe
from contract_tests.client.relations import carried, core
from contract_tests.client.session import Trial
from contract_tests.client.trials import Trials
from contract_tests.http.body_kinds import request_media
from contract_tests.http.expected_parameters import decode, query_pairs
from contract_tests.http.recording_server import RecordedRequest
from contract_tests.openapi.json_text import is_json, json_or
from contract_tests.rules import NotApplicable, Violation

VIEW: Final = "X-Of-The-View"
BOTH: Final = 2  # requests: one of the view, one of the client
ADDED_QUERY: Final = {"x-added": "a b&c=d/é%41+"}
ADDED_BODY: Final = {"x_added": {"ä": [1, None, 0.5, True]}}
rule: Final = partial(operation_rule, source="the client's own documentation of views", basis="inferred")


@rule(
    "CL-REL-08",
    "Settings of a view are the view's alone.",
    says="Headers that are given for a view of a client are sent by that view, and by the client itself never.",
)
def test_views(trials: Trials) -> Iterator[Violation]:
    for mode in trials.modes():
        trial = _viewed(trials, mode, how="derived", given={"headers": {VIEW: "1"}})
        if len(trial.seen) != BOTH:
            yield trial.violation("sent", f"{len(trial.seen)} requests: {describe(trial.outcome)}")
            continue
        of_view, of_client = trial.seen
        if of_view.all(VIEW) != ["1"] or of_client.all(VIEW):
            yield trial.violation("headers", f"{of_view.all(VIEW)}, then {of_client.all(VIEW)}")
        if core(of_view) != core(of_client) or carried(trials, of_view) != carried(trials, of_client):
            yield trial.violation("request", "the view sends something else than the client")


def _viewed(trials: Trials, mode: str, task: str = "derived", **more: Any) -> Trial[Any]:
    """Return a call by a view that is given something, and one by the client itself."""
    if not any(case.is_success for case in trials.book.legal_replies(trials.operation)):
        raise NotApplicable("the contract describes no success of this operation")
    trial = trials.ask(task, mode, more=more)
    if isinstance(trial.outcome, Unclaimed):
        raise NotApplicable("the adapter does not offer such views of a client")
    return trial


@rule(
    "CL-REL-39",
    "What a view adds to a request is sent as it was given, and by that view alone.",
    says="Query parameters and properties of the body that the contract does not name come beside what the call gives.",
)
def test_views_that_add(trials: Trials) -> Iterator[Violation]:
    relations.representative(trials)
    media = request_media(trials.operation)
    takes_json = media is not None and is_json(media.media_type) and isinstance(trials.start.body, dict)
    body = ADDED_BODY if takes_json else {}
    for mode in trials.modes():
        trial = _viewed(trials, mode, how="extended", given={"query": ADDED_QUERY, "body": body})
        if len(trial.seen) != BOTH:
            yield trial.violation("sent", f"{len(trial.seen)} requests: {describe(trial.outcome)}")
            continue
        of_view, of_client = trial.seen
        if _pairs(of_view) != sorted([*_pairs(of_client), *ADDED_QUERY.items()]):
            yield trial.violation("query", of_view.target, f"{of_client.target} and {ADDED_QUERY}")
        if body and json_or(of_view.body, None) != json_or(of_client.body, {}) | body:
            yield trial.violation("body", f"{of_view.body[:200]!r}", f"{of_client.body[:200]!r} and {body}")


def _pairs(seen: RecordedRequest) -> list[tuple[str, str]]:
    return sorted((decode(name) or "", decode(value) or "") for name, value in query_pairs(seen.target))


@rule(
    "CL-REL-42",
    "Each start by a view that tags its starts has a tag of its own.",
    says="The tag is a new text in each request, which no other has; the client itself sends none.",
)
def test_views_that_tag(trials: Trials) -> Iterator[Violation]:
    if trials.operation.may_be_repeated:
        raise NotApplicable(f"{trials.operation.method} starts nothing")
    for mode in trials.modes():
        played = [_viewed(trials, mode, "tagged") for _ in range(2)]
        for trial in played:
            if len(trial.seen) != BOTH:
                yield trial.violation("sent", f"{len(trial.seen)} requests: {describe(trial.outcome)}")
        bodies = [[json_or(seen.body, None) for seen in trial.seen] for trial in played]
        tagged, plain = [body[0] for body in bodies if body], [body[-1] for body in bodies if body]
        if any(one == other for one, other in zip(tagged, [*plain[1:], *tagged[:1]], strict=False)):
            yield played[-1].violation("tag", "a start has no tag, or that of the start before")
        if plain[:1] != plain[-1:]:
            yield played[-1].violation("client", "the client itself sends a tag")
