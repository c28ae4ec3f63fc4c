"""Secrets: what the client shows of its key."""

from collections.abc import Iterator
from dataclasses import replace

from contract_tests.client.driver.secrets import PRINTED, shows
from contract_tests.client.findings import Findings
from contract_tests.client.outcome import Raised
from contract_tests.client.session import MODES, Played
from contract_tests.client.trials import Trials
from contract_tests.openapi.document import Operation
from contract_tests.rules import EVERY_OPERATION, NotApplicable, Violation, rule

LOGGING = "https://cheatsheetseries.owasp.org/cheatsheets/Logging_Cheat_Sheet.html#data-to-exclude"


def all_played(trials: Trials, operation: Operation) -> Iterator[Played]:
    """Give every call of an operation that this run makes."""
    yield from (trial.played for trial in trials.broken_requests(operation))
    yield from (trial.played for trial in trials.legal_replies(operation))
    yield from (trial.played for trial in trials.broken_replies(operation))
    yield from (trial.played for trial in trials.faults(operation))
    yield from (trial.played for trial in trials.echoes(operation))


def check_key_is_needed(trials: Trials, operation: Operation) -> None:
    """
    See whether a rule about the key is about an operation at all.

    Raises:
        NotApplicable: If the operation needs none.
    """
    if trials.stage.scheme(operation) is None:
        raise NotApplicable("the operation needs no key")


@rule(
    "CL-SEC-01",
    "No error shows the key.",
    says="Text, repr and traceback of an error end up in logs and tickets; the key must not, also if it was sent back.",
    source=LOGGING,
    basis="inferred",
    operations=EVERY_OPERATION,
    side="client",
)
def test_errors_do_not_show_the_key(trials: Trials, operation: Operation, findings: Findings) -> Iterator[Violation]:
    """The key is in no text, repr or traceback of any error of this run."""
    check_key_is_needed(trials, operation)
    for played in all_played(trials, operation):
        if isinstance(played.outcome, Raised) and shows(played.outcome.shown, trials.stage.key):
            yield findings.of(played.outcome.type_name, f"{played.outcome.type_name} shows the key", played=played)


@rule(
    "CL-SEC-02",
    "The client's repr does not show the key.",
    says="A client in a log line or a debugger shows where it points, not what opens the door.",
    source=LOGGING,
    basis="inferred",
    operations=EVERY_OPERATION,
    side="client",
)
def test_repr_does_not_show_the_key(trials: Trials, operation: Operation, findings: Findings) -> Iterator[Violation]:
    """The key is not in the text that the client shows of itself."""
    stage = trials.stage
    check_key_is_needed(trials, operation)
    for mode in MODES:
        if shows(stage.subject.show(stage.connection(operation, stage.server, mode)), stage.key):
            yield findings.of("repr", f"the repr of the {mode} client holds the key")


@rule(
    "CL-SEC-03",
    "The key is not shown to an operation that needs none.",
    says="The contract says which operations want the key: the others, and whoever serves them, have no use for it.",
    source="https://spec.openapis.org/oas/v3.1.1.html#security-requirement-object",
    basis="inferred",
    operations=EVERY_OPERATION,
    side="client",
)
def test_open_operations_get_no_key(trials: Trials, operation: Operation, findings: Findings) -> Iterator[Violation]:
    """A client that was built with a key does not send it along with an operation without security."""
    stage = trials.stage
    schemes = [scheme for one in trials.contract.operations if (scheme := stage.scheme(one)) is not None]
    if stage.scheme(operation) is not None or not schemes:
        raise NotApplicable("the operation needs the key, or none of the contract's does")
    start, success = trials.start(operation), trials.success(operation)
    for mode in trials.modes(operation):
        connection = replace(stage.connection(operation, stage.server, mode), scheme=schemes[0])
        played = stage.play(start, [success], mode, connection=connection)
        if any(
            stage.key in seen.target or any(stage.key in value for _, value in seen.headers) for seen in played.seen
        ):
            yield findings.of("key", "the key was sent", played=played)


@rule(
    "CL-SEC-04",
    "An operation that needs the key is not called without one.",
    says="A call that can only be refused by the service is refused by the client, before anything is sent.",
    source="https://spec.openapis.org/oas/v3.1.1.html#security-requirement-object",
    basis="inferred",
    operations=EVERY_OPERATION,
    side="client",
)
def test_no_call_without_a_key(trials: Trials, operation: Operation, findings: Findings) -> Iterator[Violation]:
    """A client without a key sends nothing for an operation with security."""
    stage = trials.stage
    if stage.scheme(operation) is None or () in operation.security:
        raise NotApplicable("the operation needs no key")
    start, success = trials.start(operation), trials.success(operation)
    for mode in trials.modes(operation):
        connection = replace(stage.connection(operation, stage.server, mode), key="", scheme=None)
        played = stage.play(start, [success], mode, connection=connection)
        if played.seen:
            yield findings.of("key", f"sent without a key: {played.seen[0].method}", played=played)


@rule(
    "CL-SEC-05",
    "The log does not show the key.",
    says="Nothing that the client or its HTTP library logs, at any level, warns of or prints holds the key.",
    source=LOGGING,
    basis="inferred",
    operations=EVERY_OPERATION,
    side="client",
)
def test_log_does_not_show_the_key(trials: Trials, operation: Operation, findings: Findings) -> Iterator[Violation]:
    """The key is in no record, warning or printed line of a call, however it ends."""
    check_key_is_needed(trials, operation)
    for trial in trials.terminations(operation):
        for name in trial.logged:
            place = name if name in PRINTED else f"{name} logger"
            received = f"the {place} shows the key: {trial.ending.about}, {trial.mode} call"
            yield findings.of(place, received, number=trial.number)


@rule(
    "CL-SEC-06",
    "What hangs on an error does not hold the key.",
    says="Error reports and task queues take an error apart or pickle it: a request that hangs on it goes along.",
    source="https://cwe.mitre.org/data/definitions/209.html",
    basis="inferred",
    operations=EVERY_OPERATION,
    side="client",
)
def test_errors_do_not_hold_the_key(trials: Trials, operation: Operation, findings: Findings) -> Iterator[Violation]:
    """The key is in no public attribute of the client's own errors, nor in anything that such a one leads to."""
    check_key_is_needed(trials, operation)
    for trial in trials.terminations(operation):
        if trial.held and isinstance(trial.outcome, Raised) and trial.outcome.own:
            received = (
                f"{trial.held[0]} of {trial.outcome.type_name} holds the key: {trial.ending.about}, {trial.mode} call"
            )
            yield findings.of(trial.outcome.type_name, received, number=trial.number)


@rule(
    "CL-SEC-07",
    "No frame of an error shows the key.",
    says="Trackers of errors record the variables of every frame, and walk lists, tuples and mappings among them.",
    source="https://cwe.mitre.org/data/definitions/209.html",
    basis="inferred",
    operations=EVERY_OPERATION,
    side="client",
)
def test_frames_do_not_show_the_key(trials: Trials, operation: Operation, findings: Findings) -> Iterator[Violation]:
    """The key is in no variable of the frames of an error, as far as its items and its repr tell."""
    check_key_is_needed(trials, operation)
    for trial in trials.terminations(operation):
        if trial.framed and isinstance(trial.outcome, Raised):
            type_name = trial.outcome.type_name
            received = f"{trial.framed[0]} shows the key: {type_name} after {trial.ending.about}, {trial.mode} call"
            yield findings.of(type_name, received, number=trial.number)
