"""What a test asks of the sandbox beside the two services: faults, and the history. It has a port of its own.

It takes no key. So it listens on loopback alone, and refuses what a web page can send: a request of another host's name
(a name that was rebound to loopback), of an origin, or with a body that is not declared as JSON.
"""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from workflow_sandbox import json_text
from workflow_sandbox.chaos import Chaos, Order, Profile
from workflow_sandbox.faults import parse
from workflow_sandbox.history import History, as_json
from workflow_sandbox.wire import JSONReply

_MOST_BYTES = 64 * 1024


class Refused(ValueError):
    """A request of a test is not what it should be. Its text is one line for a person."""


class LoopbackOnly:
    """Refuses what does not come from this machine's own programs."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a request, or hand it on."""
        if scope["type"] == "http" and not is_local(Request(scope)):
            await JSONReply({"error": "this is for programs on this machine alone"}, 403)(scope, receive, send)
            return
        await self._app(scope, receive, send)


def is_local(request: Request) -> bool:
    """Return whether a request comes from this machine, by a name of its own, and from no other site's page."""
    name = request.url.hostname or ""
    peer = request.client.host if request.client else ""
    return name in _NAMES and peer in _NAMES and "origin" not in request.headers


_NAMES = frozenset({"127.0.0.1", "::1", "localhost"})


class Admin:
    """The endpoints."""

    def __init__(self, chaos: Chaos, history: History) -> None:
        self._chaos = chaos
        self._history = history

    def app(self) -> Starlette:
        """Return the application."""
        routes = [
            Route("/requests", self.requests),
            Route("/callbacks", self.callbacks),
            Route("/history", self.clear, methods=["DELETE"]),
            Route("/faults", self.faults, methods=["GET", "POST", "DELETE"]),
            Route("/chaos", self.chaos, methods=["GET", "PUT"]),
        ]
        middleware = [Middleware(LoopbackOnly)]
        return Starlette(routes=routes, middleware=middleware, exception_handlers={ValueError: _refuse})

    async def requests(self, _: Request) -> Response:
        """Reply with the last requests, oldest first."""
        return JSONReply(as_json(self._history.requests()))

    async def callbacks(self, _: Request) -> Response:
        """Reply with the last posts of callbacks, oldest first."""
        return JSONReply(as_json(self._history.callbacks))

    async def clear(self, _: Request) -> Response:
        """Forget the history."""
        self._history.clear()
        return Response(status_code=204)

    async def faults(self, request: Request) -> Response:
        """Reply with what is ordered; order a fault for the next requests, or cancel all orders."""
        if request.method == "DELETE":
            self._chaos.cancel_orders()
        elif request.method == "POST":
            order = _checked(await _body(request), _ORDER)
            fault = parse(order.pop("fault", ""))
            self._chaos.order(Order(fault, **order))
        return JSONReply([{**asdict(order), "fault": str(order.fault)} for order in self._chaos.orders])

    async def chaos(self, request: Request) -> Response:
        """Reply with the profile; take another one, by which requests and runs are counted anew."""
        if request.method == "PUT":
            self._chaos.set_profile(Profile(**_checked(await _body(request), _PROFILE)))
        return JSONReply(asdict(self._chaos.profile))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_ORDER: dict[str, Callable[[Any], bool]] = {
    "fault": lambda value: isinstance(value, str),
    "times": lambda value: type(value) is int and value > 0,
    "method": lambda value: isinstance(value, str),
    "path": lambda value: isinstance(value, str),
}
_PROFILE: dict[str, Callable[[Any], bool]] = {
    "share": _is_number,
    "shares": lambda value: isinstance(value, dict) and all(map(_is_number, value.values())),
    "seed": lambda value: type(value) is int,
}


def _checked(body: dict[str, Any], members: dict[str, Callable[[Any], bool]]) -> dict[str, Any]:
    for name, value in body.items():
        if name not in members:
            raise Refused(f"{name[:80]!r} is not one of {', '.join(members)}")
        if not members[name](value):
            raise Refused(f"{name} is not what it should be")
    return body


async def _body(request: Request) -> dict[str, Any]:
    if request.headers.get("content-type", "").partition(";")[0] != "application/json":
        raise Refused("the body should be application/json")
    raw = b""
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > _MOST_BYTES:
            raise Refused(f"the body should have at most {_MOST_BYTES} bytes")
    body = json_text.decode(raw.decode("utf-8"))
    if not isinstance(body, dict):
        raise Refused("the body should be an object")
    return body


async def _refuse(_: Request, error: Exception) -> Response:
    return JSONReply({"error": str(error)}, 422)
