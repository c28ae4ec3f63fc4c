"""The sandbox in this process, with one seeded defect at a time: a start for each would cost more than judging it."""

import asyncio
import copy
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

from mutants.servers.fault import Fault, ServerDefect
from mutants.servers.serving import server_of, url_of
from workflow_sandbox.listener import bind
from workflow_sandbox.store import Store


class FaultyServer:
    """Serves while its ``with`` block lasts; ``node_seconds`` is how long each node of a run takes."""

    def __init__(self, node_seconds: float) -> None:
        self._node_seconds = node_seconds
        self._listening = bind("127.0.0.1", 0)
        self._listening.listen()
        self._thread = threading.Thread(target=self._serve)
        self._is_ready = threading.Event()

    def __enter__(self) -> Self:
        self._thread.start()
        self._is_ready.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join()

    @contextmanager
    def having(self, defect: ServerDefect) -> Iterator[str]:
        """Give the base URL of a server with this defect."""
        self._app.fault = copy.deepcopy(defect.fault)
        yield url_of(self._listening)
        self._app.fault = Fault()

    def _serve(self) -> None:
        with self._listening, Store(":memory:") as store:  # which one thread alone may use
            self._app, self._server = server_of(store, Fault(), node_seconds=self._node_seconds)
            self._is_ready.set()
            asyncio.run(self._serve_to_the_end())

    async def _serve_to_the_end(self) -> None:
        await self._server.serve(sockets=[self._listening])
        await self._app.close()
