"""Interactly: execute a workflow."""

from typing import Any, Final

from contract_tests.rules import NotApplicable, rule
from contract_tests.server.live import Server

PAGE: Final = "https://docs-qa.interactly.ai/api-reference/workflows/workflow-execution/execute-workflow"
STATUSES: Final = {
    "not_started",
    "started",
    "running",
    "failed",
    "completed",
    "paused",
    "waiting_for_user_input",
    "cancelled",
    "aborted_looping_risk",
}
ABOUT: Final[dict[str, Any]] = {"operations": ["executeWorkflow"], "side": "server", "service": "interactly"}


@rule(
    "IA-EXE-51",
    "A workflow id that is not 24 hexadecimal digits in lower case is refused.",
    says="workflow_id has a length of 24 and a pattern of hexadecimal digits in lower case.",
    source=PAGE,
    basis="documented",
    **ABOUT,
)
def test_form_of_the_workflow_id(server: Server) -> None:
    """Too short, in capitals, or with a letter beyond f: each is refused with a 4xx."""
    for workflow in ("abc", "A" * 24, "g" * 24):
        server.execute(_start(server), workflow=workflow).must_be_refused()


@rule(
    "IA-EXE-52",
    "A version below 0 is refused.",
    says="version is an integer from 0.",
    source=PAGE,
    basis="documented",
    **ABOUT,
)
def test_version_is_not_negative(server: Server) -> None:
    """-1 is refused with a 4xx."""
    server.execute(_start(server), query={"version": -1}).must_be_refused()


@rule(
    "IA-EXE-53",
    "Without a valid bearer token there is no access.",
    says="Authorization carries a bearer token and is required.",
    source=PAGE,
    basis="documented",
    **ABOUT,
)
def test_token_is_needed(server: Server) -> None:
    """No token and a wrong one are answered 401 or 403."""
    for how in ({"authenticated": False}, {"key": "contract-tests-no-such-key"}):
        server.execute(_start(server), **how).must_be(401, 403)


@rule(
    "IA-EXE-54",
    "An unknown workflow is answered 404.",
    says="The vendor's library expects 404 for a workflow that does not exist.",
    source="github.com/interactly-ai/workflow-sdk 0.2.0, its tests",
    basis="documented",
    **ABOUT,
)
def test_unknown_workflow(server: Server) -> None:
    """An id that no workflow has is not found."""
    server.execute(_start(server), workflow="f" * 24).must_be(404)


@rule(
    "IA-EXE-55",
    "A command outside start, data, resume, pause and stop is refused.",
    says="command is one of five words.",
    source=PAGE,
    basis="documented",
    **ABOUT,
)
def test_command_is_one_of_five(server: Server) -> None:
    """Another word is refused with a 4xx."""
    server.execute({**_start(server), "command": "rewind"}).must_be_refused()


@rule(
    "IA-EXE-56",
    "Without a version the active one is executed.",
    says="version is optional; without it the active version runs.",
    source=PAGE,
    basis="documented",
    **ABOUT,
)
def test_version_is_optional(server: Server) -> None:
    """A request without version starts a run."""
    server.execute(_start(server)).must_be(200)


@rule(
    "IA-EXE-57",
    "A bare run input is answered 200 with a workflow run in one of nine statuses.",
    says="The body is the run input itself, the reply the workflow run; status is one of nine words.",
    source=PAGE,
    basis="documented",
    **ABOUT,
)
def test_reply_is_a_workflow_run(server: Server) -> None:
    """The reply has a status, and it is one of the nine."""
    reply = server.execute(_start(server)).must_be(200)
    status = reply.must_have("status", str)
    reply.expect(status in STATUSES, "member status")


def _start(server: Server) -> dict[str, Any]:
    if server.target.generation != "a":
        raise NotApplicable("the target serves the other generation of execute")
    return {"command": "start", "dynamic_variables": dict(server.target.input_variables or {})}
