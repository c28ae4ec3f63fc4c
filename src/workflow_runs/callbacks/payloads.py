"""Payloads that a service posts: bytes, text or parsed JSON in, a typed value or one typed error out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar

from workflow_runs_api.errors import BadArgument, ContractBroken
from workflow_runs_api.json_text import decoded, value_in
from workflow_runs_api.types import Problem, to_json

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["MAX_BYTES", "Payload", "RawPayload", "at_least_one", "encoded", "read_payload", "text_of"]

T = TypeVar("T")

RawPayload: TypeAlias = bytes | bytearray | memoryview | str
Payload: TypeAlias = RawPayload | Mapping[str, Any]

MAX_BYTES: Final = 16 * 1024 * 1024
"""Size above which a payload is refused by default. No source documents how large one can become."""

_PATH_SHOWN = 300


def at_least_one(value: int, *, field: str) -> int:
    """Return an argument that is a whole number, at least 1.

    Raises:
        BadArgument: It is something else; the error names `field`.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise BadArgument("expected a number, at least 1", field=field)
    return value


def read_payload(
    body: object, read: Callable[[dict[str, Any]], T], *, operation: str | None, max_bytes: int = MAX_BYTES
) -> T:
    """Parse a payload and hand it, as a JSON object that belongs to nobody else, to `read`.

    Raises:
        ContractBroken: It is too large, no JSON, no object, nested too deeply, or `read` finds a `Problem`.
        BadArgument: `max_bytes` is less than 1.
    """
    at_least_one(max_bytes, field="max_bytes")
    try:
        return read(_object(body, max_bytes))
    except Problem as found:
        problem = found
    except RecursionError:
        problem = Problem("a value nested less deeply", received="one that can't be read")
    # Raised out here, since an error of the parser holds the whole payload.
    raise _broken(problem, operation)


def encoded(body: object) -> bytes:
    """Return the bytes of a raw payload.

    Raises:
        BadArgument: It is parsed already, or a text that UTF-8 can't spell.
    """
    if isinstance(body, bytes | bytearray | memoryview):
        return bytes(body)
    if not isinstance(body, str):
        raise BadArgument("expected the raw body, as bytes or text", field="body")
    try:
        return body.encode()
    except UnicodeEncodeError:
        pass  # it holds the whole body, and is left behind
    raise BadArgument("expected a text that UTF-8 can spell", field="body")


def text_of(payload: dict[str, Any], *names: str) -> str | None:
    """Return the text of the first of some properties that is there and not null, else None.

    Raises:
        Problem: It is no text.
    """
    for name in names:
        value = payload.get(name)
        if value is not None and not isinstance(value, str):
            raise Problem("a text", value).under(name)
        if value is not None:
            return value
    return None


def _object(body: object, max_bytes: int) -> dict[str, Any]:
    parsed = _parsed(body, max_bytes)
    if not isinstance(parsed, dict):
        raise Problem("an object", parsed)
    return parsed


def _parsed(body: object, max_bytes: int) -> Any:
    if not isinstance(body, bytes | bytearray | memoryview | str):
        return to_json(body)
    size = body.nbytes if isinstance(body, memoryview) else len(body)
    if size > max_bytes:
        raise Problem(f"at most {max_bytes} bytes", received=f"{size}")
    try:
        return value_in(body if isinstance(body, str) else decoded(bytes(body)))
    except ValueError:
        raise Problem("JSON", received=f"{size} bytes that are none" if size else "an empty body") from None


def _broken(problem: Problem, operation: str | None) -> ContractBroken:
    path = problem.path if len(problem.path) <= _PATH_SHOWN else problem.path[:_PATH_SHOWN] + "..."
    return ContractBroken(
        f"the payload breaks the contract: expected {problem.expected}, got {problem.received} @ {path}",
        path=path,
        expected=problem.expected,
        received=problem.received,
        operation=operation,
    )
