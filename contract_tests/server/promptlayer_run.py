"""PromptLayer: run a workflow."""

from typing import Any, Final

from contract_tests.rules import NotApplicable, NotExercised, rule
from contract_tests.server.live import NO_SUCH_LABEL, NO_SUCH_WORKFLOW, Server, id_of

PAGE: Final = "https://docs.promptlayer.com/reference/run-workflow"
RECORDED: Final = "promptlayer 1.5.16, recorded server replies of its test-suite"
WRONG_KEY: Final = "contract-tests-no-such-key"
ABOUT: Final[dict[str, Any]] = {"operations": ["runWorkflow"], "side": "server", "service": "promptlayer"}


@rule(
    "PL-RUN-01",
    "A run without a valid key is answered 401 with an object.",
    says="The key goes into X-API-KEY; 401 with an error object answers a missing or wrong one.",
    source=PAGE,
    basis="documented",
    **ABOUT,
)
def test_key_is_needed(server: Server) -> None:
    """Neither no key nor a wrong one starts a run."""
    for how in ({"authenticated": False}, {"key": WRONG_KEY}):
        reply = server.run_exactly({}, **how)
        reply.must_be(401).expect(isinstance(reply.json, dict), "object")


@rule(
    "PL-RUN-02",
    "A run of an unknown workflow is answered 404.",
    says="404 means that the workflow does not exist or the key may not see it.",
    source=PAGE,
    basis="documented",
    **ABOUT,
)
def test_unknown_workflow(server: Server) -> None:
    """A name that no workflow has is not found."""
    server.run(workflow=NO_SUCH_WORKFLOW).must_be(404)


@rule(
    "PL-RUN-03",
    "A run with an empty body is started.",
    says="Nothing in the body is required; without label and version the latest version runs.",
    source=PAGE,
    basis="documented",
    **ABOUT,
)
def test_empty_body_runs_latest_version(server: Server) -> None:
    """`{}` is a complete body."""
    server.run_exactly({}).must_succeed()


@rule(
    "PL-RUN-04",
    "The reply to a run has success, message and workflow_version_execution_id.",
    says="success is a boolean, message a string, workflow_version_execution_id an integer; all three are required.",
    source=PAGE,
    basis="documented",
    **ABOUT,
)
def test_members_of_the_reply(server: Server) -> None:
    """The three required members are there with their types."""
    reply = server.run().must_succeed()
    reply.must_have("success", bool)
    reply.must_have("message", str)
    reply.must_have("workflow_version_execution_id", int)


@rule(
    "PL-RUN-05",
    "The warning of a run is absent, null or a string.",
    says="warning is optional and may be null.",
    source=f"{PAGE}; {RECORDED}",
    basis="documented",
    **ABOUT,
)
def test_type_of_the_warning(server: Server) -> None:
    """Whether or not there is something to warn of, the warning has one of its types."""
    for reply in (server.run(), server.run_exactly({})):
        body = reply.must_succeed().json
        reply.expect(isinstance(body, dict), "object")
        reply.expect(isinstance(body.get("warning"), str | None), "member warning")


@rule(
    "PL-RUN-06",
    "A run with a callback URL is answered 202.",
    says="With a callback URL the run is accepted at once with 202, and its outcome is posted later.",
    source=PAGE,
    basis="documented",
    **ABOUT,
)
def test_callback_is_answered_202(server: Server) -> None:
    """202, not 201, tells that the outcome will be posted."""
    server.run(callback_url=server.listener.new_url()).must_be(202)


@rule(
    "PL-RUN-07",
    "A run without a callback URL is answered 201.",
    says="Without a callback URL the run is created and answered 201.",
    source=PAGE,
    basis="documented",
    **ABOUT,
)
def test_no_callback_is_answered_201(server: Server) -> None:
    """201, not 202, tells that nothing will be posted."""
    server.run().must_be(201)


@rule(
    "PL-RUN-07-NULL",
    "A run with a callback URL of null is not answered 202.",
    says="callback_url may be null; no page says that this means the same as leaving it out.",
    source=PAGE,
    basis="inferred",
    **ABOUT,
)
def test_null_callback_is_answered_201(server: Server) -> None:
    """Null stands for no callback."""
    reply = server.run(callback_url=None).must_succeed()
    reply.expect(reply.status != 202, "status")  # noqa: PLR2004 - HTTP


@rule(
    "PL-RUN-08",
    "A run by label is started.",
    says="workflow_label_name picks the version that carries the label.",
    source=PAGE,
    basis="documented",
    **ABOUT,
)
def test_label_picks_a_version(server: Server) -> None:
    """A label that exists is enough to start a run."""
    server.run(workflow_label_name=server.label).must_succeed()


