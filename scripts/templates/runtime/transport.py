"""The wire. The only module that touches httpx, so that one day another library can stand here."""

from __future__ import annotations

import contextlib
import contextvars
import functools
import logging
import os
import re
import sys
import time
import traceback
from typing import TYPE_CHECKING, Any, TypeVar

import httpx

from . import environment
from .bounds import BOUNDS, Bounds
from .charsets import charset_of
from .decoding import Body, CannotDecode, TooLong
from .errors import BadArgument, ContractBroken, MaybeSent, NotSent, WorkflowRunsError
from .pool import AsyncPool, Pool
from .redaction import HARMLESS_HEADERS, MASK, Redaction
from .reply import Reply
from .types import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .operation import Operation, Outgoing

__all__ = [
    "ERRORS",
    "HOMES",
    "LOG",
    "Bounds",
    "Redaction",
    "Reply",
    "Standing",
    "aiohttp_pool",
    "async_pause",
    "async_send",
    "concealed",
    "has_ended",
    "masked",
    "named",
    "note",
    "open_aiohttp_client",
    "open_async_client",
    "open_client",
    "pause",
    "send",
    "translated",
]

# What can only happen before the first byte of a request has left.
_NEVER_LEFT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
    httpx.InvalidURL,
)
# What the platform raises below httpx, which lets it through: TLS that breaks off under asyncio, an event loop that has
# ended, a pool that another thread closes, a transport of the user's.
_OF_THE_PLATFORM = (OSError, RuntimeError, UnicodeError)
_CONNECT, _ANSWER = 5.0, 60.0
_LENGTH = "[0-9]{1,20}"
_BEGINNING = 65_536  # bytes that are kept of a reply that is too large
_REASON_SHOWN = 200
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
_OF_ONE_REQUEST = frozenset({"host", "content-length", "transfer-encoding"})

T = TypeVar("T")

LOG = logging.getLogger("workflow_runs")

pause = time.sleep


async def async_pause(seconds: float) -> None:
    """The same for asyncio, which whoever awaits this has loaded; nobody else needs to."""
    await sys.modules["asyncio"].sleep(seconds)


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
    certificates = _certificates()  # once for all connections: loading them takes longer than a call
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
            return httpx.create_ssl_context()
        reason = "no such folder"
    except OSError as error:  # that of the ssl module is one, too
        reason = f"{type(error).__name__}: {error.strerror or error}"[:_REASON_SHOWN]
    at_fault = environment.certificates_at_fault() or "the certificates of certifi"
    raise BadArgument(f"{at_fault} can't be used ({reason})", field="environment")


def _put_away_location(response: httpx.Response) -> None:
    # httpx reads the address of a redirect even if it isn't to follow it, and fails on one that is none.
    if response.has_redirect_location:
        response.extensions["location"] = response.headers.pop("location")


async def _async_put_away_location(response: httpx.Response) -> None:
    _put_away_location(response)


def _own_headers(user_agent: str) -> dict[str, str]:
    return {"user-agent": f"{user_agent} python/{sys.version.partition(' ')[0]} httpx/{httpx.__version__}"}


class Standing:
    """The headers that an httpx client adds to every request, worked out anew only when they have changed."""

    def __init__(self, http: httpx.Client | httpx.AsyncClient) -> None:
        self.http: Any = http
        self._raw: list[tuple[bytes, bytes]] | None = None
        self._headers: dict[str, tuple[bytes, bytes]] | None = None

    def headers(self) -> dict[str, tuple[bytes, bytes]] | None:
        """As they go out, by name in small letters; None if the client has to build its requests itself.

        That is so if it does it in its own way, has a query or cookies of its own, names a header twice, or has one
        that depends on the request.
        """
        http = self.http
        if getattr(http.build_request, "__func__", None) is not httpx.Client.build_request or http.params:
            return None
        raw = http.headers.raw
        if raw != self._raw:
            headers = {name.decode("ascii").lower(): (name, value) for name, value in raw}
            self._raw = raw
            self._headers = headers if len(headers) == len(raw) and not headers.keys() & _OF_ONE_REQUEST else None
        return None if http.cookies else self._headers


class _Request(httpx.Request):
    """Does not tell its query, which may hold a secret."""

    def __repr__(self) -> str:
        return f"<Request({self.method!r}, {str(self.url.copy_with(query=None))!r})>"


