"""The ASGI receivers: what they answer, that each event is handled once, and that they fit where users mount them."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import logging
import math
import threading
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from callback_subjects import (
    CALLBACKS,
    INTERACTLY_BODY,
    RUN_FINISHED,
    SECRET,
    TOKEN,
    URL,
    finished,
    json_bytes,
    post,
    posted,
    raw_reply,
    served,
    shown,
)
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.routing import Mount, Route

from workflow_runs import BadArgument
from workflow_runs.callbacks.deliveries import RecentDeliveries
from workflow_runs.callbacks.receivers import DashboardWebhooks, InteractlyWebhooks, RunCallbacks
from workflow_runs.callbacks.signatures import sign_dashboard_event, sign_interactly_event
from workflow_sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from workflow_runs.callbacks import RunFinished

_SECONDS = 30


class _Handled(list[Any]):
    """A handler that keeps what it is given, and raises as often as it is told to."""

    def __init__(self, failures: int = 0) -> None:
        super().__init__()
        self._failures = failures
        self.again = threading.Condition()

    def __call__(self, event: Any) -> None:
        with self.again:
            if self._failures:
                self._failures -= 1
                raise OSError("the database is away")
            self.append(event)
            self.again.notify_all()

    def wait(self, count: int) -> None:
        with self.again:
            assert self.again.wait_for(lambda: len(self) >= count, _SECONDS)


class _SharedMemory:
    """A user's own store, asynchronous as a database's client would be."""

    def __init__(self) -> None:
        self.keys: set[str] = set()

    async def seen(self, key: str) -> bool:
        await asyncio.sleep(0)
        return key in self.keys

    async def remember(self, key: str) -> None:
        await asyncio.sleep(0)
        self.keys.add(key)


@pytest.mark.parametrize("name", CALLBACKS)
def test_callback_is_handed_on(name: str) -> None:
    """Each of the contract's examples is answered 204 without a body and handed to the handler."""
    handled = _Handled()

    reply = posted(RunCallbacks(handled, token=TOKEN), json=CALLBACKS[name])

    assert (reply.status_code, reply.content) == (204, b"")
    assert [each.raw for each in handled] == [CALLBACKS[name]]


async def _async_handler(kept: list[Any], event: Any) -> None:
    await asyncio.sleep(0)
    kept.append(event)


class _AsyncCallable:
    def __init__(self, kept: list[Any]) -> None:
        self._kept = kept

    async def __call__(self, event: Any) -> None:
        await _async_handler(self._kept, event)


@pytest.mark.parametrize(
    "make",
    [
        lambda kept: kept.append,
        lambda kept: functools.partial(_async_handler, kept),
        _AsyncCallable,
        lambda kept: lambda event: _async_handler(kept, event),
    ],
    ids=["sync", "async", "async object", "returns an awaitable"],
)
def test_handler_may_be_sync_or_async(make: Callable[[list[Any]], Callable[[Any], Any]]) -> None:
    """Every kind of function works as a handler, and has ended when the sender gets its answer."""
    kept: list[Any] = []

    assert posted(RunCallbacks(make(kept), token=TOKEN), json=finished()).status_code == 204
    assert [each.output for each in kept] == ["Hello"]


