"""Bodies that are no JSON: forms, files, texts and bytes, as RFC 7578 and the URL standard write them."""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING, Any

from .parameters import Parameter
from .types import Part, Problem, Upload

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["parts_of", "written"]


def parts_of(value: Any) -> Any:
    """What is to be checked as a form, with files as texts of one character for each byte."""
    if isinstance(value, Upload):
        return Part.of(*value)
    if isinstance(value, bytes | bytearray | memoryview):
        return Part.of(bytes(value))
    if isinstance(value, dict):
        return {name: parts_of(item) for name, item in value.items()}
    return [parts_of(item) for item in value] if isinstance(value, list) else value


def written(media_type: str, kind: str, body: Any, encoding: Mapping[str, Any]) -> tuple[bytes, str]:
    """A checked body as it goes over the wire, and its content type.

    Raises:
        Problem: it can't be written so.
    """
    if kind == "bytes":
        return body, media_type
    if kind == "text":
        return _utf_8(body), media_type
    if not isinstance(body, dict):
        raise Problem("an object", body)
    if kind == "form":
        return "&".join(_pairs(body, encoding)).encode("ascii"), media_type
    boundary = secrets.token_hex(16)
    parts = b"".join(_parts(body, encoding, boundary))
    return b"%s--%s--\r\n" % (parts, boundary.encode()), f"{media_type}; boundary={boundary}"


def _pairs(body: dict[str, Any], encoding: Mapping[str, Any]) -> Iterator[str]:
    for name, value in body.items():
        told = encoding.get(name, {})
        styled = isinstance(value, dict) and "style" in told
        item = value if styled else [_field(one) for one in value] if isinstance(value, list) else _field(value)
        style = told.get("style", "form")
        explode = told.get("explode", style == "form")
        yield from Parameter(name, name, "query", style, explode, required=False, schema=True).query(item)


def _field(value: Any) -> Any:
    """A value of a form; objects and lists within lists are JSON, and null is a field without a value."""
    return "" if value is None else _json(value) if isinstance(value, dict | list) else value


def _parts(body: dict[str, Any], encoding: Mapping[str, Any], boundary: str) -> Iterator[bytes]:
    for name, value in body.items():
        told = encoding.get(name, {}).get("contentType", "")
        for item in value if isinstance(value, list) else [value]:
            content, filename, media_type = _part(name, item, "" if "," in told or "*" in told else told)
            disposition = f'form-data; name="{_escaped(name)}"' + (
                f'; filename="{_escaped(filename)}"' * bool(filename)
            )
            kind = f"Content-Type: {media_type}\r\n" * bool(media_type)
            head = f"--{boundary}\r\nContent-Disposition: {disposition}\r\n{kind}\r\n"
            yield _utf_8(head) + content + b"\r\n"


def _part(name: str, value: Any, media_type: str) -> tuple[bytes, str, str]:
    """Content, file name and media type of one part."""
    if isinstance(value, Part):
        if not (value.media_type.isascii() and value.media_type.isprintable()):
            raise Problem("a media type of printable ASCII characters", value.media_type)
        kind = value.media_type or media_type or "application/octet-stream"
        return value.encode("latin-1"), value.filename or name, kind
    if isinstance(value, dict | list):
        return _utf_8(_json(value)), "", media_type or "application/json"
    text = "" if value is None else value if isinstance(value, str) else _json(value)
    return _utf_8(text), "", media_type


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _utf_8(text: Any) -> bytes:
    try:
        return str(text).encode()
    except UnicodeEncodeError:
        pass
    raise Problem("a text that UTF-8 can write", received="one with half a character")


def _escaped(text: str) -> str:
    return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
