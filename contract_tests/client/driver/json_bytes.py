"""What JSON lines can't hold: bytes, and objects of Python's own for texts."""

import base64
import datetime
import uuid
from collections.abc import Callable, Mapping
from typing import Any, Final

OBJECTS: Final[Mapping[str, Callable[[str], Any]]] = {
    "datetime": datetime.datetime.fromisoformat,
    "date": datetime.date.fromisoformat,
    "UUID": uuid.UUID,
}
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


def with_objects(value: Any, kinds: Mapping[str, str]) -> Any:
    """Return a value with objects in place of those texts that are named with a kind of them."""
    if isinstance(value, Mapping):
        return {name: with_objects(member, kinds) for name, member in value.items()}
    if isinstance(value, list):
        return [with_objects(item, kinds) for item in value]
    return OBJECTS[kinds[value]](value) if isinstance(value, str) and value in kinds else value
