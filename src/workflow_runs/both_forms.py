"""One body for a method and its asyncio twin: an `async def` that awaits what may be there already.

A sync client's calls return values, an asyncio client's return awaitables. Awaiting a value by `result_of` never
suspends, so that `at_once` can run the same body without an event loop.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Coroutine

__all__ = ["at_once", "result_of"]

T = TypeVar("T")


async def result_of(value: T | Awaitable[T]) -> T:
    """Return a value, awaited if it has to be."""
    return await value if inspect.isawaitable(value) else value


def at_once(body: Coroutine[Any, Any, T]) -> T:
    """Return what a body returns that has nothing to wait for but blocking calls."""
    try:
        body.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    body.close()
    raise RuntimeError("a sync client's call has returned an awaitable")