def test_sync_handler_does_not_hold_up_others() -> None:
    """While a sync handler waits for a second delivery, that one is served."""
    both = threading.Barrier(2, timeout=_SECONDS)
    app = RunCallbacks(lambda _: both.wait(), token=TOKEN)

    async def deliver() -> list[int]:
        replies = await asyncio.gather(post(app, json=finished(1)), post(app, json=finished(2)))
        return [reply.status_code for reply in replies]

    assert asyncio.run(deliver()) == [204, 204]


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        ({"method": "GET"}, 405),
        ({"method": "PUT", "json": finished()}, 405),
        ({"method": "HEAD"}, 405),
        ({"url": "https://receiver.test/callbacks/wrong"}, 404),
        ({"url": "https://receiver.test/callbacks/wrong", "method": "GET"}, 404),
        ({"url": "https://receiver.test/"}, 404),
        ({"url": f"https://receiver.test/{TOKEN}/more"}, 404),
        ({"url": f"https://receiver.test/callbacks/x?token={TOKEN}"}, 404),
        ({"url": "https://receiver.test/%C3%A9"}, 404),
        ({"content": json_bytes(finished()), "headers": {"content-type": "text/plain"}}, 415),
        ({"data": {"a": "b"}}, 415),
        ({"json": finished(), "headers": {"content-encoding": "gzip"}}, 415),
        ({"content": b""}, 400),
        ({"content": b"{"}, 400),
        ({"json": []}, 400),
        ({"json": finished("x")}, 400),
        ({"json": finished(), "headers": {"content-length": "many"}}, 400),
        ({"content": b"x" * 1001}, 413),
        ({"json": finished(), "headers": {"content-length": "1001"}}, 413),
        ({"json": finished(), "headers": {"content-length": "9" * 5000}}, 413),
        ({"json": finished()}, 204),
        ({"json": finished(), "url": URL + "/?attempt=2"}, 204),
        ({"content": json_bytes(finished())}, 204),
        ({"content": json_bytes(finished()), "headers": {"content-type": "Application/JSON; charset=utf-8"}}, 204),
        ({"content": json_bytes(finished()), "headers": {"content-type": "application/cloudevents+json"}}, 204),
    ],
    ids=shown,
)
def test_request_gets_its_status(request_: dict[str, Any], status: int, caplog: pytest.LogCaptureFixture) -> None:
    """A request that isn't a delivery gets the status that says why, and never reaches the handler; no token shown."""
    caplog.set_level(logging.DEBUG, "workflow_runs")
    handled = _Handled()

    reply = posted(RunCallbacks(handled, token=TOKEN, max_bytes=1000), **request_)

    assert (reply.status_code, len(handled)) == (status, status == 204)
    assert reply.headers.get("allow") == ("POST" if status == 405 else None)
    assert TOKEN not in reply.text + caplog.text


def test_body_without_length_is_bounded() -> None:
    """A body in pieces is cut off once it is too large, however much would follow."""
    given = []

    async def pieces() -> Any:
        for _ in range(100):
            given.append(1)
            yield b"x" * 100

    assert posted(RunCallbacks(_Handled(), token=TOKEN, max_bytes=250), content=pieces()).status_code == 413


@pytest.mark.parametrize("depth", [100, 300, 400, 600, 900, 1000, 5000])
@pytest.mark.parametrize("nested", [("[", "]"), ('{"a":', "}")], ids=["lists", "objects"])
def test_payload_of_any_depth_is_taken_or_refused(nested: tuple[str, str], depth: int) -> None:
    """However deeply a genuine payload is nested, it is handled or told to be too deep: never a 500."""
    deep = nested[0] * depth + ("1" if nested[1] == "}" else "") + nested[1] * depth
    event = f'{{"event_type": "grown", "details": {{"a": {deep}}}}}'.encode()
    with contextlib.suppress(RecursionError, BadArgument):
        signed = sign_dashboard_event(json.loads(event), SECRET)
        assert posted(DashboardWebhooks(_Handled(), secret=SECRET), content=event, headers=signed).status_code == 204
    for receiver, body, headers in (
        (DashboardWebhooks(_Handled(), secret=SECRET), event, {"x-promptlayer-signature": "0" * 64}),
        (InteractlyWebhooks(_Handled(), secret=SECRET), event, sign_interactly_event(event, SECRET)),
        (RunCallbacks(_Handled(), token=TOKEN), f'{{"workflow_version_execution_id": 1, "a": {deep}}}'.encode(), {}),
    ):
        assert posted(receiver, content=body, headers=headers).status_code in {204, 400, 401}


