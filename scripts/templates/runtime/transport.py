"""The wire, loaded with the first call: sends a request, reads its reply within bounds, makes its errors ours."""

from __future__ import annotations

import contextlib
import contextvars
import logging
import re
import sys
import time
import traceback
from typing import TYPE_CHECKING, Any

import h11  # what httpcore speaks HTTP with, and lets through
import httpx

from .bounds import BOUNDS, Bounds
from .charsets import charset_of
from .decoding import Body, CannotDecode, TooLong
from .errors import BadArgument, ContractBroken, MaybeSent, NotSent, WorkflowRunsError
from .own_clients import (
    HOMES,
    aiohttp_pool,
    has_ended,
    is_ours,
    open_aiohttp_client,
    open_async_client,
    open_client,
)
from .redaction import HARMLESS_HEADERS, MASK, Redaction
from .reply import Reply
from .request import Standing, bounded_request
from .surplus import end_after_surplus
from .types import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

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
# ended, a pool that another thread closes, a transport of the user's, a length that a hook of the user's has changed.
_OF_THE_PLATFORM = (OSError, RuntimeError, UnicodeError, h11.LocalProtocolError)
_LENGTH = "[0-9]{1,20}"
_BEGINNING = 65_536  # bytes that are kept of a reply that is too large or breaks off
_REFUSED = 400  # from this status on
_REASON_SHOWN = 200

LOG = logging.getLogger("workflow_runs")

pause = time.sleep


async def async_pause(seconds: float) -> None:
    """The same for asyncio, which whoever awaits this has loaded; nobody else needs to."""
    await sys.modules["asyncio"].sleep(seconds)


def send(standing: Standing, outgoing: Outgoing, timeout: Any, bounds: Bounds, redaction: Redaction) -> httpx.Response:
    """Send a request and read the reply within its bounds, while whatever the libraries below log of it is masked."""
    http, request = standing.http, bounded_request(standing, outgoing, timeout, bounds)
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
        except _BREAKS as error:
            reading.break_off(error)
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
    http, request = standing.http, bounded_request(standing, outgoing, timeout, bounds)
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
            except _BREAKS as error:
                reading.break_off(error)
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
    if not is_ours(http):
        bounds.start()
    if bounds.is_over:
        raise httpx.PoolTimeout("")
    if is_ours(http):
        return None
    timeouts = request.extensions.get("timeout", {})
    timeouts.update({name: bounds.left(seconds) for name, seconds in timeouts.items()})
    return bounds.left()


def _named(error: Exception, request: httpx.Request) -> Exception:
    """The same error in the words of the bound that is over, if one is."""
    words = request.extensions[BOUNDS].over()
    if words is None:
        return error
    told = type(error)(words) if isinstance(error, httpx.TimeoutException) else httpx.ReadTimeout(words)
    return told.with_traceback(error.__traceback__)


class BodyBroken(Exception):
    """A reply's body can't be kept: it is longer than `max_response_bytes`, or not compressed as its headers say.

    Attributes:
        response: The reply, with the beginning of its body.
        problem: What is wrong with the body.
    """

    def __init__(self, response: httpx.Response, problem: Problem) -> None:
        super().__init__()
        self.response, self.problem = response, problem


ERRORS = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, BodyBroken, *_OF_THE_PLATFORM)
_BREAKS = (BodyBroken, httpx.NetworkError, httpx.RemoteProtocolError)


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
            raise self._undecodable(error) from None
        except TooLong:
            raise self._too_large() from None
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
        end_after_surplus(self._response.stream)
        most = self._bounds.most
        if self._is_read and most is not None and len(self._response.content) > most:
            raise self._too_large()
        if self._body:
            try:
                self._body.end()
            except CannotDecode as error:
                raise self._undecodable(error) from None
        self._keep()

    def break_off(self, error: Exception) -> None:
        """Keep the beginning of a refusal, whose status says enough; of anything else half is none."""
        if self._response.status_code < _REFUSED:
            raise error
        self._keep(_BEGINNING)

    def _keep(self, longest: int | None = None) -> None:
        if not self._is_read:
            content = self._body.content(longest) if self._body else b""
        else:
            content = self._response.content[:longest]
        # httpx' own way to read decompresses without a cap.
        self._response._content = content  # noqa: SLF001

    def _undecodable(self, error: CannotDecode) -> BodyBroken:
        return self._broken("a body in the coding that its headers name", str(error))

    def _too_large(self) -> BodyBroken:
        return self._broken(f"at most {self._bounds.most} bytes, as max_response_bytes has it", "more of them")

    def _broken(self, expected: str, received: str) -> BodyBroken:
        self._keep(_BEGINNING)
        return BodyBroken(self._response, Problem(expected, received=received))


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
    if isinstance(error, BodyBroken):
        return Reply(operation, _readable(error.response), redaction).broken(error.problem)
    if isinstance(error, _OF_THE_PLATFORM) and not _comes_from_below(error):
        raise error
    reason = redaction.shown(_reason(error), _REASON_SHOWN) or "no further word"
    words = f"{type(error).__name__}: {reason}"
    if isinstance(error, httpx.InvalidURL) and _is_of_the_request(error):
        return BadArgument(f"the address can't be used ({words})", field="url", operation=operation.name)
    if isinstance(error, _NEVER_LEFT) and _is_of_the_request(error):
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


def _reason(error: BaseException) -> str:
    """What the system says where that has led to an error: with asyncio httpx' own errors say less, or nothing."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno:
            return str(cause)
        cause = cause.__cause__ or cause.__context__
    return str(error) or ("timed out" if isinstance(error, httpx.TimeoutException) else "")


def _tries(made: int) -> str:
    return "" if made == 1 else f" in {made} tries"


def _is_of_the_request(error: Exception) -> bool:
    """Whether an error is one of this request, and not of another one that a hook or an Auth of the user's has made."""
    is_within = False
    for is_httpx, function in _frames(error):
        if is_within and not is_httpx:
            return False
        if is_httpx and function == "_send_single_request":
            return True
        is_within = is_within or is_httpx
    return True


def _comes_from_below(error: Exception) -> bool:
    """Whether an error of the platform was met by sending or reading, and not by a hook of the user's."""
    return any(is_httpx and function in _SENDING_OR_READING for is_httpx, function in _frames(error))


def _frames(error: Exception) -> Iterator[tuple[bool, str]]:
    """The functions that an error came through, from the outside in, and whether each is httpx' own."""
    for frame, _ in traceback.walk_tb(error.__traceback__):
        yield frame.f_globals.get("__name__", "").startswith("httpx."), frame.f_code.co_name


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
