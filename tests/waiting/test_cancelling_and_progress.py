"""Ending a wait from outside, and seeing how far it is: the run goes on, and nothing is left behind."""

from __future__ import annotations

import asyncio
import inspect
import threading
from typing import Any

import httpx
import pytest
from virtual_time import ASYNC, KEY, SYNC, Flavour, World, answer, body_of, done, node, pending

from workflow_runs import (
    AsyncPromptLayer,
    BadArgument,
    NotFound,
    NotSent,
    PromptLayer,
    RunOutcome,
    WaitTimeout,
    WorkflowRunsError,
)
from workflow_runs.outcome import Progress, WaitCancelled
from workflow_runs_api.api.promptlayer.run_workflow import Keywords

CREATED = {"success": True, "message": "started", "warning": None, "workflow_version_execution_id": 98765}


def test_setting_an_event_ends_a_pause() -> None:
    """Another thread ends the wait in the middle of a pause: nothing more is asked."""
    world, event = World([pending(retry_after="30"), done()]), threading.Event()
    client = PromptLayer(api_key=KEY, http_client=httpx.Client(transport=httpx.MockTransport(world)))
    with pytest.raises(WaitCancelled) as caught:
        client.wait(98765, cancelled=event, on_progress=lambda _: threading.Timer(0.01, event.set).start())
    assert caught.value.execution_id == 98765
    assert len(world.asked) == 1
    assert client.wait(98765).output == "done"


def test_setting_an_event_ends_an_awaited_pause() -> None:
    """The same within one loop, by an event of asyncio's."""
    world = World([pending(retry_after="30"), done()])

    async def wait() -> None:
        async with AsyncPromptLayer(
            api_key=KEY, http_client=httpx.AsyncClient(transport=httpx.MockTransport(world))
        ) as client:
            event, loop = asyncio.Event(), asyncio.get_running_loop()
            with pytest.raises(WaitCancelled):
                await client.wait(98765, cancelled=event, on_progress=lambda _: loop.call_later(0.01, event.set))
            assert len(world.asked) == 1
            assert (await client.wait(98765)).output == "done"
            assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(wait())


def test_an_event_that_is_set_already_lets_nothing_be_asked(flavour: Flavour) -> None:
    """Cancelled before it began, a wait asks nothing."""
    event: Any = threading.Event() if flavour is SYNC else asyncio.Event()
    event.set()
    world = World([done()])
    with pytest.raises(WaitCancelled):
        flavour.wait(world, cancelled=event)
    assert world.asked == []


@pytest.mark.parametrize("kind", ["sync", "async", "text"])
def test_an_event_of_the_other_flavour_is_refused(kind: str, flavour: Flavour) -> None:
    """An event that could not be waited for is named at once."""
    if kind == flavour.name:
        return
    event = {"sync": threading.Event, "async": asyncio.Event, "text": str}[kind]()
    with pytest.raises(BadArgument) as caught:
        flavour.wait(World([done()]), cancelled=event)
    assert caught.value.field == "cancelled"


def test_cancelling_the_task_passes_through() -> None:
    """In a pause as during a question, a cancelled task ends as cancelled, and leaves client and loop in order."""
    reached, let_go = asyncio.Event(), asyncio.Event()

    async def hang(_: httpx.Request) -> httpx.Response:
        reached.set()
        await let_go.wait()
        return done()

    async def check() -> None:
        http = httpx.AsyncClient(transport=httpx.MockTransport(hang))
        async with AsyncPromptLayer(api_key=KEY, http_client=http) as client:
            in_pause = asyncio.create_task(client.wait(98765))
            await asyncio.sleep(0)
            in_question = asyncio.create_task(client.wait(98765))
            await reached.wait()
            for task in (in_pause, in_question):
                task.cancel()
            ended = await asyncio.gather(in_pause, in_question, return_exceptions=True)
            assert [type(each) for each in ended] == [asyncio.CancelledError] * 2
            assert asyncio.all_tasks() == {asyncio.current_task()}
            let_go.set()
            assert (await client.wait(98765)).output == "done"
        await http.aclose()

    asyncio.run(check())


