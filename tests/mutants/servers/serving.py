"""Serves the sandbox with one fault, in a process of its own."""

import asyncio
import copy
import logging
import multiprocessing
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Final

import h11
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from contract_tests.rules import SetUpError
from mutants.processes import CONTEXT
from mutants.servers.all_defects import defect
from mutants.servers.fault import Fault
from mutants.servers.faulty_app import FaultyApp
from mutants.servers.messages import KEY
from workflow_sandbox.app import Settings, create_app
from workflow_sandbox.assumptions import Assumptions
from workflow_sandbox.callbacks import CallbackPolicy
from workflow_sandbox.listener import bind
from workflow_sandbox.store import Store

CORRECT: Final = ""
SECONDS_TO_START: Final = 60.0
KEEP_ALIVE: Final = 300


class NamesKept(HttpToolsProtocol):
    """Keeps the names of headers as they were written, which ASGI has in lower case."""

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header."""
        super().on_header(name, value)
        self.scope.setdefault("state", {}).setdefault("names", []).append(name.decode("latin-1"))


@contextmanager
def served(name: str) -> Iterator[str]:
    """Give the base URL of the sandbox with a defect, by the defect's id; :data:`CORRECT` is the sandbox itself."""
    here, there = multiprocessing.Pipe(duplex=False)
    process = CONTEXT.Process(target=_serve_in_child, args=(name, there), daemon=True)
    process.start()
    there.close()
    try:
        yield _told_url(here, name)
    finally:
        process.kill()
        process.join()
        here.close()


def serve(listening: socket.socket, fault: Fault, *, form: str = "both") -> None:
    """Serve the sandbox with a fault on a bound socket until the process is told to stop."""
    with Store(":memory:") as store:
        asyncio.run(server_of(store, fault, form=form)[1].serve(sockets=[listening]))


def server_of(
    store: Store, fault: Fault, *, node_seconds: float = 0.05, form: str = "both"
) -> tuple[FaultyApp, uvicorn.Server]:
    """Make the sandbox with a fault, and what serves it."""
    logging.getLogger("uvicorn.error").addFilter(lambda record: not _was_cut_on_purpose(record))
    # Callbacks of both forms, since some defects are of the bare one.
    settings = Settings(
        api_key=KEY,
        node_seconds=node_seconds,
        callbacks=CallbackPolicy(backoff_seconds=0.1),
        assumptions=Assumptions(callback_output="as_asked", interactly_form=form),
    )
    app = FaultyApp(create_app(store, settings), copy.deepcopy(fault))
    config = uvicorn.Config(
        app,
        http=NamesKept,
        lifespan="on",
        log_config=None,
        access_log=False,
        ws="none",
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=1,
    )
    return app, uvicorn.Server(config)


def _was_cut_on_purpose(record: logging.LogRecord) -> bool:
    return record.exc_info is not None and isinstance(record.exc_info[1], h11.LocalProtocolError)


def url_of(listening: socket.socket) -> str:
    """Give the base URL of a bound socket."""
    host, port = listening.getsockname()[:2]
    return f"http://{host}:{port}"


def fault_of(name: str) -> Fault:
    """Give the fault of a defect; none at all for :data:`CORRECT`."""
    return defect(name).fault if name else Fault()


def _told_url(here: Connection, name: str) -> str:
    try:
        if here.poll(SECONDS_TO_START):
            return str(here.recv())
    except EOFError:
        pass
    raise SetUpError(f"the server with the defect {name or 'none'} does not start")


def _serve_in_child(name: str, told: Connection) -> None:
    with bind("127.0.0.1", 0) as listening:
        # From here on requests wait until they are taken.
        listening.listen()
        told.send(url_of(listening))
        told.close()
        found = defect(name) if name else None
        is_turns = found is not None and found.form == "b"
        serve(listening, found.fault if found else Fault(), form="b" if is_turns else "both")
