"""PromptLayer: which version a run runs."""

from functools import partial
from typing import Final

from contract_tests.openapi.json_text import same
from contract_tests.rules import rule as card
from contract_tests.server.scenarios import ExecutionScenarios
from contract_tests.server.server import NO_SUCH_ID, NO_SUCH_LABEL, ServerUnderTest

PAGE: Final = "https://docs.promptlayer.com/reference/run-workflow"
RECORDED: Final = "promptlayer 1.5.16, recorded server replies of its test-suite"
rule: Final = partial(card, source=PAGE, operations=["runWorkflow"], side="server", service="promptlayer")


@rule(
    "PL-RUN-08",
    "A run by label runs the version that carries the label.",
    says="workflow_label_name picks the version that carries the label. That it does shows where the target's table "
    "names the latest version too; elsewhere only that a run with a label that exists is started.",
    basis="documented",
)
def test_label_picks_a_version(server: ServerUnderTest, scenarios: ExecutionScenarios) -> None:
    scenarios.must_start()
    reply = server.run_by_label().must_succeed(server.member("workflow_label_name"))
    if server.target.latest_version is not None:
        expected = scenarios.output_of_version(server.version)
        reply.expect(same(scenarios.output_of(reply), expected), "version", "another version than the labelled one ran")


@rule(
    "PL-RUN-09",
    "A run by version number runs that version.",
    says="workflow_version_number picks the version with that number. That it does shows where the target's table "
    "names the latest version too; elsewhere only that a run of a version that exists is started.",
    basis="documented",
)
def test_number_picks_a_version(server: ServerUnderTest, scenarios: ExecutionScenarios) -> None:
    scenarios.must_start()
    reply = scenarios.version_run(server.version).must_succeed(server.member("workflow_version_number"))
    latest = server.target.latest_version
    if latest not in (None, server.version):
        other = scenarios.output_of_version(latest)
        reply.expect(not same(scenarios.output_of(reply), other), "version", f"version {latest} has the same output")


@rule(
    "PL-RUN-10",
    "A run with both a label and a version number is refused.",
    says="A label and a version number exclude each other.",
    basis="documented",
)
def test_label_and_number_exclude_each_other(server: ServerUnderTest) -> None:
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
)
def test_nulls_are_accepted(server: ServerUnderTest, scenarios: ExecutionScenarios) -> None:
    scenarios.must_start()
    names = ("workflow_label_name", "workflow_version_number")
    server.run(**dict.fromkeys(names)).must_succeed(*map(server.member, names))


@rule(
    "PL-RUN-13",
    "A version number that is a text is refused.",
    says="workflow_version_number is an integer or null.",
    basis="documented",
)
def test_version_number_is_an_integer(server: ServerUnderTest) -> None:
    server.must_refuse(server.run(workflow_version_number="first"))


@rule(
    "PL-RUN-13-DIGITS",
    "A version number that is written as a text is refused.",
    says="workflow_version_number is an integer or null; whether digits in a text are taken for one is not said.",
    basis="inferred",
)
def test_digits_are_no_number(server: ServerUnderTest) -> None:
    server.must_refuse(server.run(workflow_version_number=str(server.version)))


@rule(
    "PL-RUN-16",
    "A run of an unknown label or version number is refused.",
    says="What does not exist cannot run; no page names the status.",
    basis="inferred",
)
def test_unknown_version_is_refused(server: ServerUnderTest) -> None:
    server.must_refuse(server.run(workflow_label_name=NO_SUCH_LABEL))
    for number in (NO_SUCH_ID, -1):
        server.must_refuse(server.run(workflow_version_number=number))
