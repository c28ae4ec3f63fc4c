"""
What generated requests may do to a target, and what it can take them for.

They run its one workflow, carry the tag, call back no stranger, and write only if that is allowed. A *grounded* request
refers to nothing but what exists: then no reason is left to refuse it.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from contract_tests.cases.case import RequestCase, request_problems
from contract_tests.cases.negative import with_sole_violation
from contract_tests.openapi.document import Operation, split
from contract_tests.rules import NotExercised
from contract_tests.server import own_workflow
from contract_tests.server.server import ONE_THREAD, ServerUnderTest
from contract_tests.targets import Target

INTERACTLY_TAG: Final = "run_by"  # property of a run input by which a person finds the run in a dashboard
TURN: Final = frozenset({"run_input", "run_id"})  # properties of an execute of generation B
NOBODY: Final = "callback.invalid"  # a host that resolves nowhere
NOWHERE: Final = f"https://{NOBODY}/contract-tests"
CALLABLE: Final = r"(?s)^(?!mailto:).*:"  # what names no host that somebody could post to stays as it is
HTTP: Final = r"(?i)(https?://)[^/\\?#]+"
RUNS: Final = {  # operations that run a workflow: the parameter, and the body's property, that name it
    "runWorkflow": ("workflow_name", ""),
    "executeWorkflow": ("workflow_id", "workflow_id"),
}
BODY_EXPRESSION: Final = re.compile(r"\{\$request\.body#(/[^}]*)\}")
QUERY_EXPRESSION: Final = re.compile(r"\{\$request\.query\.([^}]+)\}")


Source = Callable[[ServerUnderTest], Any]


def _none(_: ServerUnderTest) -> None:
    return None


def _version(server: ServerUnderTest) -> int | None:
    return server.target.version


def _label(server: ServerUnderTest) -> str | None:
    return server.target.label


def _own_workflow(server: ServerUnderTest) -> str | None:
    return server.target.workflow or None


# What stands in a request for something that has to exist, and where something is known that does; None: leave it out.
BODY_REFERENCES: Final[Mapping[str, Mapping[str, Source]]] = {
    "runWorkflow": {
        "workflow_label_name": _label,
        "workflow_version_number": _version,
    },
    "executeWorkflow": {
        "command": lambda _: "start",
        "run_id": _none,
        "workflow_run_id": _none,
        "version_number": _none,
        "team_id": _none,
    },
}
OWN: Final[Mapping[str, Mapping[str, Source]]] = {  # operations that change a workflow: what names it in the path
    "patchWorkflow": {"workflow_id_or_name": own_workflow.name_for_traffic},
    "attachWorkflowExternalId": {"workflow_id": own_workflow.id_for_traffic},
    "detachWorkflowExternalId": {"workflow_id": own_workflow.id_for_traffic},
}
PATH_REFERENCES: Final[Mapping[str, Mapping[str, Source]]] = {
    "getWorkflow": {"workflow_id_or_name": _own_workflow},
    "getWorkflowLabels": {"workflow_id_or_name": _own_workflow},
    "listWorkflowExternalIds": {"workflow_id": own_workflow.own_id},
    "getWorkflowRun": {"workflow_run_id": lambda server: server.known_run},
}
QUERY_REFERENCES: Final[Mapping[str, Mapping[str, Source]]] = {
    "getWorkflowVersionExecutionResults": {
        "workflow_version_execution_id": lambda server: server.known_execution,
    },
    "executeWorkflow": {"version": _version},
    "getWorkflow": {"version": _version, "label": _label},
}


def check_allowed(operation: Operation, target: Target) -> None:
    """
    See whether generated requests may be sent at all.

    Raises NotExercised if the operation writes and the target does not allow that.
    """
    if not operation.is_read_only and operation.id not in RUNS and not target.allow_writes:
        raise NotExercised("allow_writes of the target is false")


def sanitize(case: RequestCase, server: ServerUnderTest) -> RequestCase | None:
    """Return the request with nothing in it that reaches another workflow or a stranger; None if it lost its point."""
    if _is_of_other_generation(case, server.target):
        return None
    if case.breach is None:
        changed = _harmless(case, server)
        return None if request_problems(server.contract, changed) else changed
    # What does not exist would be refused for that: then the violation could go unnoticed.
    return _with_its_breach(_known(case, server), server) or _with_its_breach(case, server)


def with_existing_ids(case: RequestCase, server: ServerUnderTest) -> RequestCase | None:
    """Return a legal request that refers to nothing but what exists on the target; None if that cannot be."""
    changed = sanitize(_known(case, server), server)
    return None if changed is None else replace(changed, is_grounded=True)


def _is_of_other_generation(case: RequestCase, target: Target) -> bool:
    """Return whether a body is in the form of execute that the target does not serve."""
    if case.operation.id != "executeWorkflow" or not isinstance(case.body, dict):
        return False
    is_turn = not TURN.isdisjoint(case.body)
    return is_turn is (target.generation == "a")


def depends_on_state(operation: Operation) -> bool:
    """Whether a legal request may be refused with 400 for what a schema can't say: names taken, nodes that are not."""
    return operation.id in {"createWorkflow", "patchWorkflow"}


