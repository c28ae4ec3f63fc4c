"""Errors: what they tell of the tries, of a run that there may be, and of the time."""

import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import product
from typing import Any, Final

from contract_tests.cases.network import SHORT
from contract_tests.client import relations
from contract_tests.client.cards import operation_rule
from contract_tests.client.driver.single_calls import ANOTHER_CALL, ERRORS, IN_VAIN
from contract_tests.client.operation_info import base_path
from contract_tests.client.outcome import Outcome, Raised, describe
from contract_tests.client.rules.network import IDEMPOTENCE, of_kind
from contract_tests.client.session import Trial
from contract_tests.client.trials import Trials
from contract_tests.http.recording_server import ScriptedResponse
from contract_tests.rules import NotApplicable, NotExercised, Violation

OWN: Final = "the client's own documentation of its errors"
CLIENT_ERROR: Final = range(400, 500)
NOT_FOUND, SEE_OTHER, FAILURE = 404, 303, 500
WORDS: Final = "Käse für Zoë"
RAISED: Final = (*ERRORS, *IN_VAIN)  # by a function of the caller's
CHARSETS: Final = ("utf-8", "iso-8859-1", "utf-16")
rule: Final = partial(operation_rule, source=OWN, basis="inferred")


@rule(
    "CL-REL-14",
    "An error tells of the last try.",
    says="Status, body, and whether the service may have acted are those of the response that ended the call.",
)
def test_errors_tell_of_the_last_try(trials: Trials) -> Iterator[Violation]:
    tried = [trial for trial in of_kind(trials, "other error") if len(trial.seen) > 1]
    if not tried:
        raise NotApplicable("the client does not repeat a request that is refused for now")
    for trial in tried:
        outcome, last = trial.outcome, trial.case.answers[min(len(trial.seen), len(trial.case.answers)) - 1]
        if not isinstance(outcome, Raised) or not outcome.own:
            yield trial.violation("error", describe(outcome))
        elif outcome.status != last.status or outcome.content not in {None, last.body}:
            yield trial.violation("response", f"the error tells of status {outcome.status}", f"status {last.status}")
        elif outcome.may_have_acted is False and not trials.operation.may_be_repeated:
            yield trial.violation("doubt", f"{outcome.type_name} says that nothing has happened")


@rule(
    "CL-REL-15",
    "An error without a request or after a refusal raises no false alarm.",
    says="Without a connection nothing was sent, and a documented 4xx refuses: no error says then that the service may "
    "have acted, or its caller looks for what is not there.",
)
def test_no_false_alarm(trials: Trials) -> Iterator[Violation]:
    for mode in trials.modes():
        unsent = relations.unreachable(trials, mode)
        if not (isinstance(unsent.outcome, Raised) and unsent.outcome.own):
            yield unsent.violation("no connection", describe(unsent.outcome))
        yield from _alarm(unsent, "no connection")
    for trial in trials.legal_replies():
        if trial.case.answer.status in CLIENT_ERROR:
            yield from _alarm(trial, f"status {trial.case.answer.status}")


def _alarm(trial: Trial[Any], name: str) -> Iterator[Violation]:
    if isinstance(trial.outcome, Raised) and trial.outcome.may_have_acted:
        yield trial.violation(name, f"{trial.outcome.type_name} says that the service may have acted")


