"""
The program inside the judged client's process: reads calls as JSON lines, makes them, writes outcomes as JSON lines.

It imports the standard library, :mod:`contract_tests.client.adapter`, the adapter and the client, nothing else. The
pipe to the harness is a descriptor of its own: what the client prints goes to standard error and breaks nothing.
"""

import asyncio
import base64
import importlib
import inspect
import json
import os
import sys
import threading
import traceback
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import spec_from_file_location
from pathlib import Path
from typing import IO, Any

from contract_tests.client.adapter import (
    ABSENT,
    Adapter,
    Call,
    Connection,
    Foreign,
    NotClaimed,
    OperationFacts,
    Received,
    Scheme,
    Unsayable,
)

TEXT_LIMIT = 50_000
WORKERS = 64


class Judged:
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

    def call(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """Make one call and give its outcome."""
        connection, call = _connection(message["connection"]), _call(message)
        if connection.is_async:
            return asyncio.run_coroutine_threadsafe(self._call_async(connection, call), self._loop).result()
        try:
            value = self._adapter.invoke(self._client(connection), call)
            return self._value(value, call)
        except BaseException as error:  # noqa: BLE001 - whatever a client raises is what is asked for
            return self._error(error, call)

    async def _call_async(self, connection: Connection, call: Call) -> dict[str, Any]:
        try:
            value = self._adapter.invoke(self._client(connection), call)
            return self._value(await value if inspect.isawaitable(value) else value, call)
        except BaseException as error:  # noqa: BLE001 - likewise; nobody cancels this task
            return self._error(error, call)

    def show(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """Give the text that the client shows of itself."""
        try:
            client = self._client(_connection(message["connection"]))
        except NotClaimed:
            return {"kind": "shown", "text": ""}
        return {"kind": "shown", "text": f"{client!r}\n{client!s}"[:TEXT_LIMIT]}

    def _client(self, connection: Connection) -> Any:
        with self._lock:
            if connection not in self._clients:
                self._clients[connection] = self._adapter.connect(connection)
            return self._clients[connection]

    def _value(self, value: Any, call: Call) -> dict[str, Any]:
        try:
            received = self._adapter.read(value, call)
        except Foreign as foreign:
            return {"kind": "value", "type": type(value).__name__, "foreign": str(foreign)}
        return {"kind": "value", **_received(received)}

    def _error(self, error: BaseException, call: Call) -> dict[str, Any]:
        if isinstance(error, Unsayable):
            kind = "unclaimed" if isinstance(error, NotClaimed) else "unsayable"
            return {"kind": kind, "text": str(error)}
        own = isinstance(error, self._adapter.own_errors)
        lines = traceback.format_exception(error)
        shown = "\n".join([_text_of(error), repr(error), *lines])[:TEXT_LIMIT]
        names = [f"{kind.__module__}.{kind.__qualname__}" for kind in type(error).__mro__]
        outcome = {"kind": "error", "type": type(error).__name__, "mro": names, "own": own, "text": _text_of(error)}
        outcome["shown"] = shown
        return outcome | (self._explanation(error, call) if own else {})

    def _explanation(self, error: BaseException, call: Call) -> dict[str, Any]:
        said = self._adapter.explain(error, call)
        return {
            "status": said.status,
            "body": None if said.body is None else _received(said.body),
            "content": None if said.content is None else base64.b64encode(said.content).decode(),
            "facts": dict(said.facts),
        }


def _text_of(error: BaseException) -> str:
    try:
        return str(error)[:TEXT_LIMIT]
    except Exception as broken:  # noqa: BLE001 - an error that cannot be shown is the client's
        return f"<its text raises {type(broken).__name__}>"


def _received(received: Received) -> dict[str, Any]:
    return {"json": received.json, "type": received.type_name, "status": received.status}


def _connection(message: Mapping[str, Any]) -> Connection:
    scheme = message["scheme"]
    return Connection(**{**message, "scheme": None if scheme is None else Scheme(**scheme)})


def _call(message: Mapping[str, Any]) -> Call:
    facts = dict(message["operation"])
    for name in ("parameters", "required"):
        facts[name] = {place: tuple(names) for place, names in facts[name].items()}
    facts["members"] = None if facts["members"] is None else tuple(facts["members"])
    facts["required_members"] = tuple(facts["required_members"])
    arguments = {place: message["arguments"].get(place, {}) for place in ("path", "query", "header", "cookie")}
    return Call(
        operation=OperationFacts(**facts),
        is_async=message["connection"]["is_async"],
        body=message["arguments"].get("body", ABSENT),
        **arguments,
    )


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
            shown = {"id": message["id"], "kind": "value", "type": message.get("type", ""), "foreign": str(error)}
            text = json.dumps(shown)
        with self._lock:
            self._output.write(text + "\n")
            self._output.flush()


def main() -> None:
    """Load what the first message names, then serve until the harness is gone."""
    pipe = Pipe()
    order = pipe.receive() or sys.exit(0)
    sys.meta_path.insert(0, Judged(order["packages"]))
    try:
        driver = Driver(load(order["adapter"], order["generated"]))
    except BaseException as error:  # noqa: BLE001 - whatever stops the client from being loaded is the answer
        pipe.send({"id": 0, "kind": "refused", "text": f"{type(error).__name__}: {error}"})
        return
    pipe.send({"id": 0, "kind": "ready"})
    with ThreadPoolExecutor(WORKERS) as workers:
        while message := pipe.receive():
            workers.submit(_serve, driver, pipe, message)
        os._exit(0)  # a client that still waits for the wire shall not keep the process


def _serve(driver: Driver, pipe: Pipe, message: Mapping[str, Any]) -> None:
    try:
        outcome = driver.show(message) if message["do"] == "show" else driver.call(message)
    except BaseException as error:  # noqa: BLE001 - an adapter that breaks is told apart from a client
        outcome = {"kind": "broken", "text": f"{type(error).__name__}: {error}"}
    pipe.send({"id": message["id"], **outcome})
