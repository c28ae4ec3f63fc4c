"""A small listener for scripts: it takes PromptLayer's callbacks in a thread while the script goes on."""

from __future__ import annotations

import functools
import logging
import math
import re
import secrets
import threading
from collections import deque
from typing import TYPE_CHECKING, Self, TypeVar

from workflow_runs.outcome import RunOutcome, WaitTimeout, execution_id_of
from workflow_runs_api.errors import BadArgument, ContractBroken

from .http_server import MAX_CONNECTIONS, SECONDS, HttpServer
from .payloads import MAX_BYTES, at_least_one
from .responses import HANDLED, Endpoint, Response, refusal_of
from .run_finished import RunFinished, read_callback

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

    from workflow_runs_api.models import RunAccepted, RunCreated

    from .http_server import Request

__all__ = ["CallbackListener"]

_log = logging.getLogger(__name__)

_HOUR = 3600.0
_KEPT = 10_000
_PUBLIC = r"https?://[^\s/?#]+[^\s?#]*"


class CallbackListener:
    """Listens for callbacks until it is closed, by `with` or `close()`. Each execution comes once.

    Pass `url` as a run's `callback_url`. It holds a token that nobody can guess, since no signature of run callbacks
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
        max_connections: How many connections are held at once, at most a quarter of the file descriptors that this
            process may have. If there are more, those go first whose request doesn't name the token. Default: 256.
        timeout: Seconds that a delivery may take from its connection to the end of its body; a third of it at most for
            its headers, if that is less than 10 seconds. Default: 30.

    Raises:
        BadArgument: The address can't be listened on, a figure is less than 1, or `timeout` is no finite number above
            0.

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
        max_connections: int = MAX_CONNECTIONS,
        timeout: float = SECONDS,
    ) -> None:
        at_least_one(keep, field="keep")
        if public_url is not None and not re.fullmatch(_PUBLIC, public_url if isinstance(public_url, str) else ""):
            raise BadArgument("expected an http or https address without query and fragment", field="public_url")
        token = secrets.token_urlsafe(24)
        deliveries = _Deliveries(Endpoint(token=token, max_bytes=max_bytes), self._take)
        self._server = _listening(host, port, deliveries, max_connections, timeout)
        self._address = f"{f'[{host}]' if ':' in host else host}:{self._server.port}"
        self._url = f"{(public_url or f'http://{self._address}').rstrip('/')}/{token}"
        self._keep = keep
        self._finished: dict[int, RunFinished] = {}
        self._unread: deque[RunFinished] = deque(maxlen=keep)
        self._closed = False
        self._changed = threading.Condition()
        self._server.start()

    @property
    def url(self) -> str:
        """The address to pass as `callback_url`. Whoever knows it can make up outcomes."""
        return self._url

    def wait_for(self, run: RunAccepted | RunCreated | int, timeout: float = _HOUR) -> RunOutcome:
        """Wait for a run's callback; as often as you like, with the same result.

        Args:
            run: What `run_workflow` returned, or the execution id.
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
        """Return runs as they finish, failed ones too, each once, also those that `wait_for` returns.

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
        self._server.close()

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


class _Deliveries:
    """What the listener's server serves."""

    def __init__(self, endpoint: Endpoint, take: Callable[[RunFinished], None]) -> None:
        self.max_bytes = endpoint.max_bytes
        self._endpoint, self._take = endpoint, take

    def knows(self, target: str) -> bool:
        return self._endpoint.knows(target.partition("?")[0])

    def refusal(self, request: Request) -> Response | None:
        path = request.target.partition("?")[0]
        return _logged(self._endpoint.refusal(request.method, path, request.headers))

    def answer(self, request: Request) -> Response:
        return _logged(request.refusal or self._taken(request.body))

    def _taken(self, body: bytes) -> Response:
        try:
            self._take(read_callback(body, max_bytes=self.max_bytes))
        except ContractBroken as error:
            return refusal_of(error)
        return HANDLED


A = TypeVar("A", Response, Response | None)


def _logged(answer: A) -> A:
    if answer is not None and answer is not HANDLED:
        # Without the path, which holds the token.
        _log.info("answered a delivery with %d: %s", answer.status, answer.words)
    return answer


def _listening(host: str, port: int, deliveries: _Deliveries, max_connections: int, seconds: float) -> HttpServer:
    if not isinstance(host, str) or not host or "\0" in host:
        raise BadArgument("expected an address or a name of this machine", field="host")
    if isinstance(port, bool) or not isinstance(port, int):
        raise BadArgument("expected a number", field="port")
    at_least_one(max_connections, field="max_connections")
    try:
        return HttpServer(host, port, deliveries, max_connections=max_connections, seconds=_limit(seconds))
    except (OSError, OverflowError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "no such address"
        raise BadArgument(f"can't listen on {host}:{port}: {reason}", field="port") from None


def _limit(timeout: float) -> float:
    if isinstance(timeout, bool) or not isinstance(timeout, int | float) or not 0 < timeout < math.inf:
        raise BadArgument("expected a finite number of seconds, above 0", field="timeout")
    return timeout


def _seconds(timeout: float) -> float:
    if isinstance(timeout, bool) or not isinstance(timeout, int | float) or not timeout >= 0:
        raise BadArgument("expected a number of seconds", field="timeout", operation="wait")
    return min(timeout, threading.TIMEOUT_MAX)
