"""Waiting for a run: what ends it, what does not, and what an interrupted wait leaves behind."""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import raw_server as raw
from client_calls import (
    ACCEPTED,
    ASYNC,
    CREATED,
    FAILED,
    INTERACTLY_WORKFLOW,
    NODES,
    PENDING,
    RUN,
    SYNC,
    Flavour,
    Wire,
    reply,
)

from workflow_runs import (
    BadArgument,
    NotFound,
    RunFailed,
    RunOutcome,
    ServerError,
    WaitTimeout,
    WorkflowRunsError,
    models,
)

if TYPE_CHECKING:
    from workflow_sandbox import Sandbox

# The first question comes after 0.045 s or at the deadline, whichever is sooner: with this one it is the only one.
_SOON = 0.04


def _node(status: str, value: Any = None, *, is_output: bool | None = True, **more: Any) -> dict[str, Any]:
    return {
        "status": status,
        "value": value,
        "error_message": None,
        "raw_error_message": None,
        "is_output_node": is_output,
        **more,
    }


def _waiting(flavour: Flavour, *replies: Any, **settings: Any) -> tuple[Any, Wire]:
    wire = Wire(*replies)
    return flavour.client("promptlayer", wire, **settings), wire


# Against the sandbox


def test_a_run_of_the_sandbox_ends_in_its_output(sandbox: Sandbox, flavour: Flavour) -> None:
    """Start and wait in one call, against a server that really runs something."""
    if flavour is SYNC:
        with flavour.client("promptlayer", base_url=sandbox.promptlayer_url, api_key=sandbox.api_key) as client:
            outcome = client.run_and_wait("canary", input_variables={"user_message": "ping"}, return_all_outputs=True)
    else:

        async def awaited() -> RunOutcome:
            settings = {"base_url": sandbox.promptlayer_url, "api_key": sandbox.api_key}
            async with flavour.client("promptlayer", **settings) as client:
                done: RunOutcome = await client.run_and_wait(
                    "canary", input_variables={"user_message": "ping"}, return_all_outputs=True
                )
                return done

        outcome = asyncio.run(awaited())
    assert type(outcome) is RunOutcome
    assert outcome.nodes is not None
    assert outcome.nodes.keys() == {"Draft", "Reply"}
    assert outcome.output == outcome.nodes["Reply"].value
    assert "ping" in json.dumps(outcome.output)


def test_another_client_can_wait_for_a_run(sandbox: Sandbox) -> None:
    """An execution id is all that is needed, in another client or process."""
    settings = {"base_url": sandbox.promptlayer_url, "api_key": sandbox.api_key}
    with SYNC.client("promptlayer", **settings) as client:
        run = client.run_workflow("canary", input_variables={"user_message": "ping"})
    with SYNC.client("promptlayer", **settings) as client:
        outcome = client.wait(run.workflow_version_execution_id)
        assert outcome == client.wait(run)
    assert outcome.execution_id == run.workflow_version_execution_id
    assert outcome.nodes is None
    assert outcome.output is not None


def test_an_unknown_workflow_of_the_sandbox_is_not_found(sandbox: Sandbox) -> None:
    """A refusal is told at once, by its class."""
    with (
        SYNC.client("promptlayer", base_url=sandbox.promptlayer_url, api_key=sandbox.api_key) as client,
        pytest.raises(NotFound),
    ):
        client.run_and_wait("no such workflow")


def test_a_conversation_with_the_sandbox_goes_on(sandbox: Sandbox) -> None:
    """An Interactly run is started and then sent data, with typed replies."""
    with SYNC.client("interactly", base_url=sandbox.interactly_url, api_key=sandbox.api_key) as client:
        run = client.execute_workflow(INTERACTLY_WORKFLOW, command="start")
        assert type(run) is models.WorkflowRun
        again = client.execute_workflow(
            INTERACTLY_WORKFLOW,
            command="data",
            workflow_run_id=run.workflow_run_id,
            thread_to_node_inputs={"0": {"node_run_inputs": [{"text": "hello"}]}},
        )
        assert again.workflow_run_id == run.workflow_run_id


# Against a scripted service


@pytest.mark.parametrize("value", [None, False, 0, "", {}, [], "text", {"a": {"status": "FAILED"}}, [_node("FAILED")]])
def test_any_value_is_an_outcome(value: Any, flavour: Flavour) -> None:
    """A run may put out any JSON value; null is an output like any other."""
    client, wire = _waiting(flavour, reply(200, value))
    outcome = flavour.do(client, "wait", 98765, deadline=_SOON)
    assert outcome == RunOutcome(98765, value, None)
    assert type(outcome.output) is type(value)
    query = wire.only.url.query.decode()
    assert query == "workflow_version_execution_id=98765&return_all_outputs=false"


