"""Reading an OpenAPI document, and finding one's way in it."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "src"))
from workflow_contract import UnreadableError, is_argument, read_file

if TYPE_CHECKING:
    from collections.abc import Iterator

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")

# Objects whose members are names of the contract's own, not keywords of the specification.
_NAMED = frozenset(
    {"properties", "patternProperties", "$defs", "schemas", "responses", "parameters", "requestBodies", "headers"}
    | {"securitySchemes", "links", "callbacks", "pathItems", "paths", "webhooks", "content", "encoding", "examples"}
)
_SCHEMAS = frozenset({"items", "not", "propertyNames", "schema"})
_LISTS_OF_SCHEMAS = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
_NAMED_SCHEMAS = frozenset({"properties", "patternProperties", "$defs", "schemas"})
_NOT_IN_ADDRESSES = re.compile(r"""[\x00-\x20"<>\\^`{|}\x7f?#]|[^\x00-\x7f]""")
_DATA = frozenset({"example", "default", "const", "enum", "value", "mapping"})


def load(path: Path) -> dict[str, Any]:
    """Read YAML 1.2, of which JSON is a part: there `no` is a word, and no truth value as in 1.1. Keys become texts.

    Raises:
        UnreadableError: the file can't be read, is no mapping, or holds what JSON can't say.
    """
    document = read_file(path)
    if not isinstance(document, dict):
        raise UnreadableError(f"{path} is not a mapping")
    return document


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


def keys(reference: str) -> list[str]:
    """The keys that a JSON pointer leads through."""
    return [key.replace("~1", "/").replace("~0", "~") for key in reference.removeprefix("#/").split("/")]


def resolve(document: dict[str, Any], value: Any) -> Any:
    """What a reference within the document stands for; anything else as it is."""
    while isinstance(value, dict) and isinstance(value.get("$ref"), str):
        value = target(document, value["$ref"])
    return value


def target(document: dict[str, Any], reference: str) -> Any:
    """What stands at a place of the document.

    Raises:
        KeyError: nothing does.
    """
    value: Any = document
    for key in keys(reference):
        if isinstance(value, list) and key.isdecimal() and int(key) < len(value):
            value = value[int(key)]
        else:
            value = value[key] if isinstance(value, dict) else {}[key]
    return value


def reference_name(value: Any) -> str | None:
    """The last part of a reference, `RunCreated` for `#/components/schemas/RunCreated`."""
    if not isinstance(value, dict) or "$ref" not in value:
        return None
    return keys(value["$ref"])[-1]


def parameters(document: dict[str, Any], found: Found) -> dict[tuple[str, str], dict[str, Any]]:
    """An operation's parameters by place and name; its own go before those of its path."""
    merged = {}
    for declared in (*found.item.get("parameters", ()), *found.operation.get("parameters", ())):
        parameter = resolve(document, declared)
        if is_argument(document, found.operation, parameter):
            merged[parameter["in"], parameter["name"]] = parameter
    return merged


def located_parameters(document: dict[str, Any], found: Found) -> Iterator[tuple[str, dict[str, Any]]]:
    """The same parameters, each with the place where it is described."""
    holders = ((found.pointer, found.operation), (pointer("paths", found.path), found.item))
    seen = set()
    for where, holder in holders:
        for index, declared in enumerate(holder.get("parameters", ())):
            place, parameter = located(document, declared, f"{where}/parameters/{index}")
            key = parameter["in"], parameter["name"]
            if key not in seen and is_argument(document, found.operation, parameter):
                seen.add(key)
                yield place, parameter


def located(document: dict[str, Any], value: Any, where: str) -> tuple[str, Any]:
    """A place and what stands there, or what a reference there leads to."""
    while isinstance(value, dict) and isinstance(value.get("$ref"), str):
        where, value = value["$ref"], target(document, value["$ref"])
    return where, value


