"""Both files of locked versions name the same versions."""

from __future__ import annotations

import re
from pathlib import Path

REQUIREMENTS = Path(__file__).parents[1] / "requirements"


def _versions(name: str) -> dict[str, str]:
    text = (REQUIREMENTS / name).read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9._-]+)==([^ ;\\\n]+)", text, re.MULTILINE))


def test_the_workflows_install_what_developers_install() -> None:
    """The lock with hashes differs from the other by what `-e` needs alone."""
    developers, workflows = _versions("dev.txt"), _versions("workflows.txt")

    assert developers.items() <= workflows.items()
    assert workflows.keys() - developers.keys() == {"editables"}


def test_every_file_that_the_workflows_install_has_a_hash() -> None:
    """A version without a hash would be refused by pip in the night, and is refused here by day."""
    blocks = re.split(r"\n(?=[a-z0-9])", (REQUIREMENTS / "workflows.txt").read_text(encoding="utf-8"))

    assert [block for block in blocks[1:] if "--hash=sha256:" not in block] == []
