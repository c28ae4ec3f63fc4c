"""The scoreboard's pages say what they must, and count right."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ROOT / "scripts" / "scoreboard"
PAGE = ROOT / "docs" / "scoreboard.md"


def module(name: str) -> ModuleType:
    """Load a module of the script."""
    spec = importlib.util.spec_from_file_location(f"scoreboard_{name}", SCRIPTS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = loaded
    spec.loader.exec_module(loaded)
    return loaded


def row(rule: str, operation: str, verdict: str, **more: Any) -> dict[str, Any]:
    """Make a row."""
    plain = {"title": f"{rule}'s title.", "basis": "documented", "reason": "", "source": "", "seen": verdict}
    return {"id": rule, "operation": operation, "verdict": verdict, "constraints": 0, "findings": [], **plain, **more}


def test_the_sums_of_the_committed_table_are_right() -> None:
    """Each cell of the table has one of the page's words, and the last two lines count them."""
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| **")]
    rules, sums = lines[:-2], lines[-2:]
    assert len(rules) > 60
    for is_inferred, total in zip((False, True), sums, strict=True):
        cells = [_cells(line) for line in rules if ("*(inferred)*" in line) is is_inferred]
        judged = [
            [cell for cell in column if cell.startswith(("kept", "broken "))] for column in zip(*cells, strict=True)
        ]
        assert _cells(total) == [f"{column.count('kept')} of {len(column)}" for column in judged]


def _judged(column: tuple[str, ...]) -> list[str]:
    return [cell for cell in column if cell.startswith(("kept", "broken "))]


def _cells(line: str) -> list[str]:
    return [cell.strip(" *") for cell in line.strip("|").split("|")[1:]]


def test_nothing_of_this_machine_stands_on_the_page() -> None:
    """No folder of the machine that judged, no port and no address in memory."""
    text = PAGE.read_text(encoding="utf-8")
    assert not [word for word in ("/root", "/home", "/tmp", "/opt", "/work/", "0x7f") if word in text]  # noqa: S108
    assert "How to contest" in text


@pytest.mark.parametrize(
    ("verdicts", "word"),
    [
        (["kept", "kept"], "kept"),
        (["kept", "broken", "not_applicable"], "broken 1/2"),
        (["not_claimed", "kept"], "kept"),
        (["not_claimed", "broken"], "broken 1/1"),
        (["not_claimed", "not_applicable", "not_offered"], "not claimed"),
        (["not_offered", "not_applicable"], "n/a"),
        (["not_offered"], "not claimed"),
        (["not_applicable"], "n/a"),
        (["not_exercised", "not_claimed"], "not reached"),
    ],
)
def test_a_cell_has_the_worst_verdict_that_counts(verdicts: list[str], word: str) -> None:
    """A breach stands out; what is not claimed or does not apply hides nothing that was judged."""
    rows = [row("CL-X-01", f"op{number}", verdict) for number, verdict in enumerate(verdicts)]
    assert module("page").verdict(rows) == word


def test_what_is_not_claimed_counts_for_nothing() -> None:
    """The sums are of rules that were judged; inferred ones are counted apart."""
    page = module("page")
    rows = [
        row("CL-X-01", "run", "kept"),
        row("CL-X-02", "run", "broken", findings=[], constraints=1),
        row("CL-X-03", "run", "not_claimed", reason="it says nothing", source="README"),
        row("CL-X-04", "run", "kept", basis="inferred"),
    ]
    subject = {
        "id": "one",
        "title": "One",
        "versions": {"one": "1.0"},
        "adapter": "one",
        "about": "A client.",
        "remarks": [],
        "contract": {"title": "Any", "version": "1", "operations": ["run"]},
        "rows": rows,
    }
    text = page.page(
        {"date": "2026-01-01", "seed": 1, "budget": "quick", "subjects": [subject, {**subject, "id": "b"}]}
    )

    assert "| **Rules kept, of those judged** | **1 of 2** | **1 of 2** |" in text
    assert "| **Inferred rules kept** | **1 of 1** | **1 of 1** |" in text
    assert "| **CL-X-02** CL-X-02's title. | **broken 1/1** | **broken 1/1** |" in text
    assert "- CL-X-03 on `run`: it says nothing (source: README)." in text
