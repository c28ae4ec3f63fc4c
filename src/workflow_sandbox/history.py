"""What came and what was posted, kept in memory within bounds and without secrets, for tests to assert on."""

import json
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

from workflow_sandbox import json_text

MOST_REQUESTS = 1000
LARGEST_BODY = 16 * 1024
"""Bytes of a request's body that are kept; a longer body is not kept at all."""

_SHOWN_HEADERS = frozenset({b"accept", b"content-length", b"content-type", b"user-agent", b"x-sandbox-fault"})
_HIDDEN = "***"


@dataclass
class RequestRecord:
    """A request that came.

    Attributes:
        number: How many requests had come, this one included.
        at: When, as an ISO 8601 time in UTC.
        path: As it was sent, percent-encoded.
        query: As it was sent.
        headers: The few that are no secrets, names in lower case.
        body: The JSON value of the body; None if there was none, it was no JSON or longer than 16 KiB.
        status: Status of the response; None while there is none, or if the connection was reset instead.
        faults: What it met, as it is written: `error:503`.
    """

    number: int
    at: str
    method: str
    path: str
    query: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None
    status: int | None = None
    faults: list[str] = field(default_factory=list)


@dataclass
class CallbackRecord:
    """One post of a callback, or that there was none.

    Attributes:
        at: When it ended, as an ISO 8601 time in UTC.
        run_id: The run that the callback tells of.
        url: Without user, password and query, which may be secrets.
        attempt: The how manieth post of this callback; 0 if it was not posted.
        state: What the callback is then: pending, delivered, given_up, refused or lost.
        outcome: The receiver's status, or what went wrong.
        faults: What it met, as it is written: `callback-late:1`.
    """

    at: str
    run_id: int
    url: str
    attempt: int
    state: str
    outcome: str
    faults: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Seen:
    """A request as it came: it is made a record of, and its secrets are hidden, when somebody asks."""

    number: int
    at: float
    method: str
    path: str
    query: bytes
    headers: list[tuple[bytes, bytes]]
    faults: list[str]
    body: bytes = b""
    status: int | None = None


class History:
    """The last 1,000 requests and posts."""

    def __init__(self, secret: str) -> None:
        """Make an empty history, in which `secret` appears nowhere."""
        self._secrets = {secret, json.dumps(secret)[1:-1], quote(secret, safe="")}
        self._count = 0
        self._seen: deque[Seen] = deque(maxlen=MOST_REQUESTS)
        self.callbacks: deque[CallbackRecord] = deque(maxlen=MOST_REQUESTS)

    def add_request(
        self, method: str, path: str, query: bytes, headers: Iterable[tuple[bytes, bytes]], faults: Iterable[object]
    ) -> Seen:
        """Keep a request whose head has come, and return what the caller completes."""
        self._count += 1
        shown = [each for each in headers if each[0] in _SHOWN_HEADERS]
        seen = Seen(self._count, time.time(), method, path, query, shown, [str(fault) for fault in faults])
        self._seen.append(seen)
        return seen

    def requests(self, most: int = MOST_REQUESTS) -> list[RequestRecord]:
        """Return the last requests, oldest first."""
        return [self._record(seen) for seen in [*self._seen][-most:]]

    def _record(self, seen: Seen) -> RequestRecord:
        return RequestRecord(
            number=seen.number,
            at=datetime.fromtimestamp(seen.at, UTC).isoformat(),
            method=seen.method,
            path=self._masked(seen.path),
            query=self._masked(seen.query.decode("latin-1")),
            headers={name.decode(): self._masked(value.decode("latin-1")) for name, value in seen.headers},
            body=self._body(seen.body),
            status=seen.status,
            faults=seen.faults,
        )

    def _body(self, raw: bytes) -> Any:
        if not raw or len(raw) > LARGEST_BODY:
            return None
        try:
            value = json_text.decode(self._masked(raw.decode("utf-8")))
        except ValueError:
            return None
        if isinstance(value, dict) and isinstance(value.get("callback_url"), str):
            value["callback_url"] = address_alone(value["callback_url"])
        return value

    def add_post(
        self, run_id: int, url: str, *, attempt: int, state: str, outcome: str, faults: Iterable[object]
    ) -> None:
        """Keep what became of one post of a callback."""
        url = self._masked(address_alone(url))
        self.callbacks.append(CallbackRecord(_now(), run_id, url, attempt, state, outcome, list(map(str, faults))))

    def clear(self) -> None:
        """Forget everything; numbers begin with 1 again."""
        self._count = 0
        self._seen.clear()
        self.callbacks.clear()

    def _masked(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, _HIDDEN)
        return text


def as_json(records: "Iterable[RequestRecord] | Iterable[CallbackRecord]") -> list[dict[str, Any]]:
    """Return records in the form in which they travel."""
    return [asdict(record) for record in records]


def address_alone(url: str) -> str:
    """Return a URL without user, password, query and fragment."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return _HIDDEN
    query = _HIDDEN if parts.query else ""
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, query, ""))


def _now() -> str:
    return datetime.now(UTC).isoformat()
