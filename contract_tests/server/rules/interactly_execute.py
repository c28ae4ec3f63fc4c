"""Interactly: execute a workflow."""

from functools import partial
from typing import Any, Final

from contract_tests.openapi.document import Contract
from contract_tests.rules import Checks, NotExercised, report_all
from contract_tests.rules import rule as card
from contract_tests.server.checks import DENIED, WHOLE, explanation_problems, member_problems
from contract_tests.server.conversations import Conversations
from contract_tests.server.models.conversation import run_id_of
from contract_tests.server.models.exchange import STRANGERS, Access, Exchange
from contract_tests.server.server import NO_SUCH_OBJECT, ServerUnderTest

PAGE: Final = "https://docs-qa.interactly.ai/api-reference/workflows/workflow-execution/execute-workflow"
LIBRARY: Final = "github.com/interactly-ai/workflow-sdk 0.2.0, its tests"
AT_A_TIME: Final = 3
rule: Final = partial(card, source=PAGE, operations=["executeWorkflow"], side="server", service="interactly")


@rule(
    "IA-EXE-51",
    "A workflow id that is not 24 hexadecimal digits in lower case is refused.",
    says="workflow_id has a length of 24 and a pattern of hexadecimal digits in lower case.",
    basis="documented",
)
def test_form_of_the_workflow_id(server: ServerUnderTest) -> None:
    for workflow in ("A" * 24, "g" * 24, "abc", "f" * 25):
        server.must_refuse(server.execute(server.start_body, workflow=workflow))


@rule("IA-EXE-52", "A version below 0 is refused.", says="version is an integer from 0.", basis="documented")
def test_version_is_not_negative(server: ServerUnderTest) -> None:
    server.must_refuse(server.execute(server.start_body, query={"version": -1}))


@rule(
    "IA-EXE-53",
    "Without a valid bearer token there is no access.",
    says="Authorization carries a bearer token and is required.",
    basis="documented",
)
def test_token_is_needed(server: ServerUnderTest) -> Checks:
    replies = [server.execute(server.start_body, access=access) for access in STRANGERS]
    return (reply.check_status(*DENIED, constraint=reply.access.value) for reply in replies)


@rule(
    "IA-EXE-54",
    "An unknown workflow is answered 404.",
    says="The vendor's library expects 404 for a workflow that does not exist.",
    source=LIBRARY,
    basis="documented",
)
def test_unknown_workflow(server: ServerUnderTest) -> None:
    server.once("unknown workflow", lambda: server.execute(server.start_body, workflow=NO_SUCH_OBJECT)).must_be(404)


@rule(
    "IA-EXE-55",
    "A command outside start, data, resume, pause and stop is refused.",
    says="command has five enum values.",
    basis="documented",
)
def test_command_is_one_of_five(server: ServerUnderTest) -> None:
    for command in ("rewind", "START"):
        server.must_refuse(server.execute(server.body_of({**server.start_input, "command": command})))


@rule(
    "IA-EXE-56",
    "Without a version the active one is executed.",
    says="version is optional; without it the active version runs. Which one is active no operation tells: only that a "
    "run is started is checked.",
    basis="documented",
    is_about_success=True,
)
def test_version_is_optional(conversations: Conversations) -> None:
    reply = conversations.started
    if conversations.fails_to_start:
        raise NotExercised(f"no run can be started: {reply.shown}")
    reply.must_succeed()


@rule(
    "IA-EXE-57",
    "A bare run input is answered 200 with a workflow run in one of nine statuses.",
    says="The body is the run input itself, the reply the workflow run; status is one of nine words.",
    basis="documented",
    is_about_success=True,
)
def test_reply_is_a_workflow_run(contract: Contract, conversations: Conversations) -> None:
    if conversations.fails_to_start:
        conversations.started.must_be(200)
    reply = conversations.must_start().must_be(200)
    report_all(member_problems(contract, reply, WHOLE, "status"))
    reply.must_have("status", str)


@rule(
    "IA-EXE-64",
    "Several runs at a time are started, or refused with a reason.",
    says="The number of runs at a time is limited. The limits, and the response at a limit, are not documented.",
    basis="inferred",
)
def test_several_runs_at_a_time(server: ServerUnderTest, conversations: Conversations) -> None:
    conversations.must_start()
    for _ in range(AT_A_TIME):
        reply = server.execute(server.start_body)
        if not reply.has_succeeded and not reply.is_refused:
            reply.must_be(503)


