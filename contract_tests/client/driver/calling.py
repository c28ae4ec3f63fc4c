"""Makes calls by an adapter, in the event loop of the asynchronous clients or in the thread that asks."""

import asyncio
import contextlib
import inspect
import threading
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from contract_tests.client.adapter import Adapter, Call, Connection, NotSupported
from contract_tests.client.driver.messages import error_message, value_message

LONG_ENOUGH = 0.3  # seconds: for a request to be sent


class Calling:
    """Keeps the clients: each is built once for each way to connect."""

    def __init__(self, adapter: Adapter) -> None:
        self._adapter = adapter
        self._clients: dict[Connection, Any] = {}
        self._lock = threading.Lock()
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()

    def _claimed(self, use: str) -> None:
        if use not in self._offered("serves"):
            raise NotSupported(f"the client is not documented to serve {use}")

    async def _message(self, client: Any, call: Call) -> dict[str, Any]:
        try:
            return value_message(self._adapter, await self._invoked(client, call), call)
        except BaseException as error:  # noqa: BLE001 - whatever a client raises is what is asked for
            return error_message(self._adapter, error, call)

    def _offered(self, member: str) -> Any:
        """Return a member that an adapter need not have."""
        found = getattr(self._adapter, member, None)
        if found is None:
            raise NotSupported("the adapter does not offer this")
        return found

    def _told(self, call: Call, connection: Connection, make: Callable[[], Awaitable[Any]]) -> dict[str, Any]:
        async def outcome() -> dict[str, Any]:
            return value_message(self._adapter, await make(), call)

        return self._run(outcome, connection, call)

    def _run(self, make: Callable[[], Awaitable[dict[str, Any]]], connection: Connection, call: Call) -> dict[str, Any]:
        """Await in the one event loop of the asynchronous clients; a synchronous form never really waits."""

        async def caught() -> dict[str, Any]:
            try:
                return await make()
            except BaseException as error:  # noqa: BLE001 - whatever a client raises is what is asked for
                return error_message(self._adapter, error, call)

        if connection.is_async:
            return asyncio.run_coroutine_threadsafe(caught(), self._loop).result()
        told: dict[str, Any] = finished(caught())
        return told

    async def _handed_over(self, client: Any, call: Call) -> Any:
        try:
            return await self._invoked(client, call)
        except self._adapter.own_errors as error:
            carried = getattr(self._adapter, "carried", lambda _: None)(error)
            if carried is None:
                raise
            return carried

    async def _invoked(self, client: Any, call: Call) -> Any:
        value = self._adapter.invoke(client, call)
        return await awaited(value) if call.is_async else value

    def _client(self, connection: Connection) -> Any:
        with self._lock:
            if connection not in self._clients:
                self._clients[connection] = self._adapter.connect(connection)
            return self._clients[connection]


async def cancel(
    calling: Coroutine[Any, Any, Any], errors: tuple[type[BaseException], ...], seconds: float = LONG_ENOUGH
) -> str:
    """Cancel what waits for the service once a request may have been sent; say how that ended."""
    task = asyncio.ensure_future(calling)
    await asyncio.wait([task], timeout=seconds)
    if not task.cancel():
        return "over before"
    with contextlib.suppress(asyncio.CancelledError, *errors):
        await task
    return "cancelled" if task.cancelled() else "not cancelled"


async def in_task(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Await it in a task of its own, whose cancellation ends nothing else."""
    return await asyncio.ensure_future(coroutine)


async def awaited(value: Any) -> Any:
    """Await what can be, and return the rest as it is."""
    return await value if inspect.isawaitable(value) else value


def finished(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Return what a coroutine gives in which nothing waits for a loop: one step brings it to its end."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value
    coroutine.close()
    return {"kind": "broken", "reason": "the adapter gave an awaitable in the synchronous form"}
