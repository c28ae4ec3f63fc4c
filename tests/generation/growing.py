"""Contracts that grow, and what is generated from them."""

from __future__ import annotations

import contextlib
import copy
import functools
import importlib.util
import io
import os
import pickle
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import ModuleType

ROOT = Path(__file__).parents[2]
JSON = "application/json"
TEXT = {"type": "string"}
# By libyaml where that is there: each program that makes calls reads it, too.
_CONTRACT: dict[str, Any] = yaml.load(
    (ROOT / "openapi.yaml").read_text(encoding="utf-8"),
    Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader),  # noqa: S506 - both are safe
)
_SERVERS = [{"url": "https://api.promptlayer.com"}]


def contract() -> dict[str, Any]:
    """A copy of our own contract, to be changed."""
    return copy.deepcopy(_CONTRACT)


def small(**schemas: Any) -> dict[str, Any]:
    """A contract without operations: one service and, beside the given components, the form of an error."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Small", "version": "1"},
        "tags": [{"name": "promptlayer", "x-class-name": "PromptLayer", "description": "A service."}],
        "paths": {},
        "components": {
            "securitySchemes": {"promptLayerKey": {"type": "apiKey", "in": "header", "name": "X-API-KEY"}},
            "schemas": {"ErrorResponse": {"type": "object", "properties": {"message": TEXT}}, **schemas},
        },
    }


def reference(name: str) -> dict[str, Any]:
    """A reference to a component schema."""
    return {"$ref": f"#/components/schemas/{name}"}


def answer(schema: Any, media_type: str = JSON) -> dict[str, Any]:
    """A reply with a body."""
    return {"description": "Told.", "content": {media_type: {"schema": schema}}}


def parameter(place: str, name: str, schema: Any, **more: Any) -> dict[str, Any]:
    """A parameter; those in a path are required."""
    return {"in": place, "name": name, "required": place == "path", "schema": schema, **more}


def add(document: dict[str, Any], method: str, path: str, operation_id: str | None, **more: Any) -> dict[str, Any]:
    """Add an operation; `body` is the schema of a required JSON body."""
    body = more.pop("body", None)
    operation: dict[str, Any] = {
        "operationId": operation_id,
        "tags": ["promptlayer"],
        "summary": "A new operation.",
        "security": [{"promptLayerKey": []}],
        "responses": {"200": answer({})},
        **more,
    }
    if operation_id is None:
        del operation["operationId"]
    if body is not None:
        operation["requestBody"] = {"required": True, "content": {JSON: {"schema": body}}}
    document["paths"].setdefault(path, {"servers": _SERVERS})[method] = operation
    return operation


@dataclass(frozen=True)
class Generated:
    """How a generation ended.

    Attributes:
        folder: Holds the package if there is one; goes first on the path of whoever uses it.
    """

    status: int
    output: str
    folder: Path

    def package(self) -> Path:
        """The folder to put on the path; an error if there is no package."""
        assert self.status == 0, self.output
        return self.folder

    def refused(self) -> str:
        """What was said; an error if it was not refused, or not in a way made for people."""
        assert self.status == 2, f"exit status {self.status}: {self.output[-2000:]}"
        assert "Traceback" not in self.output
        return self.output


def generate(document: dict[str, Any] | str, folder: Path, *options: str) -> Generated:
    """Generate from a contract, given as a document or as text."""
    folder.mkdir(parents=True, exist_ok=True)
    source = folder / "openapi.yaml"
    source.write_text(document if isinstance(document, str) else yaml.safe_dump(document, sort_keys=False), "utf-8")
    return run_generator("--contract", str(source), "--output", str(folder / "out"), *options)


def generate_as(package: str, document: dict[str, Any] | str, folder: Path, *options: str) -> Generated:
    """Generate a package of this name, which can be imported beside ours."""
    config = yaml.safe_load((ROOT / "generator-config.yml").read_text("utf-8")) | {"package_name_override": package}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.yml").write_text(yaml.safe_dump(config), "utf-8")
    return generate(document, folder, "--config", str(folder / "config.yml"), *options)


@contextlib.contextmanager
def importing(generated: Generated, package: str) -> Iterator[Callable[[str], ModuleType]]:
    """Import modules of a package that was generated, and forget them at the end."""
    sys.path.insert(0, str(generated.package()))
    yield lambda name: importlib.import_module(f"{package}.{name}")
    sys.path.pop(0)
    for name in [name for name in sys.modules if name.partition(".")[0] == package]:
        del sys.modules[name]


def run_generator(*arguments: str) -> Generated:
    """Run the program in this process, which has to load it only once."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        status = generator().main(arguments)
    return Generated(status, said.getvalue(), _output(arguments))


def start_generator(*arguments: str, **environment: str) -> Generated:
    """Run the program in a process of its own."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "generate"), *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )
    return Generated(done.returncode, done.stdout + done.stderr, _output(arguments))


def _output(arguments: Sequence[str]) -> Path:
    return Path(arguments[arguments.index("--output") + 1]) if "--output" in arguments else ROOT / "generated"


@functools.cache
def generator() -> ModuleType:
    """The program's own module."""
    folder = ROOT / "scripts" / "generate"
    sys.path.append(str(folder))
    specification = importlib.util.spec_from_file_location("generating", folder / "__main__.py")
    assert specification
    assert specification.loader
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@dataclass(frozen=True)
class Try:
    """One call in a fresh process, and the reply that it gets."""

    method: str
    positional: tuple[Any, ...] = ()
    keywords: dict[str, Any] = field(default_factory=dict)
    status: int = 200
    content: bytes = b"null"
    media_type: str | None = JSON
    headers: dict[str, str] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Tried:
    """What came of a call.

    Attributes:
        sent: Method, raw path, header pairs and body of each request.
        type_name: Name of the result's class, or of the error's.
        plain: The result, or an error's body, as a JSON value.
    """

    signature: str
    sent: list[tuple[str, str, list[tuple[str, str]], bytes]]
    type_name: str
    plain: Any
    error: str | None
    error_field: str | None


def try_out(generated: Generated, *tries: Try, whole: bool = True) -> list[Tried]:
    """Make calls with a generated package, in a fresh process where it comes first.

    Through `workflow_runs.PromptLayer` if the contract is a `whole` one, else through the generated class itself.
    """
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("probe.py"))],
        input=pickle.dumps((whole, tries)),
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(generated.package())},
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    results: list[Tried] = pickle.loads(done.stdout)  # noqa: S301 - from our own process
    return results