def test_what_is_pending_is_asked_for_again(flavour: Flavour) -> None:
    """A 202 is never the result, even if it holds a finished output."""
    nodes = {"Reply": _node("SUCCESS", "early")}
    client, wire = _waiting(flavour, reply(202, nodes), reply(200, NODES))
    outcome = flavour.do(client, "wait", 98765, return_all_outputs=True)
    assert outcome.output == "Your invoice is attached."
    assert len(wire.requests) == 2


@pytest.mark.parametrize(("status", "body"), [(201, CREATED), (202, ACCEPTED)], ids=["created", "accepted"])
def test_a_started_run_can_be_waited_for(status: int, body: Any, flavour: Flavour) -> None:
    """What starting gave back is what waiting takes."""
    client, wire = _waiting(flavour, reply(status, body), reply(200, "done"))
    run = flavour.make(RUN, client)
    assert flavour.do(client, "wait", run, deadline=_SOON) == RunOutcome(98765, "done")
    assert wire.requests[1].url.params["workflow_version_execution_id"] == "98765"


def test_running_and_waiting_takes_the_arguments_of_a_run(flavour: Flavour) -> None:
    """The wish for all outputs holds for the run and for the questions."""
    client, wire = _waiting(flavour, reply(201, CREATED), reply(200, NODES))
    outcome = flavour.do(client, "run_and_wait", "a", metadata={"b": "c"}, return_all_outputs=True)
    assert json.loads(wire.requests[0].content) == {"metadata": {"b": "c"}, "return_all_outputs": True}
    assert wire.requests[1].url.params["return_all_outputs"] == "true"
    assert outcome.output == "Your invoice is attached."
    assert type(outcome.nodes["Draft"]) is models.NodeOutput
    with pytest.raises(TypeError, match="nope"):
        flavour.do(client, "run_and_wait", "a", nope=1)


def test_a_failure_told_by_500_ends_the_wait(flavour: Flavour) -> None:
    """The documented failure form is final, and the error names the execution."""
    client, wire = _waiting(flavour, reply(500, FAILED), retries=2)
    with pytest.raises(RunFailed) as caught:
        flavour.do(client, "wait", 98765, deadline=_SOON)
    assert len(wire.requests) == 1
    assert caught.value.status == 500
    assert caught.value.output == FAILED["output"]
    assert caught.value.execution_id == 98765


@pytest.mark.parametrize("return_all_outputs", [True, False])
@pytest.mark.parametrize("status", ["FAILED", "FAILURE", "SKIPPED", "BRAND_NEW"])
def test_a_failure_told_by_nodes_ends_the_wait(status: str, return_all_outputs: bool, flavour: Flavour) -> None:  # noqa: FBT001
    """Without a successful output node there is no output, whatever the form of the reply."""
    nodes = {"Draft": _node("SUCCESS", 1, is_output=False), "Reply": _node(status, error_message="refused")}
    client, wire = _waiting(flavour, reply(200, nodes), retries=2)
    with pytest.raises(RunFailed) as caught:
        flavour.do(client, "wait", 98765, return_all_outputs=return_all_outputs, deadline=_SOON)
    assert caught.value.execution_id == 98765
    assert caught.value.nodes is not None
    assert caught.value.nodes["Reply"].status == status
    assert "Reply: refused" in str(caught.value)
    assert len(wire.requests) == 1


def test_one_successful_output_node_is_enough(flavour: Flavour) -> None:
    """A run with several outputs has one as long as one of them succeeded."""
    nodes = {"A": _node("FAILED"), "B": _node("SUCCESS", "b"), "C": _node("SUCCESS", "c", is_output=None)}
    client, _ = _waiting(flavour, reply(200, nodes))
    outcome = flavour.do(client, "wait", 1, return_all_outputs=True, deadline=_SOON)
    assert outcome.output == "b"
    assert outcome.nodes.keys() == {"A", "B", "C"}


@pytest.mark.parametrize("status", [1, None, [], True], ids=repr)
def test_an_output_that_almost_looks_like_nodes_leaks_nothing(status: Any) -> None:
    """A workflow's own output may resemble a node: it is an outcome or a typed error, nothing else."""
    almost = {"Reply": _node("FAILED") | {"status": status}}
    client, _ = _waiting(SYNC, reply(200, almost))
    try:
        assert client.wait(1, deadline=_SOON).output == almost
    except WorkflowRunsError as error:
        assert type(error) is not RunFailed  # noqa: PT017 - either way is right


def test_a_missed_deadline_keeps_the_execution(flavour: Flavour) -> None:
    """The run goes on, and the error carries what is needed to wait for it again."""
    client, wire = _waiting(flavour, reply(202, PENDING))
    with pytest.raises(WaitTimeout) as caught:
        flavour.do(client, "wait", 98765, deadline=_SOON)
    assert caught.value.execution_id == 98765
    assert "98765" in str(caught.value)
    assert len(wire.requests) == 1


