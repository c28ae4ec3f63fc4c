"""Writes the body of a request as its media type has it: JSON, the fields of a form, text or bytes."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlencode

from contract_tests.http.body_kinds import BodyKind, kind_of
from contract_tests.http.parameters import text_of

BOUNDARY: Final = "contract-tests-boundary"


def written(media_type: str, body: Any) -> tuple[bytes, str]:
    """Return a body as it stands on the wire, and its content type; files of a form are bytes in it."""
    match kind_of(media_type), body:
        case _, bytes():
            return body, media_type
        case BodyKind.FORM, dict():
            return urlencode([(name, _text(value)) for name, value in _fields(body)]).encode(), media_type
        case BodyKind.MULTIPART, dict():
            parts = b"".join(_part(name, value) for name, value in _fields(body))
            return parts + f"--{BOUNDARY}--\r\n".encode(), f"{media_type}; boundary={BOUNDARY}"
        case BodyKind.TEXT | BodyKind.BINARY, str():
            return body.encode("utf-8", "surrogatepass"), media_type
    # In ASCII, so that a shell can carry it to the byte.
    return json.dumps(body, allow_nan=False).encode(), media_type


def can_be_sent_as(media_type: str, body: Any) -> bool:
    """Whether a body can be written so that a server reads that value and no other."""
    kind = kind_of(media_type)
    if kind is BodyKind.JSON or isinstance(body, bytes):
        return True
    if kind in {BodyKind.TEXT, BodyKind.BINARY}:
        return isinstance(body, str)
    # A field has no types: null, an empty list and, in a query's notation, an empty text may all be nothing.
    nothing = [None, ""] if kind is BodyKind.FORM else [None]
    return isinstance(body, dict) and all(_is_field(value, nothing) for value in body.values())


def _is_field(value: Any, nothing: list[Any]) -> bool:
    values = value if isinstance(value, list) else [value]
    return bool(values) and not any(one in nothing or isinstance(one, list | dict) for one in values)


def _fields(body: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in body.items():
        yield from ((name, item) for item in (value if isinstance(value, list) else [value]) if item is not None)


def _text(value: Any) -> str | bytes:
    return value if isinstance(value, bytes) else text_of(value)


def _part(name: str, value: Any) -> bytes:
    quoted = name.replace("\\", "\\\\").replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
    file = f'; filename="{quoted}"\r\nContent-Type: application/octet-stream' if isinstance(value, bytes) else ""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{quoted}"{file}\r\n\r\n'.encode()
    text = _text(value)
    return head + (text if isinstance(text, bytes) else text.encode()) + b"\r\n"
