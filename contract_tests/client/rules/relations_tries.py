"""Second tries: what they carry, and when they are made."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any, Final

from contract_tests.cases.network import LIMIT, SHORT
from contract_tests.client import relations, response_forms
from contract_tests.client.cards import operation_rule
from contract_tests.client.faults import FaultTrial
from contract_tests.client.outcome import Raised, Value, describe
from contract_tests.client.relations import carried, core
from contract_tests.client.rules.network import IDEMPOTENCE, RETRY_AFTER, of_kind, repeated, sent_too_early
from contract_tests.client.session import Trial
from contract_tests.client.trials import TOO_MANY, Trials
from contract_tests.rules import NotApplicable, Violation

UNAVAILABLE, SLACK, PLAIN = 503, 5.0, "status 429"
MAY_ACT: Final = frozenset({"status", "broken", "time-out"})
LIMITS: Final = "the client's own documentation of its time-outs"
OWN: Final = "the client's own documentation of its time-outs"
rule: Final = partial(operation_rule, basis="inferred")


@rule(
    "CL-REL-11",
    "A second try carries all that the first one did.",
    says="Path, query, declared headers, cookies, credentials and body are the same in every try of a call.",
    source=IDEMPOTENCE,
    basis="documented",
)
def test_second_tries_are_whole(trials: Trials) -> Iterator[Violation]:
    tried = [trial for trial in trials.faults() if len(trial.seen) > 1 and trial.case.kind != "redirect"]
    if not tried:
        raise NotApplicable("the client does not repeat a request")
    for trial in tried:
        for again in trial.seen[1:]:
            if core(again) != core(trial.seen[0]):
                yield trial.violation("request", f"{again.method} {again.target}, {len(again.body)} bytes")
            for name, values in carried(trials, trial.seen[0]).items():
                if carried(trials, again)[name] != values:
                    yield trial.violation(f"header {name.lower()}", f"{name} is not as in the first try")


@rule(
    "CL-REL-12",
    "Retry-After is obeyed each time.",
    says="What a second response asks for is waited for like what the first one does.",
    source=RETRY_AFTER,
    basis="documented",
)
def test_each_retry_after(trials: Trials) -> Iterator[Violation]:
    yield from sent_too_early(trials, "wait again", slice(1, 2), "the client does not repeat a request twice")


@rule(
    "CL-REL-27",
    "A moment that is over is not waited for.",
    says="Retry-After may be a date: one that has passed asks for no wait, as 0 does. Who sends again after that does "
    "so after such a date.",
    source=RETRY_AFTER,
    basis="documented",
)
def test_past_dates(trials: Trials) -> Iterator[Violation]:
    again = {trial.mode for trial in of_kind(trials, "throttled") if trial.case.name == PLAIN and len(trial.seen) > 1}
    tried = [trial for trial in of_kind(trials, "over") if trial.mode in again]
    if not tried:
        raise NotApplicable("another operation of its kind is judged, or the client does not repeat a request")
    for trial in tried:
        if not isinstance(trial.outcome, Value):
            yield trial.violation(
                trial.case.name, f"{len(trial.seen)} requests: {describe(trial.outcome)}", "a response"
            )


@rule(
    "CL-REL-13",
    "A request that may act is not sent again after a refusal that does not say that it may.",
    says="408 and 409 do not say that nothing happened, 425 is for early data: only idempotent methods are repeated.",
    source=IDEMPOTENCE,
)
def test_refusals_are_not_repeated(trials: Trials) -> Iterator[Violation]:
    yield from repeated(trials, "refused")


@rule(
    "CL-REL-16",
    "A time-out is as long as it was told.",
    says="A response that comes long before the time-out is over is the caller's.",
    source=OWN,
    basis="documented",
)
def test_time_outs_are_not_shorter(trials: Trials) -> Iterator[Violation]:
    for trial in of_kind(trials, "slow"):
        # Where the contract describes no success, the response itself may be the error.
        if isinstance(trial.outcome, Raised) and trial.outcome.status is None:
            received = f"{describe(trial.outcome)}, with a time-out of {trial.case.timeout} s"
            yield trial.violation(trial.case.name, received, f"the response, which came after {trial.seconds:.1f} s")


@rule(
    "CL-REL-17",
    "What a client promises to send again it sends again.",
    says="The client documents what is repeated: a 429 at any time, the rest where nothing can happen twice. An error "
    "that the contract describes may be final.",
    source="the client's own documentation of its tries",
    basis="documented",
)
def test_promised_tries(trials: Trials) -> Iterator[Violation]:
    told = trials.session.subject.ask("promises")
    if told["kind"] == "unclaimed":
        raise NotApplicable("the adapter does not offer what its client promises to repeat")
    for trial in of_kind(trials, *told["repeats"], *(("odd wait",) if "throttled" in told["repeats"] else ())):
        is_promised = trials.operation.may_be_repeated or trial.case.kind not in MAY_ACT
        is_final = trial.case.kind == "status" and trials.operation.response(trial.case.answers[0].status) is not None
        if not is_promised or is_final or len(trial.seen) > 1 or isinstance(trial.outcome, Value):
            continue
        # On a busy machine a short time-out passes before a request is seen.
        again = trials.play_fault(trial.case, trial.mode) if trial.case.kind == "time-out" else trial
        if len(again.seen) == 1 and not isinstance(again.outcome, Value):
            yield trial.violation(trial.case.name, f"sent once: {describe(trial.outcome)}", "sent again")


@rule(
    "CL-REL-18",
    "A client that is told not to repeat a request sends it once.",
    says="No further tries means none, also after a refusal that any client may repeat.",
    source="the client's own documentation of its tries",
)
def test_no_further_tries(trials: Trials) -> Iterator[Violation]:
    relations.representative(trials)
    if trials.session.subject.ask("promises")["kind"] == "unclaimed":
        raise NotApplicable("the adapter does not offer what its client promises to repeat")
    for mode in trials.modes():
        for status in (TOO_MANY, UNAVAILABLE):
            answer = replace(trials.book.refusal(trials.operation, status), headers=(("Retry-After", "0"),))
            trial = trials.answered(mode, answer)
            if len(trial.seen) > 1:
                yield trial.violation(f"status {status}", f"{len(trial.seen)} requests", "1")


@rule(
    "CL-REL-34",
    "A limit for a whole try holds however the response comes.",
    says="Who is given a limit of time for one try gives it up then, though headers or body trickle in byte by byte.",
    source=LIMITS,
    basis="documented",
)
def test_limits_of_a_try(trials: Trials) -> Iterator[Violation]:
    for first in _limited(trials, "trickle"):
        # What takes too long among many calls is the machine's fault unless it does so alone.
        trial = first if _waited(first) < LIMIT + 1 else trials.play_fault(first.case, first.mode)
        is_own = isinstance(trial.outcome, Raised) and trial.outcome.own
        if _waited(trial) > LIMIT + SLACK or not is_own:
            received = f"{describe(trial.outcome)} after {_waited(trial):.1f} s"
            yield trial.violation(trial.case.name, received, f"an error after {LIMIT} s")


@rule(
    "CL-REL-35",
    "Each try has its own limit.",
    says="A limit for one try is not used up by those before it.",
    source=LIMITS,
    basis="documented",
)
def test_limits_of_further_tries(trials: Trials) -> Iterator[Violation]:
    for first in _limited(trials, "own limit"):
        trial = first if isinstance(first.outcome, Value) else trials.play_fault(first.case, first.mode)
        is_refused = isinstance(trial.outcome, Raised) and trial.outcome.status == TOO_MANY and len(trial.seen) == 1
        if not (isinstance(trial.outcome, Value) or is_refused):
            yield trial.violation("tries", f"{len(trial.seen)} requests: {describe(trial.outcome)}", "a response")


@rule(
    "CL-REL-38",
    "A limit for the size of a response holds for what is read of it.",
    says="Who is given a limit of bytes takes a response of that size, and gives up one that is larger: also one that "
    "is small on the wire and large once it is decoded, or that does not say how large it is.",
    source=LIMITS,
    basis="documented",
)
def test_limits_of_size(trials: Trials) -> Iterator[Violation]:
    relations.first_of_all(trials)
    if not trials.offers("has_size_limit"):
        raise NotApplicable("the adapter knows of no limit for the size of a response")
    for mode in trials.modes():
        for about, trial in response_forms.within_limit(trials, mode).items():
            if not isinstance(trial.outcome, Value):
                yield trial.violation(about, describe(trial.outcome), "the response")
        for about, trial in response_forms.beyond_limit(trials, mode).items():
            outcome: Any = trial.outcome
            if not (isinstance(outcome, Raised) and outcome.own):
                yield trial.violation(about, describe(outcome), "an error of the client's own")
            elif outcome.may_have_acted is False and not trials.operation.may_be_repeated:
                yield trial.violation(f"{about} doubt", f"{outcome.type_name} says that nothing has happened")


def _limited(trials: Trials, kind: str) -> list[FaultTrial]:
    played = [*of_kind(trials, kind)]
    if not played:
        raise NotApplicable("judged with the first operation, or the adapter knows of no limit for a whole try")
    return played


@rule(
    "CL-REL-29",
    "Tries are counted for each call.",
    says="A call is sent again as the client documents, however many tries other calls of the client have needed.",
    source="the client's own documentation of its tries",
    basis="documented",
)
def test_tries_of_each_call(trials: Trials) -> Iterator[Violation]:
    relations.first_of_all(trials)
    told = trials.session.subject.ask("promises")
    if "throttled" not in told.get("repeats", ()):
        raise NotApplicable("the adapter does not say that its client repeats what is refused for now")
    for mode in trials.modes():
        first, outcomes = relations.after_other_tries(trials, mode)
        lost = [outcome for outcome in outcomes if not isinstance(outcome, Value)]
        if len(first.seen) > 1 and lost:
            received = f"{len(lost)} of {len(outcomes)} calls gave up after one refusal: {describe(lost[0])}"
            yield first.violation("tries", received, "a response to each")


@rule(
    "CL-REL-19",
    "A time-out is no longer than it was told.",
    says="What does not come in time is given up in time.",
    source=OWN,
    basis="documented",
)
def test_time_outs_are_not_longer(trials: Trials) -> Iterator[Violation]:
    for first in of_kind(trials, "time-out"):
        trial = first if _waited(first) < SHORT + SLACK else trials.play_fault(first.case, first.mode)
        if _waited(trial) > SHORT + SLACK:
            yield trial.violation(trial.case.name, f"given up after {_waited(trial):.1f} s", f"{SHORT} s")


def _waited(trial: Trial[Any]) -> float:
    return trial.ended - trial.seen[-1].at if trial.seen else 0
