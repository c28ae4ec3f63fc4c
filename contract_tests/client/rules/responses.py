"""Replies: what the caller gets of legal ones."""

import json
from collections.abc import Iterator
from typing import Any

from contract_tests.cases.responses import ReplyCase
from contract_tests.client.adapter import ABSENT
from contract_tests.client.findings import Findings
from contract_tests.client.outcome import Lost, Outcome, Raised, Unclaimed, Unwritable, Value, told
from contract_tests.client.trials import ReplyTrial, Trials
from contract_tests.http.body_comparison import body_differences
from contract_tests.openapi.document import Operation
from contract_tests.openapi.json_equality import differences
from contract_tests.openapi.schema_locations import closest_schema
from contract_tests.openapi.text_equality import TIME
from contract_tests.rules import EVERY_OPERATION, NotApplicable, Violation, rule

RESPONSES = "https://spec.openapis.org/oas/v3.1.1.html#responses-object"


def in_hand(outcome: Outcome) -> Value | None:
    """Give the body as the caller has it, in a returned value or in the client's own error; None if it has none."""
    match outcome:
        case Value():
            return outcome
        case Raised(own=True):
            return outcome.body
        case Raised() | Unwritable() | Unclaimed() | Lost():
            return None


def handed_over(trial: ReplyTrial) -> Value | None:
    """Give the body as the caller has it; None if it is none of a success that was not returned."""
    outcome = trial.played.outcome
    if trial.case.is_success and not isinstance(outcome, Value):
        return None  # not handed over at all, see CL-REP-01
    return in_hand(outcome)


def judge_body(trials: Trials, trial: ReplyTrial, findings: Findings, focus: str = "") -> Iterator[Violation]:
    """Demand that the caller has the body that was sent, type for type."""
    case, outcome = trial.case, trial.played.outcome
    status = f"{case.answer.status} "
    value = in_hand(outcome)
    if value is None or value.foreign:
        kind = outcome.type_name if isinstance(outcome, Raised | Value) else type(outcome).__name__.lower()
        yield findings.of(status + (focus or kind), told(outcome), played=trial.played)
    elif case.has_content:
        if value.content != case.answer.body:
            yield findings.of(
                status + (focus or case.focus), f"a {value.type_name} with other bytes", played=trial.played
            )
    elif case.has_value:
        for difference in body_differences(trials.contract, case.schema or None, case.value, value.json):
            constraint = status + (
                focus or (closest_schema(trials.contract, case.schema, difference.place) if case.schema else case.focus)
            )
            yield findings.of(constraint, difference.received, played=trial.played, documented=difference.documented)


@rule(
    "CL-REP-01",
    "Every valid success response arrives without loss.",
    says="The caller gets exactly the value that was sent: the same types, null as null, absent as absent.",
    source=RESPONSES,
    basis="documented",
    operations=EVERY_OPERATION,
    side="client",
)
def test_success_is_lossless(trials: Trials, operation: Operation, findings: Findings) -> Iterator[Violation]:
    """A success is returned, never raised, and equals what was sent when made JSON again."""
    for trial in trials.legal_replies(operation):
        outcome, status = trial.played.outcome, trial.case.answer.status
        if not trial.case.is_success:
            continue
        if isinstance(outcome, Raised):
            yield findings.of(f"{status} {outcome.type_name}", told(outcome), played=trial.played)
        elif isinstance(outcome, Value) and outcome.status not in {None, status}:
            yield findings.of(f"{status} status", f"status {outcome.status}", played=trial.played)
        else:
            yield from judge_body(trials, trial, findings)


@rule(
    "CL-REP-04",
    "Every documented error reaches the caller as one, with its status and its body.",
    says="An error ends in the client's own error, or a value that says so, with status and parsed body.",
    source=RESPONSES,
    basis="documented",
    operations=EVERY_OPERATION,
    side="client",
)
def test_errors_are_told(trials: Trials, operation: Operation, findings: Findings) -> Iterator[Violation]:
    """Status and body of each error are in the caller's hand, and it cannot be taken for a success."""
    tried = [trial for trial in trials.legal_replies(operation) if not trial.case.is_success]
    if not tried:
        raise NotApplicable("the contract documents no error of this operation")
    for trial in tried:
        outcome, status = trial.played.outcome, trial.case.answer.status
        if isinstance(outcome, Raised) and not outcome.own:
            yield findings.of(f"{status} {outcome.type_name}", told(outcome), played=trial.played)
            continue
        told_status = outcome.status if isinstance(outcome, Raised | Value) else None
        if told_status != status:
            received = f"{told(outcome)}, which says status {told_status}"
            yield findings.of(f"{status} status", received, played=trial.played, documented=f"status {status}")
        else:
            yield from judge_body(trials, trial, findings)


