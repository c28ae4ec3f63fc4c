"""Reports: what a person reads on a terminal and in a browser, and what CI reads."""

import io
import os
import re
import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from breaking_proxy import Break, BreakingProxy, Reply, Request
from judging import KEY, KEY_ENV, judge, promptlayer, targets_file

from contract_tests.http.redaction import Secrets
from contract_tests.outcomes import Finding, Outcome
from contract_tests.report.html_page import html_page
from contract_tests.report.results import Report, rows
from contract_tests.report.rules_page import main as rules_page
from contract_tests.report.terminal import Terminal
from contract_tests.rules import Basis, Rule, Side, Verdict
from contract_tests.server.models.exchange import curl
from workflow_sandbox.server import Sandbox

RULE = Rule(
    id="PL-RUN-99",
    title="A rule.",
    says="It says so.",
    source="https://x.example",
    basis=Basis.DOCUMENTED,
    operations=("runWorkflow",),
    side=Side.SERVER,
    service="promptlayer",
)
NEXT_RULE = Rule(**{**RULE.__dict__, "id": "PL-RUN-98"})
LAST_RULE = Rule(**{**RULE.__dict__, "id": "PL-RUN-00"})
SNAPSHOT = """\
Workflow runs VERSION
sides server; targets mine; 2 rows; seed 1

    Target:         mine, promptlayer at http://127.0.0.1:PORT
    Runs:           workflow canary and no other; each run is tagged
                    TAG
    Requests:       at most 5000, 1000 a second; Retry-After is obeyed
    Callbacks:      127.0.0.1:PORT
    Writes:         none: operations that create, change or delete are left out

PromptLayer: run a workflow
  VIOLATION       PL-RUN-04           The response to a run has success, message and workflow_version_execution_id.
    Documented:     success is a boolean, message a string,
                    workflow_version_execution_id an integer; all three are
                    required.
    Received:       at /: "workflow_version_execution_id" is a required
                    property; 201 application/json: {"success": "yes",
                    "message": "m"}
    Source:         https://docs.promptlayer.com/reference/run-workflow
                    (documented)
    Reproduce with: curl -sS -i --max-time 60 -X POST -H 'Content-Type: application/json' \
-H "X-API-KEY: $HARNESS_TEST_KEY" http://127.0.0.1:PORT/workflows/canary/run \
--data-binary '{"input_variables": {"user_message": "ping"}, "metadata": {"contract_tests_run": "TAG"}}'
    Documented:     success is a boolean, message a string,
                    workflow_version_execution_id an integer; all three are
                    required.
    Received:       at /success: "yes" is not of type "boolean"; 201
                    application/json: {"success": "yes", "message": "m"}
    Source:         https://docs.promptlayer.com/reference/run-workflow
                    (documented)
    Reproduce with: curl -sS -i --max-time 60 -X POST -H 'Content-Type: application/json' \
-H "X-API-KEY: $HARNESS_TEST_KEY" http://127.0.0.1:PORT/workflows/canary/run \
--data-binary '{"input_variables": {"user_message": "ping"}, "metadata": {"contract_tests_run": "TAG"}}'
  pass            PL-RUN-02           A run of an unknown workflow is answered 404.

Failing
  PL-RUN-04           runWorkflow: The response to a run has success, message and workflow_version_execution_id.

1 pass, 0 not applicable, 0 not exercised, 0 known deviation, 1 violation; 1 fails
coverage N %; seed 1; N s
report in DIR
"""


class Screen(io.StringIO):
    """A terminal that a person looks at."""

    def isatty(self) -> bool:
        """Say so."""
        return True


def _wrong_success(request: Request, reply: Reply) -> None:
    if request.path.endswith("/run") and reply.status == 201:
        reply.replace_json({"success": "yes", "message": "m"})


def test_output_is_as_reviewed(
    tmp_path: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The whole output of a run with a violation, at 80 columns and without colour."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")
    with BreakingProxy(sandbox.promptlayer_url, Break(after=_wrong_success)) as proxy:
        path = targets_file(tmp_path, {"mine": promptlayer(proxy.url)})
        arguments = ["--side", "server", "-k", "PL-RUN-0[24]", "--seed", "1"]
        judge(tmp_path, *arguments, "--target", "mine", "--targets", str(path))
    shown = capsys.readouterr().out.replace(str(tmp_path), "DIR")
    shown = re.sub(r"contract-tests-\d{8}T\d{6}Z-[0-9a-f]{6}", "TAG", shown)
    shown = re.sub(r"^Workflow runs \S+", "Workflow runs VERSION", shown)
    shown = re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:PORT", shown)
    shown = re.sub(r"coverage [\d.]+ %; seed 1; [\d.]+ s", "coverage N %; seed 1; N s", shown)

    assert shown == SNAPSHOT


