"""What the contract says of a run that goes on after its start: which operation tells of it, and in which words."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from contract_tests.cases.boundary_values import with_empty_values
from contract_tests.cases.case import ABSENT, RequestCase, request_problems
from contract_tests.client.operation_info import base_path
from contract_tests.client.trials import Trials
from contract_tests.http.expected_parameters import decode, path_values, query_pairs
from contract_tests.http.recording_server import RecordedRequest, ScriptedResponse
from contract_tests.openapi.document import Operation, Parameter, split
from contract_tests.openapi.json_text import json_or
from contract_tests.rules import NotApplicable

ENDED, PENDING, SERVER_ERROR = "200", "202", 500
BODY: Final = "$response.body#"
LARGEST_FLOAT: Final = 2**53  # from which on not every whole number is one
# What no link says, and the vendor's pages do: operation that tells, its parameter, where the start has the id, the
# place of the status, and its words.
BY_STATUS: Final = {
    "executeWorkflow": ("getWorkflowRun", "workflow_run_id", "/workflow_run_id", ("workflow_run", "workflow_run")),
}
GOES_ON: Final = ("running", "paused", "waiting_for_user_input")
FAILED: Final = ("failed", "cancelled", "aborted_looping_risk")
IS_OUTPUT, NO_SUCCESS = "is_output_node", ("SKIPPED", "FAILED")  # of nodes of PromptLayer's
FIRST_BY_NAME, LAST_BY_NAME = "A branch", "Zone"
NEW_WORD: Final = "x_new_status"


@dataclass(frozen=True, kw_only=True)
class FollowedRun:
    """
    A way to start a run, and the responses by which a service tells what becomes of it.

    Attributes:
        start: The call that starts it.
        started: Responses to the start; the run's id stands at ``id_at``.
        told_by: The operation that tells of the run, whose parameter ``parameter`` takes the id.
        pending: Responses that say that the run goes on, by what is particular about them.
        ended: Responses that say that it has ended well.
        failed: Those that say that it has failed.
        outcome_at: Where the outcome stands in the body of one of ``ended``.
        odd_ends: Responses that say in an unusual way that it has ended well, by what is unusual.
        flag: The flag that its start had and that its questions must have; empty if there is none.
        otherwise: Responses to questions without that flag, by status.
        main_ends: Those that say that it has ended well by several nodes, and which node has the main output, by what
            is particular about them.
        is_short: Whether it is played beside another one that says the rest.
    """

    start: RequestCase
    started: tuple[ScriptedResponse, ...]
    id_at: tuple[str, ...]
    told_by: Operation
    parameter: Parameter
    pending: dict[str, ScriptedResponse]
    ended: tuple[ScriptedResponse, ...]
    failed: dict[str, ScriptedResponse]
    outcome_at: tuple[str, ...] = ()
    odd_ends: dict[str, ScriptedResponse] = field(default_factory=dict)
    flag: str = ""
    otherwise: dict[int, ScriptedResponse] = field(default_factory=dict)
    main_ends: dict[str, tuple[ScriptedResponse, str]] = field(default_factory=dict)
    is_short: bool = False

    def id_of(self, number: int) -> Any:
        """Return the id of a run, of the kind that the contract shows: a whole number is one that no float holds."""
        shown = self._shown
        return LARGEST_FLOAT + 1 + 2 * number if isinstance(shown, int) else f"{str(shown)[:-2]}{number:02x}"

    @property
    def _shown(self) -> Any:
        return value_at(json_or(self.started[0].body, None), self.id_at)

    def of(self, answer: ScriptedResponse, run: Any) -> ScriptedResponse:
        """Return a response as it is given for one run: with its id, and with texts that no other run has."""
        value = json_or(answer.body, ABSENT)
        if value is ABSENT:
            return answer
        return replace(answer, body=json.dumps(_changed(value, lambda leaf: self._own(leaf, run))).encode())

    def _own(self, leaf: Any, run: Any) -> Any:
        if leaf == self._shown and not isinstance(leaf, bool):
            return run
        return f"{leaf} {run}" if _is_text(leaf) else leaf

    def outcome_of(self, answer: ScriptedResponse, run: Any) -> Any:
        """Return what the caller gets of a run that has ended with a response."""
        return value_at(json_or(self.of(answer, run).body, None), self.outcome_at)

    def is_start(self, seen: RecordedRequest) -> bool:
        """Whether a request starts a run."""
        return self._values(self.start.operation, seen) is not None

    def asked_for(self, seen: RecordedRequest) -> str | None:
        """Return the id that a request asks about; None if it is another one."""
        values = self._values(self.told_by, seen)
        if values is None:
            return None
        pairs = ((decode(name), decode(value)) for name, value in query_pairs(seen.target))
        found = values if self.parameter.location == "path" else dict(pairs)
        return found.get(self.parameter.name) or ""

    def as_asked(self, seen: RecordedRequest, answer: ScriptedResponse) -> ScriptedResponse:
        """Return a response in the form that a question has asked for."""
        asked = {(decode(name), decode(value)) for name, value in query_pairs(seen.target)}
        return self.otherwise.get(answer.status, answer) if self.flag and (self.flag, "true") not in asked else answer

    def _values(self, operation: Operation, seen: RecordedRequest) -> dict[str, str] | None:
        base = base_path(self.start.operation)
        return path_values(operation, base, seen.target) if seen.method == operation.method else None


def final_failures(operation: Operation) -> set[int]:
    """Return the statuses by which an operation that tells of runs says that one has failed."""
    documented = {int(status): one for status, one in operation.responses.items() if status.isdecimal()}
    tells = operation.may_be_repeated and {int(ENDED), int(PENDING)} <= documented.keys()
    return {status for status, one in documented.items() if tells and status >= SERVER_ERROR and one.media}


def value_at(value: Any, tokens: tuple[str, ...]) -> Any:
    """Return what stands at a place; None if nothing does."""
    for token in tokens:
        value = value.get(token) if isinstance(value, dict) else None
    return value


def _changed(value: Any, change: Callable[[Any], Any]) -> Any:
    if isinstance(value, dict):
        return {name: _changed(member, change) for name, member in value.items()}
    return [_changed(item, change) for item in value] if isinstance(value, list) else change(value)


def followed_runs(trials: Trials) -> list[FollowedRun]:
    """Return the ways to start a run that the contract tells of; raises NotApplicable if there is none."""
    found = [*_by_links(trials), *_by_status(trials)]
    if not found:
        raise NotApplicable("no operation of the contract tells later on what this one has started")
    return found


def _by_links(trials: Trials) -> Iterator[FollowedRun]:
    """Return what a link of a success leads to, if that is answered by 202 until there is a result."""
    for response in trials.operation.responses.values():
        for link in response.links.values():
            told_by = _named(trials, link.get("operationId"))
            given = [*link.get("parameters", {}).items()]
            if told_by is None or len(given) != 1 or not {ENDED, PENDING} <= told_by.responses.keys():
                continue
            name, expression = given[0]
            parameter = next((one for one in told_by.parameters if one.name == name.rpartition(".")[2]), None)
            if parameter is not None and str(expression).startswith(BODY):
                yield from _in_both_forms(trials, told_by, parameter, expression.removeprefix(BODY))
                return


def _in_both_forms(trials: Trials, told_by: Operation, parameter: Parameter, place: str) -> Iterator[FollowedRun]:
    """Return a run as it is started by default, and one for which a flag that both operations have is set."""
    ended, pending = _examples(trials, told_by, ENDED), _examples(trials, told_by, PENDING)
    id_at = tuple(split(place))
    started = tuple(answer for answer in _started(trials, trials.start) if _has(answer, id_at))
    if not (ended and pending and started):
        return
    failed = {
        f"status {case.answer.status}": case.answer
        for case in reversed([*trials.book.legal_replies(told_by)])
        if case.answer.status >= SERVER_ERROR and case.has_value and not case.focus
    }
    common: dict[str, Any] = {"id_at": id_at, "told_by": told_by, "parameter": parameter, "started": started}
    flag = _flag(trials, told_by)
    plain = [one for one in ended if flag is None or not isinstance(json_or(one.body, None), dict)]
    words = {"pending": pending[0]}
    odd = _emptied(trials, told_by, plain)
    yield FollowedRun(start=trials.start, pending=words, ended=tuple(plain), failed=failed, odd_ends=odd, **common)
    whole = tuple(one for one in ended if isinstance(json_or(one.body, None), dict))
    if flag is not None and whole:
        name, start = flag
        common |= {"flag": name, "otherwise": {one.status: one for one in (*plain[:1], pending[0])}}
        looks_ended = _so_far(replace(whole[0], status=int(PENDING)))
        words = {"pending that looks ended": looks_ended, "unknown status": _with_status(looks_ended, NEW_WORD)}
        odd = _emptied(trials, told_by, whole) | _in_branches(whole[0])
        common |= {"odd_ends": odd, "main_ends": _by_several_nodes(whole[0])}
        yield FollowedRun(start=start, pending=words, ended=whole, failed={}, is_short=True, **common)


def _so_far(answer: ScriptedResponse) -> ScriptedResponse:
    """Return a response whose texts are others, so that its outcome is not that of the run."""
    said = _changed(json_or(answer.body, None), lambda leaf: f"{leaf} so far" if _is_text(leaf) else leaf)
    return replace(answer, body=json.dumps(said).encode())


def _is_text(leaf: Any) -> bool:
    return isinstance(leaf, str) and " " in leaf


def _emptied(trials: Trials, told_by: Operation, ended: Sequence[ScriptedResponse]) -> dict[str, ScriptedResponse]:
    """Return the first of these with what programs take for nothing wherever the contract lets stand what may."""
    schema = told_by.responses[ENDED].media["application/json"].schema or "#"
    return {
        f"with {json.dumps(empty)}": replace(one, body=json.dumps(value).encode())
        for one in ended[:1]
        for value, empty in with_empty_values(trials.incoming, schema, json_or(one.body, None))
    }


def _in_branches(ended: ScriptedResponse) -> dict[str, ScriptedResponse]:
    """Return a response beside whose output node another one has not come to anything, by what has become of that."""
    nodes = json_or(ended.body, None)
    output = next((node for node in nodes.values() if isinstance(node, dict) and node.get(IS_OUTPUT)), None)
    if output is None:
        return {}
    others = {word: {"Another branch": {**output, "status": word, "value": None}} for word in NO_SUCCESS}
    return {
        f"after an output node that is {word}": replace(ended, body=json.dumps(other | nodes).encode())
        for word, other in others.items()
    }


def _by_several_nodes(ended: ScriptedResponse) -> dict[str, tuple[ScriptedResponse, str]]:
    """Return responses in which more than one node has come to something, and whose value is the main output."""
    nodes = json_or(ended.body, None)
    name = next((name for name, node in nodes.items() if isinstance(node, dict) and node.get(IS_OUTPUT)), None)
    if name is None:
        return {}
    output = nodes[name]
    other = {**output, "value": "what another node has come to"}
    inner = {**other, IS_OUTPUT: False}
    others = {
        "two output nodes": {name: output, FIRST_BY_NAME: other},
        "two output nodes by name": {name: output, LAST_BY_NAME: other},
        "a node before it that is no output": {FIRST_BY_NAME: inner, name: output},
        "a node behind it that is no output": {name: output, LAST_BY_NAME: inner},
        **{
            f"an output node before it that is {word}": {
                FIRST_BY_NAME: {**other, "status": word},
                name: output,
                LAST_BY_NAME: other,
            }
            for word in NO_SUCCESS
        },
        "an output that is nothing": {name: {**output, "value": None}, FIRST_BY_NAME: other},
    }
    return {about: (replace(ended, body=json.dumps(each).encode()), name) for about, each in others.items()}


def _flag(trials: Trials, told_by: Operation) -> tuple[str, RequestCase] | None:
    """Return a flag that the operation which tells of a run has like its start, and the start with it set."""
    for parameter in told_by.parameters:
        schema = trials.contract.at(trials.contract.follow(parameter.schema)) if parameter.schema else {}
        body = trials.start.body
        if schema.get("type") == "boolean" and isinstance(body, dict):
            case = replace(trials.start, body={**body, parameter.name: True})
            if not request_problems(trials.outgoing, case):
                return parameter.name, case
    return None


def _by_status(trials: Trials) -> Iterator[FollowedRun]:
    """Return what the vendor's pages say of a run whose status is a word in it."""
    told_by_id, name, place, inside = BY_STATUS.get(trials.operation.id, ("", "", "", ()))
    told_by, id_at = _named(trials, told_by_id), tuple(split(place))
    if told_by is None:
        return
    shown = _examples(trials, told_by, ENDED)[0]
    yield FollowedRun(
        start=trials.start,
        started=tuple(answer for answer in _started(trials, trials.start) if _has(answer, id_at))[:1],
        id_at=id_at,
        told_by=told_by,
        parameter=next(one for one in told_by.parameters if one.name == name),
        pending={word: _with_status(shown, word) for word in (*GOES_ON, NEW_WORD)},
        ended=(_with_status(shown, "completed"),),
        failed={word: _with_status(shown, word) for word in FAILED},
        outcome_at=inside,
    )


