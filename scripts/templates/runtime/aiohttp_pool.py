"""Our own pool with aiohttp below it, in the place of httpcore: the extra `aiohttp`.

aiohttp's errors don't say whether a request can have arrived. So this watches for the moment at which one begins to be
sent: whatever goes wrong before it has sent nothing.
"""

from __future__ import annotations

import base64
import contextlib
import contextvars
import io
import select
import weakref
from typing import TYPE_CHECKING, Any

import aiohttp
import httpx
from yarl import URL

from .bounds import BOUNDS, Bounds
from .pool import KEPT, AsyncPool
from .secret import Secret

if TYPE_CHECKING:
    import asyncio
    import ssl
    from collections.abc import AsyncIterator, Iterator

__all__ = ["NAME", "AiohttpPool"]

NAME = f"aiohttp/{aiohttp.__version__}"
# As much as httpcore allows for all headers together.
_LONGEST_HEADER = 100 * 1024
_LARGE = 1024 * 1024  # bytes from which on aiohttp wants to take them piece by piece
_OWN_HEADERS = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")


class _Sending:
    """A request that is sent.

    Attributes:
        headers: All of it, the key included: variables of aiohttp's would show them once a call is cancelled.
        begun: Whether it has begun to be sent.
    """

    begun = False
    _transport: asyncio.Transport | None = None

    def __init__(self, headers: Secret[list[tuple[str, str]]]) -> None:
        self.headers = headers

    def begin(self, transport: asyncio.Transport | None) -> None:
        self.begun, self._transport = True, transport

    def abort(self) -> None:
        # Closing isn't enough: it waits for as long as the service doesn't read what is still to be written.
        if self._transport is not None:
            self._transport.abort()


_SENDING: contextvars.ContextVar[_Sending] = contextvars.ContextVar("request being sent by aiohttp")


class _Stale(Exception):
    """A connection that was kept is of no more use; nothing was sent on it."""


class _Request(aiohttp.ClientRequest):
    def update_headers(self, _headers: Any) -> None:
        super().update_headers(_SENDING.get().headers.reveal())

    async def send(self, conn: Any) -> aiohttp.ClientResponse:
        # The event loop may not have noticed yet that the service has closed it, and a run that is sent then is in
        # doubt. What is ready to be read before anything was asked can only be the end, or nobody's answer, and that
        # may have been read already.
        if conn.protocol in _KEPT and (
            conn.transport is None
            or conn.protocol.should_close
            or _is_readable(conn.transport.get_extra_info("socket"))
        ):
            raise _Stale
        _KEPT.add(conn.protocol)
        _SENDING.get().begin(conn.transport)
        return await super().send(conn)


_KEPT: weakref.WeakSet[Any] = weakref.WeakSet()


def _is_readable(connection: Any) -> bool:
    if connection is None or not hasattr(select, "poll"):
        return connection is None or bool(select.select([connection], [], [], 0)[0])
    poll = select.poll()  # `select` fails with more than a thousand open files
    poll.register(connection, select.POLLIN)
    return bool(poll.poll(0))


