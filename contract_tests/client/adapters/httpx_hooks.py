"""Clients of httpx that call a function once a response has come: by a hook, and by an authenticator."""

from collections.abc import Callable, Generator
from typing import Any

import httpx

Observer = Callable[[], None]


def client_with_hook(observer: Observer, *, is_async: bool) -> Any:
    """Return a client with a hook for responses."""

    async def hook(_: httpx.Response) -> None:
        observer()

    if is_async:
        return httpx.AsyncClient(event_hooks={"response": [hook]})
    return httpx.Client(event_hooks={"response": [lambda _: observer()]})


def client_with_auth(observer: Observer, *, is_async: bool) -> Any:
    """Return a client with an authenticator that looks at the response."""
    return (httpx.AsyncClient if is_async else httpx.Client)(auth=_Watching(observer))


class _Watching(httpx.Auth):
    def __init__(self, observer: Observer) -> None:
        self._observer = observer

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        yield request
        self._observer()
