"""What came back: the body as the contract sees it, and the error that a status stands for."""

from __future__ import annotations

import datetime
import email.utils
import re
from typing import TYPE_CHECKING, Any, TypeVar

from .errors import ContractBroken, StatusError
from .json_text import value_in, value_of
from .redaction import LONGEST
from .types import UNSET, Problem

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from .operation import Operation
    from .redaction import Redaction

__all__ = ["Reply"]

T = TypeVar("T")

_NOT_ACTED_UPON = range(400, 500)
_SUCCESS = range(200, 300)
_REDIRECT = range(300, 400)
_WORDS_SHOWN, _NAME_SHOWN, _KEY_SHOWN = 300, 80, 40


class Reply:
    """One reply to one operation.

    Args:
        redaction: Takes what was sent out of every error, even if the service has sent it back.

    Attributes:
        status: HTTP status.
        response: The raw reply.
    """

    __slots__ = ("_redaction", "operation", "response", "status")

    def __init__(self, operation: Operation[Any], response: httpx.Response, redaction: Redaction) -> None:
        self.operation = operation
        self.response = response
        self.status = response.status_code
        self._redaction = redaction

    @property
    def may_have_run(self) -> bool:
        """Whether the service may have started something, going by the status alone."""
        return not self.operation.repeatable and self.status not in _NOT_ACTED_UPON

    @property
    def retry_after(self) -> float | None:
        """Seconds the service asks to wait, or None if it does not."""
        asked = map(_seconds_to_wait, self.response.headers.get_list("retry-after"))
        return max((seconds for seconds in asked if seconds is not None), default=None)

    def json(self, read: Callable[[Any], T], *media_types: str) -> T:
        """The body, read as the contract describes it.

        Raises:
            ContractBroken: its media type is none of those given, it is no JSON, or it is not what the contract says.
        """
        try:
            return read(self._parsed(media_types))
        except Problem as problem:
            raise self.broken(problem) from None
        except RecursionError:
            raise self.broken(Problem("a value nested less deeply", received="one that can't be read")) from None

    def text(self, *media_types: str) -> str:
        """The body as text.

        Raises:
            ContractBroken: its media type is none of those given.
        """
        self._check_media_type(media_types)
        return self.response.text

    def content(self, *media_types: str) -> bytes:
        """The body as bytes.

        Raises:
            ContractBroken: its media type is none of those given.
        """
        self._check_media_type(media_types)
        return self.response.content

    def is_any_of(self, *media_types: str) -> bool:
        """Whether the body has one of these media types."""
        received = self.response.headers.get("content-type", "").partition(";")[0].strip().lower()
        return received in media_types or any(_covers(pattern, received) for pattern in media_types)

    def _check_media_type(self, expected: tuple[str, ...]) -> None:
        if not self.is_any_of(*expected):
            header = self.response.headers.get("content-type", "")
            problem = Problem(" or ".join(expected), received=header or "no content-type")
            raise self.broken(problem, "content-type")

    def _parsed(self, media_types: tuple[str, ...]) -> Any:
        self._check_media_type(media_types)
        return self._loaded()

    def _loaded(self) -> Any:
        try:
            return value_of(self.response.content)
        except (ValueError, RecursionError):
            size = len(self.response.content)
            raise Problem("JSON", received=f"{size} bytes that are none" if size else "an empty body") from None

    def shown(self, text: str, longest: int = LONGEST) -> str:
        """A text of the service as it may be shown: without secrets that it was sent, cut to a length."""
        return self._redaction.shown(text, longest)

    def masked(self, value: Any) -> Any:
        """Return a JSON value without the secrets that were sent: an error is logged, and pickled, with it."""
        return _mapped(value, self.shown) if self._has_secrets() else value

    def _has_secrets(self) -> bool:
        text = self.response.text
        # A NUL: JSON in UTF-16, read as something else.
        return "\0" in text or self._redaction.is_needed(text)

    def broken(self, problem: Problem, path: str = "") -> ContractBroken:
        """The error for a body that is not what the contract says."""
        shown = self.shown
        problem.place = [shown(key, _KEY_SHOWN) if isinstance(key, str) else key for key in problem.place]
        return ContractBroken(
            path=path or problem.path,
            expected=problem.expected,
            received=shown(problem.received, _NAME_SHOWN),
            **self.about(),
        )

    def error(self, read: Callable[[Any], Any] | None = None) -> StatusError:
        """The error that a documented status stands for; its body is read as far as it can be."""
        return self._error(self._body(read), "")

    def text_error(self) -> StatusError:
        """The error that a documented status stands for whose body is text, even if it could be read as JSON."""
        is_text = self.response.headers.get("content-type", "").lower().startswith("text/")
        return self._error(self.shown(self.response.text) if is_text else self._body(None), "")

    def unread(self, remark: str) -> StatusError:
        """The error for a status whose body nobody can read any more."""
        return self._error(None, remark)

    def undocumented(self) -> StatusError:
        """The error for a status that the contract does not know."""
        if self.status in _REDIRECT:
            return self._error(self._body(None), "redirects are not followed; check the base URL")
        return self._error(self._body(None), "the contract does not know this status")

    def _error(self, body: Any, remark: str) -> StatusError:
        words = self.shown(_words(body), _WORDS_SHOWN)
        message = "; ".join(part for part in (words, remark) if part) or "no reason given"
        return StatusError.of(self.status)(message, body=body, **self.about())

    def about(self) -> dict[str, Any]:
        """What every error about this reply carries, as the keywords that make one."""
        headers = self.response.headers
        return {
            "operation": self.operation.name,
            "response": self.response,
            "request_id": self.shown(headers.get("x-request-id", ""), _NAME_SHOWN) or None,
            "retry_after": self.retry_after,
            "may_have_run": self.may_have_run,
        }

    def _body(self, read: Callable[[Any], Any] | None) -> Any:
        try:
            value = self._loaded()
        except Problem:
            # What an error says is wanted even if it is written in another charset than JSON has.
            try:
                value = value_in(self.response.text)
            except (ValueError, RecursionError):
                return self.shown(self.response.text)
        if len(self.response.text) > LONGEST and self._has_secrets():
            return self.shown(self.response.text)
        value = self.masked(value)
        try:
            return value if read is None else read(value)
        except (Problem, RecursionError):
            return value


