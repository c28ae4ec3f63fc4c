"""PromptLayer: run a workflow."""

from collections.abc import Iterator
from typing import Any, Final

from contract_tests.openapi.document import Contract, Operation
from contract_tests.openapi.json_text import same
from contract_tests.rules import NotApplicable, NotExercised, Violation, Wrong, report_all, rule
from contract_tests.server.checks import WHOLE, member_problems
from contract_tests.server.exchange import STRANGERS, Exchange
from contract_tests.server.models.execution import id_of
from contract_tests.server.scenarios import ExecutionScenarios
from contract_tests.server.server import NO_SUCH_ID, NO_SUCH_LABEL, NO_SUCH_WORKFLOW, ServerUnderTest

PAGE: Final = "https://docs.promptlayer.com/reference/run-workflow"
RECORDED: Final = "promptlayer 1.5.16, recorded server replies of its test-suite"
UNAUTHORIZED: Final = 401
DETAIL: Final = {"loc": list, "msg": str, "type": str}  # members of an entry that a framework's own refusal has
ABOUT: Final[dict[str, Any]] = {"operations": ["runWorkflow"], "side": "server", "service": "promptlayer"}


@rule(
    "PL-RUN-01",
    "A run without a valid key is answered 401 with an object.",
    says="The key goes into X-API-KEY; 401 with an error object answers a missing or wrong one.",
    source=PAGE,
    basis="documented",
    **ABOUT,
)
def test_key_is_needed(server: ServerUnderTest) -> None:
    """Neither no key nor a wrong one starts a run."""
    replies = [server.run_exactly({"metadata": server.metadata}, access=access) for access in STRANGERS]
    report_all(filter(None, (reply.check_status(UNAUTHORIZED, constraint=reply.access.value) for reply in replies)))
    report_all(reply.violation("object", wrong=Wrong.BODY) for reply in replies if not reply.is_object)


@rule(
    "PL-RUN-02",
    "A run of an unknown workflow is answered 404.",
    says="404 means that the workflow does not exist or the key may not see it.",
    source=PAGE,
    basis="documented",
    **ABOUT,
)
def test_unknown_workflow(server: ServerUnderTest) -> None:
    """A name that no workflow has is not found."""
    server.must_refuse(server.once("unknown workflow", lambda: server.run(workflow=NO_SUCH_WORKFLOW)), 404)


@rule(
    "PL-RUN-03",
    "A run with an empty body is started, with the latest version.",
    says="Nothing in the body is required; without label and version the latest version runs. On a live target the "
    "body holds the tag alone. That the latest version runs shows where the target's table names it.",
    source=PAGE,
    basis="documented",
    **ABOUT,
)
def test_empty_body_runs_latest_version(server: ServerUnderTest, lifecycle: ExecutionScenarios) -> None:
    """`{}` is a complete body; the output of the plain run is that of the latest version."""
    plain = lifecycle.must_start()
    body = {} if server.target.is_local else {"metadata": server.metadata}
    server.run_exactly(body).must_succeed()
    if server.target.latest_version is not None:
        expected = lifecycle.output_of_version(server.target.latest_version)
        plain.expect(same(lifecycle.output_of(plain), expected), "version", "another version than the latest ran")


@rule(
    "PL-RUN-04",
    "The response to a run has success, message and workflow_version_execution_id.",
    says="success is a boolean, message a string, workflow_version_execution_id an integer; all three are required.",
    source=PAGE,
    basis="documented",
    **ABOUT,
)
def test_members_of_the_reply(contract: Contract, server: ServerUnderTest, lifecycle: ExecutionScenarios) -> None:
    """The three required members are there with their types, with a callback URL and without."""
    names = (WHOLE, "success", "message", "workflow_version_execution_id")
    replies = _replies(server, lifecycle)
    report_all(found for reply in replies for found in member_problems(contract, reply, *names))


@rule(
    "PL-RUN-05",
    "The warning of a run is absent, null or a string.",
    says="warning is optional and may be null.",
    source=f"{PAGE}; {RECORDED}",
    basis="documented",
    **ABOUT,
)
def test_type_of_the_warning(contract: Contract, server: ServerUnderTest, lifecycle: ExecutionScenarios) -> None:
    """Whether or not there is something to warn of, the warning has one of its types."""
    replies = [*_replies(server, lifecycle), server.once("run without variables", lambda: _without_variables(server))]
    report_all(found for reply in replies for found in member_problems(contract, reply, "warning"))


