"""
A client of ``shelf.yaml`` that keeps the contract, and what it becomes with one defect each.

``shelf_client:Conforming`` is the adapter of the first; ``shelf_client:NAME`` of the one with the defect ``NAME``, see
:data:`DEFECTS`. It interprets the contract with the harness's own reader and encoder, not with what judges it.
"""

import asyncio
import contextlib
import copy
import dataclasses
import datetime
import functools
import itertools
import json
import logging
import os
import queue
import time
import unicodedata
import warnings
import zlib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
from shelf_receiver import FOREIGN_PATH, PATH, Listener, LoanRefused, Receiver, parse, sign

from contract_tests.cases.case import ABSENT as NO_BODY
from contract_tests.cases.case import RequestCase, request_problems
from contract_tests.client.adapter import (
    ABSENT,
    Call,
    CannotExpress,
    Connection,
    Explanation,
    Listening,
    Received,
    Receiving,
)
from contract_tests.http.parameters import encode_headers, encode_path, encode_query
from contract_tests.openapi.document import Contract, Operation, join, split

CONTRACT = Contract.load(Path(__file__).with_name("shelf.yaml"))
CERTIFICATES = httpx.create_ssl_context()  # read once: that takes longer than a call
TRIES = 3
FEW_PLACES, PIECE, LITTLE = 50, 65_536, 0.05
KEPT_WORDS = ("enum", "format")
LEFT: list[Any] = []  # what a client that is closed leaves open

