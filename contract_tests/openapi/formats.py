"""The formats that are checked as requirements where a rule asks for it."""

import re
from urllib.parse import urlsplit

from jsonschema import Draft202012Validator, FormatChecker

FORMATS = FormatChecker(())
FORMATS.checkers = dict(Draft202012Validator.FORMAT_CHECKER.checkers)

_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:(?:[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})*")
_DATE_TIME = re.compile(
    r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])[Tt](?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d+)?"
    r"(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)"
)


# jsonschema checks the next two only if further packages happen to be installed; a verdict must not depend on that.
@FORMATS.checks("uri")
def is_uri(value: object) -> bool:
    """Whether a string is a URI with a scheme (RFC 3986); anything but a string passes."""
    if not isinstance(value, str):
        return True
    if not _URI.fullmatch(value):
        return False
    try:
        urlsplit(value).port  # noqa: B018 - reading it is what checks it
    except ValueError:
        return False
    return True


@FORMATS.checks("date-time")
def is_date_time(value: object) -> bool:
    """Whether a string is a date-time of RFC 3339; anything but a string passes."""
    return not isinstance(value, str) or _DATE_TIME.fullmatch(value) is not None


@FORMATS.checks("int32")
def is_int32(value: object) -> bool:
    """Whether an integer fits into 32 bits with sign; anything but a number passes."""
    return not isinstance(value, int) or -(2**31) <= value < 2**31


@FORMATS.checks("int64")
def is_int64(value: object) -> bool:
    """Whether an integer fits into 64 bits with sign; anything but a number passes."""
    return not isinstance(value, int) or -(2**63) <= value < 2**63
