"""Every snippet of the README and of the pages on client and sandbox is complete: it runs as it stands.

A block of Python is a program of its own, or tests for pytest; a block without a language after it is what it prints.
The project's own commands in a block of shell are run too, and those that write a file for them, in the order of the
page and in one folder.
"""

from __future__ import annotations

import ast
import functools
import importlib.util
import os
import re
import shlex
import subprocess
import sys
from doctest import ELLIPSIS, NORMALIZE_WHITESPACE, OutputChecker
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from contract_tests.rules import Basis, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workflow_sandbox import Sandbox

ROOT = Path(__file__).parents[1]
PAGES = ("README.md", "docs/client.md", "docs/sandbox.md", "docs/targets.md")
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$(?:\n\n?^```\n(.*?)^```$)?", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"\]\((?![a-z]+:)([^)#\s]*)(#[^)\s]*)?\)")
_OWN_COMMANDS = ("workflow-runs run", "workflow-runs results", "workflow-runs batch")


class Snippet(NamedTuple):
    """A block of code on a page, and what the page says that it prints."""

    page: str
    line: int
    language: str
    code: str
    printed: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


@functools.cache
def _snippets(page: str) -> list[Snippet]:
    text = (ROOT / page).read_text(encoding="utf-8")
    return [
        Snippet(page, text.count("\n", 0, found.start()) + 1, found[1], found[2], found[3] or "")
        for found in _BLOCK.finditer(text)
    ]


_PYTHON = [
    pytest.param(each, id=str(each), marks=[pytest.mark.slow] if "schemathesis" in each.code else [])
    for page in PAGES
    for each in _snippets(page)
    if each.language == "python"
]
_COMMANDS = {page: [each.code for each in _snippets(page) if each.language == "sh"] for page in PAGES}


def _environment(sandbox: Sandbox) -> dict[str, str]:
    return {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PROMPTLAYER_API_KEY": sandbox.api_key,
        "PROMPTLAYER_BASE_URL": sandbox.promptlayer_url,
        "INTERACTLY_API_KEY": sandbox.api_key,
        "INTERACTLY_BASE_URL": sandbox.interactly_url,
    }


def _run(command: list[str], environment: Mapping[str, str], folder: Path) -> str:
    done = subprocess.run(
        command, env=environment, cwd=folder, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, f"{shlex.join(command)}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.mark.parametrize("snippet", _PYTHON)
def test_a_snippet_of_python_runs_and_prints_what_the_page_says(
    snippet: Snippet, workflow_sandbox: Sandbox, tmp_path: Path
) -> None:
    """Who pastes it into a file gets this."""
    file = tmp_path / "test_snippet.py"
    file.write_text(snippet.code, encoding="utf-8")
    program = ["-m", "pytest", "-q", "-p", "no:cacheprovider"] if "\ndef test_" in snippet.code else []

    printed = _run([sys.executable, *program, str(file)], _environment(workflow_sandbox), tmp_path)

    if snippet.printed:
        assert OutputChecker().check_output(snippet.printed, printed, ELLIPSIS | NORMALIZE_WHITESPACE), printed


@pytest.mark.parametrize("page", PAGES)
def test_the_commands_of_a_page_work_in_the_order_of_the_page(
    page: str, workflow_sandbox: Sandbox, tmp_path: Path
) -> None:
    """The project's own commands are run; those that install or serve something are tried by other tests."""
    for line in "".join(_COMMANDS[page]).splitlines():
        command = shlex.split(line, comments=True)
        if command[:1] == ["echo"]:
            subprocess.run(line, shell=True, cwd=tmp_path, check=True)  # noqa: S602 - our own page's
        if line.startswith(_OWN_COMMANDS):
            module = [sys.executable, "-m", "workflow_runs.command_line", *command[1:]]
            assert _run(module, _environment(workflow_sandbox), tmp_path)


@pytest.mark.parametrize("page", [*PAGES, "ARCHITECTURE.md", "CONTRIBUTING.md", "docs/adapters.md", "docs/glossary.md"])
def test_the_links_of_a_page_lead_somewhere(page: str) -> None:
    """A relative link names a file that is there, and a heading that it has."""
    for path, heading in _LINK.findall((ROOT / page).read_text(encoding="utf-8")):
        target = (ROOT / page).parent / path if path else ROOT / page
        assert target.exists(), path
        if heading:
            titles = re.findall(r"^#+ (.*)$", target.read_text(encoding="utf-8"), re.MULTILINE)
            assert heading[1:] in {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}, heading


def test_the_snippets_are_found() -> None:
    """A page whose blocks were written in another way would leave the tests above without work."""
    assert [len(_snippets(page)) > 0 for page in PAGES] == [True] * len(PAGES)
    assert _snippets("README.md")[0].printed


def test_links_are_relative_until_the_project_has_an_address() -> None:
    """The build hook puts the address before relative links, and touches no others."""
    spec = importlib.util.spec_from_file_location("readme_links", ROOT / "scripts" / "readme_links.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    text = "[rules](docs/rules.md) [httpx](https://www.python-httpx.org) [here](#more)"

    assert module.absolute_links(text, "") == text
    assert module.absolute_links(text, "https://example.org/p") == (
        "[rules](https://example.org/p/docs/rules.md) [httpx](https://www.python-httpx.org) [here](#more)"
    )


_TERMS = re.findall(r"^\| (.+?) \|", (ROOT / "docs/glossary.md").read_text(encoding="utf-8"), re.MULTILINE)


@functools.cache
def _written() -> str:
    """Return all that is written by hand but the glossary itself, in lower case."""
    paths = [
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/*.md"),
        *ROOT.glob("src/**/*.py"),
        *ROOT.glob("contract_tests/**/*.py"),
    ]
    return "\n".join(path.read_text(encoding="utf-8") for path in paths if path.name != "glossary.md").lower()


@pytest.mark.parametrize("term", sorted({*_TERMS} - {"term", "---"}))
def test_a_term_of_the_glossary_is_used_and_explained_once(term: str) -> None:
    """What nobody writes needs no line, and what has two meanings is no term."""
    assert re.search(r"\b" + "[ _]?".join(term.split()), _written())
    assert _TERMS.count(term) == 1


@pytest.mark.parametrize("words", [Verdict, Basis])
def test_the_words_of_the_reports_are_explained(words: type[Verdict | Basis]) -> None:
    """A verdict is a term of the glossary, and a basis is named there."""
    glossary = (ROOT / "docs/glossary.md").read_text(encoding="utf-8")
    assert [word for word in words if not re.search(rf"\b{word.replace('_', ' ')}\b", glossary)] == []


def test_every_session_that_is_named_is_there() -> None:
    """CI, the nightly workflows and the pages ask nox for no session that has another name by now."""
    tree = ast.parse((ROOT / "noxfile.py").read_text(encoding="utf-8"))
    sessions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.decorator_list}
    files = [ROOT / ".ci/run", *ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob(".github/workflows/*.yml")]
    text = "\n".join(path.read_text(encoding="utf-8") for path in files if path.name != "CHANGELOG.md")
    named = {name for names in re.findall(r"\bnox (?:--\S+ )*-s((?: [a-z_]+)+)", text) for name in names.split()}

    assert len(named) > 5
    assert named <= sessions
