"""What a batch gives, what it makes of each fault, and how it goes on."""

from __future__ import annotations

import asyncio
import contextlib
import math
import random
import threading
import time
from typing import TYPE_CHECKING, Any, cast

import httpx
import pytest
from counting_service import ASYNC, SYNC, Flavour, Service, items, raising, reply

from workflow_runs import BadArgument, PromptLayer, RunFailed, Unauthorized
from workflow_runs.batch import BatchItem, BatchProgress, run_batch, run_batch_async
from workflow_runs.batch.ledger import Ledger

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NODE = {"status": "FAILED", "value": None, "error_message": "no", "raw_error_message": None, "is_output_node": True}
# What the service does to a start, whether it has executed it, and what becomes of the item.
STARTS: dict[str, tuple[str, Any, str]] = {
    "connection refused": ("before", raising(httpx.ConnectError("refused")), "refused"),
    "400": ("before", lambda: reply(400, {"message": "m"}), "refused"),
    "404": ("before", lambda: reply(404, {"message": "m"}), "refused"),
    "422": ("before", lambda: reply(422, {"detail": []}), "refused"),
    "429": ("before", lambda: reply(429), "refused"),
    "reset before": ("before", raising(httpx.ReadError("reset")), "in_doubt"),
    "reset after": ("after", raising(httpx.ReadError("reset")), "in_doubt"),
    "time-out": ("after", raising(httpx.ReadTimeout("late")), "in_doubt"),
    "500": ("after", lambda: reply(500), "in_doubt"),
    "503": ("before", lambda: reply(503), "in_doubt"),
    "html": ("after", lambda: httpx.Response(201, text="<h1>", headers={"content-type": "text/html"}), "in_doubt"),
    "no id": ("after", lambda: reply(201, {"success": True, "message": "m"}), "in_doubt"),
}


def test_every_item_has_its_result(service: Service, ledger: Path, flavour: Flavour) -> None:
    """Each item runs once, and its outcome comes under its key."""
    found = flavour.by_key(service, items(50), ledger)
    assert service.executions == {f"m{n}": 1 for n in range(50)}
    assert {key: result.position for key, result in found.items()} == {str(n): n for n in range(50)}
    for key, result in found.items():
        assert result.state == "succeeded"
        assert result.outcome is not None
        assert result.outcome.output == f"done m{key}"
        assert result.outcome.execution_id == result.execution_id
        assert (result.reason, result.error) == (None, None)


def test_items_may_have_names(service: Service, ledger: Path, flavour: Flavour) -> None:
    """A key of the user's names the item in results."""
    named = [item._replace(key=f"customer {n}") for n, item in enumerate(items(3))]
    assert flavour.by_key(service, named, ledger).keys() == {"customer 0", "customer 1", "customer 2"}


def test_nodes_come_where_an_item_asks_for_them(service: Service, ledger: Path, flavour: Flavour) -> None:
    """The item's own wish for all outputs holds for its question too."""
    service.ends["m0"] = lambda: reply(200, {"Reply": {**NODE, "status": "SUCCESS", "value": 5}})
    (result,) = flavour.run(service, items(1, return_all_outputs=True), ledger)
    assert result.outcome is not None
    assert result.outcome.output == 5
    assert result.outcome.nodes is not None


def test_no_more_are_under_way_than_allowed(ledger: Path) -> None:
    """Concurrency is bounded, and used: so many requests really are on their way at once."""
    barrier, lock, at_once = threading.Barrier(3), threading.Lock(), [0, 0]
    service = Service()

    def handle(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            with lock:
                at_once[0] += 1
                at_once[1] = max(at_once)
            barrier.wait(timeout=30)
            with lock:
                at_once[0] -= 1
        return service(request)

    assert len(SYNC.run(handle, items(12), ledger, concurrency=3)) == 12
    assert at_once[1] == 3


@pytest.mark.parametrize("concurrency", [1, 4])
def test_tasks_are_bounded_too(concurrency: int, ledger: Path) -> None:
    """The same for asyncio."""
    service, under_way, most = Service(), 0, 0

    async def handle(request: httpx.Request) -> httpx.Response:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.001)
        under_way -= 1
        return service(request)

    assert len(ASYNC.run(handle, items(20), ledger, concurrency=concurrency)) == 20
    assert most == concurrency


def test_items_are_taken_as_they_are_needed(service: Service, ledger: Path, flavour: Flavour) -> None:
    """A batch may be larger than memory: no item is taken before there is room for it."""
    taken = 0

    class Endless:
        def __iter__(self) -> Iterator[BatchItem]:
            nonlocal taken
            taken = 0
            for item in items(200):
                taken += 1
                yield item

    found = flavour.run(service, Endless(), ledger, first=5, concurrency=2)
    assert len(found) == 5
    assert taken <= 8