class _Lane(httpx.AsyncBaseTransport):
    """Sends requests by one session of aiohttp, whose connections all places share."""

    def __init__(self, verify: ssl.SSLContext, proxy: httpx.Proxy | None) -> None:
        self._named = {} if proxy is None else _of_proxy(proxy)
        self._authorized = self._named.get("proxy_headers", {})
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                ssl=verify, limit=0, keepalive_timeout=KEPT, resolver=aiohttp.ThreadedResolver()
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            skip_auto_headers=_OWN_HEADERS,
            request_class=_Request,
            max_line_size=_LONGEST_HEADER,
            max_field_size=_LONGEST_HEADER,
        )
        # aiohttp sends a GET or PUT again by itself if a connection that it had kept breaks: that is ours to decide.
        self._session._retry_connection = False  # noqa: SLF001 - it has no setting for it

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        sending = _Sending(self._headers(request))
        token = _SENDING.set(sending)
        try:
            with _translated(sending):
                response = await self._sent(request)
        except _Stale:
            return await self.handle_async_request(request)  # on another connection; this one is closed
        except BaseException:
            sending.abort()
            raise
        finally:
            _SENDING.reset(token)
        return httpx.Response(
            response.status,
            headers=response.raw_headers,
            stream=_Stream(response, sending),
            extensions={
                "http_version": b"HTTP/1.1",
                "reason_phrase": (response.reason or "").encode("latin-1", "replace"),
            },
        )

    async def _sent(self, request: httpx.Request) -> aiohttp.ClientResponse:
        bounds: Bounds = request.extensions[BOUNDS]
        limits = request.extensions["timeout"]
        url, content = request.url, await request.aread()
        return await self._session.request(
            request.method,
            URL(f"{url.scheme}://{url.netloc.decode()}{url.raw_path.decode()}", encoded=True),
            data=io.BytesIO(content) if len(content) > _LARGE else content or None,
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(
                total=bounds.left(), connect=limits["connect"], sock_read=limits["read"], ceil_threshold=_NEVER
            ),
            **self._named,
        )

    def _headers(self, request: httpx.Request) -> Secret[list[tuple[str, str]]]:
        authorized = self._authorized.items() if request.url.scheme == "http" else ()
        return Secret([*((name.decode(), value.decode()) for name, value in request.headers.raw), *authorized])

    async def aclose(self) -> None:
        """Nothing: the session closes connections that are idle, and the pool closes the session."""

    async def close_all(self) -> None:
        await self._session.close()

    def __del__(self) -> None:
        # One whose event loop has ended can't be closed any more, and is no news.
        if not self._session.closed:
            self._session.detach()


# aiohttp rounds longer time-outs up to whole seconds.
_NEVER = 1e9


def _of_proxy(proxy: httpx.Proxy) -> dict[str, Any]:
    if proxy.url.scheme not in {"http", "https"}:
        raise ValueError(f"aiohttp knows no {proxy.url.scheme} proxy")
    headers = dict(proxy.headers)
    if proxy.auth is not None:
        headers["Proxy-Authorization"] = "Basic " + base64.b64encode(":".join(proxy.auth).encode()).decode()
    return {"proxy": str(proxy.url), "proxy_headers": headers}


class _Stream(httpx.AsyncByteStream):
    """A reply's body."""

    def __init__(self, response: aiohttp.ClientResponse, sending: _Sending) -> None:
        self._response, self._sending = response, sending

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _translated(self._sending):
            async for piece in self._response.content.iter_any():
                yield piece

    async def aclose(self) -> None:
        self._response.close() if not self._response.content.at_eof() else self._response.release()


@contextlib.contextmanager
def _translated(sending: _Sending) -> Iterator[None]:
    """Let errors be those of httpx: told apart by whether the request can have arrived."""
    try:
        yield
    except TimeoutError as error:
        raise (httpx.ReadTimeout if sending.begun else httpx.ConnectTimeout)(str(error)) from error
    except (aiohttp.ClientPayloadError, aiohttp.ClientResponseError, aiohttp.ServerDisconnectedError) as error:
        raise (httpx.RemoteProtocolError if sending.begun else httpx.ProxyError)(_words(error)) from error
    except (aiohttp.ClientError, OSError, UnicodeError, ValueError) as error:
        raise (httpx.ReadError if sending.begun else httpx.ConnectError)(_words(error)) from error


def _words(error: Exception) -> str:
    # The text of a ClientResponseError holds the whole address.
    return getattr(error, "message", "") or str(error) or type(error).__name__


class AiohttpPool(AsyncPool):
    """A hundred places, each of which sends by aiohttp."""

    def __init__(self, verify: ssl.SSLContext, proxy: httpx.Proxy | None = None) -> None:
        self._lane = _Lane(verify, proxy)
        super().__init__(lambda: self._lane)

    async def aclose(self) -> None:
        """Close all connections."""
        await super().aclose()
        await self._lane.close_all()
