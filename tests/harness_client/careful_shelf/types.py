"""Contains some shared types for properties."""

from collections.abc import Mapping
from typing import Any, Final, Generic, Literal, Self, TypeVar

from attrs import define

T = TypeVar("T")


class Unset:
    """What was not given; there is one of it, in copies too."""

    def __bool__(self) -> Literal[False]:
        return False

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

    def __reduce__(self) -> str:
        return "UNSET"


UNSET: Final = Unset()


@define
class Response(Generic[T]):
    """A response from an endpoint; the status is a plain number, since a server may use any."""

    status_code: int
    content: bytes
    headers: Mapping[str, str]
    parsed: T
