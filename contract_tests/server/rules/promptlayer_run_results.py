"""PromptLayer: fetch the results of an execution."""

from collections.abc import Iterator
from functools import partial
from typing import Final

import pytest

from contract_tests.openapi.json_text import same
from contract_tests.rules import Checks, Violation
from contract_tests.rules import rule as card
from contract_tests.server.models.execution import ENDED, FAILED, OK, Execution, Poll, checks_of_pending
from contract_tests.server.server import NO_SUCH_ID, ServerUnderTest

PAGE: Final = "https://docs.promptlayer.com/reference/workflow-version-execution-results"
OPERATION: Final = "getWorkflowVersionExecutionResults"
rule: Final = partial(card, source=PAGE, operations=[OPERATION], side="server", service="promptlayer")
NEVER_RUNNING: Final = "the execution was never seen running"
NO_END: Final = "no execution was seen to end"
ORDER: Final = {"QUEUED": 0, "RUNNING": 1, **dict.fromkeys(ENDED, 2)}
Steps = list[tuple[Poll, list[Poll]]]


@pytest.fixture
def steps(executions: list[Execution]) -> Steps:
    """Return each response, in either form, with the results that came before it."""
    return [step for execution in executions for step in execution.steps]


@rule(
    "PL-RES-21",
    "A request for results without an execution id is refused.",
    says="workflow_version_execution_id is required.",
    basis="documented",
)
def test_execution_id_is_required(server: ServerUnderTest) -> None:
    server.must_refuse(server.once("no execution id", lambda: server.call(OPERATION)))


@rule(
    "PL-RES-22",
    "An unknown execution id is answered 404 or 403.",
    says="404 and 403 are documented for what does not exist or belongs to another workspace.",
    basis="documented",
)
def test_unknown_execution(server: ServerUnderTest) -> None:
    server.once("unknown execution", lambda: server.results(NO_SUCH_ID)).must_be(404, 403)


@rule(
    "PL-RES-23",
    "While a node is queued or running, the status is 202.",
    says="202 means that at least one node is QUEUED or RUNNING.",
    basis="documented",
    otherwise=NEVER_RUNNING,
)
def test_running_is_answered_202(steps: Steps) -> Checks:
    return checks_of_pending(steps)


@rule(
    "PL-RES-24",
    "Once every node has ended, the status is 200.",
    says="200 means that all nodes are SUCCESS, FAILED or SKIPPED.",
    basis="documented",
    otherwise=NO_END,
)
def test_ended_is_answered_200(executions: list[Execution], steps: Steps) -> Checks:
    bare = [(poll, earlier) for poll, earlier in steps if poll.is_result and not poll.all_outputs]
    return [
        *(poll.exchange.check_status(OK) for poll, _ in steps if poll.shows_nodes and poll.shows_end),
        *(
            poll.exchange.check_status(OK, FAILED, constraint="status of the main output")
            for poll, earlier in bare
            if any(one.shows_end for one in earlier)
        ),
        *(
            poll.exchange.check_status(OK, constraint="status of the main output")
            for execution in executions
            if execution.outputs
            for poll in execution.main_outputs
        ),
    ]


@rule(
    "PL-RES-25",
    "Results do not change once they are there.",
    says="A poll ends with 200; nothing says that a finished execution could change afterwards.",
    basis="inferred",
    otherwise=NO_END,
)
def test_results_stay(failing: list[Execution]) -> Checks:
    steps = [step for execution in failing for step in execution.steps]
    return (_check_same(poll, earlier) for poll, earlier in steps if _first_end(poll, earlier))


def _check_same(poll: Poll, earlier: list[Poll]) -> Violation | None:
    first = _first_end(poll, earlier) or poll
    wrong_status = poll.exchange.check_status(first.status, received=f"it was {first.status} before")
    return wrong_status or poll.check(same(poll.body, first.body), "body", "it was another one before")


def _first_end(poll: Poll, earlier: list[Poll]) -> Poll | None:
    same_form = (one for one in earlier if bool(one.all_outputs) == bool(poll.all_outputs))
    return next((one for one in same_form if one.is_done), None) if poll.is_result or poll.is_gone else None


@rule(
    "PL-RES-66",
    "A node goes from QUEUED to RUNNING to its end, and never back.",
    says="A node has five statuses, the last three of which are final.",
    basis="inferred",
    otherwise="no node was seen twice, or the entries of all nodes cannot be read",
)
def test_nodes_go_on(steps: Steps) -> Checks:
    return (
        poll.check(ORDER[new] > ORDER[old] or new == old, "status of a node", f"{old} became {new}")
        for poll, earlier in steps
        for old, new in _changes(poll, earlier)
    )


def _changes(poll: Poll, earlier: list[Poll]) -> Iterator[tuple[str, str]]:
    shown = next((one for one in reversed(earlier) if one.all_outputs and one.entries), None)
    for name, entry in poll.entries.items() if shown is not None and poll.shows_nodes else ():
        if shown is not None and name in shown.entries:
            old, new = shown.entries[name]["status"], entry["status"]
            if {old, new} <= ORDER.keys():
                yield old, new


@rule(
    "PL-RES-68",
    "An execution ends.",
    says="A caller asks until the status is 200; no page says how long that takes. Within 10 seconds on this machine, "
    "3 minutes elsewhere.",
    basis="inferred",
    otherwise="no execution could be watched",
)
def test_execution_ends(executions: list[Execution]) -> Checks:
    return (one.last_exchange.check(not one.given_up, "end", one.given_up) for one in executions if one.is_watched)
