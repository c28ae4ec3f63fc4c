"""Compares the body of a request on the wire with the argument, by its media type."""

import re
from collections.abc import Iterator, Mapping
from email import message_from_bytes
from email.message import Message
from typing import Any, Final
from urllib.parse import parse_qsl

from contract_tests.http.body_comparison import body_differences
from contract_tests.http.body_kinds import BodyKind, kind_of, with_bytes
from contract_tests.http.expected_parameters import is_json_of, reads_as
from contract_tests.http.recording_server import RecordedRequest
from contract_tests.openapi.document import Contract, Media, join
from contract_tests.openapi.json_equality import Kind
from contract_tests.openapi.json_text import essence_of, is_json, json_or
from contract_tests.openapi.schema import closest_schema

_NAME: Final = re.compile(r'[;\s]name="([^"]*)"')

Problem = tuple[str, str, str]
"""A constraint, what was received, and what is documented (empty for what the rule says)."""


def body_problems(contract: Contract, media: Media, given: Any, seen: RecordedRequest) -> Iterator[Problem]:
    """Say where a body is not what was given; an added default has a rule of its own."""
    kinds = seen.all("Content-Type")
    is_right = len(kinds) == 1 and (
        is_json(kinds[0]) if is_json(media.media_type) else essence_of(kinds[0]) == essence_of(media.media_type)
    )
    if not is_right and "*" not in media.media_type:
        yield "Content-Type", f"{kinds}", media.media_type
    match kind_of(media.media_type):
        case BodyKind.JSON:
            yield from _json_problems(contract, media, given, seen)
        case BodyKind.FORM:
            yield from _entry_problems(contract, media, given, _form_entries(seen.body))
        case BodyKind.MULTIPART:
            parts = _parts(kinds[0] if kinds else "", seen.body)
            if parts is None:
                yield "multipart", f"{len(seen.body)} bytes that are no multipart body", ""
            else:
                yield from _entry_problems(contract, media, with_bytes(contract, media, given), parts)
        case _:
            if seen.body != (given if isinstance(given, bytes) else str(given).encode()):
                yield media.pointer, f"{len(seen.body)} other bytes", repr(given)


def _json_problems(contract: Contract, media: Media, given: Any, seen: RecordedRequest) -> Iterator[Problem]:
    body = json_or(seen.body, ...)
    if body is ...:
        yield "JSON", f"{len(seen.body)} bytes that are not JSON", ""
        return
    for difference in body_differences(contract, media.schema, given, body):
        if not difference.is_default:
            constraint = closest_schema(contract, media.schema, difference.place) if media.schema else "body"
            added = " nothing is added" if difference.kind is Kind.ADDED else ""
            yield constraint + added, difference.received, difference.documented


def _form_entries(body: bytes) -> list[tuple[str, bytes]]:
    pairs = parse_qsl(body.decode("latin-1"), keep_blank_values=True, encoding="latin-1")
    return [(name.encode("latin-1").decode("utf-8", "replace"), text.encode("latin-1")) for name, text in pairs]


def _parts(content_type: str, body: bytes) -> list[tuple[str, bytes]] | None:
    message = message_from_bytes(b"Content-Type: " + content_type.encode("latin-1") + b"\r\n\r\n" + body)
    if not message.is_multipart():
        return [] if re.fullmatch(rb"(?:--[^\r\n]*--)?\s*", body) else None  # a form of no properties has no parts
    return [_part(part) for part in message.get_payload() if isinstance(part, Message)]


def _part(part: Message) -> tuple[str, bytes]:
    # As it came: email takes every byte beyond ASCII for an unknown character.
    told = next((value for name, value in part.raw_items() if name.lower() == "content-disposition"), "")
    name = _NAME.search(str(told).encode("utf-8", "surrogateescape").decode("utf-8", "replace"))
    content = part.get_payload(decode=True)
    return _unescaped(name[1] if name else ""), content if isinstance(content, bytes) else b""


def _unescaped(name: str) -> str:
    # https://html.spec.whatwg.org/multipage/form-control-infrastructure.html#multipart-form-data
    return name.replace("%22", '"').replace("%0D", "\r").replace("%0A", "\n")


def _entry_problems(
    contract: Contract, media: Media, given: Mapping[str, Any], entries: list[tuple[str, bytes]]
) -> Iterator[Problem]:
    schema = contract.follow(media.schema) if media.schema else media.pointer
    for name, value in given.items():
        own = [text for key, text in entries if key == name]
        if value is not None and not _reads(own, value):  # null has no form in a form
            yield join(schema, "properties", name), f"{name}={own}", f"{name}={value!r}"
    for name in sorted({key for key, _ in entries} - set(given)):
        yield f"{schema} nothing is added", f"{name} was sent, but not given", ""


def _reads(texts: list[bytes], value: Any) -> bool:
    if isinstance(value, list) and len(texts) == len(value):
        return all(item is None or _reads_one(text, item) for text, item in zip(texts, value, strict=True))
    return len(texts) == 1 and _reads_one(texts[0], value)


def _reads_one(text: bytes, value: Any) -> bool:
    if isinstance(value, bytes):
        return text == value
    try:
        return is_json_of(text.decode(), value) if isinstance(value, dict | list) else reads_as(text.decode(), value)
    except ValueError:
        return False
