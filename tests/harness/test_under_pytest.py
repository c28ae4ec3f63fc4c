"""`pytest contract_tests` does what a user of pytest expects."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from breaking_proxy import BreakingProxy
from judging import KEY, KEY_ENV, promptlayer, targets_file
from test_attribution import LACKS_MESSAGE

from workflow_sandbox.server import Sandbox

ROOT = Path(__file__).parents[2]


def _pytest(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    env = {**os.environ, KEY_ENV: KEY, **environment}
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False, timeout=600)


def test_sandbox_is_judged_by_default() -> None:
    """From the project's root the folder is enough; what is not applicable is skipped."""
    done = _pytest("contract_tests", "-k", "PL-RUN-12 or IA-EXE-58", "-rs", cwd=ROOT)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed, 1 skipped" in done.stdout
    assert "not applicable: the target serves the other generation of execute" in done.stdout


def test_rows_are_listed(tmp_path: Path) -> None:
    """Anywhere else the package is named, and each row is a test whose name has rule, operation and target."""
    done = _pytest("--pyargs", "contract_tests", "--collect-only", "-k", "server", cwd=tmp_path)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "every_operation.py::test_body_fits_its_schema[SRV-03 executeWorkflow sandbox]" in done.stdout
    assert "test_document_is_valid" not in done.stdout


def test_violation_is_a_failed_test(tmp_path: Path, sandbox: Sandbox, few: tuple[str, str]) -> None:
    """Its text is the explanation with a curl line; -x stops there; stock property tests run in the same session."""
    page = (ROOT / "docs" / "targets.md").read_text(encoding="utf-8")
    (snippet,) = re.findall(r"^```python\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    (tmp_path / "test_stock.py").write_text(snippet, encoding="utf-8")
    with BreakingProxy(sandbox.promptlayer_url, LACKS_MESSAGE) as proxy:
        file = targets_file(tmp_path, {"broken": promptlayer(proxy.url)})
        done = _pytest(
            *(
                "test_stock.py",
                "--pyargs",
                "contract_tests",
                "-x",
                "-k",
                "(stock and Results) or PL-RUN-04 or PL-RUN-12",
            ),
            cwd=tmp_path,
            CONTRACT_TESTS_ARGS=f"{' '.join(few)} --side server --target broken --targets {file}",
            PROMPTLAYER_BASE_URL=sandbox.promptlayer_url,  # the proxy's own server says 501 to some methods
            PROMPTLAYER_API_KEY=KEY,
        )

    assert done.returncode == 1, done.stdout + done.stderr
    assert "1 failed, 1 passed" in done.stdout
    assert "test_members_of_the_reply[PL-RUN-04 runWorkflow broken]" in done.stdout
    assert "\nReproduce with: curl " in done.stdout
    assert "python -m pytest --pyargs contract_tests -k " in done.stdout
    assert "Traceback" not in done.stdout
    assert KEY not in done.stdout


@pytest.mark.nightly
def test_what_another_row_reports_is_no_failed_test(tmp_path: Path, sandbox: Sandbox) -> None:
    """A breach counts once under pytest too."""
    with BreakingProxy(sandbox.promptlayer_url, LACKS_MESSAGE) as proxy:
        file = targets_file(tmp_path, {"broken": promptlayer(proxy.url)})
        done = _pytest(
            *("--pyargs", "contract_tests", "-k", "PL-RUN-04 or (SRV-03 and runWorkflow)"),
            cwd=tmp_path,
            CONTRACT_TESTS_ARGS=f"--side server --target broken --targets {file}",
        )

    assert "1 failed, 1 passed" in done.stdout


def test_wrong_arguments_are_one_line(tmp_path: Path) -> None:
    """What the variable says is read as the command line of the harness is."""
    done = _pytest("--pyargs", "contract_tests", cwd=tmp_path, CONTRACT_TESTS_ARGS="--side bogus")

    assert done.returncode == 2
    assert "CONTRACT_TESTS_ARGS: argument --side" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
