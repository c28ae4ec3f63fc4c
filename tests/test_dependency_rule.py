"""Who may import whom: a wrong arrow would let one bug hide in two places."""

from __future__ import annotations

import ast
import functools
import re
from pathlib import Path
from typing import NamedTuple

import pytest

_ROOT = Path(__file__).parents[1]
_OURS = {"workflow_contract", "workflow_runs", "workflow_runs_api", "workflow_sandbox", "contract_tests"}
_FOLDERS = {
    "workflow_contract": _ROOT / "src" / "workflow_contract",
    "workflow_runs_api": _ROOT / "generated" / "workflow_runs_api",
    "workflow_runs": _ROOT / "src" / "workflow_runs",
    "workflow_sandbox": _ROOT / "src" / "workflow_sandbox",
    "contract_tests": _ROOT / "contract_tests",
}
_MAY_IMPORT: dict[str, set[str]] = {
    "workflow_contract": set(),
    "workflow_runs_api": set(),
    "workflow_runs": {"workflow_runs_api"},
    "workflow_sandbox": set(),
    "contract_tests": {"workflow_contract", "workflow_runs", "workflow_runs_api", "workflow_sandbox"},
}
_STRICT = ("workflow_runs", "workflow_runs_api")
# The floors of the harness, lowest first: a part imports from its own folder and from lower floors.
_FLOORS = (
    {"rules", "budget"},
    {"options", "registry", "openapi"},
    {"http", "outcomes", "targets"},
    {"cases", "report"},
    {"coverage"},
    {"server", "client"},
    {"spec"},
    {"runner"},
    {"nightly", "__main__"},
)


class Import(NamedTuple):
    """One imported module, and where and how it is imported."""

    module: str
    line: int
    in_function: bool
    for_types: bool


