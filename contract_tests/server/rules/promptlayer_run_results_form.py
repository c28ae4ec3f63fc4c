"""PromptLayer: what the results of an execution hold."""

from collections.abc import Iterator
from functools import partial
from typing import Final

from contract_tests.openapi.document import Contract
from contract_tests.openapi.json_text import same
from contract_tests.rules import Checks, NotExercised, Violation
from contract_tests.rules import rule as card
from contract_tests.server.models.execution import (
    CASE_OF_STATUS,
    FAILED,
    GONE,
    NODE_OUTPUT,
    OK,
    RUNNING,
    Execution,
    Poll,
    misspelt,
)
from contract_tests.server.scenarios import ExecutionScenarios

PAGE: Final = "https://docs.promptlayer.com/reference/workflow-version-execution-results"
RECORDED: Final = "promptlayer 1.5.16, recorded server replies of its test-suite"
GUIDE: Final = "github.com/MagnivOrg/prompt-layer-docs, running-requests/promptlayer-run-agent.mdx at 2a3c657"
FAILURES: Final = "github.com/MagnivOrg/prompt-layer-docs pull request 230; both vendor libraries"
rule: Final = partial(card, operations=["getWorkflowVersionExecutionResults"], side="server", service="promptlayer")
NEVER_RUNNING: Final = "the execution was never seen running"
NO_OUTPUT: Final = "no output node of the workflow succeeded, or the entries of all nodes cannot be read"


@rule(
    "PL-RES-26",
    "With return_all_outputs the results are an object of entries with five properties.",
    says="Keyed by node name: status, value, error_message, raw_error_message and is_output_node.",
    source=f"{PAGE}; {RECORDED}",
    basis="documented",
    otherwise="no execution was seen to end",
)
def test_form_of_all_outputs(contract: Contract, executions: list[Execution]) -> Checks:
    ended = [poll for poll in _showing_nodes(executions) if poll.is_done]
    return (found for poll in ended for found in _check_entries(contract, poll))


@rule(
    "PL-RES-67",
    "A 202 with return_all_outputs has the form of the results.",
    says="The schema of the 202 is the one of the 200; its example is the object of entries.",
    source=PAGE,
    basis="documented",
    otherwise=NEVER_RUNNING,
)
def test_form_while_running(contract: Contract, executions: list[Execution]) -> Checks:
    running = [poll for poll in _showing_nodes(executions) if not poll.is_done]
    return (found for poll in running for found in _check_entries(contract, poll))


@rule(
    "PL-RES-29",
    "In a 202 with all outputs, an entry that has not ended has the value null.",
    says="The example of a 202 shows null as the value of every node that has not ended.",
    source=PAGE,
    basis="documented",
    otherwise=NEVER_RUNNING,
)
def test_unfinished_entries_have_no_value(executions: list[Execution]) -> Checks:
    return (
        poll.check(entry.get("value") is None, "value")
        for poll in _showing_nodes(executions)
        if not poll.is_done
        for entry in poll.entries.values()
        if entry["status"] in RUNNING
    )


@rule(
    "PL-RES-33",
    "A node that failed has an error message.",
    says="The entry of a failed node is shown with an error_message that is not null.",
    source=GUIDE,
    basis="inferred",
    otherwise="no node was seen to fail",
)
def test_failed_node_says_why(failing: list[Execution]) -> Checks:
    return (
        poll.check(entry.get("error_message") is not None, "member error_message")
        for poll in _showing_nodes(failing)
        for entry in poll.entries.values()
        if entry["status"] in {"FAILED", "FAILURE"}
    )


@rule(
    "PL-RES-27",
    "Without return_all_outputs the result is the bare output value.",
    says="The body is the main output itself, any JSON value; recorded is a bare string.",
    source=f"{PAGE}; {RECORDED}",
    basis="documented",
    otherwise=NO_OUTPUT,
)
def test_form_of_the_main_output(executions: list[Execution]) -> Checks:
    return _check_main_outputs(executions)


def _check_main_outputs(executions: list[Execution]) -> Iterator[Violation | None]:
    for execution in executions:
        if execution.outputs and execution.last(all_outputs=False) is None:
            gone = [one for one in execution.strays if not one.all_outputs and one.status in GONE]
            yield from (one.check(False, "value") for one in gone)  # noqa: FBT003 - it does not hold
        if not execution.asked_for_all:
            yield from _check_values(execution)


@rule(
    "PL-RES-28",
    "The form of the results follows the request for them, not the run.",
    says="Both forms were recorded for one and the same execution.",
    source=RECORDED,
    basis="recorded",
    otherwise=NO_OUTPUT,
)
def test_form_follows_the_request(executions: list[Execution], scenarios: ExecutionScenarios) -> Checks:
    if any(_check_main_outputs(executions)):
        raise NotExercised("the bare output is never given, of which another rule tells")
    scenarios.asked_for_all  # noqa: B018 - reading it is what starts and watches it
    asked_for_all = [execution for execution in scenarios.executions if execution.asked_for_all]
    return (found for execution in asked_for_all for found in _check_values(execution))


@rule(
    "PL-RES-34",
    "An execution without a successful output is reported as failed: by a 500, or by the entries of all nodes.",
    says="The vendor's libraries expect the entries of all nodes in place of the bare output; a proposal has a 500.",
    source=FAILURES,
    basis="inferred",
    otherwise="no execution was seen to fail",
)
def test_failure_is_told(failing: list[Execution]) -> Checks:
    return (
        poll.check(poll.status == FAILED or bool(poll.entries), "form")
        for execution in failing
        if execution.outputs == []
        for poll in execution.main_outputs
    )


def _showing_nodes(executions: list[Execution]) -> list[Poll]:
    return [poll for execution in executions for poll in execution.replies if poll.shows_nodes]


def _check_entries(contract: Contract, poll: Poll) -> Iterator[Violation | None]:
    body = poll.body
    yield poll.check(isinstance(body, dict) and bool(body), "object of entries")
    for entry in body.values() if isinstance(body, dict) else ():
        for problem in contract.problems(entry, NODE_OUTPUT):
            received = poll.exchange.bounded(f"at {problem.at or '/'}: {problem.message}", 160)
            yield poll.check(False, problem.constraint, received)  # noqa: FBT003 - it does not hold
        wrong = misspelt(entry)
        yield poll.check(not wrong, CASE_OF_STATUS, wrong)


def _check_values(execution: Execution) -> Iterator[Violation | None]:
    """Compare the bare responses with the values of the output nodes."""
    outputs = execution.outputs
    for poll in execution.main_outputs if outputs else ():
        if poll.status == OK:
            constraint = "value" if poll.all_outputs is False else "value without the flag"
            yield poll.check(any(same(poll.body, output) for output in outputs or ()), constraint)
