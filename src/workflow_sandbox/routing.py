"""Which function replies to which method and path, and what comes before it."""

from collections.abc import Awaitable, Callable, Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

Handler = Callable[[Request], Awaitable[Response]]


class Router:
    """The routes of one service, in the order in which they are tried."""

    def __init__(self, prefix: str = "", before: Callable[[Request], Awaitable[None]] | None = None) -> None:
        """Make a router without routes, all below `prefix`; `before` sees each request first and may refuse it."""
        self._prefix = prefix
        self._before = before
        self.entries: list[tuple[str, Handler, Sequence[str]]] = []

    def add(self, path: str, handler: Handler, methods: Sequence[str]) -> None:
        """Have `handler` reply to these methods of a path."""
        self.entries.append((self._prefix + path, self._guarded(handler), methods))

    def include(self, other: "Router") -> None:
        """Take over the routes of another router."""
        for path, handler, methods in other.entries:
            self.add(path, handler, methods)

    @property
    def routes(self) -> list[Route]:
        """The routes."""
        return [_route(*entry) for entry in self.entries]

    def _guarded(self, handler: Handler) -> Handler:
        before = self._before
        if before is None:
            return handler

        async def guarded(request: Request) -> Response:
            await before(request)
            return await handler(request)

        return guarded


class _Endpoint:
    """A handler in ASGI. Of a function Starlette would make one that catches errors a second time, which costs more."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._handler(Request(scope, receive, send))
        await response(scope, receive, send)


def _route(path: str, handler: Handler, methods: Sequence[str]) -> Route:
    route = Route(path, _Endpoint(handler), methods=methods)
    # Starlette adds HEAD to GET; no service has it.
    route.methods = set(methods)
    return route