@functools.cache
def _imports(path: Path) -> list[Import]:
    found: list[Import] = []

    def visit(node: ast.AST, *, in_function: bool, for_types: bool) -> None:
        if isinstance(node, ast.Import):
            found.extend(Import(alias.name, node.lineno, in_function, for_types) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            found.append(Import("." * node.level + (node.module or ""), node.lineno, in_function, for_types))
        elif isinstance(node, ast.Call) and (named := _import_by_name(node)):
            found.append(Import(named, node.lineno, in_function, for_types))
        in_function = in_function or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            for statement in node.body:
                visit(statement, in_function=in_function, for_types=True)
            for statement in node.orelse:
                visit(statement, in_function=in_function, for_types=for_types)
            return
        for inner in ast.iter_child_nodes(node):
            visit(inner, in_function=in_function, for_types=for_types)

    visit(ast.parse(path.read_text("utf-8")), in_function=False, for_types=False)
    return found


def _import_by_name(node: ast.Call) -> str | None:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if name not in {"import_module", "__import__"} or not node.args:
        return None
    first = node.args[0]
    return first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else None


def _modules(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.py") if "__pycache__" not in path.parts)


@pytest.mark.parametrize("package", _FOLDERS)
def test_a_module_imports_only_what_its_package_may(package: str) -> None:
    """The arrows go one way, for types as at run time."""
    modules = _modules(_FOLDERS[package])
    forbidden = {*_OURS, "tests"} - _MAY_IMPORT[package] - {package}
    wrong = [
        f"{path}:{each.line} imports {each.module}"
        for path in modules
        for each in _imports(path)
        if each.module.partition(".")[0] in forbidden
    ]
    assert modules
    assert wrong == []


def _part(module: str) -> str:
    """The part of the harness that a module belongs to: a folder, or a module at the top."""
    return ([*module.split("."), ""])[1]


def _may_import_in_the_harness() -> dict[str, set[str]]:
    allowed: dict[str, set[str]] = {}
    below: set[str] = set()
    for floor in _FLOORS:
        allowed |= {part: below | {part, ""} for part in floor}
        below |= floor
    return allowed


def test_the_harness_has_floors() -> None:
    """What reads a contract knows of no request, what makes cases of no server, and reports of nobody who judges."""
    floors = _may_import_in_the_harness()
    wrong = [
        f"{path}:{each.line} imports {each.module}"
        for path in _modules(_FOLDERS["contract_tests"])
        if not path.name.startswith("conftest")
        for each in _imports(path)
        if each.module.startswith("contract_tests")
        if _part(each.module)
        not in floors.get(path.relative_to(_FOLDERS["contract_tests"]).parts[0].removesuffix(".py"), {""})
    ]
    assert wrong == []


def test_traces_know_nobody_who_plays() -> None:
    """What rules look at can be made by hand: it is no matter how it was played."""
    for path in _modules(_FOLDERS["contract_tests"] / "server" / "models"):
        played = [one.module for one in _imports(path) if one.module.startswith("contract_tests.server.")]
        assert all(name.startswith("contract_tests.server.models") for name in played), path


def test_pytest_is_known_to_the_runner_alone() -> None:
    """What is played, drawn and compared does not know who calls it; rules and their fixtures may."""
    for path in _modules(_FOLDERS["contract_tests"]):
        inside = path.relative_to(_FOLDERS["contract_tests"])
        if inside.parts[0] != "runner" and "rules" not in inside.parts:
            assert "pytest" not in {each.module.partition(".")[0] for each in _imports(path)}, path


def test_the_sandbox_does_not_read_the_contract() -> None:
    """It was written from the pages: what it had from the contract it couldn't contradict."""
    for path in _modules(_FOLDERS["workflow_sandbox"]):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assert "openapi.yaml" not in node.value, path
        # A user's own workflows may be in YAML, in the file that the command line names.
        reads_yaml = {each.module.partition(".")[0] for each in _imports(path)} & {"yaml", "ruamel"}
        assert not reads_yaml or path.name == "workflow_files.py", path


def test_only_tests_import_the_harness() -> None:
    """Nothing that a user imports or that generates brings the harness along."""
    others = list(_ROOT.glob("*.py")) + _modules(_ROOT / "scripts")
    for package in ("workflow_contract", "workflow_runs", "workflow_runs_api", "workflow_sandbox"):
        others += _modules(_FOLDERS[package])
    for path in others:
        assert not [each for each in _imports(path) if each.module.partition(".")[0] == "contract_tests"], path


@pytest.mark.parametrize("package", _STRICT)
def test_one_module_touches_the_wire_library(package: str) -> None:
    """Only the transport and what stands behind it import httpx at run time, so that it can be replaced one day."""
    names = ("transport.py", "request.py", "own_clients.py", "pool.py", "connection.py", "aiohttp_pool.py")
    wire = [_FOLDERS["workflow_runs_api"] / name for name in names]
    for path in _modules(_FOLDERS[package]):
        imported = [each for each in _imports(path) if each.module.partition(".")[0] in {"httpx", "httpcore", "h11"}]
        at_run_time = [each for each in imported if not each.for_types]
        assert bool(at_run_time) == (path in wire), path


def _may_import_late(path: Path) -> bool:
    # A model is loaded when it is asked for, what an operation needs when it is called, and an extra when it is wanted.
    allowed = ("api", "models/__init__.py", "own_clients.py")
    return any(path.is_relative_to(_FOLDERS["workflow_runs_api"] / part) for part in allowed)


@pytest.mark.parametrize("package", _STRICT)
def test_imports_within_functions_stand_where_they_are_allowed(package: str) -> None:
    """Late imports belong to the operations, whose errors need models that success does not, and to the one seam."""
    seam = _FOLDERS["workflow_runs_api"] / "client.py"
    for path in _modules(_FOLDERS[package]):
        late = [each for each in _imports(path) if each.in_function]
        if path == seam:
            assert [each.module for each in late] == ["."], late
            tree = ast.parse(path.read_text("utf-8"))
            holders = [
                node.name
                for node in ast.walk(tree)
                if isinstance(node, ast.FunctionDef) and any(isinstance(x, ast.ImportFrom) for x in node.body)
            ]
            assert holders == ["_wire"]
        elif late and package == "workflow_runs":
            # Of its own: what needs the models is loaded when it is first used.
            assert all(each.module.startswith((".", "workflow_runs")) for each in late), f"{path}: {late}"
        elif late:
            assert _may_import_late(path), f"{path}: {late}"


@pytest.mark.parametrize("package", _STRICT)
def test_nothing_is_loaded_by_name(package: str) -> None:
    """Programs that freeze others find modules by their import statements: what is named in a text is not packed."""
    by_name = re.compile(r"\bimport_module\b|\b__import__\b|\bimportlib\b")
    for path in _modules(_FOLDERS[package]):
        assert not by_name.search(path.read_text("utf-8")), path


def test_other_late_imports_are_told() -> None:
    """The sandbox and the harness load heavy optional dependencies late; which ones is said, not judged."""
    told = [
        f"{path.relative_to(_ROOT)}:{each.line} {each.module}"
        for package in ("workflow_sandbox", "contract_tests")
        for path in _modules(_FOLDERS[package])
        for each in _imports(path)
        if each.in_function
    ]
    print(*told, sep="\n")  # noqa: T201 - shown by `pytest -rP`
    assert len(told) == len(set(told))
