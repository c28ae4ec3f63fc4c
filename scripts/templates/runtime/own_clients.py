"""The httpx clients that we open ourselves: no redirects, no cookies, proxies by our reading, our own pool."""

from __future__ import annotations

import contextlib
import functools
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import httpx

from . import environment
from .errors import BadArgument
from .pool import AsyncPool, Pool

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["HOMES", "aiohttp_pool", "has_ended", "is_ours", "open_aiohttp_client", "open_async_client", "open_client"]

_CONNECT, _ANSWER = 5.0, 60.0
_LONGEST_REASON = 200

T = TypeVar("T")


def _event_loop() -> object:
    return sys.modules["asyncio"].get_running_loop()


# What a pool belongs to, by the function that opens it: pools must be shared neither by processes nor by event loops.
HOMES: dict[str, Callable[[], object]] = {
    "open_client": os.getpid,
    "open_async_client": _event_loop,
    "open_aiohttp_client": _event_loop,
}


def has_ended(home: object) -> bool:
    """Whether a pool is of no more use to anybody: its event loop is closed."""
    return home.__class__ is not int and bool(home.is_closed())  # type: ignore[attr-defined]


class _NoCookies(httpx.Cookies):
    """Looks at no reply: what it would keep is never sent, and finding out what it is takes a third of a call."""

    def extract_cookies(self, response: httpx.Response) -> None:
        """Keep nothing."""


class _Cookieless:
    """A part of our own clients: requests of ours carry the cookies that the caller gives as a header, no others."""

    @property
    def cookies(self) -> httpx.Cookies:
        """None."""
        return _NO_COOKIES

    @cookies.setter
    def cookies(self, cookies: object) -> None:
        raise NotImplementedError


class _ByEnvironment:
    """A part of our own clients: proxies as the environment says, in our reading of it."""

    def _get_proxy_map(self, *_: object) -> dict[str, httpx.Proxy | None]:
        self._without = environment.exceptions()
        return {pattern: httpx.Proxy(address) for pattern, address in environment.proxies().reveal().items()}

    def _transport_for_url(self, url: httpx.URL) -> Any:
        own: Any = self
        port = url.port or _PORTS.get(url.scheme)
        if own._mounts and environment.goes_without(self._without, url.host, port):  # noqa: SLF001
            return own._transport  # noqa: SLF001
        return super()._transport_for_url(url)  # type: ignore[misc]


_PORTS = {"http": 80, "https": 443}


class _Client(_Cookieless, _ByEnvironment, httpx.Client):
    """Without cookies, and with our own pool in the place of each of httpx'."""

    def _init_transport(self, **settings: Any) -> Pool:  # type: ignore[override]
        return Pool(functools.partial(super()._init_transport, **settings))

    def _init_proxy_transport(self, proxy: Any, **settings: Any) -> Pool:  # type: ignore[override]
        return Pool(functools.partial(super()._init_proxy_transport, proxy, **settings))


class _AsyncClient(_Cookieless, _ByEnvironment, httpx.AsyncClient):
    """The same for asyncio."""

    def _init_transport(self, **settings: Any) -> AsyncPool:  # type: ignore[override]
        return AsyncPool(functools.partial(super()._init_transport, **settings))

    def _init_proxy_transport(self, proxy: Any, **settings: Any) -> AsyncPool:  # type: ignore[override]
        return AsyncPool(functools.partial(super()._init_proxy_transport, proxy, **settings))


class _AiohttpClient(_AsyncClient):
    """With aiohttp below our own pool."""

    def _init_transport(self, *, verify: Any, **_: Any) -> AsyncPool:  # type: ignore[override]
        pool: AsyncPool = aiohttp_pool().AiohttpPool(verify)
        return pool

    def _init_proxy_transport(self, proxy: Any, *, verify: Any, **_: Any) -> AsyncPool:  # type: ignore[override]
        pool: AsyncPool = aiohttp_pool().AiohttpPool(verify, proxy)
        return pool


