"""Tasks of one call, or of a few in a row."""

import base64
import contextlib
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from contract_tests.client.adapter import Call, Connection
from contract_tests.client.driver.calling import Calling, awaited, cancel
from contract_tests.client.driver.json_bytes import with_objects
from contract_tests.client.driver.messages import TEXT_LIMIT, value_message
from contract_tests.client.driver.objects import errors_that_differ, look_at
from contract_tests.client.driver.secrets import LogWatch, places_of, variables_of

NOWHERE = "http://127.0.0.1:9"
ANOTHER_REQUEST, ANOTHER_CALL = IN_VAIN = ("another request", "another call")
# What libraries of HTTP raise where a request of the function's own finds nobody.
OF_LIBRARIES = {"httpx": "ConnectError", "requests.exceptions": "ConnectionError", "aiohttp": "ClientConnectionError"}
ERRORS: dict[str, type[Exception]] = {
    "a mistake": RuntimeError,
    "no connection": ConnectionRefusedError,
    "time-out": TimeoutError,
}


class SingleCalls(Calling):
    """Makes them, and looks at what becomes of them."""

    def call(self, connection: Connection, call: Call) -> dict[str, Any]:
        """Make one call."""
        return self._told(call, connection, lambda: self._invoked(self._client(connection), call))

    def objects(self, connection: Connection, call: Call) -> dict[str, Any]:
        """Make one call twice and look at the objects that come of it."""

        async def both() -> dict[str, Any]:
            client = self._client(connection)
            values = [await self._handed_over(client, call) for _ in range(2)]
            return {"kind": "looked at", "remarks": look_at(self._adapter, call, *values)}

        return self._run(both, connection, call)

    def show(self, connection: Connection) -> dict[str, Any]:
        """Return the text that the client shows of itself."""
        client = self._client(connection)
        return {"kind": "shown", "text": f"{client!r}\n{client!s}"[:TEXT_LIMIT]}

    def address(self, connection: Connection, call: Call) -> dict[str, Any]:  # noqa: ARG002 - like the others
        """Return the address that the client knows by itself for an operation."""
        return {"kind": "address", "url": self._offered("address")(call)}

    def timeout(self, connection: Connection, call: Call) -> dict[str, Any]:  # noqa: ARG002 - like the others
        """Return the time-out of a client that was built without one."""
        seconds_of = self._offered("default_timeout")
        return {"kind": "timeout", "seconds": seconds_of(self._adapter.connect(connection))}

    def closed(self, connection: Connection, call: Call) -> dict[str, Any]:
        """Make a call with a client that has been closed."""
        close = self._offered("close")

        async def closing() -> Any:
            client = self._adapter.connect(connection)
            await self._invoked(client, call)  # so that there is something to close
            await awaited(close(client))
            return await self._invoked(client, call)

        return self._told(call, connection, closing)

    def headers(self, connection: Connection, call: Call) -> dict[str, Any]:
        """Make a call with headers of the caller's, and say what became of the caller's mapping."""
        outcome = self._told(call, connection, lambda: self._invoked(self._adapter.connect(connection), call))
        return {**outcome, "left": dict(connection.headers)}

    def derived(self, connection: Connection, call: Call, *, how: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """Make a call with a view of the client that is given something more, then one with the client itself."""
        view_of = self._offered(how)
        return self._by_both(connection, call, lambda client: view_of(client, **given))

    def tagged(self, connection: Connection, call: Call) -> dict[str, Any]:
        """Make a call with a view of the client that tags it, then one with the client itself."""
        view_of = self._offered("tagged")
        return self._by_both(connection, call, lambda client: view_of(client, call))

    def _by_both(self, connection: Connection, call: Call, view_of: Callable[[Any], Any]) -> dict[str, Any]:
        async def both() -> Any:
            client = self._client(connection)
            await self._invoked(view_of(client), call)
            return await self._invoked(client, call)

        return self._told(call, connection, both)

    def surrounded(self, connection: Connection, call: Call, *, variables: Mapping[str, str]) -> dict[str, Any]:
        """Make a call with a client of its own, in an environment that says these of proxies, and nothing else."""
        with proxies_in_environment(variables):
            return self._told(call, connection, lambda: self._invoked(self._adapter.connect(connection), call))

    def late(self, connection: Connection, call: Call) -> dict[str, Any]:
        """Make a call that comes to nothing in time, and the same call again."""

        async def again() -> Any:
            client = self._client(connection)
            with contextlib.suppress(*self._adapter.own_errors):
                await self._invoked(client, call)
            return await self._invoked(client, call)

        return self._told(call, connection, again)

    def cancelled(self, connection: Connection, call: Call) -> dict[str, Any]:
        """Cancel a call that waits for its response, and make the same call again; say what became of its task."""
        ended: list[str] = []

        async def again() -> Any:
            client = self._client(connection)
            ended.append(await cancel(self._invoked(client, call), self._adapter.own_errors))
            return await self._invoked(client, call)

        return {**self._told(call, connection, again), "task": "".join(ended)}

    def raw(self, connection: Connection, call: Call) -> dict[str, Any]:
        """Make a call in the form that has the response beside the value."""

        async def beside() -> dict[str, Any]:
            made = self._offered("raw")(self._client(connection), call)
            value, status, headers, content = await made if call.is_async else made
            raw = {"status": status, "headers": dict(headers), "content": base64.b64encode(content).decode()}
            return {**value_message(self._adapter, value, call), "raw": raw}

        return self._run(beside, connection, call)

    def hooked(self, connection: Connection, call: Call, *, hook: str, raises: str) -> dict[str, Any]:
        """Make a call with a client that calls a function behind each response, which raises; say how often it did."""
        times: list[str] = []

        def observer() -> None:
            times.append(raises)
            raise self._error(raises, connection, call)

        client = self._offered("hooks")[hook](connection, observer)
        return {**self._told(call, connection, lambda: self._invoked(client, call)), "times": len(times)}

    def _error(self, kind: str, connection: Connection, call: Call) -> Exception:
        """Return what a caller's function may raise: it may call the same service, or another, in vain."""
        if kind in ERRORS:
            return ERRORS[kind]("of the caller's function")
        if kind == ANOTHER_REQUEST:
            found = (getattr(sys.modules[name], error) for name, error in OF_LIBRARIES.items() if name in sys.modules)
            return next(found, ConnectionRefusedError)("of the caller's function")
        other = self._adapter.connect(replace(connection, base_url=NOWHERE, retries=0, is_async=False))
        try:
            self._adapter.invoke(other, replace(call, is_async=False))
        except Exception as error:  # noqa: BLE001 - whatever it is
            return error
        return RuntimeError("nobody listens there")

    def typed(self, connection: Connection, call: Call, kinds: Mapping[str, str]) -> dict[str, Any]:
        """Make a call with objects of Python's own types for those texts that are named with one."""
        known = {text: kind for text, kind in kinds.items() if kind in self._offered("python_values")}
        places = {place: with_objects(getattr(call, place), known) for place in ("path", "query", "header", "body")}
        return self.call(connection, replace(call, **places))

    def watched(self, connection: Connection, call: Call) -> dict[str, Any]:
        """Make a call with a client of its own, and say where the key lies afterwards."""
        held: list[str] = []
        framed: list[str] = []
        doubled: list[str] = []

        async def calling() -> Any:
            try:
                return await self._invoked(self._adapter.connect(connection), call)
            except BaseException as error:
                doubled.extend(errors_that_differ(self._adapter, error, call))  # first: to read may change
                held.extend(places_of(connection.key, error))
                framed.extend(variables_of(connection.key, error))
                raise

        inputs = getattr(self._adapter, "unlogged", lambda _: None)(call)
        with LogWatch(connection.key, inputs or ()) as log:
            outcome = self._told(call, connection, calling)
        found = {"held": held, "framed": framed, "doubled": doubled, "logged": log.told}
        return {**outcome, **found, "logged inputs": None if inputs is None else log.told_inputs}


@contextlib.contextmanager
def proxies_in_environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Let the environment say these of proxies, and nothing else, until the end of the block."""
    found = {name: os.environ.pop(name) for name in list(os.environ) if name.lower().endswith("_proxy")}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name in variables:
            del os.environ[name]
        os.environ.update(found)
