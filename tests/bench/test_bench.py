"""The bench measures: a few rows with what is installed here, few times over. No time is asserted."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

BENCH = Path(__file__).resolve().parents[2] / "benchmarks" / "client_speed"
ROWS = {
    "import-name": "httpx",
    "first-result": "httpx",
    "call-sync-run-socket": "httpx",
    "call-async-results-memory": "httpx",
    "decode-stock": "openapi-python-client",
    "decode-fast-pydantic": "pydantic",
}


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the program."""
    command = [sys.executable, str(BENCH), "--here", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=900)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, Any]]:
    """What it prints and what it writes for some rows."""
    file = tmp_path_factory.mktemp("bench") / "figures.json"
    done = bench("--pairs", "2", "--only", *ROWS, "run-0-cpu", "--json", str(file))
    assert done.returncode == 0, done.stderr
    return done.stdout, {row["name"]: row for row in json.loads(file.read_text())["rows"]}


@pytest.mark.nightly
@pytest.mark.parametrize("name", ROWS)
def test_a_row_tells_both_sides_their_ratio_and_whom_it_measured(name: str, told: tuple[str, dict[str, Any]]) -> None:
    """Every pair has two figures, the ratio lies between its extremes, and the rival has a version."""
    row = told[1][name]
    assert len(row["pairs_s"]) == 2
    assert all(math.isfinite(seconds) and seconds > 0 for pair in row["pairs_s"] for seconds in pair)
    assert 0 < row["ratio"]["min"] <= row["ratio"]["median"] <= row["ratio"]["max"]
    rival, version = row["rival"].split(" ")
    assert rival == ROWS[name]
    assert version[0].isdigit()
    assert row["met"] is None if row["at_most"] is None else isinstance(row["met"], bool)


@pytest.mark.nightly
def test_the_table_has_a_line_for_each_row(told: tuple[str, dict[str, Any]]) -> None:
    """A measured row shows its ratio and its target; one whose rival is absent says so."""
    lines = told[0].splitlines()
    for row in told[1].values():
        line = next(line for line in lines if line.startswith(f"{row['what']} "))
        assert f"{row['ratio']['median']:.3f} [" in line
        assert row["at_most"] is None or f"<= {row['at_most']:g} " in line
    assert any("not measured: promptlayer is not installed here" in line for line in lines)


@pytest.mark.nightly
def test_where_the_time_goes_follows_a_row_that_is_not_met(told: tuple[str, dict[str, Any]]) -> None:
    """Both sides of it have a profile, and no other row has."""
    for row in told[1].values():
        assert (f"{row['what']}: where the time goes, ours" in told[0]) is (row["met"] is False)


@pytest.mark.nightly
def test_a_profile_can_be_asked_for() -> None:
    """`--profile` shows it for rows that are met, too, by module for an import."""
    done = bench("--pairs", "1", "--only", "import", "--profile")
    assert "import workflow_runs: where the time goes, ours\n" in done.stdout
    assert "modules, " in done.stdout


def test_an_unknown_row_is_refused_with_the_names_of_all() -> None:
    """Nothing is measured then, and the exit status is 2."""
    done = bench("--only", "imports")
    assert (done.returncode, done.stdout) == (2, "")
    assert "no row is called imports; there are: import import-name " in done.stderr


@pytest.mark.nightly
@pytest.mark.skipif(sys.platform != "linux" or shutil.which("npm") is None, reason="needs Linux and node")
def test_the_sandbox_is_measured_beside_prism() -> None:
    """Both get the same load, and every run that was accepted is on disk and has ended."""
    command = [sys.executable, str(BENCH.with_name("sandbox_speed")), "--pairs=1", "--runs=50", "--total=2100"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=900)

    assert (done.returncode, done.stderr) == (0, "")
    assert "requests per second: " in done.stdout
    assert done.stdout.count("MiB after 2100 runs") == 2
    assert done.stdout.splitlines()[-1] == "sandbox: 2100 runs on disk, 0 nodes that have not succeeded"
