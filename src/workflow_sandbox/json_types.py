"""Types of request members, with the meaning that JSON Schema gives them rather than Python's.

`true` is no integer, `1.0` is one, a string may hold what UTF-8 can't carry, a pattern's `$` matches at the end alone.
Pydantic's own strict types differ in some of these.
"""

import ipaddress
import re
from typing import Annotated, Any

from pydantic import AfterValidator, PlainValidator
from pydantic_core import PydanticCustomError


def _string(value: object) -> str:
    if isinstance(value, str):
        return value
    raise PydanticCustomError("string_type", "Input should be a valid string")


def _integer(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    raise PydanticCustomError("int_type", "Input should be a valid integer")


def _object(value: object) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    raise PydanticCustomError("dict_type", "Input should be an object")


def _object_id(value: object) -> str:
    if is_object_id(text := _string(value)):
        return text
    raise PydanticCustomError("string_pattern_mismatch", "Input should be 24 hexadecimal digits in lower case")


def _http_uri(value: object) -> str:
    match = _parsed(text := _string(value))
    # RFC 9110, 4.2: one without a host is to be refused.
    if match is not None and match["scheme"].lower() in {"http", "https"} and match["host"]:
        return text
    raise PydanticCustomError("uri", "Input should be an HTTP address: a URI as RFC 3986 defines it, with a host")


String = Annotated[str, PlainValidator(_string)]
Integer = Annotated[int, PlainValidator(_integer)]
Object = Annotated[dict[str, Any], PlainValidator(_object)]
ObjectId = Annotated[str, PlainValidator(_object_id)]
HttpUri = Annotated[str, PlainValidator(_http_uri)]


def text_of(shortest: int, longest: int) -> AfterValidator:
    """Return the check of a text's length in characters."""

    def check(text: str) -> str:
        if not shortest <= len(text) <= longest:
            words = f"String should have {shortest} to {longest} characters"
            raise PydanticCustomError("string_length", words)
        return text

    return AfterValidator(check)


def is_object_id(text: str) -> bool:
    """Return whether `text` is a database id: 24 hexadecimal digits in lower case."""
    return _OBJECT_ID.fullmatch(text) is not None


def is_uri(text: str) -> bool:
    """Return whether `text` is an absolute URI by the grammar of RFC 3986, fragment allowed."""
    return _parsed(text) is not None


def _parsed(text: str) -> re.Match[str] | None:
    match = _URI.fullmatch(text)
    return None if match is None or (match["ipv6"] and not _is_ipv6(match["ipv6"])) else match


def _is_ipv6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True


_OBJECT_ID = re.compile(r"[0-9a-f]{24}")

# RFC 3986, appendix A; the names in the comments are those of its productions.
_PLAIN = r"A-Za-z0-9\-._~!$&'()*+,;="  # unreserved, sub-delims
_PCT = r"%[0-9A-Fa-f]{2}"  # pct-encoded
_PCHAR = rf"(?:[{_PLAIN}:@]|{_PCT})"
_URI = re.compile(
    rf"""
    (?P<scheme> [A-Za-z][A-Za-z0-9+.\-]* ) :                 # scheme
    (?: //                                                    # authority path-abempty
        (?: (?:[{_PLAIN}:]|{_PCT})* @ )?                      #   userinfo
        (?P<host> \[ (?: (?P<ipv6>[0-9A-Fa-f:.]+) | [vV][0-9A-Fa-f]+\.[{_PLAIN}:]+ ) \]
          | (?:[{_PLAIN}]|{_PCT})* )                          #   IP-literal, or reg-name
        (?: : [0-9]* )?                                       #   port
        (?: / {_PCHAR}* )*
      | /? (?: {_PCHAR}+ (?: / {_PCHAR}* )* )?                # path-absolute, path-rootless or path-empty
    )
    (?: \? (?:{_PCHAR}|[/?])* )?                              # query
    (?: \# (?:{_PCHAR}|[/?])* )?                              # fragment
    """,
    re.VERBOSE | re.ASCII,
)
