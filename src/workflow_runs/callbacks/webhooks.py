"""Webhooks that are set up once and report every run: PromptLayer's dashboard and Interactly. Both are signed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from workflow_runs_api.models.dashboard_event import DashboardEvent

from .payloads import MAX_BYTES, Payload, RawPayload, at_least_one, encoded, read_payload, text_of
from .signatures import (
    BadSignature,
    check_dashboard_signature,
    check_interactly_signature,
    checked_max_age,
    is_signed_as_it_is,
    key_of,
)

if TYPE_CHECKING:
    from .signatures import Headers

__all__ = ["InteractlyEvent", "read_dashboard_event", "read_interactly_event"]

_DASHBOARD = "agent_run_finished"
_MOST_UNPROVEN = 1024 * 1024


@dataclass(frozen=True, slots=True)
class InteractlyEvent:
    """What Interactly sends to a webhook. Its properties are not documented: `raw` has them all.

    Attributes:
        event_id: Id of the event; the same for each delivery of it. None if the body has none.
        action: What has happened: workflow_created, workflow_updated, workflow_deleted, workflow_run_started or
            workflow_run_completed (of failed runs as well); others are possible. Property `action` or `type`.
        workflow_id: Id of the workflow, or None.
        workflow_run_id: Id of the run, or None. Property `workflow_run_id` or `run_id`.
        workflow_run_status: Status of the run, or None. Property `workflow_run_status` or `status`.
        raw: The body as it was sent.

    Source: webhooks guide and example receiver of Interactly's workflow SDK.

    Example:
        >>> InteractlyEvent("e1", "workflow_run_completed", raw={"score": 3}).raw["score"]
        3
    """

    event_id: str | None = None
    action: str | None = None
    workflow_id: str | None = None
    workflow_run_id: str | None = None
    workflow_run_status: str | None = None
    raw: dict[str, Any] = field(default_factory=dict, repr=False)


def read_dashboard_event(body: Payload, headers: Headers, *, secret: str, max_bytes: int = MAX_BYTES) -> DashboardEvent:
    """Check the signature of a delivery of PromptLayer's dashboard, and read it.

    It bears no time: whoever has caught a delivery can send it again. Remember what you have handled.

    What is signed is the payload with sorted keys. A body that is spelled like that is checked before it is parsed; one
    that isn't has to be parsed first, which is done up to 1 MiB. A documented event has some 300 bytes.

    Args:
        body: The payload: bytes, text, or JSON that is parsed already and stays yours.
        headers: The request's headers: a mapping, or pairs of name and value. Names may be in any case, values bytes,
            None or a list, as your framework has them; two signatures are none.
        secret: The webhook's secret from the dashboard.
        max_bytes: Size above which the payload is refused, in bytes (of a text: in characters). Default: 16 MiB.

    Raises:
        BadSignature: `X-PromptLayer-Signature` is missing, there twice, or not that of this payload.
        ContractBroken: The payload is no JSON object, so that nothing can be checked; or it bears a good signature
            and is not what the contract says; or it is too large.
        BadArgument: The secret is empty, the headers are none, or `max_bytes` is less than 1.

    Source: https://docs.promptlayer.com/features/prompt-registry/webhooks.

    Example:
        >>> payload = {"event_type": "agent_run_finished", "details": {"agent_execution_id": 98765}}
        >>> headers = sign_dashboard_event(payload, "secret")
        >>> read_dashboard_event(payload, headers, secret="secret").details["agent_execution_id"]
        98765
    """

    def read(payload: dict[str, Any]) -> DashboardEvent:
        check_dashboard_signature(payload, headers, secret, operation=_DASHBOARD)
        return DashboardEvent.from_json(payload)

    key_of(secret)
    if isinstance(body, bytes | bytearray | memoryview | str):
        _refuse_unproven(body, headers, secret, max_bytes)
    return read_payload(body, read, operation=_DASHBOARD, max_bytes=max_bytes)


def _refuse_unproven(body: RawPayload, headers: Headers, secret: str, max_bytes: int) -> None:
    """Refuse what bears no signature, or is not worth the parsing that checking its signature would take."""
    raw = encoded(body)
    if len(raw) > at_least_one(max_bytes, field="max_bytes"):
        return
    if not is_signed_as_it_is(raw, headers, secret, operation=_DASHBOARD) and len(raw) > _MOST_UNPROVEN:
        words = f"X-PromptLayer-Signature is not that of these bytes, and more than {_MOST_UNPROVEN} are not sorted"
        raise BadSignature(f"{words} to check it", reason="wrong", operation=_DASHBOARD)


def read_interactly_event(
    body: RawPayload,
    headers: Headers,
    *,
    secret: str,
    max_age: float | None = 300.0,
    max_bytes: int = MAX_BYTES,
) -> InteractlyEvent:
    """Check the signature and the age of an Interactly webhook's delivery, and read it.

    The signature covers the body alone, not the time; so remember the `event_id` of what you have handled.

    Args:
        body: The raw body as it came, since its very bytes are signed.
        headers: The request's headers: a mapping, or pairs of name and value. Names may be in any case, values bytes,
            None or a list, as your framework has them; two signatures or timestamps are none.
        secret: The webhook's secret from the dashboard.
        max_age: Seconds that `X-Interactly-Timestamp` may be from now, either way. Default: 300, as the vendor has
            it. None: the timestamp may be anything or absent. Whether a delivery that is tried again (up to 30
            minutes later) bears a new timestamp is not documented; if yours don't, a larger figure is needed.
        max_bytes: Size above which the body is refused, in bytes (of a text: in characters). Default: 16 MiB.

    Raises:
        BadSignature: The signature or the timestamp is missing, wrong or there twice, or the timestamp too far from
            now.
        ContractBroken: The signature is good, but the body is no JSON object or one of the properties named at
            `InteractlyEvent` is no text; or it is too large.
        BadArgument: The secret is empty, the body is parsed already, the headers are none, `max_age` is no finite
            number or below 0, or `max_bytes` is less than 1.

    Source: webhooks guide of Interactly's workflow SDK.

    Example:
        >>> body = b'{"event_id": "e1", "action": "workflow_run_completed"}'
        >>> read_interactly_event(body, sign_interactly_event(body, "secret"), secret="secret").action
        'workflow_run_completed'
    """
    raw, _ = encoded(body), checked_max_age(max_age)
    if len(raw) <= at_least_one(max_bytes, field="max_bytes"):
        check_interactly_signature(raw, headers, secret, max_age=max_age)
    return read_payload(raw, _interactly_event, operation=None, max_bytes=max_bytes)


def _interactly_event(payload: dict[str, Any]) -> InteractlyEvent:
    return InteractlyEvent(
        event_id=text_of(payload, "event_id"),
        action=text_of(payload, "action", "type"),
        workflow_id=text_of(payload, "workflow_id"),
        workflow_run_id=text_of(payload, "workflow_run_id", "run_id"),
        workflow_run_status=text_of(payload, "workflow_run_status", "status"),
        raw=payload,
    )
