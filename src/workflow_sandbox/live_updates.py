"""Tells the vendor's own libraries that a run has ended, over a WebSocket as Centrifugo serves it.

Their flow: ask for a token for one channel, connect, subscribe, and wait for a message on that channel. Python's names
the channel when it starts a run (`channel_name_suffix`), JavaScript's subscribes to the run's own one afterwards. Of
the protocol there is what they use: connect, subscribe, unsubscribe, publications and pings, as lines of JSON.
"""

import asyncio
import contextlib
import hashlib
import hmac
import secrets
from collections.abc import Iterator
from typing import Any, Final

from starlette.requests import Request
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from workflow_sandbox import json_text
from workflow_sandbox.assumptions import Assumptions
from workflow_sandbox.results import final_output, is_finished
from workflow_sandbox.store import NodeState, Store
from workflow_sandbox.wire import JSONReply, invalid, query_text

LARGEST_OUTPUT: Final = 64 * 1024
"""Characters of an output that a message carries; of a longer one it says that it has to be asked for."""

_PING_SECONDS: Final = 25
_MOST_FOLLOWED: Final = 10_000
_PERMISSION_DENIED: Final = {"code": 103, "message": "permission denied"}
_UNKNOWN_COMMAND: Final = {"code": 104, "message": "method not found"}
_INVALID_TOKEN, _BAD_REQUEST = 3500, 3501
_OWN_CHANNEL: Final = "workflow_updates:"


class LiveUpdates:
    """The route of the socket, the tokens for it, and what is told on which channel."""

    def __init__(self, store: Store, api_key: str, assumptions: Assumptions) -> None:
        self._store = store
        self._assumptions = assumptions
        self._secret = api_key.encode()
        self._followed: dict[int, str] = {}
        self._subscribers: dict[str, set[WebSocket]] = {}
        self.route = WebSocketRoute("/connection/websocket", self.converse)

    def follow(self, run_id: int, workflow_id: int, suffix: str | None) -> None:
        """Remember, until it has ended or the server stops, where the end of a run is to be told."""
        if suffix is not None and len(self._followed) < _MOST_FOLLOWED:
            self._followed[run_id] = f"workflows:{workflow_id}:run:{suffix}"

    async def tell(self, run_id: int) -> None:
        """Tell those who follow a run that it has ended."""
        for channel in (f"{_OWN_CHANNEL}{run_id}", self._followed.pop(run_id, "")):
            if subscribers := self._subscribers.get(channel):
                message = self._completion(channel, run_id, self._store.nodes(run_id))
                # One that was closed meanwhile keeps nothing from the others.
                await asyncio.gather(*(_send(socket, message) for socket in [*subscribers]), return_exceptions=True)

    async def token(self, request: Request) -> JSONReply:
        """Reply with a token for one channel, which no other channel takes."""
        channel = query_text(request, "capability")
        if not channel:
            raise invalid(("query", "capability"), "Field required", "missing")
        details = {"token": self._token(channel), "capability": channel}
        return JSONReply({"success": True, "messaging_backend": "centrifugo", "token_details": details}, 201)

    async def converse(self, socket: WebSocket) -> None:
        """Serve one socket until it is closed, by either side."""
        await socket.accept()
        try:
            with contextlib.suppress(WebSocketDisconnect):
                await self._answer_all(socket)
        finally:
            for channel in [name for name, sockets in self._subscribers.items() if socket in sockets]:
                self._forget(channel, socket)

    async def _answer_all(self, socket: WebSocket) -> None:
        channel = ""
        while True:
            try:
                text = await asyncio.wait_for(socket.receive_text(), _PING_SECONDS)
            except TimeoutError:
                await socket.send_text("{}")
                continue
            except KeyError:  # bytes: the other form of the protocol
                return await socket.close(_BAD_REQUEST, "bad request")
            for command in _commands(text):
                if not channel:
                    channel = self._channel_of(command)
                if not channel:
                    return await socket.close(_INVALID_TOKEN, "invalid token")
                await self._answer(socket, channel, command)

    async def _answer(self, socket: WebSocket, channel: str, command: dict[str, Any]) -> None:
        match command:
            case {"id": int(number), "connect": dict()}:
                connected = {"client": secrets.token_hex(8), "version": "sandbox", "ping": _PING_SECONDS, "pong": True}
                await _send(socket, {"id": number, "connect": connected})
            case {"id": int(number), "subscribe": {"channel": str(wanted)}} if wanted == channel:
                self._subscribers.setdefault(channel, set()).add(socket)
                await _send(socket, {"id": number, "subscribe": {}})
                await self._tell_what_was(socket, channel)
            case {"id": int(number), "unsubscribe": {"channel": str(wanted)}}:
                self._forget(wanted, socket)
                await _send(socket, {"id": number, "unsubscribe": {}})
            case {"id": int(number)}:
                error = _PERMISSION_DENIED if "subscribe" in command else _UNKNOWN_COMMAND
                await _send(socket, {"id": number, "error": error})

    async def _tell_what_was(self, socket: WebSocket, channel: str) -> None:
        # Who subscribes to a run's own channel has started it before: it may have ended meanwhile.
        run_id = channel.removeprefix(_OWN_CHANNEL)
        if channel.startswith(_OWN_CHANNEL) and run_id.isdecimal():
            nodes = self._store.nodes(int(run_id))
            if nodes and is_finished(nodes):
                await _send(socket, self._completion(channel, int(run_id), nodes))

    def _completion(self, channel: str, run_id: int, nodes: list[NodeState]) -> dict[str, Any]:
        ended: dict[str, Any] = {"workflow_version_execution_id": run_id, "result_code": "OK"}
        output = final_output(nodes, self._assumptions, all_outputs=self._store.run(run_id).return_all_outputs)
        if len(json_text.encode(output)) > LARGEST_OUTPUT:
            ended["result_code"] = "EXCEEDS_SIZE_LIMIT"
        else:
            ended["final_output"] = output
        data = {"message_name": "SET_WORKFLOW_COMPLETE", "data": json_text.encode(ended)}
        return {"push": {"channel": channel, "pub": {"data": data}}}

    def _forget(self, channel: str, socket: WebSocket) -> None:
        sockets = self._subscribers.get(channel, set())
        sockets.discard(socket)
        if not sockets:
            self._subscribers.pop(channel, None)

    def _token(self, channel: str) -> str:
        return f"{channel}.{hmac.new(self._secret, channel.encode(), hashlib.sha256).hexdigest()}"

    def _channel_of(self, command: dict[str, Any]) -> str:
        match command:
            case {"connect": {"token": str(token)}}:
                channel = token.rpartition(".")[0]
                return channel if hmac.compare_digest(token.encode(), self._token(channel).encode()) else ""
        return ""


def _commands(text: str) -> Iterator[dict[str, Any]]:
    for line in text.splitlines():
        with contextlib.suppress(ValueError):
            command = json_text.decode(line)
            if isinstance(command, dict) and command:  # an empty one answers a ping
                yield command


async def _send(socket: WebSocket, message: dict[str, Any]) -> None:
    await socket.send_text(json_text.encode(message))
