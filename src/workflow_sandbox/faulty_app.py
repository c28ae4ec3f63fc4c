"""Stands before the application: keeps a record of each request, and carries out the faults that it is to meet."""

import asyncio
import dataclasses
import email.utils
import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qs

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from workflow_sandbox import wrong_bodies
from workflow_sandbox.chaos import HEADER, Chaos
from workflow_sandbox.connections import CONNECTION
from workflow_sandbox.faults import Fault, UnknownFault
from workflow_sandbox.history import LARGEST_BODY, History, Seen
from workflow_sandbox.wire import JSONReply, error_body

FAULTS = "sandbox.faults"
"""Key of a request's scope: the faults that it meets."""

_OWN_PATHS = "/_sandbox/"
"""What paths begin with that no service has: their requests meet nothing, and nobody remembers them."""

_RESULTS = "/workflow-version-execution-results"
_HEADER = HEADER.encode()
_PIECES = 20
_LONG = 20  # digits that no id has
_CHANGES = {"unknown-property": wrong_bodies.with_property, "unknown-status": wrong_bodies.with_status}
_NEEDS_RESPONSE = _CHANGES.keys() | {"reset-after", "cut", "trickle", "error-after", "html", "media-type"}


class ConnectionReset(ConnectionError):
    """Raised where a connection is to be reset and there is none, since the application is called in process."""


def _is_own(path: str) -> bool:
    return path in {"/", "/favicon.ico"} or path.startswith(_OWN_PATHS)


class FaultyApp:
    """The application, whose requests meet faults and are remembered."""

    def __init__(self, app: ASGIApp, chaos: Chaos, history: History) -> None:
        self._app = app
        self._chaos = chaos
        self._history = history

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take a request."""
        if scope["type"] != "http" or _is_own(scope["path"]):
            await self._app(scope, receive, send)
            return
        path = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1")
        named = [value.decode("latin-1") for name, value in scope["headers"] if name == _HEADER]
        faults, unknown = self._faults(scope["method"], path, named)
        seen = self._history.add_request(scope["method"], path, scope["query_string"], scope["headers"], faults)
        recorder = _Recorder(seen, receive, send)
        if unknown:
            problem = {"loc": ["header", HEADER], "msg": unknown, "type": "unknown_fault"}
            await JSONReply({"detail": [problem]}, 422)(scope, recorder.receive, recorder.send)
            return
        scope[FAULTS] = faults
        held_back = path == _RESULTS and self._is_held_back(scope, faults)
        if held_back and not faults:
            seen.faults.append("stay-pending")
        if faults or held_back:
            await _Faulty(self._app, scope, recorder, faults, held_back=held_back).play()
        else:
            await self._app(scope, recorder.receive, recorder.send)

    def _faults(self, method: str, path: str, named: Sequence[str]) -> tuple[list[Fault], str]:
        try:
            return self._chaos.faults_of(method, path, named), ""
        except UnknownFault as error:
            return [], str(error)

    def _is_held_back(self, scope: Scope, faults: Sequence[Fault]) -> bool:
        if any(fault.name == "stay-pending" for fault in faults):
            return True
        if not self._chaos.holds_back:
            return False
        given = parse_qs(scope["query_string"].decode("latin-1")).get("workflow_version_execution_id", [""])[0]
        is_number = given.isascii() and given.isdecimal() and len(given) < _LONG
        return is_number and self._chaos.is_held_back(int(given))


class _Recorder:
    """A request's receive and send, which complete its record."""

    def __init__(self, seen: Seen, receive: Receive, send: Send) -> None:
        self._seen = seen
        self._receive = receive
        self._send = send

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request" and len(self._seen.body) <= LARGEST_BODY:
            self._seen.body += message.get("body", b"")[: LARGEST_BODY + 1]
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._seen.status = message["status"]
        await self._send(message)


