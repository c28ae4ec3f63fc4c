"""A stub of the service: runs that end after a while, results to poll, and the socket that the official client needs.

A workflow's name says how long its runs take: `takes-0.3`. The socket speaks the little of Centrifugo's JSON protocol
that a connection, a subscription and a message take. Prints its address; ends with SIGTERM.
"""

from __future__ import annotations

import asyncio
import importlib.util
import itertools
import json
import socket
import time
from typing import Any
from urllib.parse import parse_qs, unquote

import uvicorn

NODE = {"status": "SUCCESS", "value": "done", "error_message": None, "raw_error_message": None, "is_output_node": True}
OUTPUT = "Your invoice is attached."


class Service:
    """Keeps what has been started."""

    def __init__(self) -> None:
        self._ids = itertools.count(2)
        self._names: dict[int, str] = {}
        self._ends: dict[int, float] = {1: 0.0}
        self._channels: dict[str, Any] = {}
        self._pushes: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Serve one request or one socket, as ASGI has it."""
        if scope["type"] == "websocket":
            await self._socket(receive, send)
        elif scope["type"] == "http":
            status, reply = self._answer(scope, await _body(receive))
            headers = [(b"content-type", b"application/json")]
            await send({"type": "http.response.start", "status": status, "headers": headers})
            await send({"type": "http.response.body", "body": json.dumps(reply).encode()})

    def _answer(self, scope: dict[str, Any], body: bytes) -> tuple[int, Any]:
        match [scope["method"], *(unquote(part) for part in scope["path"].split("/")[1:])]:
            case ["GET", "workflow-version-execution-results"]:
                return self._results(parse_qs(scope["query_string"].decode()))
            case ["POST", "workflows", workflow, "run"]:
                return self._run(workflow, json.loads(body))
            case ["GET", "workflows", workflow]:
                number = next(self._ids)
                self._names[number] = workflow
                return 200, {"success": True, "workflow": {"id": number}}
            case ["POST", "ws-token-request-library"]:
                return 201, {"success": True, "token_details": {"token": "token"}}
            case _:
                return 404, {"success": False, "message": "Not found"}

    def _run(self, workflow: str, body: dict[str, Any]) -> tuple[int, Any]:
        name = self._names[int(workflow)] if workflow.isdigit() else workflow
        number, seconds = next(self._ids), float(name.removeprefix("takes-"))
        self._ends[number] = time.monotonic() + seconds
        if suffix := body.get("channel_name_suffix"):
            push = asyncio.create_task(self._push(f"workflows:{workflow}:run:{suffix}", number, seconds))
            self._pushes.add(push)
            push.add_done_callback(self._pushes.discard)
        reply = {"success": True, "message": "started", "warning": None, "workflow_version_execution_id": number}
        return 201, reply

    async def _push(self, channel: str, number: int, seconds: float) -> None:
        await asyncio.sleep(seconds)
        told = json.dumps({"workflow_version_execution_id": number, "final_output": OUTPUT, "result_code": "OK"})
        message = {"message_name": "SET_WORKFLOW_COMPLETE", "data": told}
        push = {"push": {"channel": channel, "pub": {"data": message}}}
        await self._channels[channel]({"type": "websocket.send", "text": json.dumps(push)})

    def _results(self, query: dict[str, list[str]]) -> tuple[int, Any]:
        ended = time.monotonic() >= self._ends[int(query["workflow_version_execution_id"][0])]
        if query.get("return_all_outputs") == ["true"]:
            return (200 if ended else 202), {"Reply": NODE}
        return (200, OUTPUT) if ended else (202, None)

    async def _socket(self, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            lines = (message.get("text") or message["bytes"].decode()).splitlines()
            replies = [json.dumps(self._reply(json.loads(line), send)) for line in lines if line.strip()]
            await send({"type": "websocket.send", "text": "\n".join(replies)})

    def _reply(self, command: dict[str, Any], send: Any) -> dict[str, Any]:
        if "subscribe" in command:
            self._channels[command["subscribe"]["channel"]] = send
        kind = next((name for name in command if name != "id"), "ping")
        content = {"client": "client", "version": "stub"} if kind == "connect" else {}
        return {"id": command.get("id", 0), kind: content}


async def _body(receive: Any) -> bytes:
    content = b""
    while True:
        message = await receive()
        content += message.get("body", b"")
        if not message.get("more_body"):
            return content


def main() -> None:
    """Serve on a free port."""
    # By name of the protocol: otherwise asyncio leaves Nagle's algorithm on, and every reply waits 40 ms for its body.
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.bind(("127.0.0.1", 0))
    bound.listen()
    print("http://{}:{}".format(*bound.getsockname()), flush=True)
    # The official client sends an empty Sec-WebSocket-Protocol header, which uvicorn's other implementation refuses.
    sockets = "wsproto" if importlib.util.find_spec("wsproto") else "none"
    config = uvicorn.Config(Service(), ws=sockets, http="h11", lifespan="off", log_level="error", timeout_keep_alive=60)
    uvicorn.Server(config).run(sockets=[bound])


if __name__ == "__main__":
    main()
