"""How parameters stand on the wire: the styles of OpenAPI 3.1, and which values have no form there."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote

from contract_tests.openapi.document import Operation, Parameter
from contract_tests.openapi.json_text import whole

SEPARATORS: Final = {"spaceDelimited": "%20", "pipeDelimited": "|"}  # for all other styles it is a comma
LARGEST_EXACT: Final = 2**53
HEADER_VALUE: Final = re.compile(r"[!-~]+( [!-~]+)*")
COOKIE_VALUE: Final = re.compile(r"[!#-+\--:<-\[\]-~]+")
DELIMITERS: Final = re.compile(r"[,;=.| ]")
BARE: Final = "+:@!$&'()*"  # of the reserved characters those by which no segment is divided into parameters
FIELDS: Final = {"header": HEADER_VALUE, "cookie": COOKIE_VALUE}


def text_of(value: Any) -> str:
    """Write one value as a parameter has it: text as it is, anything else as JSON does, ``7.0`` as ``7``."""
    if isinstance(value, float) and abs(value) <= LARGEST_EXACT and (number := whole(value)) is not None:
        return str(number)
    return value if isinstance(value, str) else json.dumps(value)


def encode_path(operation: Operation, values: Mapping[str, Any]) -> str:
    """Fill in a path; each value is one segment, with everything escaped that could end or shift it."""
    path = operation.path
    for parameter in operation.parameters:
        if parameter.location == "path" and parameter.name in values:
            path = path.replace(f"{{{parameter.name}}}", _path_text(parameter, values[parameter.name]))
    return path


def with_bare_characters(path: str) -> str:
    """Return a path in which those characters stand as they are that a segment may have and that divide nothing."""
    for character in BARE:
        path = path.replace(f"%{ord(character):02X}", character)
    return path


def encode_query(operation: Operation, values: Mapping[str, Any]) -> str:
    """Write a query with its question mark; empty if there is nothing to write."""
    pairs: list[str] = []
    for parameter in operation.parameters:
        if parameter.location == "query" and parameter.name in values:
            pairs += _pairs(parameter, values[parameter.name])
    return "?" + "&".join(pairs) if pairs else ""


def encode_headers(operation: Operation, headers: Mapping[str, Any], cookies: Mapping[str, Any]) -> dict[str, str]:
    """Write header and cookie parameters as headers."""
    found = {
        parameter.name: _header_text(parameter, headers[parameter.name])
        for parameter in operation.parameters
        if parameter.location == "header" and parameter.name in headers
    }
    pairs = [f"{_escape(name)}={_cookie_text(value)}" for name, value in cookies.items()]
    return {**found, "Cookie": "; ".join(pairs)} if pairs else found


def can_be_written(parameter: Parameter, value: Any) -> bool:
    """
    Whether a value can be written so that a server reads that value and no other.

    Null cannot: what stands in its place is a word. Nor can an empty list, which is nothing at all, a list in a list,
    or a text in a header that HTTP has no form for.
    """
    if parameter.media_type:
        return parameter.location != "cookie"
    if not isinstance(value, list | dict):
        return _is_plain(value) and _has_form(parameter, text_of(value))
    parts = items_of(value)
    if not parts or not all(map(_is_plain, parts)) or parameter.location == "cookie":
        return False
    if parameter.location == "query" and (parameter.explode or parameter.style == "deepObject"):
        return True
    # Who reads a list splits it, before or after it is decoded.
    is_clear = all(text and not DELIMITERS.search(text) for text in map(text_of, parts))
    return is_clear and (parameter.location != "header" or _has_form(parameter, _header_text(parameter, value)))


def _is_plain(value: Any) -> bool:
    return isinstance(value, bool | int | float | str) and not re.search("[\ud800-\udfff]", text_of(value))


def _has_form(parameter: Parameter, text: str) -> bool:
    if parameter.location == "path":
        return text not in {"", ".", ".."}
    form = FIELDS.get(parameter.location)
    return form is None or form.fullmatch(text) is not None


def _path_text(parameter: Parameter, value: Any) -> str:
    start = {"label": ".", "matrix": ";"}.get(parameter.style, "")
    if parameter.media_type:
        return _escape(json.dumps(value))
    if isinstance(value, list | dict):
        return start + _styled(parameter, value, _escape)
    escaped = _escape(text_of(value))
    # A dot segment is resolved away; escaped, at least no client does that.
    escaped = escaped.replace(".", "%2E") if escaped in {".", ".."} else escaped
    return start + (f"{_escape(parameter.name)}={escaped}" if parameter.style == "matrix" else escaped)


def _styled(parameter: Parameter, value: Any, escape: Callable[[str], str]) -> str:
    """Write a list or an object in the style of a path or a header."""
    separator = {"label": ".", "matrix": ";"}.get(parameter.style, ",") if parameter.explode else ","
    prefix = f"{escape(parameter.name)}=" if parameter.style == "matrix" else ""
    if isinstance(value, list):
        items = [escape(text_of(item)) for item in value]
        return separator.join(prefix + item for item in items) if parameter.explode else prefix + ",".join(items)
    members = [(escape(key), escape(text_of(item))) for key, item in value.items()]
    if parameter.explode:
        return separator.join(f"{key}={item}" for key, item in members)
    return prefix + ",".join(part for member in members for part in member)


def query_entries(parameter: Parameter, value: Any) -> list[tuple[str, Any]]:
    """Return the pairs of a query that a value becomes: a name, and a plain value or a list of what stands in it."""
    if isinstance(value, dict) and parameter.style == "deepObject":
        return [(f"{parameter.name}[{key}]", item) for key, item in value.items()]
    if isinstance(value, dict) and parameter.explode:
        return list(value.items())
    if isinstance(value, list) and parameter.explode:
        return [(parameter.name, item) for item in value]
    return [(parameter.name, items_of(value))]


def items_of(value: Any) -> Any:
    """Return a value with the names and values of an object in turn, as it stands in one pair or one segment."""
    return [part for pair in value.items() for part in pair] if isinstance(value, dict) else value


def _pairs(parameter: Parameter, value: Any) -> Iterator[str]:
    entries = [(parameter.name, json.dumps(value))] if parameter.media_type else query_entries(parameter, value)
    separator = SEPARATORS.get(parameter.style, ",")
    for name, item in entries:
        items = item if isinstance(item, list) else [item]
        yield f"{_escape(name)}={separator.join(_escape(text_of(each)) for each in items)}"


def _header_text(parameter: Parameter, value: Any) -> str:
    if parameter.media_type:
        return json.dumps(value)
    return _styled(parameter, value, str) if isinstance(value, list | dict) else text_of(value)


def _cookie_text(value: Any) -> str:
    # Nobody undoes an escape in a cookie: what can stand as it is does.
    text = text_of(value)
    return text if COOKIE_VALUE.fullmatch(text) else _escape(text)


def _escape(text: str) -> str:
    return quote(text, safe="", errors="surrogatepass")
