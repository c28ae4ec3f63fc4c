"""Finding one's way in an OpenAPI document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


class Found(NamedTuple):
    """One operation, with the path item around it."""

    pointer: str
    path: str
    method: str
    operation: dict[str, Any]
    item: dict[str, Any]


def operations(document: dict[str, Any]) -> Iterator[Found]:
    """All operations under `paths`, in the document's order."""
    for path, item in document.get("paths", {}).items():
        for method in METHODS:
            if method in item:
                yield Found(pointer("paths", path, method), path, method, item[method], item)


def pointer(*keys: object) -> str:
    """The JSON pointer of a place."""
    return "#/" + "/".join(str(key).replace("~", "~0").replace("/", "~1") for key in keys)


def resolve(document: dict[str, Any], value: Any) -> Any:
    """What a reference within the document stands for; anything else as it is."""
    while isinstance(value, dict) and isinstance(value.get("$ref"), str):
        target: Any = document
        for key in value["$ref"].removeprefix("#/").split("/"):
            target = target[key.replace("~1", "/").replace("~0", "~")]
        value = target
    return value


def reference_name(value: Any) -> str | None:
    """The last part of a reference, `RunCreated` for `#/components/schemas/RunCreated`."""
    return value["$ref"].rsplit("/", 1)[-1] if isinstance(value, dict) and "$ref" in value else None


def parameters(document: dict[str, Any], found: Found) -> dict[tuple[str, str], dict[str, Any]]:
    """An operation's parameters by place and name; its own go before those of its path."""
    merged = {}
    for declared in (*found.item.get("parameters", ()), *found.operation.get("parameters", ())):
        parameter = resolve(document, declared)
        merged[parameter["in"], parameter["name"]] = parameter
    return merged


def servers(document: dict[str, Any], found: Found) -> list[str]:
    """The addresses that hold for an operation: its own, else its path's, else the document's."""
    for place in (found.operation, found.item, document):
        if place.get("servers"):
            return [server["url"] for server in place["servers"]]
    return []


def security(document: dict[str, Any], found: Found) -> list[dict[str, Any]]:
    """The schemes that hold for an operation: its own requirements, else the document's."""
    requirements = found.operation.get("security", document.get("security", []))
    schemes = document.get("components", {}).get("securitySchemes", {})
    return [resolve(document, schemes[name]) for requirement in requirements for name in requirement]


def schemas(value: Any) -> Iterator[dict[str, Any]]:
    """Everything in a document that may be a schema, examples and other data left out."""
    if isinstance(value, dict):
        yield value
        for key, inner in value.items():
            if key not in {"example", "examples", "default", "const", "enum"} and not str(key).startswith("x-"):
                yield from schemas(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from schemas(inner)