def test_progress_counts_the_items(service: Service, ledger: Path, flavour: Flavour) -> None:
    """From the first to the last, with what earlier processes did."""
    service.before["m1"] = lambda: reply(404)
    told: list[BatchProgress] = []
    flavour.run(service, items(4), ledger, concurrency=1, first=2, on_progress=told.append)
    assert told[0].total == 4
    flavour.run(service, items(4), ledger, on_progress=told.append)
    assert told[-1] == BatchProgress(4, new=0, under_way=0, succeeded=3, failed=0, refused=1, in_doubt=0)
    for progress in told:
        assert sum(progress[1:]) == progress.total == 4


# Faults


@pytest.mark.parametrize("name", STARTS)
def test_a_fault_at_the_start_is_the_items_own(name: str, service: Service, ledger: Path, flavour: Flavour) -> None:
    """It is refused if nothing can have run, else in doubt; it is never started again by itself; the others run."""
    place, fault, state = STARTS[name]
    getattr(service, place)["m1"] = fault
    for _ in range(3):
        found = flavour.by_key(service, items(4), ledger)
        assert found["1"].state == state
        assert found["1"].reason
    assert {n: service.executions[f"m{n}"] for n in (0, 2, 3)} == {0: 1, 2: 1, 3: 1}
    assert service.executions["m1"] == (place == "after")
    assert found.keys() == {"1"}  # what was handed over isn't given again


def test_the_error_comes_along_in_the_process_that_met_it(service: Service, ledger: Path, flavour: Flavour) -> None:
    """Later ones have its words."""
    service.after["m0"] = raising(httpx.ReadTimeout("late"))
    (first,) = flavour.run(service, items(1), ledger)
    (again,) = flavour.run(service, items(1), ledger)
    assert first.error is not None
    assert (first.error.may_have_run, str(first.error)) == (True, first.reason)
    assert again == first._replace(error=None)


def test_refused_items_are_started_again_on_request(service: Service, ledger: Path, flavour: Flavour) -> None:
    """A refusal has started nothing; items in doubt stay as they are."""
    service.before = {"m1": lambda: reply(404), "m2": raising(httpx.ReadError("reset"))}
    flavour.run(service, items(4), ledger)
    service.before = {}
    found = flavour.by_key(service, items(4), ledger, repeat_refused=True)
    assert {key: result.state for key, result in found.items()} == {"1": "succeeded", "2": "in_doubt"}
    assert service.executions == {"m0": 1, "m1": 1, "m3": 1}


def test_a_failed_run_is_a_result(service: Service, ledger: Path, flavour: Flavour) -> None:
    """It has run, and is not run again, not even on request."""
    service.ends["m1"] = lambda: reply(200, {"Reply": NODE})
    found = flavour.by_key(service, items(3), ledger)
    assert found["1"].state == "failed"
    assert type(found["1"].error) is RunFailed
    assert found["1"].execution_id is not None
    assert flavour.run(service, items(3), ledger, repeat_refused=True) == []
    assert service.executions["m1"] == 1


@pytest.mark.parametrize(
    "fault", [lambda: reply(202), lambda: reply(404), lambda: reply(500), raising(httpx.ReadError("reset"))],
    ids=["running", "404", "500", "reset"],
)  # fmt: skip
def test_a_run_without_an_outcome_is_waited_for_again(
    fault: Any, service: Service, ledger: Path, flavour: Flavour
) -> None:
    """It has an execution id, so that it is never started again, whatever was wrong with the wait."""
    service.ends["m1"] = fault
    first = flavour.by_key(service, items(3), ledger, deadline=0.01)
    assert first["1"].state == "unfinished"
    service.ends = {}
    (again,) = flavour.run(service, items(3), ledger)
    assert (again.state, again.execution_id) == ("succeeded", first["1"].execution_id)
    assert service.executions["m1"] == 1


def test_a_wrong_key_ends_the_batch_and_costs_no_item(service: Service, ledger: Path, flavour: Flavour) -> None:
    """It would be refused for every item; with the right one the batch goes on as if nothing had been."""
    service.before["m2"] = lambda: reply(401, {"message": "who are you"})
    with pytest.raises(Unauthorized):
        flavour.run(service, items(6), ledger, concurrency=1)
    assert sum(service.executions.values()) == 2
    service.before = {}
    assert {result.state for result in flavour.run(service, items(6), ledger)} == {"succeeded"}
    assert service.executions == {f"m{n}": 1 for n in range(6)}


# Going on


