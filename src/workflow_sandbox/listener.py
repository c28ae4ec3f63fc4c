"""Binds the socket, tells when requests are accepted, and serves within bounds until it is told to stop."""

import asyncio
import socket
import sys

import uvicorn
from fastapi import FastAPI

from workflow_sandbox.connections import BoundedProtocol, accepted_at_once

_SECONDS_FOR_OPEN_REQUESTS = 3
# A pooled connection that the server closes first makes a caller's next POST fail; test runs pause for long.
_SECONDS_OF_KEEP_ALIVE = 300


_WAITING = 1024


class CannotListen(Exception):
    """The address can't be bound. Its text is one line for a person."""


class _AnnouncingServer(uvicorn.Server):
    """Prints its base URL once it accepts requests."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started and sockets:
            # uvicorn accepts as many in one go as may wait: more than there may be of them.
            sockets[0].listen(_WAITING)
            sys.stdout.write(f"{_base_url(sockets[0])}\n")
            sys.stdout.flush()


def bind(host: str, port: int) -> socket.socket:
    """Return a socket bound to `host` and `port`; port 0 takes a free one.

    Raises:
        CannotListen: The name is unknown, the port is taken or may not be used.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind, protocol)
        try:
            if sys.platform != "win32":
                # Elsewhere this would let two servers share the port.
                listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(address)
        except OSError:
            listening.close()
            raise
    except OSError as error:
        raise CannotListen(f"cannot listen on {host}:{port}: {error.strerror or error}") from None
    return listening


def serve(app: FastAPI, listening: socket.socket) -> bool:
    """Serve `app` until SIGTERM or SIGINT; tell whether it ever accepted requests."""
    config = uvicorn.Config(
        app,
        lifespan="on",
        log_config=None,
        access_log=False,
        ws="none",
        http=BoundedProtocol,
        backlog=accepted_at_once(),
        timeout_keep_alive=_SECONDS_OF_KEEP_ALIVE,
        timeout_graceful_shutdown=_SECONDS_FOR_OPEN_REQUESTS,
    )
    server = _AnnouncingServer(config)
    asyncio.run(server.serve(sockets=[listening]))
    return server.started


def _base_url(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
