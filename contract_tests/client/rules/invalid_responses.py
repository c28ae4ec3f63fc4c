"""Broken responses: what the caller gets when the contract is not kept."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from contract_tests.cases.case import RequestCase
from contract_tests.cases.responses import ReplyCase
from contract_tests.client.cards import operation_rule
from contract_tests.client.outcome import Raised, Value, describe
from contract_tests.client.response_forms import packed, parts_of
from contract_tests.client.session import Trial
from contract_tests.client.trials import Trials
from contract_tests.http.recording_server import Fault, ScriptedResponse
from contract_tests.rules import NotApplicable, Violation

RESPONSES = "https://spec.openapis.org/oas/v3.1.1.html#responses-object"
CONTENT = "https://spec.openapis.org/oas/v3.1.1.html#media-type-object"
KINDS: Final = {"required": "missing", "type": "type", "anyOf": "type", "oneOf": "type"}
NOT_FOUND, BAD_GATEWAY = 404, 502
PAGE: Final = b"<html><body><h1>Not here</h1></body></html>"
NO_JSON: Final = "the contract documents no JSON reply"


def ends_in_own_error(
    rule_id: str, title: str, kind: str, *, says: str, source: str, otherwise: str, basis: str = "documented"
) -> Callable[[Trials], Iterator[Violation]]:
    """Return a rule: responses broken in one way end in the client's own error, which keeps status and body."""

    @operation_rule(rule_id, title, says=says, source=source, basis=basis)
    def check(trials: Trials) -> Iterator[Violation]:
        tried = [trial for trial in trials.broken_replies() if _kind(trial.case) == kind]
        if not tried:
            raise NotApplicable(otherwise)
        for trial in tried:
            problem = trial.case.problem
            broken = f"{problem.message} at {problem.at or 'the whole body'}" if problem else trial.case.breach
            status = trial.case.answer.status
            yield from not_an_own_error(trial, f"{status} {trial.case.about}", f"{status}, {broken}: ")

    return check


def _kind(case: ReplyCase) -> str:
    return KINDS.get(case.problem.keyword, "limit") if case.problem else case.breach.partition(":")[0]


def not_an_own_error(trial: Trial[ReplyCase], constraint: str, about: str = "") -> Iterator[Violation]:
    """Return what is wrong if a broken response did not end in the client's own error with status and body."""
    outcome, answer = trial.outcome, trial.case.answer
    if not isinstance(outcome, Raised) or not outcome.own:
        yield trial.violation(constraint, about + describe(outcome))
    elif outcome.status != answer.status:
        received = f"{about}{outcome.type_name} says status {outcome.status}"
        yield trial.violation(f"{constraint} status is kept", received)
    elif outcome.content != answer.body:
        received = f"{about}{outcome.type_name} does not keep the body that came"
        yield trial.violation(f"{constraint} response is kept", received)


test_missing_members = ends_in_own_error(
    "CL-BRK-01",
    "A response without a required property ends in the client's own error.",
    "missing",
    says="If something that the contract requires is missing, the caller gets an error with status and body.",
    source=RESPONSES,
    otherwise="the contract requires no member of a reply",
)
test_wrong_types_in_replies = ends_in_own_error(
    "CL-BRK-02",
    "A response of the wrong type ends in the client's own error.",
    "type",
    says="A value of another type than the contract's is an error with status and body, never returned as valid.",
    source=RESPONSES,
    otherwise="the contract allows any JSON in the replies",
)
test_not_json = ends_in_own_error(
    "CL-BRK-03",
    "A response that is not JSON ends in the client's own error.",
    "not JSON",
    says="A proxy's HTML page, JSON followed by more text, and NaN are not JSON: an error with status and body.",
    source=CONTENT,
    otherwise=NO_JSON,
)
test_other_media_type = ends_in_own_error(
    "CL-BRK-04",
    "A response of another media type ends in the client's own error.",
    "media type",
    says="The contract says which media types a response has. Another one is an error with status and body.",
    source=CONTENT,
    otherwise=NO_JSON,
)
test_empty = ends_in_own_error(
    "CL-BRK-05",
    "An empty response ends in the client's own error.",
    "empty",
    says="An empty body is not JSON: where the contract describes a body, its absence is an error with the status.",
    source=CONTENT,
    otherwise=NO_JSON,
)
test_cut_json = ends_in_own_error(
    "CL-BRK-06",
    "A truncated response ends in the client's own error.",
    "cut",
    says="JSON that stops in the middle is an error with status and body.",
    source=CONTENT,
    otherwise="no reply can be cut so that it is not JSON any more",
)
test_undocumented_status = ends_in_own_error(
    "CL-BRK-07",
    "A status that the contract does not know ends in the client's own error.",
    "status",
    says="Nothing is documented about it: it is an error with status and body, also where it looks like success.",
    source=RESPONSES,
    otherwise="the contract documents every status",
)
test_limits_in_replies = ends_in_own_error(
    "CL-BRK-08",
    "A response outside a limit ends in the client's own error.",
    "limit",
    says="A value outside its limits is an error, for a client that reads as strictly as it writes.",
    source=RESPONSES,
    basis="inferred",
    otherwise="the contract sets no limits in the replies",
)


