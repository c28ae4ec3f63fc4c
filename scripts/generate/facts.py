"""What the generator's templates can't see by themselves: the contract's facts, by the names of things in Python.

They are values as they stand in the contract; templates write them by `quoting` alone.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

import bodies
import document as doc
import media_types
import naming
import security
import structure
from checkable import checkable
from services import original_name

if TYPE_CHECKING:
    from neutral import Neutral

RETRY = {"safe": True, "not_sent_only": False}
_REPEATABLE = frozenset({"GET", "HEAD", "OPTIONS", "DELETE"})
_DEFAULT_STYLES = {"path": "simple", "query": "form", "header": "simple", "cookie": "form"}


class Provenance(NamedTuple):
    """Where a generated package comes from."""

    source_hash: str
    generator: str


def of(document: dict[str, Any], neutral: Neutral, provenance: Provenance) -> dict[str, Any]:
    """The facts, as templates know them under the name `contract`."""
    classes = neutral.classes
    services = _services(document, neutral)
    servers = {name: services[called]["server"] for name, called in neutral.services.items()}
    recursive_maps = _recursive_maps(neutral.document["components"]["schemas"])
    return {
        "version": document["info"]["version"],
        "source_hash": provenance.source_hash,
        "generator": provenance.generator,
        # A map without a name of its own is written out where it stands, unless that would never end.
        "components": [*dict.fromkeys([*classes.values(), *recursive_maps])],
        "services": services,
        "discriminators": discriminators(document, classes),
        "one_sided": neutral.one_sided,
        "recursive_maps": recursive_maps,
        "renamed": {
            original_name(found.operation): found.operation["operationId"]
            for found in doc.operations(document)
            if original_name(found.operation) != found.operation["operationId"]
        },
        "parameters": neutral.parameters,
        "operations": {
            naming.identifier(found.operation["operationId"]): _operation(document, found, classes)
            | {"server": _other_server(document, found, servers[found.operation["tags"][0]])}
            for found in doc.operations(document)
        },
    }


def discriminators(document: dict[str, Any], classes: dict[str, str]) -> dict[str, dict[str, Any]]:
    """Unions whose form is named by a member, by the class names of their forms."""
    found = {}
    for _, schema in doc.objects(document):
        if "discriminator" in schema:
            names = structure.forms_of(schema)
            mapping = {name: classes[name] for name in names}
            mapping |= {tag: classes[name] for tag, name in structure.mapped(schema).items() if name in names}
            key = " ".join(sorted(classes[name] for name in names))
            found[key] = {"member": schema["discriminator"]["propertyName"], "mapping": list(mapping.items())}
    return found


def _recursive_maps(schemas: dict[str, Any]) -> list[str]:
    """The classes that are maps and lead back to themselves through maps, lists and alternatives alone."""
    return [name for name, schema in schemas.items() if name in _reached(schemas, schema, set())]


def _reached(schemas: dict[str, Any], schema: Any, seen: set[str]) -> set[str]:
    """Names of the classes that a schema leads to, up to where an object with members of its own begins."""
    if isinstance(schema, dict) and not schema.get("properties"):
        name = doc.reference_name(schema)
        if name and name not in seen:
            seen.add(name)
            _reached(schemas, schemas.get(name), seen)
        forms = [form for key in ("allOf", "anyOf", "oneOf") for form in schema.get(key, ())]
        for inner in (schema.get("additionalProperties"), schema.get("items"), *forms):
            _reached(schemas, inner, seen)
    return seen


def _services(document: dict[str, Any], neutral: Neutral) -> dict[str, dict[str, Any]]:
    services = {}
    for tag in document.get("tags", []):
        own = [found for found in doc.operations(document) if found.operation["tags"][0] == tag["name"]]
        server = next((server for found in own for server in doc.servers(document, found)), "")
        services[neutral.services[tag["name"]]] = {
            "class_name": tag.get("x-class-name") or naming.class_name(tag["name"]),
            "description": tag.get("description", tag["name"]),
            "docs": tag.get("externalDocs", {}).get("url", ""),
            "server": server,
            "has_others": any(_other_server(document, found, server) for found in own),
        }
    return services


def _other_server(document: dict[str, Any], found: doc.Found, of_service: str) -> str:
    """The address of an operation that has another than its class; empty if it has not."""
    own = next(iter(doc.servers(document, found)), "")
    return own if own != of_service else ""


def _operation(document: dict[str, Any], found: doc.Found, classes: dict[str, str]) -> dict[str, Any]:
    operation = found.operation
    parameters = doc.parameters(document, found)
    body = doc.resolve(document, operation.get("requestBody"))
    return {
        "operation_id": original_name(operation),
        "method": found.method.upper(),
        "path": _path(found.path),
        "accept": _accept(document, operation),
        "repeatable": RETRY.get(operation.get("x-retry"), found.method.upper() in _REPEATABLE),
        "same_form": operation.get("x-same-form") is True,
        "query_schema": checkable(document, operation.get("x-query-schema", True)),
        "security": security.alternatives(document, found),
        "parameters": {
            f"{place} {name}": _parameter(document, place, parameter) for (place, name), parameter in parameters.items()
        },
        "body": _body(document, body),
        "replies": _replies(document, operation, classes),
        "defaults": _defaults(document, parameters, body),
        "errors": ", ".join(status for status in operation["responses"] if not status.startswith("2")),
        "sources": [
            f"{source['page']} ({source.get('basis', 'basis unknown')})"
            for source in operation.get("x-sources", [])
            if isinstance(source, dict) and "page" in source
        ],
        "example": _example(document, parameters, body),
    }


def _path(path: str) -> str:
    """A path as it goes over the wire, but for its parameters: what an address can't hold is percent-encoded."""
    path = path.partition("#")[0]  # strangers tell operations of one address apart so
    plain = path.rstrip("?&") if "?" in path else path
    parts = re.split(r"(\{[^{}]*\}|%[0-9A-Fa-f]{2})", plain)
    return "".join(part if i % 2 else quote(part, safe="/?!$&'()*+,;=:@~") for i, part in enumerate(parts))


