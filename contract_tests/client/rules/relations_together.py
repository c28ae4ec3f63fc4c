"""Calls at the same time: each gets its own response, and none stops another."""

import base64
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Final

from contract_tests.client import calls_together, relations
from contract_tests.client.cards import operation_rule
from contract_tests.client.outcome import Unclaimed, Value, describe, outcome_of
from contract_tests.client.relations import essence
from contract_tests.client.trials import TOO_MANY, Trials
from contract_tests.rules import NotApplicable, Violation

rule: Final = partial(operation_rule, source="the client's own documentation of threads and tasks", basis="inferred")


@rule(
    "CL-REL-04",
    "Calls that are made at once get each its own response.",
    says="Several threads or tasks may use one client: what a call returns is the response to its own request.",
)
def test_calls_at_once(trials: Trials) -> Iterator[Violation]:
    for mode in trials.modes():
        outcomes, alone = calls_together.at_once(trials, mode)
        for told, wanted in zip(outcomes, alone, strict=True):
            if essence(told) != essence(wanted):
                received = f"{mode} call: {describe(told)}"
                yield Violation(received, "own response", describe(wanted), found_after=trials.session.played)


@rule(
    "CL-REL-30",
    "Calls that were given up stop no later one.",
    says="What a call holds, a connection or a place in a queue, is free again when it is cancelled or its time-out is "
    "over, as often as that happens.",
    source="https://docs.python.org/3/library/asyncio-task.html#task-cancellation",
    basis="documented",
)
def test_calls_after_many_given_up(trials: Trials) -> Iterator[Violation]:
    relations.first_of_all(trials)
    ways = [(mode, how) for mode in trials.modes() for how in ("time-out", "cancelled")]
    ways.remove(("sync", "cancelled")) if ("sync", "cancelled") in ways else None
    with ThreadPoolExecutor(len(ways)) as pool:  # most of it is waiting
        played = list(pool.map(lambda way: calls_together.after_giving_up(trials, *way), ways))
    for (_, how), trial in zip(ways, played, strict=True):
        if not isinstance(trial.outcome, Value):
            yield trial.violation(how, f"after {calls_together.MANY} calls: {describe(trial.outcome)}", "a response")


@rule(
    "CL-REL-33",
    "A response beside its value is that of its own call.",
    says="Where a call gives the response as well, its status, headers and body are those that the value was made of, "
    "also if other calls are under way.",
    source="the client's own documentation of raw responses",
    basis="documented",
)
def test_raw_responses(trials: Trials) -> Iterator[Violation]:
    relations.representative(trials)
    for mode in trials.modes():
        for told, own in calls_together.raw_at_once(trials, mode):
            outcome = outcome_of(told)
            if isinstance(outcome, Unclaimed):
                raise NotApplicable(f"the adapter offers no response beside a value: {outcome.reason}")
            if not isinstance(outcome, Value) or own is None:
                received = f"{mode} call: {describe(outcome)}"
                yield Violation(received, "headers", "the headers of a response", found_after=trials.session.played)
                continue
            raw = told["raw"]
            if raw["status"] not in (None, own.answer.status) or base64.b64decode(raw["content"]) != own.answer.body:
                received = f"{mode} call: status and body are not those of the response with these headers"
                yield Violation(received, "response", found_after=trials.session.played)
            if essence(outcome) != essence(own.outcome):
                received = f"{mode} call: the response beside a value is another call's"
                yield Violation(received, "own response", found_after=trials.session.played)


@rule(
    "CL-REL-46",
    "A response beside a value is that of the try that the value came from.",
    says="Who sends a request again has read the value from the last response; what was refused before has neither "
    "its status nor its headers and body.",
    source="the client's own documentation of raw responses",
    basis="documented",
)
def test_raw_responses_after_a_refusal(trials: Trials) -> Iterator[Violation]:
    relations.representative(trials)
    success = replace(trials.success, headers=(*trials.success.headers, (calls_together.MARK, "last")))
    refusal = replace(trials.book.refusal(trials.operation, TOO_MANY), headers=((calls_together.MARK, "first"),))
    for mode in trials.modes():
        trial = trials.answered(mode, refusal, success, task="raw", retries=1)
        if isinstance(trial.outcome, Unclaimed):
            raise NotApplicable(f"the adapter offers no response beside a value: {trial.outcome.reason}")
        if len(trial.seen) == 1:
            raise NotApplicable("the client does not send again what was refused for now")
        told = trial.told.get("raw", {"status": None, "content": "", "headers": {}})
        is_whole = base64.b64decode(told["content"]) == success.body and calls_together.mark_of(trial.told) == "last"
        if told["status"] not in (None, success.status) or not is_whole:
            yield trial.violation("try", f"status {told['status']}: {describe(trial.outcome)}", "the last response")


@rule(
    "CL-REL-37",
    "More calls at once than there are connections get each a response.",
    says="However many call at the same time, and again when they have their response: a call waits for its turn.",
)
def test_crowds(trials: Trials) -> Iterator[Violation]:
    relations.first_of_all(trials)
    for mode in trials.modes():
        trial = calls_together.crowd(trials, mode)
        for message in trial.told.get("lost", [trial.told])[:1]:
            yield trial.violation("crowd", describe(outcome_of(message)), "a response to each call")
