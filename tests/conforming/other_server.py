"""A second server that keeps the contract: aiohttp, in memory, sharing no code with the sandbox.

`python tests/conforming/other_server.py MANNERS` prints its base URL and serves until it is stopped.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import TYPE_CHECKING, Any

from aiohttp import web
from manners import MANNERS
from other_interactly import Interactly
from other_promptlayer import PromptLayer
from strict_json import Invalid, read

if TYPE_CHECKING:
    from collections.abc import Mapping

    from manners import Manners

KEY = "sandbox-key"
NO_MORE: Mapping[str, str] = {}
BIGGEST = 16 * 1024 * 1024


class OtherServer:
    """Both services behind one application."""

    def __init__(self, manners: Manners) -> None:
        """Behave as told where the contract leaves a choice."""
        self.manners = manners
        self.promptlayer = PromptLayer(manners)
        self.interactly = Interactly(manners)

    def app(self) -> web.Application:
        """Make the application."""
        app = web.Application(middlewares=[self._around], client_max_size=BIGGEST)
        app.router.add_post("/workflows/{name:[^/]*}/run", self._run)
        app.router.add_get("/workflow-version-execution-results", self._results, allow_head=False)
        app.router.add_post("/workflows/v1/workflows/{workflow:[^/]*}/execute", self._execute)
        app.on_cleanup.append(lambda _: self.promptlayer.close())
        return app

    async def _run(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("X-API-KEY") != KEY:
            return await self._reply(request, 401, self._error("The key is not right"))
        name = request.rel_url.raw_path.split("/")[2]
        return await self._reply(request, *await self.promptlayer.run(name, await self._body(request)))

    async def _results(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("X-API-KEY") != KEY:
            return await self._reply(request, self.manners.unauthorized, self._error("The key is not right"))
        return await self._reply(request, *await self.promptlayer.results(request.query))

    async def _execute(self, request: web.Request) -> web.StreamResponse:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or token.strip() != KEY:
            return await self._reply(request, self.manners.unauthorized, self._error("The token is not right"))
        workflow = request.rel_url.raw_path.split("/")[4]
        body = await self._body(request)
        return await self._reply(request, *await self.interactly.execute(workflow, request.query, body))

    @web.middleware
    async def _around(self, request: web.Request, handler: Any) -> web.StreamResponse:
        await asyncio.sleep(self.manners.latency)
        try:
            reply: web.StreamResponse = await handler(request)
        except Invalid as invalid:
            return await self._reply(request, self.manners.invalid, self._invalid(invalid))
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
        text = json.dumps(body, allow_nan=False, indent=1 if self.manners.more_members else None)
        headers = {"Content-Type": self.manners.content_type, "X-Request-Id": "17", "Server": "other", **more}
        reply = web.Response(status=status, body=text.encode(), headers=headers)
        if self.manners.chunked:
            reply.enable_chunked_encoding()
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
        return read(await request.read())


async def _serve(manners: Manners) -> None:
    runner = web.AppRunner(OtherServer(manners).app(), access_log=None, keepalive_timeout=300)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    sys.stdout.write(f"http://{host}:{port}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve(MANNERS[sys.argv[1]]))
