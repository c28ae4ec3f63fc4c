"""
The program inside the judged client's process: reads what to do as JSON lines, does it, writes outcomes as JSON lines.

It imports the standard library, the harness's modules for it, the adapter and the client, nothing else. The pipe to the
harness is a descriptor of its own: what the client prints goes to standard error and breaks nothing.
"""

import asyncio
import base64
import contextlib
import importlib
import inspect
import itertools
import json
import os
import sys
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import spec_from_file_location
from pathlib import Path
from typing import IO, Any

from contract_tests.client.adapter import Adapter, Batch, Call, Connection, Follower, Heard, NotSupported
from contract_tests.client.driver.children import in_child
from contract_tests.client.driver.deliveries import deliver, deliver_together, post_of, proofs_of
from contract_tests.client.driver.following import end_wait
from contract_tests.client.driver.json_bytes import with_objects
from contract_tests.client.driver.listening import play_steps
from contract_tests.client.driver.messages import TEXT_LIMIT, call_of, connection_of, error_message, value_message
from contract_tests.client.driver.modules import look_at_modules
from contract_tests.client.driver.objects import errors_that_differ, look_at
from contract_tests.client.driver.secrets import LogWatch, places_of, variables_of

WORKERS = 64
LONG_ENOUGH = 0.3  # seconds: for a request to be sent
SEVERAL = 1.0  # seconds: for some of them
MANY = 5.0  # seconds: for more of them to end than there are


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


class SubjectFinder:
    """Finds the judged packages in their own folders, whatever those are called and whatever lies beside them."""

    def __init__(self, places: Mapping[str, str]) -> None:
        self._places = {name: Path(folder) for name, folder in places.items()}

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:  # noqa: ARG002 - Python's
        """Answer Python's import system."""
        if name not in self._places:
            return None
        folder = self._places[name]
        start = folder / "__init__.py"
        if not start.is_file():
            return PathFinder.find_spec(name, [str(folder.parent)])
        return spec_from_file_location(name, start, submodule_search_locations=[str(folder)])