@rule(
    "IA-EXE-66",
    "Every start is a run of its own.",
    says="Without workflow_run_id a new run is started; logical_id is unique.",
    basis="inferred",
)
def test_every_start_is_a_run(server: ServerUnderTest, conversations: Conversations) -> None:
    conversations.must_start()
    server.execute(server.start_body)
    seen: dict[str, set[str]] = {"workflow_run_id": set(), "logical_id": set()}
    for reply in server.watch.of("executeWorkflow"):
        body = reply.json if reply.has_succeeded and _is_start(reply.case.body) else {}
        for member, ids in seen.items():
            id_ = body.get(member) if isinstance(body, dict) else None
            if isinstance(id_, str):
                reply.expect(id_ not in ids, f"member {member}")
                ids.add(id_)
    if not any(seen.values()):
        raise NotExercised("the runs have no ids")


@rule(
    "IA-EXE-75",
    "The version of the query is the one that runs.",
    says="version picks the version to execute, and version_number of the run says which one it is.",
    basis="documented",
)
def test_version_of_the_query_runs(server: ServerUnderTest, conversations: Conversations) -> None:
    conversations.must_start()
    version = _version_parameter(server)
    reply = server.execute(server.start_body, query={"version": server.version}).must_succeed(version)
    body = reply.json
    if not isinstance(body, dict) or body.get("version_number") is None:
        raise NotExercised("the reply does not say which version runs")
    reply.expect(body["version_number"] == server.version, "member version_number")


@rule(
    "IA-EXE-76",
    "A run says who started it.",
    says="run_by of the run is the user or system that started it, as run_by of the input is.",
    basis="inferred",
)
def test_run_says_who_started_it(server: ServerUnderTest, conversations: Conversations) -> None:
    reply = conversations.must_start()
    body = reply.json
    if not isinstance(body, dict) or body.get("run_by") is None:
        raise NotExercised("the reply does not say who started the run")
    reply.expect(body["run_by"] == server.tag, "member run_by")


@rule(
    "IA-EXE-77",
    "A command to an unknown run is refused.",
    says="The vendor's library expects 404 for a session that is gone; for this form of the body no page says it.",
    source=LIBRARY,
    basis="inferred",
)
def test_unknown_run(server: ServerUnderTest, conversations: Conversations) -> None:
    conversations.must_start()
    server.must_refuse(server.command_to_no_run())


@rule(
    "IA-EXE-82",
    "A command for a run is answered with this run.",
    says="workflow_run_id, or run_id in a turn, is the run to go on with; without it a new run is started.",
    basis="documented",
)
def test_command_is_answered_with_its_run(server: ServerUnderTest) -> Checks:
    server.command_to_no_run()
    own = [one for one in server.watch.of("executeWorkflow") if one.access is Access.OWN and one.is_legal]
    named = [(one, _run_named_by(one)) for one in own]
    return (
        one.check(run_id_of(one) in {None, run}, "id of the run", f"the command is for run {run}")
        for one, run in named
        if run is not None
    )


@rule(
    "IA-EXE-16",
    "A version that does not exist is refused.",
    says="What does not exist cannot run; no page names the status. Legacy workflows ignore the version.",
    basis="inferred",
)
def test_unknown_version_is_refused(server: ServerUnderTest, conversations: Conversations) -> None:
    conversations.must_start()
    server.must_refuse(server.start_of_no_version())


@rule(
    "IA-EXE-17",
    "A refusal says why: in message, error or detail.",
    says="No page shows an error body. A service that refuses a request should give a reason.",
    basis="inferred",
)
def test_refusal_says_why(server: ServerUnderTest) -> Checks:
    server.once("unknown workflow", lambda: server.execute(server.start_body, workflow=NO_SUCH_OBJECT))
    refused = [one for one in server.watch.of("executeWorkflow") if one.is_refused and one.media]
    return (found for reply in refused for found in explanation_problems(reply))


def _run_named_by(exchange: Exchange) -> str | None:
    """Return the run that a command is for; None if it names none."""
    body = exchange.case.body if isinstance(exchange.case.body, dict) else {}
    found = body.get("run_id" if "run_input" in body else "workflow_run_id")
    return found if isinstance(found, str) else None


def _is_start(body: Any) -> bool:
    return isinstance(body, dict) and body.get("command", "start") == "start" and body.get("workflow_run_id") is None


def _version_parameter(server: ServerUnderTest) -> str:
    """Return where the contract states the parameter version; what a refusal of it is about."""
    parameters = server.contract.operation("executeWorkflow").parameters
    return next((one.pointer for one in parameters if one.name == "version"), "version")
