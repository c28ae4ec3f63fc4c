"""PromptLayer: fetch the results of an execution."""

from typing import Any, Final

import pytest

from contract_tests.rules import NotExercised, rule
from contract_tests.server.models.execution import Execution
from contract_tests.server.scenarios import ExecutionScenarios
from contract_tests.server.server import NO_SUCH_ID, ServerUnderTest

PAGE: Final = "https://docs.promptlayer.com/reference/workflow-version-execution-results"
RECORDED: Final = "promptlayer 1.5.16, recorded server replies of its test-suite"
GUIDE: Final = "github.com/MagnivOrg/prompt-layer-docs, running-requests/promptlayer-run-agent.mdx at 2a3c657"
FAILURES: Final = "github.com/MagnivOrg/prompt-layer-docs pull request 230; both vendor libraries"
OPERATION: Final = "getWorkflowVersionExecutionResults"
ABOUT: Final[dict[str, Any]] = {"operations": [OPERATION], "side": "server", "service": "promptlayer"}
NEVER_RUNNING: Final = "the execution was never seen running"
NO_OUTPUT: Final = "no output node of the workflow succeeded, or the entries of all nodes cannot be read"


@pytest.fixture
def executions(lifecycle: ExecutionScenarios) -> list[Execution]:
    """Give executions that were watched to their ends; the same ones for every rule."""
    return [lifecycle.plain, *lifecycle.drawn]


@pytest.fixture
def failing(lifecycle: ExecutionScenarios) -> Execution | None:
    """Give an execution whose output nodes fail, if the target lets one ask for it; None if not."""
    try:
        return lifecycle.failing
    except NotExercised:
        return None


@rule(
    "PL-RES-21",
    "A request for results without an execution id is refused.",
    says="workflow_version_execution_id is required.",
    source=PAGE,
    basis="documented",
    **ABOUT,
)
def test_execution_id_is_required(server: ServerUnderTest) -> None:
    """Without the id the answer is a 4xx."""
    server.must_refuse(server.once("no execution id", lambda: server.call(OPERATION)))


@rule(
    "PL-RES-22",
    "An unknown execution id is answered 404 or 403.",
    says="404 and 403 are documented for what does not exist or belongs to another workspace.",
    source=PAGE,
    basis="documented",
    **ABOUT,
)
def test_unknown_execution(server: ServerUnderTest) -> None:
    """An id that no execution has is not found."""
    server.once("unknown execution", lambda: server.results(NO_SUCH_ID)).must_be(404, 403)


@pytest.mark.usefixtures("executions")
@rule(
    "PL-RES-23",
    "While a node is queued or running, the status is 202.",
    says="202 means that at least one node is QUEUED or RUNNING.",
    source=PAGE,
    basis="documented",
    **ABOUT,
)
def test_running_is_answered_202(server: ServerUnderTest) -> None:
    """Every reply that shows a node which has not ended has the status 202, and none in the other form came before."""
    server.ledger.must_be_kept("PL-RES-23", NEVER_RUNNING)


@pytest.mark.usefixtures("executions")
@rule(
    "PL-RES-24",
    "Once every node has ended, the status is 200.",
    says="200 means that all nodes are SUCCESS, FAILED or SKIPPED.",
    source=PAGE,
    basis="documented",
    **ABOUT,
)
def test_ended_is_answered_200(server: ServerUnderTest) -> None:
    """Every reply that shows all nodes ended has the status 200, and from then on the other form has it too."""
    server.ledger.must_be_kept("PL-RES-24", "no execution was seen to end")


@pytest.mark.usefixtures("executions")
@rule(
    "PL-RES-25",
    "Results do not change once they are there.",
    says="A poll ends with 200; nothing says that a finished execution could change afterwards.",
    source=PAGE,
    basis="inferred",
    **ABOUT,
)
def test_results_stay(server: ServerUnderTest) -> None:
    """Later requests in the same form get the same status and the same body, for as long as the check lasts."""
    server.ledger.must_be_kept("PL-RES-25", "no execution was seen to end")


@pytest.mark.usefixtures("executions")
@rule(
    "PL-RES-26",
    "With return_all_outputs the results are an object of entries with five properties.",
    says="Keyed by node name: status, value, error_message, raw_error_message and is_output_node.",
    source=f"{PAGE}; {RECORDED}",
    basis="documented",
    **ABOUT,
)
def test_form_of_all_outputs(server: ServerUnderTest) -> None:
    """The body is an object, and each of its values has the five members with their types."""
    server.ledger.must_be_kept("PL-RES-26", "no execution was seen to end")


