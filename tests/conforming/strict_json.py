"""Reads JSON and judges members, with the types of JSON Schema."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

DEEPEST = 300
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:(?:[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})*")
Test = Callable[[Any], bool]


class Invalid(Exception):
    """A request is not what the contract says; ``place`` says where."""

    def __init__(self, words: str, *place: str | int) -> None:
        """Say what is wrong, and where."""
        super().__init__(words)
        self.place = place


def read(raw: bytes) -> Any:
    """Read a JSON text.

    Raises:
        Invalid: It is none.
    """
    try:
        value = json.loads(raw.decode("utf-8"), parse_constant=_no_constant, parse_float=_number)
    except (ValueError, RecursionError) as error:
        raise Invalid(f"this is no JSON: {type(error).__name__}", "body") from None
    if _depth(value) > DEEPEST:
        raise Invalid("this is nested too deep", "body")
    return value


def is_text(value: Any) -> bool:
    """Tell whether a value is a string."""
    return isinstance(value, str)


def is_whole(value: Any) -> bool:
    """Tell whether a value is an integer; 1.0 is one, true is none."""
    return (isinstance(value, int) and not isinstance(value, bool)) or (isinstance(value, float) and value % 1 == 0)


def is_truth(value: Any) -> bool:
    """Tell whether a value is a boolean."""
    return isinstance(value, bool)


def is_object(value: Any) -> bool:
    """Tell whether a value is an object."""
    return isinstance(value, dict)


def is_uri(value: Any) -> bool:
    """Tell whether a value is a URI with a scheme."""
    return isinstance(value, str) and _URI.fullmatch(value) is not None and _port_is_number(value)


def is_http_uri(value: Any) -> bool:
    """Tell whether a value is a URI of HTTP, with a host."""
    is_of_http = is_uri(value) and value.partition(":")[0].lower() in {"http", "https"}
    return is_of_http and bool(_host_and_port(value).partition(":")[0])


def or_null(test: Test) -> Test:
    """Let null pass too."""
    return lambda value: value is None or test(value)


def each(test: Test) -> Test:
    """Tell whether a value is an object all of whose members pass."""
    return lambda value: isinstance(value, dict) and all(map(test, value.values()))


def check_members(body: Any, tests: dict[str, Test]) -> dict[str, Any]:
    """Give the body if it is an object whose members pass; unknown ones do.

    Raises:
        Invalid: They don't.
    """
    if not isinstance(body, dict):
        raise Invalid("this has to be an object", "body")
    for name, test in tests.items():
        if name in body and not test(body[name]):
            raise Invalid("this has another type", "body", name)
    return body


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def _number(text: str) -> Any:
    # A number beyond a double is legal JSON. It is only ever shown, so its text will do.
    number = float(text)
    return text if number in {float("inf"), float("-inf")} else number


def _depth(value: Any) -> int:
    depth, level = 0, [value]
    while level:
        depth += 1
        level = [
            inner
            for one in level
            if isinstance(one, dict | list)
            for inner in (one.values() if isinstance(one, dict) else one)
        ]
    return depth


def _port_is_number(url: str) -> bool:
    port = _host_and_port(url).rpartition("]")[2].partition(":")[2]
    return not port or (port.isdecimal() and int(port) < 2**16)


def _host_and_port(url: str) -> str:
    authority = re.match(r"[^:]*://([^/?#]*)", url)
    return authority[1].rpartition("@")[2] if authority else ""
