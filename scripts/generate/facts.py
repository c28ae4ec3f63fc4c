"""What the generator's templates can't see by themselves, written as one more template, `contract.jinja`.

Keyed by the names that the generator gives things in Python, so that its templates find them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import document as doc
from openapi_python_client.strings import ClassName, PythonIdentifier

_PREFIX = "field_"
_ANNOTATIONS = frozenset(
    {"title", "description", "example", "examples", "default", "deprecated", "externalDocs", "xml", "$comment"}
)
_DEFAULT_STYLES = {"path": "simple", "query": "form", "header": "simple", "cookie": "form"}


class Provenance(NamedTuple):
    """Where a generated package comes from."""

    source_hash: str
    generator: str


def template(document: dict[str, Any], provenance: Provenance) -> str:
    """The text of `contract.jinja`."""
    values = {
        "version": document["info"]["version"],
        "source_hash": provenance.source_hash,
        "generator": provenance.generator,
        "components": [ClassName(name, _PREFIX) + "" for name in document.get("components", {}).get("schemas", {})],
        "services": _services(document),
        "discriminators": _discriminators(document),
        "one_sided": _one_sided(document),
        "operations": {
            python_name(found.operation["operationId"]): _operation(document, found)
            for found in doc.operations(document)
        },
    }
    # ascii() writes literals that mean the same to Jinja as to Python.
    return "".join(f"{{% set {name} = {value!a} %}}\n" for name, value in values.items())


def python_name(name: str) -> str:
    """The generator's Python name for one of the contract."""
    return PythonIdentifier(name, _PREFIX) + ""


