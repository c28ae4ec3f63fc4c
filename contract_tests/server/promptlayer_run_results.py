"""PromptLayer: fetch the results of an execution."""

import time
from typing import Any, Final

from contract_tests.exchange import Exchange
from contract_tests.rules import NotApplicable, NotExercised, Violation, rule
from contract_tests.server.live import NO_SUCH_ID, Poll, Server

PAGE: Final = "https://docs.promptlayer.com/reference/workflow-version-execution-results"
RECORDED: Final = "promptlayer 1.5.16, recorded server replies of its test-suite"
OPERATION: Final = "getWorkflowVersionExecutionResults"
ABOUT: Final[dict[str, Any]] = {"operations": [OPERATION], "side": "server", "service": "promptlayer"}
RUNNING: Final = {"QUEUED", "RUNNING"}
ENDED: Final = {"SUCCESS", "FAILED", "SKIPPED"}
ENTRY: Final = {"status", "value", "error_message", "raw_error_message", "is_output_node"}
LATER_POLLS: Final = 3


@rule(
    "PL-RES-21",
    "A request for results without an execution id is refused.",
    says="workflow_version_execution_id is required.",
    source=PAGE,
    basis="documented",
    **ABOUT,
)
def test_execution_id_is_required(server: Server) -> None:
    """Without the id the answer is a 4xx."""
    server.call(OPERATION).must_be_refused()


@rule(
    "PL-RES-22",
    "An unknown execution id is answered 404 or 403.",
    says="404 and 403 are documented for what does not exist or belongs to another workspace.",
    source=PAGE,
    basis="documented",
    **ABOUT,
)
def test_unknown_execution(server: Server) -> None:
    """An id that no execution has is not found."""
    server.results(NO_SUCH_ID).must_be(404, 403)


@rule(
    "PL-RES-23",
    "While a node is queued or running, the status is 202.",
    says="202 means that at least one node is QUEUED or RUNNING.",
    source=PAGE,
    basis="documented",
    **ABOUT,
)
def test_running_is_answered_202(server: Server) -> None:
    """Every reply that shows a node which has not ended has the status 202."""
    seen = [poll for poll in server.execution.polls if poll.return_all_outputs and _statuses(poll) & RUNNING]
    if not seen:
        raise NotExercised("the execution was never seen running")
    for poll in seen:
        poll.exchange.must_be(202)


@rule(
    "PL-RES-24",
    "Once every node has ended, the status is 200.",
    says="200 means that all nodes are SUCCESS, FAILED or SKIPPED.",
    source=PAGE,
    basis="documented",
    **ABOUT,
)
def test_ended_is_answered_200(server: Server) -> None:
    """Every reply that shows all nodes ended has the status 200, and the execution comes to that."""
    for poll in server.execution.polls:
        statuses = _statuses(poll) if poll.return_all_outputs else set()
        if statuses and statuses <= ENDED:
            poll.exchange.must_be(200)
    server.execution.last(return_all_outputs=True).must_be(200)


@rule(
    "PL-RES-25",
    "Results do not change once they are there.",
    says="A poll ends with 200; nothing says that a finished execution could change afterwards.",
    source=PAGE,
    basis="inferred",
    **ABOUT,
)
def test_results_stay(server: Server) -> None:
    """Later requests get the same status and the same body."""
    execution = server.execution
    first = execution.last(return_all_outputs=True)
    for _ in range(LATER_POLLS):
        time.sleep(0.05)
        later = server.results(execution.id, return_all_outputs=True).must_be(first.status)
        later.expect(later.json == first.json, "body")


@rule(
    "PL-RES-26",
    "With return_all_outputs the results are an object of entries with five members.",
    says="Keyed by node name: status, value, error_message, raw_error_message and is_output_node.",
    source=f"{PAGE}; {RECORDED}",
    basis="documented",
    **ABOUT,
)
def test_form_of_all_outputs(server: Server) -> None:
    """The body is an object, and each of its values has the five members."""
    _must_be_entries(server.execution.last(return_all_outputs=True).must_be(200))


@rule(
    "PL-RES-27",
    "Without return_all_outputs the result is the bare output value.",
    says="The body is the main output itself, any JSON value; recorded is a bare string.",
    source=f"{PAGE}; {RECORDED}",
    basis="documented",
    **ABOUT,
)
def test_form_of_the_main_output(server: Server) -> None:
    """With the flag false and without it, the body is the value of an output node and not the object of entries."""
    outputs = _outputs(server)
    for reply in (server.execution.last(return_all_outputs=False), server.results(server.execution.id)):
        reply.must_be(200)
        reply.expect(reply.json in outputs, "value")


@rule(
    "PL-RES-28",
    "The form of the results follows the request for them, not the run.",
    says="Both forms were recorded for one and the same execution.",
    source=RECORDED,
    basis="recorded",
    **ABOUT,
)
def test_form_follows_the_request(server: Server) -> None:
    """A run that asked for all outputs still gives the bare one, if the request for results asks for that."""
    execution = server.watch(server.run(return_all_outputs=True))
    entries = execution.last(return_all_outputs=True).must_be(200)
    _must_be_entries(entries)
    bare = execution.last(return_all_outputs=False).must_be(200)
    bare.expect(not _is_entries(bare.json) or bare.json != entries.json, "value")


@rule(
    "PL-RES-29",
    "In a 202 with all outputs, an entry that has not ended has the value null.",
    says="The example of a 202 shows null as the value of every node that has not ended.",
    source=PAGE,
    basis="documented",
    **ABOUT,
)
def test_unfinished_entries_have_no_value(server: Server) -> None:
    """QUEUED and RUNNING go with a value of null."""
    pending = [poll for poll in server.execution.polls if poll.return_all_outputs and not poll.is_done]
    if not pending:
        raise NotExercised("the execution was never seen running")
    for poll in pending:
        body = poll.exchange.json
        entries = [entry for entry in body.values() if isinstance(entry, dict)] if isinstance(body, dict) else []
        holds = all(entry.get("value") is None for entry in entries if entry.get("status") in RUNNING)
        poll.exchange.expect(holds, "value")


def _statuses(poll: Poll) -> set[str]:
    try:
        body = poll.exchange.json
    except Violation:
        return set()
    entries = body.values() if isinstance(body, dict) else ()
    return {str(entry["status"]) for entry in entries if isinstance(entry, dict) and "status" in entry}


def _must_be_entries(reply: Exchange) -> None:
    body = reply.json
    reply.expect(isinstance(body, dict), "object")
    for entry in body.values():
        reply.expect(isinstance(entry, dict), "entry")
        for member in sorted(ENTRY):
            reply.expect(member in entry, f"entry member {member}")


def _is_entries(body: Any) -> bool:
    entries = body.values() if isinstance(body, dict) else ()
    return bool(entries) and all(isinstance(entry, dict) and entry.keys() >= ENTRY for entry in entries)


def _outputs(server: Server) -> list[Any]:
    body = server.execution.last(return_all_outputs=True).json
    if not _is_entries(body):
        raise NotExercised("the entries of all nodes cannot be read; another rule says why")
    ended = [entry for entry in body.values() if entry["status"] == "SUCCESS"]
    outputs = [entry["value"] for entry in ended if entry["is_output_node"]]
    if not outputs:
        raise NotApplicable("no output node of the workflow succeeded")
    # With several output nodes it is open which one wins, and whether they come together by name.
    return outputs if len(outputs) == 1 else [*outputs, _by_name(body)]


def _by_name(body: dict[str, Any]) -> dict[str, Any]:
    return {name: entry["value"] for name, entry in body.items() if entry["is_output_node"]}
