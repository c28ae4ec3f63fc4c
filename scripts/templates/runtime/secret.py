"""What may lie in no frame: trackers of errors write down the variables of every frame, and walk what these hold."""

from __future__ import annotations

from typing import Any, Final, Generic, TypeVar

__all__ = ["NOTHING", "Secret"]

T = TypeVar("T")


class Secret(Generic[T]):
    """Holds a value that neither its repr tells nor a walk through lists, tuples, mappings and attributes finds."""

    __slots__ = ("_value",)

    def __init__(self, value: T) -> None:
        self._value = value

    @classmethod
    def of(cls, value: Any) -> Secret[Any]:
        """The value in a new one, unless it is in one already."""
        return value if isinstance(value, cls) else cls(value)

    def reveal(self) -> T:
        """The value, for a place that uses it up at once and raises nothing while it is there."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(***)"

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self._value,))


NOTHING: Final[Secret[dict[str, Any]]] = Secret({})