def test_what_was_not_handed_over_is_given_again(service: Service, ledger: Path, flavour: Flavour) -> None:
    """Leaving the loop loses nothing, and nothing runs twice; the last one given may come again."""
    seen: list[str] = []
    for _ in range(40):
        found = flavour.run(service, items(30), ledger, first=3, concurrency=4)
        seen += [result.key for result in found]
        if not found:
            break
    assert set(seen) == {str(n) for n in range(30)}
    assert service.executions == {f"m{n}": 1 for n in range(30)}
    assert len(seen) < 60


def test_requests_on_their_way_are_let_finish(ledger: Path) -> None:
    """Whoever leaves the loop leaves no item in doubt: its start is noted before the generator is closed."""
    service, let_go, on_their_way = Service(), threading.Event(), threading.Semaphore(0)

    def handle(request: httpx.Request) -> httpx.Response:
        if request.method == "POST" and b'"m0"' not in request.content:
            on_their_way.release()
            let_go.wait(30)
        return service(request)

    results = run_batch(SYNC.client(handle), items(8), ledger=ledger, concurrency=3)
    assert next(results).key == "0"
    for _ in range(2):
        assert on_their_way.acquire(timeout=30)
    threading.Timer(0.05, let_go.set).start()
    results.close()
    started = dict(service.executions)
    with Ledger(ledger) as noted:
        assert noted.counts() == {"started": len(started), "new": 8 - len(started)}


def test_awaited_requests_on_their_way_are_let_finish(ledger: Path) -> None:
    """The same for asyncio, also when the task that goes through the results is cancelled."""
    service = Service()

    async def check() -> None:
        on_their_way, let_go = asyncio.Event(), asyncio.Event()

        async def handle(request: httpx.Request) -> httpx.Response:
            if request.method == "POST":
                on_their_way.set()
                await let_go.wait()
            return service(request)

        async def consume() -> None:
            async with contextlib.aclosing(
                run_batch_async(ASYNC.client(handle), items(8), ledger=ledger, concurrency=3)
            ) as results:
                async for _ in results:
                    pass

        consumer = asyncio.create_task(consume())
        await on_their_way.wait()
        await asyncio.sleep(0)
        consumer.cancel()
        await asyncio.sleep(0.01)
        assert not consumer.done()
        let_go.set()
        with pytest.raises(asyncio.CancelledError):
            await consumer
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(check())
    with Ledger(ledger) as noted:
        assert noted.counts() == {"started": 3, "new": 5}
    assert sum(service.executions.values()) == 3


def test_what_a_second_cancellation_tears_away_is_in_doubt(ledger: Path) -> None:
    """Whoever can't wait for the requests on their way has them listed when the batch goes on, and never repeated."""
    service = Service()

    async def check() -> None:
        on_their_way, let_go = asyncio.Event(), asyncio.Event()

        async def handle(request: httpx.Request) -> httpx.Response:
            if request.method == "POST" and not let_go.is_set():
                on_their_way.set()
                await let_go.wait()
            return service(request)

        async def consume() -> list[str]:
            batch = run_batch_async(ASYNC.client(handle), items(5), ledger=ledger, concurrency=2)
            return [f"{result.key} {result.state}" async for result in batch]

        consumer = asyncio.create_task(consume())
        await on_their_way.wait()
        for _ in range(2):
            await asyncio.sleep(0.01)
            consumer.cancel()
        with pytest.raises(asyncio.CancelledError):
            await consumer
        let_go.set()
        assert sorted(await consume()) == ["0 in_doubt", "1 in_doubt", "2 succeeded", "3 succeeded", "4 succeeded"]

    asyncio.run(check())
    assert service.executions == {"m2": 1, "m3": 1, "m4": 1}


@pytest.mark.parametrize("text", ["\ud800", "a\udfffb"])
def test_a_text_that_cannot_be_written_is_named_before_anything_is_started(
    text: str, service: Service, ledger: Path, flavour: Flavour
) -> None:
    """The last item's fault is found before the first one is sent."""
    batch = [*items(3), BatchItem("canary", {"input_variables": {"a": [text]}})]
    with pytest.raises(BadArgument) as caught:
        flavour.run(service, batch, ledger)
    assert caught.value.field == "items[3].input_variables.a[0]"
    assert not service.executions


def test_an_item_shows_no_input() -> None:
    """Its repr tells which arguments there are, not what they hold."""
    shown = repr(BatchItem("canary", {"input_variables": {"a": "somebody's input"}}, key="ada"))
    assert shown == "BatchItem('canary', arguments=['input_variables'], key='ada')"


def test_leaving_the_loop_ends_long_pauses(ledger: Path) -> None:
    """Nobody waits for runs that are pending: closing comes back although they'd be waited for for an hour."""
    service = Service(ends={f"m{n}": lambda: reply(202) for n in range(1, 4)})
    transport = httpx.MockTransport(service)
    # With real pauses, unlike the other tests' client.
    client = PromptLayer(api_key="key", http_client=httpx.Client(transport=transport))
    results = run_batch(client, items(4), ledger=ledger, deadline=math.inf)
    assert next(results).key == "0"
    closing = threading.Thread(target=results.close)
    closing.start()
    closing.join(timeout=600)
    assert not closing.is_alive()


