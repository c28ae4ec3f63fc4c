"""Calls beside one another: nothing of one in another, however they are made."""

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any, Final

from contract_tests.client import relations
from contract_tests.client.cards import operation_rule
from contract_tests.client.credentials import credentials_for, credentials_of
from contract_tests.client.outcome import Raised, Unclaimed, Value, describe, outcome_of
from contract_tests.client.relations import carried, core, essence
from contract_tests.client.session import Trial
from contract_tests.client.trials import Trials, supported
from contract_tests.rules import NotApplicable, Violation

HTTP: Final = "https://www.rfc-editor.org/rfc/rfc9110"
ALIKE: Final = ("status", "unread", "refused", "throttled")
rule: Final = partial(operation_rule, source=f"{HTTP}#section-3.3", basis="inferred")


@rule(
    "CL-REL-01",
    "Nothing of a call is seen in the next one.",
    says="HTTP is stateless: a call sends what it was given. Arguments, an error or a cookie of the call before change "
    "neither the request nor what becomes of the response.",
)
def test_calls_in_a_row(trials: Trials) -> Iterator[Violation]:
    for mode in trials.modes():
        played = supported(relations.row(trials, mode))
        first, last = played[0], played[-1]
        for trial in played:
            if not trial.seen:
                yield trial.violation("sent", f"no request: {describe(trial.outcome)}")
        if not (first.seen and last.seen):
            continue
        before, after = first.seen[0], last.seen[0]
        if core(before) != core(after):
            yield last.violation("request", f"{after.method} {after.target}", f"{before.method} {before.target}")
        names, known = ({name.lower() for name, _ in seen.headers} for seen in (after, before))
        for name in sorted(names - known):
            yield last.violation(f"header {name}", f"the same call sends {name} later on")
        for name, values in carried(trials, before).items():
            if carried(trials, after)[name] != values:
                yield last.violation(f"header {name.lower()}", f"{name}: {carried(trials, after)[name]}", f"{values}")
        if essence(first.outcome) != essence(last.outcome):
            yield last.violation("outcome", describe(last.outcome), describe(first.outcome))


@rule(
    "CL-REL-02",
    "The synchronous and the asynchronous form do the same.",
    says="Both forms send the same request for the same arguments, and make the same of the same response.",
    source="the client's own documentation of its two forms",
)
def test_both_forms(trials: Trials) -> Iterator[Violation]:
    if len(trials.modes()) == 1:
        raise NotApplicable("the client has one form")
    played: Iterable[Trial[Any]] = (
        *trials.legal_requests(),
        *trials.legal_replies(),
        *trials.broken_replies(),
        *(trial for trial in trials.faults() if trial.case.kind in ALIKE),
    )
    first: dict[int, Trial[Any]] = {}
    for trial in played:
        other = first.setdefault(id(trial.case), trial)
        if other.mode != trial.mode:
            yield from _unlike(trials, other, trial)


def _unlike(trials: Trials, one: Trial[Any], other: Trial[Any]) -> Iterator[Violation]:
    if one.seen and other.seen and not (one.seen[0].broken or other.seen[0].broken):
        if core(one.seen[0]) != core(other.seen[0]):
            yield other.violation(
                "request", f"{other.seen[0].target}", f"as in a {one.mode} call: {one.seen[0].target}"
            )
        for name, values in carried(trials, one.seen[0]).items():
            if name != "Accept" and bool(carried(trials, other.seen[0])[name]) != bool(values):
                yield other.violation(f"header {name.lower()}", f"{name} is sent in one form alone")
    told, wanted = other.outcome, one.outcome
    if isinstance(told, Value | Raised) and isinstance(wanted, Value | Raised) and essence(told) != essence(wanted):
        about = getattr(one.case, "name", "") or (one.case.answer.status if hasattr(one.case, "answer") else "success")
        yield other.violation(f"outcome {about}", describe(told), f"as in a {one.mode} call: {describe(wanted)}")


@rule(
    "CL-REL-03",
    "Two clients share neither key nor address.",
    says="Each client sends its own key to its own address, whichever else was made or used in between: one with the "
    "same address and another key, too.",
    source="https://spec.openapis.org/oas/v3.1.1.html#security-requirement-object",
    basis="documented",
)
def test_two_clients(trials: Trials) -> Iterator[Violation]:
    for mode in trials.modes():
        for trial, key in relations.two_clients(trials, mode):
            if len(trial.seen) != 1:
                yield trial.violation("address", f"{len(trial.seen)} requests came to the client's own address")
            for seen in trial.seen[:1] if trials.scheme else ():
                needed = (trials.scheme, *trials.scheme.others) if trials.scheme else ()
                if any(credentials_for(each, key) not in credentials_of(seen, each) for each in needed):
                    yield trial.violation("key", "the request has not the key of its client")


