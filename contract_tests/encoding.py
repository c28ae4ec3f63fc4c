"""How parameters stand on the wire: the styles of OpenAPI 3.1."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from contract_tests.contract import Operation, Parameter

SEPARATORS = {"form": ",", "spaceDelimited": "%20", "pipeDelimited": "|", "simple": ",", "label": ".", "matrix": ","}


def text_of(value: Any) -> str:
    """Write one value as a parameter has it: text as it is, anything else as JSON does."""
    return value if isinstance(value, str) else json.dumps(value)


def encode_path(operation: Operation, values: Mapping[str, Any]) -> str:
    """Fill in a path; each value is one segment, with everything escaped that could end or shift it."""
    path = operation.path
    for parameter in operation.parameters:
        if parameter.location == "path" and parameter.name in values:
            path = path.replace(f"{{{parameter.name}}}", _path_text(values[parameter.name]))
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
        parameter.name: _simple(headers[parameter.name])
        for parameter in operation.parameters
        if parameter.location == "header" and parameter.name in headers
    }
    pairs = [f"{_escape(name)}={_escape(text_of(value))}" for name, value in cookies.items()]
    return {**found, "Cookie": "; ".join(pairs)} if pairs else found


def _path_text(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(_escape(text_of(item)) for item in value)
    escaped = _escape(text_of(value))
    # A dot segment is resolved away; escaped, at least no client does that.
    return escaped.replace(".", "%2E") if escaped in {".", ".."} else escaped


def _pairs(parameter: Parameter, value: Any) -> list[str]:
    name = _escape(parameter.name)
    if parameter.media_type:
        return [f"{name}={_escape(json.dumps(value))}"]
    if isinstance(value, dict):
        return _object_pairs(parameter, name, value)
    if isinstance(value, list):
        items = [_escape(text_of(item)) for item in value]
        return [f"{name}={item}" for item in items] if parameter.explode else [f"{name}={_joined(parameter, items)}"]
    return [f"{name}={_escape(text_of(value))}"]


def _object_pairs(parameter: Parameter, name: str, value: Mapping[str, Any]) -> list[str]:
    members = [(_escape(key), _escape(text_of(item))) for key, item in value.items()]
    if parameter.style == "deepObject":
        return [f"{name}%5B{key}%5D={item}" for key, item in members]
    if parameter.explode:
        return [f"{key}={item}" for key, item in members]
    return [f"{name}={_joined(parameter, [part for member in members for part in member])}"]


def _joined(parameter: Parameter, items: list[str]) -> str:
    return SEPARATORS.get(parameter.style, ",").join(items)


def _simple(value: Any) -> str:
    return ",".join(map(text_of, value)) if isinstance(value, list) else text_of(value)


def _escape(text: str) -> str:
    return quote(text, safe="", errors="surrogatepass")