DEFECTS = {
    "refuses_umlauts": "refuses a legal text",
    "lacks_add_book": "has no method for an operation",
    "sync_only": "has no asynchronous form",
    "hangs": "never comes back from a legal call",
    "dies": "takes its process with it",
    "sends_twice": "sends every request twice",
    "puts": "uses another method",
    "leaves_slashes": "does not escape slashes in a path",
    "walks_dots": "leaves a path to be resolved",
    "renames_query": "sends a query parameter under another name",
    "renames_query_async": "does so in its asynchronous form only",
    "explodes_all": "ignores explode: false",
    "adds_query": "adds a query parameter",
    "drops_header": "does not send a header parameter",
    "adds_cookie": "adds a cookie",
    "key_in_query": "sends the key in the query as well",
    "no_key": "sends no key",
    "drops_nulls": "leaves out members that are null",
    "floats": "sends integers as floats",
    "adds_member": "adds a member to the body",
    "plain_text": "sends JSON as text/plain",
    "asks_for_pages": "asks for HTML where JSON comes",
    "joins_letters": "makes one letter of one that is written in two parts",
    "sends_defaults": "sends defaults that were not given",
    "no_checks": "sends whatever it is given",
    "foreign_refusal": "refuses with an exception that is not its own",
    "loses_member": "loses a member of a reply",
    "nulls_for_absent": "gives null for an absent member",
    "one_class": "gives everything the same class",
    "loses_error_body": "does not hand over the body of an error",
    "error_as_value": "returns an error as if it were a success",
    "foreign_status_error": "raises a foreign exception for an error",
    "closed_objects": "drops members that it does not know",
    "closed_words": "refuses words that it does not know",
    "unchecked_replies": "takes whatever JSON comes",
    "any_media_type": "does not look at the media type",
    "text_for_json": "returns text where JSON should be",
    "empty_is_none": "returns None for an empty reply",
    "leaks_json_error": "lets the JSON parser's exception through",
    "takes_pages": "takes JSON that is said to be HTML",
    "partly": "takes a part for the whole",
    "any_status": "takes an undocumented status for success",
    "forgets_status": "raises its error without the status",
    "forgets_response": "raises its error without the response",
    "repeats_5xx": "repeats everything after a 5xx",
    "repeats_504": "repeats everything that a gateway waited for in vain",
    "repeats_unread": "repeats everything after a reply that it can't read",
    "repeats_time_outs": "repeats everything after a time-out",
    "repeats_resets": "repeats everything after a broken connection",
    "storms": "repeats for a long time when throttled",
    "storms_for_ever": "repeats for ever when throttled, whatever it is told",
    "impatient": "does not wait as long as it is asked to",
    "impatient_when_down": "does not wait as long as it is asked to after a 5xx",
    "caps_waits": "never waits for more than a second and a half",
    "follows_redirects": "follows a redirect with an unsafe request",
    "leaks_network_error": "lets exceptions of its HTTP library through",
    "key_in_error": "shows the key in its errors",
    "key_in_repr": "shows the key in its repr",
    "most_of_key_in_repr": "shows all but the end of the key in its repr",
    "key_in_log": "writes the key into the log",
    "warns_of_key": "warns of something and shows the key",
    "prints_key": "prints the key",
    "logs_titles": "writes what it sends into the log",
    "key_sent_back": "shows a reply in its errors, with the key if that was sent back",
    "keeps_request": "keeps the request, and the key with it, at its errors",
    "key_in_frame": "keeps the headers that it sent in a variable while it raises",
    "sends_half_letters": "sends a text that is no UTF-8",
    "loses_refusals": "tells nothing of a refusal whose body can't be read",
    "trusts_redirects": "says that nothing has happened after a redirect",
    "reads_words_as_utf_8": "reads the words of a refusal as UTF-8",
    "shares_results": "hands out one object for all responses that are the same",
    "denies_doubt": "says that nothing has happened, whatever has",
    "takes_nan": "takes NaN for JSON",
    "takes_first_json": "reads JSON up to its end and no further",
    "replaces_bytes": "reads replies that are no UTF-8 all the same",
    "reads_latin_1": "reads replies as Latin-1",
    "ignores_dates": "does not read a date in Retry-After",
    "calls_without_key": "calls without having a key",
    "sends_nan": "sends what is no number in JSON",
    "shares_json": "hands out the lists and objects that it keeps",
    "shares_errors": "shares the body of an error with the JSON that it is written to",
    "never_equal": "gives objects that are equal to nothing",
    "repr_raises": "gives objects that can't be shown",
    "copies_lose": "loses a member in copies",
    "derives_nothing": "loses everything in derived objects",
    "forgets_items": "takes members by name and forgets them",
    "raw_cookies": "writes a cookie as it is given",
    "same_day": "gives all alternatives the same class",
    "rewrites_times": "writes times anew",
    "leaks_recursion": "lets the JSON parser's depth through",
    "key_everywhere": "shows the key to operations that need none",
    "moved": "asks at another address than the contract's",
    "writes_headers": "writes into the caller's headers",
    "riddles_when_closed": "lets its HTTP library complain of its end",
    "waits_for_ever": "has no time-out of its own",
    "keeps_cookies": "sends what a response has set as a cookie from then on",
    "keeps_headers": "sends the headers of a call again with the next one",
    "other_error_async": "calls a refusal by another status in its asynchronous form",
    "one_key_for_all": "sends the key that any client was built with first",
    "mixes_calls": "returns the response that came last, whoever asked for it",
    "takes_late_responses": "takes the response to a call that was given up for the next one's",
    "takes_what_is_behind": "takes what has come behind a response for the response to the next call",
    "fails_after_close": "fails where the service has closed the connection",
    "repeats_on_old_connection": "repeats everything if the connection was an old one",
    "swallows_cancellation": "takes a cancellation for an error of its own",
    "logs_headers_back": "logs the headers of a response, with a key that was sent back",
    "equal_but_for_new": "compares without the members that the contract does not name",
    "errors_lose_status": "loses the status of an error in copies",
    "view_changes_client": "changes the client with a view of it",
    "second_try_bare": "leaves the body and the headers out of a second try",
    "first_wait_alone": "waits as it is asked to only once",
    "takes_past_for_days": "gives up where a date in Retry-After has passed",
    "denies_unsent": "says that nothing has happened where a request was not sent whole, and sends it again",
    "denies_empty": "says that nothing has happened where a success is empty",
    "keeps_places": "keeps a connection for each call that was given up",
    "counts_tries_together": "has so many further tries for all calls together",
    "keeps_to_one_loop": "uses connections of one event loop in another",
    "shares_with_forks": "uses connections of its parent's in a forked process",
    "shows_first_try": "has the response to the first try beside the value of the last",
    "repeats_after_observer": "takes what a function of the caller's raises for no connection",
    "mixes_raw": "has the response that came last beside each value",
    "reads_half": "loses the end of a response that comes in chunks",
    "unpacks_half": "loses the end of a long response that is compressed",
    "has_no_limit": "has no limit for a whole try",
    "one_limit_for_all_tries": "has one limit for all tries of a call",
    "repeats_conflicts": "repeats everything after a 409",
    "tells_first_error": "tells of the first response when the last one was another",
    "always_in_doubt": "says that something may have happened, whatever has",
    "hurries": "gives up after a second, whatever time-out it was given",
    "breaks_promise": "does not repeat what it says that it repeats",
    "old_host": "names another host than it asks",
    "small_addresses": "writes addresses in small letters",
    "asks_for_gzip": "asks for compressed responses that it can't read",
    "doubles_slashes": "adds a path to an address that ends in a slash",
    "writes_agent_twice": "sends its own User-Agent beside the caller's",
    "sends_key_twice": "sends its credentials in two lines",
    "sends_view_headers_again": "sends its own headers beside those of a view in another case",
    "trims_headers": "takes several spaces in a header for one",
    "impatient_in_crowds": "gives a call up that has to wait for a connection",
    "reads_any_size": "reads more than it was told to",
    "view_adds_to_client": "keeps what a view of it adds to a request",
    "stays_connected": "keeps its connections when it is closed",
    "takes_one_member": "reads the first member of a compressed response alone",
    "tags_alike": "gives all starts one tag",
    "tells_time_of_error": "tells the time of an error for that of its request",
    "takes_halves": "takes what a compressed response begins with for all of it",
    "ignores_proxies": "does not go by what the environment says of proxies",
    "compares_endings": "takes a name in NO_PROXY for the ending of a host's",
    "shows_proxy": "tells the password of a proxy in its errors",
    "keeps_key_in_bodies": "keeps a key that was sent back in what an error has for a body",
    "repeats_once_at_least": "repeats a request once if it is told not to",
    "dawdles": "waits for longer than it was told",
    "reads_one_line": "refuses a delivery whose JSON is written in several lines",
    "first_of_month": "sends a date as the first of its month",
    "takes_first_part": "takes the first part of a delivery for the whole",
    "remembers_late": "does not know a delivery again that is being handled",
    "reads_no_chunks": "reads no delivery that comes in chunks",
    "gives_any_loan": "gives who waits for a loan the one that came first",
    "keeps_last_loan": "gives what it was told last of a loan",
    "loses_days": "loses a member of a delivery",
    "takes_any_loan": "takes deliveries that the contract does not allow",
    "takes_unsigned": "looks at no signature",
    "takes_loan_of_nan": "takes NaN for JSON in a delivery",
    "takes_half_signed": "takes the beginning of a signature for the whole",
    "looks_at_half": "looks at the beginning of a signature only",
    "listens_anywhere": "takes deliveries at any address",
    "tells_signature": "answers a bad signature with the good one",
    "hands_on_twice": "hands on a delivery as often as it comes",
    "only_newer_loans": "hands on deliveries in one order only",
    "closed_loans": "drops members of a delivery that it does not know",
    "forgets_failed_loans": "takes a delivery for done when it has failed",
}


RESULTS: dict[bytes, Any] = {}
LONGEST_WORDS = 30  # bytes


def no_constant(name: str) -> Any:
    """Refuse NaN and infinities."""
    raise ValueError(name)