@dataclasses.dataclass
class _Response:
    """A response that is held back until it is whole."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes

    def with_body(self, body: bytes, media_type: str = "application/json", status: int | None = None) -> "_Response":
        headers = [each for each in self.headers if each[0] not in {b"content-type", b"content-length"}]
        headers += [(b"content-type", media_type.encode()), (b"content-length", b"%d" % len(body))]
        return _Response(self.status if status is None else status, headers, body)


class _Faulty:
    """One request that meets faults."""

    def __init__(
        self, app: ASGIApp, scope: Scope, recorder: _Recorder, faults: Sequence[Fault], *, held_back: bool
    ) -> None:
        self._app = app
        self._scope = scope
        self._recorder = recorder
        self._faults = {fault.name: fault for fault in faults}
        self._held_back = held_back

    async def play(self) -> None:
        faults = self._faults
        if "delay" in faults:
            await asyncio.sleep(faults["delay"].number)
        if "reset-before" in faults:
            await self._end(is_reset=True)
        elif "rate-limit" in faults:
            await self._reply(429, _retry_after(faults["rate-limit"].argument))
        elif "error" in faults:
            await self._reply(int(faults["error"].argument), {})
        elif self._held_back or _NEEDS_RESPONSE & faults.keys():
            await self._answer(self._spoilt(await self._response()))
        else:
            await self._app(self._scope, self._recorder.receive, self._recorder.send)

    async def _response(self) -> _Response:
        """Return the application's whole response."""
        response = _Response(500, [], b"")

        async def keep(message: Message) -> None:
            if message["type"] == "http.response.start":
                response.status, response.headers = message["status"], list(message["headers"])
            else:
                response.body += message.get("body", b"")

        await self._app(self._scope, self._recorder.receive, keep)
        return response

    def _spoilt(self, response: _Response) -> _Response:
        faults, path = self._faults, self._scope["path"]
        if self._held_back and response.status in {200, 500}:
            response = response.with_body(
                wrong_bodies.pending(response.body, wants_nodes=self._wants_nodes()), status=202
            )
        # What a run has put out is nobody's to change.
        if path != _RESULTS or self._wants_nodes():
            for name, change in _CHANGES.items():
                if name in faults:
                    response = response.with_body(change(response.body))
        if "error-after" in faults:
            status = int(faults["error-after"].argument)
            return response.with_body(bytes(JSONReply(_content(path, status)).body), status=status)
        if "html" in faults:
            return response.with_body(wrong_bodies.HTML, "text/html", int(faults["html"].argument))
        if "media-type" in faults:
            return response.with_body(response.body, faults["media-type"].argument)
        return response

    def _wants_nodes(self) -> bool:
        return b"return_all_outputs=true" in self._scope["query_string"]

    async def _answer(self, response: _Response) -> None:
        if "reset-after" in self._faults:
            await self._end(is_reset=True)
            return
        start = {"type": "http.response.start", "status": response.status, "headers": response.headers}
        await self._recorder.send(start)
        if "cut" in self._faults:
            half = response.body[: len(response.body) // 2]
            await self._recorder.send({"type": "http.response.body", "body": half, "more_body": True})
            await self._end(is_reset=False)
            return
        for piece in self._pieces(response.body):
            await self._recorder.send({"type": "http.response.body", "body": piece, "more_body": True})
            if "trickle" in self._faults:
                await asyncio.sleep(self._faults["trickle"].number / _PIECES)
        await self._recorder.send({"type": "http.response.body", "body": b""})

    def _pieces(self, body: bytes) -> list[bytes]:
        if "trickle" not in self._faults:
            return [body]
        size = -(-len(body) // _PIECES) or 1
        return [body[start : start + size] for start in range(0, len(body), size)]

    async def _reply(self, status: int, headers: dict[str, str]) -> None:
        response = JSONReply(_content(self._scope["path"], status), status, headers)
        await response(self._scope, self._recorder.receive, self._recorder.send)

    async def _end(self, *, is_reset: bool) -> None:
        """End the connection in the middle of things."""
        connection = self._scope.get("extensions", {}).get(CONNECTION)
        if connection is None:
            raise ConnectionReset("the sandbox was told to reset this connection")
        if is_reset:
            connection.reset()
        else:
            connection.close()
        # Until the server has noticed, it would take the application's return for a crash.
        while (await self._recorder.receive())["type"] != "http.disconnect":
            pass


def _content(path: str, status: int) -> dict[str, Any]:
    return error_body(path, f"The sandbox was told to answer with status {status}")


def _retry_after(form: str) -> dict[str, str]:
    now = time.time()
    value = {
        "seconds": "1",
        "zero": "0",
        "date": email.utils.formatdate(now + 1, usegmt=True),
        "past": email.utils.formatdate(now - 3600, usegmt=True),
        "fraction": "0.5",
        "nonsense": "soon",
        "long": "86400",
    }.get(form)
    return {} if value is None else {"Retry-After": value}
