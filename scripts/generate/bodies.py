"""Which of the media types of a body the client writes, and which of a response's it asks for and reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import document as doc
import media_types

if TYPE_CHECKING:
    from collections.abc import Iterator

Content = dict[str, dict[str, Any]]
_KINDS = ("json", "text", "bytes")  # as they are read, those that a caller is best served with first


def choose(document: dict[str, Any]) -> None:
    """Leave of each body's media types those that the client writes or reads, if there are such."""
    for found in doc.operations(document):
        body = doc.resolve(document, found.operation.get("requestBody")) or {}
        if body.get("content"):
            body["content"] = _sent(body["content"])
        for reply in found.operation["responses"].values():
            resolved = doc.resolve(document, reply)
            if resolved.get("content"):
                resolved["content"] = _read(resolved["content"])


def _sent(content: Content) -> Content:
    """One media type: JSON if it is among them, else the first."""
    able = [name for name in content if not media_types.problem(name)]
    first = next((name for name in able if media_types.kind_of_request(name) == "json"), None) or next(iter(able), None)
    return {first: content[first]} if first else content


def _read(content: Content) -> Content:
    """All that can be read, without what is only JSON's content in another notation."""
    able = {name: described for name, described in content.items() if not _problem(name)}
    json = {name: described for name, described in able.items() if kind(name, described) == "json"}
    schemas = [described.get("schema") for described in json.values()]
    others = {name: described for name, described in able.items() if described.get("schema") not in schemas}
    return json | others if able else content


def _problem(media_type: str) -> str:
    return media_types.problem(media_type) or ("" if media_types.kind(media_type) else "no kind")


def kind(media_type: str, described: dict[str, Any]) -> str:
    """How a response's body is read; any media type at all is JSON if its schema says that it is no text."""
    schema = described.get("schema", {})
    if media_type in media_types.ANY:
        is_text = not schema or (isinstance(schema, dict) and schema.get("type") == "string")
        return "bytes" if is_text else "json"
    return media_types.kind(media_type)


def by_kind(content: Content) -> Iterator[tuple[str, Content]]:
    """The media types of a response by the way that they are read."""
    for each in _KINDS:
        own = {name: described for name, described in content.items() if kind(name, described) == each}
        if own:
            yield each, own
