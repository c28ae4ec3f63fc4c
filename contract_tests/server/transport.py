"""The harness's one way to a server: it counts, throttles, waits when told to, and has every exchange watched."""

import email.utils
import json
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final, Protocol
from urllib.parse import urlencode

import httpx

from contract_tests.cases.case import ABSENT, RequestCase, request_problems
from contract_tests.cases.negative import with_sole_violation
from contract_tests.coverage import Coverage
from contract_tests.http.body_kinds import with_bytes
from contract_tests.http.body_writing import written
from contract_tests.http.parameters import encode_headers, encode_path, encode_query, with_bare_characters
from contract_tests.http.redaction import Secrets
from contract_tests.http.response_reading import ACCEPTED, CODING, Incomplete, Limits, Reply, receive
from contract_tests.openapi.document import Contract, Operation
from contract_tests.openapi.json_text import json_or
from contract_tests.rules import NotExercised, Unanswered, Undecodable, Violation, shown
from contract_tests.server.connections import client_for, unreachable
from contract_tests.server.credentials import credentials_of
from contract_tests.server.models.exchange import Access, Exchange, curl
from contract_tests.targets import Target

LONGEST_WAIT: Final = 120.0
WAITS: Final = (2.0, 10.0, 30.0)  # where a live target throttles and does not say for how long
SHORT_WAIT, MOST_IN_VAIN = 0.5, 3  # seconds, and how often a run waits for nothing
TOO_MANY: Final = 429
UNAVAILABLE: Final = 503
SENT: Final = {"Accept-Encoding": ACCEPTED}
LARGE_PART: Final = 8  # of what a response may have at most: each such one takes seconds to judge
MANY_VALUES: Final = 25_000  # in a response, which take as long, however few bytes they are
MOST_LARGE: Final = 8
SILENCES: Final = 2  # responses too slow or too large after which an operation is asked no more
AT_ONCE: Final = 8  # requests in flight together


class Watch(Protocol):
    """Who is shown everything."""

    def saw(self, exchange: Exchange) -> None:
        """Take a request and its response."""

    def missed(self, operation: Operation, violation: Violation) -> None:
        """Take a request to which no complete response came."""

    def turned_away(self, reason: NotExercised) -> None:
        """Take that the target answers nothing but that it is to be left alone."""


class TurnedAway(NotExercised):
    """The target goes on asking to be left alone."""


@dataclass(frozen=True)
class Presented:
    """
    Credentials in place of the right ones.

    Attributes:
        name: What they are.
        headers: Name and value, in order; a name may be there twice.
        query: Parameters that are added to the query.
        property: A property that is added to a body that is an object.
        words: What presents them on a curl line.
        keys: What of them is secret.
        rename: How the names of all headers are written, those of the right credentials too.
    """

    name: str
    headers: tuple[tuple[str, str], ...] = ()
    query: tuple[tuple[str, str], ...] = ()
    member: tuple[str, str] | None = None
    words: str = ""
    keys: tuple[str, ...] = ()
    rename: Callable[[str], str] = str


@dataclass(frozen=True)
class _Sending:
    """A request that is ready to be sent, and what its exchange will have of it."""

    case: RequestCase
    access: Access
    request: httpx.Request
    url: str
    headers: dict[str, str]
    environment: dict[str, str]
    content: bytes | None
    keys: tuple[str, ...]
    presented: Presented