@rule(
    "PL-RUN-06",
    "A run with a callback URL is answered 202.",
    says="With a callback URL the run is accepted at once with 202, and its outcome is posted later.",
    source=PAGE,
    basis="documented",
    is_about_success=True,
    **ABOUT,
)
def test_callback_is_answered_202(lifecycle: ExecutionScenarios) -> None:
    """202, not 201, tells that the outcome will be posted."""
    lifecycle.called_back_run.must_be(202)


@rule(
    "PL-RUN-07",
    "A run without a callback URL is answered 201.",
    says="Without a callback URL the run is created and answered 201.",
    source=PAGE,
    basis="documented",
    is_about_success=True,
    **ABOUT,
)
def test_no_callback_is_answered_201(lifecycle: ExecutionScenarios) -> None:
    """201, not 202, tells that nothing will be posted."""
    lifecycle.plain_run.must_be(201)


@rule(
    "PL-RUN-07-NULL",
    "A run with a callback URL of null is a run without one.",
    says="callback_url may be null; no page says that this means the same as leaving it out.",
    source=PAGE,
    basis="inferred",
    **ABOUT,
)
def test_null_callback_is_answered_201(server: ServerUnderTest, lifecycle: ExecutionScenarios) -> None:
    """Null is taken, and not for an address: the reply is the one to a run without a callback URL."""
    plain = lifecycle.must_start()
    reply = server.run(callback_url=None).must_succeed(server.member("callback_url"))
    reply.expect(reply.status == plain.status, "status")


@rule(
    "PL-RUN-08",
    "A run by label runs the version that carries the label.",
    says="workflow_label_name picks the version that carries the label. That it does shows where the target's table "
    "names the latest version too; elsewhere only that a run with a label that exists is started.",
    source=PAGE,
    basis="documented",
    **ABOUT,
)
def test_label_picks_a_version(server: ServerUnderTest, lifecycle: ExecutionScenarios) -> None:
    """A label that exists is enough to start a run, whose output is that of the version which carries it."""
    lifecycle.must_start()
    reply = server.run_by_label().must_succeed(server.member("workflow_label_name"))
    if server.target.latest_version is not None:
        expected = lifecycle.output_of_version(server.version)
        reply.expect(same(lifecycle.output_of(reply), expected), "version", "another version than the labelled one ran")


@rule(
    "PL-RUN-09",
    "A run by version number runs that version.",
    says="workflow_version_number picks the version with that number. That it does shows where the target's table "
    "names the latest version too; elsewhere only that a run of a version that exists is started.",
    source=PAGE,
    basis="documented",
    **ABOUT,
)
def test_number_picks_a_version(server: ServerUnderTest, lifecycle: ExecutionScenarios) -> None:
    """A version number that exists is enough to start a run, whose output is not that of another version."""
    lifecycle.must_start()
    reply = lifecycle.version_run(server.version).must_succeed(server.member("workflow_version_number"))
    latest = server.target.latest_version
    if latest not in (None, server.version):
        other = lifecycle.output_of_version(latest)
        reply.expect(not same(lifecycle.output_of(reply), other), "version", f"version {latest} has the same output")


@rule(
    "PL-RUN-10",
    "A run with both a label and a version number is refused.",
    says="A label and a version number exclude each other.",
    source=PAGE,
    basis="documented",
    **ABOUT,
)
def test_label_and_number_exclude_each_other(server: ServerUnderTest) -> None:
    """Both together are refused with a 4xx, though a run with either of them alone is started."""
    label = server.target.label or NO_SUCH_LABEL
    version = server.target.version if server.target.version is not None else 1
    both = server.run(workflow_label_name=label, workflow_version_number=version)
    for alone in (server.run_by_label, server.run_by_version):
        server.must_refuse(both, sound=alone)


@rule(
    "PL-RUN-11",
    "Null for label and version number means the same as leaving them out.",
    says="The vendor's own library sends both as null and is answered 201.",
    source=RECORDED,
    basis="recorded",
    **ABOUT,
)
def test_nulls_are_accepted(server: ServerUnderTest, lifecycle: ExecutionScenarios) -> None:
    """A run with nulls is started."""
    lifecycle.must_start()
    names = ("workflow_label_name", "workflow_version_number")
    server.run(**dict.fromkeys(names)).must_succeed(*map(server.member, names))


