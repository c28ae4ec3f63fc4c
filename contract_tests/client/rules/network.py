"""Network: what the client does when the wire or the service fails."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from contract_tests.cases.network import ASKED_WAIT
from contract_tests.client.findings import Findings
from contract_tests.client.outcome import Raised, Value, told
from contract_tests.client.trials import FaultTrial, Trials
from contract_tests.http.recording_server import HANG_LIMIT
from contract_tests.openapi.document import Operation
from contract_tests.rules import EVERY_OPERATION, NotApplicable, Violation, rule

IDEMPOTENCE: Final = "https://www.rfc-editor.org/rfc/rfc9110#section-9.2.2"
RETRY_AFTER: Final = "https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3"
REDIRECTS: Final = "https://www.rfc-editor.org/rfc/rfc9110#section-15.4"
IDEMPOTENT: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})
MOST_TRIES: Final = 10
TOO_MANY: Final = 429
CLOCK_ERROR: Final = 0.05


def of_kind(trials: Trials, operation: Operation, *kinds: str) -> Iterator[FaultTrial]:
    """Give the trials of some kinds of faults."""
    return (trial for trial in trials.faults(operation) if trial.case.kind in kinds)


def judge_tries(trials: Trials, operation: Operation, findings: Findings, kind: str) -> Iterator[Violation]:
    """Demand one request of an operation that may not be repeated, and a bounded number of any other."""
    most = MOST_TRIES if operation.method in IDEMPOTENT else 1
    for trial in of_kind(trials, operation, kind):
        if len(trial.played.seen) > most:
            received = f"after {trial.case.name}: {len(trial.played.seen)} requests, {operation.method}"
            yield findings.of(trial.case.name, received, played=trial.played, documented=f"at most {most}")


@rule(
    "CL-NET-01",
    "After an error of the service a request that may have acted is not sent again.",
    says="A 5xx does not say that nothing happened: only idempotent methods are repeated, and not for ever.",
    source=IDEMPOTENCE,
    basis="documented",
    operations=EVERY_OPERATION,
    side="client",
)
def test_no_repetition_after_5xx(trials: Trials, operation: Operation, findings: Findings) -> Iterator[Violation]:
    """The service sees one request of a method that is not idempotent."""
    yield from judge_tries(trials, operation, findings, "status")


@rule(
    "CL-NET-02",
    "After a time-out a request that may have acted is not sent again.",
    says="Silence does not say that nothing happened: only idempotent methods are repeated, and not for ever.",
    source=IDEMPOTENCE,
    basis="documented",
    operations=EVERY_OPERATION,
    side="client",
)
def test_no_repetition_after_a_time_out(
    trials: Trials, operation: Operation, findings: Findings
) -> Iterator[Violation]:
    """The service sees one request of a method that is not idempotent."""
    yield from judge_tries(trials, operation, findings, "time-out")


@rule(
    "CL-NET-03",
    "After a broken connection a request that may have acted is not sent again.",
    says="After a reset, early close or truncated response the service may have acted: only idempotent methods repeat.",
    source=IDEMPOTENCE,
    basis="documented",
    operations=EVERY_OPERATION,
    side="client",
)
def test_no_repetition_after_a_broken_connection(
    trials: Trials, operation: Operation, findings: Findings
) -> Iterator[Violation]:
    """The service sees one request of a method that is not idempotent."""
    yield from judge_tries(trials, operation, findings, "broken")


@rule(
    "CL-NET-04",
    "A service that asks for fewer requests is not flooded.",
    says="After 429 a request may be repeated a few times; then the caller gets an error.",
    source="https://www.rfc-editor.org/rfc/rfc6585#section-4",
    basis="documented",
    operations=EVERY_OPERATION,
    side="client",
)
def test_bounded_tries_when_throttled(trials: Trials, operation: Operation, findings: Findings) -> Iterator[Violation]:
    """The service sees a bounded number of requests, and the caller the client's own error with the status."""
    for trial in of_kind(trials, operation, "throttled"):
        outcome, count = trial.played.outcome, len(trial.played.seen)
        if count > MOST_TRIES:
            yield findings.of("count", f"{count} requests", played=trial.played, documented=f"at most {MOST_TRIES}")
        is_told = isinstance(outcome, Raised) and outcome.own and outcome.status == TOO_MANY
        if not is_told and not (isinstance(outcome, Value) and outcome.status == TOO_MANY):
            yield findings.of("status 429", told(outcome), played=trial.played)


