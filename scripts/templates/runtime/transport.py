"""The wire. The only module that touches httpx, so that one day another library can stand here."""

from __future__ import annotations

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

from .errors import BadArgument, ContractBroken, MaybeSent, NotSent, WorkflowRunsError
from .redaction import HARMLESS_HEADERS, MASK, Redaction
from .reply import Reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from .operation import Operation, Outgoing

__all__ = [
    "ERRORS",
    "HOMES",
    "LOG",
    "Redaction",
    "Reply",
    "Standing",
    "async_pause",
    "async_send",
    "concealed",
    "has_ended",
    "masked",
    "open_async_client",
    "open_client",
    "pause",
    "prepared",
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
ERRORS = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, *_OF_THE_PLATFORM)
_CONNECT, _ANSWER = 5.0, 60.0
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
HOMES: dict[str, Callable[[], object]] = {"open_client": os.getpid, "open_async_client": _event_loop}


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


class _Client(_Cookieless, httpx.Client):
    """Without cookies."""


class _AsyncClient(_Cookieless, httpx.AsyncClient):
    """Without cookies."""


_NO_COOKIES = _NoCookies()


def default_timeout() -> httpx.Timeout:
    """5 s to connect, to write and to get a connection from the pool, 60 s between two pieces of a reply."""
    return httpx.Timeout(_CONNECT, read=_ANSWER)


def open_client(user_agent: str) -> httpx.Client:
    """A client of our own. It follows no redirect: that would carry the key to an address nobody chose.

    Raises:
        BadArgument: the environment has settings that httpx can't use.
    """
    return _opened(_Client, user_agent, _put_away_location)


def open_async_client(user_agent: str) -> httpx.AsyncClient:
    """The same for asyncio."""
    return _opened(_AsyncClient, user_agent, _async_put_away_location)


def _opened(kind: Callable[..., T], user_agent: str, hook: Callable[[httpx.Response], object]) -> T:
    timeout, headers = default_timeout(), _own_headers(user_agent)
    try:
        return kind(timeout=timeout, follow_redirects=False, headers=headers, event_hooks={"response": [hook]})
    except (ValueError, httpx.InvalidURL, OSError, ImportError) as error:
        # The proxies and certificates that the environment names. An address may hold a password.
        reason = re.sub("//[^/@\\s]*@", f"//{MASK}@", str(error))[:_REASON_SHOWN]
        words = f"its proxies or certificates can't be used ({type(error).__name__}: {reason})"
    raise BadArgument(words, field="environment")


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
        self.http = http
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


def prepared(standing: Standing, outgoing: Outgoing, timeout: Any) -> httpx.Request:
    """The request to send: what the client would build, at half the cost, since all that goes into it is known here."""
    url, content, own = _parsed(outgoing.url), outgoing.content, outgoing.headers
    http, added = standing.http, standing.headers()
    if added is None:
        return _built(http, outgoing, timeout)
    headers: list[tuple[Any, Any]] = [] if "host" in own else [(b"Host", url.netloc)]
    headers += [header for name, header in added.items() if name not in own]
    if content is not None or outgoing.method in _WITH_BODY:
        headers.append((b"Content-Length", b"%d" % len(content or b"")))
    request = httpx.Request(
        outgoing.method,
        url,
        headers=[*headers, *own.items()],
        stream=httpx.ByteStream(content or b""),
        extensions={"timeout": (http.timeout if timeout is None else httpx.Timeout(timeout)).as_dict()},
    )
    request.read()  # as in a request that httpx has built: hooks may look at its content
    return request


def _built(http: httpx.Client | httpx.AsyncClient, outgoing: Outgoing, timeout: Any) -> httpx.Request:
    limits = {} if timeout is None else {"timeout": timeout}
    url = _parsed(outgoing.url)
    request = http.build_request(outgoing.method, url, content=outgoing.content, **limits)
    if http.params:
        # httpx would put the client's own query in the place of ours.
        request.url = url.copy_with(query=b"&".join(filter(None, (url.query, str(http.params).encode()))))
    for name, value in outgoing.headers.items():
        # Put over the client's, since merging them takes longer.
        request.headers[name] = value
    return request


@functools.lru_cache(maxsize=256)
def _parsed(url: str) -> httpx.URL:
    # Parsing is a tenth of a call, and polling asks the same address again and again.
    return httpx.URL(url)


def send(http: httpx.Client, request: httpx.Request, redaction: Redaction) -> httpx.Response:
    """Send a request, while whatever the libraries below log of it is masked."""
    redaction.sent = request
    token = _UNDER_WAY.set(redaction)
    try:
        return http.send(request, follow_redirects=False)
    finally:
        _UNDER_WAY.reset(token)


async def async_send(http: httpx.AsyncClient, request: httpx.Request, redaction: Redaction) -> httpx.Response:
    """The same for asyncio."""
    redaction.sent = request
    token = _UNDER_WAY.set(redaction)
    try:
        return await http.send(request, follow_redirects=False)
    finally:
        _UNDER_WAY.reset(token)


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


def translated(error: Exception, operation: Operation[Any], redaction: Redaction) -> WorkflowRunsError:
    """Our error for one of httpx: told apart by whether the request can have arrived.

    Raises:
        Exception: it is no error of the network, but one that a hook of the user's has raised.
    """
    if isinstance(error, _OF_THE_PLATFORM) and not _comes_from_below(error):
        raise error
    reason = redaction.shown(str(error), _REASON_SHOWN) or "no further word"
    words = f"{type(error).__name__}: {reason}"
    if isinstance(error, _NEVER_LEFT):
        return NotSent(f"nothing was sent ({words}); the call may be repeated", operation=operation.name)
    in_doubt = not operation.repeatable
    if isinstance(error, httpx.HTTPStatusError):
        return Reply(operation, error.response, redaction).unread(f"a hook of the http_client raised {words}")
    if isinstance(error, httpx.DecodingError | httpx.StreamError | UnicodeError) or _is_bad_redirect(error):
        return ContractBroken(f"the reply can't be read ({words})", operation=operation.name, may_have_run=in_doubt)
    advice = "it may have started a run: look for it before calling again" if in_doubt else "the call may be repeated"
    return MaybeSent(f"no reply arrived ({words}); {advice}", operation=operation.name, may_have_run=in_doubt)


def _comes_from_below(error: Exception) -> bool:
    """Whether an error of the platform was met by sending or reading, and not by a hook of the user's."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    below = {frame.f_code.co_name for frame in frames if frame.f_globals.get("__name__", "").startswith("httpx.")}
    return not below.isdisjoint(_SENDING_OR_READING)


_SENDING_OR_READING = ("_send_single_request", "_build_redirect_request", "read", "aread")


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


def note(operation: Operation[Any], outcome: object, began: float) -> None:
    """Log one try: what the operation is called, how it ended and how long it took; nothing of what was sent."""
    if LOG.isEnabledFor(logging.DEBUG):
        took = time.monotonic() - began
        LOG.debug("%s: %s %s: %s after %.3f s", operation.name, operation.method, operation.path, outcome, took)
