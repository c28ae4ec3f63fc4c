"""Bytes on their way through JSON lines."""

import base64
from typing import Any, Final

MARK: Final = "\0bytes"


def packed(value: Any) -> Any:
    """Give a value in which bytes are written as JSON."""
    if isinstance(value, bytes):
        return {MARK: base64.b64encode(value).decode()}
    if isinstance(value, dict):
        return {name: packed(member) for name, member in value.items()}
    return [packed(item) for item in value] if isinstance(value, list) else value


def restored(value: Any) -> Any:
    """Undo :func:`packed`."""
    if isinstance(value, dict):
        if value.keys() == {MARK}:
            return base64.b64decode(value[MARK])
        return {name: restored(member) for name, member in value.items()}
    return [restored(item) for item in value] if isinstance(value, list) else value
