"""A reply as it came, beside what was made of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import httpx

__all__ = ["RawReplies", "RawResponse"]

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class RawResponse(NamedTuple, Generic[T_co]):
    """What a method of `client.with_raw_response` returns: the reply itself, and the result that was read from it.

    Errors are raised as without it; a `StatusError` and a `ContractBroken` have the reply as their `response`.

    Attributes:
        status: HTTP status, of a success.
        headers: The reply's headers, by name in any case.
        content: The body's bytes, decompressed.
        parsed: What the method of the client itself returns.

    Example:
        >>> reply = client.with_raw_response.run_workflow("support-agent", input_variables={"user_message": "Hello"})
        >>> reply.status, reply.headers["Content-Type"], reply.content[:16]
        (201, 'application/json', b'{"success": true')
        >>> reply.parsed.workflow_version_execution_id
        98765
    """

    status: int
    headers: Mapping[str, str]
    content: bytes
    parsed: T_co

    def __repr__(self) -> str:
        return f"<RawResponse {self.status}, {len(self.content)} bytes>"


class RawReplies:
    """Keeps the last reply of a call, for which it is called with each."""

    def __init__(self, told: Callable[[httpx.Response], object] | None) -> None:
        self._told = told
        self._last: Any = None

    def __call__(self, response: httpx.Response) -> None:
        """Keep a reply."""
        self._last = response
        if self._told is not None:
            self._told(response)

    def beside(self, parsed: T) -> RawResponse[T]:
        """The last reply with the result that was read from it."""
        return RawResponse(self._last.status_code, self._last.headers, self._last.content, parsed)