def _bounded(standing: Standing, outgoing: Outgoing, timeout: Any, bounds: Bounds) -> httpx.Request:
    """The request to send, with its bounds."""
    request = _prepared(standing, outgoing, timeout)
    request.extensions[BOUNDS] = bounds
    return request


def _prepared(standing: Standing, outgoing: Outgoing, timeout: Any) -> httpx.Request:
    # What the client would build, at half the cost, since all that goes into it is known here. The key enters it here,
    # as the last thing: no frame of ours holds it that an error could leave behind.
    url, content = _parsed(outgoing.url), outgoing.content
    http, added = standing.http, standing.headers()
    if added is None:
        return _built(http, outgoing, timeout)
    limits = (http.timeout if timeout is None else _limits(http, timeout)).as_dict()
    length = [] if content is None and outgoing.method not in _WITH_BODY else [_length(content)]
    request = _Request(
        outgoing.method,
        url,
        headers=[(b"Host", url.netloc), *_merged(added, outgoing), *length],
        stream=httpx.ByteStream(content or b""),
        extensions={"timeout": limits},
    )
    request.read()  # as in a request that httpx has built: hooks may look at its content
    return request


def _limits(http: httpx.Client | httpx.AsyncClient, timeout: Any) -> httpx.Timeout:
    is_ours = isinstance(http, _Cookieless) and not isinstance(timeout, httpx.Timeout)
    # Waiting for our own pool is no failure of the network, so a number of seconds doesn't count for it.
    return httpx.Timeout(timeout, pool=None) if is_ours else httpx.Timeout(timeout)


def _length(content: bytes | None) -> tuple[bytes, bytes]:
    return b"Content-Length", b"%d" % len(content or b"")


def _merged(added: dict[str, tuple[bytes, bytes]], outgoing: Outgoing) -> list[tuple[Any, Any]]:
    own = outgoing.headers
    return [*(header for name, header in added.items() if name not in own), *own.items()]


def _built(http: httpx.Client | httpx.AsyncClient, outgoing: Outgoing, timeout: Any) -> httpx.Request:
    limits = {} if timeout is None else {"timeout": timeout}
    url = _parsed(outgoing.url)
    request = http.build_request(outgoing.method, url, content=outgoing.content, **limits)
    if http.params:
        # httpx would put the client's own query in the place of ours.
        request.url = url.copy_with(query=b"&".join(filter(None, (url.query, str(http.params).encode()))))
    # A client's own word on how a message is framed can't be true of all its messages.
    request.headers.pop("transfer-encoding", None)
    if "content-length" in request.headers:
        request.headers["content-length"] = str(len(outgoing.content or b""))
    # Put over the client's, since merging them takes longer.
    request.headers.update(outgoing.headers)
    return request


@functools.lru_cache(maxsize=256)
def _parsed(url: str) -> httpx.URL:
    # Parsing is a tenth of a call, and polling asks the same address again and again.
    return httpx.URL(url)


def send(standing: Standing, outgoing: Outgoing, timeout: Any, bounds: Bounds, redaction: Redaction) -> httpx.Response:
    """Send a request and read the reply within its bounds, while whatever the libraries below log of it is masked."""
    http, request = standing.http, _bounded(standing, outgoing, timeout, bounds)
    redaction.sent = request
    token = _UNDER_WAY.set(redaction)
    try:
        _start(http, request)
        response = http.send(request, follow_redirects=False, stream=True)
        reading = _Reading(response, request)
        try:
            for piece in reading.pieces:
                reading.take(piece)
            reading.end()
        finally:
            response.close()
    except httpx.TimeoutException as error:
        raise _named(error, request) from None
    finally:
        _UNDER_WAY.reset(token)
    return _readable(response)


async def async_send(
    standing: Standing,
    outgoing: Outgoing,
    timeout: Any,  # noqa: ASYNC109 - per piece, for httpx
    bounds: Bounds,
    redaction: Redaction,
) -> httpx.Response:
    """The same for asyncio."""
    http, request = standing.http, _bounded(standing, outgoing, timeout, bounds)
    redaction.sent = request
    token = _UNDER_WAY.set(redaction)
    try:
        # Our own pool bounds the time by itself, from the moment at which a connection is there.
        async with sys.modules["asyncio"].timeout(_start(http, request)):
            response = await http.send(request, follow_redirects=False, stream=True)
            reading = _Reading(response, request)
            try:
                async for piece in reading.pieces:
                    reading.take(piece)
                reading.end()
            finally:
                await response.aclose()
    except (httpx.TimeoutException, TimeoutError) as error:
        raise _named(error, request) from None
    finally:
        _UNDER_WAY.reset(token)
    return _readable(response)


