"""Responses: what the caller gets of legal ones."""

import json
from collections.abc import Iterator
from functools import partial
from typing import Any, Final

from contract_tests.cases.responses import ReplyCase
from contract_tests.client.adapter import ABSENT
from contract_tests.client.cards import operation_rule
from contract_tests.client.outcome import Outcome, Raised, Value, describe
from contract_tests.client.session import Trial
from contract_tests.client.trials import Trials
from contract_tests.http.body_comparison import body_differences
from contract_tests.openapi.json_equality import differences
from contract_tests.openapi.schema import closest_schema
from contract_tests.openapi.text_equality import TIME
from contract_tests.rules import NotApplicable, Violation

RESPONSES = "https://spec.openapis.org/oas/v3.1.1.html#responses-object"
rule: Final = partial(operation_rule, source=RESPONSES, basis="documented")


def body_of(outcome: Outcome) -> Value | None:
    """Return the body as the caller has it, in a returned value or in the client's own error; None if it has none."""
    if isinstance(outcome, Raised):
        return outcome.body if outcome.own else None
    return outcome if isinstance(outcome, Value) else None


def returned_body(trial: Trial[ReplyCase]) -> Value | None:
    """Return the body as the caller has it; None if it is none of a success that was not returned, see CL-REP-01."""
    is_raised = trial.case.is_success and not isinstance(trial.outcome, Value)
    return None if is_raised else body_of(trial.outcome)


def body_violations(trials: Trials, trial: Trial[ReplyCase], focus: str = "") -> Iterator[Violation]:
    """Return where the caller does not have the body that was sent, type for type."""
    case, outcome = trial.case, trial.outcome
    status = f"{case.answer.status} "
    value = body_of(outcome)
    if value is None or value.foreign:
        kind = outcome.type_name if isinstance(outcome, Raised | Value) else type(outcome).__name__.lower()
        yield trial.violation(status + (focus or kind), describe(outcome))
    elif case.has_content:
        if value.content != case.answer.body:
            yield trial.violation(status + (focus or case.focus), f"a {value.type_name} with other bytes")
    elif case.has_value:
        for found in body_differences(trials.contract, case.schema or None, case.value, value.json):
            place = closest_schema(trials.contract, case.schema, found.place) if case.schema else case.focus
            yield trial.violation(status + (focus or place), found.received, found.documented)


@rule(
    "CL-REP-01",
    "Every valid success response arrives without loss.",
    says="The caller gets exactly the value that was sent: the same types, null as null, absent as absent.",
)
def test_success_is_lossless(trials: Trials) -> Iterator[Violation]:
    for trial in trials.legal_replies():
        outcome, status = trial.outcome, trial.case.answer.status
        if not trial.case.is_success:
            continue
        if isinstance(outcome, Raised):
            yield trial.violation(f"{status} {outcome.type_name}", describe(outcome))
        elif isinstance(outcome, Value) and outcome.status not in {None, status}:
            yield trial.violation(f"{status} status", f"status {outcome.status}")
        else:
            yield from body_violations(trials, trial)


@rule(
    "CL-REP-04",
    "Every documented error reaches the caller as one, with its status and its body.",
    says="An error ends in the client's own error, or a value that says so, with status and parsed body.",
)
def test_errors_are_told(trials: Trials) -> Iterator[Violation]:
    tried = [trial for trial in trials.legal_replies() if not trial.case.is_success]
    if not tried:
        raise NotApplicable("the contract documents no error of this operation")
    for trial in tried:
        outcome, status = trial.outcome, trial.case.answer.status
        told_status = outcome.status if isinstance(outcome, Raised | Value) else None
        if isinstance(outcome, Raised) and not outcome.own:
            yield trial.violation(f"{status} {outcome.type_name}", describe(outcome))
        elif told_status != status:
            received = f"{describe(outcome)}, which says status {told_status}"
            yield trial.violation(f"{status} status", received, f"status {status}")
        else:
            yield from body_violations(trials, trial)


@rule(
    "CL-REP-05",
    "Properties that the contract does not name survive.",
    says="An object is open unless the contract closes it: a property that is added tomorrow is kept and can be read.",
    source="https://json-schema.org/draft/2020-12/json-schema-core#section-10.3.2.3",
)
def test_unknown_members_survive(trials: Trials) -> Iterator[Violation]:
    yield from judge_growth(trials, "member")


@rule(
    "CL-REP-06",
    "Enum values that the contract does not list survive in responses.",
    says="A service has new enum values before its clients know them: an unknown one is returned as it is.",
    source="the contract's lists of words, each of which may grow",
    basis="inferred",
)
def test_unknown_words_survive(trials: Trials) -> Iterator[Violation]:
    yield from judge_growth(trials, "word")


def judge_growth(trials: Trials, kind: str) -> Iterator[Violation]:
    """Demand that what has grown in a response arrives, as the same type as before."""
    tried = [trial for trial in trials.extended_responses() if trial.case.focus.startswith(kind)]
    if not tried:
        raise NotApplicable(f"no reply of this operation can grow by a {kind}")
    before = {_key(trial): value.type_name for trial in trials.legal_replies() if (value := returned_body(trial))}
    for trial in tried:
        yield from body_violations(trials, trial, trial.case.focus)
        value, was = returned_body(trial), before.get(_key(trial, trial.case.grown_from))
        if value is not None and was is not None and value.type_name != was:
            constraint = f"{trial.case.answer.status} {trial.case.focus} type"
            yield trial.violation(constraint, f"{value.type_name}, which was a {was} before")


def _key(trial: Trial[ReplyCase], value: Any = ABSENT) -> tuple[int, str]:
    return trial.case.answer.status, json.dumps(trial.case.value if value is ABSENT else value, sort_keys=True)


@rule(
    "CL-REP-08",
    "A time arrives as it was written.",
    says="Leap seconds, nanoseconds and small letters are legal in RFC 3339: the caller can get at them.",
    source="https://www.rfc-editor.org/rfc/rfc3339#section-5.6",
    basis="inferred",
)
def test_times_keep_their_spelling(trials: Trials) -> Iterator[Violation]:
    read = [trial for trial in trials.legal_replies() if body_of(trial.outcome) is not None]
    timed = [trial for trial in read if TIME.search(json.dumps(trial.case.value))]
    tried = [trial for trial in (*trials.odd_replies(), *timed) if trial.case.is_success]
    if not tried:
        raise NotApplicable("no reply of this operation holds a time")
    for trial in tried:
        status, value = trial.case.answer.status, body_of(trial.outcome)
        if value is None or value.foreign:
            yield trial.violation(f"{status} {trial.case.focus}", describe(trial.outcome))
            continue
        for found in differences(trial.case.value, value.json):
            if isinstance(found.before, str) and TIME.fullmatch(found.before):
                constraint = closest_schema(trials.contract, trial.case.schema, found.place)
                yield trial.violation(f"{status} {constraint}", f"{found.after!r} for {found.before!r}")