@rule(
    "PL-RUN-09",
    "A run by version number is started.",
    says="workflow_version_number picks the version with that number.",
    source=PAGE,
    basis="documented",
    **ABOUT,
)
def test_number_picks_a_version(server: Server) -> None:
    """A version number that exists is enough to start a run."""
    server.run(workflow_version_number=server.version).must_succeed()


@rule(
    "PL-RUN-10",
    "A run with both a label and a version number is refused.",
    says="A label and a version number exclude each other.",
    source=PAGE,
    basis="documented",
    **ABOUT,
)
def test_label_and_number_exclude_each_other(server: Server) -> None:
    """Both together are refused with a 4xx, even if each of them exists."""
    label = server.target.label or NO_SUCH_LABEL
    version = server.target.version if server.target.version is not None else 1
    server.run(workflow_label_name=label, workflow_version_number=version).must_be_refused()


@rule(
    "PL-RUN-11",
    "Null for label, version number and metadata means the same as leaving them out.",
    says="The vendor's own library sends all three as null and is answered 201.",
    source=RECORDED,
    basis="recorded",
    **ABOUT,
)
def test_nulls_are_accepted(server: Server) -> None:
    """A run with nulls is started."""
    server.run(workflow_label_name=None, workflow_version_number=None, metadata=None).must_succeed()


@rule(
    "PL-RUN-12",
    "Metadata with a value that is no string is refused.",
    says="metadata maps strings to strings.",
    source=PAGE,
    basis="documented",
    **ABOUT,
)
def test_metadata_values_are_strings(server: Server) -> None:
    """A number as value is refused with a 4xx."""
    server.run(metadata={"attempt": 1}).must_be_refused()


@rule(
    "PL-RUN-13",
    "A version number that is a text is refused.",
    says="workflow_version_number is an integer or null.",
    source=PAGE,
    basis="documented",
    **ABOUT,
)
def test_version_number_is_an_integer(server: Server) -> None:
    """A word in place of the number is refused with a 4xx."""
    server.run(workflow_version_number="first").must_be_refused()


@rule(
    "PL-RUN-14",
    "A run that lacks an input variable is started with a warning.",
    says="warning tells of missing input variables; a run that lacks one is therefore no error.",
    source=PAGE,
    basis="documented",
    **ABOUT,
)
def test_missing_variable_is_warned_of(server: Server) -> None:
    """If the run is started, the warning is a string; a refusal is left open by the source."""
    assert server.input_variables
    reply = server.run(input_variables={})
    if 400 <= reply.status < 500:  # noqa: PLR2004 - HTTP
        raise NotApplicable("this server refuses a run that lacks an input variable")
    reply.must_succeed().must_have("warning", str)


@rule(
    "PL-RUN-15",
    "A run with an unused input variable is started with a warning.",
    says="warning tells of missing or unused input variables.",
    source=PAGE,
    basis="documented",
    **ABOUT,
)
def test_unused_variable_is_warned_of(server: Server) -> None:
    """A variable that the workflow does not have leads to a string as warning."""
    variables = {**server.input_variables, "contract_tests_unused": "x"}
    reply = server.run(input_variables=variables)
    if 400 <= reply.status < 500:  # noqa: PLR2004 - HTTP
        raise NotApplicable("this server refuses a run with an unused input variable")
    reply.must_succeed().must_have("warning", str)


@rule(
    "PL-RUN-16",
    "A run of an unknown label or version number is refused.",
    says="What does not exist cannot run; no page names the status.",
    source=PAGE,
    basis="inferred",
    **ABOUT,
)
def test_unknown_version_is_refused(server: Server) -> None:
    """A label that no version carries and a number that no version has are refused with a 4xx."""
    server.run(workflow_label_name=NO_SUCH_LABEL).must_be_refused()
    server.run(workflow_version_number=2**31 - 1).must_be_refused()


@rule(
    "PL-RUN-18",
    "Two equal requests start two executions.",
    says="No idempotency key is documented, so that every request is a new execution.",
    source=PAGE,
    basis="inferred",
    **ABOUT,
)
def test_every_request_starts_an_execution(server: Server) -> None:
    """The two execution ids differ."""
    first, second = server.run(), server.run()
    try:
        differs = id_of(first) != id_of(second)
    except NotExercised:
        raise NotExercised("no execution could be started") from None
    second.expect(differs, "workflow_version_execution_id")
