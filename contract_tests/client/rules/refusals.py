"""Refusals: what the client does not send."""

from collections.abc import Callable, Iterator

from contract_tests.cases.case import RequestCase
from contract_tests.client.cards import operation_rule
from contract_tests.client.outcome import Raised, Unwritable, describe
from contract_tests.client.session import Trial
from contract_tests.client.trials import Trials
from contract_tests.rules import NotApplicable, Violation, shown

VALIDATION = "https://json-schema.org/draft/2020-12/json-schema-validation"
CORE = "https://json-schema.org/draft/2020-12/json-schema-core"


def refused(
    rule_id: str, title: str, *keywords: str, says: str, source: str, basis: str = "documented"
) -> Callable[[Trials], Iterator[Violation]]:
    """Return a rule: every request that breaks one of these keywords is refused, and by the client itself."""

    @operation_rule(rule_id, title, says=says, source=source, basis=basis)
    def check(trials: Trials) -> Iterator[Violation]:
        tried = [(trial, found) for trial in trials.broken_requests() if (found := trial.case.breach)]
        tried = [(trial, breach) for trial, breach in tried if breach.keyword in keywords]
        if not tried:
            raise NotApplicable(f"the contract says nothing of this kind about the request ({', '.join(keywords)})")
        for trial, breach in tried:
            about = f"{shown(breach.message, 120)} at {breach.at or 'the whole body'}: "
            yield from not_refused(trial, breach.constraint, about)

    return check


def not_refused(trial: Trial[RequestCase], constraint: str, about: str = "") -> Iterator[Violation]:
    """Return what is wrong if neither the client's interface nor one of the exceptions for it has stopped a call."""
    outcome = trial.outcome
    if trial.seen:
        seen = trial.seen[0]
        body = seen.body.decode("utf-8", "replace")
        yield trial.violation(constraint, f"{about}sent all the same as {seen.method} {seen.target} {body}")
    elif not (isinstance(outcome, Unwritable) or (isinstance(outcome, Raised) and outcome.refuses)):
        yield trial.violation(f"{constraint} own error", about + describe(outcome))


test_wrong_types = refused(
    "CL-REF-01",
    "A value of the wrong type is refused.",
    "type",
    says="Arguments of another type are refused before anything is sent, by the client's own error.",
    source=f"{VALIDATION}#section-6.1.1",
)
test_unlisted_enum_values = refused(
    "CL-REF-02",
    "A value that the enum does not list is refused.",
    *("enum", "const"),
    says="Where the contract lists all enum values, another one is refused before anything is sent.",
    source=f"{VALIDATION}#section-6.1.2",
)
test_limits_of_texts = refused(
    "CL-REF-03",
    "A text outside its limits is refused.",
    *("pattern", "minLength", "maxLength"),
    says="A text that is too short, too long or breaks its pattern is refused before anything is sent.",
    source=f"{VALIDATION}#section-6.3",
)
test_limits_of_numbers = refused(
    "CL-REF-04",
    "A number outside its limits is refused.",
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    says="A number below its minimum, above its maximum or off its steps is refused before anything is sent.",
    source=f"{VALIDATION}#section-6.2",
)
test_missing = refused(
    "CL-REF-05",
    "A request without something that is required is refused.",
    *("required", "dependentRequired", "minProperties"),
    says="What is required is demanded by the call's signature or by a check before anything is sent.",
    source=f"{VALIDATION}#section-6.5.3",
)
test_exclusions = refused(
    "CL-REF-06",
    "What the contract excludes is refused.",
    *("not", "oneOf", "anyOf", "if", "then", "else", "additionalProperties"),
    says="Members that exclude one another, or fit none of the allowed forms, are refused before anything is sent.",
    source=f"{CORE}#section-10.2.1",
)
test_limits_of_containers = refused(
    "CL-REF-07",
    "A list or an object outside its limits is refused.",
    *("minItems", "maxItems", "uniqueItems", "maxProperties", "propertyNames", "contains"),
    says="A list or object with too few, too many or repeated entries is refused before anything is sent.",
    source=f"{VALIDATION}#section-6.4",
)
test_formats = refused(
    "CL-REF-08",
    "A text that does not have its format is refused.",
    "format",
    says="A format is a remark in JSON Schema; a client that reads it spares the caller a refusal by the server.",
    source=f"{VALIDATION}#section-7",
    basis="inferred",
)


@operation_rule(
    "CL-REF-09",
    "A number that JSON does not have is refused.",
    says="Not-a-number and infinity have no form in JSON: such an argument is refused before anything is sent.",
    source="https://www.rfc-editor.org/rfc/rfc8259#section-6",
    basis="documented",
)
def test_odd_numbers(trials: Trials) -> Iterator[Violation]:
    tried = trials.odd_numbers()
    if not tried:
        raise NotApplicable("no argument of this operation is or holds a number of any kind")
    for trial in tried:
        yield from not_refused(trial, trial.case.focus)


@operation_rule(
    "CL-REF-11",
    "What is sent as JSON is UTF-8, whatever the text.",
    says="A text that was cut within a letter has no form in UTF-8: it is refused, or its half is escaped.",
    source="https://www.rfc-editor.org/rfc/rfc8259#section-8.1",
    basis="documented",
)
def test_half_letters(trials: Trials) -> Iterator[Violation]:
    tried = trials.half_letters()
    if not tried:
        raise NotApplicable("no argument of this operation is or holds a text of any kind")
    for trial in tried:
        for seen in trial.seen:
            try:
                seen.body.decode()
            except UnicodeDecodeError:
                yield trial.violation(trial.case.focus, f"sent was {seen.body!r:.200}")


@operation_rule(
    "CL-REF-10",
    "A refusal is one of the client's own errors.",
    says="Who catches the errors that a client documents has caught its refusals of arguments as well.",
    source="the client's own documentation of its errors",
    basis="inferred",
)
def test_refusals_are_own_errors(trials: Trials) -> Iterator[Violation]:
    tried = [*trials.broken_requests(), *trials.odd_numbers()]
    if not tried:
        raise NotApplicable("the contract says nothing about the arguments")
    for trial in tried:
        if isinstance(trial.outcome, Raised) and not trial.outcome.own and not trial.seen:
            constraint = trial.case.breach.constraint if trial.case.breach else trial.case.focus
            yield trial.violation(constraint, describe(trial.outcome))