@pytest.mark.parametrize("event_id", ["\ud800", "a\nb", "x" * 100_000, "\x00"], ids=["half", "line", "long", "null"])
def test_key_of_an_event_can_be_kept_anywhere(event_id: str) -> None:
    """A store of the user's own gets a short printable key, whatever the event calls itself; the same one each time."""
    body = json.dumps({"event_id": event_id, "action": "workflow_run_completed"}).encode()
    keys: list[str] = []
    memory = RecentDeliveries()
    remember = memory.remember
    memory.remember = lambda key: keys.append(key) or remember(key)  # type: ignore[assignment, func-returns-value]
    handled = _Handled()
    for _ in range(2):
        receiver = InteractlyWebhooks(handled, secret=SECRET, memory=memory)
        assert posted(receiver, content=body, headers=sign_interactly_event(body, SECRET)).status_code == 204
    (key,) = keys
    assert (key.isascii(), key.isprintable(), len(key) < 300, len(handled)) == (True, True, True, 1)


def test_broken_payload_is_told_without_quoting_it() -> None:
    """The sender learns the place of the fault and what was expected."""
    reply = posted(RunCallbacks(_Handled(), token=None), json=finished("text-that-nobody-may-see"))

    assert reply.text == (
        "the payload breaks the contract: expected a whole number, got a text of 24 characters"
        " @ $.workflow_version_execution_id"
    )


def test_callbacks_may_come_in_any_order_and_again() -> None:
    """Executions are handled in the order they come, each once, even if its payload differs the second time."""
    handled = _Handled()
    app = RunCallbacks(handled, token=TOKEN)

    statuses = [posted(app, json=finished(each, each)).status_code for each in (3, 1, 3, 2, 1, 3)]
    again = posted(app, json=finished(3, "other")).status_code

    assert (statuses, again) == ([204] * 6, 204)
    assert [each.output for each in handled] == [3, 1, 2]


def test_delivery_whose_handler_failed_does_not_count(caplog: pytest.LogCaptureFixture) -> None:
    """The sender gets 500 until the handler succeeds, then 204, and the log has the traceback."""
    handled = _Handled(failures=2)
    app = RunCallbacks(handled, token=TOKEN)

    assert [posted(app, json=finished()).status_code for _ in range(4)] == [500, 500, 204, 204]
    assert len(handled) == 1
    assert caplog.text.count("OSError: the database is away") == 2
    assert TOKEN not in caplog.text


@pytest.mark.parametrize("fails", [False, True], ids=["first succeeds", "first fails"])
def test_second_delivery_waits_for_the_first(*, fails: bool) -> None:
    """A duplicate that comes while the first is handled is answered by how that ends: it is not lost if that fails."""
    order: list[str] = []
    app: RunCallbacks

    async def handler(_: RunFinished) -> None:
        order.append("begun")
        await asyncio.sleep(0.05)
        order.append("ended")
        if fails and len(order) == 2:
            raise OSError

    async def deliver() -> list[int]:
        replies = await asyncio.gather(*(post(app, json=finished()) for _ in range(3)))
        return sorted(reply.status_code for reply in replies)

    app = RunCallbacks(handler, token=TOKEN)
    assert asyncio.run(deliver()) == ([204, 204, 500] if fails else [204, 204, 204])
    assert order == ["begun", "ended"] * (2 if fails else 1)


def test_cancelled_delivery_does_not_count() -> None:
    """A server that stops in the middle of a delivery has not handled it: it is handled when it comes again."""
    runs = []
    begun = asyncio.Event()

    async def handler(_: RunFinished) -> None:
        runs.append(1)
        begun.set()
        if len(runs) == 1:
            await asyncio.sleep(_SECONDS)

    async def deliver() -> int:
        first = asyncio.ensure_future(post(app, json=finished()))
        await begun.wait()
        first.cancel()
        await asyncio.wait([first])
        return (await post(app, json=finished())).status_code

    app = RunCallbacks(handler, token=TOKEN)
    assert (asyncio.run(deliver()), len(runs)) == (204, 2)


def test_sender_that_goes_away_is_not_handled() -> None:
    """A request whose body breaks off is not answered and not handled."""
    handled, sent = _Handled(), []
    messages = [{"type": "http.request", "body": b"{", "more_body": True}, {"type": "http.disconnect"}]
    scope = {"type": "http", "method": "POST", "path": f"/{TOKEN}", "headers": []}

    async def receive() -> Any:
        return messages.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(RunCallbacks(handled, token=TOKEN)(scope, receive, send))

    assert (handled, sent) == ([], [])


