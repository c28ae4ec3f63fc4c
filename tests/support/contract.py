"""Our own contract, read once in a process, and parts of it: each operation costs every run of the harness."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
# libyaml reads it in a twentieth of the time.
CONTRACT: dict[str, Any] = yaml.load(
    (ROOT / "openapi.yaml").read_text(encoding="utf-8"),
    Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader),  # noqa: S506 - both are safe
)


def with_paths(document: dict[str, Any], *paths: str) -> dict[str, Any]:
    """Return a copy of a contract with these paths and the components that they lead to."""
    part = copy.deepcopy({**document, "paths": {path: document["paths"][path] for path in paths}})
    components = part.pop("components")
    part["components"] = {"securitySchemes": components["securitySchemes"]}
    part.pop("webhooks", None)
    left = list(_references(part))
    while left:
        _, _, kind, name = left.pop().split("/")
        if name not in part["components"].setdefault(kind, {}):
            part["components"][kind][name] = components[kind][name]
            left += _references(components[kind][name])
    return part


def option_for(folder: Path, *paths: str) -> tuple[str, str]:
    """Write the part of our contract that has these paths, and return the option that names it."""
    spec = folder / "openapi.json"
    spec.write_text(json.dumps(with_paths(CONTRACT, *paths)), encoding="utf-8")
    return "--spec", str(spec)


def _references(value: Any) -> Iterator[str]:
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _references(inner)
    if isinstance(value, dict) and isinstance(reference := value.get("$ref"), str):
        yield reference
