"""Changes of JSON values at a place: a path of member names, where ``*`` stands for every entry or item."""

from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any, Final


class Removed(Enum):
    """The one value that stands for nothing at all; a copy of it is still the same."""

    REMOVED = "removed"


EVERY: Final = "*"
REMOVED: Final = Removed.REMOVED
Path = Sequence[str]


def replaced(value: Any, path: Path, change: Callable[[Any], Any]) -> Any:
    """Give the value with every place that the path leads to changed; :data:`REMOVED` takes the place out."""
    if not path:
        return change(value)
    name, rest = path[0], path[1:]
    if isinstance(value, dict):
        names = list(value) if name == EVERY else [name] if name in value else []
        changed = {known: replaced(value[known], rest, change) if known in names else value[known] for known in value}
        return {known: inner for known, inner in changed.items() if inner is not REMOVED}
    if isinstance(value, list) and name == EVERY:
        return [inner for item in value if (inner := replaced(item, rest, change)) is not REMOVED]
    return value


def dropped(value: Any, path: Path) -> Any:
    """Give the value without what the path leads to."""
    return replaced(value, path, lambda _: REMOVED)


def put(value: Any, path: Path, new: Any) -> Any:
    """Give the value with something else at the place; the way there is made where it is missing."""
    if not path:
        return new
    name, rest = path[0], path[1:]
    if name == EVERY:
        if isinstance(value, dict) and value:
            return {known: put(inner, rest, new) for known, inner in value.items()}
        return [put(item, rest, new) for item in value] if isinstance(value, list) and value else [put({}, rest, new)]
    members = value if isinstance(value, dict) else {}
    return {**members, name: put(members.get(name), rest, new)}