def _mapped(value: Any, change: Callable[[str], str]) -> Any:
    """Return a copy with each text and name changed, without recursion: a value may be nested deeply."""
    whole: list[Any] = [value]
    places: list[tuple[Any, Any]] = [(whole, 0)]
    while places:
        holder, key = places.pop()
        item = holder[key]
        if isinstance(item, str):
            holder[key] = change(item)
        elif isinstance(item, list):
            holder[key] = items = [*item]
            places += ((items, place) for place in range(len(items)))
        elif isinstance(item, dict):
            holder[key] = members = {change(name): inner for name, inner in item.items()}
            places += ((members, name) for name in members)
    return whole[0]


def _seconds_to_wait(retry_after: str) -> float | None:
    """What a `Retry-After` header asks for, in seconds from now; None if it makes no sense."""
    text = retry_after.strip()
    if re.fullmatch(_SECONDS, text):
        return float(text)
    try:
        moment = email.utils.parsedate_to_datetime(text)
    except (ValueError, OverflowError, TypeError, IndexError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.UTC)
    return max(0.0, (moment - datetime.datetime.now(datetime.UTC)).total_seconds())


# Some services write fractions, which the standard has not.
_SECONDS = r"[0-9]+(\.[0-9]+)?"


def _covers(pattern: str, received: str) -> bool:
    # A service may answer application/problem+json where the contract says application/*.
    return pattern == "*/*" or (pattern.endswith("/*") and received.startswith(pattern[:-1]))


def _words(body: Any) -> str:
    """The service's own words, wherever it put them: some of its errors have one member, some another."""
    found = [_member(body, name) for name in ("message", "error", "detail")]
    return "; ".join(dict.fromkeys(_shown(word) for word in found if word))


def _member(body: Any, name: str) -> Any:
    value = body.get(name) if isinstance(body, dict) else getattr(body, name, None)
    return None if value is UNSET else value


def _shown(word: Any, depth: int = 3) -> str:
    if isinstance(word, str):
        return word
    if isinstance(word, list) and depth:
        return ", ".join(_shown(item, depth - 1) for item in word[:5])
    place, words = _member(word, "loc"), _member(word, "msg")
    if isinstance(place, list) and isinstance(words, str):
        return f"{'.'.join(str(part) for part in place[:8] if isinstance(part, str | int))}: {words}"
    return words if isinstance(words, str) else type(word).__name__
