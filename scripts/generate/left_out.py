"""Takes out of a contract what is refused, and all that can't be without it, so that the rest can be generated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import document as doc
import services

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from refusals import Refusal

Unit = tuple[str, ...]  # the keys that lead to what is left out whole: an operation, a component, a webhook, a callback


class LeftOut(NamedTuple):
    """One operation that is not generated; `name` is its operationId, or its method and path."""

    pointer: str
    name: str
    reason: str


def take_out(document: dict[str, Any], found: Iterable[Refusal]) -> list[LeftOut] | None:
    """Change a document so that nothing of it is refused any more for these reasons; None if that can't be."""
    holders = _holders(document)
    reasons: dict[Unit, str] = {}
    for refusal in found:
        units = [*_units(document, refusal.pointer)]
        if not units:
            return None
        for unit in units:
            for affected in _reached(unit, holders):
                reasons.setdefault(affected, refusal.reason)
    left = [
        LeftOut(doc.pointer(*unit), _name(document, unit), reason)
        for unit, reason in reasons.items()
        if _is_operation(unit)
    ]
    for unit in reasons:
        holder = doc.target(document, doc.pointer(*unit[:-1]))
        holder.pop(unit[-1], None)
    return left


def lines(left: Iterable[LeftOut], operations: int) -> Iterator[str]:
    """What is not generated, a line for each cause."""
    causes: dict[str, list[LeftOut]] = {}
    for each in left:
        causes.setdefault(each.reason, []).append(each)
    count = sum(map(len, causes.values()))
    if count:
        yield f"left out {count} of {operations} operations:"
    for reason, those in causes.items():
        yield f"  {reason}"
        yield from (f"    {each.pointer} ({each.name})" for each in those)


def _units(document: dict[str, Any], pointer: str) -> Iterator[Unit]:
    """What has to go for the sake of a place."""
    match doc.keys(pointer):
        case ("paths", path, method, "callbacks", name, *_) if method in doc.METHODS:
            yield ("paths", path, method, "callbacks", name)
        case ("paths", path, method, *_) if method in doc.METHODS:
            yield ("paths", path, method)
        case ("paths", path, *_):
            item = document["paths"][path]
            methods = [method for method in doc.METHODS if isinstance(item, dict) and method in item]
            yield from (("paths", path, method) for method in methods)
        case ("components", kind, name, *_):
            yield ("components", kind, name)
        case ("webhooks", name, *_):
            yield ("webhooks", name)
        case ("security" | "servers" as key, *_):
            for found in doc.operations(document):
                if key not in found.operation and (key == "security" or key not in found.item):
                    yield ("paths", found.path, found.method)


def _holders(document: dict[str, Any]) -> dict[Unit, set[Unit]]:
    """For each unit those that refer to something in it."""
    found: dict[Unit, set[Unit]] = {}
    for where, value in doc.objects(document):
        reference = value.get("$ref")
        if isinstance(reference, str) and reference.startswith("#/"):
            for unit in _units(document, where):
                for target in _units(document, reference):
                    found.setdefault(target, set()).add(unit)
    return found


def _reached(start: Unit, holders: dict[Unit, set[Unit]]) -> set[Unit]:
    found, ahead = {start}, [start]
    while ahead:
        for unit in holders.get(ahead.pop(), set()) - found:
            found.add(unit)
            ahead.append(unit)
    return found


def _is_operation(unit: Unit) -> bool:
    return unit[0] == "paths" and len(unit) == len(("paths", "path", "method"))


def _name(document: dict[str, Any], unit: Unit) -> str:
    operation = doc.target(document, doc.pointer(*unit))
    name = services.original_name(operation) if isinstance(operation, dict) else None
    _, path, method = unit
    has_name = isinstance(name, str) and name != services.unnamed(method, path)
    return str(name) if has_name else f"{method.upper()} {path}"
