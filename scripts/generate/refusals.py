"""What the generated client would send or read otherwise than the contract says, found before it is generated.

Silence would be worse than a refusal: each names its place and what to do.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import document as doc
import facts

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "templates"))
from runtime.schema import KEYWORDS, ecma_pattern

if TYPE_CHECKING:
    from collections.abc import Iterator

_JSON = re.compile(r"application/(?:[\w.+-]+\+)?json", re.IGNORECASE)
_STYLES = {
    "path": {"simple"},
    "query": {"form", "spaceDelimited", "pipeDelimited", "deepObject"},
    "header": {"simple"},
    "cookie": {"form"},
}


class Refusal(NamedTuple):
    """One place in the contract, and why it can't be generated."""

    pointer: str
    reason: str


def find(document: dict[str, Any]) -> list[Refusal]:
    """Everything in the contract that must be refused."""
    found = [*_names(document), *_service_addresses(document)]
    for operation in doc.operations(document):
        for part in (_tags, _security, _parameters, _request_body, _replies):
            found += part(document, operation)
    return [*found, *_everywhere(document)]


def _names(document: dict[str, Any]) -> Iterator[Refusal]:
    seen: dict[str, str] = {}
    for found in doc.operations(document):
        operation_id = found.operation.get("operationId")
        if not operation_id:
            yield Refusal(found.pointer, "it has no operationId, which is the method's name")
            continue
        name = facts.python_name(operation_id)
        if name in seen:
            yield Refusal(found.pointer, f"its method would be called {name}, like the one of {seen[name]}")
        seen[name] = found.pointer


def _tags(document: dict[str, Any], found: doc.Found) -> Iterator[Refusal]:
    services = [tag["name"] for tag in document.get("tags", [])]
    tags = found.operation.get("tags") or []
    if not tags or tags[0] not in services:
        name = found.operation.get("operationId", found.pointer)
        first = f"its first tag is {tags[0]!r}" if tags else "it has no tag"
        yield Refusal(found.pointer, f"{name}: {first}, but the first tag names the service: {', '.join(services)}")


def _service_addresses(document: dict[str, Any]) -> Iterator[Refusal]:
    chosen: dict[str, list[str]] = {}
    for found in doc.operations(document):
        service = (found.operation.get("tags") or [""])[0]
        servers = doc.servers(document, found)
        if chosen.setdefault(service, servers) != servers:
            reason = f"its servers {servers} differ from the service's {chosen[service]}; a class has one base URL"
            yield Refusal(found.pointer, reason)


def _security(document: dict[str, Any], found: doc.Found) -> Iterator[Refusal]:
    schemes = doc.security(document, found)
    if len(schemes) > 1:
        yield Refusal(found.pointer + "/security", "more than one scheme; the client holds one key")
    for scheme in schemes:
        bearer = scheme["type"] == "http" and scheme.get("scheme", "").lower() == "bearer"
        if not bearer and not (scheme["type"] == "apiKey" and scheme["in"] == "header"):
            yield Refusal(found.pointer + "/security", "only a bearer token and a key in a header can be sent")


def _parameters(document: dict[str, Any], found: doc.Found) -> Iterator[Refusal]:
    for (place, name), parameter in doc.parameters(document, found).items():
        where = f"{found.pointer}/parameters ({place} {name})"
        if "content" in parameter:
            yield Refusal(where, "a parameter with `content` is not generated; describe it with `schema`")
        style = parameter.get("style")
        if style and style not in _STYLES[place]:
            yield Refusal(where, f"style {style} is not written by the client")
        if parameter.get("allowReserved"):
            yield Refusal(where, "allowReserved: the client always percent-encodes")
        yield from _checkable(document, parameter.get("schema", True), where)


def _request_body(document: dict[str, Any], found: doc.Found) -> Iterator[Refusal]:
    body = doc.resolve(document, found.operation.get("requestBody")) or {}
    where = found.pointer + "/requestBody"
    media_types = list(body.get("content", {}))
    if len(media_types) > 1:
        yield Refusal(where, f"one media type can be sent, not {len(media_types)}")
    for media_type, content in body.get("content", {}).items():
        if not _JSON.fullmatch(media_type):
            yield Refusal(where, f"{media_type} bodies are not written; JSON is")
        yield from _checkable(document, content.get("schema", True), where)


def _checkable(document: dict[str, Any], schema: Any, where: str) -> Iterator[Refusal]:
    """Schemas of what is sent: the client checks arguments, so it must know every keyword."""
    for inner in _schemas(facts.checkable(document, schema)):
        for keyword in inner.keys() - KEYWORDS - {"description", "readOnly", "writeOnly", "discriminator"}:
            yield Refusal(where, f"the client can't check the keyword {keyword}")
        for pattern in [*inner.get("patternProperties", ()), *([inner["pattern"]] if "pattern" in inner else [])]:
            try:
                ecma_pattern(pattern)
            except re.error as error:
                yield Refusal(where, f"the pattern {pattern} can't be used in Python: {error}")


def _schemas(schema: Any) -> Iterator[dict[str, Any]]:
    if not isinstance(schema, dict):
        return
    yield schema
    for key, value in schema.items():
        if key in {"properties", "patternProperties", "$defs"}:
            inner = value.values()
        elif key in {"allOf", "anyOf", "oneOf", "prefixItems"}:
            inner = value
        else:
            inner = [value] if key in {"items", "additionalProperties", "propertyNames", "not"} else []
        for item in inner:
            yield from _schemas(item)


def _replies(document: dict[str, Any], found: doc.Found) -> Iterator[Refusal]:
    for status, declared in found.operation.get("responses", {}).items():
        content = doc.resolve(document, declared).get("content", {})
        if len(content) > 1 and not all(map(_JSON.fullmatch, content)):
            where = f"{found.pointer}/responses/{status}"
            yield Refusal(where, f"one kind of media type can be read, not {', '.join(content)}")


def _everywhere(document: dict[str, Any]) -> Iterator[Refusal]:
    for name, component in document.get("components", {}).get("schemas", {}).items():
        where = doc.pointer("components", "schemas", name)
        for inner in _schemas(component):
            if "nullable" in inner:
                yield Refusal(where, "`nullable` means nothing in OpenAPI 3.1; write type: [x, 'null']")
            if "discriminator" in inner and not _all_references(inner):
                yield Refusal(where, "a discriminator whose forms are not all components can't be told apart")
            if inner is not component and any(_one_sided(member) for member in inner.get("properties", {}).values()):
                yield Refusal(where, "readOnly and writeOnly are honoured in components, not in objects inside them")


def _all_references(union: dict[str, Any]) -> bool:
    forms = [*union.get("oneOf", ()), *union.get("anyOf", ())]
    return bool(forms) and all(doc.reference_name(form) for form in forms)


def _one_sided(member: Any) -> bool:
    return isinstance(member, dict) and bool(member.get("readOnly") or member.get("writeOnly"))
