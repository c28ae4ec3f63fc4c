"""Signatures of webhooks: told genuine or not in constant time, and made for tests.

What is signed, and what isn't:

- PromptLayer's dashboard webhooks: the payload's JSON with sorted keys, as Python's `json.dumps` writes it, not the
  bytes that were sent. No time is signed, so that an old delivery can't be told from a new one.
- Interactly: the raw body alone. `X-Interactly-Timestamp` is not signed: it bounds how long a delivery lies about,
  but whoever has caught one can send it with a new time. What stops that is remembering `event_id`.
- PromptLayer's run callbacks: no signature is documented.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from typing import TYPE_CHECKING, Any, Final, Literal

from workflow_runs_api.errors import BadArgument, WorkflowRunsError
from workflow_runs_api.types import Problem, to_json

from .payloads import RawPayload, encoded

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "BadSignature",
    "canonical",
    "check_dashboard_signature",
    "check_interactly_signature",
    "key_of",
    "sign_dashboard_event",
    "sign_interactly_event",
]

DASHBOARD_SIGNATURE: Final = "X-PromptLayer-Signature"
INTERACTLY_SIGNATURE: Final = "X-Interactly-Signature"
INTERACTLY_TIMESTAMP: Final = "X-Interactly-Timestamp"

Reason = Literal["missing", "malformed", "wrong", "stale"]

_LONGEST_TIMESTAMP = 12
_PATH_SHOWN = 300


class BadSignature(WorkflowRunsError):
    """A webhook's delivery is not proven to come from the service. Holds neither secret nor signature nor payload.

    Attributes:
        reason: "missing", "malformed" or "wrong" of a signature or timestamp, "stale" if the timestamp is too far
            from now.

    Example:
        >>> BadSignature("X-Interactly-Signature is missing", reason="missing").reason
        'missing'
    """

    def __init__(self, message: str, *, reason: Reason, **about: Any) -> None:
        self.reason: Reason = reason
        super().__init__(message, **about)


def sign_dashboard_event(payload: Mapping[str, Any], secret: str) -> dict[str, str]:
    """The headers with which PromptLayer's dashboard would send a payload, for tests of a receiver.

    Args:
        payload: The event as JSON.
        secret: The webhook's secret.

    Raises:
        BadArgument: The secret is empty, or the payload is no JSON.

    Source: https://docs.promptlayer.com/features/prompt-registry/webhooks.

    Example:
        >>> headers = sign_dashboard_event({"event_type": "agent_run_finished", "details": {}}, "secret")
        >>> headers["X-PromptLayer-Signature"][:8]
        '395b8435'
    """
    try:
        plain = to_json(payload)
    except Problem as problem:
        words = f"expected {problem.expected}, got {problem.received} @ {problem.path[:_PATH_SHOWN]}"
        raise BadArgument(words, field="payload") from None
    return {DASHBOARD_SIGNATURE: _hex(canonical(plain), secret)}


def sign_interactly_event(body: RawPayload, secret: str, *, timestamp: float | None = None) -> dict[str, str]:
    """The headers with which Interactly would send a body, for tests of a receiver.

    Args:
        body: The raw body.
        secret: The webhook's secret.
        timestamp: When it is sent, in seconds since 1970 UTC. Default: now.

    Raises:
        BadArgument: The secret is empty, or the body is parsed already.

    Source: webhooks guide of Interactly's workflow SDK.

    Example:
        >>> headers = sign_interactly_event(b'{"event_id": "e1"}', "secret", timestamp=1770000000)
        >>> headers["X-Interactly-Signature"][:8], headers["X-Interactly-Timestamp"]
        ('2d9dd126', '1770000000')
    """
    moment = time.time() if timestamp is None else timestamp
    return {INTERACTLY_SIGNATURE: _hex(encoded(body), secret), INTERACTLY_TIMESTAMP: str(int(moment))}


def canonical(payload: dict[str, Any]) -> bytes:
    """The text that PromptLayer signs."""
    return json.dumps(payload, sort_keys=True).encode("ascii")


def check_dashboard_signature(
    payload: dict[str, Any], headers: Mapping[str, str], secret: str, *, operation: str
) -> None:
    """Check that a parsed payload bears PromptLayer's signature.

    Raises:
        BadSignature: There is no signature, or it isn't that of this payload.
        BadArgument: The secret is empty.
    """
    _check(canonical(payload), DASHBOARD_SIGNATURE, headers, secret, operation)


def check_interactly_signature(body: bytes, headers: Mapping[str, str], secret: str, *, max_age: float | None) -> None:
    """Check that a raw body bears Interactly's signature, and that its timestamp is near enough to now.

    Raises:
        BadSignature: There is no signature, or it isn't that of this body; or, unless `max_age` is None, there is no
            timestamp or it is more than `max_age` seconds away.
        BadArgument: The secret is empty.
    """
    _check(body, INTERACTLY_SIGNATURE, headers, secret, None)
    if max_age is None:
        return
    timestamp = _header(headers, INTERACTLY_TIMESTAMP, None)
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= _LONGEST_TIMESTAMP):
        raise BadSignature(f"{INTERACTLY_TIMESTAMP} is no number of seconds", reason="malformed")
    if abs(time.time() - int(timestamp)) > max_age:
        raise BadSignature(f"{INTERACTLY_TIMESTAMP} is more than {max_age:g} s from now", reason="stale")


def _check(signed: bytes, name: str, headers: Mapping[str, str], secret: str, operation: str | None) -> None:
    expected = _hex(signed, secret)
    received = _header(headers, name, operation).lower()
    # Compared as bytes: compare_digest refuses texts that are not ASCII, and a header may be anything.
    if not hmac.compare_digest(expected.encode(), received.encode(errors="replace")):
        raise BadSignature(f"{name} is not that of this payload", reason="wrong", operation=operation)


def _header(headers: Mapping[str, str], name: str, operation: str | None) -> str:
    # Whatever framework the headers come from, their names may be spelled in any case.
    found = [value for key, value in headers.items() if key.lower() == name.lower()]
    if not found or not found[0].strip():
        raise BadSignature(f"{name} is missing", reason="missing", operation=operation)
    return found[0].strip()


def _hex(signed: bytes, secret: str) -> str:
    return hmac.new(key_of(secret), signed, hashlib.sha256).hexdigest()


def key_of(secret: str) -> bytes:
    """The HMAC key that a secret stands for.

    Raises:
        BadArgument: The secret is empty.
    """
    # Anybody can sign with an empty secret, which is what a forgotten environment variable often becomes.
    if not isinstance(secret, str) or not secret:
        raise BadArgument("expected the webhook's secret, a text that is not empty", field="secret")
    return secret.encode(errors="surrogatepass")
