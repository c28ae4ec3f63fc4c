"""Broken replies: what the caller gets when the contract is not kept."""

from collections.abc import Iterator

from contract_tests.client.findings import Findings
from contract_tests.client.outcome import Raised, Value, told
from contract_tests.client.trials import ReplyTrial, Trials
from contract_tests.openapi.document import Operation
from contract_tests.rules import EVERY_OPERATION, NotApplicable, Violation, rule

RESPONSES = "https://spec.openapis.org/oas/v3.1.1.html#responses-object"
KINDS = {"required": "missing", "type": "type", "anyOf": "type", "oneOf": "type"}
CONTENT = "https://spec.openapis.org/oas/v3.1.1.html#media-type-object"


def judge(findings: Findings, tried: list[ReplyTrial], nothing: str) -> Iterator[Violation]:
    """Demand that every broken reply ends in the client's own error, which keeps status and body."""
    if not tried:
        raise NotApplicable(nothing)
    for trial in tried:
        problem = _problem(trial)
        if problem is not None:
            about = trial.case.problem.constraint if trial.case.problem else trial.case.breach
            constraint = f"{trial.case.answer.status} {about}{problem[0]}"
            yield findings.of(
                constraint, f"{trial.case.answer.status}, {_broken(trial)}: {problem[1]}", played=trial.played
            )


def _problem(trial: ReplyTrial) -> tuple[str, str] | None:
    outcome, answer = trial.played.outcome, trial.case.answer
    if not isinstance(outcome, Raised) or not outcome.own:
        return "", told(outcome)
    if outcome.status != answer.status:
        return " status is kept", f"{outcome.type_name} says status {outcome.status}"
    if outcome.content != answer.body:
        return " response is kept", f"{outcome.type_name} does not keep the body that came"
    return None


def _broken(trial: ReplyTrial) -> str:
    problem = trial.case.problem
    return f"{problem.message} at {problem.at or 'the whole body'}" if problem else trial.case.breach


def whole(trials: Trials, operation: Operation, breach: str) -> list[ReplyTrial]:
    """Give the replies that are broken as a whole in one way."""
    return [trial for trial in trials.broken_replies(operation) if trial.case.breach.partition(":")[0] == breach]


def inside(trials: Trials, operation: Operation) -> dict[str, list[ReplyTrial]]:
    """Give the replies that break a constraint of their schema: ``missing``, ``type`` or ``limit``."""
    found: dict[str, list[ReplyTrial]] = {"missing": [], "type": [], "limit": []}
    for trial in whole(trials, operation, "schema"):
        assert trial.case.problem is not None
        found[KINDS.get(trial.case.problem.keyword, "limit")].append(trial)
    return found


@rule(
    "CL-BRK-01",
    "A response without a required property ends in the client's own error.",
    says="If something that the contract requires is missing, the caller gets an error with status and body.",
    source=RESPONSES,
    basis="documented",
    operations=EVERY_OPERATION,
    side="client",
)
def test_missing_members(trials: Trials, operation: Operation, findings: Findings) -> Iterator[Violation]:
    """No reply that lacks a required member becomes a value or a foreign exception."""
    yield from judge(findings, inside(trials, operation)["missing"], "the contract requires no member of a reply")


@rule(
    "CL-BRK-02",
    "A response of the wrong type ends in the client's own error.",
    says="A value of another type than the contract's is an error with status and body, never returned as valid.",
    source=RESPONSES,
    basis="documented",
    operations=EVERY_OPERATION,
    side="client",
)
def test_wrong_types_in_replies(trials: Trials, operation: Operation, findings: Findings) -> Iterator[Violation]:
    """No reply of another type becomes a value or a foreign exception."""
    yield from judge(findings, inside(trials, operation)["type"], "the contract allows any JSON in the replies")