def test_each_broken_constraint_is_a_finding(tmp_path: Path, sandbox: Sandbox) -> None:
    """A row lists its findings, the first of which is the row's own, and says after how many requests it was found."""
    with BreakingProxy(sandbox.promptlayer_url, Break(after=_wrong_success)) as proxy:
        path = targets_file(tmp_path, {"mine": promptlayer(proxy.url)})
        judgement = judge(
            tmp_path, "--side", "server", "-k", "PL-RUN-0[24]", "--target", "mine", "--targets", str(path)
        )
    row, kept = judgement.row("PL-RUN-04"), judgement.row("PL-RUN-02")

    assert set(row["findings"][0]) == {"identity", "constraint", "documented", "received", "reproduce"}
    assert row["findings"][0]["identity"] == row["identity"]
    assert row["findings"][0]["reproduce"] in row["reproduce"]
    assert row["found_after"] == len(proxy.seen)
    assert (kept["findings"], kept["found_after"]) == ([], None)


@pytest.mark.skipif(shutil.which("curl") is None, reason="not run: curl is not installed")
def test_curl_line_works_as_it_is(tmp_path: Path, sandbox: Sandbox) -> None:
    """The command, pasted into a shell that has the key in its environment, gets the reply that was reported."""
    with BreakingProxy(sandbox.promptlayer_url, Break(after=_wrong_success)) as proxy:
        path = targets_file(tmp_path, {"mine": promptlayer(proxy.url)})
        arguments = ["--side", "server", "-k", "PL-RUN-04", "--target", "mine", "--targets", str(path)]
        command = judge(tmp_path, *arguments).row("PL-RUN-04")["reproduce"]
        env = {**os.environ, KEY_ENV: KEY}
        done = subprocess.run(command, shell=True, env=env, capture_output=True, text=True, check=True)  # noqa: S602

    assert '{"success": "yes", "message": "m"}' in done.stdout


@pytest.mark.skipif(shutil.which("curl") is None, reason="not run: curl is not installed")
@pytest.mark.parametrize("content", [b'it\'s "quoted" $HOME `x`', b"@file", b"\x00\xff%d\n", "é".encode(), b""])
def test_curl_line_carries_any_body(content: bytes, sandbox: Sandbox) -> None:
    """Whatever the bytes of a body, the command sends exactly those."""
    with BreakingProxy(sandbox.promptlayer_url, Break()) as proxy:
        command = curl("POST", f"{proxy.url}/echo", {"Content-Type": "text/plain"}, {}, content)
        subprocess.run(command, shell=True, capture_output=True, check=True)  # noqa: S602

        assert proxy.seen[0].content == content


def test_junit_has_a_case_for_each_row(tmp_path: Path, sandbox: Sandbox) -> None:
    """A violation that fails is a failure with its curl line, a rule that was not tried is skipped with the reason."""
    with BreakingProxy(sandbox.promptlayer_url, Break(after=_wrong_success)) as proxy:
        path = targets_file(tmp_path, {"mine": promptlayer(proxy.url, label=None)})
        arguments = ["--side", "server", "-k", "PL-RUN-0[248]", "--target", "mine", "--targets", str(path)]
        judge(tmp_path, *arguments)
    suite = ET.fromstring((tmp_path / "junit.xml").read_bytes())[0]  # noqa: S314
    cases = {case.get("name"): [child.tag for child in case] for case in suite.iter("testcase")}
    said = {one.get("name"): one.get("value") for one in suite.iter("property")}

    assert said["state"] == "complete"
    assert str(said["command"]).startswith("python -m contract_tests --side server -k 'PL-RUN-0[248]'")
    assert proxy.url in str(said["target mine"])
    assert "runs tagged contract-tests-" in str(said["target mine"])
    assert cases == {
        "PL-RUN-02 runWorkflow": [],
        "PL-RUN-04 runWorkflow": ["failure"],
        "PL-RUN-08 runWorkflow": ["skipped"],
    }
    assert "Reproduce with: curl" in str(suite.findtext("testcase/failure"))


def test_page_needs_nothing_else_and_escapes(tmp_path: Path, sandbox: Sandbox) -> None:
    """The HTML page loads nothing, and what a server sent stands in it as text."""

    def after(_: Request, reply: Reply) -> None:
        if reply.status == 201:
            reply.status = 500
            reply.replace_json({"message": "<script>alert(1)</script>"})

    with BreakingProxy(sandbox.promptlayer_url, Break(after=after)) as proxy:
        path = targets_file(tmp_path, {"mine": promptlayer(proxy.url)})
        judge(tmp_path, "--side", "server", "-k", "PL-RUN-07", "--target", "mine", "--targets", str(path))
    page = (tmp_path / "index.html").read_text()

    assert "PL-RUN-07" in page
    assert "&lt;script&gt;alert(1)" in page
    assert "<script" not in page
    assert set(re.findall(r'(?:src|href)="(.*?)"', page)) == {
        "#violation",
        "https://docs.promptlayer.com/reference/run-workflow",
    }


