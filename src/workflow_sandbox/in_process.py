"""A sandbox in the process of its test: a fresh one takes milliseconds, and it forgets everything when it ends."""

import asyncio
import json
import os
import threading
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Future
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, Self

import httpx
from starlette.types import ASGIApp
from uvicorn.server import ServerState

from workflow_sandbox.answers import calling
from workflow_sandbox.app import Settings, create_app
from workflow_sandbox.assumptions import read
from workflow_sandbox.callbacks import CallbackPolicy
from workflow_sandbox.control import Control
from workflow_sandbox.faulty_app import ConnectionReset
from workflow_sandbox.listener import base_url, bind, listen
from workflow_sandbox.prompt import Prompt
from workflow_sandbox.sizes import Sizes
from workflow_sandbox.store import Store
from workflow_sandbox.workflow_files import keep, understood
from workflow_sandbox.workflow_files import read as read_file

_PEER = ("127.0.0.1", 1)


class InProcessSandbox(Control):
    """A running sandbox for one test, on a thread of its own, with its database in memory by default.

        with InProcessSandbox() as sandbox:
            httpx.get(sandbox.promptlayer_url + "/workflows", headers={"X-API-KEY": sandbox.api_key})

    It is reached by socket like any other, or without one by `transport`.
    """

    def __init__(
        self,
        *,
        database: str | os.PathLike[str] = ":memory:",
        api_key: str = "sandbox-key",
        run_seconds: float = 0.0,
        callback_backoff: float = 0.02,
        callback_attempts: int = 5,
        workflows: str | os.PathLike[str] | Mapping[str, Any] = MappingProxyType({}),
        answer: Callable[[Prompt], Any] | None = None,
        settings: Mapping[str, str | int] = MappingProxyType({}),
        sizes: Sizes | None = None,
    ) -> None:
        """Describe a sandbox; nothing runs before the `with` block.

        Args:
            database: Its SQLite file, which is kept, or a `postgresql://` URL; by default it is in memory.
            api_key: Key and bearer.
            run_seconds: Seconds that each node of a run takes.
            callback_backoff: Seconds before the second post of a callback, doubled for each further one.
            callback_attempts: Posts of a callback before it is given up.
            sizes: How much it takes.
            workflows: Your own PromptLayer workflows: a file (docs/sandbox.md), or its table `workflows` as a mapping.
            answer: What replies to prompts, on another thread; what it raises is the failure of the node.
            settings: What the services' documentation leaves open, decided otherwise; docs/sandbox.md lists the names.

        Raises:
            UnknownAssumption: There is no such setting, or it does not take the value.
            WrongWorkflows: The workflows make no sense.
        """
        self.api_key = api_key
        self._database = database
        policy = CallbackPolicy(attempts=callback_attempts, backoff_seconds=callback_backoff)
        assumed = read(f"{name}={value}" for name, value in settings.items())
        if isinstance(workflows, Mapping):
            own = understood({"workflows": dict(workflows)}, "workflows")
        else:
            own = read_file(Path(workflows))
        ask = None if answer is None else calling(answer)
        taken = sizes or Sizes()
        self._settings = Settings(api_key, run_seconds, policy, assumptions=assumed, sizes=taken, own=own, ask=ask)
        self._url = ""
        self._ready: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, name="workflow-sandbox", daemon=True)

    @property
    def promptlayer_url(self) -> str:
        """PromptLayer's base URL, without a slash at its end."""
        return self._url

    @property
    def transport(self) -> "InProcessTransport":
        """A transport for httpx, sync and async, that hands requests to the sandbox without a socket."""
        return InProcessTransport(self._app, self._loop)

    def __repr__(self) -> str:
        return f"<InProcessSandbox {self._url or 'not started'}>"

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.result()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # noqa: BLE001 - it is raised where somebody waits
            if not self._ready.done():
                self._ready.set_exception(error)

    async def _serve(self) -> None:
        self._loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
        state = ServerState()
        with Store(os.fspath(self._database), self._settings.sizes.rows) as store, bind("127.0.0.1", 0) as listening:
            keep(self._settings.own, store)
            app = create_app(store, self._settings)
            self._app, self._admin_transport = app, InProcessTransport(app.state.admin, self._loop)
            async with app.router.lifespan_context(app):
                server = await listen(app, listening, state)
                self._url = base_url(listening)
                self._ready.set_result(None)
                await self._ended.wait()
                server.close()
                for connection in list(state.connections):
                    connection.transport.abort()
                await asyncio.sleep(0)  # they are told that they have ended

    def _admin(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        request = httpx.Request(method, f"http://127.0.0.1{path}", json=body)
        response = self._admin_transport.handle_request(request)
        content = json.loads(response.content or b"null")
        if response.is_error:
            raise ValueError(content["error"])
        return content


class InProcessTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Hands the requests of any thread and loop to an application that lives in one loop."""

    def __init__(self, app: ASGIApp, loop: asyncio.AbstractEventLoop) -> None:
        self._inner = httpx.ASGITransport(app, client=_PEER)
        self._loop = loop

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Return the response to a request of a sync client."""
        request.read()
        return self._submit(self._exchange(request)).result()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Return the response to a request of an async client."""
        await request.aread()
        return await asyncio.wrap_future(self._submit(self._exchange(request)))

    def _submit(self, work: Coroutine[Any, Any, httpx.Response]) -> Future[httpx.Response]:
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    async def _exchange(self, request: httpx.Request) -> httpx.Response:
        seconds = request.extensions.get("timeout", {}).get("read")
        copy = httpx.Request(request.method, request.url, headers=request.headers, content=request.content)
        try:
            async with asyncio.timeout(seconds):
                response = await self._inner.handle_async_request(copy)
                content = await response.aread()
        except TimeoutError:
            raise httpx.ReadTimeout("the sandbox takes longer than that", request=request) from None
        except ConnectionReset as error:
            raise httpx.ReadError(str(error), request=request) from None
        return httpx.Response(response.status_code, headers=response.headers, content=content, request=request)