def _accept(document: dict[str, Any], operation: dict[str, Any]) -> str:
    """Every media type of a reply, the successes' first: a service may refuse to send what is not asked for."""
    replies = sorted(operation["responses"].items(), key=lambda reply: not reply[0].startswith("2"))
    names = [
        media_types.essence(name) for _, reply in replies for name in doc.resolve(document, reply).get("content", {})
    ]
    return ", ".join(dict.fromkeys(names)) or "*/*"


def _parameter(document: dict[str, Any], place: str, parameter: dict[str, Any]) -> dict[str, Any]:
    style = parameter.get("style", _DEFAULT_STYLES[place])
    return {
        "style": style,
        "explode": parameter.get("explode", style == "form"),
        "required": bool(parameter.get("required", False)),
        "schema": checkable(document, parameter.get("schema", True)),
        "description": parameter.get("description", ""),
    }


def _body(document: dict[str, Any], body: dict[str, Any] | None) -> dict[str, Any] | None:
    if not body:
        return None
    media_type, content = next(iter(body["content"].items()))
    return {
        "kind": media_types.kind_of_request(media_type),
        "encoding": content.get("encoding", {}),
        "media_type": media_type,
        "required": bool(body.get("required", False)),
        "schema": checkable(document, content.get("schema", True)),
    }


def _replies(document: dict[str, Any], operation: dict[str, Any], classes: dict[str, str]) -> dict[str, dict[str, Any]]:
    replies = {status: doc.resolve(document, reply) for status, reply in operation["responses"].items()}
    names = [_schema_name(reply, classes) for status, reply in replies.items() if status.startswith("2")]
    return {
        status: {
            "description": reply.get("description", ""),
            # By the way that they are read; the first is what the generator knows of.
            "kinds": [
                [kind, list(dict.fromkeys(map(media_types.essence, content)))]
                for kind, content in bodies.by_kind(reply.get("content", {}))
            ],
            # What a class that holds this reply would be called: after its schema if no other success has that.
            "schema_name": name if names.count(name := _schema_name(reply, classes)) == 1 else "",
            "status_name": naming.class_name(f"{operation['operationId']}_{status}"),
        }
        for status, reply in replies.items()
    }


def _schema_name(reply: dict[str, Any], classes: dict[str, str]) -> str:
    for content in reply.get("content", {}).values():
        return classes.get(doc.reference_name(content.get("schema")) or "", "")
    return ""


def _defaults(
    document: dict[str, Any], parameters: dict[tuple[str, str], dict[str, Any]], body: dict[str, Any] | None
) -> dict[str, Any]:
    """The defaults that the contract gives, by the argument's place and name on the wire."""
    schemas = {f"{place} {name}": parameter.get("schema", {}) for (place, name), parameter in parameters.items()}
    for content in (body or {}).get("content", {}).values():
        for name, schema in _members(document, content.get("schema", {})).items():
            schemas.setdefault(f"body {name}", schema)
    resolved = {key: doc.resolve(document, schema) for key, schema in schemas.items()}
    return {
        key: schema["default"] for key, schema in resolved.items() if isinstance(schema, dict) and "default" in schema
    }


def _members(document: dict[str, Any], schema: Any) -> dict[str, Any]:
    """The members of an object, of all the forms that it may have."""
    schema = doc.resolve(document, schema)
    if not isinstance(schema, dict):
        return {}
    members = dict(schema.get("properties", {}))
    for form in (form for key in ("allOf", "anyOf", "oneOf") for form in schema.get(key, ())):
        members = _members(document, form) | members
    return members


def _example(
    document: dict[str, Any], parameters: dict[tuple[str, str], dict[str, Any]], body: dict[str, Any] | None
) -> dict[str, Any]:
    """The contract's own examples, by the argument's place and name on the wire."""
    values = {f"{place} {name}": _shown(document, parameter) for (place, name), parameter in parameters.items()}
    for content in (body or {}).get("content", {}).values():
        shown = _shown(document, content)
        values["whole body "] = shown
        values |= {f"body {name}": [value] for name, value in shown[0].items()} if _is_object(shown) else {}
    return {key: shown[0] for key, shown in values.items() if shown}


def _is_object(shown: list[Any]) -> bool:
    return bool(shown) and isinstance(shown[0], dict)


def _shown(document: dict[str, Any], described: dict[str, Any]) -> list[Any]:
    """The first example of a parameter or a body, if there is one."""
    examples = [doc.resolve(document, example) for example in described.get("examples", {}).values()]
    values = [example["value"] for example in examples if "value" in example]
    return [*values, *([described["example"]] if "example" in described else [])][:1]
