"""Whatever fails in the harness itself ends in exit status 2 and one line, never in 1, which means a broken rule."""

import copy
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import hostile_servers as hostile
import pytest
from hostile_servers import of, served, set_up, whole
from judging import judge

from contract_tests.__main__ import main

WHOLE: dict[str, Any] = {
    "contract": {"title": "Things", "version": "1", "operations": []},
    "targets": [],
    "seed": 1,
    "duration_s": 1.0,
    "summary": {},
    "coverage": {"percent": 1.0},
    "results": [],
}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "[" * 100_000,
        json.dumps({**WHOLE, "results": [{"id": 1}]}),
        json.dumps({**WHOLE, "results": 7}),
        json.dumps({**WHOLE, "results": [None]}),
        json.dumps({**WHOLE, "coverage": 7}),
        json.dumps({**WHOLE, "coverage": []}),
        json.dumps({**WHOLE, "coverage": {"percent": 1, "rules": {"exercised": "ab", "not_exercised": []}}}),
        json.dumps({**WHOLE, "seed": None}),
        json.dumps({**WHOLE, "duration_s": float("nan")}),
        json.dumps({**WHOLE, "run": {"state": "complete", "shard": "half"}}),
        json.dumps({**WHOLE, "targets": [{"name": {}}]}),
        json.dumps({**WHOLE, "seed": "\x1b]52;c;YQ==\x07", "duration_s": "x"}),
    ],
    ids=range(14),
)
def test_damaged_report_ends_in_2(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Merging what is no report, or only looks like one, tells so in one line."""
    (tmp_path / "results.json").write_text(text)
    status = main(["merge", str(tmp_path), "--report-dir", str(tmp_path / "all")])

    lines = capsys.readouterr().err.splitlines()
    assert status == 2
    assert len(lines) == 1
    assert lines[0].startswith("contract_tests: merge: ")
    assert str(tmp_path / "results.json") in lines[0]
    assert lines[0].isprintable()


def test_report_that_cannot_be_written_ends_in_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where a file of the report can't be, the line names the directory."""
    (tmp_path / "junit.xml").mkdir(parents=True)
    status = main(["--side", "spec", "-k", "SPEC-02", "--report-dir", str(tmp_path)])

    assert status == 2
    assert str(tmp_path) in capsys.readouterr().err


def test_deep_reply_is_a_finding(tmp_path: Path) -> None:
    """JSON of 100,000 levels, and of as many as Python itself still reads, is a violation of SRV-03 and no crash."""
    for depth in (200, 100_000):
        with served(of(whole(b'{"ok":' * depth + b"1" + b"}" * depth))) as url:
            judgement = judge(tmp_path, *set_up(tmp_path, url), "-k", "SRV-03")

        assert judgement.violations == [("SRV-03", "listThings")]
        assert "nested more than 100 levels deep" in judgement.row("SRV-03")["received"]


@pytest.mark.parametrize("coding", ["utf-8-sig", "utf-16"])
def test_json_in_another_encoding_is_a_finding(coding: str, tmp_path: Path) -> None:
    """JSON is exchanged in UTF-8 without a byte order mark; what Python would guess, others don't."""
    with served(of(whole('{"ok": true}'.encode(coding)))) as url:
        judgement = judge(tmp_path, *set_up(tmp_path, url), "-k", "SRV-03")

    assert judgement.violations == [("SRV-03", "listThings")]


def test_reply_as_deep_as_it_may_be_is_judged(tmp_path: Path) -> None:
    """A hundred levels of a schema that refers to itself are gone through, in both directions."""
    contract = copy.deepcopy(hostile.CONTRACT)
    reply = contract["paths"]["/things"]["get"]["responses"]["200"]["content"]["application/json"]
    reply["schema"] = {"$ref": "#/components/schemas/Tree"}
    inner = {"anyOf": [{"$ref": "#/components/schemas/Tree"}, {"type": "null"}]}
    contract["components"] = {"schemas": {"Tree": {"type": "object", "properties": {"ok": inner}}}}
    for innermost, verdict in ((b"null", "pass"), (b"5", "violation")):
        body = b'{"ok":' * 100 + innermost + b"}" * 100
        with served(of(whole(body))) as url:
            judgement = judge(tmp_path, *set_up(tmp_path, url, contract), "-k", "SRV-03")
        assert judgement.row("SRV-03")["verdict"] == verdict


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="not run: there is no /dev/full here")
def test_output_that_nobody_takes_changes_no_verdict(tmp_path: Path) -> None:
    """Standard output and standard error on a full disk: the report is written, and the exit status is its own."""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-m", "contract_tests", "--side", "spec", "-k", "SPEC-02"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, cwd=tmp_path, env=env, stdout=full, stderr=full, check=False)

    assert done.returncode == 0
    assert json.loads((tmp_path / "conformance-report" / "results.json").read_text())["summary"]["pass"] == 1
