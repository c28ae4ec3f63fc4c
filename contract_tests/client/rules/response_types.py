"""Types of responses: which classes the caller gets."""

from collections.abc import Iterator
from itertools import combinations
from typing import Any

from contract_tests.cases.responses import ReplyCase
from contract_tests.client.cards import operation_rule
from contract_tests.client.expected_types import BUILT_IN, COMPONENTS, NamedPlace, may_be_called, named_places
from contract_tests.client.outcome import Value
from contract_tests.client.rules.responses import RESPONSES, returned_body
from contract_tests.client.session import Trial
from contract_tests.client.trials import Trials
from contract_tests.openapi.document import Contract, join
from contract_tests.rules import NotApplicable, Violation


def class_at(value: Value, place: str) -> str:
    """Return the name of the class of what lies at a place in a value; empty if the adapter does not say."""
    return value.types.get(place) or ("" if place else value.type_name)


def wrongly_named(contract: Contract, type_name: str, value: Any) -> str:
    """Return the object of the contract that a class is called like, if a value does not fit it; else nothing."""
    for name, stated in contract.document.get("components", {}).get("schemas", {}).items():
        if may_be_called(type_name, {name}) and isinstance(stated, dict):
            is_object = bool(stated.get("properties") or stated.get("additionalProperties"))
            if is_object and not contract.is_valid(value, join(COMPONENTS[:-1], name)):
                return str(name)
    return ""


def named_objects(trials: Trials, case: ReplyCase) -> Iterator[NamedPlace]:
    """Return the objects in a response for which the contract claims a name."""
    if case.has_value and case.schema:
        yield from named_places(trials.incoming, case.schema, case.value)


@operation_rule(
    "CL-REP-02",
    "A response that the contract names arrives as the type of that name.",
    says="A body that is a named object of the contract is an object of the class with that name.",
    source="https://spec.openapis.org/oas/v3.1.1.html#components-object",
    basis="inferred",
)
def test_named_types(trials: Trials) -> Iterator[Violation]:
    is_claimed = False
    for trial in trials.legal_replies():
        case, value = trial.case, returned_body(trial)
        if value is None or not (case.has_value and case.schema):
            continue
        status = case.answer.status
        for named in named_objects(trials, case):
            got = class_at(value, named.place)
            is_claimed = is_claimed or bool(got)
            if got and not may_be_called(got, named.names):
                documented = " or ".join(sorted(named.names))
                received = f"{got} at {named.place or 'the whole body'} of a reply {status}"
                yield trial.violation(f"{status} {documented}", received, documented)
        if name := wrongly_named(trials.incoming, class_at(value, ""), case.value):
            is_claimed = True
            yield trial.violation(f"{status} not {name}", f"{name} for a value that is none")
    if not is_claimed:
        raise NotApplicable("no reply of this operation is a named object")


@operation_rule(
    "CL-REP-03",
    "Two statuses of success that mean different things can be distinguished.",
    says="The contract names a body for each status: the caller gets a type for each, or the status beside the value. "
    "So the 202 of results that are not there yet is never taken for the result of a 200.",
    source=RESPONSES,
    basis="documented",
)
def test_statuses_do_not_share_a_type(trials: Trials) -> Iterator[Violation]:
    types: dict[tuple[int, str], dict[str, Trial[ReplyCase]]] = {}
    for trial in trials.legal_replies():
        if trial.case.is_success and isinstance(trial.outcome, Value):
            key = trial.case.answer.status, trials.contract.follow(trial.case.schema) if trial.case.schema else ""
            types.setdefault(key, {}).setdefault(trial.outcome.type_name, trial)
    pairs = [(one, other) for one, other in combinations(sorted(types), 2) if one[0] != other[0] and one[1] != other[1]]
    if not pairs:
        raise NotApplicable("the operation has no two statuses of success with different bodies")
    for one, other in pairs:
        for shared in sorted(types[one].keys() & types[other].keys()):
            if not (_tells_status(types[one][shared]) and _tells_status(types[other][shared])):
                received = f"{shared} for a reply {one[0]} and for a reply {other[0]}"
                yield types[other][shared].violation(f"{one[0]} and {other[0]}", received)


def _tells_status(trial: Trial[ReplyCase]) -> bool:
    """Whether the status that came is handed over beside the value."""
    return isinstance(trial.outcome, Value) and trial.outcome.status == trial.case.answer.status


@operation_rule(
    "CL-REP-07",
    "The alternatives of a response can be distinguished.",
    says="A body that fits one of several named objects is of another class than one that fits another of them.",
    source="https://spec.openapis.org/oas/v3.1.1.html#composition-and-inheritance-polymorphism",
    basis="documented",
)
def test_alternatives_do_not_share_a_class(trials: Trials) -> Iterator[Violation]:
    classes: dict[tuple[int, str, str], dict[str, Trial[ReplyCase]]] = {}
    has_alternatives = False
    for trial in trials.legal_replies():
        value = returned_body(trial)
        for named in named_objects(trials, trial.case):
            has_alternatives |= named.is_choice
            got = value and class_at(value, named.place)
            if named.is_choice and got and got not in BUILT_IN:
                shared = classes.setdefault((trial.case.answer.status, named.schema, got), {})
                shared.setdefault(" or ".join(sorted(named.names)), trial)
    if not has_alternatives:
        raise NotApplicable("no reply of this operation has alternatives that are named objects")
    for (status, schema, name), shared in classes.items():
        if len(shared) > 1:
            received = f"{name} for {' and for '.join(sorted(shared))}"
            yield next(reversed(shared.values())).violation(f"{status} {schema}", received)