@rule(
    "PL-RUN-11-METADATA",
    "Null for metadata means the same as leaving it out.",
    says="The vendor's own library sends null and is answered 201.",
    source=RECORDED,
    basis="recorded",
    **ABOUT,
)
def test_null_metadata_is_accepted(server: ServerUnderTest, lifecycle: ExecutionScenarios) -> None:
    """A run with metadata of null is started; not tried on a live target, where every run carries a tag."""
    if not server.target.is_local:
        raise NotExercised("on a live target every run carries a tag in its metadata")
    lifecycle.must_start()
    server.run(metadata=None).must_succeed(server.member("metadata"))


@rule(
    "PL-RUN-12",
    "Metadata with a value that is no string is refused.",
    says="metadata maps strings to strings.",
    source=PAGE,
    basis="documented",
    **ABOUT,
)
def test_metadata_values_are_strings(server: ServerUnderTest) -> None:
    """A number as value is refused with a 4xx."""
    server.must_refuse(server.run(metadata={**server.metadata, "attempt": 1}))


@rule(
    "PL-RUN-13",
    "A version number that is a text is refused.",
    says="workflow_version_number is an integer or null.",
    source=PAGE,
    basis="documented",
    **ABOUT,
)
def test_version_number_is_an_integer(server: ServerUnderTest) -> None:
    """A word in place of the number is refused with a 4xx."""
    server.must_refuse(server.run(workflow_version_number="first"))


@rule(
    "PL-RUN-13-DIGITS",
    "A version number that is written as a text is refused.",
    says="workflow_version_number is an integer or null; whether digits in a text are taken for one is not said.",
    source=PAGE,
    basis="inferred",
    **ABOUT,
)
def test_digits_are_no_number(server: ServerUnderTest) -> None:
    """The digits of a version that exists, as a text, are refused with a 4xx."""
    server.must_refuse(server.run(workflow_version_number=str(server.version)))


@rule(
    "PL-RUN-14",
    "A run that lacks an input variable is started with a warning.",
    says="warning names missing input variables, so a run that lacks one is not an error.",
    source=PAGE,
    basis="documented",
    **ABOUT,
)
def test_missing_variable_is_warned_of(server: ServerUnderTest, lifecycle: ExecutionScenarios) -> None:
    """If the run is started, the warning is a string; a refusal is left open by the source."""
    server.input_variables  # noqa: B018 - reading it is what demands that there are some
    lifecycle.must_start()
    reply = server.once("run without variables", lambda: _without_variables(server))
    if reply.is_refused:
        raise NotApplicable("this server refuses a run that lacks an input variable")
    _must_warn(reply)


@rule(
    "PL-RUN-15",
    "A run with an unused input variable is started with a warning.",
    says="warning names missing or unused input variables.",
    source=PAGE,
    basis="documented",
    **ABOUT,
)
def test_unused_variable_is_warned_of(server: ServerUnderTest, lifecycle: ExecutionScenarios) -> None:
    """A variable that the workflow does not have leads to a string as warning."""
    variables = {**server.input_variables, "contract_tests_unused": "x"}
    lifecycle.must_start()
    reply = server.run(input_variables=variables)
    if reply.is_refused:
        raise NotApplicable("this server refuses a run with an unused input variable")
    _must_warn(reply)


@rule(
    "PL-RUN-16",
    "A run of an unknown label or version number is refused.",
    says="What does not exist cannot run; no page names the status.",
    source=PAGE,
    basis="inferred",
    **ABOUT,
)
def test_unknown_version_is_refused(server: ServerUnderTest) -> None:
    """A label that no version carries and numbers that no version has, one below zero, are refused with a 4xx."""
    server.must_refuse(server.run(workflow_label_name=NO_SUCH_LABEL))
    for number in (NO_SUCH_ID, -1):
        server.must_refuse(server.run(workflow_version_number=number))


