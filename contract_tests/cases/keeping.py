"""What is made once for every reader: cases, and what was played with them."""

import ctypes
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import wraps
from typing import Any, Generic, ParamSpec, TypeVar

from contract_tests.rules import NotApplicable, NotExercised

T = TypeVar("T")
P = ParamSpec("P")
Made = TypeVar("Made")


class Kept(Generic[T]):
    """What an iterator gives, kept for the next reader; nothing is taken before it is asked for."""

    def __init__(self, source: Iterator[T]) -> None:
        self._source = source
        self._taken: list[T] = []
        self._reason: Exception | None = None

    def __iter__(self) -> Iterator[T]:
        """Return everything from the start."""
        index = 0
        while True:
            if index == len(self._taken):
                try:
                    self._taken.append(self._next())
                except StopIteration:
                    return
            yield self._taken[index]
            index += 1

    def _next(self) -> T:
        if self._reason is not None:
            raise again(self._reason)
        try:
            return next(self._source)
        except (NotExercised, NotApplicable) as reason:
            self._reason = reason
            raise


def again(reason: Exception) -> Exception:
    """Return the same exception anew, since one gathers the places that it has passed."""
    return type(reason)(str(reason))


def forget(owner: object, is_done: Callable[[str], bool]) -> None:
    """Let go of what was kept about those for whose names something holds."""
    memory: dict[tuple[str, ...], Any] = vars(owner).get("_kept", {})
    for key in [key for key in memory if any(map(is_done, key[1:]))]:
        del memory[key]


def return_free_memory() -> None:
    """Return to the system what is free between what is kept, which the C library of Linux does when it is told to."""
    with suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)


def _name_of(about: Any) -> str:
    return about if isinstance(about, str) else getattr(about, "id", "") or str(about.name)


def once(make: Callable[P, Made]) -> Callable[P, Made]:
    """
    Keep what a method makes, of an operation, a delivery or a schema if it takes one, or the reason why it can't.

    functools.cache needs hashable arguments, keeps a generator's first reading alone, and no exception.
    """

    @wraps(make)
    def kept(*given: P.args, **named: P.kwargs) -> Made:
        owner, *about = given
        memory: dict[tuple[str, ...], Any] = vars(owner).setdefault("_kept", {})
        key = (make.__name__, *map(_name_of, about))
        if key not in memory:
            try:
                made: Any = make(*given, **named)
                memory[key] = Kept(made) if isinstance(made, Iterator) else made
            except (NotExercised, NotApplicable) as reason:
                memory[key] = reason
        found: Made = memory[key]
        if isinstance(found, NotExercised | NotApplicable):
            raise again(found)
        return found

    return kept