def _discriminators(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Unions whose form is named by a member, by the class names of their forms."""
    found = {}
    for schema in doc.schemas(document):
        if "discriminator" in schema:
            names = [doc.reference_name(form) or "" for form in (*schema.get("oneOf", ()), *schema.get("anyOf", ()))]
            given = schema["discriminator"].get("mapping", {})
            mapping = {name: name for name in names} | {tag: str(to).rsplit("/", 1)[-1] for tag, to in given.items()}
            classes = {tag: ClassName(name, _PREFIX) + "" for tag, name in mapping.items()}
            key = " ".join(sorted(ClassName(name, _PREFIX) + "" for name in names))
            found[key] = {"member": schema["discriminator"]["propertyName"], "mapping": list(classes.items())}
    return found


def _one_sided(document: dict[str, Any]) -> dict[str, dict[str, str]]:
    """Members that only the service (readOnly) or only the client (writeOnly) sends, by class name."""
    found = {}
    for name, schema in document.get("components", {}).get("schemas", {}).items():
        members = {}
        for member, declared in schema.get("properties", {}).items() if isinstance(schema, dict) else ():
            resolved = {**doc.resolve(document, declared), **declared} if isinstance(declared, dict) else {}
            side = next((side for side in ("readOnly", "writeOnly") if resolved.get(side)), None)
            if side:
                members[member] = side
        if members:
            found[ClassName(name, _PREFIX) + ""] = members
    return found


def _services(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    services = {}
    for tag in document.get("tags", []):
        own = [found for found in doc.operations(document) if found.operation["tags"][0] == tag["name"]]
        services[python_name(tag["name"])] = {
            "class_name": tag.get("x-class-name") or ClassName(tag["name"], _PREFIX) + "",
            "description": tag.get("description", tag["name"]),
            "docs": tag.get("externalDocs", {}).get("url", ""),
            "server": next((server for found in own for server in doc.servers(document, found)), ""),
        }
    return services


def _operation(document: dict[str, Any], found: doc.Found) -> dict[str, Any]:
    operation = found.operation
    parameters = doc.parameters(document, found)
    body = doc.resolve(document, operation.get("requestBody"))
    return {
        "operation_id": operation["operationId"],
        "method": found.method.upper(),
        "path": found.path,
        "credential": _credential(document, found),
        "parameters": {
            f"{place} {name}": _parameter(document, place, parameter) for (place, name), parameter in parameters.items()
        },
        "body": _body(document, body),
        "replies": _replies(document, operation),
        "defaults": _defaults(document, parameters, body),
        "errors": ", ".join(str(status) for status in operation["responses"] if not str(status).startswith("2")),
        "sources": [f"{source['page']} ({source['basis']})" for source in operation.get("x-sources", [])],
        "example": _example(document, operation, parameters, body),
    }


def _credential(document: dict[str, Any], found: doc.Found) -> str:
    for scheme in doc.security(document, found):
        if scheme["type"] == "apiKey":
            return f"Credential({scheme['in']!r}, {scheme['name']!r})"
        return "Credential('header', 'Authorization', 'Bearer ')"
    return "None"


def _parameter(document: dict[str, Any], place: str, parameter: dict[str, Any]) -> dict[str, Any]:
    style = parameter.get("style", _DEFAULT_STYLES[place])
    return {
        "style": style,
        "explode": parameter.get("explode", style == "form"),
        "required": bool(parameter.get("required", False)),
        "schema": repr(checkable(document, parameter.get("schema", True))),
        "description": parameter.get("description", ""),
    }


def _body(document: dict[str, Any], body: dict[str, Any] | None) -> dict[str, Any] | None:
    if not body:
        return None
    media_type, content = next(iter(body["content"].items()))
    return {
        "media_type": media_type,
        "required": bool(body.get("required", False)),
        "schema": repr(checkable(document, content.get("schema", True))),
    }


def _replies(document: dict[str, Any], operation: dict[str, Any]) -> dict[str, dict[str, Any]]:
    replies = {str(status): doc.resolve(document, reply) for status, reply in operation["responses"].items()}
    successes = [status for status, reply in replies.items() if status.startswith("2") and reply.get("content")]
    return {
        status: {
            "description": reply.get("description", ""),
            "media_types": ", ".join(f'"{name.lower()}"' for name in reply.get("content", {})),
            "wrapper": _wrapper(operation, status, reply) if len(successes) > 1 else "",
        }
        for status, reply in replies.items()
    }


def _wrapper(operation: dict[str, Any], status: str, reply: dict[str, Any]) -> str:
    for content in reply.get("content", {}).values():
        name = doc.reference_name(content.get("schema"))
        return ClassName(name or f"{operation['operationId']}_{status}", _PREFIX) + ""
    return ""


def _defaults(
    document: dict[str, Any], parameters: dict[tuple[str, str], dict[str, Any]], body: dict[str, Any] | None
) -> dict[str, str]:
    schemas = {name: parameter.get("schema", {}) for (_, name), parameter in parameters.items()}
    for content in (body or {}).get("content", {}).values():
        schemas |= doc.resolve(document, content.get("schema", {})).get("properties", {})
    resolved = {name: doc.resolve(document, schema) for name, schema in schemas.items()}
    return {name: repr(schema["default"]) for name, schema in resolved.items() if "default" in schema}


def _example(
    document: dict[str, Any],
    operation: dict[str, Any],
    parameters: dict[tuple[str, str], dict[str, Any]],
    body: dict[str, Any] | None,
) -> dict[str, Any] | None:
    """A call that the contract's own examples make, and the class of its result."""
    positional = [repr(p["example"]) for (place, _), p in parameters.items() if place == "path" and "example" in p]
    named = {name: p["example"] for (place, name), p in parameters.items() if place != "path" and "example" in p}
    for content in (body or {}).get("content", {}).values():
        examples = [doc.resolve(document, example)["value"] for example in content.get("examples", {}).values()]
        first = examples[0] if examples else content.get("example")
        named |= first if isinstance(first, dict) else {}
    required = sum(bool(parameter.get("required")) for parameter in parameters.values())
    if len(positional) + len(named) < required:
        return None
    arguments = [*positional, *(f"{python_name(name)}={value!r}" for name, value in named.items())]
    reply = next(doc.resolve(document, r) for s, r in operation["responses"].items() if str(s).startswith("2"))
    names = [doc.reference_name(content.get("schema")) for content in reply.get("content", {}).values()]
    if not names or not names[0]:
        return None
    return {"arguments": arguments, "result": f"{ClassName(names[0], _PREFIX)}(...)"}


def checkable(document: dict[str, Any], schema: Any) -> Any:
    """A schema without what is only said to people, its references filled in; recursive ones stay under `$defs`."""
    definitions: dict[str, Any] = {}
    filled = _filled(document, schema, (), definitions)
    if definitions and isinstance(filled, dict):
        filled["$defs"] = definitions
    return filled


def _filled(document: dict[str, Any], schema: Any, above: tuple[str, ...], definitions: dict[str, Any]) -> Any:
    if not isinstance(schema, dict):
        return schema
    name = doc.reference_name(schema)
    if name is None:
        filled = {
            key: _inside(document, key, value, above, definitions)
            for key, value in schema.items()
            if not _is_annotation(key)
        }
        return _without_read_only(filled)
    rest = {key: value for key, value in schema.items() if key != "$ref"}
    if name in above:
        if name not in definitions:
            definitions[name] = None
            definitions[name] = _filled(document, doc.resolve(document, schema), (*above, name), definitions)
        target: Any = {"$ref": f"#/$defs/{name}"}
    else:
        target = _filled(document, doc.resolve(document, {"$ref": schema["$ref"]}), (*above, name), definitions)
    others = _filled(document, rest, above, definitions)
    return {"allOf": [target, others]} if others else target


def _without_read_only(schema: dict[str, Any]) -> dict[str, Any]:
    """What only the service sends is neither asked of the client nor allowed to it."""
    properties = schema.get("properties", {})
    hidden = {name for name, declared in properties.items() if isinstance(declared, dict) and declared.get("readOnly")}
    if hidden:
        schema["properties"] = {name: name not in hidden and declared for name, declared in properties.items()}
        schema["required"] = [name for name in schema.get("required", ()) if name not in hidden]
    return schema


def _is_annotation(key: str) -> bool:
    return key in _ANNOTATIONS or key.startswith("x-")


def _inside(document: dict[str, Any], key: str, value: Any, above: tuple[str, ...], definitions: dict[str, Any]) -> Any:
    match key:
        case "properties" | "patternProperties":
            return {name: _filled(document, item, above, definitions) for name, item in value.items()}
        case "allOf" | "anyOf" | "oneOf" | "prefixItems":
            return [_filled(document, item, above, definitions) for item in value]
        case "not":
            # The only place where words to people are kept: a bare "anything else" would tell a user nothing.
            words = {"description": value["description"]} if "description" in value else {}
            return words | _filled(document, value, above, definitions)
        case "items" | "additionalProperties" | "propertyNames":
            return _filled(document, value, above, definitions)
        case _:
            return value
