"""A small listener for scripts: it takes PromptLayer's callbacks in a thread while the script goes on."""

from __future__ import annotations

import functools
import logging
import math
import re
import secrets
import socket
import socketserver
import threading
from collections import deque
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any, Self

from workflow_runs_api.errors import BadArgument, ContractBroken

from .callbacks import RunFinished, read_callback
from .outcome import RunOutcome, WaitTimeout, execution_id_of
from .payloads import MAX_BYTES
from .receiving import TAKEN, Answer, Entrance, refusal_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import TracebackType

    from workflow_runs_api.models import RunAccepted, RunCreated

__all__ = ["CallbackListener"]

_log = logging.getLogger(__name__)

_HOUR = 3600.0
_KEPT = 10_000
_SECONDS_BETWEEN_LOOKS = 0.05
_PUBLIC = r"https?://[^\s/?#]+[^\s?#]*"
_CHUNK_LINE = 1024
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*[;\r\n]")


class CallbackListener:
    """Listens for callbacks until it is closed, by `with` or `close()`. Each execution is given once.

    Give `url` as a run's `callback_url`. It holds a token that nobody can guess, since no signature of run callbacks
    is documented. A callback may be there before `run_workflow` has returned; it is kept until it is asked for. If
    the script ends before a callback has come, nothing is lost at PromptLayer: `PromptLayer.wait` gets the outcome.

    Args:
        host: Address to listen on. Default: loopback, which PromptLayer itself can't reach but a tunnel's end on
            this machine, or a sandbox, can.
        port: Port to listen on. Default: 0, a free one.
        public_url: Address under which a tunnel or a proxy leads here, as in https://abc.example.com. Default: `host`
            and the port as they are.
        max_bytes: Size above which a payload is refused, in bytes. Default: 16 MiB.
        keep: How many finished runs are kept for `wait_for` and for iteration; the oldest goes first. Default: 10,000.

    Raises:
        BadArgument: The address can't be listened on, or a figure is less than 1.

    Source: https://docs.promptlayer.com/reference/run-workflow (wording of 2025-11 to 2026-04).

    Example:
        A sender's part is played by httpx; `client.run_workflow("support-agent", callback_url=listener.url)` has
        PromptLayer do it.

        >>> with CallbackListener() as listener:
        ...     payload = {"workflow_version_execution_id": 98765, "final_output": "Hello"}
        ...     reply = httpx.post(listener.url, json=payload)
        ...     reply.status_code, listener.wait_for(98765, timeout=60).output
        (204, 'Hello')
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        public_url: str | None = None,
        max_bytes: int = MAX_BYTES,
        keep: int = _KEPT,
    ) -> None:
        if isinstance(keep, bool) or not isinstance(keep, int) or keep < 1:
            raise BadArgument("expected a number, at least 1", field="keep")
        if public_url is not None and not re.fullmatch(_PUBLIC, public_url if isinstance(public_url, str) else ""):
            raise BadArgument("expected an http or https address without query and fragment", field="public_url")
        token = secrets.token_urlsafe(24)
        self._server = _listening(host, port, Entrance(token=token, max_bytes=max_bytes), self._take)
        self._address = f"{f'[{host}]' if ':' in host else host}:{self._server.server_address[1]}"
        self._url = f"{(public_url or f'http://{self._address}').rstrip('/')}/{token}"
        self._keep = keep
        self._finished: dict[int, RunFinished] = {}
        self._unread: deque[RunFinished] = deque(maxlen=keep)
        self._closed = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            args=(_SECONDS_BETWEEN_LOOKS,),
            name="workflow-runs-callbacks",
            daemon=True,
        )
        self._thread.start()

    @property
    def url(self) -> str:
        """The address to give as `callback_url`. Whoever knows it can make up outcomes."""
        return self._url

    def wait_for(self, run: RunAccepted | RunCreated | int, timeout: float = _HOUR) -> RunOutcome:
        """Wait for a run's callback; as often as you like, the answer stays the same.

        Args:
            run: What `run_workflow` gave back, or the execution id.
            timeout: Seconds to wait at most; `math.inf` waits for ever. Default: an hour.

        Raises:
            RunFailed: None of the run's output nodes succeeded.
            WaitTimeout: The callback has not come in time, or the listener is closed. The run may go on or have
                ended: ask `PromptLayer.wait`.
            BadArgument: `run` is none, or `timeout` is no number of seconds.

        Source: https://docs.promptlayer.com/reference/run-workflow (wording of 2025-11 to 2026-04).

        Example:
            >>> with CallbackListener() as listener:
            ...     listener.wait_for(98765, timeout=0)
            Traceback (most recent call last):
            workflow_runs.outcome.WaitTimeout: wait: no callback of execution 98765 in 0 s; ask the service for it
        """
        execution_id, seconds = execution_id_of(run), _seconds(timeout)
        with self._changed:
            self._changed.wait_for(lambda: execution_id in self._finished or self._closed, seconds)
            finished = self._finished.get(execution_id)
        if finished is None:
            words = f"no callback of execution {execution_id} in {timeout:g} s; ask the service for it"
            raise WaitTimeout(words, execution_id=execution_id)
        return finished.outcome()

    def finished(self, timeout: float = math.inf) -> Iterator[RunFinished]:
        """Runs as they finish, failed ones too, each once, also those that `wait_for` gives.

        Ends when the listener is closed, or when none has come for a while.

        Args:
            timeout: Seconds to wait for the next one at most. Default: for ever.

        Raises:
            BadArgument: `timeout` is no number of seconds.

        Example:
            >>> with CallbackListener() as listener:
            ...     reply = httpx.post(listener.url, json={"workflow_version_execution_id": 98765})
            ...     [run.execution_id for run in listener.finished(timeout=0)]
            [98765]
        """
        return iter(functools.partial(self._next, _seconds(timeout)), None)

    def __iter__(self) -> Iterator[RunFinished]:
        """Runs as they finish, until the listener is closed. See `finished`."""
        return self.finished()

    def close(self) -> None:
        """Stop listening. What has come can still be waited for."""
        with self._changed:
            if self._closed:
                return
            self._closed = True
            self._changed.notify_all()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        # Without the URL, whose token is a secret.
        return f"<CallbackListener {'closed' if self._closed else self._address}>"

    def _next(self, seconds: float) -> RunFinished | None:
        with self._changed:
            self._changed.wait_for(lambda: self._unread or self._closed, seconds)
            return self._unread.popleft() if self._unread else None

    def _take(self, finished: RunFinished) -> None:
        with self._changed:
            if finished.execution_id in self._finished:
                return
            self._finished[finished.execution_id] = finished
            self._unread.append(finished)
            if len(self._finished) > self._keep:
                del self._finished[next(iter(self._finished))]
            self._changed.notify_all()


class _Server(socketserver.ThreadingTCPServer):
    """Not http.server's: that one looks its own name up, which may take seconds."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128
    entrance: Entrance
    take: Callable[[RunFinished], None]

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - the names that socketserver has
        """A sender that goes away or stalls is no matter for the script's standard error."""
        _log.debug("a delivery broke off", exc_info=True)


