"""Tasks of runs that are waited for, of batches of them, and of lists."""

import asyncio
import itertools
import threading
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from contract_tests.client.adapter import Batch, Call, Connection, Follower, Heard
from contract_tests.client.driver.calling import Calling, awaited, cancel, in_task
from contract_tests.client.driver.following import end_wait

SEVERAL = 1.0  # seconds: for some questions to be asked


class Runs(Calling):
    """Starts runs, and goes through lists."""

    def waited(
        self, connection: Connection, call: Call, *, deadline: float, view: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """Start a run and wait for its outcome, with the client or with a view of it that has more headers."""
        return self._told(call, connection, lambda: self._outcome_of_run(connection, call, deadline, view))

    def main_output(self, connection: Connection, call: Call, *, deadline: float) -> dict[str, Any]:
        """Start a run with all its nodes, wait for it, and give its main output alone."""
        return self._told(call, connection, lambda: self._outcome_of_run(connection, call, deadline, by="main_output"))

    def followed(self, connection: Connection, call: Call, *, deadline: float, end: str) -> dict[str, Any]:
        """Start a run, wait for it and hear of it; end the wait once something was heard, if it is to end."""
        follow, heard = self._offered("following"), list[Heard]()
        stop: Any = asyncio.Event() if call.is_async else threading.Event()

        async def following() -> Any:
            here = asyncio.current_task() if call.is_async else None

            def tell(what: Heard) -> None:
                heard.append(what)
                end_wait(end, stop, here)

            value = follow(self._client(connection), call, deadline, Follower(tell=tell, stop=stop))
            return await value if call.is_async else value

        outcome = self._told(call, connection, lambda: in_task(following()) if call.is_async else following())
        return {**outcome, "heard": [vars(each) for each in heard]}

    def batched(
        self, connection: Connection, call: Call, *, bodies: list[Any], ledger: str, at_once: int, deadline: float
    ) -> dict[str, Any]:
        """Start what several bodies say as one batch, or go on with it."""
        run = self._offered("batching")
        calls = [replace(call, body=body) for body in bodies]

        async def running() -> dict[str, Any]:
            states = run(self._client(connection), calls, Batch(ledger=ledger, at_once=at_once, deadline=deadline))
            return {"kind": "value", "json": await awaited(states), "type_name": "batch"}

        return self._run(running, connection, call)

    def wait_cancelled(self, connection: Connection, call: Call, *, deadline: float) -> dict[str, Any]:
        """Cancel a wait for a run."""

        async def cancelling() -> dict[str, Any]:
            await cancel(self._outcome_of_run(connection, call, deadline), self._adapter.own_errors, SEVERAL)
            return {"kind": "value", "json": None, "type_name": "cancelled"}

        return self._run(cancelling, connection, call)

    async def _outcome_of_run(
        self,
        connection: Connection,
        call: Call,
        deadline: float,
        view: Mapping[str, str] | None = None,
        *,
        by: str = "waiting",
    ) -> Any:
        wait, client = self._offered(by), self._client(connection)
        value = wait(self._offered("derived")(client, view) if view else client, call, deadline)
        return await awaited(value) if call.is_async else value

    def listed(self, connection: Connection, call: Call, *, most: int) -> dict[str, Any]:
        """Go through the items of a list, as far as so many."""

        async def going() -> Any:
            items = self._offered("listing")(self._client(connection), call)
            if not call.is_async:
                return list(itertools.islice(items, most))
            taken: list[Any] = []
            async for item in items:
                taken.append(item)
                if len(taken) == most:
                    break
            return taken

        return self._told(call, connection, going)