_NO_COOKIES = _NoCookies()


def is_ours(http: httpx.Client | httpx.AsyncClient) -> bool:
    """Return whether a client was opened here, and not by the user."""
    return isinstance(http, _Cookieless)


def default_timeout() -> httpx.Timeout:
    """5 s to connect and to write, 60 s between two pieces of a reply, any time to get a connection from the pool."""
    return httpx.Timeout(_CONNECT, read=_ANSWER, pool=None)


def open_client(user_agent: str) -> httpx.Client:
    """A client of our own. It follows no redirect: that would carry the key to an address nobody chose.

    Raises:
        BadArgument: the environment has settings that httpx can't use.
    """
    return _opened(_Client, user_agent, _put_away_location)


def open_async_client(user_agent: str) -> httpx.AsyncClient:
    """The same for asyncio."""
    return _opened(_AsyncClient, user_agent, _async_put_away_location)


def open_aiohttp_client(user_agent: str) -> httpx.AsyncClient:
    """The same for asyncio, with aiohttp below it."""
    return _opened(_AiohttpClient, f"{user_agent} {aiohttp_pool().NAME}", _async_put_away_location)


def aiohttp_pool() -> Any:
    """The module that needs the extra `aiohttp`.

    Raises:
        BadArgument: the extra is not installed, or can't be imported with what the environment says of certificates.
    """
    if os.environ.get("SSLKEYLOGFILE"):
        _certificates()  # aiohttp opens that file while it is imported
    with contextlib.suppress(ImportError):
        from . import aiohttp_pool as module  # late, since it needs the extra

        return module
    raise BadArgument(
        "aiohttp is not installed; this brings it: pip install 'workflow-runs[aiohttp]'", field="http_client"
    )


def _opened(kind: Callable[..., T], user_agent: str, hook: Callable[[httpx.Response], object]) -> T:
    timeout, headers = default_timeout(), _own_headers(user_agent)
    hooks = {"response": [hook]}
    certificates = _certificates()
    try:
        return kind(verify=certificates, timeout=timeout, follow_redirects=False, headers=headers, event_hooks=hooks)
    except BadArgument:
        raise
    except (ValueError, httpx.InvalidURL, OSError, ImportError) as error:
        words = f"its proxies can't be used ({type(error).__name__})"
    raise BadArgument(words, field="environment")


def _certificates() -> Any:
    folders = os.environ.get("SSL_CERT_DIR", "")
    try:
        # Folders that aren't there are no error to OpenSSL, and no service would be trusted.
        if not folders or os.environ.get("SSL_CERT_FILE") or any(map(os.path.isdir, folders.split(os.pathsep))):
            names = ("SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE")
            file = os.environ.get("SSL_CERT_FILE")
            return _loaded(*map(os.environ.get, names), Path(file).stat().st_mtime_ns if file else 0)
        reason = "no such folder"
    except OSError as error:  # that of the ssl module is one, too
        reason = f"{type(error).__name__}: {error.strerror or error}"[:_LONGEST_REASON]
    at_fault = environment.certificates_at_fault() or "the certificates of certifi"
    raise BadArgument(f"{at_fault} can't be used ({reason})", field="environment")


@functools.lru_cache(maxsize=1)
def _loaded(*_: object) -> Any:
    # Once for all clients, until the environment names others or their file changes: loading takes longer than calls.
    return httpx.create_ssl_context()


def _put_away_location(response: httpx.Response) -> None:
    # httpx reads the address of a redirect even if it isn't to follow it, and fails on one that is none.
    if response.has_redirect_location:
        response.extensions["location"] = response.headers.pop("location")


async def _async_put_away_location(response: httpx.Response) -> None:
    _put_away_location(response)


def _own_headers(user_agent: str) -> dict[str, str]:
    return {"user-agent": f"{user_agent} python/{sys.version.partition(' ')[0]} httpx/{httpx.__version__}"}
