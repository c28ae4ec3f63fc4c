"""The command line: exit statuses, one clear line for what cannot be run, and no dependence on where it is called."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from breaking_proxy import Break, BreakingProxy
from judging import KEY_ENV, ids, judge, promptlayer, targets_file

from contract_tests.__main__ import main
from contract_tests.report.results import Report
from workflow_sandbox.server import Sandbox

TOP_LEVEL = {"contract", "run", "targets", "seed", "duration_s", "summary", "coverage", "information", "results"}
ROW = {
    "id",
    "title",
    "side",
    "service",
    "operation",
    "basis",
    "verdict",
    "fails",
    "identity",
    "documented",
    "received",
    "reproduce",
    "findings",
    "found_after",
}


def run(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Call the harness as a user does, in a process of its own."""
    command = [sys.executable, "-m", "contract_tests", *arguments]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), **environment}
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--side", "bogus"], "--side"),
        (["--no-such-option"], "--no-such-option"),
        (["--shard", "3/2"], "1 <= I <= N"),
        (["--shard", "0/2"], "1 <= I <= N"),
        (["--budget", "fast"], "'fast' is neither quick, nightly nor"),
        (["--budget", "0"], "'0' is neither quick, nightly nor"),
        (["--seed", "-1"], "'-1' is not a whole number"),
        (["--fail-under", "101"], "'101' is not a number from 0 to 100"),
        (["--spec", "missing.yaml"], "--spec: there is no such file: missing.yaml"),
        (["--generated", "missing"], "--generated: there is no such directory: missing"),
        (["--client", "missing"], "--client: there is no such directory: missing"),
        (["--targets", "missing.toml"], "--targets: there is no such file: missing.toml"),
        (["-k", "NO-SUCH-RULE"], "nothing selected"),
        (["merge", "missing", "--report-dir", "out"], "merge: cannot read missing/results.json"),
        (["merge", "missing"], "--report-dir"),
    ],
)
def test_wrong_arguments_are_one_line(
    arguments: list[str],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What cannot be understood ends in exit status 2 and one line that names it."""
    monkeypatch.chdir(tmp_path)
    status = main(arguments)

    lines = capsys.readouterr().err.splitlines()
    assert status == 2
    assert len(lines) == 1
    assert words in lines[0]


def without_progress(errors: str) -> list[str]:
    """Give the lines that are not there only since a machine is slow: a row that takes 5 s is named."""
    return [line for line in errors.splitlines() if not re.match(r"contract_tests: \d+ of \d+, ", line)]


def test_unknown_target_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A target that the file does not describe is named beside those that are known."""
    path = targets_file(tmp_path, {"mine": promptlayer("http://127.0.0.1:9")})
    status = main(["--target", "yours", "--targets", str(path)])

    assert status == 2
    assert "target 'yours' is not described" in (line := capsys.readouterr().err)
    assert "known: sandbox, mine" in line


def test_missing_key_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A key that is not in the environment ends in exit status 2, its variable's name and a report without verdicts."""
    monkeypatch.delenv(KEY_ENV)
    path = targets_file(tmp_path, {"mine": promptlayer("http://127.0.0.1:9")})
    judgement = judge(tmp_path, "--side", "server", "--target", "mine", "--targets", str(path))

    assert judgement.status == 2
    assert capsys.readouterr().err == f"contract_tests: target mine: the environment variable {KEY_ENV} is not set\n"
    assert {row["verdict"] for row in judgement.report["results"]} == {"not_exercised"}


def test_unreachable_target_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A target that nothing listens at ends in exit status 2 and its address."""
    path = targets_file(tmp_path, {"mine": promptlayer("http://127.0.0.1:9")})
    judgement = judge(tmp_path, "--side", "server", "--target", "mine", "--targets", str(path))

    assert judgement.status == 2
    assert "http://127.0.0.1:9 cannot be reached" in (line := capsys.readouterr().err)
    assert line.count("\n") == 1


def test_missing_extra_is_one_line(tmp_path: Path) -> None:
    """Without a package of the extra the line says which pip command brings it."""
    program = (
        "import sys; sys.modules['schemathesis'] = None; from contract_tests.__main__ import main; sys.exit(main())"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=env, capture_output=True, text=True, check=False
    )

    assert done.returncode == 2
    assert done.stderr == "contract_tests: schemathesis is not installed: pip install 'workflow-runs[conformance]'\n"


def test_help_states_the_numbers_of_cases(tmp_path: Path) -> None:
    """The help says how many cases quick and nightly are."""
    done = run("--help", cwd=tmp_path)

    assert done.returncode == 0
    assert re.search(r"quick\s+is\s+20,\s+nightly\s+is\s+500", done.stdout)
    assert re.search(r"more\s+than\s+40\s+operations,\s+quick\s+is\s+10", done.stdout)


@pytest.mark.nightly
def test_current_directory_does_not_matter(tmp_path: Path) -> None:
    """A hostile pytest set-up in the current directory changes nothing, and nothing but the report is left there."""
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --no-such-option\n")
    (tmp_path / "conftest.py").write_text("raise SystemError\n")
    (tmp_path / "server").mkdir()
    done = run("--side", "all", "-k", "S*-0[17]", cwd=tmp_path, PYTEST_ADDOPTS="--bogus", PYTEST_PLUGINS="bogus")

    assert done.returncode == 0, done.stdout + done.stderr
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"pytest.ini", "conftest.py", "server", "conformance-report"}
    assert {path.name for path in (tmp_path / "conformance-report").iterdir()} == {
        "results.json",
        "junit.xml",
        "index.html",
    }


def test_reader_that_has_gone_is_no_failure(tmp_path: Path, few: tuple[str, str]) -> None:
    """Where the output is piped to something that stops reading, the run goes on to its report and exit status."""
    command = [sys.executable, "-m", "contract_tests", *few, "--side", "spec", "-k", "SPEC-0*"]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with subprocess.Popen(
        command, cwd=tmp_path, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        errors = process.stderr.read()

    report = json.loads((tmp_path / "conformance-report" / "results.json").read_text())
    assert process.returncode == 0
    assert without_progress(errors) == []
    assert report["summary"]["pass"] > 0


def test_dry_run_sends_nothing(tmp_path: Path, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """The plan is shown, and no request is sent."""
    with BreakingProxy(sandbox.promptlayer_url, Break()) as proxy:
        path = targets_file(tmp_path, {"mine": promptlayer(proxy.url)})
        arguments = ["--side", "server", "--dry-run", "--target", "mine", "--targets", str(path)]
        judgement = judge(tmp_path, *arguments)

    assert judgement.status == 0
    assert not proxy.seen
    plan = capsys.readouterr().out
    assert "PL-RUN-10           A run with both a label and a version number is refused." in plan
    assert "  about 68 requests, sent once for all these rules\n  REL-RUNS-01 " in plan
    assert {row["verdict"] for row in judgement.report["results"]} == {"not_exercised"}


def test_results_have_the_documented_members(tmp_path: Path, few: tuple[str, str]) -> None:
    """results.json has exactly the members that are promised, one row for each rule and operation."""
    report = judge(tmp_path, *few, "--side", "spec", "--seed", "7", "-k", "SPEC-0*").report

    assert set(report) == TOP_LEVEL
    assert report["seed"] == 7
    assert set(report["summary"]) == {"pass", "violation", "known_deviation", "not_applicable", "not_exercised"}
    assert all(set(row) == ROW for row in report["results"])
    keys = [(row["id"], row["operation"]) for row in report["results"]]
    assert len(keys) == len(set(keys))


def test_shards_make_up_the_whole(tmp_path: Path, few: tuple[str, str]) -> None:
    """Every row is in exactly one shard, and merged shards are the report of the whole."""
    rules = (*few, "--side", "spec", "-k", "SPEC-0*")
    whole = judge(tmp_path / "whole", *rules)
    shards = [judge(tmp_path / str(part), *rules, "--shard", f"{part}/3") for part in (1, 2, 3)]
    status = main(["merge", *(str(tmp_path / str(part)) for part in (1, 2, 3)), "--report-dir", str(tmp_path / "all")])
    merged = json.loads((tmp_path / "all" / "results.json").read_text())

    def rows(report: Report) -> list[tuple[str, str]]:
        return sorted((row["id"], row["operation"]) for row in report["results"])  # type: ignore[index]

    assert status == 0
    assert rows(merged) == rows(whole.report)  # type: ignore[arg-type]
    assert sum(len(shard.report["results"]) for shard in shards) == len(merged["results"])
    assert set(merged) == TOP_LEVEL


def test_one_shard_has_all_of_an_operation_of_the_client(tmp_path: Path) -> None:
    """What is played with an operation is played once, by the shard that has all client rules about it."""
    parts = [judge(tmp_path, "--side", "client", "--dry-run", "--shard", f"{part}/2") for part in (1, 2)]
    operations = [{row["operation"] for row in part.report["results"]} - {""} for part in parts]  # type: ignore[index]

    assert all(operations)
    assert not operations[0] & operations[1]


def test_merge_fails_if_a_part_fails(tmp_path: Path, sandbox: Sandbox, few: tuple[str, str]) -> None:
    """A violation in one part is one in the whole."""
    broken = Break(after=lambda _, reply: setattr(reply, "status", 200 if reply.status == 404 else reply.status))
    with BreakingProxy(sandbox.promptlayer_url, broken) as proxy:
        path = targets_file(tmp_path, {"broken": promptlayer(proxy.url)})
        only = [*few, "--side", "server", "-k", "PL-RUN-02"]
        judge(tmp_path / "bad", *only, "--target", "broken", "--targets", str(path))
        judge(tmp_path / "good", *only)
    status = main(["merge", str(tmp_path / "good"), str(tmp_path / "bad"), "--report-dir", str(tmp_path / "all")])

    assert status == 1
    assert json.loads((tmp_path / "all" / "results.json").read_text())["summary"]["violation"] == 1


def test_pattern_selects_by_id(tmp_path: Path, few: tuple[str, str]) -> None:
    """-k takes an id or a glob."""
    assert ids(judge(tmp_path, *few, "-k", "SPEC-01").report["results"]) == ["SPEC-01"]
    assert set(ids(judge(tmp_path, *few, "-k", "spec-0[12]").report["results"])) == {"SPEC-01", "SPEC-02"}


def test_coverage_below_the_demanded_fails(
    tmp_path: Path, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    """--fail-under turns too little coverage into exit status 1 and a line; only what targets serve is counted."""
    path = targets_file(tmp_path, {"mine": promptlayer(sandbox.promptlayer_url)})
    only = ["--side", "server", "-k", "PL-RUN-02", "--target", "mine", "--targets", str(path)]

    assert judge(tmp_path, *only, "--fail-under", "1").status == 0
    low = judge(tmp_path, *only, "--fail-under", "90")
    percent = low.report["coverage"]["percent"]

    assert low.status == 1
    assert f"contract_tests: coverage is {percent:g} %, below --fail-under 90\n" in capsys.readouterr().err
    assert not [one for one in low.report["coverage"]["statuses"]["not_exercised"] if one.startswith("execute")]


def test_inferred_rule_fails_under_strict_only(tmp_path: Path, sandbox: Sandbox) -> None:
    """A violation of an inferred rule is reported either way and counts with --strict alone."""

    def after(_: object, reply: object) -> None:
        if getattr(reply, "status") == 404:  # noqa: B009
            setattr(reply, "status", 201)  # noqa: B010

    with BreakingProxy(sandbox.promptlayer_url, Break(after=after)) as proxy:
        path = targets_file(tmp_path, {"broken": promptlayer(proxy.url)})
        arguments = ["--side", "server", "-k", "PL-RUN-16", "--target", "broken", "--targets", str(path)]
        lenient, strict = judge(tmp_path, *arguments), judge(tmp_path, *arguments, "--strict")

    assert (lenient.status, lenient.row("PL-RUN-16")["verdict"]) == (0, "violation")
    assert (strict.status, strict.row("PL-RUN-16")["fails"]) == (1, True)


def _started(directory: Path, *arguments: str) -> "subprocess.Popen[str]":
    """Start the harness, with a temporary folder of its own, and wait until it judges."""
    (directory / "tmp").mkdir()
    command = [sys.executable, "-m", "contract_tests", "--side", "server", *arguments]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "TMPDIR": str(directory / "tmp")}
    process = subprocess.Popen(
        command, cwd=directory, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    while not process.stdout.readline().startswith("  pass "):
        assert process.poll() is None
    return process


def test_killed_run_leaves_nothing_behind(tmp_path: Path, few: tuple[str, str]) -> None:
    """After SIGKILL the sandbox and the temporary folders go, and the last real report stands as it was."""
    (tmp_path / "conformance-report").mkdir()
    last = tmp_path / "conformance-report" / "results.json"
    last.write_text('{"last": "week"}')
    with _started(tmp_path, *few) as process:
        process.kill()
        process.communicate()
    deadline = time.monotonic() + 600
    while left := list((tmp_path / "tmp").iterdir()):
        assert time.monotonic() < deadline, left
        time.sleep(0.05)

    assert last.read_text() == '{"last": "week"}'
    assert [path.name for path in last.parent.iterdir()] == ["results.json"]


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_interrupted_run_leaves_a_complete_report(ending: signal.Signals, tmp_path: Path, few: tuple[str, str]) -> None:
    """Ctrl-C, SIGTERM and SIGHUP end in exit status 2; the report says so, and what was not judged is not exercised."""
    with _started(tmp_path, *few) as process:
        process.send_signal(ending)
        _, errors = process.communicate(timeout=600)
    report = json.loads((tmp_path / "conformance-report" / "results.json").read_text())

    assert process.returncode == 2
    assert without_progress(errors) == ["contract_tests: could not run to the end: interrupted"]
    assert (report["run"]["state"], report["run"]["reason"]) == ("cut short", "interrupted")
    assert report["summary"]["pass"] > 0
    assert report["summary"]["not_exercised"] > 0
    assert list((tmp_path / "tmp").iterdir()) == []


def test_last_real_report_stays(tmp_path: Path, few: tuple[str, str]) -> None:
    """A dry run and a failed set-up leave the last real report alone; theirs lie beside it until the next real one."""
    real = judge(tmp_path, *few, "--side", "spec", "-k", "SPEC-01").report
    path = targets_file(tmp_path, {"mine": promptlayer("http://127.0.0.1:9")})
    statuses = [
        main(["--side", "spec", "--dry-run", "--report-dir", str(tmp_path)]),
        main(["--side", "server", "--target", "mine", "--targets", str(path), "--report-dir", str(tmp_path)]),
    ]
    beside = json.loads((tmp_path / "not-run" / "results.json").read_text())

    assert statuses == [0, 2]
    assert json.loads((tmp_path / "results.json").read_text()) == real
    assert beside["run"]["state"] == "not run"
    assert "cannot be reached" in beside["run"]["reason"]
    assert judge(tmp_path, *few, "--side", "spec", "-k", "SPEC-01").report["run"]["state"] == "complete"
    assert not (tmp_path / "not-run").exists()


def _shard(directory: Path, part: str, *more: str) -> Path:
    judge(directory, "--side", "spec", "-k", "SPEC-0*", "--shard", part, *more)
    return directory


def test_merge_wants_parts_of_one_run(tmp_path: Path, few: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    """Shards that are missing, given twice, of other runs, seeds or contracts are refused in one line."""
    one, two = _shard(tmp_path / "one", "1/2", *few), _shard(tmp_path / "two", "2/2", *few)
    again, third = _shard(tmp_path / "again", "1/2", *few), _shard(tmp_path / "third", "1/3", *few)
    seeded, strict = (
        _shard(tmp_path / "seeded", "2/2", *few, "--seed", "9"),
        _shard(tmp_path / "strict", "2/2", *few, "--strict"),
    )
    other = _shard(tmp_path / "other", "2/2", *few)
    data = json.loads((other / "results.json").read_text())
    data["run"]["scope"]["contract"] = "another"
    (other / "results.json").write_text(json.dumps(data))
    capsys.readouterr()

    def refusal(*directories: Path) -> str:
        assert main(["merge", *map(str, directories), "--report-dir", str(tmp_path / "all")]) == 2
        lines = capsys.readouterr().err.splitlines()
        assert len(lines) == 1
        return lines[0]

    assert main(["merge", str(one), str(two), "--report-dir", str(tmp_path / "all")]) == 0
    assert "merge: shard 2/2 is missing" in refusal(one)
    assert f"{one} is given twice" in refusal(one, one)
    assert f"{again} and {one} are both shard 1/2" in refusal(one, again)
    assert f"{third} is shard 1/3, {one} is one of 2" in refusal(one, third)
    assert f"different seeds, 0 in {one} and 9 in {seeded}; give each the same --seed" in refusal(one, seeded)
    assert f"{strict} and {one} are shards of different runs: strict differs" in refusal(one, strict)
    assert "are about different contracts" in refusal(one, other)


def test_unknown_adapter_is_refused_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An adapter that is not known ends the run before anything is judged."""
    status = main(["--adapter", "nope", "--report-dir", str(tmp_path / "report")])

    assert status == 2
    assert "--adapter: 'nope' is neither MODULE:ATTRIBUTE nor one of" in capsys.readouterr().err
    assert not (tmp_path / "report").exists()


def test_spent_requests_are_told(tmp_path: Path, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """A budget of cases that max_requests cuts is told of before and after."""
    path = targets_file(tmp_path, {"mine": promptlayer(sandbox.promptlayer_url, max_requests=20)})
    only = ["--side", "server", "-k", "SRV-01", "--target", "mine", "--targets", str(path)]
    judgement = judge(tmp_path, *only, "--budget", "nightly")
    said = " ".join(capsys.readouterr().out.split())

    assert "max_requests of 20 ends it before 500 cases of each property are tried" in said
    left_out = judgement.report["targets"][0]["left_out"]
    assert left_out > 0
    assert f"target mine: max_requests of 20 was spent; {left_out} requests were left out" in said