class _Server6(_Server):
    """For addresses of IPv6."""

    address_family = socket.AF_INET6


class _Handler(BaseHTTPRequestHandler):
    """One request per connection."""

    server: _Server
    server_version, sys_version = "workflow-runs", ""
    protocol_version = "HTTP/1.1"
    timeout = 30

    def _answer(self) -> None:
        answer = self._taken()
        if answer is not TAKEN:
            _log.info("answered a delivery with %d: %s", answer.status, answer.words)
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.content)

    def __getattr__(self, name: str) -> Callable[[], None]:
        # http.server looks a method up by its name, and would answer 501 to one it doesn't find.
        if name.startswith("do_"):
            return self._answer
        raise AttributeError(name)

    def _taken(self) -> Answer:
        entrance, headers = self.server.entrance, _joined(self.headers.items())
        refusal = entrance.refusal(self.command, self.path.partition("?")[0], headers)
        if refusal is not None:
            return refusal
        body = self._body(entrance, headers)
        if isinstance(body, Answer):
            return body
        try:
            self.server.take(read_callback(body, max_bytes=entrance.max_bytes))
        except ContractBroken as error:
            return refusal_of(error)
        return TAKEN

    def _body(self, entrance: Entrance, headers: dict[str, str]) -> bytes | Answer:
        encoding = headers.get("transfer-encoding")
        if encoding is not None:
            chunked = encoding.strip().lower() == "chunked"
            return self._chunks(entrance) if chunked else Answer(400, "no transfer-encoding but chunked is read")
        length = int(headers.get("content-length", "0"))
        body = self.rfile.read(length)
        return body if len(body) == length else Answer(400, "the body ends before its content-length")

    def _chunks(self, entrance: Entrance) -> bytes | Answer:
        # Tunnels like to send bodies in chunks, which http.server leaves to its users.
        body = bytearray()
        while found := _CHUNK_SIZE.match(self.rfile.readline(_CHUNK_LINE)):
            size = int(found[1], 16)
            if not size:
                return bytes(body)
            if len(body) + size > entrance.max_bytes:
                return entrance.too_large()
            body += self.rfile.read(size)
            self.rfile.readline(_CHUNK_LINE)
        return Answer(400, "the body's chunks are malformed")

    def log_message(self, *_: object) -> None:
        """Nothing: the line would hold the path, and with it the token."""


def _joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Headers by name in lower case; one that stands there twice is joined, as over ASGI."""
    headers: dict[str, str] = {}
    for spelled, value in pairs:
        name = spelled.lower()
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def _listening(host: str, port: int, entrance: Entrance, take: Callable[[RunFinished], None]) -> _Server:
    if not isinstance(host, str) or not host:
        raise BadArgument("expected an address or a name of this machine", field="host")
    if isinstance(port, bool) or not isinstance(port, int):
        raise BadArgument("expected a number", field="port")
    try:
        server = (_Server6 if ":" in host else _Server)((host, port), _Handler)
    except (OSError, OverflowError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "no such address"
        raise BadArgument(f"can't listen on {host}:{port}: {reason}", field="port") from None
    server.entrance, server.take = entrance, take
    return server


def _seconds(timeout: float) -> float:
    if not timeout >= 0:
        raise BadArgument("expected a number of seconds", field="timeout", operation="wait")
    return min(timeout, threading.TIMEOUT_MAX)
