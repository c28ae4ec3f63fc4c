"""Signatures of webhooks: checked in constant time, and made for tests.

What is signed, and what isn't:

- PromptLayer's dashboard webhooks: the payload's JSON with sorted keys, as Python's `json.dumps` writes it, not the
  bytes that were sent. No time is signed, so that an old delivery looks like a new one.
- Interactly: the raw body alone. `X-Interactly-Timestamp` is not signed: it bounds how long a delivery lies about,
  but whoever has caught one can send it with a new time. What stops that is remembering `event_id`.
- PromptLayer's run callbacks: no signature is documented.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import math
import time
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from workflow_runs_api.errors import BadArgument, WorkflowRunsError
from workflow_runs_api.types import Problem, to_json

from .payloads import RawPayload, encoded

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

__all__ = [
    "BadSignature",
    "Headers",
    "canonical",
    "check_dashboard_signature",
    "check_interactly_signature",
    "checked_max_age",
    "is_signed_as_it_is",
    "key_of",
    "sign_dashboard_event",
    "sign_interactly_event",
]

DASHBOARD_SIGNATURE: Final = "X-PromptLayer-Signature"
INTERACTLY_SIGNATURE: Final = "X-Interactly-Signature"
INTERACTLY_TIMESTAMP: Final = "X-Interactly-Timestamp"

Reason = Literal["missing", "malformed", "wrong", "stale"]
Headers: TypeAlias = "Mapping[str, Any] | Iterable[Sequence[Any]]"
"""What a framework has a request's headers as: a mapping, or pairs. Values may be bytes, None or lists."""

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
    """Return the headers with which PromptLayer's dashboard would send a payload, for tests of a receiver.

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
    """Return the headers with which Interactly would send a body, for tests of a receiver.

    Args:
        body: The raw body.
        secret: The webhook's secret.
        timestamp: When it is sent, in seconds since 1970 UTC. Default: now.

    Raises:
        BadArgument: The secret is empty, the body is parsed already, or `timestamp` is no finite number.

    Source: webhooks guide of Interactly's workflow SDK.

    Example:
        >>> headers = sign_interactly_event(b'{"event_id": "e1"}', "secret", timestamp=1770000000)
        >>> headers["X-Interactly-Signature"][:8], headers["X-Interactly-Timestamp"]
        ('2d9dd126', '1770000000')
    """
    moment = time.time() if timestamp is None else timestamp
    if isinstance(moment, bool) or not isinstance(moment, int | float) or not -math.inf < moment < math.inf:
        raise BadArgument("expected a number of seconds since 1970", field="timestamp")
    return {INTERACTLY_SIGNATURE: _hex(encoded(body), secret), INTERACTLY_TIMESTAMP: str(int(moment))}


def canonical(payload: dict[str, Any]) -> bytes:
    """Return the text that PromptLayer signs."""
    return json.dumps(payload, sort_keys=True).encode("ascii")


def check_dashboard_signature(payload: dict[str, Any], headers: Headers, secret: str, *, operation: str) -> None:
    """Check that a parsed payload bears PromptLayer's signature.

    Raises:
        BadSignature: There is no signature, or it isn't that of this payload.
        BadArgument: The secret is empty.
    """
    _check(canonical(payload), DASHBOARD_SIGNATURE, headers, secret, operation)


def is_signed_as_it_is(body: bytes, headers: Headers, secret: str, *, operation: str) -> bool:
    """Return whether PromptLayer's signature is that of these very bytes, so that they needn't be parsed to check it.

    Raises:
        BadSignature: There is no signature, or more than one.
        BadArgument: The secret is empty, or the headers are none.
    """
    try:
        _check(body, DASHBOARD_SIGNATURE, headers, secret, operation)
    except BadSignature as error:
        if error.reason != "wrong":
            raise
        return False
    return True


def checked_max_age(max_age: float | None) -> float | None:
    """Return a number of seconds that a timestamp may be from now, or None for any.

    Raises:
        BadArgument: It is no finite number, or below 0.
    """
    if max_age is None:
        return None
    if isinstance(max_age, bool) or not isinstance(max_age, int | float) or not 0 <= max_age < math.inf:
        raise BadArgument("expected a finite number of seconds, at least 0, or None", field="max_age")
    return max_age


def check_interactly_signature(body: bytes, headers: Headers, secret: str, *, max_age: float | None) -> None:
    """Check that a raw body bears Interactly's signature, and that its timestamp is near enough to now.

    Raises:
        BadSignature: There is no signature, or it isn't that of this body; or, unless `max_age` is None, there is no
            timestamp or it is more than `max_age` seconds away.
        BadArgument: The secret is empty, the headers are none, or `max_age` is no finite number or below 0.
    """
    longest = checked_max_age(max_age)
    _check(body, INTERACTLY_SIGNATURE, headers, secret, None)
    if longest is not None:
        _check_age(_header(headers, INTERACTLY_TIMESTAMP, None), longest)


def _check_age(timestamp: str, max_age: float) -> None:
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= _LONGEST_TIMESTAMP):
        raise BadSignature(f"{INTERACTLY_TIMESTAMP} is no number of seconds", reason="malformed")
    if abs(time.time() - int(timestamp)) > max_age:
        raise BadSignature(f"{INTERACTLY_TIMESTAMP} is more than {max_age:g} s from now", reason="stale")


def _check(signed: bytes, name: str, headers: Headers, secret: str, operation: str | None) -> None:
    expected = _hex(signed, secret)
    received = _header(headers, name, operation).lower()
    # Compared as bytes: compare_digest refuses texts that are not ASCII, and a header may be anything.
    if not hmac.compare_digest(expected.encode(), received.encode(errors="replace")):
        raise BadSignature(f"{name} is not that of this payload", reason="wrong", operation=operation)


def _header(headers: Headers, name: str, operation: str | None) -> str:
    # Whatever framework the headers come from, their names may be spelled in any case.
    found = [text for key, value in _pairs(headers) if _is(key, name) for text in _texts(value, name) if text]
    if not found:
        raise BadSignature(f"{name} is missing", reason="missing", operation=operation)
    # Which of two is checked must not be left to the order in which a framework has them.
    if len(found) > 1:
        raise BadSignature(f"{name} is there {len(found)} times", reason="malformed", operation=operation)
    return found[0]


def _pairs(headers: Headers) -> Iterator[tuple[object, object]]:
    items: Any = getattr(headers, "multi_items", None) or getattr(headers, "items", None)
    pairs: Any = headers
    try:
        yield from ((key, value) for key, value in (items() if items else pairs))
    except (TypeError, ValueError):
        words = "expected the request's headers, as a mapping or as pairs of name and value"
        raise BadArgument(words, field="headers") from None


def _is(key: object, name: str) -> bool:
    spelled = key.decode("latin-1") if isinstance(key, bytes) else key
    return isinstance(spelled, str) and spelled.strip().lower() == name.lower()


def _texts(value: object, name: str) -> list[str]:
    """Return the texts of a header's value; some frameworks have a list of them, or None for one that is absent."""
    texts: list[str] = []
    for each in value if isinstance(value, list | tuple) else [value]:
        text = each.decode("latin-1") if isinstance(each, bytes | bytearray) else each
        if text is not None and not isinstance(text, str):
            raise BadArgument(f"expected a text as the value of {name}", field="headers")
        texts += [] if text is None else [text.strip()]
    return texts


def _hex(signed: bytes, secret: str) -> str:
    return hmac.new(key_of(secret), signed, hashlib.sha256).hexdigest()


def key_of(secret: str) -> bytes:
    """Return the HMAC key that a secret stands for.

    Raises:
        BadArgument: The secret is empty.
    """
    # Anybody can sign with an empty secret, which is what a forgotten environment variable often becomes.
    if not isinstance(secret, str) or not secret:
        raise BadArgument("expected the webhook's secret, a text that is not empty", field="secret")
    return secret.encode(errors="surrogatepass")
