"""Which bodies are driven: JSON, forms, text and bytes."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from contract_tests.openapi.document import Contract, Media, Operation, join
from contract_tests.openapi.json_text import essence_of, is_json
from contract_tests.rules import SetUpError


class BodyKind(StrEnum):
    """How a body stands on the wire."""

    JSON = "json"
    FORM = "form"
    MULTIPART = "multipart"
    TEXT = "text"
    BINARY = "binary"


def kind_of(media_type: str) -> BodyKind:
    """Return how bodies of a media type stand on the wire; what nothing is known of is bytes."""
    essence = essence_of(media_type)
    if is_json(media_type):
        return BodyKind.JSON
    if essence == "application/x-www-form-urlencoded":
        return BodyKind.FORM
    if essence == "multipart/form-data":
        return BodyKind.MULTIPART
    return BodyKind.TEXT if essence.startswith("text/") else BodyKind.BINARY


def json_media(media: Mapping[str, Media] | None) -> Media | None:
    """Return the first JSON form of a body, None if there is none."""
    return next((found for found in (media or {}).values() if is_json(found.media_type)), None)


def request_media(operation: Operation) -> Media | None:
    """Return the form of an operation's request body that is driven: JSON if there is such, else the first one."""
    declared = operation.body.media if operation.body else {}
    return json_media(declared) or next(iter(declared.values()), None)


def with_bytes(contract: Contract, media: Media, body: Any) -> Any:
    """Return a body with bytes where the contract says so, for texts that stand for them in cases."""
    if kind_of(media.media_type) is BodyKind.BINARY and isinstance(body, str):
        return body.encode()
    if kind_of(media.media_type) is not BodyKind.MULTIPART or not isinstance(body, dict):
        return body
    schema = contract.follow(media.schema or "#")
    return {name: _bytes_of(contract, join(schema, "properties", name), value) for name, value in body.items()}


def _bytes_of(contract: Contract, pointer: str, value: Any) -> Any:
    if isinstance(value, list):
        return [_bytes_of(contract, join(pointer, "items"), item) for item in value]
    return value.encode() if isinstance(value, str) and _is_binary(contract, pointer) else value


def _is_binary(contract: Contract, pointer: str) -> bool:
    try:
        node = contract.at(contract.follow(pointer))
    except SetUpError:
        return False  # a property that the contract does not name
    return isinstance(node, dict) and (node.get("format") == "binary" or "contentMediaType" in node)
