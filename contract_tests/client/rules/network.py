"""Network: what the client does when the wire or the service fails."""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from typing import Any, Final

from contract_tests.cases.network import ASKED_WAIT
from contract_tests.client.cards import operation_rule
from contract_tests.client.faults import FaultTrial
from contract_tests.client.outcome import Raised, Value, describe
from contract_tests.client.session import Trial
from contract_tests.client.trials import TOO_MANY, Trials
from contract_tests.http.recording_server import HANG_LIMIT
from contract_tests.rules import NotApplicable, Violation

IDEMPOTENCE: Final = "https://www.rfc-editor.org/rfc/rfc9110#section-9.2.2"
RETRY_AFTER: Final = "https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3"
REDIRECTS: Final = "https://www.rfc-editor.org/rfc/rfc9110#section-15.4"
MOST_TRIES: Final = 10
CLOCK_ERROR: Final = 0.05
rule: Final = partial(operation_rule, basis="documented")


def of_kind(trials: Trials, *kinds: str) -> Iterator[FaultTrial]:
    """Return the trials of some kinds of faults."""
    return (trial for trial in trials.faults() if trial.case.kind in kinds)


def repeated(trials: Trials, *kinds: str) -> Iterator[Violation]:
    """Return where an operation was called again that may not be repeated, and any other without end."""
    method = trials.operation.method
    for trial in of_kind(trials, *kinds):
        refused = sum(answer.status == TOO_MANY for answer in trial.case.answers)
        most = MOST_TRIES if trials.operation.may_be_repeated else 1 + refused
        if len(trial.seen) > most:
            received = f"after {trial.case.name}: {len(trial.seen)} requests, {method}"
            yield trial.violation(trial.case.name, received, f"at most {most}")


def sent_too_early(trials: Trials, kind: str, pauses: slice, otherwise: str) -> Iterator[Violation]:
    """Return where one of these pauses between tries was shorter than asked; ``otherwise`` is why nobody paused."""
    paused = [
        (trial, [later.at - earlier.at for earlier, later in pairwise(trial.seen)][pauses])
        for trial in of_kind(trials, kind)
    ]
    if not any(waits for _, waits in paused):
        raise NotApplicable(otherwise)
    for trial, waits in paused:
        if waits and min(waits) < ASKED_WAIT - CLOCK_ERROR:
            yield trial.violation(trial.case.name, f"sent again after {min(waits):.2f} s", f"at least {ASKED_WAIT} s")


def not_repeated(rule_id: str, title: str, *kinds: str, says: str) -> Callable[[Trials], Iterator[Violation]]:
    """Return a rule: after faults of a kind the service sees one request of a method that is not idempotent."""

    @rule(rule_id, title, says=says, source=IDEMPOTENCE)
    def check(trials: Trials) -> Iterator[Violation]:
        yield from repeated(trials, *kinds)

    return check


test_no_repetition_after_5xx = not_repeated(
    "CL-NET-01",
    "After an error of the service a request that may have acted is not sent again.",
    *("status", "other error"),
    says="A 5xx does not say that nothing happened, after a 429 neither: only idempotent methods are repeated, and not "
    "for ever.",
)
test_no_repetition_after_a_time_out = not_repeated(
    "CL-NET-02",
    "After a time-out a request that may have acted is not sent again.",
    "time-out",
    says="Silence does not say that nothing happened: only idempotent methods are repeated, and not for ever.",
)
test_no_repetition_after_a_broken_connection = not_repeated(
    "CL-NET-03",
    "After a broken connection a request that may have acted is not sent again.",
    "broken",
    says="After a reset, early close or truncated response the service may have acted: only idempotent methods repeat.",
)