def _named(trials: Trials, operation_id: Any) -> Operation | None:
    return next((one for one in trials.contract.operations if one.id == operation_id), None)


def _examples(trials: Trials, operation: Operation, status: str) -> list[ScriptedResponse]:
    """Return the contract's examples of a status, or else any legal response."""
    media = operation.responses[status].media.get("application/json")
    shown = [json.dumps(example.value).encode() for example in (media.examples if media else ())]
    made = [case.answer for case in trials.book.legal_replies(operation) if case.answer.status == int(status)]
    return [ScriptedResponse(status=int(status), body=body) for body in shown] or made[:1]


def _started(trials: Trials, start: RequestCase) -> Iterator[ScriptedResponse]:
    """Return a success of each status that answers a start."""
    found = {trials.success_for(start).status: trials.success_for(start)}
    if not trials.has_forms:
        for case in trials.book.legal_replies(trials.operation):
            if case.is_success:
                found.setdefault(case.answer.status, case.answer)
    yield from found.values()


def _has(answer: ScriptedResponse, place: tuple[str, ...]) -> bool:
    return value_at(json_or(answer.body, None), place) is not None


def _with_status(answer: ScriptedResponse, word: str) -> ScriptedResponse:
    """Return a response in which each member called ``status`` says the same."""

    def said(value: Any) -> Any:
        if isinstance(value, list):
            return [said(item) for item in value]
        if not isinstance(value, dict):
            return value
        return {name: word if name == "status" else said(member) for name, member in value.items()}

    return replace(answer, body=json.dumps(said(json.loads(answer.body))).encode())
