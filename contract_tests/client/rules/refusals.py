"""Refusals: what the client does not send."""

from collections.abc import Iterator

from contract_tests.client.findings import Findings
from contract_tests.client.outcome import Outcome, Raised, Unwritable, told
from contract_tests.client.trials import RequestTrial, Trials
from contract_tests.openapi.document import Operation
from contract_tests.rules import EVERY_OPERATION, NotApplicable, Violation, rule, shown

VALIDATION = "https://json-schema.org/draft/2020-12/json-schema-validation"
CORE = "https://json-schema.org/draft/2020-12/json-schema-core"


def judge(trials: Trials, operation: Operation, findings: Findings, *keywords: str) -> Iterator[Violation]:
    """Demand that every request that breaks one of these keywords is refused, and by the client itself."""
    tried = [trial for trial in trials.broken_requests(operation) if _keyword(trial) in keywords]
    if not tried:
        raise NotApplicable(f"the contract says nothing of this kind about the request ({', '.join(keywords)})")
    for trial in tried:
        assert trial.breach is not None
        refused = f"{shown(trial.breach.message, 120)} at {trial.breach.at or 'the whole body'}"
        outcome = trial.played.outcome
        if trial.played.seen:
            seen = trial.played.seen[0]
            received = (
                f"{refused}: sent all the same as {seen.method} {seen.target} {seen.body.decode('utf-8', 'replace')}"
            )
            yield findings.of(trial.breach.constraint, received, played=trial.played)
        elif not is_refusal(outcome):
            yield findings.of(
                f"{trial.breach.constraint} own error", f"{refused}: {told(outcome)}", played=trial.played
            )


def is_refusal(outcome: Outcome) -> bool:
    """Whether the client's interface or one of the exceptions that are for it has stopped a call."""
    return isinstance(outcome, Unwritable) or (isinstance(outcome, Raised) and outcome.refuses)


def _keyword(trial: RequestTrial) -> str:
    return trial.breach.keyword if trial.breach else ""


@rule(
    "CL-REF-01",
    "A value of the wrong type is refused.",
    says="Arguments of another type are refused before anything is sent, by the client's own error.",
    source=f"{VALIDATION}#section-6.1.1",
    basis="documented",
    operations=EVERY_OPERATION,
    side="client",
)
def test_wrong_types(trials: Trials, operation: Operation, findings: Findings) -> Iterator[Violation]:
    """Nothing of a wrong type is sent."""
    yield from judge(trials, operation, findings, "type")


@rule(
    "CL-REF-02",
    "A value that the enum does not list is refused.",
    says="Where the contract lists all enum values, another one is refused before anything is sent.",
    source=f"{VALIDATION}#section-6.1.2",
    basis="documented",
    operations=EVERY_OPERATION,
    side="client",
)
def test_unlisted_words(trials: Trials, operation: Operation, findings: Findings) -> Iterator[Violation]:
    """No unlisted word is sent."""
    yield from judge(trials, operation, findings, "enum", "const")


@rule(
    "CL-REF-03",
    "A text outside its limits is refused.",
    says="A text that is too short, too long or breaks its pattern is refused before anything is sent.",
    source=f"{VALIDATION}#section-6.3",
    basis="documented",
    operations=EVERY_OPERATION,
    side="client",
)
def test_limits_of_texts(trials: Trials, operation: Operation, findings: Findings) -> Iterator[Violation]:
    """No text outside its limits is sent."""
    yield from judge(trials, operation, findings, "pattern", "minLength", "maxLength")


@rule(
    "CL-REF-04",
    "A number outside its limits is refused.",
    says="A number below its minimum, above its maximum or off its steps is refused before anything is sent.",
    source=f"{VALIDATION}#section-6.2",
    basis="documented",
    operations=EVERY_OPERATION,
    side="client",
)
def test_limits_of_numbers(trials: Trials, operation: Operation, findings: Findings) -> Iterator[Violation]:
    """No number outside its limits is sent."""
    yield from judge(
        trials, operation, findings, "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"
    )