@pytest.mark.usefixtures("executions")
@rule(
    "PL-RES-27",
    "Without return_all_outputs the result is the bare output value.",
    says="The body is the main output itself, any JSON value; recorded is a bare string.",
    source=f"{PAGE}; {RECORDED}",
    basis="documented",
    **ABOUT,
)
def test_form_of_the_main_output(server: ServerUnderTest) -> None:
    """With the flag false and without it, the body is the value of an output node and not the object of entries."""
    server.ledger.must_be_kept("PL-RES-27", NO_OUTPUT)


@pytest.mark.usefixtures("executions")
@rule(
    "PL-RES-28",
    "The form of the results follows the request for them, not the run.",
    says="Both forms were recorded for one and the same execution.",
    source=RECORDED,
    basis="recorded",
    **ABOUT,
)
def test_form_follows_the_request(server: ServerUnderTest, lifecycle: ExecutionScenarios) -> None:
    """A run that asked for all outputs still gives the bare one, if the request for results asks for that."""
    if server.ledger.found.get("PL-RES-27"):
        raise NotExercised("the bare output is never given; PL-RES-27 says more")
    lifecycle.asked_for_all  # noqa: B018 - reading it is what starts and watches it
    server.ledger.must_be_kept("PL-RES-28", NO_OUTPUT)


@pytest.mark.usefixtures("executions")
@rule(
    "PL-RES-29",
    "In a 202 with all outputs, an entry that has not ended has the value null.",
    says="The example of a 202 shows null as the value of every node that has not ended.",
    source=PAGE,
    basis="documented",
    **ABOUT,
)
def test_unfinished_entries_have_no_value(server: ServerUnderTest) -> None:
    """QUEUED and RUNNING go with a value of null."""
    server.ledger.must_be_kept("PL-RES-29", NEVER_RUNNING)


@pytest.mark.usefixtures("failing")
@rule(
    "PL-RES-33",
    "A node that failed has an error message.",
    says="The entry of a failed node is shown with an error_message that is not null.",
    source=GUIDE,
    basis="inferred",
    **ABOUT,
)
def test_failed_node_says_why(server: ServerUnderTest) -> None:
    """Every entry with the status FAILED has an error_message other than null."""
    server.ledger.must_be_kept("PL-RES-33", "no node was seen to fail")


@pytest.mark.usefixtures("failing")
@rule(
    "PL-RES-34",
    "An execution without a successful output is reported as failed: by a 500, or by the entries of all nodes.",
    says="The vendor's libraries expect the entries of all nodes in place of the bare output; a proposal has a 500.",
    source=FAILURES,
    basis="inferred",
    **ABOUT,
)
def test_failure_is_told(server: ServerUnderTest) -> None:
    """Where no output node succeeded, the bare form is a 500 or an object of entries, never a value."""
    server.ledger.must_be_kept("PL-RES-34", "no execution was seen to fail")


@pytest.mark.usefixtures("executions")
@rule(
    "PL-RES-66",
    "A node goes from QUEUED to RUNNING to its end, and never back.",
    says="A node has five statuses, the last three of which are final.",
    source=PAGE,
    basis="inferred",
    **ABOUT,
)
def test_nodes_go_on(server: ServerUnderTest) -> None:
    """Between two requests a node's status stays or goes on; one that has ended keeps its status."""
    server.ledger.must_be_kept("PL-RES-66", NO_OUTPUT)


@pytest.mark.usefixtures("executions")
@rule(
    "PL-RES-67",
    "A 202 with return_all_outputs has the form of the results.",
    says="The schema of the 202 is the one of the 200; its example is the object of entries.",
    source=PAGE,
    basis="documented",
    **ABOUT,
)
def test_form_while_running(server: ServerUnderTest) -> None:
    """The body is an object, and each of its values has the five members with their types."""
    server.ledger.must_be_kept("PL-RES-67", NEVER_RUNNING)


@pytest.mark.usefixtures("executions")
@rule(
    "PL-RES-68",
    "An execution ends.",
    says="A caller asks until the status is 200; no page says how long that takes. Within 10 seconds on this machine, "
    "3 minutes elsewhere.",
    source=PAGE,
    basis="inferred",
    **ABOUT,
)
def test_execution_ends(server: ServerUnderTest) -> None:
    """Every execution of the target's workflow comes to an end while it is watched."""
    server.ledger.must_be_kept("PL-RES-68", "no execution could be watched")
