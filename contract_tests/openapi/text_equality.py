"""Texts that are spelled otherwise and mean the same: times of one instant, ids in other letters."""

import datetime
import re
from typing import Any, Final

TIME: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d):(\d\d)(?:\.(\d+))?([Zz]|[+-]\d\d:\d\d)",
    re.ASCII,
)
ID: Final = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")


def equal_by_format(one: str, other: str) -> bool:
    """Whether two texts are the same, or two times of RFC 3339 of one microsecond, or two spellings of one UUID."""
    if one == other:
        return True
    if ID.fullmatch(one) and ID.fullmatch(other):
        return one.lower() == other.lower()
    first, second = _instant(one), _instant(other)
    return first is not None and first == second


def _instant(text: str) -> datetime.datetime | None:
    found = TIME.fullmatch(text)
    if found is None:
        return None
    date, minute, second, fraction, offset = found.groups()
    digits = (fraction or "")[:6].ljust(6, "0")
    zone = offset.upper().replace("Z", "+00:00")
    try:
        return datetime.datetime.fromisoformat(f"{date}T{minute}:{second}.{digits}{zone}").astimezone(datetime.UTC)
    except (ValueError, OverflowError):
        return None  # a leap second, or a time at the end of all time


def time_with_offset(value: Any) -> datetime.datetime | None:
    """Return the time that a text tells with its offset; None if it tells none, or without."""
    try:
        found = datetime.datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return found if found is not None and found.tzinfo is not None else None
