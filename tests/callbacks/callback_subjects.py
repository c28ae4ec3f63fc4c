"""What the tests of callbacks share: the contract's examples and schemas, good deliveries, ways to send them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import socket
import threading
from typing import TYPE_CHECKING, Any

import httpx
import uvicorn
from jsonschema import Draft202012Validator

from support.contract import CONTRACT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CALLBACK: dict[str, Any] = CONTRACT["paths"]["/workflows/{workflow_name}/run"]["post"]["callbacks"]["workflowFinished"][
    "{$request.body#/callback_url}"
]["post"]
WEBHOOK: dict[str, Any] = CONTRACT["webhooks"]["agentRunFinished"]["post"]


def _examples(operation: dict[str, Any]) -> dict[str, Any]:
    examples = operation["requestBody"]["content"]["application/json"]["examples"]
    return {name: example["value"] for name, example in examples.items()}


CALLBACKS = _examples(CALLBACK)
RUN_FINISHED: dict[str, Any] = _examples(WEBHOOK)["runFinished"]
INTERACTLY_BODY = (
    b'{"event_id": "e1", "action": "workflow_run_completed", "workflow_run_id": "r1", "workflow_run_status": "failed"}'
)
SECRET = "secret-that-nobody-may-see"
TOKEN = "token-that-nobody-may-see"
URL = f"https://receiver.test/callbacks/{TOKEN}"


def finished(execution_id: Any = 98765, output: Any = "Hello") -> dict[str, Any]:
    """A callback's payload."""
    return {"workflow_version_execution_id": execution_id, "final_output": output}


def node(status: str = "SUCCESS", value: Any = "Hello", **changes: Any) -> dict[str, Any]:
    """The entry of an output node."""
    return {
        "status": status,
        "value": value,
        "error_message": None,
        "raw_error_message": None,
        "is_output_node": True,
        **changes,
    }


def validator(schema: str) -> Draft202012Validator:
    """Strict JSON Schema 2020-12 for one of the contract's schemas: an opinion that shares no code with the client."""
    return Draft202012Validator({"$ref": f"#/components/schemas/{schema}", "components": CONTRACT["components"]})


async def post(app: Any, url: str = URL, *, method: str = "POST", **request: Any) -> httpx.Response:
    """Ask an ASGI application directly."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as sender:
        return await sender.request(method, url, **request)


def posted(app: Any, url: str = URL, *, method: str = "POST", **request: Any) -> httpx.Response:
    """The same from outside of asyncio."""
    return asyncio.run(post(app, url, method=method, **request))


def json_bytes(payload: Any) -> bytes:
    """A payload as some sender might spell it: not sorted, without spaces, not ASCII."""
    return json.dumps(payload, separators=(",", ":"), ensure_ascii=False).encode()


def raw_reply(url: str, head: str, body: bytes = b"") -> tuple[int, str]:
    """What a server answers to a request that no client would send: status and whole text."""
    address = httpx.URL(url)
    with socket.create_connection((address.host, address.port or 80), timeout=30) as connection:
        connection.sendall(head.replace("\n", "\r\n").encode() + b"\r\n\r\n" + body)
        connection.shutdown(socket.SHUT_WR)
        reply = b"".join(iter(lambda: connection.recv(65536), b""))
    return int(reply.split(b" ", 2)[1]), reply.decode()


@contextlib.contextmanager
def held(url: str, count: int, beginning: str) -> Iterator[list[socket.socket]]:
    """Connections of which each has sent the beginning of a request and nothing more."""
    address = httpx.URL(url)
    with contextlib.ExitStack() as open_:
        connections = [
            open_.enter_context(socket.create_connection((address.host, address.port or 80), timeout=30))
            for _ in range(count)
        ]
        for connection in connections:
            connection.sendall(beginning.replace("\n", "\r\n").encode())
        yield connections


@contextlib.contextmanager
def served(app: Any) -> Iterator[str]:
    """An application on uvicorn and a real socket; gives its address."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", ws="none", timeout_graceful_shutdown=10))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


def shown(value: object) -> str:
    """A value as part of a test's name: short, and the same in every process."""
    return re.sub(" at 0x[0-9a-f]+", "", repr(value)[:200])[:40]


def lower(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers with names as HTTP/2 and some frameworks have them."""
    return {name.lower(): value for name, value in headers.items()}
