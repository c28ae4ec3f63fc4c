"""PromptLayer: run a workflow."""

from functools import partial
from typing import Final

import pytest

from contract_tests.openapi.document import Contract
from contract_tests.openapi.json_text import same
from contract_tests.rules import Checks, Wrong, report_all
from contract_tests.rules import rule as card
from contract_tests.server.checks import WHOLE, member_problems
from contract_tests.server.models.exchange import STRANGERS, Exchange
from contract_tests.server.scenarios import ExecutionScenarios
from contract_tests.server.server import NO_SUCH_WORKFLOW, ServerUnderTest

PAGE: Final = "https://docs.promptlayer.com/reference/run-workflow"
RECORDED: Final = "promptlayer 1.5.16, recorded server replies of its test-suite"
UNAUTHORIZED: Final = 401
rule: Final = partial(
    card, source=PAGE, basis="documented", operations=["runWorkflow"], side="server", service="promptlayer"
)


@pytest.fixture
def replies(server: ServerUnderTest, scenarios: ExecutionScenarios) -> list[Exchange]:
    """Return the responses to runs that were started, with a callback URL and without."""
    replies = [scenarios.must_start()]
    if server.has_listener:
        replies.append(scenarios.called_back_run)
    return [reply for reply in replies if reply.has_succeeded]


@rule(
    "PL-RUN-01",
    "A run without a valid key is answered 401 with an object.",
    says="The key goes into X-API-KEY; 401 with an error object answers a missing or wrong one.",
)
def test_key_is_needed(server: ServerUnderTest) -> Checks:
    replies = [server.run_exactly({"metadata": server.metadata}, access=access) for access in STRANGERS]
    report_all(filter(None, (reply.check_status(UNAUTHORIZED, constraint=reply.access.value) for reply in replies)))
    return (reply.violation("object", wrong=Wrong.BODY) for reply in replies if not reply.is_object)


@rule(
    "PL-RUN-02",
    "A run of an unknown workflow is answered 404.",
    says="404 means that the workflow does not exist or the key may not see it.",
)
def test_unknown_workflow(server: ServerUnderTest) -> None:
    server.must_refuse(server.once("unknown workflow", lambda: server.run(workflow=NO_SUCH_WORKFLOW)), 404)


@rule(
    "PL-RUN-03",
    "A run with an empty body is started, with the latest version.",
    says="Nothing in the body is required; without label and version the latest version runs. On a live target the "
    "body holds the tag alone. That the latest version runs shows where the target's table names it.",
)
def test_empty_body_runs_latest_version(server: ServerUnderTest, scenarios: ExecutionScenarios) -> None:
    plain = scenarios.must_start()
    body = {} if server.target.is_local else {"metadata": server.metadata}
    server.run_exactly(body).must_succeed()
    if server.target.latest_version is not None:
        expected = scenarios.output_of_version(server.target.latest_version)
        plain.expect(same(scenarios.output_of(plain), expected), "version", "another version than the latest ran")


@rule(
    "PL-RUN-04",
    "The response to a run has success, message and workflow_version_execution_id.",
    says="success is a boolean, message a string, workflow_version_execution_id an integer; all three are required.",
)
def test_members_of_the_reply(contract: Contract, replies: list[Exchange]) -> Checks:
    names = (WHOLE, "success", "message", "workflow_version_execution_id")
    return (found for reply in replies for found in member_problems(contract, reply, *names))


@rule(
    "PL-RUN-05",
    "The warning of a run is absent, null or a string.",
    says="warning is optional and may be null.",
    source=f"{PAGE}; {RECORDED}",
)
def test_type_of_the_warning(contract: Contract, replies: list[Exchange], scenarios: ExecutionScenarios) -> Checks:
    all_replies = [*replies, scenarios.run_without_variables]
    return (found for reply in all_replies for found in member_problems(contract, reply, "warning"))


@rule(
    "PL-RUN-66",
    "A run that was started says so.",
    says="success says whether the request was carried out. The examples of both responses have true.",
    basis="inferred",
)
def test_started_run_says_success(replies: list[Exchange]) -> None:
    for reply in replies:
        body = reply.json
        reply.expect(not isinstance(body, dict) or body.get("success") is not False, "member success")


@rule(
    "PL-RUN-06",
    "A run with a callback URL is answered 202.",
    says="With a callback URL the run is accepted at once with 202, and its outcome is posted later.",
    is_about_success=True,
)
def test_callback_is_answered_202(server: ServerUnderTest, scenarios: ExecutionScenarios) -> None:
    scenarios.called_back_run.must_be(202, tried=(server.member("callback_url"),))


@rule(
    "PL-RUN-07",
    "A run without a callback URL is answered 201.",
    says="Without a callback URL the run is created and answered 201.",
    is_about_success=True,
)
def test_no_callback_is_answered_201(scenarios: ExecutionScenarios) -> None:
    scenarios.plain_run.must_be(201)


@rule(
    "PL-RUN-07-NULL",
    "A run with a callback URL of null is a run without one.",
    says="callback_url may be null; no page says that this means the same as leaving it out.",
    basis="inferred",
)
def test_null_callback_is_answered_201(server: ServerUnderTest, scenarios: ExecutionScenarios) -> None:
    plain = scenarios.must_start()
    reply = server.run(callback_url=None).must_succeed(server.member("callback_url"))
    reply.expect(reply.status == plain.status, "status")


@rule(
    "PL-RUN-20",
    "A workflow name is one part of the path, whatever characters it has.",
    says="Names may hold such characters, and clients percent-encode them; an unknown one is refused like any other.",
    source="the vendor's libraries, which encode the name; https://docs.promptlayer.com/changelog of 2026-05-25",
    basis="inferred",
)
def test_odd_name_is_unknown(server: ServerUnderTest) -> None:
    for character in " /?%é":
        server.must_refuse(server.run(workflow=f"{NO_SUCH_WORKFLOW}{character}{server.target.workflow}"))
