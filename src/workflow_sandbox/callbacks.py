"""Delivers the outcome of runs to their callback URLs, at least once, and only where that is safe.

A sandbox is fed generated requests, so by default it knocks on loopback addresses alone. A delivery that was not
answered may have arrived, and comes again: its `Sandbox-Delivery-Id` is the same each time, so that a receiver can drop
the second one.
"""

import asyncio
import contextlib
import functools
import logging
from dataclasses import dataclass

import httpx

from workflow_sandbox import json_text
from workflow_sandbox.addresses import NotAllowed, NotFound, places, url_of
from workflow_sandbox.assumptions import Assumptions
from workflow_sandbox.background import Background
from workflow_sandbox.chaos import Chaos
from workflow_sandbox.history import History
from workflow_sandbox.outages import Outages
from workflow_sandbox.results import final_output
from workflow_sandbox.store import Callback, Store

_log = logging.getLogger("workflow_sandbox")

_CONCURRENT_POSTS = 32
_CONCURRENT_DELIVERIES = 1000
_MAX_REPLY_BYTES = 64 * 1024


@dataclass(frozen=True)
class CallbackPolicy:
    """How outcomes are delivered.

    Attributes:
        attempts: Posts per callback, the first included. Connection errors, time-outs and 5xx lead to another one.
        backoff_seconds: Pause after the first attempt; each further pause is twice the one before.
        timeout_seconds: Time for one attempt in all.
        anywhere: Whether to post to other than loopback addresses.
    """

    attempts: int = 5
    backoff_seconds: float = 0.5
    timeout_seconds: float = 10.0
    anywhere: bool = False


class Deliveries:
    """Posts outcomes and keeps in the database what became of each."""

    def __init__(
        self,
        store: Store,
        policy: CallbackPolicy,
        outages: Outages,
        chaos: Chaos,
        history: History,
        *,
        assumptions: Assumptions,
    ) -> None:
        self._assumptions = assumptions
        self._chaos = chaos
        self._history = history
        self._store = store
        self._policy = policy
        self._outages = outages
        self._background = Background()
        self._posts = asyncio.Semaphore(_CONCURRENT_POSTS)
        self._clients: dict[str, httpx.AsyncClient] = {}

    async def schedule(self, run_id: int) -> None:
        """Begin to deliver a finished run's outcome if it has a callback that is still pending.

        Waits while too many others are under way.
        """
        await self._background.room(_CONCURRENT_DELIVERIES)
        callback = await self._outages.outlast(functools.partial(self._store.pending_callback, run_id))
        if callback is not None:
            self._background.start(f"callback of run {run_id}", functools.partial(self._deliver, callback))

    async def close(self) -> None:
        """Stop delivering; what is pending stays so in the database."""
        await self._background.close()
        for client in self._clients.values():
            await client.aclose()

    async def _deliver(self, callback: Callback) -> None:
        state, outcome, attempt = *_verdict(callback.url), callback.attempts
        run_id = callback.run_id
        body = await self._outages.outlast(functools.partial(self._body, run_id))
        faults = {fault.name: fault for fault in self._chaos.faults_of_run(run_id) if fault.name.startswith("callback")}

        def remember(attempt: int, state: str, outcome: str) -> None:
            self._history.add_post(
                run_id, callback.url, attempt=attempt, state=state, outcome=outcome, faults=faults.values()
            )

        if "callback-late" in faults:
            await asyncio.sleep(faults["callback-late"].number)
        if "callback-lost" in faults and state == "pending":
            state, outcome = "lost", "the sandbox was told to lose it"
        while state == "pending":
            async with self._posts:
                state, outcome = await self._attempt(callback, attempt + 1, body)
            attempt += state != "refused"
            if state == "pending" and attempt >= self._policy.attempts:
                state = "given_up"
            if state == "pending":
                remember(attempt, state, outcome)
                await self._note(run_id, state, attempt, outcome)
                await asyncio.sleep(self._policy.backoff_seconds * 2 ** (attempt - 1))
        remember(attempt, state, outcome)
        await self._note(run_id, state, attempt, outcome)
        if "callback-duplicate" in faults and state == "delivered":
            _, again = await self._attempt(callback, attempt + 1, body)
            remember(attempt + 1, state, again)
        # Without the URL, which may carry a secret.
        _log.info("callback of run %d %s: %s", run_id, state.replace("_", " "), outcome)

    async def _note(self, run_id: int, state: str, attempt: int, outcome: str) -> None:
        note = functools.partial(self._store.note_attempt, run_id, state, attempt, outcome)
        await self._outages.outlast(note)

    def _body(self, run_id: int) -> bytes:
        assumed = self._assumptions
        all_outputs = assumed.callback_output == "nodes" or self._store.run(run_id).return_all_outputs
        nodes = self._store.nodes(run_id)
        output = final_output(nodes, assumed, all_outputs=all_outputs, failure=assumed.callback_failure)
        body = json_text.encode({"workflow_version_execution_id": run_id, "final_output": output})
        return body.encode("ascii")

    async def _attempt(self, callback: Callback, attempt: int, body: bytes) -> tuple[str, str]:
        try:
            async with asyncio.timeout(self._policy.timeout_seconds):
                status = await self._post(callback, attempt, body)
        except NotAllowed as error:
            return "refused", str(error)
        except (httpx.TransportError, NotFound, TimeoutError, OSError) as error:
            return "pending", type(error).__name__
        except Exception as error:  # noqa: BLE001  # odd but legal URLs fail in many ways, never better the next time
            return "given_up", type(error).__name__
        if status >= 500:  # noqa: PLR2004
            return "pending", f"status {status}"
        # A redirect is not followed: it could lead off loopback.
        return ("delivered" if 200 <= status < 300 else "given_up"), f"status {status}"  # noqa: PLR2004

    async def _post(self, callback: Callback, attempt: int, body: bytes) -> int:
        url = url_of(callback.url)
        headers = {
            "content-type": "application/json",
            "sandbox-delivery-id": f"run-{callback.run_id}",
            "sandbox-delivery-attempt": str(attempt),
        }
        client = self._client(url.scheme)
        *others, last = await places(url, anywhere=self._policy.anywhere)
        for place in others:
            # Of several addresses the first that can be connected to is taken: a name may have an IPv6 one to no end.
            with contextlib.suppress(httpx.ConnectError):
                return await _status(client, place.request(client, body, headers))
        return await _status(client, last.request(client, body, headers))

    def _client(self, scheme: str) -> httpx.AsyncClient:
        # Loading the certificate authorities takes longer than hundreds of posts: only https pays for it.
        if scheme not in self._clients:
            self._clients[scheme] = httpx.AsyncClient(
                verify=scheme == "https", follow_redirects=False, trust_env=False, timeout=self._policy.timeout_seconds
            )
        return self._clients[scheme]


async def _status(client: httpx.AsyncClient, request: httpx.Request) -> int:
    response = await client.send(request, stream=True)
    try:
        read = 0
        # Reading the reply lets the receiver finish it; an endless one is cut.
        async for chunk in response.aiter_raw():
            read += len(chunk)
            if read > _MAX_REPLY_BYTES:
                break
    finally:
        await response.aclose()
    return response.status_code


def _verdict(url: str) -> tuple[str, str]:
    try:
        url_of(url)
    except ValueError as error:
        return "given_up", str(error)
    return "pending", ""
