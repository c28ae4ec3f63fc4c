"""Waiting for a run of Interactly: the rhythm and the losses are those of every wait, the statuses its own."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import httpx
import pytest
from virtual_time import KEY, WORKFLOW_RUN, Flavour, World, answer, body_of, pending, run

from workflow_runs import (
    BadArgument,
    ContractBroken,
    NotFound,
    Progress,
    RunFailed,
    WaitCancelled,
    WaitTimeout,
    WorkflowRunsError,
    models,
)

WORKFLOW = "5eb7cf5a86d9755df3a6c593"
EXECUTED = answer(200, {"workflow_run_id": WORKFLOW_RUN, "status": "started"})
TURN = answer(200, {"run_id": WORKFLOW_RUN, "turn_number": 1, "status": "running"})


def do(flavour: Flavour, world: World, method: str, *arguments: Any, **options: Any) -> Any:
    """Call a method of a client of Interactly in a world."""
    found = getattr(flavour.client(world, "interactly"), method)(*arguments, **options)
    return asyncio.run(found) if asyncio.iscoroutine(found) else found


@pytest.mark.parametrize(
    "status", ["not_started", "started", "running", "paused", "waiting_for_user_input", "pending", "brand_new", None]
)
def test_a_run_goes_on_until_it_has_ended(status: str | None, flavour: Flavour) -> None:
    """Every status but the four final ones, one that nobody knows too; what is returned is the run as it ended."""
    world = World([run(status), run(status), run("completed", run_by="ada")])
    ended = do(flavour, world, "wait", WORKFLOW_RUN)
    assert (type(ended), ended.status, ended.run_by) == (models.WorkflowRun, "completed", "ada")
    assert [request.url.path for request in world.requests] == [f"/v1/workflow-runs/{WORKFLOW_RUN}"] * 3


@pytest.mark.parametrize("status", ["failed", "cancelled", "aborted_looping_risk"])
def test_a_run_that_ends_otherwise_has_failed(status: str, flavour: Flavour) -> None:
    """The error has the run, and says why as far as the service does; the key is in none of it."""
    world = World([run("running"), run(status, termination_source=f"execution_error {KEY}")])
    with pytest.raises(
        RunFailed, match=f"run {WORKFLOW_RUN} has ended without success: {status} .execution_error"
    ) as caught:
        do(flavour, world, "wait", WORKFLOW_RUN)
    assert (caught.value.execution_id, caught.value.may_have_run) == (WORKFLOW_RUN, True)
    assert caught.value.run is not None
    assert caught.value.run.status == status
    assert KEY not in str(caught.value)


def test_a_wait_can_end_where_the_user_comes_in(flavour: Flavour) -> None:
    """So that a conversation can go on with what the run waits for."""
    world = World([run("running"), run("waiting_for_user_input")])
    assert do(flavour, world, "wait", WORKFLOW_RUN, until_input=True).status == "waiting_for_user_input"


def test_progress_tells_the_status(flavour: Flavour) -> None:
    """And so does the error at the deadline; a question without an answer tells why."""
    told: list[Progress] = []
    world = World([run("running"), answer(503), run("paused")])
    with pytest.raises(WaitTimeout, match=f"run {WORKFLOW_RUN} has no outcome after 60 s; it is paused") as caught:
        do(flavour, world, "wait", WORKFLOW_RUN, deadline=60, on_progress=told.append)
    assert caught.value.execution_id == WORKFLOW_RUN
    assert [progress.status for progress in told[:3]] == ["running", None, "paused"]
    assert "503" in str(told[1].problem)
    assert str(told[0]) == f"workflow run {WORKFLOW_RUN} after 0.0 s: running"


@pytest.mark.parametrize("executed", [EXECUTED, TURN], ids=["whole run", "turn"])
def test_either_form_of_an_execute_can_be_waited_for(executed: httpx.Response, flavour: Flavour) -> None:
    """It is the id of the run that counts; starting and waiting in one call does the same."""
    arguments = {"command": "start"} if executed is EXECUTED else {"run_input": {"command": "start"}}
    world = World([executed, run("completed")])
    assert do(flavour, world, "run_and_wait", WORKFLOW, version=1, **arguments).status == "completed"
    assert body_of(world.requests[0]) == arguments
    assert [request.method for request in world.requests] == ["POST", "GET"]
    started = do(flavour, World([executed]), "execute_workflow", WORKFLOW, **arguments)
    assert do(flavour, World([run("completed")]), "wait", started).status == "completed"


@pytest.mark.parametrize("lost", [httpx.ConnectError("no"), httpx.ReadError("reset"), answer(429), answer(502)])
def test_a_lost_question_is_asked_again(lost: Any, flavour: Flavour) -> None:
    """As in every wait."""
    assert do(flavour, World([lost, lost, run("completed")]), "wait", WORKFLOW_RUN).status == "completed"


@pytest.mark.parametrize(
    ("asked", "error"), [(answer(404), NotFound), (answer(200, {}), ContractBroken)], ids=["404", "broken"]
)
def test_an_error_after_the_start_names_the_run(asked: httpx.Response, error: type[Any], flavour: Flavour) -> None:
    """Nobody must take it for a reason to start again."""
    with pytest.raises(error, match=f"workflow run {WORKFLOW_RUN} was started, wait for it") as caught:
        do(flavour, World([EXECUTED, asked]), "run_and_wait", WORKFLOW)
    assert caught.value.may_have_run


def test_a_run_without_an_id_is_told(flavour: Flavour) -> None:
    """It was started all the same."""
    with pytest.raises(BadArgument, match="a workflow run without an id was started") as caught:
        do(flavour, World([answer(200, {"status": "started"})]), "run_and_wait", WORKFLOW)
    assert caught.value.may_have_run


@pytest.mark.parametrize("options", [{"deadline": -1}, {"on_progress": 1}, {"cancelled": 1}, {"command": "go"}])
def test_nothing_is_started_that_can_not_be_waited_for(options: dict[str, Any], flavour: Flavour) -> None:
    """Neither with a wrong option nor with a wrong argument."""
    world = World([EXECUTED])
    with pytest.raises(BadArgument):
        do(flavour, world, "run_and_wait", WORKFLOW, **options)
    assert world.requests == []


@pytest.mark.parametrize("wrong", [None, 5, "5", models.WorkflowRun(), object()], ids=range(5))
def test_what_is_no_run_is_refused(wrong: Any, flavour: Flavour) -> None:
    """Before anything is asked."""
    world = World([run("completed")])
    with pytest.raises(BadArgument):
        do(flavour, world, "wait", wrong)
    assert world.requests == []


def test_a_wait_is_cancelled(flavour: Flavour) -> None:
    """The run goes on, and the error has its id."""
    if flavour.name == "sync":
        stop = threading.Event()
        stop.set()
        with pytest.raises(WaitCancelled) as caught:
            do(flavour, World([pending()]), "wait", WORKFLOW_RUN, cancelled=stop)
    else:

        async def cancelled() -> None:
            stop = asyncio.Event()
            stop.set()
            await flavour.client(World([pending()]), "interactly").wait(WORKFLOW_RUN, cancelled=stop)

        with pytest.raises(WaitCancelled) as caught:
            asyncio.run(cancelled())
    assert (caught.value.execution_id, caught.value.may_have_run) == (WORKFLOW_RUN, True)


def test_a_start_in_doubt_is_not_repeated(flavour: Flavour) -> None:
    """A cut-off execute ends the call: only a person or the list of runs can tell what became of it."""
    world = World([httpx.ReadError("reset"), run("completed")])
    with pytest.raises(WorkflowRunsError) as caught:
        do(flavour, world, "run_and_wait", WORKFLOW)
    assert (caught.value.may_have_run, len(world.requests)) == (True, 1)
