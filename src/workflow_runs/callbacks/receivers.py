"""Receivers of callbacks and webhooks: ASGI applications to mount in FastAPI or Starlette, or to serve bare.

They run on asyncio servers. How they answer stands in `workflow_runs.callbacks.asgi`.

In FastAPI and Starlette `app.mount("/callbacks", receiver)` answers below /callbacks/ and redirects /callbacks, which a
sender need not follow. An exact address, as for webhooks, is Starlette's `Route`, which takes ASGI applications:
`app.router.routes.append(Route("/webhooks", receiver))`.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from workflow_runs_api.models.dashboard_event import DashboardEvent

from .asgi import Headers, Receiver
from .payloads import MAX_BYTES
from .run_finished import RunFinished, read_callback
from .signatures import canonical, checked_max_age, key_of
from .webhooks import InteractlyEvent, read_dashboard_event, read_interactly_event

if TYPE_CHECKING:
    from collections.abc import Callable

    from .deliveries import DeliveryMemory

__all__ = ["DashboardWebhooks", "InteractlyWebhooks", "RunCallbacks"]

_LONGEST_ID = 200


class RunCallbacks(Receiver[RunFinished]):
    """Receives what PromptLayer posts to a run's `callback_url`; each execution is handled once.

    No signature of run callbacks is documented, so whoever knows the address can make up an outcome. Have a token in
    it, as its last segment: https://example.com/callbacks/TOKEN. (Your server's access log has it too.)

    Args:
        handler: Called with each `RunFinished`. Sync or async; a sync one runs in a thread.
        token: What the last segment of the path must be, of letters, digits, - and _. None lets everybody in: take
            what comes as a hint then, and ask `PromptLayer.wait` for the outcome.
        memory: What keeps which executions have been handled. Default: `RecentDeliveries()`, in this process alone.
        max_bytes: Size above which a payload is refused, in bytes. Default: 16 MiB.

    Raises:
        BadArgument: The token has other characters, `max_bytes` is less than 1, or the handler or the memory is none.

    Source: https://docs.promptlayer.com/reference/run-workflow (wording of 2025-11 to 2026-04).

    Example:
        Mounted, in FastAPI as in Starlette, by `app.mount("/callbacks", receiver)`. Asked directly:

        >>> receiver = RunCallbacks(lambda finished: print(finished.output), token="s3cret")
        >>> async def deliver() -> int:
        ...     async with httpx.AsyncClient(transport=httpx.ASGITransport(receiver)) as sender:
        ...         payload = {"workflow_version_execution_id": 98765, "final_output": "Hello"}
        ...         return (await sender.post("https://example.com/callbacks/s3cret", json=payload)).status_code
        >>> asyncio.run(deliver())
        Hello
        204
    """

    def __init__(
        self,
        handler: Callable[[RunFinished], object],
        *,
        token: str | None,
        memory: DeliveryMemory | None = None,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        def read(body: bytes, _: Headers) -> RunFinished:
            return read_callback(body, max_bytes=max_bytes)

        super().__init__(handler, read=read, key=_run_key, token=token, memory=memory, max_bytes=max_bytes)


class DashboardWebhooks(Receiver[DashboardEvent]):
    """Receives what PromptLayer's dashboard sends to its webhooks, if the signature is good.

    `agent_run_finished` may come several times for an execution and is handled once. Of other events only a
    delivery with the same payload counts as the same.

    Args:
        handler: Called with each `DashboardEvent`. Sync or async; a sync one runs in a thread.
        secret: The webhook's secret from the dashboard.
        memory: What keeps which events have been handled. Default: `RecentDeliveries()`, in this process alone.
        max_bytes: Size above which a payload is refused, in bytes. Default: 16 MiB.

    Raises:
        BadArgument: The secret is empty, `max_bytes` is less than 1, or the handler or the memory is none.

    Source: https://docs.promptlayer.com/features/prompt-registry/webhook-events.

    Example:
        >>> receiver = DashboardWebhooks(lambda event: print(event.details["agent_execution_id"]), secret="secret")
        >>> async def deliver() -> int:
        ...     async with httpx.AsyncClient(transport=httpx.ASGITransport(receiver)) as sender:
        ...         payload = {"event_type": "agent_run_finished", "details": {"agent_execution_id": 98765}}
        ...         headers = sign_dashboard_event(payload, "secret")
        ...         reply = await sender.post("https://example.com/webhooks", json=payload, headers=headers)
        ...         return reply.status_code
        >>> asyncio.run(deliver())
        98765
        204
    """

    def __init__(
        self,
        handler: Callable[[DashboardEvent], object],
        *,
        secret: str,
        memory: DeliveryMemory | None = None,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        key_of(secret)

        def read(body: bytes, headers: Headers) -> DashboardEvent:
            return read_dashboard_event(body, headers, secret=secret, max_bytes=max_bytes)

        super().__init__(handler, read=read, key=_dashboard_key, token=None, memory=memory, max_bytes=max_bytes)


class InteractlyWebhooks(Receiver[InteractlyEvent]):
    """Receives what Interactly sends to its webhooks, if the signature is good and fresh; each event is handled once.

    Args:
        handler: Called with each `InteractlyEvent`. Sync or async; a sync one runs in a thread.
        secret: The webhook's secret from the dashboard.
        max_age: Seconds that `X-Interactly-Timestamp` may be from now, see `read_interactly_event`. Default: 300.
            None: any time.
        memory: What keeps which events have been handled. Default: `RecentDeliveries()`, in this process alone. The
            timestamp isn't signed, so that this is what stops one who has caught a delivery and sends it again.
        max_bytes: Size above which a body is refused, in bytes. Default: 16 MiB.

    Raises:
        BadArgument: The secret is empty, `max_age` is no finite number or below 0, `max_bytes` is less than 1, or the
            handler or the memory is none.

    Source: webhooks guide of Interactly's workflow SDK.

    Example:
        >>> receiver = InteractlyWebhooks(lambda event: print(event.action), secret="secret")
        >>> async def deliver() -> int:
        ...     async with httpx.AsyncClient(transport=httpx.ASGITransport(receiver)) as sender:
        ...         body = b'{"event_id": "e1", "action": "workflow_run_completed"}'
        ...         headers = sign_interactly_event(body, "secret")
        ...         reply = await sender.post("https://example.com/webhooks", content=body, headers=headers)
        ...         return reply.status_code
        >>> asyncio.run(deliver())
        workflow_run_completed
        204
    """

    def __init__(
        self,
        handler: Callable[[InteractlyEvent], object],
        *,
        secret: str,
        max_age: float | None = 300.0,
        memory: DeliveryMemory | None = None,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        key_of(secret)
        checked_max_age(max_age)

        def read(body: bytes, headers: Headers) -> InteractlyEvent:
            return read_interactly_event(body, headers, secret=secret, max_age=max_age, max_bytes=max_bytes)

        super().__init__(handler, read=read, key=_interactly_key, token=None, memory=memory, max_bytes=max_bytes)


def _run_key(finished: RunFinished, _: bytes) -> str:
    return f"promptlayer:run:{finished.execution_id}"


def _dashboard_key(event: DashboardEvent, body: bytes) -> str:
    execution_id = event.details.get("agent_execution_id")
    if event.event_type == "agent_run_finished" and isinstance(execution_id, int | str):
        return f"promptlayer:event:agent_run_finished:{_short(str(execution_id))}"
    return f"promptlayer:event:{_digest(body)}"


def _interactly_key(event: InteractlyEvent, body: bytes) -> str:
    return f"interactly:event:{_short(event.event_id) if event.event_id else _digest(body)}"


def _short(identifier: str) -> str:
    # A key is kept, logged, and may be a column of a table: one without end, or of half a character, would do harm.
    if len(identifier) <= _LONGEST_ID and identifier.isprintable():
        return identifier
    return hashlib.sha256(identifier.encode(errors="surrogatepass")).hexdigest()


def _digest(body: bytes) -> str:
    # Of the payload, not of its spelling; not of the event either, whose properties nest too deeply for Python's stack.
    return hashlib.sha256(canonical(json.loads(body))).hexdigest()
