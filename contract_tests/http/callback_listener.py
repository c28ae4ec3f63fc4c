"""
Receives callbacks: a real HTTP server that takes down whatever is posted to an address that it gave out.

The server is the one that `CallbackListener` has, bounded against strangers. A mistake in it can't cancel out: here it
serves the judgement of servers, in which that class has no part; clients are judged with a sender of the harness' own.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Self
from uuid import uuid4

from contract_tests.openapi.json_text import essence_of
from contract_tests.rules import SetUpError
from workflow_runs.callbacks.http_server import HttpServer, Request
from workflow_runs.callbacks.responses import Response

LARGEST_BODY: Final = 16 * 1024 * 1024
ODD_PATH: Final = "Of%20Runs/a%2Fb;v=1/%C3%A9/"
ODD_QUERY: Final = "&A=1&A=2&empty=&and=x%26y&plus=x%2By&of=%C3%A9"
MOST_DELIVERIES: Final = 100  # to one address: more prove nothing new


@dataclass(frozen=True)
class Delivery:
    """One request that came in."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    at: float  # monotonic time in seconds
    number: int  # how many requests the harness had sent to the target by then
    is_exact: bool = True  # whether the address is the one that was given out, to the last character

    @property
    def media_type(self) -> str:
        """Content type without parameters."""
        return essence_of(self.headers.get("content-type", ""))


class Listener:
    """
    Listens on ``host:port`` (port 0: any free one) in a thread of its own, from ``with`` until its end.

    Whoever calls an address that was not given out is answered 404, and nothing of it is read or kept: behind a public
    URL strangers knock too.
    """

    max_bytes = LARGEST_BODY

    def __init__(self, listen: str, public_url: str | None = None, count: Callable[[], int] = lambda: 0) -> None:
        host, _, port = listen.rpartition(":")
        self._count = count
        self._deliveries: dict[str, list[Delivery]] = {}
        self._targets: dict[str, str] = {}
        self._given: dict[str, list[str]] = {}
        self._arrived = threading.Condition()  # on a lock that one thread may take twice
        try:
            self._server = HttpServer(host.strip("[]"), int(port), self)
        except (OSError, OverflowError, UnicodeError) as error:
            raise SetUpError(f"callback_listen {listen}: cannot listen there: {error}") from error
        own = f"http://{host}:{self._server.port}"
        self._url = (public_url or own).rstrip("/")

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._server.close()

    def new_url(self, operation: str, *, is_odd: bool = False) -> str:
        """
        Return an address that no one else was given, for a callback of this operation.

        An odd one has escapes, capitals and several parameters of one name in it, each in its normal form.
        """
        token = uuid4().hex
        with self._arrived:
            self._deliveries[token] = []
            # With a query, which is as much a part of the address as its path.
            path, query = (ODD_PATH, ODD_QUERY) if is_odd else ("", "")
            url = f"{self._url}/callback/{path}{token}?run={len(self._deliveries)}{query}"
            self._targets[token] = _own_part(url)
            self._given.setdefault(operation, []).append(url)
        return url

    def all_deliveries(self, operation: str) -> list[Delivery]:
        """Return what has come to any address that was given out for an operation."""
        with self._arrived:
            return [delivery for url in self._given.get(operation, ()) for delivery in self.deliveries(url)]

    def deliveries(self, url: str) -> list[Delivery]:
        """Return what has come to an address so far."""
        with self._arrived:
            return list(self._deliveries[_token(url)])

    def wait(self, url: str, seconds: float, count: int = 1) -> Delivery | None:
        """Wait so many seconds for a delivery to an address, by default the first; None if it does not come."""
        deadline = time.monotonic() + seconds
        with self._arrived:
            while len(found := self.deliveries(url)) < count:
                left = deadline - time.monotonic()
                if left <= 0:
                    return None
                self._arrived.wait(left)
        return found[count - 1]

    def knows(self, target: str) -> bool:
        """Return whether an address was given out, whatever its query."""
        with self._arrived:
            return _token(target) in self._deliveries

    def refusal(self, _: Request) -> Response | None:
        """Refuse nothing that comes to a known address: it is for the rules to judge."""
        return None

    def answer(self, request: Request) -> Response:
        """Keep a request, also one whose body is malformed or too large: what was read of it."""
        token = _token(request.target)
        with self._arrived:
            kept = self._deliveries[token]
            if len(kept) < MOST_DELIVERIES:
                is_exact = _own_part(request.target) == self._targets[token]
                parts = request.method, request.target, request.headers, request.body
                kept.append(Delivery(*parts, time.monotonic(), self._count(), is_exact))
            self._arrived.notify_all()
        return request.refusal or Response(200)


def _own_part(target: str) -> str:
    # What stands before may be changed by whatever makes the listener reachable from outside.
    return target[target.rfind("/callback/") :]


def _token(path: str) -> str:
    return path.partition("?")[0].rpartition("/")[2]
