"""Arguments: what becomes of times, dates and ids for which Python has types of its own."""

from collections.abc import Iterator, Mapping
from typing import Any

from contract_tests.cases.case import RequestCase
from contract_tests.cases.python_values import IN_FREE_DATA, KINDS, is_same, with_python_values
from contract_tests.client.cards import operation_rule
from contract_tests.client.operation_info import base_path
from contract_tests.client.outcome import Unclaimed, describe
from contract_tests.client.trials import Trials
from contract_tests.http.expected_parameters import decode, path_values, query_pairs
from contract_tests.http.recording_server import RecordedRequest
from contract_tests.openapi.json_text import json_or
from contract_tests.rules import NotApplicable, Violation


@operation_rule(
    "CL-REQ-12",
    "Times, dates and ids of Python's own arrive as they are.",
    says="Where a client takes a datetime, a date or a UUID for a text, in a parameter or in free data, no part of it "
    "is lost: neither a fraction of a second nor the offset.",
    source="https://www.rfc-editor.org/rfc/rfc3339#section-5.6",
    basis="documented",
)
def test_python_values(trials: Trials) -> Iterator[Violation]:
    case = with_python_values(trials.outgoing, trials.fullest())
    if case is None:
        raise NotApplicable("neither a parameter nor a property of the body takes a time, a date or an id")
    for mode in trials.modes():
        answer = trials.success_for(case)
        trial = trials.session.play(case, case, [answer], mode, task="typed", more={"kinds": KINDS})
        if isinstance(trial.outcome, Unclaimed):
            raise NotApplicable(f"not claimed: {trial.outcome.reason}")
        if not trial.seen:
            yield trial.violation("sent", f"no request: {describe(trial.outcome)}")
            continue
        for name, text, got in (*_in_parameters(case, trial.seen[0]), *_in_body(case, trial.seen[0])):
            if not is_same(text, got):
                yield trial.violation(f"{KINDS[text]} in {name}", f"{got!r}", text)


def _in_parameters(case: RequestCase, seen: RecordedRequest) -> Iterator[tuple[str, str, Any]]:
    """Return of each parameter with such a text its name, that text, and what was sent."""
    sent: dict[str, Mapping[Any, Any]] = {
        "path": path_values(case.operation, base_path(case.operation), seen.target) or {},
        "query": {decode(name): decode(value) for name, value in query_pairs(seen.target)},
    }
    for location, values in sent.items():
        for name, text in case.values(location).items():
            if isinstance(text, str) and text in KINDS:
                yield name, text, values.get(name)


def _in_body(case: RequestCase, seen: RecordedRequest) -> Iterator[tuple[str, str, Any]]:
    for name, texts in _in_free_data(case.body):
        for text, got in zip(texts, _listed(seen, name, len(texts)), strict=True):
            yield name, text, got


def _in_free_data(body: Any) -> Iterator[tuple[str, list[str]]]:
    for name, member in body.items() if isinstance(body, dict) else ():
        if isinstance(member, dict) and IN_FREE_DATA in member:
            yield name, member[IN_FREE_DATA]


def _listed(seen: RecordedRequest, name: str, count: int) -> list[Any]:
    """Return the values of a property's list as they were sent; None for each that was not."""
    found = dict(_in_free_data(json_or(seen.body, None))).get(name)
    listed = found if isinstance(found, list) else []
    return [*listed, *[None] * count][:count]
