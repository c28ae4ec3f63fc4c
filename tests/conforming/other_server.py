"""A second server that keeps the contract: aiohttp, in memory, sharing no code with the sandbox.

`python tests/conforming/other_server.py MANNERS` prints its base URL and serves until it is stopped.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
from typing import TYPE_CHECKING, Any

from aiohttp import HttpVersion10, web
from manners import ALL
from other_interactly import Interactly
from other_promptlayer import PromptLayer
from strict_json import Invalid, read

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from manners import Manners

KEY = "sandbox-key"
NO_MORE: Mapping[str, str] = {}
Operation = Any  # takes the request and its body, and is awaited for status and body of the reply
BIGGEST = 16 * 1024 * 1024


class OtherServer:
    """Both services behind one application."""

    def __init__(self, manners: Manners) -> None:
        """Behave as told where the contract leaves a choice."""
        self.manners = manners
        self.promptlayer = PromptLayer(manners)
        self.interactly = Interactly(manners)
        self._count = 0

    def app(self) -> web.Application:
        """Make the application."""
        app = web.Application(middlewares=[self._around], client_max_size=max(BIGGEST, self.manners.largest_body))
        app.router.add_post("/workflows/{name:[^/]*}/run", self._run)
        app.router.add_get("/workflow-version-execution-results", self._results, allow_head=self.manners.head)
        app.router.add_post("/workflows/v1/workflows/{workflow:[^/]*}/execute", self._execute)
        known = self.promptlayer.workflows
        one, ids = "/workflows/{workflow:[^/]*}", "/workflows/{workflow:[^/]*}/external-ids"
        part = "{source:[^/]*}/{external_id:[^/]*}"
        for method, path, operation in (
            ("GET", "/workflows", lambda request, _: known.list(request.query)),
            ("GET", one, lambda request, _: known.get(_segment(request, 2), request.query)),
            ("GET", f"{one}/labels", lambda request, _: known.labels(_segment(request, 2))),
            ("GET", ids, lambda request, _: known.external_ids(_segment(request, 2))),
            ("POST", ids, lambda request, body: known.attach(_segment(request, 2), body)),
            ("DELETE", f"{ids}/{part}", lambda request, _: known.detach(*(_segment(request, at) for at in (2, 4, 5)))),
            ("POST", "/rest/workflows", lambda _, body: known.create(body)),
            (
                "PATCH",
                "/rest/workflows/{workflow:[^/]*}",
                lambda request, body: known.patch(_segment(request, 3), body),
            ),
        ):
            app.router.add_route(method, path, self._with_key(operation))
        app.router.add_get("/workflows/v1/workflow-runs", self._runs, allow_head=self.manners.head)
        app.router.add_get("/workflows/v1/workflow-runs/{run:[^/]*}", self._read_run, allow_head=self.manners.head)
        app.on_cleanup.append(lambda _: self.promptlayer.close())
        return app

    async def _run(self, request: web.Request) -> web.StreamResponse:
        if _sole(request, "X-API-KEY") != KEY:
            return await self._reply(request, 401, self._error("The key is not right"))
        name = request.rel_url.raw_path.split("/")[2]
        return await self._reply(request, *await self.promptlayer.run(name, await self._body(request)))

    async def _results(self, request: web.Request) -> web.StreamResponse:
        if _sole(request, "X-API-KEY") != KEY:
            return await self._reply(request, self.manners.unauthorized, self._error("The key is not right"))
        return await self._reply(request, *await self.promptlayer.results(request.query))

    def _with_key(self, operation: Operation) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(request: web.Request) -> web.StreamResponse:
            if _sole(request, "X-API-KEY") != KEY:
                return await self._reply(request, self.manners.unauthorized, self._error("The key is not right"))
            body = await self._body(request) if request.method in {"POST", "PATCH"} else None
            return await self._reply(request, *await operation(request, body))

        return handle

    async def _runs(self, request: web.Request) -> web.StreamResponse:
        return await self._without_body(request, lambda: self.interactly.list(request.query))

    async def _read_run(self, request: web.Request) -> web.StreamResponse:
        return await self._without_body(request, lambda: self.interactly.read(_segment(request, 4)))

    async def _without_body(self, request: web.Request, operation: Callable[[], tuple[int, Any]]) -> web.StreamResponse:
        if _sole(request, "Authorization") != f"Bearer {KEY}":
            return await self._reply(request, self.manners.unauthorized, self._error("The token is not right"))
        return await self._reply(request, *operation())

    async def _execute(self, request: web.Request) -> web.StreamResponse:
        scheme, _, token = _sole(request, "Authorization").partition(" ")
        if scheme.lower() != "bearer" or token.strip() != KEY:
            return await self._reply(request, self.manners.unauthorized, self._error("The token is not right"))
        workflow = request.rel_url.raw_path.split("/")[4]
        body = await self._body(request)
        return await self._reply(request, *await self.interactly.execute(workflow, request.query, body))

    @web.middleware
    async def _around(self, request: web.Request, handler: Any) -> web.StreamResponse:
        await asyncio.sleep(self.manners.latency)
        if self.manners.http_1_0:
            request._version = HttpVersion10
        self._count += 1
        if self.manners.throttled and self._count % self.manners.throttled == 0:
            return await self._reply(request, 429, self._error("Not so fast"), {"Retry-After": "0"})
        if self.manners.needs_length and "Transfer-Encoding" in request.headers:
            return await self._reply(request, 411, self._error("How long is it?"))
        try:
            reply: web.StreamResponse = await handler(request)
        except Invalid as invalid:
            # The error of an external id always has a message.
            extra = {"message": str(invalid)} if request.path.partition("external-ids")[1] else {}
            return await self._reply(request, self.manners.invalid, {**self._invalid(invalid), **extra})
        except web.HTTPException as refused:
            allow = {"Allow": refused.headers["Allow"]} if "Allow" in refused.headers else {}
            return await self._reply(request, refused.status, self._error(refused.reason), allow)
        return reply

    def _invalid(self, invalid: Invalid) -> dict[str, Any]:
        if self.manners.detail_list:
            return {"detail": [{"loc": list(invalid.place), "msg": str(invalid), "type": "invalid"}]}
        return self._error(f"{'.'.join(map(str, invalid.place))}: {invalid}")

    def _error(self, words: str) -> dict[str, Any]:
        return {self.manners.error_member: words}

    async def _reply(
        self, request: web.Request, status: int, body: Any, more: Mapping[str, str] = NO_MORE
    ) -> web.StreamResponse:
        body = _shuffled(body) if self.manners.shuffled else body
        indent = 1 if self.manners.more_members else self.manners.indent
        text = json.dumps(body, allow_nan=False, indent=indent, ensure_ascii=not self.manners.raw_text)
        headers = {"Content-Type": self.manners.content_type, "X-Request-Id": "17", "Server": "other", **more}
        reply = web.Response(status=status, body=text.encode(), headers=headers)
        if self.manners.chunked:
            reply.enable_chunked_encoding()
        if self.manners.gzip:
            reply.enable_compression()  # if it is taken
        await reply.prepare(request)
        if self.manners.closing:
            # Nothing in the reply's head says so.
            await reply.write_eof()
            if request.transport is not None:
                request.transport.close()
        return reply

    async def _body(self, request: web.Request) -> Any:
        media_type = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if media_type != "application/json":
            if self.manners.foreign != self.manners.invalid:
                raise web.HTTPUnsupportedMediaType
            raise Invalid("this has to be application/json", "header", "content-type")
        raw = await request.read()
        if len(raw) > self.manners.largest_body:
            raise web.HTTPRequestEntityTooLarge(self.manners.largest_body, len(raw))
        return read(raw)


def _sole(request: web.Request, name: str) -> str:
    values = request.headers.getall(name, [])
    return values[0] if len(values) == 1 else ""


def _shuffled(value: Any) -> Any:
    if isinstance(value, dict):
        items = [(name, _shuffled(inner)) for name, inner in value.items()]
        random.shuffle(items)
        return dict(items)
    return [_shuffled(inner) for inner in value] if isinstance(value, list) else value


def _segment(request: web.Request, place: int) -> str:
    return request.rel_url.raw_path.split("/")[place]


async def _serve(manners: Manners) -> None:
    runner = web.AppRunner(OtherServer(manners).app(), access_log=None, keepalive_timeout=manners.idle_seconds)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    sys.stdout.write(f"http://{host}:{port}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve(ALL[sys.argv[1]]))
