"""PromptLayer: every run and every refusal."""

from typing import Final

from contract_tests.openapi.document import Operation
from contract_tests.rules import NotExercised, report_all, rule
from contract_tests.server.checks import unexplained
from contract_tests.server.models.execution import id_of
from contract_tests.server.scenarios import ExecutionScenarios
from contract_tests.server.server import NO_SUCH_ID, NO_SUCH_WORKFLOW, ServerUnderTest

PAGE: Final = "https://docs.promptlayer.com/reference/run-workflow"


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
    operations=["runWorkflow"],
    side="server",
    service="promptlayer",
)
def test_every_request_starts_an_execution(server: ServerUnderTest, lifecycle: ExecutionScenarios) -> None:
    """The same request once more, and every other one so far, has an execution id of its own."""
    lifecycle.must_start()
    again = server.run()
    seen: set[int] = set()
    for reply in [*(one for one in server.watch.of("runWorkflow") if one.has_succeeded and one is not again), again]:
        id_ = id_of(reply)
        reply.expect(id_ not in seen, "workflow_version_execution_id")
        seen.add(id_)
