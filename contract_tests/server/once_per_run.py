"""What is played with a target once in a run, so that every rule looks at the same."""

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

Made = TypeVar("Made")


class OncePerRun:
    """Makes a thing of each kind about each target when it is first asked for, and keeps it."""

    def __init__(self) -> None:
        self._kept: dict[tuple[Callable[..., Any], Hashable], Any] = {}

    def __call__(self, kind: Callable[..., Made], about: Hashable, *more: Any, **named: Any) -> Made:
        """Return the thing of a kind about something; ``more`` is only looked at where it is made."""
        key = (kind, about)
        if key not in self._kept:
            self._kept[key] = kind(about, *more, **named)
        made: Made = self._kept[key]
        return made