@rule(
    "CL-BRK-03",
    "A response that is not JSON ends in the client's own error.",
    says="A proxy's HTML page, JSON followed by more text, and NaN are not JSON: an error with status and body.",
    source=CONTENT,
    basis="documented",
    operations=EVERY_OPERATION,
    side="client",
)
def test_not_json(trials: Trials, operation: Operation, findings: Findings) -> Iterator[Violation]:
    """No page and no text that is nearly JSON becomes a value or a foreign exception."""
    yield from judge(findings, whole(trials, operation, "not JSON"), "the contract documents no JSON reply")


@rule(
    "CL-BRK-04",
    "A response of another media type ends in the client's own error.",
    says="The contract says which media types a response has. Another one is an error with status and body.",
    source=CONTENT,
    basis="documented",
    operations=EVERY_OPERATION,
    side="client",
)
def test_other_media_type(trials: Trials, operation: Operation, findings: Findings) -> Iterator[Violation]:
    """No reply of another media type becomes a value or a foreign exception."""
    yield from judge(findings, whole(trials, operation, "media type"), "the contract documents no JSON reply")


@rule(
    "CL-BRK-05",
    "An empty response ends in the client's own error.",
    says="An empty body is not JSON: where the contract describes a body, its absence is an error with the status.",
    source=CONTENT,
    basis="documented",
    operations=EVERY_OPERATION,
    side="client",
)
def test_empty(trials: Trials, operation: Operation, findings: Findings) -> Iterator[Violation]:
    """No empty reply becomes a value or a foreign exception."""
    yield from judge(findings, whole(trials, operation, "empty"), "the contract documents no JSON reply")


@rule(
    "CL-BRK-06",
    "A truncated response ends in the client's own error.",
    says="JSON that stops in the middle is an error with status and body.",
    source=CONTENT,
    basis="documented",
    operations=EVERY_OPERATION,
    side="client",
)
def test_cut_json(trials: Trials, operation: Operation, findings: Findings) -> Iterator[Violation]:
    """No cut JSON becomes a value or a foreign exception."""
    yield from judge(findings, whole(trials, operation, "cut"), "no reply can be cut so that it is not JSON any more")


@rule(
    "CL-BRK-07",
    "A status that the contract does not know ends in the client's own error.",
    says="Nothing is documented about it: it is an error with status and body, also where it looks like success.",
    source=RESPONSES,
    basis="documented",
    operations=EVERY_OPERATION,
    side="client",
)
def test_undocumented_status(trials: Trials, operation: Operation, findings: Findings) -> Iterator[Violation]:
    """No undocumented status becomes a value or a foreign exception."""
    yield from judge(findings, whole(trials, operation, "status"), "the contract documents every status")


@rule(
    "CL-BRK-08",
    "A response outside a limit ends in the client's own error.",
    says="A value outside its limits is an error, for a client that reads as strictly as it writes.",
    source=RESPONSES,
    basis="inferred",
    operations=EVERY_OPERATION,
    side="client",
)
def test_limits_in_replies(trials: Trials, operation: Operation, findings: Findings) -> Iterator[Violation]:
    """No reply outside a limit becomes a value or a foreign exception."""
    yield from judge(findings, inside(trials, operation)["limit"], "the contract sets no limits in the replies")


@rule(
    "CL-BRK-09",
    "A very deeply nested response arrives or ends in the client's own error.",
    says="JSON has no limit of depth but every parser has one: the client raises its own error there.",
    source="https://www.rfc-editor.org/rfc/rfc8259#section-9",
    basis="inferred",
    operations=EVERY_OPERATION,
    side="client",
)
def test_deep_replies(trials: Trials, operation: Operation, findings: Findings) -> Iterator[Violation]:
    """Depth is no foreign exception; a legal reply may arrive, and brackets without end do not."""
    tried = trials.deep_replies(operation)
    if not tried:
        raise NotApplicable("the contract documents no JSON reply")
    for trial in tried:
        outcome, is_legal = trial.played.outcome, trial.case.breach == "deep and legal"
        is_right = is_legal and (isinstance(outcome, Value) or (isinstance(outcome, Raised) and outcome.own))
        if not is_right and (problem := _problem(trial)) is not None:
            yield findings.of(
                f"{trial.case.answer.status} {trial.case.breach}{problem[0]}", problem[1], played=trial.played
            )
