"""Binds the socket, tells when requests are accepted, and serves within bounds until it is told to stop."""

import asyncio
import functools
import socket
import sys
from typing import Literal

import uvicorn
from starlette.applications import Starlette
from starlette.types import ASGIApp
from uvicorn.server import ServerState

from workflow_sandbox.connections import BoundedProtocol, accepted_at_once

_SECONDS_FOR_OPEN_REQUESTS = 3
# A pooled connection that the server closes first makes a caller's next POST fail; test runs pause for long.
_SECONDS_OF_KEEP_ALIVE = 300


_WAITING = 1024


class CannotListen(Exception):
    """The address can't be bound. Its text is one line for a person."""


class _AnnouncingServer(uvicorn.Server):
    """Prints its base URL once it accepts requests, and on a second line that of the admin endpoints if it has some."""

    def __init__(self, config: uvicorn.Config, admin: ASGIApp, admin_listening: socket.socket | None) -> None:
        super().__init__(config)
        self._admin = admin
        self._admin_listening = admin_listening

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started and sockets:
            # uvicorn accepts as many in one go as may wait: more than there may be of them.
            sockets[0].listen(_WAITING)
            addresses = [base_url(sockets[0])]
            if self._admin_listening is not None:
                self.servers.append(await listen(self._admin, self._admin_listening, self.server_state))
                addresses.append(base_url(self._admin_listening))
            sys.stdout.write("".join(f"{address}\n" for address in addresses))
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


def serve(app: Starlette, listening: socket.socket, admin_listening: socket.socket | None = None) -> bool:
    """Serve `app` until SIGTERM or SIGINT, and its admin endpoints if told where; tell whether it accepted requests."""
    server = _AnnouncingServer(_config(app, lifespan="on"), app.state.admin, admin_listening)
    asyncio.run(server.serve(sockets=[listening]))
    return server.started


async def listen(app: ASGIApp, listening: socket.socket, state: ServerState) -> asyncio.Server:
    """Serve `app` on a bound socket in the loop that runs; `state` holds the connections."""
    config = _config(app, lifespan="off")
    config.load()
    loop = asyncio.get_running_loop()
    protocol = functools.partial(BoundedProtocol, config=config, server_state=state, app_state={}, _loop=loop)
    return await loop.create_server(protocol, sock=listening, backlog=accepted_at_once())


def _config(app: ASGIApp, lifespan: Literal["on", "off"]) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        lifespan=lifespan,
        log_config=None,
        access_log=False,
        proxy_headers=False,
        ws="wsproto",
        http=BoundedProtocol,
        backlog=accepted_at_once(),
        timeout_keep_alive=_SECONDS_OF_KEEP_ALIVE,
        timeout_graceful_shutdown=_SECONDS_FOR_OPEN_REQUESTS,
    )


def base_url(listening: socket.socket) -> str:
    """Return the URL of a bound socket."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