def test_memory_may_be_the_users_own() -> None:
    """Two receivers that share an asynchronous store handle an execution once between them."""
    memory, handled = _SharedMemory(), _Handled()

    for app in (RunCallbacks(handled, token=TOKEN, memory=memory), RunCallbacks(handled, token=TOKEN, memory=memory)):
        assert posted(app, json=finished(7)).status_code == 204

    assert (len(handled), memory.keys) == (1, {"promptlayer:run:7"})


def test_memory_that_fails_makes_the_sender_try_again() -> None:
    """If the store is away the delivery is answered 500 and not handled blindly."""

    class Away:
        def seen(self, _: str) -> bool:
            raise ConnectionError

        def remember(self, _: str) -> None:
            raise ConnectionError

    handled = _Handled()

    assert posted(RunCallbacks(handled, token=TOKEN, memory=Away()), json=finished()).status_code == 500
    assert handled == []


def test_default_memory_is_bounded() -> None:
    """The oldest execution is forgotten first; what was forgotten is handled again."""
    handled = _Handled()
    app = RunCallbacks(handled, token=TOKEN, memory=RecentDeliveries(limit=2))

    for execution_id in (1, 2, 3, 3, 2, 1):
        posted(app, json=finished(execution_id))

    assert [each.execution_id for each in handled] == [1, 2, 3, 1]


def _dashboard(payload: Any, secret: str = SECRET) -> dict[str, Any]:
    return {"content": json_bytes(payload), "headers": sign_dashboard_event(payload, secret)}


def _interactly(body: bytes, secret: str = SECRET, **when: float) -> dict[str, Any]:
    return {"content": body, "headers": sign_interactly_event(body, secret, **when)}


def test_dashboard_event_is_handled_once_for_an_execution() -> None:
    """Several events for one execution are one; of other events only the same payload is."""
    handled = _Handled()
    app = DashboardWebhooks(handled, secret=SECRET)
    later = {**RUN_FINISHED, "timestamp": "2026-05-15T12:00:09+00:00"}
    report = {"event_type": "report_finished", "details": {"report_id": 1}, "timestamp": "2026-05-15T12:00:00+00:00"}

    statuses = [
        posted(app, **_dashboard(each)).status_code
        for each in (RUN_FINISHED, later, report, report, {**report, "timestamp": "2026-05-15T13:00:00+00:00"})
    ]

    assert statuses == [204] * 5
    assert [each.event_type for each in handled] == ["agent_run_finished", "report_finished", "report_finished"]


def test_interactly_event_is_handled_once() -> None:
    """A replayed delivery with a new timestamp is known by its event id, one without an id by its payload."""
    handled = _Handled()
    app = InteractlyWebhooks(handled, secret=SECRET)
    nameless, endless = b'{"action": "workflow_created"}', b'{"event_id": "%s"}' % (b"e" * 5000)
    again = INTERACTLY_BODY.replace(b"{", b'{"attempt": 2, ')

    for body in (INTERACTLY_BODY, nameless, endless, again, nameless, endless):
        assert posted(app, **_interactly(body, timestamp=time.time() - len(handled))).status_code == 204

    assert [each.event_id for each in handled] == ["e1", None, "e" * 5000]


def test_forged_stale_and_unsigned_deliveries_are_refused(caplog: pytest.LogCaptureFixture) -> None:
    """They are answered 401 with the reason and never handled; neither answer nor log shows secret or signature."""
    caplog.set_level(logging.DEBUG, "workflow_runs")
    handled = _Handled()
    dashboard = DashboardWebhooks(handled, secret=SECRET)
    interactly = InteractlyWebhooks(handled, secret=SECRET)
    genuine = list(_interactly(INTERACTLY_BODY)["headers"].items())
    forged = [("X-Interactly-Signature", "0" * 64)]
    refused = [
        (dashboard, {"json": RUN_FINISHED}),
        (dashboard, _dashboard(RUN_FINISHED, "another")),
        (dashboard, {**_dashboard(RUN_FINISHED), "content": json_bytes({**RUN_FINISHED, "workspace_id": 3})}),
        (interactly, {"content": INTERACTLY_BODY}),
        (interactly, _interactly(INTERACTLY_BODY, "another")),
        (interactly, _interactly(INTERACTLY_BODY, timestamp=time.time() - 400)),
        (interactly, {"content": INTERACTLY_BODY, "headers": genuine + forged}),
        (interactly, {"content": INTERACTLY_BODY, "headers": forged + genuine}),
    ]
    for app, request in refused:
        reply = posted(app, **request)
        assert reply.status_code == 401
        assert reply.text.startswith("X-")
        shown = reply.text + caplog.text
        assert SECRET not in shown
        assert not any(value in shown for value in dict(request.get("headers", {})).values())

    assert handled == []


