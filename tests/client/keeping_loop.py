"""A service in the test's own event loop: answers a run with what it is called, when the test lets it."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

__all__ = ["KeepingLoop"]


class KeepingLoop:
    """Keeps its connections open.

    Attributes:
        names: The runs it was asked for, in their order.
        peers: The port from which each of them came.
        open: Number of connections that are open.
        held: The names of runs that are answered only once they are taken out.
    """

    def __init__(self) -> None:
        self.names: list[str] = []
        self.peers: list[int] = []
        self.open = 0
        self.held: set[str] = set()
        self._news = asyncio.Condition()
        self._tasks: list[Any] = []

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        """Serve; gives the address."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=2_000)
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        server.close()
        await server.wait_closed()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        self._tasks.append(asyncio.current_task())
        with contextlib.suppress(asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            while True:
                await self._answer(reader, writer)
        self.open -= 1
        writer.close()
        await self._tell()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        await reader.readexactly(int(head.partition(b"content-length:")[2].split(b"\r\n")[0]))
        name = head.split(b"/")[2].decode()
        self.names.append(name)
        self.peers.append(writer.get_extra_info("peername")[1])
        await self._tell()
        if name in self.held:
            async with self._news:
                await self._news.wait_for(lambda: name not in self.held)
        body = json.dumps({"success": True, "message": "m", "workflow_version_execution_id": int(name)}).encode()
        writer.write(
            b"HTTP/1.1 201 Created\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body)
        )
        writer.write(body)

    async def _tell(self) -> None:
        async with self._news:
            self._news.notify_all()

    async def let(self, *names: str) -> None:
        """Let runs be answered."""
        self.held -= set(names)
        await self._tell()

    async def until(self, condition: str, count: int) -> None:
        """Wait until so many requests have come (`names`) or connections are `open`."""
        async with asyncio.timeout(30), self._news:
            await self._news.wait_for(lambda: self._count(condition) == count)

    def _count(self, condition: str) -> int:
        return len(self.names) if condition == "names" else self.open
