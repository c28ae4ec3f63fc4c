"""What a receiver answers before it hands a delivery on: the same over ASGI as in the listener for scripts."""

from __future__ import annotations

import hmac
import re
from typing import TYPE_CHECKING, Final, NamedTuple

from workflow_runs_api.errors import BadArgument, ContractBroken

from .payloads import at_least_one
from .signatures import BadSignature

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["FAILED", "HANDLED", "Endpoint", "Response", "length_refusal", "refusal_of"]


class Response(NamedTuple):
    """An HTTP answer: its status, and words for a person unless it is 204."""

    status: int
    words: str = ""

    @property
    def headers(self) -> dict[str, str]:
        """Its headers, names in lower case."""
        allow = {"allow": "POST"} if self.status == _METHOD else {}
        if not self.words:
            return allow
        return {**allow, "content-type": "text/plain; charset=utf-8", "content-length": str(len(self.content))}

    @property
    def content(self) -> bytes:
        """Its body."""
        return self.words.encode(errors="replace")


_METHOD, _TOO_LARGE = 405, 413

HANDLED: Final = Response(204)
FAILED: Final = Response(500, "the delivery could not be handled; send it again")


class Endpoint:
    """Who and what is let in.

    Args:
        token: What the last segment of the path must be; None lets everybody in who knows the address.
        max_bytes: Size above which a body is refused, in bytes.

    Raises:
        BadArgument: The token is not of unreserved URL characters, or `max_bytes` is less than 1.
    """

    def __init__(self, *, token: str | None, max_bytes: int) -> None:
        if token is not None and not (isinstance(token, str) and re.fullmatch("[0-9A-Za-z_-]+", token)):
            raise BadArgument("expected letters, digits, - and _", field="token")
        self.max_bytes = at_least_one(max_bytes, field="max_bytes")
        self._token = token

    def refusal(self, method: str, path: str, headers: Mapping[str, str]) -> Response | None:
        """Return the answer to a request that is refused before its body is read; None if it is to be read.

        Args:
            method: The request's method.
            path: The request's path without the query.
            headers: The request's headers, names in lower case.
        """
        # First of all, so that nobody without the token learns what is here.
        if not self.knows(path):
            return Response(404, "nothing is received here")
        if method != "POST":
            return Response(_METHOD, "deliveries are posted")
        if not _is_json(headers):
            return Response(415, "expected application/json without content-encoding")
        return length_refusal(headers, self.max_bytes)

    def knows(self, path: str) -> bool:
        """Return whether a path, without the query, ends in the token."""
        return self._token is None or _same(path.rstrip("/").rpartition("/")[2], self._token)

    def too_large(self) -> Response:
        """Return the answer to a body that is too large."""
        return _too_large(self.max_bytes)


_LENGTH_DIGITS = 18


def length_refusal(headers: Mapping[str, str], max_bytes: int) -> Response | None:
    """Return the answer to a request whose content-length is none or too large, else None."""
    length = headers.get("content-length", "0").strip()
    if not (length.isascii() and length.isdigit()):
        return Response(400, "content-length is no number")
    return _too_large(max_bytes) if len(length) > _LENGTH_DIGITS or int(length) > max_bytes else None


def _too_large(max_bytes: int) -> Response:
    return Response(_TOO_LARGE, f"more than {max_bytes} bytes")


def refusal_of(error: ContractBroken | BadSignature | BadArgument) -> Response:
    """Return the answer to a delivery that can't be read; it says where the payload is wrong."""
    return Response(401 if isinstance(error, BadSignature) else 400, error.message)


def _is_json(headers: Mapping[str, str]) -> bool:
    # Which content-type PromptLayer sends is not documented; so one that is absent is no reason to lose an outcome.
    if headers.get("content-encoding", "identity").strip().lower() != "identity":
        return False
    media_type = headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    return media_type in {"application/json", "text/json"} or (
        media_type.startswith("application/") and media_type.endswith("+json")
    )


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(errors="replace"), other.encode(errors="replace"))
