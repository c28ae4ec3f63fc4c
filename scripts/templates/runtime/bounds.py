"""How long one try may take and how much may come back: the clock and the cap that every part of the wire looks at."""

from __future__ import annotations

import math
import time

__all__ = ["BOUNDS", "Bounds"]

# Where a request carries its own, among httpx' extensions.
BOUNDS = "workflow_runs.bounds"
_EARLY = 0.01


class Bounds:
    """The bounds of one try.

    Args:
        total: Seconds from the moment at which the try has its connection, or None.
        moment: `time.monotonic()` at which the try ends at the latest, even while it queues, or None.
        most: Bytes of a reply's body at most, before and after it is decompressed, or None.

    Attributes:
        ends_at: `time.monotonic()` at which the try ends; infinite without a bound.
    """

    __slots__ = ("_moment", "_total", "_words", "ends_at", "most")

    def __init__(self, total: float | None, moment: float | None, most: int | None) -> None:
        self.most = most
        self.ends_at = math.inf if moment is None else moment
        self._total = total
        self._words = "the deadline of the call"

    def start(self) -> None:
        """Start the clock: the try has its connection."""
        if self._total is not None and time.monotonic() + self._total < self.ends_at:
            self.ends_at = time.monotonic() + self._total
            self._words = f"total_timeout of {self._total:g} s"

    def left(self, seconds: float | None = None) -> float | None:
        """Seconds left, at most those given; None where nothing bounds them."""
        if self.ends_at == math.inf:
            return seconds
        left = max(0.001, self.ends_at - time.monotonic())  # a time-out of 0 has a meaning of its own
        return left if seconds is None else min(left, seconds)

    @property
    def is_over(self) -> bool:
        """Whether no time is left."""
        return time.monotonic() >= self.ends_at

    def over(self) -> str | None:
        """What is over, in words, once the time is."""
        # A timer may wake up a little before its time.
        return f"{self._words} is over" if time.monotonic() >= self.ends_at - _EARLY else None