def stated_servers(document: dict[str, Any], found: Found) -> tuple[str, list[dict[str, Any]]]:
    """The servers that hold for an operation, its own, else its path's, else the document's, and where they stand."""
    places = ((found.pointer, found.operation), (pointer("paths", found.path), found.item), ("#", document))
    for where, place in places:
        if place.get("servers"):
            return f"{where}/servers", place["servers"]
    return "#/servers", []


def servers(document: dict[str, Any], found: Found) -> list[str]:
    """Their addresses, as far as they can be sent to; variables have their defaults."""
    filled = [_filled(server) for server in stated_servers(document, found)[1]]
    return [url for url in filled if is_address(url)]


def _filled(server: dict[str, Any]) -> str:
    url: str = server["url"]
    for name, variable in server.get("variables", {}).items():
        url = url.replace(f"{{{name}}}", variable.get("default", ""))
    return url


def is_address(url: str) -> bool:
    """Whether a text is an absolute address over HTTP."""
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and not _NOT_IN_ADDRESSES.search(url)
    except ValueError:
        return False


def objects(value: Any, where: str = "#", *, named: bool = False) -> Iterator[tuple[str, dict[str, Any]]]:
    """All objects of the specification with their places, schemas among them; examples and other data are none."""
    if isinstance(value, list):
        for index, inner in enumerate(value):
            yield from objects(inner, f"{where}/{index}")
    elif isinstance(value, dict):
        if not named:
            yield where, value
        for key, inner in value.items():
            if named or not _is_data(key, inner):
                yield from objects(inner, where + pointer(key).removeprefix("#"), named=not named and key in _NAMED)


def drop_nulls(document: dict[str, Any]) -> None:
    """Take out members that stand in the document without a value: to the generator they are absent."""
    for _, holder in objects(document):
        for key in [key for key, value in holder.items() if value is None and not _is_data(key, value)]:
            del holder[key]


def spell_out_truths(document: dict[str, Any]) -> None:
    """Write `{}` for schemas that are `true`: both allow any value, but the generator knows the one alone.

    A list that has nothing behind its first items is one of so many items at most.
    """
    for _, holder in objects(document):
        if holder.get("items") is False and isinstance(holder.get("prefixItems"), list):
            del holder["items"]
            holder["maxItems"] = min(holder.get("maxItems", len(holder["prefixItems"])), len(holder["prefixItems"]))
        for key, value in holder.items():
            if value is True and key in _SCHEMAS:
                holder[key] = {}
            elif key in _LISTS_OF_SCHEMAS and isinstance(value, list):
                holder[key] = [{} if item is True else item for item in value]
            elif key in _NAMED_SCHEMAS and isinstance(value, dict):
                holder[key] = {name: {} if item is True else item for name, item in value.items()}


def drop_bodies_of_heads(document: dict[str, Any]) -> None:
    """Take out of the replies to HEAD what GET would be told: no such reply has a body."""
    for found in operations(document):
        if found.method == "head":
            replies = found.operation["responses"].items()
            described = {status: resolve(document, reply).get("description", "") for status, reply in replies}
            found.operation["responses"] = {status: {"description": words} for status, words in described.items()}


def falsehoods(document: dict[str, Any]) -> Iterator[str]:
    """The places of schemas that are `false`, where the specification has more than one use for the word."""
    for where, holder in objects(document):
        for key, value in holder.items():
            if value is False and key in _SCHEMAS:
                yield f"{where}/{key}"
            named = key in _NAMED_SCHEMAS and isinstance(value, dict)
            listed = key in _LISTS_OF_SCHEMAS and isinstance(value, list)
            inner = value.items() if named else enumerate(value) if listed else ()
            yield from (where + pointer(key, name).removeprefix("#") for name, item in inner if item is False)


def _is_data(key: str, value: Any) -> bool:
    return key in _DATA or key.startswith("x-") or (key == "examples" and isinstance(value, list))
