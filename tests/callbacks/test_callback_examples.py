"""Every docstring's example of the callbacks runs, and nobody pays for callbacks who doesn't use them."""

from __future__ import annotations

import doctest
import importlib
import subprocess
import sys

import pytest

_MODULES = {"run_finished": 3, "signatures": 3, "webhooks": 3, "deliveries": 2, "receivers": 3, "listener": 3}


@pytest.mark.parametrize("name", _MODULES)
def test_examples_run(name: str) -> None:
    """Each example gives what it says, with nothing more imported than the public names, httpx and asyncio."""
    names = {"httpx": importlib.import_module("httpx"), "asyncio": importlib.import_module("asyncio")}
    for module in _MODULES:
        names |= vars(importlib.import_module(f"workflow_runs.callbacks.{module}"))
    examples = doctest.DocTestFinder(exclude_empty=True).find(
        importlib.import_module(f"workflow_runs.callbacks.{name}"), extraglobs=names
    )

    results = [doctest.DocTestRunner().run(each) for each in examples if each.examples]

    assert [result.failed for result in results] == [0] * _MODULES[name]


def test_package_stays_light() -> None:
    """Importing the package loads none of what callbacks need."""
    code = (
        "import sys, workflow_runs; heavy = {'attrs', 'attr', 'httpx', 'asyncio', 'http.server', 'hmac', 'hashlib',"
        " 'socketserver', 'dataclasses', 'workflow_runs.callbacks'}; print(sorted(heavy & sys.modules.keys()))"
    )

    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
