"""What must not be shown, taken out of what is shown.

A service may send back what it was sent: the key, a header, an input. Whatever a request held is masked in every text
that an error or a log line shows of the reply.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .errors import WorkflowRunsError
    from .operation import Outgoing

__all__ = ["HARMLESS_HEADERS", "conceal", "mask", "secrets_of"]

MASK = "***"
HARMLESS_HEADERS = frozenset({"accept", "accept-encoding", "connection", "content-length", "content-type", "host"})
# Shorter texts occur by chance in any message, and masking them would only make it unreadable.
_SHORTEST = 4


def secrets_of(outgoing: Outgoing) -> list[str]:
    """Texts of a request that must not be shown, the longest first."""
    found = {value for name, value in outgoing.headers.items() if name not in HARMLESS_HEADERS}
    found |= {value.partition(" ")[2] for value in found}
    if outgoing.content:
        found |= set(_texts(json.loads(outgoing.content)))
    spelled = {form for text in found if len(text) >= _SHORTEST for form in _spellings(text)}
    return sorted(spelled, key=len, reverse=True)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def _spellings(text: str) -> set[str]:
    """The text as it stands, and as JSON, Python and a URL write it."""
    return {text, json.dumps(text)[1:-1], repr(text)[1:-1], quote(text, safe="")}


def mask(text: str, secrets: list[str]) -> str:
    """The text without any of the secrets."""
    for secret in secrets:
        text = text.replace(secret, MASK)
    return text


def conceal(error: WorkflowRunsError, outgoing: Outgoing) -> None:
    """Mask in an error whatever of its texts came from the service or from below."""
    secrets = secrets_of(outgoing)
    for name, value in vars(error).items():
        if isinstance(value, str) and name != "operation":
            setattr(error, name, mask(value, secrets))
    error.args = (error.message,)
