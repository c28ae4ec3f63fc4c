"""Changes of source text that make a correct client defective, and the changed copies."""

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from contract_tests.rules import SetUpError
from mutants.defect import Defect

GENERATED: Final = "workflow_runs_api"
CLIENT: Final = "workflow_runs"
SHELF: Final = "careful_shelf"
SHELF_FOLDER: Final = Path(__file__).parents[2] / "harness_client" / SHELF
SHELF_CONTRACT: Final = SHELF_FOLDER.with_name("shelf.yaml")
OPTIONS: Final = {GENERATED: "--generated", CLIENT: "--client", SHELF: "--generated"}
IGNORED: Final = shutil.ignore_patterns("__pycache__")


@dataclass(frozen=True, kw_only=True)
class Edit:
    """
    One change of one module.

    Attributes:
        package: Import name of the package.
        module: Path of the module in it.
        old: Text that stands there.
        new: Text to stand there instead.
        times: How often ``old`` stands there; all of them are changed.
    """

    package: str
    module: str
    old: str
    new: str
    times: int = 1


@dataclass(frozen=True, kw_only=True)
class ClientDefect(Defect):
    """A defect that is made by changing source text."""

    edits: tuple[Edit, ...]

    @property
    def is_of_the_shelf(self) -> bool:
        """Whether it is in the client of the other contract."""
        return any(edit.package == SHELF for edit in self.edits)


def generated(module: str, old: str, new: str, *, times: int = 1) -> Edit:
    """Change a module of the generated package."""
    return Edit(package=GENERATED, module=module, old=old, new=new, times=times)


def client(module: str, old: str, new: str, *, times: int = 1) -> Edit:
    """Change a module of ``workflow_runs``."""
    return Edit(package=CLIENT, module=module, old=old, new=new, times=times)


def shelf(module: str, old: str, new: str, *, times: int = 1) -> Edit:
    """Change a module of the client of another contract."""
    return Edit(package=SHELF, module=module, old=old, new=new, times=times)


def defect(
    id: str,  # noqa: A002 - the word that the table uses
    title: str,
    operator: str,
    rules: str | tuple[str, ...],
    *edits: Edit,
    operation: str = "",
    equivalent: str = "",
    missed: str = "",
) -> ClientDefect:
    """Put a defect down; a single rule may be given as text."""
    return ClientDefect(
        id=id,
        title=title,
        operator=operator,
        operation=operation,
        rules=(rules,) if isinstance(rules, str) else rules,
        equivalent=equivalent,
        missed=missed,
        edits=edits,
    )


@cache
def folder_of(package: str) -> Path:
    """
    Give where a package lies.

    Raises:
        SetUpError: If it is not installed.
    """
    if package == SHELF:
        return SHELF_FOLDER
    found = find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise SetUpError(f"{package} is not installed")
    return Path(found.submodule_search_locations[0])


@cache
def source_of(package: str, module: str) -> str:
    """Give the text of a module as it is installed."""
    return (folder_of(package) / module).read_text(encoding="utf-8")


def make_copies(edits: Iterable[Edit], folder: Path) -> dict[str, Path]:
    """
    Make changed copies of those packages that are changed.

    Args:
        edits: What to change, in order.
        folder: Where the copies go, each in a folder with its package's name.

    Raises:
        SetUpError: If a text to be changed does not stand there as often as it should.
    """
    copies: dict[str, Path] = {}
    for edit in edits:
        if edit.package not in copies:
            copies[edit.package] = folder / edit.package
            shutil.copytree(folder_of(edit.package), copies[edit.package], ignore=IGNORED)
            if edit.package == SHELF:
                shutil.copy(SHELF_CONTRACT, folder)  # which it reads from beside itself
        module = copies[edit.package] / edit.module
        module.write_text(changed(module.read_text(encoding="utf-8"), edit), encoding="utf-8")
    return copies


def changed(text: str, edit: Edit) -> str:
    """
    Give a module's text with a change.

    Raises:
        SetUpError: If the text to be changed does not stand there as often as it should, or nothing would change.
    """
    count = text.count(edit.old)
    if count != edit.times or edit.old == edit.new:
        raise SetUpError(f"{edit.package}/{edit.module}: found {count} times, not {edit.times}: {edit.old!r}")
    return text.replace(edit.old, edit.new)