LOG = logging.getLogger("shelf")
FIRST_KEYS: list[str] = []
SAFE = frozenset({"GET", "DELETE"})
STRICT = json.JSONDecoder(parse_constant=no_constant)


class ShelfError(Exception):
    """The root of this client's errors."""

    def __init__(self, message: str, status: int | None = None, content: bytes | None = None, body: Any = None) -> None:
        super().__init__(message)
        self.status, self.content, self.body = status, content, body
        self.request: httpx.Request | None = None
        self.may_have_acted = False
        self.sent_at: float | None = None
        self.loses_status = False

    def __reduce__(self) -> tuple[Any, ...]:
        kept = {name: value for name, value in vars(self).items() if name != "request"}
        return remade, (str(self), {**kept, "status": None} if self.loses_status else kept)


def remade(text: str, kept: Mapping[str, Any]) -> ShelfError:
    """Make an error again."""
    error = ShelfError(text)
    vars(error).update(kept)
    return error


class Model:
    """An object of the contract; sub-classes bear its name."""

    def __init__(self, data: dict[str, Any]) -> None:
        self.data = data

    defect = ""

    def to_dict(self) -> dict[str, Any]:
        """Give it as JSON again."""
        is_error = type(self).__name__ == "Problem"
        is_shared = self.defect == "shares_json" or (self.defect == "shares_errors" and is_error)
        return self.data if is_shared else copy.deepcopy(self.data)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "Model":
        """Read it from JSON."""
        return cls(data if cls.defect == "shares_json" else copy.deepcopy(data))

    def __eq__(self, other: object) -> bool:
        if self.defect == "equal_but_for_new" and isinstance(other, Model):
            return all(self.data.get(name) == other.data.get(name) for name in ("title", "detail"))
        if self.defect == "never_equal":
            return self is other
        return isinstance(other, Model) and type(self).__name__ == type(other).__name__ and self.data == other.data

    __hash__ = None  # type: ignore[assignment] # like a dict

    def __repr__(self) -> str:
        if self.defect == "repr_raises":
            raise KeyError("title")
        return f"{type(self).__name__}({self.data!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        kept = {name: value for name, value in self.data.items() if self.defect != "copies_lose" or name != "title"}
        return made, (type(self).__name__, self.defect, kept)

    def model_copy(self, *, update: Mapping[str, Any]) -> "Model":
        """Derive an object."""
        kept = {} if self.defect == "derives_nothing" else self.data
        return made(type(self).__name__, self.defect, {**kept, **update})


@functools.cache
def model(name: str, defect: str = "") -> type[Model]:
    """Give the class for a named object."""
    return type(name, (Forgetful if defect == "forgets_items" else Model,), {"defect": defect})


class Forgetful(Model):
    """An object that takes members and forgets them."""

    title = ""

    def __setitem__(self, name: str, value: object) -> None:
        """Do nothing."""

    def __contains__(self, name: object) -> bool:
        return name in self.data


def made(name: str, defect: str, data: dict[str, Any]) -> Model:
    """Make an object again."""
    return model(name, defect)(data)


