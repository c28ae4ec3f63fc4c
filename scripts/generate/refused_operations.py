"""What operations say that the client can't do, and texts in them that can't go over the wire as they stand."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import document as doc
import media_types
import naming
import security
import services
from facts import RETRY
from neutral import PATH_PARAMETER

if TYPE_CHECKING:
    from collections.abc import Iterator

Problem = tuple[str, str]

_STYLES = {
    "path": {"simple"},
    "query": {"form", "spaceDelimited", "pipeDelimited", "deepObject"},
    "header": {"simple"},
    "cookie": {"form"},
}
_STATUS = re.compile(r"[1-5](?:[0-9]{2}|XX)|default")


def problems(document: dict[str, Any]) -> Iterator[Problem]:
    """Places and reasons."""
    for part in (_paths, _services, _names, _addresses, _service_addresses):
        yield from part(document)
    for found in doc.operations(document):
        for each in (_tags, _retry, _same_form, _security, _path, _parameters, _request_body, _replies):
            yield from each(document, found)


def _retry(_: dict[str, Any], found: doc.Found) -> Iterator[Problem]:
    word = found.operation.get("x-retry")
    if word is not None and word not in RETRY:
        yield f"{found.pointer}/x-retry", f"not one of {', '.join(RETRY)}; without it the method decides"


def _same_form(document: dict[str, Any], found: doc.Found) -> Iterator[Problem]:
    if found.operation.get("x-same-form", False) is False:
        return
    successes = [reply for status, reply in found.operation["responses"].items() if status.startswith("2")]
    bodies = [doc.resolve(document, body) for body in (found.operation.get("requestBody"), *successes)]
    forms = [len(_forms(document, body)) for body in bodies]
    if found.operation["x-same-form"] is not True or len(forms) != 2 or forms[0] < 2 or forms[0] != forms[1]:  # noqa: PLR2004
        yield f"{found.pointer}/x-same-form", "true needs a request and one success, each a oneOf of as many objects"


def _forms(document: dict[str, Any], body: Any) -> list[Any]:
    content = next(iter((body or {}).get("content", {}).values()), {})
    schema = doc.resolve(document, content.get("schema", {}))
    return schema.get("oneOf", []) if isinstance(schema, dict) else []


def _paths(document: dict[str, Any]) -> Iterator[Problem]:
    for path in document["paths"]:
        where = doc.pointer("paths", path)
        if "#" in path and services.is_strict(document):
            yield where, "a path with a fragment: what follows # is never sent; leave it out"
        if not path.startswith("/"):
            yield where, "a path begins with /; put one in front"
        plain = PATH_PARAMETER.sub("x", path)
        if "{" in plain or "}" in plain:
            yield where, "a brace without its other half; parameters of a path are written as {name}"
        if not plain.isprintable():
            yield where, "no address can hold what can't be printed; leave it out"
        if {".", ".."} & set(plain.partition("?")[0].split("/")):
            yield where, "the steps . and .. lead to another address on the way; write the path without them"


def _services(document: dict[str, Any]) -> Iterator[Problem]:
    for index, tag in enumerate(document.get("tags", [])):
        where = doc.pointer("tags", index)
        name = tag.get("x-class-name", "Service")
        if not isinstance(name, str) or not re.fullmatch("[A-Za-z][A-Za-z0-9_]*", name):
            yield where, f"its x-class-name {name!r} is no name for a class"
        if [each["name"] for each in document["tags"]].index(tag["name"]) != index:
            yield where, "a tag of this name has been described before; leave one of them out"


def _names(document: dict[str, Any]) -> Iterator[Problem]:
    seen: dict[str, str] = {}
    for found in doc.operations(document):
        operation_id = found.operation.get("operationId")
        if not operation_id:
            yield found.pointer, "it has no operationId, which is the method's name; give it one"
            continue
        name = naming.identifier(operation_id)
        if name in services.TAKEN:
            words = f"its method would be called {name}, like one of the client's"
            yield found.pointer, f"{operation_id}: {words}; rename it"
        if name in seen:
            yield found.pointer, f"its method would be called {name}, like the one of {seen[name]}; rename one of them"
        seen.setdefault(name, found.pointer)


def _tags(document: dict[str, Any], found: doc.Found) -> Iterator[Problem]:
    services = [tag["name"] for tag in document.get("tags", [])]
    tags = found.operation.get("tags") or []
    if not tags or tags[0] not in services:
        first = f"its first tag is {tags[0]!r}" if tags else "it has no tag"
        known = ", ".join(services) or "the document's `tags` name none"
        yield found.pointer, f"{first}, but the first tag names the service: {known}"


def _addresses(document: dict[str, Any]) -> Iterator[Problem]:
    if not services.is_strict(document):
        return  # an address that can't be sent to has to be given
    for where, urls in {place: [server["url"] for server in servers] for place, servers in _stated(document)}.items():
        for url in urls:
            if "{" in url:
                yield where, f"{url}: variables of a server are not filled in; write its address"
            elif not doc.is_address(url):
                yield where, f"{url}: only an absolute http or https address can be sent to; write the whole of it"


def _stated(document: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for found in doc.operations(document):
        yield doc.stated_servers(document, found)


def _service_addresses(document: dict[str, Any]) -> Iterator[Problem]:
    chosen: dict[str, list[str]] = {}
    if not services.is_strict(document):
        return  # an operation goes to its own address
    for found in doc.operations(document):
        service = (found.operation.get("tags") or [""])[0]
        servers = doc.servers(document, found)
        if chosen.setdefault(service, servers) != servers:
            words = f"its servers {servers} differ from the service's {chosen[service]}; a class has one base URL"
            yield found.pointer, f"{words}, so give it a tag of its own"


def _security(document: dict[str, Any], found: doc.Found) -> Iterator[Problem]:
    where = f"{found.pointer}/security" if "security" in found.operation else "#/security"
    stated = security.stated(document, found)
    # One of several ways is enough.
    if stated and not security.alternatives(document, found):
        for name in dict.fromkeys(name for requirement in stated for name in requirement):
            problem = security.problem(document, name)
            if problem:
                yield where, problem


def _path(document: dict[str, Any], found: doc.Found) -> Iterator[Problem]:
    in_path = PATH_PARAMETER.findall(found.path)
    declared = [name for place, name in doc.parameters(document, found) if place == "path"]
    for name in dict.fromkeys([*in_path, *declared]):
        if name not in in_path:
            yield found.pointer, f"the parameter {name} has no place in the path; put {{{name}}} there"


def _parameters(document: dict[str, Any], found: doc.Found) -> Iterator[Problem]:
    for index, declared in enumerate(found.operation.get("parameters", ())):
        parameter = doc.resolve(document, declared)
        last = doc.parameters(document, found).get((parameter["in"], parameter["name"]), parameter)
        if parameter != last:
            where = f"{found.pointer}/parameters/{index}"
            yield where, f"the parameter {parameter['name']} is declared again, and otherwise; leave one of them out"
    for where, parameter in doc.located_parameters(document, found):
        place, name, style = parameter["in"], parameter["name"], parameter.get("style")
        if "content" in parameter:
            yield where, "a parameter with `content` is not generated; describe it with `schema`"
        if style and style not in _STYLES[place]:
            yield where, f"style {style} is not written by the client into a {place}; use {_STYLES_IN_WORDS[place]}"
        if parameter.get("allowReserved"):
            yield where, "allowReserved: the client always percent-encodes; leave it out"
        if place in {"header", "cookie"} and not security.TOKEN.fullmatch(name):
            yield where, f"{name!r} is no name that a {place} can have; correct it"


_STYLES_IN_WORDS = {place: " or ".join(sorted(styles)) for place, styles in _STYLES.items()}


def _request_body(document: dict[str, Any], found: doc.Found) -> Iterator[Problem]:
    where, body = doc.located(document, found.operation.get("requestBody"), f"{found.pointer}/requestBody")
    content = (body or {}).get("content", {})
    if body is not None and not content:
        yield where, "a request body without a media type can't be written; name application/json"
    for media_type in content:
        problem = media_types.problem(media_type)
        if problem:
            yield where, f"{media_type}: {problem}"


def _replies(document: dict[str, Any], found: doc.Found) -> Iterator[Problem]:
    for status, declared in found.operation["responses"].items():
        steps = doc.pointer("responses", status).removeprefix("#")
        where, reply = doc.located(document, declared, found.pointer + steps)
        if not _STATUS.fullmatch(status):
            yield found.pointer + steps, f"{status!r} is no status; write one as 200, 2XX or default"
        yield from _reply_content(where, reply.get("content", {}))


def _reply_content(where: str, content: dict[str, Any]) -> Iterator[Problem]:
    for media_type in content:
        problem = media_types.problem(media_type)
        if problem or not media_types.kind(media_type):
            yield where, f"{media_type}: {problem or 'it has no end, and is read by no method; offer JSON beside it'}"