def _start(http: httpx.Client | httpx.AsyncClient, request: httpx.Request) -> float | None:
    """Start the clock of a try by a client of the user's; gives the seconds that it may take."""
    bounds: Bounds = request.extensions[BOUNDS]
    is_ours = isinstance(http, _Cookieless)
    if not is_ours:
        bounds.start()
    if bounds.is_over:
        raise httpx.PoolTimeout("")
    if is_ours:
        return None
    timeouts = request.extensions.get("timeout", {})
    timeouts.update({name: bounds.left(seconds) for name, seconds in timeouts.items()})
    return bounds.left()


def _named(error: Exception, request: httpx.Request) -> Exception:
    """The same error in the words of the bound that is over, if one is."""
    words = request.extensions[BOUNDS].over()
    if words is None:
        return error
    return type(error)(words) if isinstance(error, httpx.TimeoutException) else httpx.ReadTimeout(words)


class TooLarge(Exception):
    """A reply is longer than `max_response_bytes`.

    Attributes:
        response: The reply, with the beginning of its body.
    """

    def __init__(self, response: httpx.Response) -> None:
        super().__init__()
        self.response = response


ERRORS = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, TooLarge, *_OF_THE_PLATFORM)


class _Reading:
    """Reads one reply within the bounds of its request."""

    def __init__(self, response: httpx.Response, request: httpx.Request) -> None:
        self._response = response
        self._bounds: Bounds = request.extensions[BOUNDS]
        self._is_read = response.is_stream_consumed  # by a hook of the user's
        self.pieces: Any = httpx.ByteStream(b"") if self._is_read else response.stream
        self._body: Body | None = None

    def take(self, piece: bytes) -> None:
        try:
            self._body = self._body or self._begun()
            self._body.feed(piece)
        except CannotDecode as error:
            raise httpx.DecodingError(str(error)) from None
        except TooLong:
            raise self._too_large(self._body.content(_BEGINNING) if self._body else b"") from None
        if self._bounds.is_over:
            raise httpx.ReadTimeout("")

    def _begun(self) -> Body:
        headers, most = self._response.headers, self._bounds.most
        announced = headers.get("content-length", "")
        if most is not None and re.fullmatch(_LENGTH, announced) and int(announced) > most:
            raise TooLong
        return Body(headers.get("content-encoding", ""), most)

    def end(self) -> None:
        """Keep what was read as the reply's content."""
        most = self._bounds.most
        if not self._is_read:
            # httpx' own way to read decompresses without a cap.
            self._response._content = self._body.content() if self._body else b""  # noqa: SLF001
        elif most is not None and len(self._response.content) > most:
            raise self._too_large(self._response.content[:_BEGINNING])

    def _too_large(self, beginning: bytes) -> TooLarge:
        self._response._content = beginning  # noqa: SLF001
        return TooLarge(self._response)


def _readable(response: httpx.Response) -> httpx.Response:
    """The reply, with a charset that is one of texts: what it declares may be any word, or a codec of Python's own."""
    # A hook of the user's may have read the text already; then it is what it is.
    with contextlib.suppress(ValueError):
        response.encoding = charset_of(response.headers.get("content-type", ""), response.content)
    return response


class _Masking(logging.Filter):
    """Masks log lines of the libraries below: they tell addresses with their query, and the headers of replies."""

    def filter(self, record: logging.LogRecord) -> bool:
        redaction = _UNDER_WAY.get()
        if redaction is not None:
            record.msg, record.args = redaction.shown(record.getMessage()), ()
        return True


_UNDER_WAY: contextvars.ContextVar[Redaction | None] = contextvars.ContextVar("request under way", default=None)
_LOGGERS = ("httpx", *(f"httpcore.{part}" for part in ("connection", "http11", "http2", "proxy", "socks")))
for _name in (*_LOGGERS, "hpack.hpack", "hpack.table"):
    # A filter holds for the very logger it is put on, and not for those below it.
    logging.getLogger(_name).addFilter(_Masking())


