"""PromptLayer: every run and every refusal."""

from functools import partial
from typing import Final

from contract_tests.openapi.document import Operation
from contract_tests.rules import Checks, NotExercised
from contract_tests.rules import rule as card
from contract_tests.server.checks import explanation_problems
from contract_tests.server.models.execution import id_of
from contract_tests.server.scenarios import ExecutionScenarios
from contract_tests.server.server import NO_SUCH_ID, NO_SUCH_WORKFLOW, ServerUnderTest

PAGE: Final = "https://docs.promptlayer.com/reference/run-workflow"
rule: Final = partial(card, source=PAGE, side="server", service="promptlayer")


@rule(
    "PL-RUN-17",
    "A refusal says why: in message, error or detail.",
    says="An error body has message, error or both; a framework's own has detail, each entry of which has loc, msg and "
    "type. A client reads all three.",
    basis="documented",
    operations=["runWorkflow", "getWorkflowVersionExecutionResults"],
)
def test_refusal_says_why(operation: Operation, server: ServerUnderTest) -> Checks:
    if operation.id == "runWorkflow":
        server.once("unknown workflow", lambda: server.run(workflow=NO_SUCH_WORKFLOW))
    else:
        server.once("unknown execution", lambda: server.results(NO_SUCH_ID))
        server.once("no execution id", lambda: server.call(operation.id))
    refused = [one for one in server.watch.of(operation.id) if one.is_refused and one.media]
    if not refused:
        raise NotExercised("nothing was refused")
    return (found for reply in refused for found in explanation_problems(reply))


@rule(
    "PL-RUN-18",
    "Every request starts an execution of its own.",
    says="A run is created by the request, and 201 says that it was. No documented key makes two requests one.",
    source=f"{PAGE}; https://www.rfc-editor.org/rfc/rfc9110#section-15.3.2",
    basis="documented",
    operations=["runWorkflow"],
)
def test_every_request_starts_an_execution(server: ServerUnderTest, scenarios: ExecutionScenarios) -> None:
    scenarios.must_start()
    again = server.run()
    seen: set[int] = set()
    for reply in [*(one for one in server.watch.of("runWorkflow") if one.has_succeeded and one is not again), again]:
        id_ = id_of(reply)
        reply.expect(id_ not in seen, "workflow_version_execution_id")
        seen.add(id_)
