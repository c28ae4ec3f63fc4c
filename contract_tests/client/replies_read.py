"""Replies: what the caller gets of legal ones."""

from itertools import combinations

from contract_tests.client.body_judgement import body_differences
from contract_tests.client.findings import Findings
from contract_tests.client.outcome import Lost, Outcome, Raised, Unclaimed, Unwritable, Value, told
from contract_tests.client.reply_cases import ReplyCase
from contract_tests.client.reply_types import may_be_called, named_types
from contract_tests.client.schema_places import nearest
from contract_tests.client.trials import ReplyTrial, Trials
from contract_tests.contract import Operation
from contract_tests.rules import EVERY_OPERATION, NotApplicable, rule

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


def judge_body(trials: Trials, trial: ReplyTrial, findings: Findings, focus: str = "") -> None:
    """Demand that the caller has the body that was sent, type for type."""
    case, outcome = trial.case, trial.played.outcome
    status = f"{case.answer.status} "
    value = in_hand(outcome)
    if value is None or value.foreign:
        kind = outcome.type_name if isinstance(outcome, Raised | Value) else type(outcome).__name__.lower()
        findings.add(status + (focus or kind), told(outcome), played=trial.played)
    elif case.has_value:
        for difference in body_differences(trials.contract, case.schema, case.value, value.json):
            constraint = status + (focus or nearest(trials.contract, case.schema, difference.place))
            findings.add(constraint, difference.received, played=trial.played, documented=difference.documented)


@rule(
    "CL-REP-01",
    "Every legal reply of success arrives without loss.",
    says="The caller gets a value that is what was sent: type for type, null for null, absent for absent.",
    source=RESPONSES,
    basis="documented",
    operations=EVERY_OPERATION,
    side="client",
)
def test_success_is_lossless(trials: Trials, operation: Operation, findings: Findings) -> None:
    """A success is returned, never raised, and equals what was sent when made JSON again."""
    for trial in trials.legal_replies(operation):
        outcome, status = trial.played.outcome, trial.case.answer.status
        if not trial.case.is_success:
            continue
        if isinstance(outcome, Raised):
            findings.add(f"{status} {outcome.type_name}", told(outcome), played=trial.played)
        elif isinstance(outcome, Value) and outcome.status not in {None, status}:
            findings.add(f"{status} status", f"status {outcome.status}", played=trial.played)
        else:
            judge_body(trials, trial, findings)
    findings.report()


@rule(
    "CL-REP-02",
    "A reply that the contract names arrives as the type of that name.",
    says="A body that is a named object of the contract is an object of the class with that name.",
    source="https://spec.openapis.org/oas/v3.1.1.html#components-object",
    basis="inferred",
    operations=EVERY_OPERATION,
    side="client",
)
def test_named_types(trials: Trials, operation: Operation, findings: Findings) -> None:
    """The class of each body is one of those that the contract names for it."""
    is_claimed = False
    for trial in trials.legal_replies(operation):
        outcome, case = trial.played.outcome, trial.case
        if case.is_success and not isinstance(outcome, Value):
            continue  # not handed over at all, see CL-REP-01
        value = in_hand(outcome)
        names = named_types(trials.contract, case.schema, case.value) if case.has_value else None
        if names is None or value is None:
            continue
        is_claimed = True
        if not may_be_called(value.type_name, names):
            received = f"{value.type_name} for a reply {case.answer.status}"
            documented = " or ".join(sorted(names))
            constraint = f"{case.answer.status} {documented}"
            findings.add(constraint, received, played=trial.played, documented=documented)
    if not is_claimed:
        raise NotApplicable("no reply of this operation is a named object")
    findings.report()


@rule(
    "CL-REP-03",
    "Two statuses of success that mean different things are never of one type.",
    says="The contract names a body for each status, so that a caller can't take the one for the other.",
    source=RESPONSES,
    basis="documented",
    operations=EVERY_OPERATION,
    side="client",
)
def test_statuses_do_not_share_a_type(trials: Trials, operation: Operation, findings: Findings) -> None:
    """No class stands for two statuses whose bodies the contract tells apart."""
    types: dict[tuple[int, str], dict[str, ReplyTrial]] = {}
    for trial in trials.legal_replies(operation):
        outcome = trial.played.outcome
        if trial.case.is_success and isinstance(outcome, Value):
            key = trial.case.answer.status, trials.contract.follow(trial.case.schema) if trial.case.schema else ""
            types.setdefault(key, {}).setdefault(outcome.type_name, trial)
    pairs = [(one, other) for one, other in combinations(sorted(types), 2) if one[1] != other[1]]
    if not pairs:
        raise NotApplicable("the operation has no two statuses of success with different bodies")
    for one, other in pairs:
        for shared in sorted(types[one].keys() & types[other].keys()):
            received = f"{shared} for a reply {one[0]} and for a reply {other[0]}"
            findings.add(f"{one[0]} and {other[0]}", received, played=types[other][shared].played)
    findings.report()


@rule(
    "CL-REP-04",
    "Every documented error reaches the caller as one, with its status and its body.",
    says="An error ends in the client's own error, or a value that says so, with status and parsed body.",
    source=RESPONSES,
    basis="documented",
    operations=EVERY_OPERATION,
    side="client",
)
def test_errors_are_told(trials: Trials, operation: Operation, findings: Findings) -> None:
    """Status and body of each error are in the caller's hand, and it cannot be taken for a success."""
    tried = [trial for trial in trials.legal_replies(operation) if not trial.case.is_success]
    if not tried:
        raise NotApplicable("the contract documents no error of this operation")
    for trial in tried:
        outcome, status = trial.played.outcome, trial.case.answer.status
        if isinstance(outcome, Raised) and not outcome.own:
            findings.add(f"{status} {outcome.type_name}", told(outcome), played=trial.played)
            continue
        told_status = outcome.status if isinstance(outcome, Raised | Value) else None
        if told_status != status:
            received = f"{told(outcome)}, which says status {told_status}"
            findings.add(f"{status} status", received, played=trial.played, documented=f"status {status}")
        else:
            judge_body(trials, trial, findings)
    findings.report()


@rule(
    "CL-REP-05",
    "Members that the contract does not name survive.",
    says="An object is open unless the contract closes it: a member that is added tomorrow is kept and can be read.",
    source="https://json-schema.org/draft/2020-12/json-schema-core#section-10.3.2.3",
    basis="documented",
    operations=EVERY_OPERATION,
    side="client",
)
def test_unknown_members_survive(trials: Trials, operation: Operation, findings: Findings) -> None:
    """A body with a member more equals what was sent."""
    judge_growth(trials, operation, findings, "member")


@rule(
    "CL-REP-06",
    "Words that the contract does not list survive in replies.",
    says="A service learns new words before its clients do: an unknown word is handed over as it is.",
    source="the contract's lists of words, each of which may grow",
    basis="inferred",
    operations=EVERY_OPERATION,
    side="client",
)
def test_unknown_words_survive(trials: Trials, operation: Operation, findings: Findings) -> None:
    """A body with an unlisted word equals what was sent."""
    judge_growth(trials, operation, findings, "word")


def judge_growth(trials: Trials, operation: Operation, findings: Findings, kind: str) -> None:
    """Demand that what has grown in a reply arrives."""
    tried = [trial for trial in trials.grown_replies(operation) if _is_about(trial.case, kind)]
    if not tried:
        raise NotApplicable(f"no reply of this operation can grow by a {kind}")
    for trial in tried:
        judge_body(trials, trial, findings, trial.case.focus)
    findings.report()


def _is_about(case: ReplyCase, kind: str) -> bool:
    return case.focus.startswith(kind)
