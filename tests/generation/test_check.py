"""The committed package is what the contract gives, byte for byte, and `--check` finds whatever is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from growing import ROOT, Generated
from runs import PACKAGE, PLAIN_EDITS, QUIET_EDITS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_COMMAND = "nox -s generate"


def _bytes(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix != ".pyc"
    }


def test_generating_again_gives_the_committed_bytes(grown: Callable[[str], Generated]) -> None:
    """Neither the order of hashing nor the folder leaves a trace."""
    fresh = grown("fresh").package() / PACKAGE
    assert _bytes(fresh) == _bytes(ROOT / "generated" / PACKAGE)


def test_the_committed_package_passes_the_check(grown: Callable[[str], Generated]) -> None:
    """With another order of hashing nothing differs either."""
    assert grown("check").status == 0, grown("check").output


def test_every_module_says_where_it_comes_from(grown: Callable[[str], Generated]) -> None:
    """A header forbids edits and names the command; the package holds its provenance and is typed."""
    fresh = grown("fresh").package() / PACKAGE
    modules = list(fresh.rglob("*.py"))
    assert modules
    for module in modules:
        first = module.read_text("utf-8").splitlines()[0]
        assert "do not edit" in first
        assert _COMMAND in first
        assert "openapi-python-client 0." in first
    assert (fresh / "py.typed").exists()
    provenance = (fresh / "__init__.py").read_text("utf-8")
    for name in ("CONTRACT_VERSION", "SOURCE_HASH", "GENERATOR"):
        assert f"{name} = " in provenance


@pytest.mark.parametrize(
    ("edits", "name"),
    [("plain edits", name) for name in PLAIN_EDITS] + [("quiet edits", name) for name in QUIET_EDITS],
)
def test_a_hand_edit_is_found(edits: str, name: str, grown: Callable[[str], Generated]) -> None:
    """Exit status 1, the file's name and the command that mends it, even if no word of the file has changed."""
    done = grown(edits)
    assert done.status == 1, done.output
    assert name in done.output
    assert _COMMAND in done.output


def test_a_check_leaves_the_edit_alone(grown: Callable[[str], Generated]) -> None:
    """`--check` tells and does not mend."""
    edited = grown("plain edits").folder / PACKAGE
    assert (edited / "models/by_hand.py").read_text("utf-8") == "x = 1\n"
    assert not (edited / "models/command.py").exists()
