"""Nothing is held against a package in openapi-python-client's style that is right, driven by the shipped adapter."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from contract_tests.client.selection import choose_client
from contract_tests.options import Options
from contract_tests.runner.command_line import parse

HERE = Path(__file__).parent
SUBJECT = ["--side", "client", "--spec", str(HERE / "shelf.yaml"), "--generated", str(HERE / "careful_shelf")]
# What functions and models have no form of: receivers of webhooks, views, forms, second tries, a word of what may have
# run.
TRIES = {f"CL-REL-{number}" for number in (11, 12, 14, 17)}
NOT_OFFERED = {
    "CL-BRK-10",
    "CL-NET-05",
    "CL-NET-08",
    "CL-REL-08",
    *TRIES,
    *(f"CL-CB-{number:02}" for number in range(1, 11)),
}


def test_the_package_is_driven_as_the_generator_s_own() -> None:
    """Its layout is the stock one: nobody has to name an adapter."""
    options = parse(SUBJECT)
    assert isinstance(options, Options)

    assert choose_client(options).adapter.endswith(":OpenapiPythonClient")


@pytest.mark.parametrize("seed", [1])  # each further one takes a quarter of a minute
@pytest.mark.nightly
def test_nothing_is_found_in_it(seed: int, tmp_path: Path) -> None:
    """With the quick budget no rule finds anything, and every rule that a package can keep has judged it."""
    command = [sys.executable, "-m", "contract_tests", *SUBJECT, "--seed", str(seed), "--strict"]
    done = subprocess.run(
        [*command, "--report-dir", str(tmp_path)], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    rows = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))["results"]
    assert done.returncode == 0, done.stderr
    assert {row["verdict"] for row in rows} == {"pass", "not_applicable"}
    assert {row["id"] for row in rows} - {row["id"] for row in rows if row["verdict"] == "pass"} == NOT_OFFERED
