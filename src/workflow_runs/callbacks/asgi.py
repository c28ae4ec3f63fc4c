"""Receiving deliveries over ASGI, on asyncio servers, with nothing but the standard library.

A delivery is answered

- 204 once it is handled, or has been before
- 400 if its payload is not what the contract says, 401 if its signature is bad
- 404 if the token is wrong, 405 if it isn't posted, 413 if it is too large, 415 if it isn't JSON
- 500 if the handler raised: the delivery doesn't count as seen, and the sender may try again

Deliveries may come in any order, and before the reply that starts the run has arrived: handlers get them all the same.
A second delivery that comes while the first is being handled waits for how that ends.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import logging
import weakref
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, Generic, TypeAlias, TypeVar

from workflow_runs_api.errors import BadArgument, ContractBroken

from .deliveries import DeliveryMemory, RecentDeliveries
from .responses import FAILED, HANDLED, Endpoint, Response, refusal_of
from .signatures import BadSignature

__all__ = ["Headers", "Receiver"]

E = TypeVar("E")
Headers: TypeAlias = Mapping[str, str]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]

_QUICKLY_READ = 64 * 1024

_log = logging.getLogger(__name__)


class _TooLarge(Exception):
    pass


class _Disconnected(Exception):
    pass


class Receiver(Generic[E]):
    """An ASGI application that reads deliveries and hands each event once to a handler.

    Args:
        handler: Called with each event. Sync or async; a sync one runs in a thread.
        read: Makes the event of a body and the headers, whose names are in lower case.
        key: The id of an event, made of the event and its body.
        token: What the last segment of the path must be; None lets everybody in.
        memory: What keeps which keys have been handled.
        max_bytes: Size above which a body is refused, in bytes.

    Raises:
        BadArgument: The token can't stand in a URL as it is, `max_bytes` is less than 1, or the handler or the memory
            is none.
    """

    def __init__(
        self,
        handler: Callable[[E], object],
        *,
        read: Callable[[bytes, Headers], E],
        key: Callable[[E, bytes], str],
        token: str | None,
        memory: DeliveryMemory | None,
        max_bytes: int,
    ) -> None:
        if not callable(handler):
            raise BadArgument("expected a function", field="handler")
        if memory is not None and not (_has_method(memory, "seen") and _has_method(memory, "remember")):
            raise BadArgument("expected an object with the methods seen and remember", field="memory")
        self._handler, self._read, self._key = handler, read, key
        self._endpoint = Endpoint(token=token, max_bytes=max_bytes)
        self._memory: DeliveryMemory = RecentDeliveries() if memory is None else memory
        self._turns: weakref.WeakValueDictionary[str, asyncio.Lock] = weakref.WeakValueDictionary()

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Serve one connection, as ASGI 3 has it."""
        match scope["type"]:
            case "http":
                await self._http(scope, receive, send)
            case "lifespan":
                await _lifespan(receive, send)
            case "websocket":
                await send({"type": "websocket.close", "code": 1000})
            case other:
                raise ValueError(f"callbacks come over http, not over {other!r}")

    async def _http(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        try:
            answer = await self._answer(scope, receive)
        except _Disconnected:
            return
        if answer is not HANDLED:
            # Without the path, which may hold the token.
            _log.info("answered a delivery with %d: %s", answer.status, answer.words)
        headers = [(name.encode("ascii"), value.encode("ascii")) for name, value in answer.headers.items()]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.content})

    async def _answer(self, scope: MutableMapping[str, Any], receive: Receive) -> Response:
        headers = _headers(scope)
        refusal = self._endpoint.refusal(scope["method"], scope["path"], headers)
        if refusal is not None:
            return refusal
        try:
            body = await _body(receive, self._endpoint.max_bytes)
            if len(body) <= _QUICKLY_READ:
                event, key = self._understood(body, headers)
            else:
                # Hashing and parsing megabytes would hold up all other requests of the server.
                event, key = await asyncio.to_thread(self._understood, body, headers)
        except _TooLarge:
            return self._endpoint.too_large()
        except (ContractBroken, BadSignature) as error:
            return refusal_of(error)
        return await self._deliver(event, key)

    def _understood(self, body: bytes, headers: Headers) -> tuple[E, str]:
        event = self._read(body, headers)
        return event, self._key(event, body)

    async def _deliver(self, event: E, key: str) -> Response:
        try:
            async with self._turn(key):
                if not await _awaited(self._memory.seen(key)):
                    await _call(self._handler, event)
                    await _awaited(self._memory.remember(key))
        except Exception:  # noqa: BLE001 - whatever was raised, the sender must learn that it has to try again
            _log.exception("the handler of %r failed", key)
            return FAILED
        return HANDLED

    def _turn(self, key: str) -> asyncio.Lock:
        # A lock is gone once nobody holds it or waits for it, so that there are no more than there are requests.
        lock = self._turns.get(key)
        if lock is None:
            self._turns[key] = lock = asyncio.Lock()
        return lock


def _headers(scope: MutableMapping[str, Any]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        # Two signatures are none: joined, they match nothing.
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


async def _body(receive: Receive, limit: int) -> bytes:
    body = bytearray()
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Disconnected
        body += message.get("body", b"")
        if len(body) > limit:
            raise _TooLarge
        more = message.get("more_body", False)
    return bytes(body)


async def _call(handler: Callable[[E], object], event: E) -> None:
    if _is_async(handler):
        await _awaited(handler(event))
    else:
        # A handler that waits for a database or a file would hold up all other requests of the server.
        await _awaited(await asyncio.to_thread(handler, event))


def _has_method(value: object, name: str) -> bool:
    return callable(getattr(value, name, None))


def _is_async(handler: Callable[..., object]) -> bool:
    while isinstance(handler, functools.partial):
        handler = handler.func
    return inspect.iscoroutinefunction(handler) or inspect.iscoroutinefunction(type(handler).__call__)


async def _awaited(value: object) -> object:
    return await value if isinstance(value, Awaitable) else value


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