class Client:
    """Makes calls; ``connection`` says where and with which key."""

    def __init__(self, connection: Connection, defect: str) -> None:
        self.connection = connection
        self.defect = defect
        options: dict[str, Any] = {
            "timeout": connection.timeout or (None if defect == "waits_for_ever" else 5.0),
            "follow_redirects": defect == "follows_redirects",
            "headers": connection.headers,
            "verify": CERTIFICATES,
        }
        options |= self.surroundings(connection.base_url)
        if defect in {"hurries", "dawdles"}:
            options["timeout"] = 1.0 if defect == "hurries" else 7.0
        if defect == "trims_headers":
            options["headers"] = {name: " ".join(value.split()) for name, value in connection.headers.items()}
        if defect == "writes_headers":
            connection.headers["X-Shelf-Key"] = connection.key
        self.options, self.opened = options, dict[object, Any]()
        retries = TRIES - 1 if connection.retries is None else connection.retries
        retries = max(1, retries) if defect == "repeats_once_at_least" else retries
        self.tries = 1 if defect == "breaks_promise" else 1 + retries
        self.more: dict[str, str] = {}
        self.added_query: dict[str, str] = {}
        self.added_body: dict[str, Any] = {}
        self.is_tagging = False
        self.kept: dict[str, str] = {}
        self.last: httpx.Response | None = None
        self.calls = self.left = self.tried = 0
        self.replies: list[httpx.Response] = []
        self.observer: Callable[[], None] = lambda: None
        self.began = 0.0
        self.socket: object = None
        self.worker = ThreadPoolExecutor(1)
        self.arrived: queue.Queue[httpx.Response] = queue.Queue()
        FIRST_KEYS.append(connection.key)
        logging.getLogger("httpcore.http11").disabled = defect != "logs_headers_back"  # has a response's headers

    def surroundings(self, base_url: str) -> dict[str, Any]:
        """Give what some defects make of the environment and of many calls."""
        if self.has("impatient_in_crowds"):
            return {"timeout": httpx.Timeout(self.connection.timeout, pool=0.01)}
        if self.has("ignores_proxies"):
            return {"trust_env": False}
        endings = [name.strip() for name in os.environ.get("NO_PROXY", "").split(",")]
        host = urlsplit(base_url).hostname or ""
        is_direct = any(name and (name == "*" or host.endswith(name)) for name in endings)
        return {"trust_env": False} if self.has("compares_endings") and is_direct else {}

    @property
    def http(self) -> Any:
        """What makes the calls of this process, or of this event loop."""
        home: list[object] = [] if self.has("shares_with_forks") else [os.getpid()]
        if self.connection.is_async and not self.has("keeps_to_one_loop"):
            with contextlib.suppress(RuntimeError):
                home.append(asyncio.get_running_loop())
        found = self.opened.get(tuple(home))
        if found is None:
            kind: Any = httpx.AsyncClient if self.connection.is_async else httpx.Client
            found = self.opened[tuple(home)] = kind(**self.options)
        return found

    def __repr__(self) -> str:
        shown = {"key_in_repr": self.connection.key, "most_of_key_in_repr": f"{self.connection.key[:-4]}****"}
        return f"Client({shown.get(self.defect, self.connection.base_url)})"

    def has(self, *defects: str) -> bool:
        """Whether this client has one of these defects."""
        return self.defect in defects

    def with_headers(self, headers: Mapping[str, str]) -> "Client":
        """Give a view that sends more headers."""
        view = self if self.has("view_changes_client") else copy.copy(self)
        view.more = {**self.more, **headers}
        return view

    def with_added(self, query: Mapping[str, str], body: Mapping[str, Any]) -> "Client":
        """Give a view that sends more of a query and more of a body."""
        view = self if self.has("view_adds_to_client") else copy.copy(self)
        view.added_query, view.added_body = dict(query), dict(body)
        return view

    def call(self, call: Call) -> Any:
        """Make a call and wait for it."""
        operation, request = self.prepare(call)
        first: httpx.Response | None = None
        for attempt in itertools.count(1):
            reply, error = None, None
            try:
                reply = self.sent(self.again(request, attempt))
                if self.has("sends_twice"):
                    self.http.send(request)
            except httpx.HTTPError as problem:
                error = problem
            first = first or reply
            reply, error = self.mangled(reply, error, first)
            pause = self.pause(operation, attempt, reply, error)
            if pause is None:
                return self.finish(operation, reply, error)
            time.sleep(pause)
        return None

    async def call_async(self, call: Call) -> Any:
        """Make a call."""
        operation, request = self.prepare(call)
        first: httpx.Response | None = None
        for attempt in itertools.count(1):
            reply, error = None, None
            try:
                async with asyncio.timeout(self.left_of_limit()):
                    reply = await self.received_async(self.again(request, attempt))
                if self.has("sends_twice"):
                    await self.http.send(request)
            except httpx.HTTPError as problem:
                error = problem
            except TimeoutError:
                error = httpx.ReadTimeout("no whole response")
            except asyncio.CancelledError:
                self.left += 1
                if self.has("swallows_cancellation"):
                    raise ShelfError("cancelled") from None
                raise
            first = first or reply
            if self.has("mixes_calls"):
                self.last = reply
                await asyncio.sleep(0.01)
            reply, error = self.mangled(reply, error, first)
            pause = self.pause(operation, attempt, reply, error)
            if pause is None:
                return self.finish(operation, reply, error)
            await asyncio.sleep(pause)
        return None

    def sent(self, request: httpx.Request) -> httpx.Response:
        """Send a request; with one defect, in another thread, which nobody stops."""
        if not self.has("takes_late_responses"):
            if self.connection.whole_timeout is None:
                return self.received(request)
            return self.sent_in_time(request)
        patience = request.extensions["timeout"]["read"]
        request.extensions["timeout"] = httpx.Timeout(None).as_dict()
        self.worker.submit(lambda: self.arrived.put(self.http.send(request)))
        try:
            return self.arrived.get(timeout=patience)
        except queue.Empty:
            raise httpx.ReadTimeout("no response") from None

    def sent_in_time(self, request: httpx.Request) -> httpx.Response:
        """Send a request in another thread, which may go on when the time is over."""
        sending = ThreadPoolExecutor(1).submit(self.received, request)
        try:
            return sending.result(self.left_of_limit())
        except FutureTimeoutError:
            raise httpx.ReadTimeout("no whole response") from None

    def received(self, request: httpx.Request) -> httpx.Response:
        """Send a request and read what comes."""
        reply: httpx.Response = self.http.send(request, stream=True)
        with contextlib.closing(reply), self.refusals_kept(reply):
            reply.read()
        return reply

    async def received_async(self, request: httpx.Request) -> httpx.Response:
        """Send a request and read what comes."""
        reply: httpx.Response = await self.http.send(request, stream=True)
        async with contextlib.aclosing(reply):
            with self.refusals_kept(reply):
                await reply.aread()
        return reply

    @contextlib.contextmanager
    def refusals_kept(self, reply: httpx.Response) -> Iterator[None]:
        """Keep a refusal without its body if that can't be read: its status says enough."""
        try:
            yield
        except httpx.HTTPError:
            if reply.status_code < 400 or self.has("loses_refusals"):
                raise
            reply._content = b""

    def left_of_limit(self) -> float | None:
        """Say how many seconds a try may take."""
        whole = self.connection.whole_timeout
        if whole is None or self.has("has_no_limit"):
            return None
        self.began = self.began or time.monotonic()
        return max(0.0, whole - (time.monotonic() - self.began)) if self.has("one_limit_for_all_tries") else whole

    def again(self, request: httpx.Request, attempt: int) -> httpx.Request:
        """Give the request of a try."""
        if attempt == 1 or not self.has("second_try_bare"):
            return request
        kept = {name: value for name, value in request.headers.items() if name in {"host", "authorization"}}
        return httpx.Request(request.method, request.url, headers=kept, extensions=request.extensions)

    def mangled(
        self, reply: httpx.Response | None, error: httpx.HTTPError | None, first: httpx.Response | None
    ) -> tuple[httpx.Response | None, httpx.HTTPError | None]:
        """Do what some defects do to what has come."""
        self.calls += 1
        self.left += isinstance(error, httpx.ReadTimeout)
        if not self.has("takes_what_is_behind"):
            self.leave_surplus()
        if self.has("tells_first_error") and reply is not None and reply.status_code >= 500:
            return first, error
        if self.has("mixes_calls") and reply is not None:
            self.last = self.last if self.connection.is_async else reply
            return self.last, error
        if self.has("fails_after_close") and reply is not None:
            # The socket itself: what its address was can't be asked once it is closed.
            used = reply.extensions["network_stream"].get_extra_info("socket")
            is_new, self.socket = self.socket not in {None, used}, used
            return (None, httpx.ReadError("closed")) if is_new else (reply, error)
        return reply, error

    def leave_surplus(self) -> None:
        """Use no connection again on which more has come than a response: httpx itself doesn't look."""
        for connection in self.http._transport._pool.connections:
            http = connection._connection
            if http is not None and http._h11_state.trailing_data[0]:
                http._expire_at = 0.0

    def prepare(self, call: Call) -> tuple[Operation, Any]:
        """Check a call and make its request."""
        operation = CONTRACT.operation(call.operation.id)
        body = NO_BODY if call.body is ABSENT else call.body
        case = RequestCase(
            operation, {**call.path}, {**call.query}, {**call.header}, {**call.cookie}, body, "application/json"
        )
        self.misbehave(case)
        self.sent_at = time.time()
        if self.http.is_closed and not self.has("riddles_when_closed"):
            raise ShelfError("the client has been closed")
        if not self.connection.key and operation.security and not self.has("calls_without_key"):
            raise ShelfError("no key")
        if request_problems(CONTRACT, case) and not self.has("no_checks"):
            raise ValueError("bad argument") if self.has("foreign_refusal") else ShelfError("bad argument")
        return operation, self.request(case)

    def misbehave(self, case: RequestCase) -> None:
        """Do what some defects do before a request is made."""
        if self.has("keeps_places") and self.left > FEW_PLACES:
            raise ShelfError("all connections are in use")
        if self.has("refuses_umlauts") and "é" in json.dumps([case.query, case.path], ensure_ascii=False):
            raise ShelfError("only ASCII")
        if self.has("hangs"):
            time.sleep(60)
        if self.has("dies"):
            os._exit(3)

    def request(self, case: RequestCase) -> Any:
        """Make a request."""
        operation = case.operation
        if not self.has("keeps_cookies"):
            self.http.cookies.clear()
        query = (
            {"pageSize": 20, **case.query} if self.has("sends_defaults") and operation.id == "listBooks" else case.query
        )
        path = encode_path(operation, self.joined(case.path))
        if case.path.get("title") in {".", "..", ""} and not self.has("walks_dots"):
            raise ShelfError("no title")
        if self.has("walks_dots"):
            path = path.replace("%2E", ".")
        if self.has("leaves_slashes"):
            path = path.replace("%2F", "/")
        url = httpx.URL(self.address() + path + self.query(operation, query))
        url = url.copy_merge_params(self.added_query) if self.added_query else url
        headers = encode_headers(operation, {} if self.has("drops_header") else case.headers, case.cookies)
        if self.has("raw_cookies") and case.cookies:
            headers["Cookie"] = f"session={case.cookies['session']}"
        headers = self.with_odd(headers)
        headers |= self.credentials() if operation.security or self.has("key_everywhere") else {}
        if self.has("asks_for_pages"):
            headers["Accept"] = "text/html, application/json;q=0"
        if self.has("adds_cookie"):
            headers["Cookie"] = "; ".join([*([headers["Cookie"]] if "Cookie" in headers else []), "seen=1"])
        content = None
        if case.has_body and operation.body:
            try:
                is_escaped = not self.has("sends_half_letters")
                body = self.joined(self.body(case.body))
                text = json.dumps(body, allow_nan=self.has("sends_nan"), ensure_ascii=is_escaped)
                content = text.encode(errors="surrogatepass")
            except ValueError:
                raise ShelfError("bad argument") from None
            headers["Content-Type"] = "text/plain" if self.has("plain_text") else "application/json"
        own = set() if self.has("sends_view_headers_again") else {name.lower() for name in headers}
        lines = [*headers.items(), *((name, value) for name, value in self.more.items() if name.lower() not in own)]
        lines += self.credentials().items() if self.has("sends_key_twice") else ()
        return self.written(
            self.http.build_request(
                "PUT" if self.has("puts") else operation.method, url, headers=lines, content=content
            )
        )

    def written(self, request: httpx.Request) -> httpx.Request:
        """Give a request as it goes out."""
        if self.has("writes_agent_twice") and "User-Agent" in httpx.Headers(self.connection.headers):
            request.headers = httpx.Headers([*request.headers.raw, (b"User-Agent", b"shelf")])
        return request

    def address(self) -> str:
        """Give the address that paths are added to."""
        base_url = self.connection.base_url
        if "?" in base_url:
            raise ShelfError("not an address")
        base_url = base_url.lower() if self.has("small_addresses") else base_url
        return base_url if self.has("doubles_slashes") else base_url.rstrip("/")

    def with_odd(self, headers: dict[str, str]) -> dict[str, str]:
        """Give headers, and with them what some defects add."""
        if self.has("keeps_headers"):
            headers = {**self.kept, **headers}
            self.kept = {name: value for name, value in headers.items() if name != "Cookie"}
        if self.has("asks_for_gzip"):
            return {**headers, "Accept-Encoding": "gzip"}
        return {**headers, "Host": "shelf.example"} if self.has("old_host") else headers

    def joined(self, value: Any) -> Any:
        """Make one letter of two parts."""
        if not self.has("joins_letters"):
            return value
        return json.loads(unicodedata.normalize("NFC", json.dumps(value, ensure_ascii=False)))

    def query(self, operation: Operation, values: Mapping[str, Any]) -> str:
        """Write a query."""
        if self.has("explodes_all"):
            parameters = tuple(dataclasses.replace(item, explode=True) for item in operation.parameters)
            operation = dataclasses.replace(operation, parameters=parameters)
        query = encode_query(operation, values)
        if self.has("renames_query") or (self.has("renames_query_async") and self.connection.is_async):
            query = query.replace("pageSize=", "page_size=")
        if self.has("adds_query"):
            query += ("&" if query else "?") + "page=1"
        if self.has("key_in_query"):
            query += ("&" if query else "?") + f"key={self.connection.key}"
        return query

    def credentials(self) -> dict[str, str]:
        """Give the header with the key."""
        scheme = self.connection.scheme
        if scheme is None or self.has("no_key"):
            return {}
        is_bearer = scheme.kind == "http"
        key = FIRST_KEYS[0] if self.has("one_key_for_all") else self.connection.key
        return {"Authorization": f"Bearer {key}"} if is_bearer else {scheme.name: key}

    def body(self, body: Any) -> Any:
        """Give the body to send."""
        if not isinstance(body, dict):
            return body
        if self.has("drops_nulls"):
            body = {name: value for name, value in body.items() if value is not None}
        if self.has("floats"):
            body = {name: float(value) if type(value) is int else value for name, value in body.items()}
        if self.has("adds_member"):
            body = {**body, "client": "shelf"}
        tag = {"x_tag": "of all" if self.has("tags_alike") else uuid4().hex} if self.is_tagging else {}
        body = {**body, **self.added_body, **tag}
        return {"draft": False, **body} if self.has("sends_defaults") else body

    def pause(
        self, operation: Operation, attempt: int, reply: httpx.Response | None, error: httpx.HTTPError | None
    ) -> float | None:
        """Say how long to wait before the next try; None for no further one."""
        is_safe = operation.method in SAFE
        if reply is not None and self.has("shows_first_try"):
            self.replies.append(reply)
        asked = self.asked_wait(reply) if reply is not None else 0.0
        asked = 0.01 if self.has("first_wait_alone") and attempt > 1 else asked
        if reply is not None and reply.status_code == 429:
            more = attempt < (15 if self.has("storms") else self.tries) and self.tries > 1
            more = more or self.has("storms_for_ever")
            self.tried += 1
            more = more and not (self.has("counts_tries_together") and self.tried > TRIES)
            return asked if more else None
        if attempt >= self.tries:
            return None
        if reply is not None and (
            (reply.status_code == 409 and self.has("repeats_conflicts")) or self.has_observed_in_vain()
        ):
            return 0.01
        if reply is not None:
            is_repeated = is_safe or self.has("repeats_5xx") or (self.has("repeats_504") and reply.status_code == 504)
            is_unread = reply.status_code == 299 or reply.headers.get("Content-Type") == "text/html"
            is_wrong = reply.status_code >= 500 or (is_unread and self.has("repeats_unread"))
            wait = 0.01 if self.has("impatient_when_down") else max(0.01, asked)
            return wait if is_wrong and (is_repeated or is_unread) else None
        is_time_out = isinstance(error, httpx.TimeoutException)
        if self.has("repeats_on_old_connection") and self.calls > 1:
            return 0.01
        is_safe = is_safe or (self.has("denies_unsent") and isinstance(error, httpx.WriteTimeout))
        return 0.01 if is_safe or self.has("repeats_time_outs" if is_time_out else "repeats_resets") else None

    def has_observed_in_vain(self) -> bool:
        """Whether a function of the caller's raises an error of the network, with a defect that minds."""
        try:
            (self.observer if self.has("repeats_after_observer") else bool)()
        except OSError:
            return True
        return False

    def asked_wait(self, reply: httpx.Response) -> float:
        """Say for how many seconds a service asks to wait."""
        text = reply.headers.get("Retry-After", "0")
        if self.has("impatient") or (self.has("ignores_dates") and not text.isdecimal()):
            return 0.0
        if text.isdecimal():
            return min(float(text), 1.5 if self.has("caps_waits") else 60.0)
        try:
            moment = parsedate_to_datetime(text)
        except ValueError:
            return 0.0
        moment = moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)
        left = (moment - datetime.datetime.now(datetime.UTC)).total_seconds()
        if left < 0 and self.has("takes_past_for_days"):
            raise ShelfError("it asks for too long a wait", reply.status_code, reply.content)
        return max(0.0, left)

    def show(self, text: str) -> None:
        """Write, warn and print, as the defect is."""
        if self.has("key_in_log", "logs_titles"):
            LOG.debug(text)
        if self.has("warns_of_key"):
            warnings.warn(text, stacklevel=1)
        if self.has("prints_key"):
            print(text)  # noqa: T201 - the defect

    def finish(self, operation: Operation, reply: httpx.Response | None, error: httpx.HTTPError | None) -> Any:
        """Make a reply, or its absence, what the caller gets."""
        if reply is None:
            assert error is not None
            silence = ShelfError(f"no reply: {error}")
            silence = silence if isinstance(error, httpx.ConnectError) else self.in_doubt(silence, operation)
            if self.has("shows_proxy"):
                silence = ShelfError(f"{silence} by way of {os.environ.get('HTTP_PROXY')}")
            raise error if self.has("leaks_network_error") else silence
        self.replies.append(reply)
        self.observer()
        status, content = reply.status_code, reply.content
        text = f"status {status}" + (f" with {self.connection.key}" if self.has("key_in_error") else "")
        text += f": {reply.text}" if self.has("key_sent_back") else self.words(reply)
        self.show(f"sent {reply.request.content!r}" if self.has("logs_titles") else f"sent {reply.request.headers.raw}")
        _sent = [("headers", reply.request.headers.raw)] if self.has("key_in_frame") else []
        failure = ShelfError(
            text,
            None if self.has("forgets_status") else status,
            None if self.has("forgets_response") else content,
        )
        failure.may_have_acted = self.has("always_in_doubt")
        failure.loses_status = self.has("errors_lose_status")
        failure.request = reply.request if self.has("keeps_request") else None
        if not (300 if self.has("trusts_redirects") else 400) <= status < 500:
            self.in_doubt(failure, operation)
        response = operation.response(status)
        if self.has("other_error_async") and self.connection.is_async and status >= 400:
            failure.status = status + 1
        if response is None:
            if self.has("any_status") or (self.has("partly") and status == 206):
                return reply.text
            raise failure
        if status == 204 and response.status == "204":
            return None
        self.check_whole(reply, failure)
        value = self.read(reply, response.media["application/json"].schema or "", failure)
        if status < 300 or self.has("error_as_value"):
            return value
        if self.has("foreign_status_error"):
            raise LookupError(status)
        failure.body = None if self.has("loses_error_body") else value
        raise failure

    def words(self, reply: httpx.Response) -> str:
        """Give the words of a response that is a plain text, unless the key may be in it."""
        is_plain = reply.headers.get("Content-Type", "").startswith("text/plain")
        if not is_plain or len(reply.content) > LONGEST_WORDS:
            return ""
        return f": {reply.content.decode('utf-8', 'replace') if self.has('reads_words_as_utf_8') else reply.text}"

    def check_whole(self, reply: httpx.Response, failure: ShelfError) -> None:
        """Raise what is too large, or compressed and not whole; unpack more than one member: httpx does neither."""
        most, unpacked = self.connection.most_bytes, getattr(reply._get_content_decoder(), "decompressor", None)
        if most is not None and len(reply.content) > most and not self.has("reads_any_size"):
            raise failure
        while unpacked is not None and unpacked.unused_data and not self.has("takes_one_member"):
            rest, unpacked = unpacked.unused_data, zlib.decompressobj(16 + zlib.MAX_WBITS)
            reply._content += unpacked.decompress(rest)
        if unpacked is not None and not unpacked.eof and not self.has("takes_halves"):
            raise failure

    def masked(self, value: Any) -> Any:
        """Give a body without the key in it, escaped as in an address or not."""
        text = json.dumps(value)
        for form in (self.connection.key, "".join(f"%{ord(letter):02X}" for letter in self.connection.key)):
            text = text.replace(form, "***") if form else text
        return value if self.has("keeps_key_in_bodies") else json.loads(text)

    def in_doubt(self, error: ShelfError, operation: Operation) -> ShelfError:
        """Have an error say whether the request may have changed something."""
        is_denied = self.has("denies_doubt") or (self.has("denies_empty") and error.content == b"")
        error.may_have_acted = operation.method not in SAFE and not is_denied
        error.sent_at = time.time() if self.has("tells_time_of_error") else self.sent_at
        return error

    def read(self, reply: httpx.Response, schema: str, failure: ShelfError) -> Any:
        """Read a reply by its schema."""
        if self.has("empty_is_none") and not reply.content:
            return None
        media_type = reply.headers.get("Content-Type")
        is_taken = media_type == "application/json" or (media_type == "text/html" and self.has("takes_pages"))
        if not is_taken and not self.has("any_media_type", "text_for_json"):
            raise failure
        if self.has("asks_for_gzip") and "Content-Encoding" in reply.headers:
            raise failure
        try:
            is_cut = self.has("unpacks_half") and "Content-Encoding" in reply.headers
            is_cut = is_cut or (self.has("reads_half") and "Transfer-Encoding" in reply.headers)
            value = self.parsed(
                reply.content[: PIECE if "Content-Encoding" in reply.headers else -1] if is_cut else reply.content
            )
        except RecursionError as error:
            raise error if self.has("leaks_recursion") else failure from None
        except ValueError as error:
            if self.has("text_for_json"):
                return reply.text
            raise error if self.has("leaks_json_error") else failure from None
        if not self.is_acceptable(value, schema):
            raise failure
        value = self.masked(value) if reply.status_code >= 400 else value
        name = "Book" if self.has("one_class") else self.name(value, schema)
        read = made(name, self.defect, self.changed(value)) if isinstance(value, dict) else value
        return RESULTS.setdefault(reply.content, read) if self.has("shares_results") else read

    def name(self, value: Any, schema: str) -> str:
        """Give the contract's name of an object."""
        pointer = CONTRACT.follow(schema)
        for index in range(len(CONTRACT.at(pointer).get("oneOf", ()))):
            branch = join(pointer, "oneOf", index)
            if CONTRACT.is_valid(value, branch, formats=False) or self.has("same_day"):
                return self.name(value, branch)
        return split(pointer)[-1]

    def parsed(self, content: bytes) -> Any:
        """Read JSON, and nothing but JSON."""
        if self.has("takes_nan"):
            return json.loads(content)
        encoding = "latin-1" if self.has("reads_latin_1") else "utf-8"
        text = content.decode(encoding, "replace" if self.has("replaces_bytes") else "strict")
        return STRICT.raw_decode(text)[0] if self.has("takes_first_json") else STRICT.decode(text)

    def is_acceptable(self, value: Any, schema: str) -> bool:
        """Whether a body may be handed over."""
        problems = CONTRACT.problems(value, schema, formats=False)
        if not self.has("closed_words"):
            problems = [problem for problem in problems if split(problem.constraint)[-1] not in KEPT_WORDS]
        return not problems or self.has("unchecked_replies")

    def changed(self, value: dict[str, Any]) -> dict[str, Any]:
        """Give the body to hand over."""
        if self.has("loses_member"):
            value = {name: member for name, member in value.items() if name != "pages"}
        if self.has("nulls_for_absent"):
            value = {"next": None, "pages": None, "detail": None, **value}
        if self.has("closed_objects"):
            value = {name: member for name, member in value.items() if not name.startswith("x_")}
        if self.has("rewrites_times") and isinstance(value.get("opens"), str):
            value = {**value, "opens": rewritten(value["opens"])}
        return value


