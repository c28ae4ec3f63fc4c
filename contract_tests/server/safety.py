"""What generated requests may do to a target: run its one workflow, call back no stranger, write only if allowed."""

import re
from dataclasses import replace
from typing import Any, Final

from contract_tests.contract import Contract, Operation, split
from contract_tests.request_case import RequestCase, request_problems
from contract_tests.rules import NotApplicable, NotExercised
from contract_tests.targets import Target

NOWHERE: Final = "https://callback.invalid/contract-tests"
RUNS: Final = {  # operations that run a workflow: the parameter, and the body's member, that name it
    "runWorkflow": ("workflow_name", ""),
    "executeWorkflow": ("workflow_id", "workflow_id"),
}
BODY_EXPRESSION: Final = re.compile(r"\{\$request\.body#(/[^}]*)\}")
QUERY_EXPRESSION: Final = re.compile(r"\{\$request\.query\.([^}]+)\}")


def check_allowed(operation: Operation, target: Target) -> None:
    """
    See whether generated requests may be sent at all.

    Raises:
        NotExercised: If the operation writes and the target does not allow that.
        NotApplicable: If the target serves a form of the operation that the contract does not describe.
    """
    if operation.id == "executeWorkflow" and target.generation != "a":
        raise NotApplicable("the target serves the other generation of execute")
    if not operation.is_read_only and operation.id not in RUNS and not target.allow_writes:
        raise NotExercised("the target does not allow writes")


def safe(case: RequestCase, target: Target, contract: Contract) -> RequestCase | None:
    """Give the request with nothing in it that reaches another workflow or a stranger; None if it lost its point."""
    changed = _without_strangers(_only_workflow(case, target))
    problems = request_problems(contract, changed)
    if case.breach is None:
        return None if problems else changed
    return changed if [problem.constraint for problem in problems] == [case.breach.constraint] else None


def _only_workflow(case: RequestCase, target: Target) -> RequestCase:
    if case.operation.id not in RUNS:
        return case
    parameter, member = RUNS[case.operation.id]
    # An illegal name is no workflow, and whether it is refused is the point of the request.
    broken = case.breach is not None and case.breach.at.startswith(parameter)
    path = case.path if broken else {**case.path, parameter: target.workflow}
    body = case.body
    if isinstance(body, dict) and isinstance(body.get(member), str) and not _is_breach(case, f"/{member}"):
        body = {**body, member: target.workflow}
    return replace(case, path=path, body=body)


def _is_breach(case: RequestCase, pointer: str) -> bool:
    return case.breach is not None and case.breach.at == pointer


def _without_strangers(case: RequestCase) -> RequestCase:
    for expressions in case.operation.callbacks.values():
        for expression in expressions:
            if found := BODY_EXPRESSION.search(expression):
                case = replace(case, body=_replaced(case.body, split(found[1])))
            if found := QUERY_EXPRESSION.search(expression):
                case = replace(case, query=_replaced(case.query, [found[1]]))
    return case


def _replaced(value: Any, tokens: list[str]) -> Any:
    # What has no colon names no host, and stays: it is a text that a server must refuse.
    if not tokens:
        return NOWHERE if isinstance(value, str) and ":" in value else value
    if not isinstance(value, dict) or tokens[0] not in value:
        return value
    return {**value, tokens[0]: _replaced(value[tokens[0]], tokens[1:])}
