"""Measures what the fence compares: one dictionary a part, from a stable name to a short text."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

ROOT = Path(__file__).resolve().parents[2]
SEED = "1"
_SHELF = ROOT / "tests" / "harness_client"

State = dict[str, dict[str, str]]


class CouldNotMeasure(Exception):
    """A program that measures has failed."""


def measure(folder: Path, *, parts: list[str] | None, all_mutants: bool, workers: int) -> State:
    """Return the state of the parts that are asked for."""
    many = ["--all"] if all_mutants else []
    measures: dict[str, Callable[[Path], dict[str, str]]] = {
        "rows of contract, sandbox and client": lambda file: _rows(file, []),
        "rows of the second server": _rows_of_the_second_server,
        "rows of the shelf client": _rows_of_the_shelf_client,
        "defects of the stock generator": _catalogue,
        "mutants of servers": lambda file: _mutants(file, "servers", [*many, f"--workers={workers}"]),
        "mutants of clients": lambda file: _mutants(file, "clients", [*many, f"--workers={workers}"]),
    }
    state = {}
    for name, take in measures.items():
        if parts is None or any(fnmatchcase(name, part) for part in parts):
            print(f"measuring {name} ...", file=sys.stderr, flush=True)
            state[name] = take(folder / name.replace(" ", "-"))
    return state


def _rows(folder: Path, arguments: list[str], environment: dict[str, str] | None = None) -> dict[str, str]:
    command = ["-m", "contract_tests", "--seed", SEED, "--report-dir", str(folder), *arguments]
    _run(command, environment or {})
    return _verdicts(json.loads((folder / "results.json").read_text(encoding="utf-8"))["results"])


def _verdicts(results: Iterable[dict[str, Any]]) -> dict[str, str]:
    return {
        f"{row['id']} {row['service']} {row['operation']}": f"{row['verdict']} {row['identity'] or ''}".strip()
        for row in results
    }


def _rows_of_the_second_server(folder: Path) -> dict[str, str]:
    program = (
        "import json, sys; sys.path.insert(0, 'tests/conforming'); import false_alarms as f; "
        "from pathlib import Path; from serving_others import served\n"
        "with served('second') as url:\n"
        f"    print(json.dumps(f._report('second', url, Path(sys.argv[1]), ['--seed', '{SEED}'])['results']))"
    )
    folder.mkdir()
    return _verdicts(json.loads(_run(["-c", program, str(folder)], {})))


def _rows_of_the_shelf_client(folder: Path) -> dict[str, str]:
    arguments = ["--side", "client", "--spec", str(_SHELF / "shelf.yaml"), "--adapter", "shelf_client:Conforming"]
    return _rows(folder, arguments, {"PYTHONPATH": str(_SHELF)})


def _catalogue(file: Path) -> dict[str, str]:
    _run(["scripts/catalogue", "--seed", SEED, "--json", str(file)], {})
    data = json.loads(file.read_text(encoding="utf-8"))
    found = {row["number"]: "found" if row["found_by"] else "not found" for row in data["rows"]}
    ours = {f"{row['number']} in ours": str(row["ours"]).partition(":")[0] for row in data["rows"]}
    return found | ours | {"findings in ours": str(len(data["in_ours"]))}


def _mutants(file: Path, half: str, arguments: list[str]) -> dict[str, str]:
    _run(["-m", "mutants", half, "--seed", SEED, "--json", str(file), *arguments], {"PYTHONPATH": str(ROOT / "tests")})
    return {trial["id"]: trial["outcome"] for trial in json.loads(file.read_text(encoding="utf-8"))["trials"]}


def _run(command: list[str], environment: dict[str, str]) -> str:
    done = subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=os.environ | environment, capture_output=True, text=True, check=False
    )
    if done.returncode not in {0, 1}:
        raise CouldNotMeasure(f"exit {done.returncode} of {' '.join(command[:4])}: {done.stderr[-500:]}")
    return done.stdout