class Wire:
    """Sends requests to one target, within its limits."""

    def __init__(self, target: Target, contract: Contract, coverage: Coverage, secrets: Secrets, watch: Watch) -> None:
        self.target = target
        self.contract = contract
        self.coverage = coverage
        self.secrets = secrets
        self.sent = 0  # how many requests have been sent
        self.left_out = 0  # how many were not sent since the target's budget was spent
        self.may_be_sent = target.max_requests  # by now; the rest is for others
        self.reply_seconds = target.total_timeout  # how long a whole response may take
        self.longest_wait = LONGEST_WAIT  # for how many seconds the target may ask to be left alone
        self._watch = watch
        self._silences: Counter[str] = Counter()
        self._large: Counter[str] = Counter()
        self._next_at = 0.0
        self._waits_in_vain = 0
        for value in target.secrets.values():
            secrets.add(value)
        self._client = client_for(target)

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def send(self, case: RequestCase, access: Access = Access.OWN, presented: Presented | None = None) -> Exchange:
        """
        Send one request and give the whole exchange.

        Raises Unanswered if no complete response comes; NotExercised if the target's budget of requests is spent, or it
        goes on refusing for their number; SetUpError if the target cannot be reached any more.
        """
        sending = self._ready(case, access, presented)
        try:
            reply, seconds = self._response(sending)
        except TurnedAway as reason:
            self._watch.turned_away(reason)
            raise
        return self._took(sending, reply, seconds, self.sent)

    def send_together(
        self, cases: Sequence[RequestCase], strangers: Collection[int] = ()
    ) -> list[Exchange | NotExercised]:
        """
        Send several requests, each over a connection of its own and before the others are answered.

        What can't be sent, or is not answered, is given as the reason in its place.

        Args:
            cases: The requests.
            strangers: The places of those that go with a wrong key.

        Raises:
            SetUpError: If the target cannot be reached any more.
        """
        found: dict[int, Exchange | NotExercised] = {}
        under_way: dict[int, tuple[_Sending, int, float, Future[Reply | Exception]]] = {}
        with ThreadPoolExecutor(AT_ONCE) as threads:
            for place, case in enumerate(cases):
                try:
                    started = self.take_turn(case.operation)
                except NotExercised as reason:
                    found[place] = reason
                    continue
                sending = self._ready(case, Access.WRONG_KEY if place in strangers else Access.OWN, None)
                under_way[place] = sending, self.sent, started, threads.submit(self._attempt, sending)
        for place, (sending, number, started, future) in under_way.items():
            try:
                reply = self._whole(sending, future.result())
                seconds = time.monotonic() - started
                wait = self._wait_for(reply, SHORT_WAIT)
                if wait is None:
                    found[place] = self._took(sending, reply, seconds, number, is_together=True)
                else:  # it asks to be asked again, which is no fault
                    self._next_at = time.monotonic() + wait
                    found[place] = self.send(sending.case, sending.access)
            except NotExercised as reason:
                found[place] = reason
        return [found[place] for place in range(len(cases))]

    def _ready(self, case: RequestCase, access: Access, presented: Presented | None) -> _Sending:
        path = encode_path(case.operation, case.path)
        path = with_bare_characters(path) if case.is_bare else path
        url = self.target.base_url.rstrip("/") + path + encode_query(case.operation, case.query)
        content, headers = content_of(self.contract, case)
        headers |= encode_headers(case.operation, case.headers, case.cookies)
        own = credentials_of(self.target, self.contract, case.operation, access, headers.get("Cookie", ""))
        shown_headers = {name: value for name, value in headers.items() if name not in own.environment}
        shown_headers |= own.headers if access is Access.WRONG_KEY else {}
        keys = tuple(own.keys)
        lines, sent_url, sent = [*(SENT | headers | own.headers).items()], url, content
        if own.query:
            sent_url += ("&" if "?" in url else "?") + urlencode(own.query)
        if presented is not None:
            sent_url += ("&" if "?" in url else "?") + urlencode(presented.query) if presented.query else ""
            if presented.member and isinstance(case.body, dict):
                sent = to_json({**case.body, presented.member[0]: presented.member[1]})
            lines, keys = [*lines, *presented.headers], (*keys, *presented.keys)
            lines = [(presented.rename(name), value) for name, value in lines]
            shown_headers = {presented.rename(name): value for name, value in shown_headers.items()}
            own.environment = {presented.rename(name): value for name, value in own.environment.items()}
        request = self._request(case, sent_url, lines, sent)
        # Nothing of what was presented stands in what is shown.
        shown_url = str(request.url) if presented is None and not own.words else url
        stand_in = presented or Presented("", words=own.words)
        return _Sending(case, access, request, shown_url, shown_headers, own.environment, content, keys, stand_in)

    def _request(
        self, case: RequestCase, url: str, headers: list[tuple[str, str]], content: bytes | None
    ) -> httpx.Request:
        request = self._client.build_request(case.operation.method, url, headers=headers, content=content)
        if case.spelling is not None and case.spelling.is_chunked:
            del request.headers["Content-Length"]
            request.headers["Transfer-Encoding"] = "chunked"
        return request

    def _took(
        self, sending: _Sending, reply: Reply, seconds: float, number: int, *, is_together: bool = False
    ) -> Exchange:
        case = sending.case
        self.coverage.saw_request(case.operation, [*case.path, *case.query, *case.headers, *case.cookies], case.body)
        exchange = Exchange(
            **self._judged(case),
            number=number,
            access=sending.access,
            method=sending.request.method,
            url=sending.url,
            headers=sending.headers,
            environment=sending.environment,
            content=sending.content,
            status=reply.status,
            reply_headers=reply.headers,
            reply=reply.body,
            seconds=seconds,
            secrets=self.secrets,
            is_together=is_together,
            keys=sending.keys,
            presented=sending.presented.name,
            key_words=sending.presented.words,
        )
        self._watch.saw(exchange)
        self.coverage.saw_reply(case.operation, exchange.status, exchange.media_type, json_or(exchange.reply, None))
        return exchange

    @property
    def left(self) -> int:
        """How many requests may still be sent by now."""
        return self.may_be_sent - self.sent

    def is_costly(self, operation: Operation) -> bool:
        """Whether an operation gave responses that take long to come or to judge; it is asked a few times more."""
        return bool(self._silences[operation.id] or self._large[operation.id])

    def _judged(self, case: RequestCase) -> dict[str, Any]:
        if case.breach is not None:
            return {"case": case, "is_legal": False}
        if not request_problems(self.contract, case):
            return {"case": case, "is_legal": True}
        return {"case": with_sole_violation(self.contract, case) or case, "is_legal": False}

    def _response(self, sending: _Sending) -> tuple[Reply, float]:
        for default in (*WAITS, None):
            started = self.take_turn(sending.case.operation)
            reply = self._whole(sending, self._attempt(sending))
            wait = self._wait_for(reply, default)
            if wait is None:
                return reply, time.monotonic() - started
            self._next_at = time.monotonic() + wait
        why = "too many requests" if reply.status == TOO_MANY else "it is unavailable"
        raise TurnedAway(f"the target goes on answering {reply.status}: {why}")

    def _wait_for(self, reply: Reply, default: float | None) -> float | None:
        """Return for how many seconds the target is to be left alone; None for a response that is to be judged."""
        if self._is_throttled(reply):
            asked = _asked_wait(reply)
            return (default or 0.0) if asked is None else asked
        # A server of one's own may have as many runs under way as it takes, and says so without a time.
        if reply.status != TOO_MANY or self._waits_in_vain == MOST_IN_VAIN:
            return None
        self._waits_in_vain += default is None
        return None if default is None else SHORT_WAIT

    def _is_throttled(self, reply: Reply) -> bool:
        # A server of one's own has no reason to go on throttling without a word: then it is a response like others.
        if reply.status == TOO_MANY:
            return not self.target.is_local or "retry-after" in reply.headers
        return reply.status == UNAVAILABLE and "retry-after" in reply.headers

    def _attempt(self, sending: _Sending) -> Reply | Exception:
        try:
            return receive(self._client, sending.request, Limits(self.reply_seconds, self.target.max_response_bytes))
        except (httpx.HTTPError, Incomplete) as error:
            return error

    def _whole(self, sending: _Sending, came: Reply | Exception) -> Reply:
        """Return a response that is whole; what came instead, and how many are large, is taken down."""
        operation, request = sending.case.operation, sending.request
        if isinstance(came, Reply):
            is_large = len(came.body) > self.target.max_response_bytes / LARGE_PART
            self._large[operation.id] += max(is_large, came.body.count(b",") // MANY_VALUES)
            return came
        if not isinstance(came, Incomplete):
            raise unreachable(self.target, came) from came
        self._silences[operation.id] += came.is_costly
        received = shown(self.secrets.mask(came.received))
        asked = sending.headers | (SENT if came.constraint == CODING else {})
        again = curl(request.method, str(request.url), asked, sending.environment, request.content or None)
        self._watch.missed(operation, Violation(received, came.constraint, "", again, found_after=self.sent))
        kind = Undecodable if came.constraint == CODING else Unanswered
        raise kind(received) from came.__cause__

    def take_turn(self, operation: Operation) -> float:
        """
        Count a request, and wait until it may be sent.

        Raises:
            Unanswered: If the operation has given no complete response too often.
            NotExercised: If the target's budget of requests is spent, or the operation gave too large responses.
        """
        if self._silences[operation.id] >= SILENCES:
            raise Unanswered(f"{operation.id} gave no complete reply {SILENCES} times")
        if self._large[operation.id] >= MOST_LARGE:
            size = f"{self.target.max_response_bytes // LARGE_PART:,} bytes or {MANY_VALUES:,} values"
            raise NotExercised(f"{operation.id} gave {MOST_LARGE} times more than {size}; see max_response_bytes")
        if self.left <= 0:
            self.left_out += 1
            most, part = self.target.max_requests, self.may_be_sent
            others = f": after {part} of them come other families of rules" if part < most else " is spent"
            raise NotExercised(f"the target's max_requests of {most}{others}")
        wait = max(0.0, self._next_at - time.monotonic())
        if wait > self.longest_wait:
            raise TurnedAway(f"the target asks to be left alone for another {wait:.0f} seconds")
        time.sleep(wait)
        now = time.monotonic()
        self._next_at = now + 1 / self.target.requests_per_second
        self.sent += 1
        return now


def content_of(contract: Contract, case: RequestCase) -> tuple[bytes | None, dict[str, str]]:
    """Return the body of a request as it is sent, and its headers."""
    if case.body is ABSENT:
        return None, {}
    headers = {"Content-Type": case.media_type or "application/json"}
    if case.spelling is not None:
        return case.spelling.content, headers | (
            {"Content-Type": named} if (named := case.spelling.content_type) else {}
        )
    media = case.operation.body.media.get(case.media_type) if case.operation.body else None
    body = with_bytes(contract, media, case.body) if media else case.body
    content, content_type = written(case.media_type or "application/json", body)
    return content, {"Content-Type": content_type}


def to_json(value: Any) -> bytes:
    """Write JSON in ASCII, so that a shell can carry it to the byte."""
    return json.dumps(value, allow_nan=False).encode()


def _asked_wait(reply: Reply) -> float | None:
    """Return the seconds that Retry-After asks for, in either of its forms; None without a readable one."""
    after = reply.headers.get("retry-after", "").strip()
    if after.isdecimal():
        return float(after)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(after).timestamp() - time.time())
    except (TypeError, ValueError):
        return None


def case_of(
    operation: Operation, path: Mapping[str, Any], query: Mapping[str, Any] | None = None, body: Any = ABSENT
) -> RequestCase:
    """Make a request by hand; the body is JSON in the operation's first media type."""
    media_type = next(iter(operation.body.media), "application/json") if operation.body else "application/json"
    return RequestCase(operation, path=dict(path), query=dict(query or {}), body=body, media_type=media_type)