@rule(
    "CL-REF-05",
    "A request without something that is required is refused.",
    says="What is required is demanded by the call's signature or by a check before anything is sent.",
    source=f"{VALIDATION}#section-6.5.3",
    basis="documented",
    operations=EVERY_OPERATION,
    side="client",
)
def test_missing(trials: Trials, operation: Operation, findings: Findings) -> Iterator[Violation]:
    """Nothing is sent without what is required."""
    yield from judge(trials, operation, findings, "required", "dependentRequired", "minProperties")


@rule(
    "CL-REF-06",
    "What the contract excludes is refused.",
    says="Members that exclude one another, or fit none of the allowed forms, are refused before anything is sent.",
    source=f"{CORE}#section-10.2.1",
    basis="documented",
    operations=EVERY_OPERATION,
    side="client",
)
def test_exclusions(trials: Trials, operation: Operation, findings: Findings) -> Iterator[Violation]:
    """Nothing excluded is sent."""
    yield from judge(trials, operation, findings, "not", "oneOf", "anyOf", "if", "then", "else", "additionalProperties")


@rule(
    "CL-REF-07",
    "A list or an object outside its limits is refused.",
    says="A list or object with too few, too many or repeated entries is refused before anything is sent.",
    source=f"{VALIDATION}#section-6.4",
    basis="documented",
    operations=EVERY_OPERATION,
    side="client",
)
def test_limits_of_containers(trials: Trials, operation: Operation, findings: Findings) -> Iterator[Violation]:
    """No list and no object outside its limits is sent."""
    yield from judge(
        trials, operation, findings, "minItems", "maxItems", "uniqueItems", "maxProperties", "propertyNames", "contains"
    )


@rule(
    "CL-REF-08",
    "A text that does not have its format is refused.",
    says="A format is a remark in JSON Schema; a client that reads it spares the caller a refusal by the server.",
    source=f"{VALIDATION}#section-7",
    basis="inferred",
    operations=EVERY_OPERATION,
    side="client",
)
def test_formats(trials: Trials, operation: Operation, findings: Findings) -> Iterator[Violation]:
    """Nothing of another format is sent."""
    yield from judge(trials, operation, findings, "format")


@rule(
    "CL-REF-09",
    "A number that JSON does not have is refused.",
    says="Not-a-number and infinity have no form in JSON: such an argument is refused before anything is sent.",
    source="https://www.rfc-editor.org/rfc/rfc8259#section-6",
    basis="documented",
    operations=EVERY_OPERATION,
    side="client",
)
def test_odd_numbers(trials: Trials, operation: Operation, findings: Findings) -> Iterator[Violation]:
    """Nothing is sent for an argument that is or holds not-a-number or infinity."""
    tried = trials.odd_numbers(operation)
    if not tried:
        raise NotApplicable("no argument of this operation is or holds a number of any kind")
    for trial in tried:
        if trial.played.seen:
            seen = trial.played.seen[0]
            received = f"sent all the same as {seen.method} {seen.target} {seen.body.decode('utf-8', 'replace')}"
            yield findings.of(trial.about, received, played=trial.played)
        elif not is_refusal(trial.played.outcome):
            yield findings.of(f"{trial.about} own error", told(trial.played.outcome), played=trial.played)


@rule(
    "CL-REF-10",
    "A refusal is one of the client's own errors.",
    says="Who catches the errors that a client documents has caught its refusals of arguments as well.",
    source="the client's own documentation of its errors",
    basis="inferred",
    operations=EVERY_OPERATION,
    side="client",
)
def test_refusals_are_own_errors(trials: Trials, operation: Operation, findings: Findings) -> Iterator[Violation]:
    """No foreign exception comes of an argument that the contract does not allow."""
    tried = [(trial.breach.constraint, trial.played) for trial in trials.broken_requests(operation) if trial.breach]
    tried += [(trial.about, trial.played) for trial in trials.odd_numbers(operation)]
    if not tried:
        raise NotApplicable("the contract says nothing about the arguments")
    for constraint, played in tried:
        if isinstance(played.outcome, Raised) and not played.outcome.own and not played.seen:
            yield findings.of(constraint, told(played.outcome), played=played)