def test_many_waits_share_a_client() -> None:
    """Waits know nothing of one another."""
    worlds = {number: World([*[pending()] * (number % 2), done(number)]) for number in range(20)}

    def handle(request: httpx.Request) -> httpx.Response:
        return worlds[int(request.url.params["workflow_version_execution_id"])](request)

    async def check() -> list[RunOutcome]:
        async with AsyncPromptLayer(
            api_key=KEY, http_client=httpx.AsyncClient(transport=httpx.MockTransport(handle))
        ) as client:
            return await asyncio.gather(*(client.wait(number) for number in worlds))

    assert asyncio.run(check()) == [RunOutcome(number, number) for number in worlds]


# Progress


@pytest.mark.parametrize("told_by", ["on_progress", "on_reply"])
def test_what_a_function_of_the_caller_s_raises_ends_the_wait(flavour: Flavour, told_by: str) -> None:
    """An error of ours, too: it is one of another call, and no question that got lost."""
    world, raised = World([pending(), done()]), NotSent("another call")

    def fail(_: object) -> None:
        raise raised

    def wait() -> None:
        client = flavour.client(world)
        view = client.with_options(on_reply=fail) if told_by == "on_reply" else client
        found = view.wait(98765, on_progress=fail if told_by == "on_progress" else None)
        asyncio.run(found) if asyncio.iscoroutine(found) else None

    with pytest.raises(NotSent) as caught:
        wait()
    assert caught.value is raised
    assert len(world.asked) == 1


def test_progress_is_told_after_every_question_that_leaves_the_run_going_on(flavour: Flavour) -> None:
    """Seconds, questions and, where they were asked for, the nodes' statuses."""
    nodes = {"Draft": node("SUCCESS", 1), "Reply": node("BRAND_NEW")}
    told: list[Progress] = []
    world = World(
        [pending(nodes), httpx.ReadError("reset"), pending({"odd": 1}), answer(200, {"Reply": node("SUCCESS", 1)})]
    )
    flavour.wait(world, return_all_outputs=True, on_progress=told.append)
    assert [each.polls for each in told] == [1, 2, 3]
    assert [each.seconds for each in told] == world.asked[:3]
    assert [each.nodes for each in told] == [{"Draft": "SUCCESS", "Reply": "BRAND_NEW"}, None, None]
    assert [type(each.problem).__name__ for each in told] == ["NoneType", "MaybeSent", "NoneType"]
    assert {each.execution_id for each in told} == {98765}


def test_progress_without_nodes_tells_none(flavour: Flavour) -> None:
    """Who asked for the main output alone isn't told of nodes, whatever a pending answer holds."""
    told: list[Progress] = []
    flavour.wait(World([pending({"Reply": node("RUNNING")}), done()]), on_progress=told.append)
    assert [each.nodes for each in told] == [None]


def test_progress_reads_as_a_line(flavour: Flavour) -> None:
    """It can be printed as it is."""
    told: list[str] = []
    world = World([pending({"Draft": node("RUNNING")}), httpx.ReadError("reset"), answer(200, {})])
    flavour.wait(world, return_all_outputs=True, on_progress=lambda progress: told.append(str(progress)))
    assert told[0] == "execution 98765 after 0.0 s: Draft RUNNING"
    assert told[1].startswith("execution 98765 after ")
    assert "no answer, asking again" in told[1]


def test_what_a_progress_hook_raises_ends_the_wait(flavour: Flavour) -> None:
    """The hook's own error comes out as it is."""

    def stop(_: Progress) -> None:
        raise KeyError("mine")

    world = World([pending()])
    with pytest.raises(KeyError, match="mine"):
        flavour.wait(world, on_progress=stop)
    assert len(world.asked) == 1


def test_a_progress_hook_has_to_be_a_function(flavour: Flavour) -> None:
    """Anything else is named at once."""
    with pytest.raises(BadArgument) as caught:
        flavour.wait(World([done()]), on_progress=5)
    assert caught.value.field == "on_progress"