def is_known(operation: Operation) -> bool:
    """Whether all that a grounded request for an operation refers to is known to exist."""
    return operation.id in {*RUNS, *QUERY_REFERENCES, *PATH_REFERENCES}


def _harmless(case: RequestCase, server: ServerUnderTest) -> RequestCase:
    return _tagged(_redirect_callbacks(_only_workflow(_only_own(case, server), server.target), server), server)


def _only_own(case: RequestCase, server: ServerUnderTest) -> RequestCase:
    """Let a request that changes a workflow change none but the harness's own."""
    for name, own in OWN.get(case.operation.id, {}).items():
        value = own(server)
        if name in case.path and value is not None and not _is_breach(case, name):
            case = replace(case, path={**case.path, name: value})
    # On this machine nobody minds new workflows; elsewhere they would stay, since no operation deletes them.
    if case.operation.id == "createWorkflow" and not server.target.is_local and isinstance(case.body, dict):
        members = {"name", "workflow_id", "workflow_name"}
        if not any(_is_breach(case, f"/{name}") for name in members):
            rest = {name: value for name, value in case.body.items() if name not in members}
            return replace(case, body={**rest, "workflow_name": own_workflow.name_for_traffic(server)})
    return case


def _with_its_breach(case: RequestCase, server: ServerUnderTest) -> RequestCase | None:
    assert case.breach is not None
    changed = _harmless(case, server)
    broken = with_sole_violation(server.contract, changed)
    point = broken.breach if broken is not None else None
    # The message holds values, which may have changed.
    equal_by_format = point is not None and (point.at, point.constraint) == (case.breach.at, case.breach.constraint)
    return changed if equal_by_format else None


def _known(case: RequestCase, server: ServerUnderTest) -> RequestCase:
    """Put what is known to exist in place of what the request refers to, where it breaks nothing."""
    operation = case.operation.id
    path = _grounded(case.path, PATH_REFERENCES.get(operation, {}), server, lambda name: _is_breach(case, name))
    # Without what it refers to there is no path: then it stays as it was.
    path = path if path.keys() == case.path.keys() else case.path
    query = _grounded(case.query, QUERY_REFERENCES.get(operation, {}), server, lambda name: _is_breach(case, name))
    references = BODY_REFERENCES.get(operation, {})

    def known(members: dict[str, Any], at: str) -> dict[str, Any]:
        return _grounded(members, references, server, lambda name: _is_breach(case, f"{at}/{name}"))

    body = known(case.body, "") if isinstance(case.body, dict) else case.body
    case = replace(case, path=path, query=query, body=body)
    return _with_a_thread(_in_turn(_with_known_variables(case, server), known))


def _with_known_variables(case: RequestCase, server: ServerUnderTest) -> RequestCase:
    """Leave out what the workflow has no variable for, if the service refuses that, as it may."""
    given = case.body.get("input_variables") if isinstance(case.body, dict) else None
    if case.operation.id != "runWorkflow" or not isinstance(given, dict) or _is_breach(case, "/input_variables"):
        return case
    known = {name: value for name, value in given.items() if name in (server.target.input_variables or {})}
    is_left_out = known != given and server.refuses_unused_variables
    return replace(case, body={**case.body, "input_variables": known}) if is_left_out else case


def _in_turn(case: RequestCase, change: Callable[[dict[str, Any], str], dict[str, Any]]) -> RequestCase:
    """Change the run input of a turn; ``change`` is told where it stands."""
    if not _is_turn(case) or not isinstance(case.body["run_input"], dict):
        return case
    return replace(case, body={**case.body, "run_input": change(case.body["run_input"], "/run_input")})