def rewritten(text: str) -> str:
    """Give a time as Python writes it."""
    try:
        return datetime.datetime.fromisoformat(text).isoformat()
    except ValueError:
        return text


def _as_texts(value: Any, client: Client) -> Any:
    """Write dates as texts, wherever they are."""
    if isinstance(value, Mapping):
        return {name: _as_texts(member, client) for name, member in value.items()}
    if isinstance(value, list):
        return [_as_texts(item, client) for item in value]
    first = isinstance(value, datetime.date) and client.has("first_of_month")
    return (value.replace(day=1) if first else value).isoformat() if isinstance(value, datetime.date) else value


class ShelfAdapter:
    """Drives the client; has no more than an adapter has to have."""

    def __init__(self, generated: str, defect: str = "") -> None:
        self.generated = generated
        self.defect = defect
        self.own_errors: tuple[type[BaseException], ...] = (ShelfError, LoanRefused)
        self.refusals = self.own_errors
        print("what a client prints must not disturb anybody")  # noqa: T201 - that is what is tried

    def connect(self, connection: Connection) -> Client:
        """Build a client."""
        return Client(connection, self.defect)

    def invoke(self, client: Client, call: Call) -> Any:
        """Make a call."""
        if client.has("lacks_add_book") and call.operation.id == "addBook":
            raise CannotExpress("no method for addBook")
        if client.has("sync_only") and call.is_async:
            raise CannotExpress("no asynchronous form")
        places = {place: _as_texts(getattr(call, place), client) for place in ("path", "query", "header", "body")}
        call = dataclasses.replace(call, **places)
        return client.call_async(call) if call.is_async else client.call(call)

    def read(self, value: Any, call: Call) -> Received:  # noqa: ARG002 - the protocol's
        """Give a value as JSON."""
        data = value.to_dict() if isinstance(value, Model) else value
        return Received(json=data, type_name=type(value).__name__)

    def explain(self, error: BaseException, call: Call) -> Explanation:
        """Read an error."""
        assert isinstance(error, ShelfError)
        body = None if error.body is None else self.read(error.body, call)
        doubt = error.may_have_acted
        told = {"may_have_acted": doubt, "sent_at": error.sent_at}
        return Explanation(status=error.status, content=error.content, body=body, **told)