@rule(
    "CL-REP-05",
    "Properties that the contract does not name survive.",
    says="An object is open unless the contract closes it: a property that is added tomorrow is kept and can be read.",
    source="https://json-schema.org/draft/2020-12/json-schema-core#section-10.3.2.3",
    basis="documented",
    operations=EVERY_OPERATION,
    side="client",
)
def test_unknown_members_survive(trials: Trials, operation: Operation, findings: Findings) -> Iterator[Violation]:
    """A body with a member more equals what was sent."""
    yield from judge_growth(trials, operation, findings, "member")


@rule(
    "CL-REP-06",
    "Enum values that the contract does not list survive in responses.",
    says="A service has new enum values before its clients know them: an unknown one is returned as it is.",
    source="the contract's lists of words, each of which may grow",
    basis="inferred",
    operations=EVERY_OPERATION,
    side="client",
)
def test_unknown_words_survive(trials: Trials, operation: Operation, findings: Findings) -> Iterator[Violation]:
    """A body with an unlisted word equals what was sent."""
    yield from judge_growth(trials, operation, findings, "word")


def judge_growth(trials: Trials, operation: Operation, findings: Findings, kind: str) -> Iterator[Violation]:
    """Demand that what has grown in a reply arrives, as the same type as before."""
    tried = [trial for trial in trials.extended_responses(operation) if _is_about(trial.case, kind)]
    if not tried:
        raise NotApplicable(f"no reply of this operation can grow by a {kind}")
    before = {
        _key(trial): value.type_name for trial in trials.legal_replies(operation) if (value := handed_over(trial))
    }
    for trial in tried:
        yield from judge_body(trials, trial, findings, trial.case.focus)
        value, was = handed_over(trial), before.get(_key(trial, trial.case.grown_from))
        if value is not None and was is not None and value.type_name != was:
            constraint = f"{trial.case.answer.status} {trial.case.focus} type"
            yield findings.of(constraint, f"{value.type_name}, which was a {was} before", played=trial.played)


def _key(trial: ReplyTrial, value: Any = ABSENT) -> tuple[int, str]:
    return trial.case.answer.status, json.dumps(trial.case.value if value is ABSENT else value, sort_keys=True)


def _is_about(case: ReplyCase, kind: str) -> bool:
    return case.focus.startswith(kind)


@rule(
    "CL-REP-08",
    "A time arrives as it was written.",
    says="Leap seconds, nanoseconds and small letters are legal in RFC 3339: the caller can get at them.",
    source="https://www.rfc-editor.org/rfc/rfc3339#section-5.6",
    basis="inferred",
    operations=EVERY_OPERATION,
    side="client",
)
def test_times_keep_their_spelling(trials: Trials, operation: Operation, findings: Findings) -> Iterator[Violation]:
    """A text of a reply that is a time is the same text when made JSON again."""
    tried = [trial for trial in (*trials.odd_replies(operation), *_timed(trials, operation)) if trial.case.is_success]
    if not tried:
        raise NotApplicable("no reply of this operation holds a time")
    for trial in tried:
        outcome, status = trial.played.outcome, trial.case.answer.status
        value = in_hand(outcome)
        if value is None or value.foreign:
            yield findings.of(f"{status} {trial.case.focus}", told(outcome), played=trial.played)
            continue
        for difference in differences(trial.case.value, value.json):
            if isinstance(difference.before, str) and TIME.fullmatch(difference.before):
                received = f"{difference.after!r} for {difference.before!r}"
                constraint = closest_schema(trials.contract, trial.case.schema, difference.place)
                yield findings.of(f"{status} {constraint}", received, played=trial.played)


def _timed(trials: Trials, operation: Operation) -> list[ReplyTrial]:
    replies = [trial for trial in trials.legal_replies(operation) if in_hand(trial.played.outcome) is not None]
    return [trial for trial in replies if TIME.search(json.dumps(trial.case.value))]