@pytest.mark.parametrize("seed", range(12))
def test_any_faults_over_any_number_of_goes_start_an_item_once(seed: int, ledger: Path, flavour: Flavour) -> None:
    """Whatever the service does, whenever the loop is left: no item is executed twice."""
    chance = random.Random(seed)  # noqa: S311 - a schedule, no secret
    service = Service()
    for _ in range(8):
        faults = [STARTS[chance.choice([*STARTS])] for _ in range(25)]
        service.before = {f"m{n}": f for n, (where, f, _) in enumerate(faults) if where == "before" and n % 3}
        service.after = {f"m{n}": f for n, (where, f, _) in enumerate(faults) if where == "after" and n % 3}
        flavour.run(
            service, items(25), ledger, first=chance.randrange(1, 30), concurrency=chance.randrange(1, 9),
            repeat_refused=chance.random() < 0.7, settings={"retries": 0},
        )  # fmt: skip
        assert max(service.executions.values(), default=0) <= 1
    service.before = service.after = {}
    last = flavour.by_key(service, items(25), ledger, repeat_refused=True)
    assert max(service.executions.values()) == 1
    in_doubt = {key for key, result in last.items() if result.state == "in_doubt"}
    assert {f"m{n}" for n in range(25) if str(n) not in in_doubt} <= service.executions.keys()


# Refusals


@pytest.mark.parametrize(
    ("batch", "field"),
    [
        (iter(items(1)), "items"),
        (5, "items"),
        ([*items(2), ("canary", {})], "items[2]"),
        ([*items(2), BatchItem("", {})], "items[2].workflow_name"),
        ([BatchItem("canary", cast("Any", {"nope": 1}))], "items[0].arguments"),
        ([BatchItem("canary", {"input_variables": {"a": {"b": object()}}})], "items[0].input_variables.a.b"),
        ([BatchItem("canary", {"metadata": cast("Any", {"a": 1})})], "items[0].metadata.a"),
        ([BatchItem("canary", {}, key="")], "items[0].key"),
        ([BatchItem("canary", {}, key="a\nb")], "items[0].key"),
        ([BatchItem("canary", {}, key="\ud800")], "items[0].key"),
        ([BatchItem("canary", {}, key="a"), BatchItem("canary", {}, key="a")], "items[1].key"),
        ([BatchItem("canary", {}, key="1"), BatchItem("canary", {})], "items[1].key"),
    ],
    ids=range(12),
)
def test_an_item_that_makes_no_sense_is_named_before_anything_is_started(
    batch: Any, field: str, service: Service, ledger: Path
) -> None:
    """One wrong item among thousands costs nothing: no run, and no ledger that would be of another batch then."""
    with pytest.raises(BadArgument) as caught:
        list(run_batch(SYNC.client(service), batch, ledger=ledger))
    assert caught.value.field == field
    assert not service.executions
    assert not [*ledger.parent.iterdir()]
    assert len(SYNC.run(service, items(3), ledger)) == 3


@pytest.mark.parametrize(
    ("options", "field"),
    [({"concurrency": 0}, "concurrency"), ({"concurrency": 101}, "concurrency"), ({"concurrency": 2.0}, "concurrency"),
     ({"concurrency": True}, "concurrency"), ({"deadline": -1}, "deadline"), ({"deadline": math.nan}, "deadline")],
)  # fmt: skip
def test_options_that_make_no_sense_are_named_at_once(
    options: Any, field: str, service: Service, ledger: Path, flavour: Flavour
) -> None:
    """Even before the loop begins, and without a ledger being made."""
    run: Any = run_batch if flavour is SYNC else run_batch_async
    with pytest.raises(BadArgument) as caught:
        run(flavour.client(service), items(1), ledger=ledger, **options)
    assert caught.value.field == field
    assert not ledger.exists()


def test_an_empty_batch_is_done(service: Service, ledger: Path, flavour: Flavour) -> None:
    """There is nothing to do, and that is no error."""
    assert flavour.run(service, [], ledger) == []
    assert flavour.run(service, [], ledger) == []


def test_a_large_batch_goes_quickly_through_what_is_done(service: Service, ledger: Path) -> None:
    """Going on asks nothing of the service for what was handed over."""
    assert len(SYNC.run(service, items(400), ledger, concurrency=32)) == 400
    asked: list[float] = []

    def count(request: httpx.Request) -> httpx.Response:
        asked.append(time.monotonic())
        return service(request)

    assert SYNC.run(count, items(400), ledger) == []
    assert asked == []
