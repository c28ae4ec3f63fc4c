"""The side environments: a virtualenv for each set of packages that are measured together, all pinned exactly."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, Self

if TYPE_CHECKING:
    import contextlib

    from rows import Row

__all__ = ["GENERATOR", "Failed", "Here", "Prepared", "Side", "prepare"]

_PINS = Path(__file__).parent / "pins"
_OURS = ("generated/workflow_runs_api", "src/workflow_runs")
_STOCK = "stock_api"
_SERVICE, _GENERATOR_NAME = "service", "openapi-python-client"
try:
    GENERATOR = importlib.metadata.version(_GENERATOR_NAME)
except importlib.metadata.PackageNotFoundError:
    print(
        "openapi-python-client is not installed; this brings it: pip install -r requirements/dev.txt", file=sys.stderr
    )
    sys.exit(2)


class Failed(Exception):
    """Something that has to be measured can't be."""


class Side(Protocol):
    """Where the subjects find what they measure."""

    def python(self, environment: str) -> Path:
        """The interpreter of an environment."""

    def path(self, environment: str) -> str:
        """Folders to import from, beside the environment's own."""

    def lacking(self, row: Row) -> str | None:
        """What a row needs and is not there."""


@dataclass(frozen=True)
class Prepared:
    """Virtualenvs of our own, in which the project and the stock output are installed like any package."""

    folder: Path

    def python(self, environment: str) -> Path:
        """The interpreter of an environment."""
        return self.folder / environment / "bin" / "python"

    def path(self, environment: str) -> str:  # noqa: ARG002 - the protocol's
        """Nothing: all is installed."""
        return ""

    def lacking(self, row: Row) -> str | None:  # noqa: ARG002 - the protocol's
        """Nothing."""
        return None


@dataclass(frozen=True)
class Here:
    """This interpreter and what is installed beside it; for a quick look, and for tests."""

    folder: Path

    @classmethod
    def made(cls, root: Path, rows: list[Row], stack: contextlib.ExitStack) -> Self:
        """Make what can't be installed: the stock output, in a folder that goes away."""
        here = cls(Path(stack.enter_context(tempfile.TemporaryDirectory())))
        if any(row.rival == _GENERATOR_NAME for row in rows):
            _generate_stock(root, here.folder)
        return here

    def python(self, environment: str) -> Path:  # noqa: ARG002 - there is one
        """This interpreter."""
        return Path(sys.executable)

    def path(self, environment: str) -> str:  # noqa: ARG002 - there is one
        """The folder with the stock output."""
        return str(self.folder)

    def lacking(self, row: Row) -> str | None:
        """The rival, or what our own side needs."""
        needed = {row.rival} | ({"orjson"} if "fast" in row.environments else set())
        return next((name for name in sorted(needed - {"python"}) if not _is_installed(name)), None)


def _is_installed(distribution: str) -> bool:
    try:
        importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def prepare(root: Path, folder: Path, rows: list[Row]) -> Prepared:
    """Make the virtualenvs that these rows need, as far as they are missing, with the project as it is now.

    Raises:
        Failed: one can't be made.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ".gitignore").write_text("*\n", encoding="utf-8")
    places = Prepared(folder.resolve())
    with tempfile.TemporaryDirectory() as stock:
        _generate_stock(root, Path(stock))
        for name in sorted({_SERVICE, *(name for row in rows for name in row.environments)}):
            _make(places, name)
            if name not in {_SERVICE, "promptlayer"}:
                _install(places, name, [*(root / part for part in _OURS), Path(stock, _STOCK)])
    return places


def _make(places: Prepared, name: str) -> None:
    pins, mark = _PINS / f"{name}.txt", places.folder / name / "pins.txt"
    wanted = "".join(pin.read_text(encoding="utf-8") for pin in sorted(_PINS.glob("*.txt")))
    if mark.exists() and mark.read_text(encoding="utf-8") == wanted:
        return
    print(f"making the side environment {name} in {places.folder}", file=sys.stderr)
    shutil.rmtree(places.folder / name, ignore_errors=True)
    uv = shutil.which("uv")
    if uv:
        _run([uv, "venv", "--quiet", "--python", sys.executable, str(places.folder / name)])
        _run([uv, "pip", "install", "--quiet", "--python", str(places.python(name)), "-r", str(pins)])
    else:
        _run([sys.executable, "-m", "venv", str(places.folder / name)])
        _run([str(places.python(name)), "-m", "pip", "install", "--quiet", "-r", str(pins)])
    mark.write_text(wanted, encoding="utf-8")


def _install(places: Prepared, name: str, packages: list[Path]) -> None:
    """Do what the installation of a wheel does: copy and compile."""
    program = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = Path(_run([str(places.python(name)), "-c", program]).strip())
    for package in packages:
        shutil.rmtree(site / package.name, ignore_errors=True)
        shutil.copytree(package, site / package.name, ignore=shutil.ignore_patterns("__pycache__"))
    _run([str(places.python(name)), "-m", "compileall", "-q", str(site)])


def _generate_stock(root: Path, folder: Path) -> None:
    """What the generator writes for our contract with its own templates."""
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none"]
    _run([*command, "--path", str(root / "openapi.yaml"), "--output-path", str(folder / _STOCK)])


def _run(command: list[str]) -> str:
    # The generator looks for ruff on the PATH, and the right one lies beside this interpreter.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "PATH": path})
    if done.returncode:
        raise Failed(f"{' '.join(command)} has failed:\n{done.stdout}{done.stderr}")
    return done.stdout