@rule(
    "CL-REL-05",
    "A response that comes after its call was given up is nobody's.",
    says="After a time-out, or once a task is cancelled, the next call gets the response to its own request.",
    source="https://www.rfc-editor.org/rfc/rfc9112#section-9.5",
)
def test_late_responses(trials: Trials) -> Iterator[Violation]:
    relations.representative(trials)
    for mode, task in ((mode, task) for mode in trials.modes() for task in ("late", "cancelled")):
        if task == "cancelled" and mode == "sync":
            continue
        trial, own = relations.late(trials, mode, task)
        if isinstance(trial.outcome, Unclaimed):
            raise NotApplicable(trial.outcome.reason)
        if essence(trial.outcome) != essence(own.outcome):
            yield trial.violation(task, describe(trial.outcome), describe(own.outcome))


@rule(
    "CL-REL-26",
    "A call that is cancelled ends its task as cancelled.",
    says="Time-outs and task groups of asyncio cancel: a call that takes that for an error of its own, or goes "
    "on, breaks them.",
    source="https://docs.python.org/3/library/asyncio-task.html#task-cancellation",
    basis="documented",
)
def test_cancelled_tasks(trials: Trials) -> Iterator[Violation]:
    relations.representative(trials)
    if "async" not in trials.modes():
        raise NotApplicable("the client has no asynchronous form")
    trial, _ = relations.late(trials, "async", "cancelled")
    if trial.told.get("task") == "not cancelled":
        yield trial.violation("cancelled", "the task is not cancelled")


@rule(
    "CL-REL-31",
    "One client serves every event loop.",
    says="Loops may come after one another, or be there at the same time: each call gets its response.",
    source="the client's own documentation of event loops",
    basis="documented",
)
def test_event_loops(trials: Trials) -> Iterator[Violation]:
    relations.representative(trials)
    if "async" not in trials.modes():
        raise NotApplicable("the client has no asynchronous form")
    trial = trials.ask("loops", "async")
    if isinstance(trial.outcome, Unclaimed):
        raise NotApplicable(f"the client does not claim it: {trial.outcome.reason}")
    own, *others = map(outcome_of, trial.told.get("calls", [trial.told]))
    for outcome in (own, *others):
        if not isinstance(outcome, Value) or essence(outcome) != essence(own):
            yield trial.violation("loops", describe(outcome), "a response in each loop")


@rule(
    "CL-REL-32",
    "A forked process opens connections of its own.",
    says="Two processes on one connection get each other's responses: the child of a fork sends on no connection of "
    "its parent's, and both get their responses.",
    source="the client's own documentation of processes",
    basis="documented",
)
def test_forked_processes(trials: Trials) -> Iterator[Violation]:
    relations.representative(trials)
    for mode in trials.modes():
        trial = relations.forked(trials, mode)
        if isinstance(trial.outcome, Unclaimed):
            raise NotApplicable(f"the client does not claim it: {trial.outcome.reason}")
        outcomes = [*map(outcome_of, trial.told.get("calls", [trial.told]))]
        for outcome in outcomes:
            if not isinstance(outcome, Value) or essence(outcome) != essence(outcomes[0]):
                yield trial.violation("outcome", describe(outcome), "a response in both processes")
        ports = [seen.connection for seen in trial.seen]
        if len(ports) == len(outcomes) and ports[1] in (ports[0], ports[-1]):
            yield trial.violation("connection", "the child sends on its parent's connection")


@rule(
    "CL-REL-06",
    "A connection that the service has closed stops no call.",
    says="A service may close a connection that rests at any time: the next call opens another, and sends one request.",
    source="https://www.rfc-editor.org/rfc/rfc9112#section-9.5",
    basis="documented",
)
def test_closed_connections(trials: Trials) -> Iterator[Violation]:
    relations.representative(trials)
    for mode in trials.modes():
        first, second = relations.after_idle_end(trials, mode)
        if isinstance(first.outcome, Value) and not (isinstance(second.outcome, Value) and len(second.seen) == 1):
            yield second.violation("closed", f"{len(second.seen)} requests, {describe(second.outcome)}", "a response")


@rule(
    "CL-REL-36",
    "What comes behind a response is no other call's response.",
    says="Data on a connection that has no outstanding request is no valid response: a client that has received it "
    "sends the next request elsewhere.",
    source="https://www.rfc-editor.org/rfc/rfc9112#section-9.2",
    basis="documented",
)
def test_surplus_responses(trials: Trials) -> Iterator[Violation]:
    relations.representative(trials)
    for mode in trials.modes():
        own = trials.ask("call", mode)
        for about, trial in relations.after_surplus(trials, mode):
            if essence(trial.outcome) != essence(own.outcome):
                yield trial.violation(about, describe(trial.outcome), describe(own.outcome))


@rule(
    "CL-REL-07",
    "A request that may act is not sent again because its connection was an old one.",
    says="A connection that ends after a request has come on it, used before or not, doesn't say what has happened.",
    source=f"{HTTP}#section-9.2.2",
    basis="documented",
)
def test_used_connections(trials: Trials) -> Iterator[Violation]:
    if trials.operation.may_be_repeated:
        raise NotApplicable(f"{trials.operation.method} may be repeated")
    for mode in trials.modes():
        _, trial = relations.on_used_connection(trials, mode)
        if len(trial.seen) > 1:
            yield trial.violation("count", f"{len(trial.seen)} requests", "1")
