"""Secrets: what the client shows of its key."""

from collections.abc import Iterator
from functools import partial
from typing import Any, Final

from contract_tests.cases.secret_responses import Ending
from contract_tests.client.cards import operation_rule
from contract_tests.client.driver.secrets import PRINTED, shows
from contract_tests.client.outcome import Raised
from contract_tests.client.relations import redirected, representative
from contract_tests.client.session import MODES, Trial
from contract_tests.client.trials import Trials
from contract_tests.openapi.json_text import canonical
from contract_tests.rules import NotApplicable, Violation

LOGGING = "https://cheatsheetseries.owasp.org/cheatsheets/Logging_Cheat_Sheet.html#data-to-exclude"
rule: Final = partial(operation_rule, source=LOGGING, basis="inferred")


def all_played(trials: Trials) -> Iterator[Trial[Any]]:
    """Return every call of an operation that this run makes."""
    for several in (trials.broken_requests, trials.legal_replies, trials.broken_replies, trials.faults, trials.echoes):
        yield from several()


def check_key_is_needed(trials: Trials) -> None:
    """See whether a rule about the key is about an operation at all; raises NotApplicable if it needs none."""
    if trials.scheme is None:
        raise NotApplicable("the operation needs no key")


@rule(
    "CL-SEC-01",
    "No error shows the key.",
    says="Text, repr and traceback of an error end up in logs and tickets; the key must not, also if it was sent back.",
)
def test_errors_do_not_show_the_key(trials: Trials) -> Iterator[Violation]:
    check_key_is_needed(trials)
    for trial in all_played(trials):
        if isinstance(trial.outcome, Raised) and shows(trial.outcome.shown, trials.session.key):
            yield trial.violation(trial.outcome.type_name, f"{trial.outcome.type_name} shows the key")


@rule(
    "CL-SEC-11",
    "What an error has for a body does not show a key that was sent back.",
    says="Who documents that it masks the key there masks it in each form, and also where it cuts a long text.",
    source="the client's own documentation of its errors",
    basis="documented",
)
def test_bodies_do_not_show_the_key(trials: Trials) -> Iterator[Violation]:
    check_key_is_needed(trials)
    if not trials.offers("masks_bodies"):
        raise NotApplicable("the adapter does not say that its client masks the key in the bodies of its errors")
    for trial in trials.echoes():
        outcome = trial.outcome
        if isinstance(outcome, Raised) and outcome.body and shows(canonical(outcome.body.json), trials.session.key):
            yield trial.violation(trial.case.about, f"the body of {outcome.type_name} shows the key")


@rule(
    "CL-SEC-02",
    "The client's repr does not show the key.",
    says="A client in a log line or a debugger shows where it points, not what opens the door.",
)
def test_repr_does_not_show_the_key(trials: Trials) -> Iterator[Violation]:
    session = trials.session
    check_key_is_needed(trials)
    for mode in MODES:
        told = session.subject.ask("show", session.connection(trials.operation, mode))
        if shows(told.get("text", ""), session.key):
            yield Violation(f"the repr of the {mode} client holds the key", "repr")


@rule(
    "CL-SEC-03",
    "The key is not shown to an operation that needs none.",
    says="The contract says which operations want the key: the others, and whoever serves them, have no use for it.",
    source="https://spec.openapis.org/oas/v3.1.1.html#security-requirement-object",
)
def test_open_operations_get_no_key(trials: Trials) -> Iterator[Violation]:
    key = trials.session.key
    schemes = [scheme for one in trials.contract.operations if (scheme := trials.session.scheme(one)) is not None]
    if trials.scheme is not None or not schemes:
        raise NotApplicable("the operation needs the key, or none of the contract's does")
    for mode in trials.modes():
        trial = trials.ask("call", mode, scheme=schemes[0])
        if any(key in text for seen in trial.seen for text in (seen.target, *(value for _, value in seen.headers))):
            yield trial.violation("key", "the key was sent")


@rule(
    "CL-SEC-04",
    "An operation that needs the key is not called without one.",
    says="A call that can only be refused by the service is refused by the client, before anything is sent.",
    source="https://spec.openapis.org/oas/v3.1.1.html#security-requirement-object",
)
def test_no_call_without_a_key(trials: Trials) -> Iterator[Violation]:
    if trials.scheme is None or () in trials.operation.security:
        raise NotApplicable("the operation needs no key")
    for mode in trials.modes():
        trial = trials.ask("call", mode, key="", scheme=None)
        if trial.seen:
            yield trial.violation("key", f"sent without a key: {trial.seen[0].method}")