def test_genuine_but_broken_events_are_told_apart() -> None:
    """A good signature over a payload that breaks the contract is 400, as is one that is no JSON; too large is 413."""
    dashboard = DashboardWebhooks(_Handled(), secret=SECRET, max_bytes=1000)
    interactly = InteractlyWebhooks(_Handled(), secret=SECRET, max_bytes=1000)

    assert posted(dashboard, **_dashboard({"details": {}})).status_code == 400
    assert posted(dashboard, content=b"{", headers=sign_dashboard_event({}, SECRET)).status_code == 400
    assert posted(interactly, **_interactly(b'{"event_id": 4}')).status_code == 400
    assert posted(dashboard, **_dashboard({"details": {"a": "x" * 1000}})).status_code == 413
    assert posted(interactly, **_interactly(b'"%s"' % (b"x" * 1000))).status_code == 413


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: DashboardWebhooks(print, secret=""), "secret"),
        (lambda: InteractlyWebhooks(print, secret=""), "secret"),
        (lambda: InteractlyWebhooks(print, secret=SECRET, max_age=math.nan), "max_age"),
        (lambda: InteractlyWebhooks(print, secret=SECRET, max_age="300"), "max_age"),  # type: ignore[arg-type]
        (lambda: InteractlyWebhooks(print, secret=SECRET, max_age=True), "max_age"),
        (lambda: RunCallbacks(print, token=""), "token"),
        (lambda: RunCallbacks(print, token="a/b"), "token"),
        (lambda: RunCallbacks(print, token="é"), "token"),
        (lambda: RunCallbacks(print, token=None, max_bytes=0), "max_bytes"),
        (lambda: RunCallbacks(print, token=None, max_bytes=1e6), "max_bytes"),  # type: ignore[arg-type]
        (lambda: RunCallbacks("print", token=None), "handler"),  # type: ignore[arg-type]
        (lambda: RunCallbacks(print, token=None, memory=[]), "memory"),  # type: ignore[arg-type]
        (lambda: RecentDeliveries(limit=0), "limit"),
        (lambda: RecentDeliveries(limit="5"), "limit"),  # type: ignore[arg-type]
        (lambda: RecentDeliveries(limit=True), "limit"),
    ],
)
def test_bad_setting_is_refused_at_once(make: Callable[[], object], field: str) -> None:
    """A setting that makes no sense is told when the receiver is made, not with the first delivery."""
    with pytest.raises(BadArgument) as caught:
        make()
    assert caught.value.field == field


def test_large_forgery_does_not_hold_up_others() -> None:
    """While 14 MB that nobody has signed are refused, the loop goes on; they are never parsed."""
    app = DashboardWebhooks(_Handled(), secret=SECRET)
    body = b'{"details": [' + b"[]," * 4_700_000 + b"[]]}"
    waits = []

    async def tick() -> None:
        while True:
            before = time.thread_time()  # what the loop itself works: a busy machine adds nothing to it
            await asyncio.sleep(0.005)
            waits.append(time.thread_time() - before)

    async def deliver() -> int:
        ticking = asyncio.ensure_future(tick())
        reply = await post(app, content=body, headers={"x-promptlayer-signature": "0" * 64})
        ticking.cancel()
        return reply.status_code

    assert asyncio.run(deliver()) == 401
    assert max(waits) < 0.5


def test_nothing_shows_secret_or_token() -> None:
    """`repr` of a receiver holds neither."""
    shown = f"{RunCallbacks(print, token=TOKEN)!r} {InteractlyWebhooks(print, secret=SECRET)!r}"

    assert TOKEN not in shown
    assert SECRET not in shown