@rule(
    "CL-REL-48",
    "What a caller's own function raises behind a response has nothing sent again.",
    says="The response has come, so the service has acted: an error of a hook, an authenticator or an observer, be it "
    "that of another call in vain, says nothing of this request.",
    source=IDEMPOTENCE,
    basis="documented",
)
def test_errors_of_hooks(trials: Trials) -> Iterator[Violation]:
    if trials.operation.may_be_repeated:
        raise NotApplicable(f"{trials.operation.method} may be repeated")
    relations.representative(trials)
    told = trials.session.subject.ask("hooks")
    if told["kind"] == "unclaimed":
        raise NotApplicable("the adapter offers no client that calls a function of the caller's")
    called = 0
    for mode, hook, raises in product(trials.modes(), told["names"], RAISED):
        trial = trials.answered(mode, trials.success, task="hooked", retries=2, more={"hook": hook, "raises": raises})
        called += trial.told.get("times", 0)
        if len(trial.seen) > 1:
            yield trial.violation(f"{hook}: {raises}", f"{len(trial.seen)} requests", "one request")
        # What another call in vain says of itself comes as it is.
        elif raises != ANOTHER_CALL and _is_denied(trial.outcome):
            yield trial.violation(f"{hook}: {raises}, doubt", f"nothing has happened: {describe(trial.outcome)}")
    if not called:
        raise NotExercised("no function of the caller's was called")


def _is_denied(outcome: Outcome) -> bool:
    return isinstance(outcome, Raised) and outcome.own and outcome.may_have_acted is False


@rule(
    "CL-REL-44",
    "An error after a response that is no refusal leaves a call in doubt.",
    says="303 answers what was done, 500 says that the service has failed at it: only a 4xx says that it was refused.",
)
def test_doubt_after_what_is_no_refusal(trials: Trials) -> Iterator[Violation]:
    if trials.operation.may_be_repeated:
        raise NotApplicable("the operation may be repeated")
    for mode in trials.modes():
        for status in (SEE_OTHER, FAILURE):
            location = (("Location", trials.session.server.url + base_path(trials.operation)),)
            trial = trials.answered(mode, replace(trials.book.refusal(trials.operation, status), headers=location))
            if isinstance(trial.outcome, Raised) and trial.outcome.own and trial.outcome.may_have_acted is False:
                yield trial.violation(f"status {status}", f"{trial.outcome.type_name} says that nothing has happened")


@rule(
    "CL-REL-45",
    "The words of a refusal are read in the charset that its content type names.",
    says="The charset of a text is a parameter of its media type: whoever reads a reason can read its letters.",
    source="https://www.rfc-editor.org/rfc/rfc9110#section-8.3.2",
)
def test_charset_of_a_refusal(trials: Trials) -> Iterator[Violation]:
    relations.representative(trials)
    for mode in trials.modes():
        told = {}
        for charset in CHARSETS:
            body, media_type = WORDS.encode(charset), f"text/plain; charset={charset}"
            answer = ScriptedResponse(status=NOT_FOUND, body=body, media_type=media_type)
            told[charset] = trials.answered(mode, answer)
        expected = told[CHARSETS[0]].outcome
        if not (isinstance(expected, Raised) and WORDS in _words(expected)):
            raise NotApplicable("no error of the client tells the words of a refusal that are no JSON")
        for charset, trial in told.items():
            if WORDS not in _words(trial.outcome):
                yield trial.violation(charset, f"it tells {_words(trial.outcome)!r:.100}", WORDS)


def _words(outcome: Outcome) -> str:
    body = outcome.body.json if isinstance(outcome, Raised) and outcome.body is not None else ""
    return f"{body} {outcome.text}" if isinstance(outcome, Raised) else ""


@rule(
    "CL-REL-43",
    "An error that leaves a call in doubt tells when its request was sent.",
    says="Who looks for what the call may have done looks round the time of the request. Between that and the error "
    "lies the time-out.",
)
def test_errors_tell_when_it_was_sent(trials: Trials) -> Iterator[Violation]:
    tried = [
        (trial, trial.outcome.sent_at)
        for trial in of_kind(trials, "time-out")
        if trial.seen and isinstance(trial.outcome, Raised) and trial.outcome.sent_at is not None
    ]
    if not tried:
        raise NotApplicable("no error of the client tells of it")
    for trial, sent_at in tried:
        arrived = trial.seen[-1].at + time.time() - time.monotonic()
        if not arrived - trial.seconds - 1 < sent_at < arrived + SHORT / 2:
            received = f"{sent_at - arrived:.2f} s after the request had come"
            yield trial.violation(trial.case.name, received, "before it had come")
