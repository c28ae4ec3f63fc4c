"""Runs of the generator that are about the program rather than about a grown contract, by name."""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from growing import (
    ROOT,
    TEXT,
    Generated,
    add,
    contract,
    generate,
    parameter,
    reference,
    run_generator,
    small,
    start_generator,
)
from refused_constructs import DOCUMENT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PACKAGE = "workflow_runs_api"


def edit(path: Path) -> None:
    """Change a line."""
    path.write_text(path.read_text("utf-8").replace("201", "200", 1), "utf-8")


def use_windows_line_ends(path: Path) -> None:
    """Change every byte that ends a line, and nothing else."""
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))


def add_blank_line(path: Path) -> None:
    """Add a line at the end."""
    path.write_bytes(path.read_bytes() + b"\n")


def add_by_hand(path: Path) -> None:
    """Add a module."""
    path.write_text("x = 1\n", "utf-8")


PLAIN_EDITS: dict[str, Callable[[Path], object]] = {
    "api/promptlayer/run_workflow.py": edit,
    "models/by_hand.py": add_by_hand,
    "models/command.py": lambda path: path.unlink(),
    "types.py": add_blank_line,
}
QUIET_EDITS: dict[str, Callable[[Path], object]] = {
    "models/empty.py": lambda path: path.touch(),
    "models/run_status.py": use_windows_line_ends,
    "py.typed": lambda path: path.unlink(),
}


def _check_edited(folder: Path, edits: dict[str, Callable[[Path], object]]) -> Generated:
    package = shutil.copytree(ROOT / "generated" / PACKAGE, folder / PACKAGE)
    for name, spoil in edits.items():
        spoil(package / name)
    return run_generator("--check", "--output", str(folder))


def _fresh(folder: Path) -> Generated:
    return start_generator("--output", str(folder), PYTHONHASHSEED="1")


def _strange_tag() -> dict[str, Any]:
    document = contract()
    document["paths"]["/workflows/{workflow_name}/run"]["post"]["tags"] = ["workflows"]
    return document


def _with_body(schema: dict[str, Any]) -> dict[str, Any]:
    document = small()
    add(document, "post", "/a", "opA", body=schema)
    return document


def _with(**more: Any) -> dict[str, Any]:
    document = small()
    add(document, "get", "/a", "opA", **more)
    return document


# Contracts that must end in words, and a word that has to be among them.
IN_WORDS: dict[str, tuple[dict[str, Any] | str, str]] = {
    "a word for a truth value": (
        _with(parameters=[parameter("query", "a", TEXT, explode="on")]),
        "#/paths/~1a/get/parameters/0/explode: a valid boolean is expected here",
    ),
    "a text for a number": (
        _with_body({"type": "string", "minLength": "3"}),
        "schema/minLength: a valid integer is expected here",
    ),
    "no names of patterns": (_with_body({"patternProperties": []}), "patternProperties: an object is expected here"),
    "a dangling reference": (_with_body(reference("Nope")), "Nope"),
    "references in a circle": (small(One=reference("Two"), Two=reference("One")), "One"),
    "no operation object": (_with() | {"paths": {"/a": {"get": []}}}, "#/paths/~1a/get"),
    "a reference to another file": (_with_body({"$ref": "other.yaml#/X"}), "other.yaml"),
    "an unknown scheme": (_with(security=[{"no-such-scheme": []}]), "no-such-scheme"),
    "a strange tag": (_strange_tag(), "runWorkflow"),
    "a schema that allows nothing": (_with_body({"type": "object", "properties": {"a": False}}), "allows no value"),
    "one of several": (_with_body({"type": 7}), "'object' or 'null' or a valid array is expected here"),
    "a union of itself alone": (
        small(Any={"oneOf": [TEXT, {"type": "array", "items": reference("Any")}]}),
        "#/components/schemas/Any: it leads back to itself",
    ),
    "an anchor": (_with_body({"$ref": "#name"}), "'#name' is no JSON pointer"),
    "version 3.10": (small() | {"openapi": "3.10.0"}, "no OpenAPI document of version 3.0 or 3.1"),
    "a list": ("- 1\n", "no OpenAPI document"),
    "no YAML": ("a: [", "neither YAML nor JSON"),
    "nothing": ("{}", "openapi"),
}


def _missing(option: str) -> Callable[[Path], Generated]:
    def run(folder: Path) -> Generated:
        return run_generator(option, str(folder / "none.yaml"), "--output", str(folder), "--check")

    return run


# Where a module is None, Python finds no such package.
_WITHOUT_GENERATOR = """
import runpy, sys
sys.modules["openapi_python_client"] = None
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def _without_generator(folder: Path) -> Generated:
    command = [sys.executable, "-c", _WITHOUT_GENERATOR, str(ROOT / "scripts" / "generate"), "--output", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return Generated(done.returncode, done.stdout + done.stderr, folder)


RUNS: dict[str, Callable[[Path], Generated]] = {
    "fresh": _fresh,
    "check": lambda _: start_generator("--check", PYTHONHASHSEED="2"),
    "plain edits": lambda folder: _check_edited(folder, PLAIN_EDITS),
    "quiet edits": lambda folder: _check_edited(folder, QUIET_EDITS),
    "without the generator": _without_generator,
    "refused": lambda folder: generate(DOCUMENT, folder),
    "missing --contract": _missing("--contract"),
    "missing --config": _missing("--config"),
    **{
        name: lambda folder, document=document: generate(document, folder)  # type: ignore[misc]
        for name, (document, _) in IN_WORDS.items()
    },
}
