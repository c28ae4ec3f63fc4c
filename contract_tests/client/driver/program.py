"""
The program inside the judged client's process: reads what to do as JSON lines, does it, writes outcomes as JSON lines.

It imports the standard library, the harness's modules for it, the adapter and the client, nothing else. The pipe to the
harness is a descriptor of its own: what the client prints goes to standard error and breaks nothing.
"""

import base64
import importlib
import json
import os
import sys
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import spec_from_file_location
from pathlib import Path
from typing import IO, Any

from contract_tests.client.adapter import Adapter, NotSupported
from contract_tests.client.driver.calls_together import CallsTogether
from contract_tests.client.driver.deliveries import deliver, deliver_together, post_of, proofs_of
from contract_tests.client.driver.listening import play_steps
from contract_tests.client.driver.messages import call_of, connection_of
from contract_tests.client.driver.modules import look_at_modules
from contract_tests.client.driver.runs import Runs
from contract_tests.client.driver.single_calls import SingleCalls

WORKERS = 64


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


class Driver(SingleCalls, CallsTogether, Runs):
    """Does the tasks that the harness asks for; each is a method."""

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

    def modules(self) -> dict[str, Any]:
        """Look at the modules of the client's packages."""
        return {"kind": "looked at", "remarks": look_at_modules(self._offered("modules"))}

    def documents(self) -> dict[str, Any]:
        """Return the rules that the client's own documentation states, and where."""
        return {"kind": "documents", "rules": dict(getattr(self._adapter, "documents", {}))}

    def promises(self) -> dict[str, Any]:
        """Return the kinds of faults after which the client documents to try again."""
        return {"kind": "promises", "repeats": list(self._offered("repeats"))}

    def hooks(self) -> dict[str, Any]:
        """Return the ways in which a caller's function is called behind a response."""
        return {"kind": "hooks", "names": list(self._offered("hooks"))}

    def offers(self, *, name: str) -> dict[str, Any]:
        """Say whether the adapter has a member, and means it."""
        return {"kind": "offer", "is_there": bool(getattr(self._adapter, name, False))}

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
