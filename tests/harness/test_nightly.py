"""The nightly goes on after a target that fails, lists what was not run, and fails at the end."""

import json
from pathlib import Path

import pytest
from breaking_proxy import Break, BreakingProxy, Reply, Request
from judging import KEY_ENV, promptlayer, targets_file
from server_breaks import is_run

from contract_tests.nightly import main
from workflow_sandbox.server import Sandbox

RULE = ("-k", "PL-RUN-07", "--budget", "quick")
ALONE = ("--side", "spec", "-k", "SPEC-01")


def _says_200(request: Request, reply: Reply) -> None:
    if is_run(request):
        reply.status = 200


@pytest.mark.slow
def test_goes_on_after_a_target_that_fails(
    tmp_path: Path, sandbox: Sandbox, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of three targets, one broken, one without key, one good, each is told, and the good one has its report."""
    monkeypatch.delenv("HARNESS_NO_KEY", raising=False)
    with BreakingProxy(sandbox.promptlayer_url, Break(after=_says_200)) as proxy:
        tables = {
            "red": promptlayer(proxy.url),
            "locked": promptlayer(sandbox.promptlayer_url, api_key_env="HARNESS_NO_KEY"),
            "good": promptlayer(sandbox.promptlayer_url),
        }
        targets = targets_file(tmp_path, tables)
        status = main(["--targets", str(targets), "--report-dir", str(tmp_path / "reports"), *RULE])
    said = capfd.readouterr().out.splitlines()
    reports = {path.parent.name: json.loads(path.read_text()) for path in tmp_path.glob("reports/*/results.json")}

    assert status == 1
    assert [line.split(maxsplit=1) for line in said[-4:]] == [
        ["sandbox", "passes"],
        ["red", "FAILS"],
        ["locked", "not run: HARNESS_NO_KEY is not set"],
        ["good", "passes"],
    ]
    assert {name: report["summary"]["violation"] for name, report in reports.items()} == {
        "sandbox": 0,
        "red": 1,
        "good": 0,
    }


def test_no_key_at_all_is_no_success(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A night in which no target has a key ends with 2, though the sandbox passes."""
    monkeypatch.delenv(KEY_ENV)
    targets = targets_file(tmp_path, {"mine": promptlayer("http://127.0.0.1:9")})
    status = main(["--targets", str(targets), "--report-dir", str(tmp_path / "reports"), *ALONE])

    assert status == 2
    assert f"no target was judged: {KEY_ENV} is not set" in capfd.readouterr().err


def test_unreadable_targets_are_told_after_the_sandbox(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A targets file with a mistake costs its targets alone."""
    (tmp_path / "targets.toml").write_text("[targets")
    arguments = ["--targets", str(tmp_path / "targets.toml"), "--report-dir", str(tmp_path / "reports")]

    assert main([*arguments, *ALONE]) == 2
    assert "cannot read" in (told := capfd.readouterr()).err
    assert "sandbox" in told.out
