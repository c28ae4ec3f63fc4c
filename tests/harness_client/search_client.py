"""
A client of ``searches.yaml`` that waits for searches and lists them, and what it becomes with one defect each.

``search_client:Searching`` is the adapter of the first; ``search_client:NAME__NAME`` of one with these defects.
"""

import asyncio
import contextlib
import functools
import itertools
import json
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

import httpx

from contract_tests.client.adapter import Call, Connection, Explanation, Follower, Heard, NotSupported, Received

DEFECTS: Final = {
    "starts_again": "starts another search if a question is lost",
    "takes_what_comes": "takes what a search has found so far for the outcome",
    "loses_searches": "says of a lost question that nothing was started",
    "asks_without_ticket": "asks for a search whose ticket has not come",
    "asks_after_failure": "asks on after a search has failed",
    "forgets_silence": "lets a question that hangs pass the deadline",
    "never_pauses": "asks without a pause, whatever it is asked to",
    "asks_once_more": "asks once more after the end",
    "goes_on": "asks on when nobody waits any more",
    "hides_ticket": "does not say which search was refused",
    "skips_pages": "goes from the first page to the third",
    "forgets_words": "asks for the first page of a filtered list alone with the filter",
    "reads_ahead": "asks for a page before anybody wants it",
    "never_ends": "goes through empty pages for ever",
    "needs_best": "takes a search that has nothing best for one that goes on",
    "ends_at_short_page": "takes a page that is not full for the last one",
    "tells_old_loss": "tells of a lost question again after each answer",
    "stops_late": "looks only after a pause whether it is to end",
    "interrupted_bare": "does not say which search was going on when it was interrupted",
    "asks_for_latest": "asks for the search that was started last",
}
CERTIFICATES: Final = httpx.create_ssl_context()
OK, PENDING, TOO_MANY, FAILED = 200, 202, 429, 500
PAUSE, TRIES = 0.1, 5
LATEST: list[Any] = []


class SearchError(Exception):
    """The root of this client's errors."""

    def __init__(self, message: str, *, status: int | None = None, may_have_acted: bool = True) -> None:
        super().__init__(message)
        self.status, self.may_have_acted = status, may_have_acted


class Client:
    """Searches."""

    def __init__(self, connection: Connection, defects: Sequence[str], headers: Mapping[str, str]) -> None:
        self.connection, self.defects, self.headers = connection, defects, headers

    async def search(self, words: Any, deadline: float, follower: Follower | None = None) -> Any:
        """Start a search and wait for what it finds."""
        options: dict[str, Any] = {"timeout": self.connection.timeout, "verify": CERTIFICATES, "headers": self.headers}
        async with httpx.AsyncClient(base_url=self.connection.base_url, **options) as http:
            try:
                return await self._search(http, words, deadline, follower)
            except httpx.HTTPError as error:
                raise SearchError(f"no response: {error}") from None

    async def _search(
        self, http: httpx.AsyncClient, words: Any, deadline: float, follower: Follower | None = None
    ) -> Any:
        reply = await http.post("/searches", json=words)
        ticket = _read(reply).get("ticket", 0) if reply.status_code < FAILED else 0
        LATEST.append(ticket)
        if not ticket and "asks_without_ticket" not in self.defects:
            raise SearchError("the search may have begun", status=reply.status_code)
        try:
            return await self._outcome_of(http, words, ticket, deadline, follower)
        except BaseException as error:
            if "interrupted_bare" not in self.defects:
                error.add_note(f"search {ticket}")
            raise

    async def _outcome_of(
        self, http: httpx.AsyncClient, words: Any, ticket: Any, deadline: float, follower: Follower | None
    ) -> Any:
        ends = time.monotonic() + deadline
        tries, is_lost = 0, False
        while time.monotonic() < ends:
            seconds = self.connection.timeout if "forgets_silence" in self.defects else ends - time.monotonic()
            reply, tries = await self._asked(http, ticket, min(seconds or 5, self.connection.timeout or 5)), tries + 1
            found = self._outcome(reply, ticket, is_lost=tries > TRIES)
            if found is not None:
                if "asks_once_more" in self.defects:
                    await self._asked(http, ticket, 1)
                return found
            if "starts_again" in self.defects and reply.status_code != PENDING:
                self.defects = ()
                return await self._search(http, words, deadline)
            is_lost = reply.status_code >= FAILED or (is_lost and "tells_old_loss" in self.defects)
            if follower:
                follower.tell(Heard(run=ticket, asked=tries, is_lost=is_lost))
            await self._rest(min(self._pause(reply), max(0, ends - time.monotonic())), ticket, follower)
        raise SearchError(f"search {ticket} goes on")

    async def _rest(self, seconds: float, ticket: Any, follower: Follower | None) -> None:
        if follower is None or "stops_late" in self.defects:
            await asyncio.sleep(seconds)
        with contextlib.suppress(TimeoutError):
            if follower is not None:
                await asyncio.wait_for(follower.stop.wait(), 0.01 if "stops_late" in self.defects else seconds)
                raise SearchError(f"search {ticket} goes on")

    async def _asked(self, http: httpx.AsyncClient, ticket: Any, seconds: float) -> httpx.Response:
        if "asks_for_latest" in self.defects:
            ticket = LATEST[-1]
        try:
            return await http.get(f"/searches/{ticket}", timeout=max(0.01, seconds))
        except httpx.HTTPError as error:
            if "loses_searches" in self.defects:
                raise SearchError(f"no response: {error}", may_have_acted=False) from None
            return httpx.Response(503)

    def _outcome(self, reply: httpx.Response, ticket: Any, *, is_lost: bool) -> Any:
        """Return what has been found; None to ask again."""
        status, found = reply.status_code, _read(reply)
        if status == OK and "finds" in found and (found.get("best", 1) or "needs_best" not in self.defects):
            return found
        if status == PENDING and "takes_what_comes" in self.defects:
            return found
        is_final = status == FAILED and "message" in found and found["message"] != "not now"
        is_refused = OK < status < FAILED and status not in {PENDING, TOO_MANY}
        gives_up = is_refused or (status >= FAILED and (is_final or is_lost))
        if gives_up and not (is_final and "asks_after_failure" in self.defects):
            name = "a search" if "hides_ticket" in self.defects else f"search {ticket}"
            raise SearchError(f"{name} has no outcome", status=status)
        return None

    def _pause(self, reply: httpx.Response) -> float:
        return 0.005 if "never_pauses" in self.defects else float(reply.headers.get("Retry-After", PAUSE))


