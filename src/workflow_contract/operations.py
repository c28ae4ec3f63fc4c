"""Operations that lack what they need to be told apart and called, completed as far as their paths say it."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from workflow_contract.as_meant import Remark
from workflow_contract.places import at, join

METHODS: Final = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_IN_PATH: Final = re.compile(r"\{([^{}]*)\}")


def completed(document: Mapping[str, Any]) -> Iterator[Remark]:
    """Change the operations of a document, which may be malformed; return what was changed."""
    names: dict[Any, str] = {}
    paths = document.get("paths")
    for path, item in paths.items() if isinstance(paths, dict) else ():
        for method in METHODS if isinstance(item, dict) else ():
            operation = item.get(method)
            if isinstance(operation, dict):
                pointer = join(join("#/paths", path), method)
                yield from _without_a_name_of_another(operation, pointer, names)
                yield from _with_all_of_its_path(document, path, item, operation, pointer)


def parameters(document: Mapping[str, Any], holder: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the parameters of an operation or a path, what is referred to in the place of a reference."""
    listed = holder.get("parameters")
    return [followed(document, one) for one in listed] if isinstance(listed, list) else []


def followed(document: Mapping[str, Any], value: Any) -> Mapping[str, Any]:
    """Return an object or what it refers to; an empty one if that is none."""
    seen: set[str] = set()
    while isinstance(value, dict) and isinstance(reference := value.get("$ref"), str) and reference not in seen:
        seen.add(reference)
        try:
            value = at(document, reference)
        except KeyError:
            return {}
    return value if isinstance(value, dict) else {}


def _without_a_name_of_another(operation: dict[str, Any], pointer: str, names: dict[Any, str]) -> Iterator[Remark]:
    name = operation.get("operationId")
    if isinstance(name, str) and names.setdefault(name, pointer) != pointer:
        del operation["operationId"]
        yield Remark(pointer, "operationId", f"the operationId {name} is that of {names[name]}; it is passed over")


def _with_all_of_its_path(
    document: Mapping[str, Any], path: str, item: Mapping[str, Any], operation: dict[str, Any], pointer: str
) -> Iterator[Remark]:
    declared = [*parameters(document, item), *parameters(document, operation)]
    known = {one.get("name") for one in declared if one.get("in") == "path"}
    missing = [name for name in dict.fromkeys(_IN_PATH.findall(path)) if name not in known]
    own = operation.setdefault("parameters", []) if missing else []
    for name in missing if isinstance(own, list) else ():
        own.append({"in": "path", "name": name, "required": True, "schema": {"type": "string"}})
        yield Remark(pointer, "parameters", f"the path's {{{name}}} is declared nowhere; it is read as a text")