class Driver:
    """Makes calls; every client is built once for each way to connect, and kept."""

    def __init__(self, adapter: Adapter) -> None:
        self._adapter = adapter
        self._clients: dict[Connection, Any] = {}
        self._lock = threading.Lock()
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()

    def do(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """Do what a message asks for, which names one of the methods below, and return the outcome."""
        given = {name: value for name, value in message.items() if name not in {"id", "do", "operation", "arguments"}}
        if "connection" in message:
            given["connection"] = connection_of(message["connection"])
        if "operation" in message:
            is_async = given["connection"].is_async
            given["call"] = call_of(message["operation"], message["arguments"], is_async=is_async)
        try:
            outcome: dict[str, Any] = getattr(self, message["do"])(**given)
        except NotSupported as reason:
            return {"kind": "unclaimed", "reason": str(reason)}
        return outcome

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

    def modules(self) -> dict[str, Any]:
        """Look at the modules of the client's packages."""
        return {"kind": "looked at", "remarks": look_at_modules(self._offered("modules"))}

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
            await _awaited(close(client))
            return await self._invoked(client, call)

        return self._told(call, connection, closing)

    def closing(self, connection: Connection, call: Call, *, times: int) -> dict[str, Any]:
        """Make so many calls at once, from as many threads if they are synchronous, and close the client."""
        close, client = self._offered("close"), self._adapter.connect(connection)

        async def calling() -> dict[str, Any]:
            if call.is_async:
                await asyncio.gather(*(self._invoked(client, call) for _ in range(times)))
            else:
                with ThreadPoolExecutor(times) as pool:
                    list(pool.map(lambda _: self._adapter.invoke(client, call), range(times)))
            await _awaited(close(client))
            return {"kind": "value", "json": None, "type_name": "closed"}

        return self._run(calling, connection, call)

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
            ended.append(await _cancelled(self._invoked(client, call), self._adapter.own_errors))
            return await self._invoked(client, call)

        return {**self._told(call, connection, again), "task": "".join(ended)}

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
                    made = list(pool.map(lambda _: _finished(in_a_row()), range(times)))
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
            return asyncio.run(made) if call.is_async else _finished(made)

        calls = [call_here(), in_child(call_there), call_here()]
        return {"kind": "value", "json": None, "type_name": "processes", "calls": calls}

    def raw(self, connection: Connection, call: Call) -> dict[str, Any]:
        """Make a call in the form that has the response beside the value."""

        async def beside() -> dict[str, Any]:
            made = self._offered("raw")(self._client(connection), call)
            value, status, headers, content = await made if call.is_async else made
            raw = {"status": status, "headers": dict(headers), "content": base64.b64encode(content).decode()}
            return {**value_message(self._adapter, value, call), "raw": raw}

        return self._run(beside, connection, call)

    def waited(
        self, connection: Connection, call: Call, *, deadline: float, view: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """Start a run and wait for its outcome, with the client or with a view of it that has more headers."""
        return self._told(call, connection, lambda: self._outcome_of_run(connection, call, deadline, view))

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

        outcome = self._told(call, connection, lambda: _in_task(following()) if call.is_async else following())
        return {**outcome, "heard": [vars(each) for each in heard]}

    def batched(
        self, connection: Connection, call: Call, *, bodies: list[Any], ledger: str, at_once: int, deadline: float
    ) -> dict[str, Any]:
        """Start what several bodies say as one batch, or go on with it."""
        run = self._offered("batching")
        calls = [replace(call, body=body) for body in bodies]

        async def running() -> dict[str, Any]:
            states = run(self._client(connection), calls, Batch(ledger=ledger, at_once=at_once, deadline=deadline))
            return {"kind": "value", "json": await _awaited(states), "type_name": "batch"}

        return self._run(running, connection, call)

    def wait_cancelled(self, connection: Connection, call: Call, *, deadline: float) -> dict[str, Any]:
        """Cancel a wait for a run."""

        async def cancelling() -> dict[str, Any]:
            await _cancelled(self._outcome_of_run(connection, call, deadline, None), self._adapter.own_errors, SEVERAL)
            return {"kind": "value", "json": None, "type_name": "cancelled"}

        return self._run(cancelling, connection, call)

    async def _outcome_of_run(
        self, connection: Connection, call: Call, deadline: float, view: Mapping[str, str] | None
    ) -> Any:
        wait, client = self._offered("waiting"), self._client(connection)
        value = wait(self._offered("derived")(client, view) if view else client, call, deadline)
        return await _awaited(value) if call.is_async else value

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

    def typed(self, connection: Connection, call: Call, kinds: Mapping[str, str]) -> dict[str, Any]:
        """Make a call with objects of Python's own types for those texts that are named with one."""
        known = {text: kind for text, kind in kinds.items() if kind in self._offered("python_values")}
        places = {place: with_objects(getattr(call, place), known) for place in ("path", "query", "header", "body")}
        return self.call(connection, replace(call, **places))

    def documents(self) -> dict[str, Any]:
        """Return the rules that the client's own documentation states, and where."""
        return {"kind": "documents", "rules": dict(getattr(self._adapter, "documents", {}))}

    def promises(self) -> dict[str, Any]:
        """Return the kinds of faults after which the client documents to try again."""
        return {"kind": "promises", "repeats": list(self._offered("repeats"))}

    def offers(self, *, name: str) -> dict[str, Any]:
        """Say whether the adapter has a member, and means it."""
        return {"kind": "offer", "is_there": bool(getattr(self._adapter, name, False))}

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

    def unlisted(self) -> dict[str, Any]:
        """Return bodies of deliveries that the contract does not describe."""
        return {"kind": "unlisted", "bodies": {name: list(each) for name, each in self._offered("unlisted").items()}}

    def receive(self, delivery: str, posts: list[dict[str, Any]], *, together: bool = False) -> dict[str, Any]:
        """Post to what receives callbacks and webhooks."""
        receiving = self._offered("receiving")(delivery)
        if together:
            return {"kind": "received", **deliver_together(receiving, [post_of(post) for post in posts])}
        taken = deliver(self._adapter, receiving, [post_of(post) for post in posts])
        return {"kind": "received", "taken": taken, "proofs": proofs_of(receiving)}

    def listen(self, delivery: str, steps: list[dict[str, Any]]) -> dict[str, Any]:
        """Post to a listener over sockets, and wait for what was posted."""
        receiving = self._offered("receiving")(delivery)
        if receiving.listen is None:
            raise NotSupported("the client has no listener for this")
        for post in (post for step in steps for post in step.get("posts", ())):
            signed = receiving.sign(base64.b64decode(post["content"])) if receiving.sign else {}
            post["headers"] = {"Content-Type": "application/json", **signed}
        return {"kind": "listened", "steps": play_steps(self._adapter, receiving, steps)}

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
        told: dict[str, Any] = _finished(caught())
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
        return await _awaited(value) if call.is_async else value

    def _client(self, connection: Connection) -> Any:
        with self._lock:
            if connection not in self._clients:
                self._clients[connection] = self._adapter.connect(connection)
            return self._clients[connection]


async def _cancelled(
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


async def _in_task(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Await it in a task of its own, whose cancellation ends nothing else."""
    return await asyncio.ensure_future(coroutine)


async def _awaited(value: Any) -> Any:
    return await value if inspect.isawaitable(value) else value


def _finished(coroutine: Coroutine[Any, Any, Any]) -> Any:
    # Nothing in a synchronous form waits for a loop: one step brings it to its end.
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value
    coroutine.close()
    return {"kind": "broken", "reason": "the adapter gave an awaitable in the synchronous form"}


def load(reference: str, generated: str) -> Adapter:
    """Make the adapter that ``MODULE:ATTRIBUTE`` names."""
    module, _, attribute = reference.partition(":")
    found: Any = importlib.import_module(module)
    for name in attribute.split("."):
        found = getattr(found, name)
    adapter: Adapter = found(generated)
    return adapter


class Pipe:
    """The harness's end of the conversation, out of the client's reach."""

    def __init__(self) -> None:
        self._input: IO[str] = os.fdopen(os.dup(0), encoding="ascii")
        self._output: IO[str] = os.fdopen(os.dup(1), "w", encoding="ascii")
        self._lock = threading.Lock()
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.dup2(2, 1)
        sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr] # last words shall not be lost

    def receive(self) -> dict[str, Any] | None:
        """Wait for the next message; None when the harness is gone."""
        line = self._input.readline()
        return json.loads(line) if line else None

    def send(self, message: Mapping[str, Any]) -> None:
        """Write one message; what JSON does not know is said to be so."""
        try:
            text = json.dumps(message, allow_nan=False)
        except (TypeError, ValueError, RecursionError) as error:
            foreign = {"json": None, "type_name": message.get("type_name", ""), "foreign": str(error)}
            text = json.dumps({"id": message["id"], "kind": "value", **foreign})
        with self._lock:
            self._output.write(text + "\n")
            self._output.flush()


def main() -> None:
    """Load what the first message names, then serve until the harness is gone."""
    pipe = Pipe()
    order = pipe.receive() or sys.exit(0)
    sys.meta_path.insert(0, SubjectFinder(order["packages"]))
    try:
        driver = Driver(load(order["adapter"], order["generated"]))
    except BaseException as error:  # noqa: BLE001 - whatever stops the client from being loaded is the answer
        pipe.send({"id": 0, "kind": "refused", "reason": f"{type(error).__name__}: {error}"})
        return
    pipe.send({"id": 0, "kind": "ready"})
    with ThreadPoolExecutor(WORKERS) as workers:
        while message := pipe.receive():
            workers.submit(_serve, driver, pipe, message)
        os._exit(0)  # a client that still waits for the wire shall not keep the process


def _serve(driver: Driver, pipe: Pipe, message: Mapping[str, Any]) -> None:
    try:
        outcome = driver.do(message)
    except BaseException as error:  # noqa: BLE001 - an adapter that breaks is told apart from a client
        outcome = {"kind": "broken", "reason": f"{type(error).__name__}: {error}"}
    pipe.send({"id": message["id"], **outcome})