@rule(
    "CL-NET-04",
    "A service that asks for fewer requests is not flooded.",
    says="After 429 a request may be repeated a few times; then the caller gets an error.",
    source="https://www.rfc-editor.org/rfc/rfc6585#section-4",
)
def test_bounded_tries_when_throttled(trials: Trials) -> Iterator[Violation]:
    for trial in of_kind(trials, "throttled"):
        outcome, count = trial.outcome, len(trial.seen)
        if count > MOST_TRIES:
            yield trial.violation("count", f"{count} requests", f"at most {MOST_TRIES}")
        is_own = isinstance(outcome, Value) or (isinstance(outcome, Raised) and outcome.own)
        if not (is_own and isinstance(outcome, Value | Raised) and outcome.status == TOO_MANY):
            yield trial.violation("status 429", describe(outcome))
    for trial in of_kind(trials, "odd wait"):
        outcome = trial.outcome
        if not (isinstance(outcome, Value) or (isinstance(outcome, Raised) and outcome.own and outcome.status)):
            yield trial.violation(trial.case.name, describe(outcome))


@rule(
    "CL-NET-05",
    "Retry-After is obeyed.",
    says="The header says how long to wait at least before the same request is sent again.",
    source=RETRY_AFTER,
)
def test_retry_after(trials: Trials) -> Iterator[Violation]:
    otherwise = "the client does not repeat a request that is refused for now"
    yield from sent_too_early(trials, "wait", slice(None), otherwise)


@rule(
    "CL-NET-06",
    "A request that may act is not sent to another address by a redirect.",
    says="A redirect of an unsafe request is not followed without the user, who cannot know where it leads.",
    source=REDIRECTS,
)
def test_redirects(trials: Trials) -> Iterator[Violation]:
    if trials.operation.may_be_repeated:
        raise NotApplicable(f"{trials.operation.method} may be repeated elsewhere")
    yield from repeated(trials, "redirect")


@rule(
    "CL-NET-07",
    "Every fault ends in the client's own error.",
    says="Silence and broken connections reach the caller as errors that the client documents, within its time-out.",
    source="the client's own documentation of its errors",
)
def test_faults_end_in_own_errors(trials: Trials) -> Iterator[Violation]:
    for first in of_kind(trials, "time-out", "broken"):
        # What has taken so long among many calls at a time is the machine's fault unless it takes so long alone.
        trial = first if first.seconds < HANG_LIMIT else trials.play_fault(first.case, first.mode)
        name, outcome = trial.case.name, trial.outcome
        if not (isinstance(outcome, Raised) and outcome.own):
            yield trial.violation(name, f"after {name}: {describe(outcome)}")
        elif trial.seconds >= HANG_LIMIT:
            received = f"{trial.seconds:.0f} s for a time-out of {trial.case.timeout} s"
            yield trial.violation(f"{name} time-out", received)


test_no_repetition_after_an_unread_reply = not_repeated(
    "CL-NET-09",
    "After an unreadable response a request that may have acted is not sent again.",
    "unread",
    says="A service that responds has received the request, whatever the response: only idempotent methods repeat.",
)


@rule(
    "CL-NET-08",
    "An error that says whether the service may have acted is right.",
    says="A caller who reads that nothing has happened calls again: no error may say so of a request that has arrived.",
    source=IDEMPOTENCE,
)
def test_doubt_is_told(trials: Trials) -> Iterator[Violation]:
    if trials.operation.may_be_repeated:
        raise NotApplicable(f"{trials.operation.method} may be repeated, whatever has happened")
    tried = [
        (trial, trial.outcome, name)
        for trial, name in _in_doubt(trials)
        if isinstance(trial.outcome, Raised) and trial.outcome.own and trial.seen
    ]
    if all(outcome.may_have_acted is None for _, outcome, _ in tried):
        raise NotApplicable("the client's errors do not say whether the service may have acted")
    for trial, outcome, name in tried:
        if outcome.may_have_acted is False:
            yield trial.violation(name, f"{outcome.type_name} after {name} says that nothing has happened")


def _in_doubt(trials: Trials) -> Iterator[tuple[Trial[Any], str]]:
    """Return calls after which nobody knows what the service has done, or that it has acted, with what went wrong."""
    for fault in of_kind(trials, "status", "time-out", "broken", "unread"):
        yield fault, fault.case.name
    for reply in trials.broken_replies():
        if reply.case.is_success:
            yield reply, f"{reply.case.answer.status} {reply.case.about}"