def translated(error: Exception, operation: Operation[Any], redaction: Redaction, made: int) -> WorkflowRunsError:
    """Our error for one of httpx, after so many tries: told apart by whether the request can have arrived.

    Raises:
        Exception: it is no error of the network, but one that a hook of the user's has raised.
    """
    if isinstance(error, TooLarge):
        most = error.response.request.extensions[BOUNDS].most
        expected = f"at most {most} bytes, as max_response_bytes has it"
        return Reply(operation, _readable(error.response), redaction).broken(Problem(expected, received="more of them"))
    if isinstance(error, _OF_THE_PLATFORM) and not _comes_from_below(error):
        raise error
    reason = redaction.shown(str(error), _REASON_SHOWN) or "no further word"
    words = f"{type(error).__name__}: {reason}"
    if isinstance(error, _NEVER_LEFT):
        told = f"nothing was sent to {redaction.host}{_tries(made)} ({words}); the call may be repeated"
        return NotSent(told, operation=operation.name)
    in_doubt = not operation.repeatable
    if isinstance(error, httpx.HTTPStatusError):
        reply = Reply(operation, _readable(error.response), redaction)
        return reply.unread(f"a hook of the http_client raised {words}")
    if isinstance(error, httpx.DecodingError | httpx.StreamError | UnicodeError) or _is_bad_redirect(error):
        return ContractBroken(f"the reply can't be read ({words})", operation=operation.name, may_have_run=in_doubt)
    advice = "it may have started a run: look for it before calling again" if in_doubt else "the call may be repeated"
    told = f"no reply arrived from {redaction.host}{_tries(made)} ({words}); {advice}"
    return MaybeSent(told, operation=operation.name, may_have_run=in_doubt)


def _tries(made: int) -> str:
    return "" if made == 1 else f" in {made} tries"


def _comes_from_below(error: Exception) -> bool:
    """Whether an error of the platform was met by sending or reading, and not by a hook of the user's."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    below = {frame.f_code.co_name for frame in frames if frame.f_globals.get("__name__", "").startswith("httpx.")}
    return not below.isdisjoint(_SENDING_OR_READING)


_SENDING_OR_READING = (
    "_send_single_request",
    "_build_redirect_request",
    "read",
    "aread",
    "__iter__",
    "__aiter__",
)


def _is_bad_redirect(error: Exception) -> bool:
    # In a client of the user's; in ours the address is put away before httpx reads it.
    return isinstance(error, httpx.TooManyRedirects) or "location header" in str(error)


def masked(response: httpx.Response) -> httpx.Response:
    """The raw reply as it may be shown: its request keeps only those headers that can hold no secret."""
    request = response.request
    headers = {name: value if name in HARMLESS_HEADERS else MASK for name, value in request.headers.items()}
    response.request = httpx.Request(request.method, request.url.copy_with(query=None), headers=headers)
    location = response.extensions.pop("location", None)
    if location is not None:
        response.headers["location"] = location
    response.next_request = None  # for a redirect httpx has made one, with the key
    response.extensions.pop("reason_phrase", None)  # the service's own words, and a part of its repr
    return response


def concealed(error: WorkflowRunsError) -> WorkflowRunsError:
    """The error without what it must not drag along: the request that its reply belongs to, and what it was made of."""
    if error.response is not None:
        error.response = masked(error.response)
    # An error of the platform or of a parser holds the whole text that it failed on.
    error.__context__ = None
    return error


def named(operation: Operation[Any], redaction: Redaction) -> str:
    """A call in a log line: what it is called, and its path, which names the workflow or the run that it is about.

    Parameters are shown as the contract has them; body, headers and what was added to the query are not.
    """
    return f"{operation.name}: {operation.method} {redaction.shown(redaction.outgoing.place, _PLACE_SHOWN)}"


def note(operation: Operation[Any], redaction: Redaction, outcome: object, began: float, result: object = None) -> None:
    """Log one try: what it was about, how it ended, how long it took, and the ids that a result tells."""
    if LOG.isEnabledFor(logging.DEBUG):
        took = time.monotonic() - began
        ids = "".join(f", {name} {redaction.shown(value, _PLACE_SHOWN)}" for name, value in _ids(result))
        LOG.debug("%s: %s after %.3f s%s", named(operation, redaction), outcome, took, ids)


def _ids(result: object) -> Iterator[tuple[str, str]]:
    for name in getattr(type(result), "__slots__", ()):
        value = getattr(result, name, None) if name.endswith("_id") else None
        if value.__class__ is int or value.__class__ is str:
            yield name, str(value)


_PLACE_SHOWN = 200