def trials_with_key(trials: Trials, name: str) -> Iterator[tuple[Trial[Ending], list[str]]]:
    """Return the calls after which the key lay somewhere, with the places that have this name in the message."""
    check_key_is_needed(trials)
    for trial in trials.terminations():
        if places := trial.told.get(name):
            yield trial, places


@rule(
    "CL-SEC-05",
    "The log does not show the key.",
    says="Nothing that the client or its HTTP library logs, at any level, warns of or prints holds the key.",
)
def test_log_does_not_show_the_key(trials: Trials) -> Iterator[Violation]:
    for trial, names in trials_with_key(trials, "logged"):
        for name in names:
            place = name if name in PRINTED else f"{name} logger"
            yield trial.violation(place, f"the {place} shows the key: {trial.case.about}")


@rule(
    "CL-SEC-08",
    "The log does not show what was sent.",
    says="A client that documents that inputs stay out of its log keeps them out, whatever a call comes to.",
    source="the client's own documentation of its log",
)
def test_log_does_not_show_inputs(trials: Trials) -> Iterator[Violation]:
    told = [(trial, trial.told.get("logged inputs")) for trial in trials.terminations()]
    if all(names is None for _, names in told):
        raise NotApplicable("the adapter does not say which inputs the client promises to keep out of its log")
    for trial, names in told:
        for name in names or ():
            place = name if name in PRINTED else f"{name} logger"
            yield trial.violation(place, f"the {place} shows an input: {trial.case.about}")


@rule(
    "CL-SEC-09",
    "The log does not show a key that was sent back.",
    says="A client that documents what stays out of its log keeps the key out of it, also where a response's header "
    "repeats it.",
    source="the client's own documentation of its log",
)
def test_log_does_not_show_a_key_that_was_sent_back(trials: Trials) -> Iterator[Violation]:
    check_key_is_needed(trials)
    representative(trials)
    for trial in trials.logged_echoes():
        if trial.told.get("logged inputs") is None:
            raise NotApplicable("the adapter does not say what the client promises to keep out of its log")
        for name in trial.told["logged"]:
            yield trial.violation(f"{name} logger", f"the {name} logger shows the key: {trial.case.about}")


@rule(
    "CL-SEC-10",
    "A redirect does not take the key to another origin.",
    says="The key is for the service that the client was given: no other host and port that a redirect names gets it.",
    source="https://www.rfc-editor.org/rfc/rfc9110#section-15.4",
)
def test_redirects_do_not_take_the_key_along(trials: Trials) -> Iterator[Violation]:
    check_key_is_needed(trials)
    representative(trials)
    for mode in trials.modes():
        for trial, elsewhere in redirected(trials, mode):
            if any(trials.session.key in f"{seen.target} {seen.headers}" for seen in elsewhere):
                yield trial.violation("key", "another origin gets the key by a redirect")


@rule(
    "CL-SEC-06",
    "What hangs on an error does not hold the key.",
    says="Error reports and task queues take an error apart or pickle it: a request that hangs on it goes along.",
    source="https://cwe.mitre.org/data/definitions/209.html",
)
def test_errors_do_not_hold_the_key(trials: Trials) -> Iterator[Violation]:
    for trial, places in trials_with_key(trials, "held"):
        if isinstance(trial.outcome, Raised) and trial.outcome.own:
            type_name = trial.outcome.type_name
            yield trial.violation(type_name, f"{places[0]} of {type_name} holds the key: {trial.case.about}")


@rule(
    "CL-SEC-07",
    "No frame of an error shows the key.",
    says="Trackers of errors record the variables of every frame, and walk lists, tuples and mappings among them.",
    source="https://cwe.mitre.org/data/definitions/209.html",
)
def test_frames_do_not_show_the_key(trials: Trials) -> Iterator[Violation]:
    for trial, variables in trials_with_key(trials, "framed"):
        if isinstance(trial.outcome, Raised):
            type_name = trial.outcome.type_name
            yield trial.violation(type_name, f"{variables[0]} shows the key: {type_name} after {trial.case.about}")