def _read(reply: httpx.Response) -> dict[str, Any]:
    with contextlib.suppress(ValueError):
        found = json.loads(reply.content)
        return found if isinstance(found, dict) else {}
    return {}


class Searching:
    """Drives the client."""

    own_errors: tuple[type[BaseException], ...] = (SearchError,)

    def __init__(self, generated: str, defects: Sequence[str] = ()) -> None:
        self.generated, self.defects = generated, defects

    def connect(self, connection: Connection) -> Client:
        """Build a client."""
        if not connection.is_async:
            raise NotSupported("it has no synchronous form")
        return Client(connection, self.defects, {})

    def derived(self, client: Client, headers: Mapping[str, str]) -> Client:
        """Give a view of a client."""
        return Client(client.connection, client.defects, headers)

    def invoke(self, client: Client, call: Call) -> Any:
        """Make a call."""
        return self._made(client, call)

    async def _made(self, client: Client, call: Call) -> Any:
        path = call.operation.path.format(**call.path)
        body = {} if call.operation.media_type is None else {"json": call.body}
        async with httpx.AsyncClient(base_url=client.connection.base_url, verify=CERTIFICATES) as http:
            return _read(await http.request(call.operation.method, path, **body))

    def waiting(self, client: Client, call: Call, deadline: float) -> Any:
        """Search."""
        searching = client.search(call.body, deadline)
        return asyncio.shield(asyncio.ensure_future(searching)) if "goes_on" in client.defects else searching

    def following(self, client: Client, call: Call, deadline: float, follower: Follower) -> Any:
        """Search, and tell of it."""
        return client.search(call.body, deadline, follower)

    async def listing(self, client: Client, call: Call) -> Any:
        """Go through searches."""
        query, defects = dict(call.query), client.defects
        options: dict[str, Any] = {"verify": CERTIFICATES, "timeout": client.connection.timeout}
        async with httpx.AsyncClient(base_url=client.connection.base_url, **options) as http:
            ahead = []
            for page in itertools.count(query.get("page", 1)):
                number = page + 1 if "skips_pages" in defects and page > 1 else page
                found = _read(await http.get("/searches", params={**query, "page": number}))
                ahead += found["searches"]
                query = {} if "forgets_words" in defects else query
                is_last = not found["has_next"] or not (found["searches"] or "never_ends" in defects)
                is_last |= "ends_at_short_page" in defects and len(found["searches"]) == 1
                if is_last or "reads_ahead" not in defects:
                    for one in ahead:
                        yield one
                    ahead = []
                if is_last:
                    return

    def read(self, value: Any, call: Call) -> Received:  # noqa: ARG002 - the protocol's
        """Give a value as JSON."""
        return Received(json=value, type_name=type(value).__name__)

    def explain(self, error: BaseException, call: Call) -> Explanation:  # noqa: ARG002 - the protocol's
        """Read an error."""
        assert isinstance(error, SearchError)
        return Explanation(status=error.status, may_have_acted=error.may_have_acted)


def __getattr__(name: str) -> Any:
    defects = name.split("__")
    if not DEFECTS.keys() >= {*defects}:
        raise AttributeError(name)
    return functools.partial(Searching, defects=defects)