@operation_rule(
    "CL-BRK-09",
    "A very deeply nested response arrives or ends in the client's own error.",
    says="JSON has no limit of depth but every parser has one: the client raises its own error there.",
    source="https://www.rfc-editor.org/rfc/rfc8259#section-9",
    basis="inferred",
)
def test_deep_replies(trials: Trials) -> Iterator[Violation]:
    tried = trials.deep_replies()
    if not tried:
        raise NotApplicable(NO_JSON)
    for trial in tried:
        outcome, is_legal = trial.outcome, trial.case.breach == "deep and legal"
        if not (is_legal and (isinstance(outcome, Value) or (isinstance(outcome, Raised) and outcome.own))):
            yield from not_an_own_error(trial, f"{trial.case.answer.status} {trial.case.breach}")


@operation_rule(
    "CL-BRK-10",
    "A response in the form of another request ends in the client's own error.",
    says="Where the contract says that a request's form fixes the response's, a legal response in another form is an "
    "error with status and body.",
    source="x-same-form of the contract",
    basis="inferred",
)
def test_form_of_another_request(trials: Trials) -> Iterator[Violation]:
    tried = trials.replies_to_others()
    if not trials.has_forms:
        raise NotApplicable("the form of a request does not decide that of the response")
    for trial in tried:
        yield from not_an_own_error(trial, f"{trial.case.answer.status} form of another request")


@operation_rule(
    "CL-BRK-11",
    "A refusal is told by its status, whatever its body is.",
    says="The status of a response says whether the request was refused, before there is a body: a proxy has a page of "
    "its own, breaks off, or names a coding that the body doesn't have. It is the same error, and as many tries.",
    source="https://www.rfc-editor.org/rfc/rfc9110#section-15.5",
    basis="inferred",
)
def test_refusals_with_any_body(trials: Trials) -> Iterator[Violation]:
    for mode in trials.modes():
        for status in (NOT_FOUND, BAD_GATEWAY):
            plain = trials.book.refusal(trials.operation, status)
            expected = _error_and_tries(trials.answered(mode, plain))
            for about, answer in _bodies(plain).items():
                trial = trials.answered(mode, answer)
                if (received := _error_and_tries(trial)) != expected:
                    yield trial.violation(f"{status} {about}", received, expected)


def _bodies(plain: ScriptedResponse) -> dict[str, ScriptedResponse]:
    return {
        "a page": replace(plain, body=PAGE, media_type="text/html"),
        "nothing": replace(plain, body=b"", media_type=None),
        "no gzip": replace(plain, headers=(("Content-Encoding", "gzip"),)),
        **{f"gzip, {about}": answer for about, answer in parts_of(packed(plain, "gzip")).items()},
        "breaks off": replace(plain, fault=Fault.CUT),
    }


def _error_and_tries(trial: Trial[RequestCase]) -> str:
    outcome = trial.outcome
    if not (isinstance(outcome, Raised) and outcome.own):
        return describe(outcome)
    return f"{outcome.type_name} of status {outcome.status} after {len(trial.seen)} requests"