def _mounted_in_starlette(*, runs: RunCallbacks, events: InteractlyWebhooks) -> Starlette:
    return Starlette(routes=[Mount("/callbacks", runs), Route("/webhooks", events)])


def _mounted_in_fastapi(*, runs: RunCallbacks, events: InteractlyWebhooks) -> FastAPI:
    app = FastAPI()
    app.mount("/callbacks", runs)
    app.router.routes.append(Route("/webhooks", events))
    return app


@pytest.mark.parametrize("mount", [_mounted_in_starlette, _mounted_in_fastapi], ids=["starlette", "fastapi"])
def test_receivers_can_be_mounted(mount: Callable[..., Any]) -> None:
    """Mounted in a framework, over a real socket, every answer is the receiver's own; other paths stay the app's."""
    runs, events = _Handled(), _Handled()
    app = mount(runs=RunCallbacks(runs, token=TOKEN), events=InteractlyWebhooks(events, secret=SECRET))

    with served(app) as base, httpx.Client(base_url=base) as sender:
        statuses = [
            sender.post(f"/callbacks/{TOKEN}", json=finished()).status_code,
            sender.post(f"/callbacks/{TOKEN}", json=finished()).status_code,
            sender.post("/callbacks/wrong", json=finished()).status_code,
            sender.get(f"/callbacks/{TOKEN}").status_code,
            sender.post("/webhooks", **_interactly(INTERACTLY_BODY)).status_code,
            sender.post("/webhooks", content=INTERACTLY_BODY).status_code,
            sender.get("/webhooks").status_code,
            sender.post("/elsewhere", json=finished()).status_code,
        ]

    assert statuses == [204, 204, 404, 405, 204, 401, 405, 404]
    assert ([each.output for each in runs], [each.event_id for each in events]) == (["Hello"], ["e1"])


def test_bare_receiver_serves_real_sockets() -> None:
    """On uvicorn alone many senders at once are served, huge bodies refused by their length before they are sent."""
    handled = _Handled()
    with served(RunCallbacks(handled, token=TOKEN)) as base, httpx.Client(base_url=base) as sender:
        threads = [
            threading.Thread(target=sender.post, args=(f"/{TOKEN}",), kwargs={"json": finished(number % 10)})
            for number in range(40)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        head = f"POST /{TOKEN} HTTP/1.1\nhost: x\ncontent-length: 99999999999"
        status, _ = raw_reply(base, head)

    assert status == 413
    assert sorted(each.execution_id for each in handled) == list(range(10))


def test_lifespan_and_websockets_are_answered() -> None:
    """A bare receiver starts and stops as servers ask, turns websockets away, and refuses what it doesn't know."""
    sent: list[str] = []

    def asked(kind: str, *messages: str) -> Awaitable[None]:
        waiting = list(messages)

        async def receive() -> Any:
            return {"type": waiting.pop(0)}

        async def send(message: Any) -> None:
            sent.append(message["type"])

        return RunCallbacks(print, token=TOKEN)({"type": kind}, receive, send)

    async def ask() -> None:
        await asked("lifespan", "lifespan.startup", "lifespan.shutdown")
        await asked("websocket", "websocket.connect")
        with pytest.raises(ValueError, match="over http"):
            await asked("smtp")

    asyncio.run(ask())
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete", "websocket.close"]


def test_sandbox_tries_again_until_the_handler_succeeds() -> None:
    """A sender that knows retries delivers to a failing handler until it succeeds, and it succeeds once."""
    handled = _Handled(failures=2)
    with (
        served(RunCallbacks(handled, token=TOKEN)) as base,
        Sandbox(run_seconds=0.01, options=["--callback-backoff=0.02"]) as sandbox,
        httpx.Client(base_url=sandbox.promptlayer_url, headers={"X-API-KEY": sandbox.api_key}) as client,
    ):
        run = client.post("/workflows/canary/run", json={"callback_url": f"{base}/{TOKEN}"}).json()
        handled.wait(1)

    assert [each.execution_id for each in handled] == [run["workflow_version_execution_id"]]