@pytest.mark.parametrize("run", ["98765", 1.5, None, True, object(), {}], ids=lambda run: type(run).__name__)
def test_only_a_run_or_an_id_can_be_waited_for(run: Any, flavour: Flavour) -> None:
    """Anything else is refused by name, and nothing is asked."""
    client, wire = _waiting(flavour, reply(200, 1))
    with pytest.raises(BadArgument) as caught:
        flavour.do(client, "wait", run)
    assert caught.value.field == "run"
    assert wire.requests == []


@pytest.mark.parametrize("deadline", ["5", None, math.nan, [], True], ids=repr)
def test_a_deadline_is_a_number(deadline: Any) -> None:
    """What no clock can reach is refused by name."""
    client, _ = _waiting(SYNC, reply(200, 1))
    with pytest.raises(BadArgument) as caught:
        client.wait(1, deadline=deadline)
    assert caught.value.field == "deadline"


@pytest.mark.parametrize("answer", [reply(404, {"message": "m"}), httpx.ReadTimeout("late")], ids=["404", "late"])
def test_an_error_after_the_start_says_that_a_run_was_started(answer: Any, flavour: Flavour) -> None:
    """Whoever reads the error of `run_and_wait` must not start a second run: it names the one that goes on."""
    client, _ = _waiting(flavour, reply(201, CREATED), answer)
    with pytest.raises(WorkflowRunsError) as caught:
        flavour.do(client, "run_and_wait", "a")
    assert caught.value.may_have_run
    assert "98765" in str(caught.value) or getattr(caught.value, "execution_id", None) == 98765


def test_an_error_of_the_start_is_the_one_of_a_run(flavour: Flavour) -> None:
    """If the run can't be started nothing is waited for."""
    client, wire = _waiting(flavour, httpx.Response(503))
    with pytest.raises(ServerError) as caught:
        flavour.do(client, "run_and_wait", "a")
    assert caught.value.operation == "run_workflow"
    assert len(wire.requests) == 1


def test_a_question_that_is_lost_is_asked_again(flavour: Flavour) -> None:
    """The retry policy holds for every question of a wait."""
    client, wire = _waiting(flavour, httpx.ReadError("reset"), httpx.Response(502), reply(200, 1), retries=2)
    view = client.with_options()
    assert flavour.do(view, "wait", 1, deadline=_SOON).output == 1
    assert len(wire.requests) == 3


def test_options_of_a_view_hold_while_waiting(flavour: Flavour) -> None:
    """A view's headers go along with every question."""
    client, wire = _waiting(flavour, reply(200, 1))
    flavour.do(client.with_options(headers={"x-a": "b"}), "wait", 1, deadline=_SOON)
    assert wire.only.headers["x-a"] == "b"


def test_extra_members_of_a_run_stay_out_of_the_questions(flavour: Flavour) -> None:
    """What a view adds to bodies goes into the run's body and into no GET."""
    client, wire = _waiting(flavour, reply(201, CREATED), reply(200, 1))
    flavour.do(client.with_options(extra_body={"new": 1}), "run_and_wait", "a")
    assert json.loads(wire.requests[0].content) == {"new": 1}
    assert wire.requests[1].content == b""


def test_a_wait_can_be_cancelled() -> None:
    """Cancelling the task ends the wait and leaves the client usable."""
    client, wire = _waiting(ASYNC, reply(202, PENDING))

    async def cancelled() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.wait(1), _SOON)
        await client.get_workflow_version_execution_results(workflow_version_execution_id=1)

    asyncio.run(cancelled())
    assert len(wire.requests) == 1


def _drip(connection: raw.Connection) -> None:
    """Begin an answer, go on with it a byte at a time, and never end it."""
    connection.read()
    connection.send(b"HTTP/1.1 202 Accepted\r\ncontent-type: application/json\r\ncontent-length: 100000\r\n\r\n")
    with contextlib.suppress(OSError):
        while True:
            connection.send(b" ")
            time.sleep(0.02)


@pytest.mark.parametrize("behave", [_drip, raw.say_nothing], ids=["dripping", "silent"])
def test_a_question_under_way_ends_with_the_wait(behave: Any, flavour: Flavour) -> None:
    """A second after the deadline at the latest, however the answer comes; the run goes on as far as anybody knows."""
    with raw.RawServer(behave) as server:
        client = flavour.client("promptlayer", base_url=server.url, retries=2)
        began = time.monotonic()
        with pytest.raises(WaitTimeout) as caught:
            flavour.do(client, "wait", 98765, deadline=1)
        assert 1 <= time.monotonic() - began < 30
    assert (caught.value.execution_id, caught.value.may_have_run) == (98765, True)
    assert type(caught.value.__cause__).__name__ == "MaybeSent"
