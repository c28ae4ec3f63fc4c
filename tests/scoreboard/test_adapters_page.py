"""The adapter in the documentation is complete: saved and named on the command line, it is judged."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs" / "adapters.md"


@pytest.mark.nightly
def test_the_adapter_of_the_page_is_judged(tmp_path: Path, few: tuple[str, str]) -> None:
    """It keeps what urllib keeps, breaks what urllib breaks, and nothing is held against its missing form."""
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    (tmp_path / "bare.py").write_text(code, encoding="utf-8")
    body = code.partition("class Bare")[2]
    assert len([line for line in body.splitlines() if line.strip()]) <= 30

    report = tmp_path / "report"
    command = [sys.executable, "-m", "contract_tests", "--side", "client", "--adapter", "bare:Bare", "--seed", "1"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(
        [*command, *few, "-k", "CL-REQ-0[37]", "--report-dir", str(report)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    results = json.loads((report / "results.json").read_text(encoding="utf-8"))["results"]
    assert {row["verdict"] for row in results} == {"pass"}
    assert len(results) == 2 * 5
