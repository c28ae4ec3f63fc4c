"""Check that a property which the contract renames breaks our types, not our users: `python scripts/check_renames.py`.

Renames every property and query parameter of the contract in a copy, generates the client anew and lets mypy --strict
read `workflow_runs` over it. Exit status 1 if a module spells a name of the contract and mypy says nothing of it: then
a string, a `get`, a `getattr` or an `Any` hides it.
"""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

_ROOT = Path(__file__).resolve().parents[1]
_SOURCE = _ROOT / "src" / "workflow_runs"
_SUFFIX = "_renamed"
# Only of a name like this can be told that it is the contract's: our own code says "status" and "output" as well.
_DISTINCT = re.compile(r"[a-z]+(_[a-z]+)+")
_OUR_OWN = {
    ("batch/running.py", "return_all_outputs"),  # the argument of `wait`
    ("command_line/one_run.py", "return_all_outputs"),  # likewise
    ("promptlayer.py", "return_all_outputs"),  # likewise
    ("callbacks/webhooks.py", "workflow_id"),  # of Interactly's webhooks, which the contract does not describe
    ("callbacks/webhooks.py", "workflow_run_id"),  # likewise
    ("callbacks/webhooks.py", "run_id"),  # likewise
    ("batch/items.py", "workflow_name"),  # in the path of a run, where names are never sent; bodies have one as well
    ("batch/running.py", "workflow_name"),  # likewise
    ("command_line/inputs.py", "workflow_name"),  # likewise
    ("waiting.py", "workflow_runs"),  # the name of this package
}


def main() -> int:
    """Rename, generate and ask mypy."""
    contract = yaml.safe_load((_ROOT / "openapi.yaml").read_text(encoding="utf-8"))
    renamed = {name for name in _rename(contract) if _DISTINCT.fullmatch(name)}
    with tempfile.TemporaryDirectory() as directory:
        told = _told(contract, Path(directory))
    hidden = sorted(
        (place, name)
        for path in _SOURCE.rglob("*.py")
        for place in [path.relative_to(_SOURCE).as_posix()]
        for name in _spelled(path) & renamed - told[place]
        if (place, name) not in _OUR_OWN
    )
    for place, name in hidden:
        print(f"src/workflow_runs/{place}: {name} is the contract's, and hidden from mypy")
    print(f"{len(renamed)} names; mypy tells of {len(renamed & set().union(*told.values()))}, {len(hidden)} are hidden")
    return 1 if hidden or not told else 0


def _rename(node: Any) -> Iterator[str]:
    """Rename properties and query parameters in place; yield their names."""
    if isinstance(node, dict):
        if isinstance(node.get("properties"), dict):
            yield from node["properties"]
            node["properties"] = {name + _SUFFIX: schema for name, schema in node["properties"].items()}
        if isinstance(node.get("required"), list):
            node["required"] = [name + _SUFFIX for name in node["required"]]
        if node.get("in") == "query":
            yield node["name"]
            node["name"] += _SUFFIX
        for key, inner in node.items():
            yield from _rename(inner) if key not in {"example", "examples"} else ()
    elif isinstance(node, list):
        for inner in node:
            yield from _rename(inner)


def _told(contract: Any, folder: Path) -> dict[str, set[str]]:
    """Return the words of mypy's errors by module."""
    path, generated = folder / "openapi.yaml", folder / "generated"
    path.write_text(json.dumps(contract, default=str), encoding="utf-8")
    command = [sys.executable, "scripts/generate", "--contract", str(path), "--output", str(generated)]
    subprocess.run(command, cwd=_ROOT, check=True, stdout=subprocess.DEVNULL)
    options = ["--strict", "--config-file=", "--no-error-summary", f"--cache-dir={folder / 'cache'}"]
    found = subprocess.run(
        [sys.executable, "-m", "mypy", *options, "-p", "workflow_runs"],
        cwd=_ROOT,
        env={**os.environ, "MYPYPATH": os.pathsep.join([str(generated), str(_ROOT / "src")])},
        capture_output=True,
        text=True,
        check=False,
    )
    told: defaultdict[str, set[str]] = defaultdict(set)
    for place, words in re.findall(r"^src/workflow_runs/(\S+?):\d+: error: (.*)", found.stdout, re.MULTILINE):
        told[place] |= set(re.findall(r"\w+", words))
    return told


def _spelled(path: Path) -> set[str]:
    """Return the names that a module spells, as a string, an attribute or a keyword."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Constant(value=str(name)) | ast.Attribute(attr=name) | ast.keyword(arg=str(name)):
                found.add(name)
    return found


if __name__ == "__main__":
    sys.exit(main())