def test_the_clients_own_hook_sees_the_questions(flavour: Flavour) -> None:
    """`on_reply` of a view is called for every answer of a wait."""
    seen: list[int] = []
    world = World([pending(), answer(503), done()])
    view = flavour.client(world).with_options(on_reply=lambda reply: seen.append(reply.status_code))
    found = view.wait(98765)
    assert (asyncio.run(found) if flavour is ASYNC else found).output == "done"
    assert seen == [202, 503, 200]


# Starting and waiting in one


def test_starting_and_waiting_sends_what_a_run_takes_and_nothing_else(flavour: Flavour) -> None:
    """How to wait is for this client alone to know."""
    told: list[Progress] = []
    world = World([answer(201, CREATED), pending(), done()])
    outcome = flavour.run_and_wait(world, input_variables={"a": 1}, deadline=5, on_progress=told.append)
    assert outcome.output == "done"
    assert [request.method for request in world.requests] == ["POST", "GET", "GET"]
    assert body_of(world.requests[0]) == {"input_variables": {"a": 1}}
    assert [progress.execution_id for progress in told] == [98765]
    with pytest.raises(TypeError):
        flavour.run_and_wait(World([done()]), timeout=5)


def test_no_argument_of_a_run_is_called_like_one_of_the_wait() -> None:
    """It would be taken for the wait's, and never be sent."""
    names = inspect.signature(PromptLayer.run_and_wait).parameters.keys()
    assert names == inspect.signature(AsyncPromptLayer.run_and_wait).parameters.keys()
    assert {"deadline", "on_progress", "cancelled"} < names
    assert not names & Keywords.__annotations__.keys()


def test_a_deadline_holds_for_a_run_as_for_a_wait(flavour: Flavour) -> None:
    """The run goes on, and the error names it."""
    world = World([answer(201, CREATED), pending()])
    with pytest.raises(WaitTimeout, match="execution 98765 has no outcome after 2 s") as caught:
        flavour.run_and_wait(world, deadline=2)
    assert world.now == pytest.approx(2)
    assert (caught.value.execution_id, caught.value.may_have_run) == (98765, True)


@pytest.mark.parametrize("option", [{"deadline": -1}, {"deadline": "5"}, {"on_progress": 5}, {"cancelled": "no"}])
def test_how_to_wait_is_checked_before_a_run_is_started(option: dict[str, Any], flavour: Flavour) -> None:
    """An error that comes after the start would cost a run."""
    world = World([answer(201, CREATED), done()])
    with pytest.raises(BadArgument) as caught:
        flavour.run_and_wait(world, **option)
    assert (caught.value.field, caught.value.operation) == (*option, "run_and_wait")
    assert world.requests == []


def test_an_error_from_after_the_start_tells_the_execution(flavour: Flavour) -> None:
    """Nobody may take it for a reason to start a second run."""
    world = World([answer(201, CREATED), answer(404, {"message": "gone"})])
    with pytest.raises(NotFound, match="execution 98765 was started, wait for it") as caught:
        flavour.run_and_wait(world)
    assert caught.value.may_have_run


def test_the_users_own_error_from_after_the_start_tells_it_too(flavour: Flavour) -> None:
    """In a note, since it is not ours to change."""

    def stop(_: Progress) -> None:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine") as caught:
        flavour.run_and_wait(World([answer(201, CREATED), pending()]), on_progress=stop)
    assert caught.value.__notes__ == ["execution 98765 was started, wait for it"]


def test_an_error_of_the_start_tells_what_a_run_tells(flavour: Flavour) -> None:
    """A run that was refused hasn't run."""
    world = World([answer(404, {"message": "no such workflow"})])
    with pytest.raises(WorkflowRunsError) as caught:
        flavour.run_and_wait(world)
    assert not caught.value.may_have_run
    assert len(world.asked) == 1


def test_an_error_of_a_wait_tells_that_there_is_a_run(flavour: Flavour) -> None:
    """Whatever the service answers: the run that is waited for was started before."""
    for reply in (answer(401, {"message": "no"}), answer(404, {"message": "gone"})):
        with pytest.raises(WorkflowRunsError) as caught:
            flavour.wait(World([reply]), 98765)
        assert (caught.value.may_have_run, caught.value.how_to_find) == (True, "it is execution 98765")
