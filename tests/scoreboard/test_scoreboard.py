"""The scoreboard's page is what its data gives, says what it must, and counts right."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ROOT / "scripts" / "scoreboard"
DATA = ROOT / "docs" / "scoreboard.json"
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


def committed() -> dict[str, Any]:
    """Give the committed data."""
    data: dict[str, Any] = json.loads(DATA.read_text(encoding="utf-8"))
    return data


def row(rule: str, operation: str, verdict: str, **more: Any) -> dict[str, Any]:
    """Make a row."""
    plain = {"title": f"{rule}'s title.", "basis": "documented", "reason": "", "source": "", "seen": verdict}
    return {"id": rule, "operation": operation, "verdict": verdict, "constraints": 0, "findings": [], **plain, **more}


def test_the_page_is_what_the_data_gives() -> None:
    """`--check` says so, and would say otherwise."""
    done = subprocess.run(
        [sys.executable, str(SCRIPTS), "--check"], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert (done.returncode, done.stderr) == (0, "")

    data = committed()
    data["subjects"][0]["rows"][0]["verdict"] = "broken"
    assert module("page").page(data) != PAGE.read_text(encoding="utf-8")


def test_every_cell_of_the_data_has_its_place_on_the_page() -> None:
    """Every subject has every rule; what is broken has a finding, what is not claimed a source."""
    data = committed()
    rules = [{found["id"] for found in subject["rows"]} for subject in data["subjects"]]
    assert len(data["subjects"]) >= 5
    assert all(found == rules[0] for found in rules)
    for found in (found for subject in data["subjects"] for found in subject["rows"]):
        assert (found["verdict"] == "broken") <= bool(found["findings"])
        assert (found["verdict"] in {"not_claimed", "not_offered"}) <= bool(found["source"] and found["reason"])


def test_nothing_of_this_machine_stands_on_the_page() -> None:
    """No folder of the machine that judged, no port and no address in memory."""
    text = DATA.read_text(encoding="utf-8") + PAGE.read_text(encoding="utf-8")
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