@rule(
    "CL-NET-05",
    "Retry-After is obeyed.",
    says="The header says how long to wait at least before the same request is sent again.",
    source=RETRY_AFTER,
    basis="documented",
    operations=EVERY_OPERATION,
    side="client",
)
def test_retry_after(trials: Trials, operation: Operation, findings: Findings) -> Iterator[Violation]:
    """Between two requests lies at least what the service asked for."""
    tried = [trial for trial in of_kind(trials, operation, "wait") if len(trial.played.seen) > 1]
    if not tried:
        raise NotApplicable("the client does not repeat a request that is refused for now")
    for trial in tried:
        times = [seen.at for seen in trial.played.seen]
        waited = min(later - earlier for earlier, later in pairwise(times))
        if waited < ASKED_WAIT - CLOCK_ERROR:
            received = f"sent again after {waited:.2f} s"
            yield findings.of(trial.case.name, received, played=trial.played, documented=f"at least {ASKED_WAIT} s")


@rule(
    "CL-NET-06",
    "A request that may act is not sent to another address by a redirect.",
    says="A redirect of an unsafe request is not followed without the user, who cannot know where it leads.",
    source=REDIRECTS,
    basis="documented",
    operations=EVERY_OPERATION,
    side="client",
)
def test_redirects(trials: Trials, operation: Operation, findings: Findings) -> Iterator[Violation]:
    """One request is seen of a method that is not idempotent."""
    if operation.method in IDEMPOTENT:
        raise NotApplicable(f"{operation.method} may be repeated elsewhere")
    yield from judge_tries(trials, operation, findings, "redirect")


@rule(
    "CL-NET-07",
    "Every fault ends in the client's own error.",
    says="Silence and broken connections reach the caller as errors that the client documents, within its time-out.",
    source="the client's own documentation of its errors",
    basis="documented",
    operations=EVERY_OPERATION,
    side="client",
)
def test_faults_end_in_own_errors(trials: Trials, operation: Operation, findings: Findings) -> Iterator[Violation]:
    """No fault becomes a value or a foreign exception, and none goes on for ever."""
    for first in of_kind(trials, operation, "time-out", "broken"):
        # What has taken so long among many calls at a time is the machine's fault unless it takes so long alone.
        trial = first if first.played.seconds < HANG_LIMIT else trials.fault_again(operation, first)
        outcome = trial.played.outcome
        if not (isinstance(outcome, Raised) and outcome.own):
            yield findings.of(trial.case.name, f"after {trial.case.name}: {told(outcome)}", played=trial.played)
        elif trial.played.seconds >= HANG_LIMIT:
            received = f"{trial.played.seconds:.0f} s for a time-out of {trial.case.timeout} s"
            yield findings.of(f"{trial.case.name} time-out", received, played=trial.played)


@rule(
    "CL-NET-09",
    "After an unreadable response a request that may have acted is not sent again.",
    says="A service that responds has received the request, whatever the response: only idempotent methods repeat.",
    source=IDEMPOTENCE,
    basis="documented",
    operations=EVERY_OPERATION,
    side="client",
)
def test_no_repetition_after_an_unread_reply(
    trials: Trials, operation: Operation, findings: Findings
) -> Iterator[Violation]:
    """The service sees one request of a method that is not idempotent."""
    yield from judge_tries(trials, operation, findings, "unread")


@rule(
    "CL-NET-08",
    "An error that says whether the service may have acted is right.",
    says="A caller who reads that nothing has happened calls again: no error may say so of a request that has arrived.",
    source=IDEMPOTENCE,
    basis="documented",
    operations=EVERY_OPERATION,
    side="client",
)
def test_doubt_is_told(trials: Trials, operation: Operation, findings: Findings) -> Iterator[Violation]:
    """No error denies that a request may have acted which was seen, and answered with 5xx, unreadably or not at all."""
    if operation.method in IDEMPOTENT:
        raise NotApplicable(f"{operation.method} may be repeated, whatever has happened")
    tried = [
        (trial, trial.played.outcome)
        for trial in of_kind(trials, operation, "status", "time-out", "broken", "unread")
        if isinstance(trial.played.outcome, Raised) and trial.played.outcome.own and trial.played.seen
    ]
    if all(outcome.may_have_acted is None for _, outcome in tried):
        raise NotApplicable("the client's errors do not say whether the service may have acted")
    for trial, outcome in tried:
        if outcome.may_have_acted is False:
            received = f"{outcome.type_name} after {trial.case.name} says that nothing has happened"
            yield findings.of(trial.case.name, received, played=trial.played)
