"""What the generated client would send or read otherwise than the contract says, found before it is generated.

Silence would be worse than a refusal: each names its place and what to do.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

import document as doc
import facts
import naming
import shape
from checkable import checkable

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
# Methods of these names would take the place of the generated client's own, or hide behind what `workflow_runs` adds by
# hand. Written down here, since that package imports what is generated and can't be asked while it is; a test compares.
TAKEN = frozenset({"aclose", "base_url", "close", "run_and_wait", "wait", "with_options", "with_run_tags"})


class Refusal(NamedTuple):
    """One place in the contract, and why it can't be generated."""

    pointer: str
    reason: str


def lines(found: list[Refusal]) -> list[str]:
    """Refusals as they are told."""
    return [f"{refusal.pointer}: {refusal.reason}" for refusal in found]


def find(document: dict[str, Any]) -> list[Refusal]:
    """Everything in the contract that must be refused."""
    broken = [Refusal(*problem) for problem in shape.problems(document)]
    if broken:
        return broken  # and nothing else can be looked at
    found = [*_path_items(document), *_names(document), *_addresses(document), *_service_addresses(document)]
    for operation in doc.operations(document):
        for part in (_tags, _security, _parameters, _request_body, _replies):
            found += part(document, operation)
    return [*found, *_everywhere(document)]


def _path_items(document: dict[str, Any]) -> Iterator[Refusal]:
    for path, item in document["paths"].items():
        if "$ref" in item:
            yield Refusal(doc.pointer("paths", path), "a path item by $ref would be left out; write it in its place")


def _names(document: dict[str, Any]) -> Iterator[Refusal]:
    for index, tag in enumerate(document.get("tags", [])):
        name = tag.get("x-class-name", "Service")
        if not isinstance(name, str) or not name.isidentifier():
            yield Refusal(doc.pointer("tags", index), f"its x-class-name {name!r} is no name for a class")
    seen: dict[str, str] = {}
    for found in doc.operations(document):
        operation_id = found.operation.get("operationId")
        if not operation_id:
            yield Refusal(found.pointer, "it has no operationId, which is the method's name")
            continue
        name = naming.identifier(operation_id)
        if name in TAKEN:
            yield Refusal(found.pointer, f"{operation_id}: its method would be called {name}, like one of the client's")
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


def _addresses(document: dict[str, Any]) -> Iterator[Refusal]:
    places = dict(doc.servers(document, found) for found in doc.operations(document))
    for where, urls in places.items():
        for url in urls:
            if "{" in url:
                yield Refusal(where, f"{url}: variables of a server are not filled in; write its address")
            elif urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).netloc:
                yield Refusal(where, f"{url}: only an absolute http or https address can be sent to")


def _service_addresses(document: dict[str, Any]) -> Iterator[Refusal]:
    chosen: dict[str, list[str]] = {}
    for found in doc.operations(document):
        service = (found.operation.get("tags") or [""])[0]
        _, servers = doc.servers(document, found)
        if chosen.setdefault(service, servers) != servers:
            reason = f"its servers {servers} differ from the service's {chosen[service]}; a class has one base URL"
            yield Refusal(found.pointer, reason)


def _security(document: dict[str, Any], found: doc.Found) -> Iterator[Refusal]:
    schemes = doc.security(document, found)
    names = doc.scheme_names(document, found)
    if len(names) > 1:
        yield Refusal(found.pointer + "/security", "more than one scheme; the client holds one key")
    for name in names:
        if name not in document.get("components", {}).get("securitySchemes", {}):
            yield Refusal(found.pointer + "/security", f"the scheme {name} is declared nowhere")
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
        yield from _inline_one_sided(document, content.get("schema"), where)


def _inline_one_sided(document: dict[str, Any], schema: Any, where: str) -> Iterator[Refusal]:
    for inner in _schemas(schema):
        for name, member in inner.get("properties", {}).items():
            side = facts.one_side(document, member)
            if side:
                yield Refusal(where, f"{name}: {side} is honoured in components; make the schema one of them")


def _checkable(document: dict[str, Any], schema: Any, where: str) -> Iterator[Refusal]:
    """Schemas of what is sent: the client checks arguments, so it must know every keyword."""
    for inner in _schemas(checkable(document, schema)):
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
        where = f"{found.pointer}/responses/{status}"
        for described in content.values():
            yield from _inline_one_sided(document, described.get("schema"), where)
        if len(content) > 1 and not all(map(_JSON.fullmatch, content)):
            yield Refusal(where, f"one kind of media type can be read, not {', '.join(content)}")


def _everywhere(document: dict[str, Any]) -> Iterator[Refusal]:
    modules: dict[str, str] = {}
    for name, component in document.get("components", {}).get("schemas", {}).items():
        where = doc.pointer("components", "schemas", name)
        other = modules.setdefault(naming.identifier(name), name)
        if other != name:
            yield Refusal(where, f"its module would be called {naming.identifier(name)}, like the one of {other}")
        for inner in _schemas(component):
            if "nullable" in inner:
                yield Refusal(where, "`nullable` means nothing in OpenAPI 3.1; write type: [x, 'null']")
            if "discriminator" in inner and not _all_references(inner):
                yield Refusal(where, "a discriminator whose forms are not all components can't be told apart")
            members = inner.get("properties", {}).values() if inner is not component else ()
            if any(facts.one_side(document, member) for member in members):
                yield Refusal(where, "readOnly and writeOnly are honoured in components, not in objects inside them")


def _all_references(union: dict[str, Any]) -> bool:
    forms = [*union.get("oneOf", ()), *union.get("anyOf", ())]
    return bool(forms) and all(doc.reference_name(form) for form in forms)