def _is_turn(case: RequestCase) -> bool:
    return case.operation.id == "executeWorkflow" and isinstance(case.body, dict) and "run_input" in case.body


def _with_a_thread(case: RequestCase) -> RequestCase:
    """Put a thread into a turn that has none, which would be a reason to refuse it."""

    def with_one(members: dict[str, Any], at: str) -> dict[str, Any]:
        is_open = not any(members.get(name) or _is_breach(case, f"{at}/{name}") for name in ONE_THREAD)
        return {**members, **ONE_THREAD} if is_open else members

    return _in_turn(case, with_one)


def _grounded(
    values: dict[str, Any], references: Mapping[str, Source], server: ServerUnderTest, is_breach: Callable[[str], bool]
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in values.items():
        is_free = name in references and value is not None and not is_breach(name)
        known = references[name](server) if is_free else value
        if not is_free or known is not None:
            found[name] = known
    return found


def _only_workflow(case: RequestCase, target: Target) -> RequestCase:
    if case.operation.id not in RUNS:
        return case
    parameter, member = RUNS[case.operation.id]
    # An illegal name is no workflow, and whether it is refused is the point of the request.
    broken = case.breach is not None and case.breach.at.startswith(parameter)
    path = case.path if broken else {**case.path, parameter: target.workflow}

    def named(members: dict[str, Any], at: str) -> dict[str, Any]:
        is_free = isinstance(members.get(member), str) and not _is_breach(case, f"{at}/{member}")
        return {**members, member: target.workflow} if is_free else members

    body = named(case.body, "") if isinstance(case.body, dict) else case.body
    return _in_turn(replace(case, path=path, body=body), named)


def _is_breach(case: RequestCase, pointer: str) -> bool:
    return case.breach is not None and (case.breach.at == pointer or case.breach.at.startswith(f"{pointer}/"))


def _tagged(case: RequestCase, server: ServerUnderTest) -> RequestCase:
    """Put the tag where it belongs. What breaks that very property has to be refused, and starts nothing."""
    if not isinstance(case.body, dict):
        return case
    if case.operation.id == "executeWorkflow":

        def tagged(members: dict[str, Any], at: str) -> dict[str, Any]:
            return members if _is_breach(case, f"{at}/{INTERACTLY_TAG}") else {**members, INTERACTLY_TAG: server.tag}

        return _in_turn(case, tagged) if TURN & case.body.keys() else replace(case, body=tagged(case.body, ""))
    if case.operation.id == "runWorkflow":
        metadata = case.body.get("metadata", {})
        # On this machine nobody looks for the run, so null and nothing may stand for the metadata too.
        if isinstance(metadata, dict) and (metadata or not server.target.is_local):
            return replace(case, body={**case.body, "metadata": {**metadata, **server.metadata}})
        if metadata is None and not server.target.is_local:
            return replace(case, body={**case.body, "metadata": server.metadata})
    return case


def _redirect_callbacks(case: RequestCase, server: ServerUnderTest) -> RequestCase:
    for expressions in case.operation.callbacks.values():
        for expression in expressions:
            if found := BODY_EXPRESSION.search(expression):
                case = replace(case, body=_replaced(case, case.body, split(found[1]), server))
            if found := QUERY_EXPRESSION.search(expression):
                case = replace(case, query=_replaced(case, case.query, [found[1]], server))
    return case


def _replaced(case: RequestCase, value: Any, tokens: list[str], server: ServerUnderTest) -> Any:
    if not tokens:
        is_callable = isinstance(value, str) and re.search(CALLABLE, value)
        return _address(value, case, server) if is_callable else value
    if not isinstance(value, dict) or tokens[0] not in value:
        return value
    return {**value, tokens[0]: _replaced(case, value[tokens[0]], tokens[1:], server)}


def _address(value: str, case: RequestCase, server: ServerUnderTest) -> str:
    if case.breach is not None and re.match(HTTP, value):
        # What is wrong with an address stands where it stood; nobody is called by it, though it be taken.
        return re.sub(HTTP, rf"\1{NOBODY}", value)
    if case.breach is not None:
        return NOWHERE
    return server.listener.new_url(case.operation.id) if server.has_listener else NOWHERE
