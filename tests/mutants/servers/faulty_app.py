"""The faulty server: an ASGI application around a correct one, with a fault in between."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import httpx

from mutants.servers.fault import Fault
from mutants.servers.messages import RELAY, RUN, Callback, Reply, Request

Scope = MutableMapping[str, Any]
Event = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Event], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

LOOPBACK: Final = {"127.0.0.1", "localhost", "::1"}
POST_SECONDS: Final = 10.0


class FaultyApp:
    """Serves what the correct application serves, but for one fault, which may be another one from now on."""

    def __init__(self, app: App, fault: Fault) -> None:
        self._app = app
        self.fault = fault
        self._aims: list[str] = []
        self._client = httpx.AsyncClient(timeout=POST_SECONDS, trust_env=False, follow_redirects=False)
        self._tasks: set[asyncio.Future[object]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or pass on what is no request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = await _read(scope, receive)
        if request.path.startswith(RELAY):
            reply = await self._relayed(request, scope)
        else:
            if self.fault.sees_callbacks:
                self._redirect_callback(request, scope["server"])
            reply = await self.fault.answer(request, _Correct(self, scope))
        await _write(reply, send)

    async def ask(self, request: Request, scope: Scope) -> Reply:
        """Give the correct application's reply."""
        inner = {
            **scope,
            "method": request.method,
            "path": unquote(request.path),
            "raw_path": request.path.encode("latin-1"),
            "query_string": request.query_string.encode("latin-1"),
            "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in _fitting(request)],
        }
        reply = Reply(500, [], b"")

        async def receive() -> Event:
            return {"type": "http.request", "body": request.content, "more_body": False}

        async def send(event: Event) -> None:
            if event["type"] == "http.response.start":
                reply.status = event["status"]
                reply.headers = [
                    (name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in event["headers"]
                ]
            else:
                reply.content += event.get("body", b"")

        await self._app(inner, receive, send)
        return reply

    async def post(self, callback: Callback) -> int:
        """Post a callback to where it is meant to go."""
        response = await self._client.request(
            callback.method, callback.url, content=callback.content, headers=callback.headers
        )
        return response.status_code

    def later(self, seconds: float, do: Callable[[], Awaitable[object]]) -> None:
        """Do something beside the requests, after a while."""

        async def work() -> object:
            await asyncio.sleep(seconds)
            return await do()

        task = asyncio.ensure_future(work())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Let go of what is left to do and of its connections."""
        for task in self._tasks:
            task.cancel()
        await self._client.aclose()

    def _redirect_callback(self, request: Request, server: tuple[str, int]) -> None:
        aim = request.members.get("callback_url")
        if request.operation != RUN or not isinstance(aim, str) or _host(aim) not in LOOPBACK:
            return
        self._aims.append(aim)
        relay = f"http://{server[0]}:{server[1]}{RELAY}{len(self._aims) - 1}"
        request.put({**request.members, "callback_url": relay})

    async def _relayed(self, request: Request, scope: Scope) -> Reply:
        aim = self._aims[int(request.path.removeprefix(RELAY))]
        status = await self.fault.deliver(Callback(aim, request.content), _Correct(self, scope))
        return Reply(status, [], b"")


class _Correct:
    # What a fault gets to see of the application while it answers one request.
    def __init__(self, app: FaultyApp, scope: Mapping[str, Any]) -> None:
        self._app = app
        self._scope = dict(scope)

    async def ask(self, request: Request) -> Reply:
        return await self._app.ask(request, self._scope)

    async def post(self, callback: Callback) -> int:
        return await self._app.post(callback)

    def later(self, seconds: float, do: Callable[[], Awaitable[object]]) -> None:
        self._app.later(seconds, do)


async def _read(scope: Scope, receive: Receive) -> Request:
    content = b""
    while (event := await receive())["type"] == "http.request":
        content += event.get("body", b"")
        if not event.get("more_body"):
            break
    return Request(
        method=scope["method"],
        path=scope["raw_path"].decode("latin-1"),
        query_string=scope["query_string"].decode("latin-1"),
        headers=[(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]],
        content=content,
        client=scope.get("client"),
        names=tuple(scope.get("state", {}).get("names", ())),
    )


async def _write(reply: Reply, send: Send) -> None:
    size = len(reply.content) + (1 if reply.is_cut else 0)
    headers = [(name, value) for name, value in reply.headers if name != "content-length"]
    headers.append(("content-length", str(size)))
    encoded = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    await send({"type": "http.response.start", "status": reply.status, "headers": encoded})
    await send({"type": "http.response.body", "body": reply.content, "more_body": False})


def _fitting(request: Request) -> list[tuple[str, str]]:
    # A changed body has another length, and a body that came in chunks has been put together.
    kept = [(name, value) for name, value in request.headers if name not in {"content-length", "transfer-encoding"}]
    return [*kept, ("content-length", str(len(request.content)))] if request.content else kept


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