@rule(
    "PL-RUN-17",
    "A refusal says why: in message, error or detail.",
    says="An error body has message, error or both; a framework's own has detail, each entry of which has loc, msg and "
    "type. A client reads all three.",
    source=PAGE,
    basis="documented",
    operations=["runWorkflow", "getWorkflowVersionExecutionResults"],
    side="server",
    service="promptlayer",
)
def test_refusal_says_why(operation: Operation, server: ServerUnderTest) -> None:
    """Every refusal seen so far, and one of each kind, has one of the three members with something in it."""
    if operation.id == "runWorkflow":
        server.once("unknown workflow", lambda: server.run(workflow=NO_SUCH_WORKFLOW))
    else:
        server.once("unknown execution", lambda: server.results(NO_SUCH_ID))
        server.once("no execution id", lambda: server.call(operation.id))
    refused = [one for one in server.watch.of(operation.id) if one.is_refused and one.media]
    if not refused:
        raise NotExercised("nothing was refused")
    report_all(found for reply in refused for found in unexplained(reply))


@rule(
    "PL-RUN-18",
    "Every request starts an execution of its own.",
    says="No idempotency key is documented, so that every request is a new execution.",
    source=PAGE,
    basis="inferred",
    **ABOUT,
)
def test_every_request_starts_an_execution(server: ServerUnderTest, lifecycle: ExecutionScenarios) -> None:
    """The same request once more, and every other one so far, has an execution id of its own."""
    lifecycle.must_start()
    again = server.run()
    seen: dict[int, Exchange] = {}
    for reply in [*(one for one in server.watch.of("runWorkflow") if one.has_succeeded and one is not again), again]:
        id_ = id_of(reply)
        reply.expect(id_ not in seen, "workflow_version_execution_id")
        seen[id_] = reply


@rule(
    "PL-RUN-66",
    "A run that was started says so.",
    says="success says whether the request was carried out. The examples of both responses have true.",
    source=PAGE,
    basis="inferred",
    **ABOUT,
)
def test_started_run_says_success(server: ServerUnderTest, lifecycle: ExecutionScenarios) -> None:
    """Where success is a boolean, it is true in the replies to runs that were started."""
    for reply in _replies(server, lifecycle):
        body = reply.json
        reply.expect(not isinstance(body, dict) or body.get("success") is not False, "member success")


@rule(
    "PL-RUN-20",
    "A workflow name is one part of the path, whatever characters it has.",
    says="Names may hold such characters, and clients percent-encode them; an unknown one is refused like any other.",
    source="the vendor's libraries, which encode the name; https://docs.promptlayer.com/changelog of 2026-05-25",
    basis="inferred",
    **ABOUT,
)
def test_odd_name_is_unknown(server: ServerUnderTest) -> None:
    """An unknown name with a space, a slash, a question mark, a percent sign or an accent is refused with a 4xx."""
    for character in " /?%é":
        server.must_refuse(server.run(workflow=f"{NO_SUCH_WORKFLOW}{character}{server.target.workflow}"))


def _replies(server: ServerUnderTest, lifecycle: ExecutionScenarios) -> list[Exchange]:
    replies = [lifecycle.must_start()]
    if server.has_listener:
        replies.append(lifecycle.called_back_run)
    return [reply for reply in replies if reply.has_succeeded]


def _without_variables(server: ServerUnderTest) -> Exchange:
    return server.run(input_variables={})


def _must_warn(reply: Exchange) -> None:
    reply.must_succeed()
    body = reply.json
    if not isinstance(body, dict):
        raise NotExercised("the reply is no object, of which another rule tells")
    warning = body.get("warning")
    if warning is not None and not isinstance(warning, str):
        raise NotExercised("the warning has another type, of which another rule tells")
    reply.expect(isinstance(warning, str), "member warning")


def unexplained(reply: Exchange) -> Iterator[Violation]:
    """Give what keeps an error body from saying why."""
    body = reply.json
    if not isinstance(body, dict):
        return  # which the schema says already
    told = [body[name] for name in ("message", "error", "detail") if body.get(name)]
    if not told:
        yield reply.violation("message, error or detail")
    detail = body.get("detail")
    for entry in detail if isinstance(detail, list) else ():
        for name, type_ in DETAIL.items():
            if not isinstance(entry, dict) or not isinstance(entry.get(name), type_):
                yield reply.violation(f"detail member {name}")