def test_page_folds_what_does_not_matter() -> None:
    """Violations lie open, rule by rule; of what passes or does not apply a chapter is one line with a count."""
    finding = Finding("status", "201.", "500.", "curl x")
    rules = [Rule(**{**RULE.__dict__, "id": f"PL-RUN-{number}"}) for number in (1, 2, 3, 4)]
    verdicts = [Verdict.NOT_APPLICABLE, Verdict.NOT_APPLICABLE, Verdict.PASS, Verdict.VIOLATION]
    outcomes = [
        _outcome(rule, verdict, "", *[finding] * (verdict is Verdict.VIOLATION))
        for rule, verdict in zip(rules, verdicts, strict=True)
    ]
    page = html_page(_report(outcomes))

    headings = re.findall("<h2>(.*?)</h2>", page)
    assert headings[:3] == ["Violations", "Not applicable", "Passed"]
    assert re.findall(r"<summary>(Chapter) <span class=\"muted\">(.*?)</span>", page) == [
        ("Chapter", "2 rows"),
        ("Chapter", "1 row"),
    ]
    assert page.count("<details open>") == 1


def _report(outcomes: list[Outcome]) -> Report:
    return Report(
        contract={"title": "Contract", "version": "1"},
        run={"state": "complete", "reason": "", "started": "now", "command": "python -m contract_tests"},
        targets=[],
        seed=1,
        duration_s=1.0,
        coverage={"percent": 100.0},
        information=[],
        results=rows(outcomes, Secrets(), strict=False),
        chapters={outcome.rule.id: outcome.chapter for outcome in outcomes},
        sources={outcome.rule.id: outcome.rule.source for outcome in outcomes},
    )


def test_terminal_shows_progress_and_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a person looks on, violations are red and the count of judged rows is kept on the last line."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    screen = Screen()
    finding = Finding("status", "201.", "500.", "curl x")
    violation = Outcome(
        RULE, "runWorkflow", "promptlayer", "mine", "Chapter", Verdict.VIOLATION, findings=(finding,)
    )  # fmt: skip
    passed = Outcome(NEXT_RULE, "runWorkflow", "promptlayer", "mine", "Chapter", Verdict.PASS)
    terminal = Terminal(Secrets(), screen)
    terminal.expect([violation, passed])
    terminal.judged(passed)
    assert "VIOLATION" not in screen.getvalue()  # the report's order is that of the rules, whichever is judged first
    terminal.judged(violation)

    assert "\033[31;1mVIOLATION\033[0m" in screen.getvalue()
    assert screen.getvalue().endswith("  2 of 2\r")


def _outcome(rule: Rule, verdict: Verdict, reason: str = "", *findings: Finding) -> Outcome:
    chapter = "Chapter" if rule.id != LAST_RULE.id else "Another chapter"
    return Outcome(rule, "runWorkflow", "promptlayer", "", chapter, verdict, reason, findings=findings)


def _told(*outcomes: Outcome) -> str:
    """What stands in a pipe of a chapter that is over."""
    pipe = io.StringIO()
    terminal = Terminal(Secrets(), pipe)
    terminal.expect(told := [*outcomes, _outcome(LAST_RULE, Verdict.PASS)])
    for outcome in told:
        terminal.judged(outcome)
    return pipe.getvalue().partition("\nAnother chapter\n")[0]


def test_piped_output_is_plain() -> None:
    """Into a pipe go whole lines without colour and without progress."""
    title = "A rule with a title that is longer than any terminal is wide. " * 5
    rule = Rule(**{**RULE.__dict__, "title": title})

    assert _told(_outcome(rule, Verdict.PASS)) == f"\nChapter\n  pass            PL-RUN-99           {title}\n"


def test_violations_come_first_and_what_does_not_apply_is_one_line() -> None:
    """In a chapter, whatever the order of its rules; the line counts rows and rules and says why."""
    rules = [Rule(**{**RULE.__dict__, "id": f"PL-RUN-{number}"}) for number in (1, 2, 3, 4)]
    told = _told(
        _outcome(rules[0], Verdict.NOT_APPLICABLE, "it has no body"),
        _outcome(rules[1], Verdict.PASS),
        _outcome(rules[2], Verdict.NOT_APPLICABLE, "it has no links"),
        _outcome(rules[3], Verdict.VIOLATION, "", Finding("status", "201.", "500.", "")),
    ).splitlines()

    assert told[1:3] == ["Chapter", "  VIOLATION       PL-RUN-4            A rule."]
    assert told[-2:] == [
        "  pass            PL-RUN-2            A rule.",
        "  not applicable  2 rows of 2 rules: it has no body; it has no links",
    ]


def test_rules_page_is_current(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The check passes right after the page was written, and fails with the mending command once it was changed."""
    path = tmp_path / "docs" / "rules.md"

    assert rules_page([str(path)]) == 0
    assert rules_page(["--check", str(path)]) == 0
    path.write_text(path.read_text() + "stale")
    assert rules_page(["--check", str(path)]) == 1
    assert "python -m contract_tests.report.rules_page" in capsys.readouterr().err
    assert "### PL-RUN-10" in path.read_text()
