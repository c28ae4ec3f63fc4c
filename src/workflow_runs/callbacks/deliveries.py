"""Which deliveries have been handled, so that one that comes again is recognised."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Protocol

from .payloads import at_least_one

if TYPE_CHECKING:
    from collections.abc import Awaitable

__all__ = ["DeliveryMemory", "RecentDeliveries"]


class DeliveryMemory(Protocol):
    """What a store of your own must offer, say a table or a Redis set that all of your processes share.

    Both methods may be async. They are called for one delivery of a key at a time within a process; between
    processes a delivery can be handled twice if both get it at the same moment, so handlers should bear that.
    Services try again within hours at most, so that a key may be forgotten after a day. If a method raises, the sender
    gets a 500.

    Example:
        >>> class Handled(set):
        ...     seen, remember = set.__contains__, set.add
        >>> memory: DeliveryMemory = Handled()
        >>> memory.remember("promptlayer:run:98765"), memory.seen("promptlayer:run:98765")
        (None, True)
    """

    def seen(self, key: str, /) -> bool | Awaitable[bool]:
        """Return whether a delivery with this key has been handled."""
        ...

    def remember(self, key: str, /) -> object:
        """Keep that a delivery with this key has been handled. Called after the handler has ended without an error."""
        ...


class RecentDeliveries:
    """Remembers the most recent deliveries, in this process alone: after a restart none has been seen.

    Args:
        limit: How many to remember; the oldest is forgotten first. Default: 10,000, about 1 MB.

    Raises:
        BadArgument: `limit` is less than 1.

    Example:
        >>> memory = RecentDeliveries(limit=1)
        >>> memory.remember("a"); memory.remember("b")
        >>> memory.seen("a"), memory.seen("b")
        (False, True)
    """

    def __init__(self, limit: int = 10_000) -> None:
        self._limit = at_least_one(limit, field="limit")
        self._keys: dict[str, None] = {}
        self._lock = threading.Lock()

    def seen(self, key: str) -> bool:
        """Return whether a delivery with this key has been handled lately."""
        return key in self._keys

    def remember(self, key: str) -> None:
        """Keep a key, and forget the oldest if there are too many."""
        with self._lock:
            self._keys[key] = None
            while len(self._keys) > self._limit:
                del self._keys[next(iter(self._keys))]
