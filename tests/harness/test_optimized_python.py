"""`python -O` and `-OO` change no verdict: asserts narrow types and do nothing else, and docstrings are not read."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]


def _only_narrows(test: ast.expr) -> bool:
    if isinstance(test, ast.Call):
        return isinstance(test.func, ast.Name) and test.func.id == "isinstance"
    return isinstance(test, ast.Compare) and isinstance(test.ops[0], ast.IsNot)


@pytest.mark.parametrize("folder", ["contract_tests", "src", "scripts", "benchmarks", "generated"])
def test_asserts_narrow_types_and_nothing_else(folder: str) -> None:
    """Whatever an assert does is not done under -O."""
    for path in (_ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Assert):
                assert _only_narrows(node.test), f"{path}:{node.lineno}: {ast.unparse(node)}"


@pytest.mark.parametrize("folder", ["contract_tests", "src"])
def test_docstrings_are_read_by_help_alone(folder: str) -> None:
    """Under -OO they are gone; neither a verdict nor a help text may be."""
    for path in (_ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            name = getattr(node, "attr", None) or getattr(node, "id", None)
            assert name != "__doc__", f"{path}:{node.lineno}"
