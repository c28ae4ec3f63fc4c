"""The objects of an OpenAPI document with their JSON pointers; examples, enums and other data are none."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

# Objects whose members are names of the document's own, not keywords of the specification.
_OF_SCHEMAS: Final = frozenset({"properties", "patternProperties", "$defs", "dependentSchemas", "schemas"})
_OF_OTHERS: Final = frozenset(
    {"responses", "parameters", "requestBodies", "headers", "securitySchemes", "links", "callbacks", "pathItems"}
    | {"paths", "webhooks", "content", "encoding", "examples"}
)
_SCHEMA: Final = frozenset(
    {"schema", "items", "not", "if", "then", "else", "contains", "propertyNames", "additionalProperties"}
    | {"unevaluatedItems", "unevaluatedProperties", "contentSchema"}
)
_SCHEMAS: Final = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
_DATA: Final = frozenset({"example", "default", "const", "enum", "value"})


class Place(NamedTuple):
    """An object of the document, and whether it is a schema."""

    pointer: str
    value: dict[str, Any]
    is_schema: bool


def objects(document: Any) -> Iterator[Place]:
    """Return all objects of a document, outer ones first."""
    waiting = [("#", document, False)]
    while waiting:
        pointer, value, is_schema = waiting.pop()
        if isinstance(value, list):
            inner = [(f"{pointer}/{index}", one, is_schema) for index, one in enumerate(value)]
        elif isinstance(value, dict):
            yield Place(pointer, value, is_schema)
            inner = [one for key in value for one in _inside(pointer, key, value[key], is_schema=is_schema)]
        else:
            continue
        waiting += reversed(inner)


def _inside(pointer: str, key: str, value: Any, *, is_schema: bool) -> Iterator[tuple[str, Any, bool]]:
    here = join(pointer, key)
    if key in _DATA or key.startswith("x-") or (key == "examples" and isinstance(value, list)):
        return
    named = key in _OF_SCHEMAS if is_schema else key == "schemas" or key in _OF_OTHERS
    if named and isinstance(value, dict):
        yield from ((join(here, name), one, key in _OF_SCHEMAS) for name, one in value.items())
    elif isinstance(value, dict | list):
        yield here, value, key in _SCHEMA or key in _SCHEMAS


def join(pointer: str, key: str | int) -> str:
    """Extend a JSON pointer."""
    return f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}"


def at(document: Mapping[str, Any], pointer: str) -> Any:
    """
    Give what stands at a JSON pointer.

    Raises:
        KeyError: Nothing does.
    """
    value: Any = document
    for token in pointer.split("/")[1:]:
        key = token.replace("~1", "/").replace("~0", "~")
        try:
            value = value[int(key)] if isinstance(value, list) else value[key]
        except (ValueError, TypeError, IndexError):
            raise KeyError(pointer) from None
    return value
