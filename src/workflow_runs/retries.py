"""When a request is sent again. The one place that decides it, for sync and async alike.

                                             GET, DELETE      everything else
    never connected                          again            again
    429                                      again            again
    503                                      again            only with `repeat_on_503`
    any other 5xx                            again            never
    time-out, reset or cut after sending     again            never

A workflow may have started in the cases on the right that are never sent again, and nobody can tell.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Final, TypeVar

from workflow_runs_api.errors import BadArgument, MaybeSent, NotSent, StatusError, WorkflowRunsError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Retries"]

_Number = TypeVar("_Number", int, float)

_TOO_MANY, _UNAVAILABLE, _SERVER_ERROR = 429, 503, 500
# Longer waits than 2^60 first ones are nobody's wish, and a float can't hold all of them.
_LARGEST_POWER = 60
_LARGEST_DRAWN = 2**32 - 1


class Retries:
    """How often and how soon a request is sent again.

    The wait before the n-th further try is drawn between 0 and `first_wait` * 2^(n-1) seconds, at most `longest_wait`.
    A `Retry-After` of the service is waited for in full; if it asks for more than `longest_retry_after`, or if the wait
    would end later than `total_time` after the first try, the error is raised instead.

    Args:
        further_tries: Tries beside the first. Default: 2.
        first_wait: Seconds. Default: 0.5.
        longest_wait: Seconds. Default: 8.
        longest_retry_after: Seconds. Default: 60.
        total_time: Seconds. Default: 120.
        repeat_on_503: Whether a run may be sent again after a 503, when you know that the service refuses with it
            before it starts anything. Default: False.

    Raises:
        BadArgument: A number is below 0.

    Example:
        >>> client.with_options(retries=Retries(further_tries=5)).base_url
        'https://api.promptlayer.com'
    """

    _now = staticmethod(time.monotonic)

    def __init__(
        self,
        *,
        further_tries: int = 2,
        first_wait: float = 0.5,
        longest_wait: float = 8.0,
        longest_retry_after: float = 60.0,
        total_time: float = 120.0,
        repeat_on_503: bool = False,
    ) -> None:
        self.further_tries: Final = _not_negative("further_tries", further_tries)
        self.first_wait: Final = _not_negative("first_wait", first_wait)
        self.longest_wait: Final = _not_negative("longest_wait", longest_wait)
        self.longest_retry_after: Final = _not_negative("longest_retry_after", longest_retry_after)
        self.total_time: Final = _not_negative("total_time", total_time)
        self.repeat_on_503: Final = repeat_on_503

    def begin(self) -> Tries:
        """Start to count for one call."""
        return Tries(self, self._now)

    def allows(self, error: WorkflowRunsError, *, repeatable: bool) -> bool:
        """Return whether a request may be sent again after this error, going by the table above."""
        if isinstance(error, NotSent):
            return True
        if isinstance(error, MaybeSent):
            return repeatable
        if not isinstance(error, StatusError) or error.status is None:
            return False
        if error.status == _TOO_MANY:
            return True
        allowed_503 = self.repeat_on_503 and error.status == _UNAVAILABLE
        return error.status >= _SERVER_ERROR and (repeatable or allowed_503)

    def __repr__(self) -> str:
        return f"Retries({', '.join(f'{name}={value!r}' for name, value in vars(self).items())})"


class Tries:
    """Counts the tries of one call."""

    def __init__(self, retries: Retries, now: Callable[[], float]) -> None:
        self._retries = retries
        self._made = 0
        self._now = now
        self._began = now()

    def after(self, error: WorkflowRunsError, *, repeatable: bool) -> float | None:
        """Return the seconds to wait before the next try, or None to give up."""
        retries = self._retries
        if self._made >= retries.further_tries or not retries.allows(error, repeatable=repeatable):
            return None
        wait = self._wait(error.retry_after)
        left = retries.total_time - (self._now() - self._began)
        if wait is None or wait > left:
            return None
        self._made += 1
        return wait

    def _wait(self, retry_after: float | None) -> float | None:
        retries = self._retries
        bound = min(retries.longest_wait, retries.first_wait * 2.0 ** min(self._made, _LARGEST_POWER))
        # Not by `random`: processes that were forked would all draw the same waits.
        wait = bound * int.from_bytes(os.urandom(4)) / _LARGEST_DRAWN
        if retry_after is None:
            return wait
        return None if retry_after > retries.longest_retry_after else max(wait, retry_after)


def _not_negative(field: str, value: _Number) -> _Number:
    if isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0:
        raise BadArgument("expected a number that is not below 0", field=field)
    return value
