"""Bytes on their way through JSON lines."""

import base64
from typing import Any, Final

MARK: Final = "\0bytes"


def encode_bytes(value: Any) -> Any:
    """Return a value in which bytes are written as JSON."""
    if isinstance(value, bytes):
        return {MARK: base64.b64encode(value).decode()}
    if isinstance(value, dict):
        return {name: encode_bytes(member) for name, member in value.items()}
    return [encode_bytes(item) for item in value] if isinstance(value, list) else value


def decode_bytes(value: Any) -> Any:
    """Undo :func:`encode_bytes`."""
    if isinstance(value, dict):
        if value.keys() == {MARK}:
            return base64.b64decode(value[MARK])
        return {name: decode_bytes(member) for name, member in value.items()}
    return [decode_bytes(item) for item in value] if isinstance(value, list) else value