class Conforming(ShelfAdapter):
    """Has all that an adapter may have."""

    modules = ("shelf_parts",)

    def address(self, call: Call) -> str | None:
        """Give the contract's server."""
        (server,) = CONTRACT.operation(call.operation.id).servers
        return f"{server}/moved" if self.defect == "moved" else server

    def default_timeout(self, client: Client) -> float | None:
        """Give what the HTTP library waits."""
        seconds: float | None = client.http.timeout.read
        return seconds

    def close(self, client: Client) -> Any:
        """Close a client."""
        if self.defect == "stays_connected":
            LEFT.append(client.http)
            client.opened.clear()
            return None if not client.connection.is_async else asyncio.sleep(0)
        return client.http.aclose() if client.connection.is_async else client.http.close()

    def carried(self, error: BaseException) -> Any:
        """Give the object that an error has for a body."""
        return getattr(error, "body", None)

    python_values = ("date",)
    repeats = ("throttled", "status", "broken", "time-out")

    has_whole_timeout = has_size_limit = reads_proxies = masks_bodies = True
    serves = ("event loops", "processes")

    @property
    def hooks(self) -> Mapping[str, Callable[..., Client]]:
        """A function of the caller's is called before a reply is read."""

        def observed(connection: Connection, observer: Callable[[], None]) -> Client:
            client = self.connect(connection)
            client.observer = observer
            return client

        return {"observer": observed}

    def raw(self, client: Client, call: Call) -> Any:
        """Make a call by a view that keeps its reply."""
        view = copy.copy(client)
        view.replies = client.replies if client.has("mixes_raw") else []
        return self.beside_async(view, call) if call.is_async else self.beside(view, view.call(call))

    async def beside_async(self, view: Client, call: Call) -> tuple[Any, ...]:
        """Give the parts of a call that is awaited."""
        value = await view.call_async(call)
        await asyncio.sleep(LITTLE if view.has("mixes_raw") else 0)
        return self.beside(view, value)

    def beside(self, view: Client, value: Any) -> tuple[Any, ...]:
        """Give a value and the parts of its reply."""
        time.sleep(LITTLE if view.has("mixes_raw") and not view.connection.is_async else 0)
        reply = view.replies[0 if view.has("shows_first_try") else -1]
        return value, reply.status_code, reply.headers, reply.content

    def unlogged(self, call: Call) -> list[str]:
        """Give the title of a book."""
        return [call.body["title"]] if isinstance(call.body, dict) else []

    def derived(self, client: Client, headers: Mapping[str, str]) -> Client:
        """Give a view of a client."""
        return client.with_headers(headers)

    def extended(self, client: Client, query: Mapping[str, str], body: Mapping[str, Any]) -> Client:
        """Give a view of a client."""
        return client.with_added(query, body)

    def tagged(self, client: Client, call: Call) -> Client:  # noqa: ARG002 - the protocol's
        """Give a view of a client."""
        view = copy.copy(client)
        view.is_tagging = True
        return view

    def receiving(self, delivery: str) -> Receiving:  # noqa: ARG002 - there is only one
        """Give what receives the webhook."""
        return Receiving(
            parse=lambda content, headers: parse(content, headers, self.defect),
            read=lambda loan: loan,
            app=lambda handler: Receiver(handler, self.defect),
            path=PATH,
            foreign_path=FOREIGN_PATH,
            sign=sign,
            listen=self.listening,
        )

    def listening(self) -> Listening:
        """Open a listener."""
        listener = Listener(self.defect)
        return Listening(url=listener.url, outcome=listener.outcome, close=listener.close)


def __getattr__(name: str) -> Any:
    if name not in DEFECTS:
        raise AttributeError(name)
    return functools.partial(Conforming, defect=name)
