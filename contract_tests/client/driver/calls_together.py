"""Tasks of many calls: at once, in several event loops, and in several processes."""

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from contract_tests.client.adapter import Call, Connection, NotSupported
from contract_tests.client.driver.calling import Calling, awaited, finished
from contract_tests.client.driver.children import in_child

SEVERAL = 1.0  # seconds: for some requests to be sent
MANY = 5.0  # seconds: for more of them to end than there are


class CallsTogether(Calling):
    """Makes them by one client."""

    def closing(self, connection: Connection, call: Call, *, times: int) -> dict[str, Any]:
        """Make so many calls at once, from as many threads if they are synchronous, and close the client."""
        close, client = self._offered("close"), self._adapter.connect(connection)

        async def calling() -> dict[str, Any]:
            if call.is_async:
                await asyncio.gather(*(self._invoked(client, call) for _ in range(times)))
            else:
                with ThreadPoolExecutor(times) as pool:
                    list(pool.map(lambda _: self._adapter.invoke(client, call), range(times)))
            await awaited(close(client))
            return {"kind": "value", "json": None, "type_name": "closed"}

        return self._run(calling, connection, call)

    def given_up(self, connection: Connection, call: Call, *, times: int, is_cancelled: bool) -> dict[str, Any]:
        """Give up so many calls at once: cancelled, or when their time-out is over."""

        async def giving_up() -> dict[str, Any]:
            client = self._client(connection)
            if call.is_async:
                tasks = [asyncio.ensure_future(self._invoked(client, call)) for _ in range(times)]
                await asyncio.wait(tasks, timeout=SEVERAL if is_cancelled else None)
                for task in tasks:
                    task.cancel()
                await asyncio.wait(tasks, timeout=MANY)
            else:
                with ThreadPoolExecutor(times) as pool:
                    made = [pool.submit(self._adapter.invoke, client, call) for _ in range(times)]
                    [each.exception() for each in made]
            return {"kind": "value", "json": None, "type_name": "given up"}

        return self._run(giving_up, connection, call)

    def crowd(self, connection: Connection, call: Call, *, times: int, rounds: int) -> dict[str, Any]:
        """Make so many calls at once, each so many times in a row; return what those without a value came to."""
        client = self._client(connection)

        async def in_a_row() -> list[dict[str, Any]]:
            return [await self._message(client, call) for _ in range(rounds)]

        async def together() -> dict[str, Any]:
            if call.is_async:
                made = await asyncio.gather(*(in_a_row() for _ in range(times)))
            else:
                with ThreadPoolExecutor(times) as pool:
                    made = list(pool.map(lambda _: finished(in_a_row()), range(times)))
            lost = [message for messages in made for message in messages if message["kind"] != "value"]
            return {"kind": "value", "json": None, "type_name": "crowd", "lost": lost}

        return self._run(together, connection, call)

    def loops(self, connection: Connection, call: Call) -> dict[str, Any]:
        """Make calls with one client in several event loops: after one another, in turn, and in another thread."""
        self._claimed("event loops")
        client = self._adapter.connect(connection)
        loops = [asyncio.new_event_loop() for _ in range(3)]
        calls: list[dict[str, Any]] = []
        for loop, is_over in zip((*loops, loops[1]), (True, False, False, False), strict=True):
            calls.append(loop.run_until_complete(self._message(client, call)))
            if is_over:
                loop.close()
        calls += [asyncio.run_coroutine_threadsafe(self._message(client, call), self._loop).result()]
        calls += [loop.run_until_complete(self._message(client, call)) for loop in loops[1:]]
        for loop in loops[1:]:
            loop.close()
        return {"kind": "value", "json": None, "type_name": "loops", "calls": calls}

    def forked(self, connection: Connection, call: Call) -> dict[str, Any]:
        """Make calls with one client: one here, one in a process that is forked then, and one here again."""
        self._claimed("processes")
        if not hasattr(os, "fork"):
            raise NotSupported("this system forks no processes")
        client = self._adapter.connect(connection)

        def call_here() -> dict[str, Any]:
            return self._run(lambda: self._message(client, call), connection, call)

        def call_there() -> dict[str, Any]:
            made = self._message(client, call)
            return asyncio.run(made) if call.is_async else finished(made)

        calls = [call_here(), in_child(call_there), call_here()]
        return {"kind": "value", "json": None, "type_name": "processes", "calls": calls}
