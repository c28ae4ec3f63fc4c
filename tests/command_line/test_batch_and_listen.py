"""`workflow-runs batch` and `workflow-runs listen`."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from typing import Any

import httpx
import pytest
from commands import Done, Scripted, Shell


def _items(shell: Shell, number: int, **more: Any) -> None:
    lines = [json.dumps({"key": f"k{n}", "input_variables": {"user_message": f"m{n}"}, **more}) for n in range(number)]
    (shell.directory / "in.jsonl").write_text("\n\n".join(lines) + "\n")


def _batch(shell: Shell, *more: str) -> Done:
    return shell.do("batch", "in.jsonl", "--workflow", "canary", *more)


def test_a_batch_writes_its_results(shell: Shell) -> None:
    """One JSON line for each item, on standard output; progress and a summary in plain lines beside it."""
    _items(shell, 6)
    done = _batch(shell)
    assert done.status == 0
    assert {(line["key"], line["state"]) for line in done.lines} == {(f"k{n}", "succeeded") for n in range(6)}
    assert all(line["output"].endswith(f"m{line['position']})") for line in done.lines)
    assert "6 of 6 items" in done.err
    assert "items: 6 total, 6 succeeded" in done.err
    assert "\x1b" not in done.err
    again = _batch(shell)
    assert (again.status, again.out) == (0, "")


def test_results_in_a_file_are_kept(shell: Shell) -> None:
    """The file holds every result once, whatever was interrupted; a torn last line is mended."""
    _items(shell, 4)
    output = shell.directory / "out.jsonl"
    assert _batch(shell, "--output", "out.jsonl").status == 0
    whole = output.read_text()
    assert len(whole.splitlines()) == 4
    output.write_text(whole + '{"key": "k9", "sta')
    assert _batch(shell, "--output", "out.jsonl").status == 0
    assert output.read_text() == whole


def test_items_come_from_a_pipe(shell: Shell) -> None:
    """Then the ledger needs a name."""
    text = '{"workflow_name": "canary", "input_variables": {"user_message": "hi"}}'
    refused = shell.do("batch", "-", text=text)
    assert (refused.status, "--ledger" in refused.err) == (2, True)
    done = shell.do("batch", "-", "--ledger", "l", text=text)
    assert [(line["key"], line["state"]) for line in done.lines] == [("1", "succeeded")]


AWKWARD = ["one\u2028two", "x\u0085y", "a\u2029b", "\x7f", "\u0000", "a\\u000cb\u001c", "\U0001f600"]


@pytest.mark.parametrize("source", ["file", "standard input", "pipe"])
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["LF", "CRLF"])
def test_lines_end_with_a_newline_alone(source: str, end: str, shell: Shell) -> None:
    """Whatever else a text may be split at stands within an item; a mark in front and no last newline are no matter."""
    lines = [
        json.dumps({"key": f"k{n}", "input_variables": {"user_message": text}}, ensure_ascii=False)
        for n, text in enumerate(AWKWARD)
    ]
    content = "\ufeff" + end.join([*lines[:3], "", " ", *lines[3:]])
    (shell.directory / "in.jsonl").write_bytes(content.encode())
    options = ["--workflow", "canary", "--ledger", "l"]
    if source == "file":
        done = shell.do("batch", "in.jsonl", *options)
    elif source == "standard input":
        done = shell.do("batch", "-", *options, text=content)
    else:
        os.mkfifo(shell.directory / "pipe")
        writer = threading.Thread(target=(shell.directory / "pipe").write_bytes, args=(content.encode(),))
        writer.start()
        done = shell.do("batch", "pipe", *options)
        writer.join()
    assert done.status == 0, done.err
    assert {line["key"]: line["output"].partition("received: ")[2][:-1] for line in done.lines} == {
        f"k{n}": text for n, text in enumerate(AWKWARD)
    }


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'{}\n{"input_variables": {"a": "\xff"}}\n', "line 2, is no UTF-8"),
        (b'{}\n{"input_variables": {"a": "\xed\xa0\x80"}}\n', "line 2, is no UTF-8"),
        ('{"key": "a"}\n'.encode("utf-16"), "line 1, is no UTF-8"),
        (b'{}\n{"key": "a\x00"}', "line 2 is no JSON"),
        (b'{}\n{"key": "a\n"}', "line 2 is no JSON"),
        (b'{}\n{"key": "a", \r "input_variables": {"a": "\\ud800"}}', "line 2: input_variables.a"),
        (b"[" * 100_000, "line 1 is no JSON"),
        (b'{"metadata": {"a": ' + b"9" * 5000 + b"}}", "line 1"),
    ],
    ids=["byte", "surrogate", "utf-16", "NUL", "newline in a text", "half a pair", "nesting", "digits"],
)
@pytest.mark.parametrize("source", ["file", "standard input"])
def test_lines_that_cannot_be_read_are_named(content: bytes, words: str, source: str, shell: Shell) -> None:
    """By file and line, and no ledger is left behind."""
    (shell.directory / "in.jsonl").write_bytes(content)
    name, options = ("in.jsonl" if source == "file" else "-"), ["--workflow", "canary", "--ledger", "l"]
    done = shell.do("batch", name, *options, text=content.decode("utf-8", "surrogateescape"))
    assert (done.status, done.out, len(done.err.splitlines())) == (2, "", 1)
    assert words in done.err
    assert len(done.err) < 500
    assert not (shell.directory / "l").exists()


def test_items_without_keys_are_called_by_their_lines(shell: Shell) -> None:
    """As an editor counts them, blank ones included."""
    (shell.directory / "in.jsonl").write_text('\n{"input_variables": {"user_message": "a"}}\n\n{}\n')
    done = _batch(shell)
    assert {line["key"] for line in done.lines} == {"2", "4"}


def test_a_failed_item_ends_in_1(shell: Shell) -> None:
    """The others run all the same."""
    _items(shell, 3)
    with (shell.directory / "in.jsonl").open("a") as file:
        file.write('{"key": "bad", "metadata": {"sandbox": "fail"}}\n')
    done = _batch(shell)
    assert done.status == 1
    states = {line["key"]: line["state"] for line in done.lines}
    assert states == {"k0": "succeeded", "k1": "succeeded", "k2": "succeeded", "bad": "failed"}
    (failed,) = [line for line in done.lines if line["key"] == "bad"]
    assert failed["nodes"]["Reply"]["status"] == "FAILED"
    assert "bad: failed:" in done.err


def test_refused_items_are_repeated_on_request(shell: Shell) -> None:
    """Status 1 as long as there is one."""
    _items(shell, 3)
    here = ["batch", "in.jsonl", "--workflow", "canary", "--ledger", "l"]
    with Scripted(lambda *_: (429, {"message": "slow down"})) as service:
        refused = shell.do(*here, "--base-url", service.url)
        assert refused.status == 1
        assert {line["state"] for line in refused.lines} == {"refused"}
        before = len(service.requests)
        assert shell.do(*here, "--base-url", service.url).status == 1
        assert len(service.requests) == before
        assert shell.do(*here, "--base-url", service.url, "--repeat-refused").status == 1
        assert len(service.requests) > before


def _doubtful(method: str, _: str) -> tuple[int, Any] | None:
    return (500, {"message": "oops"}) if method == "POST" else (200, "found")


def test_items_in_doubt_end_in_4_until_they_are_settled(shell: Shell) -> None:
    """They are listed with what to do, and waited for or started on the user's word alone."""
    _items(shell, 2)
    with Scripted(_doubtful) as service:
        here = ["batch", "in.jsonl", "--workflow", "canary", "--output", "out.jsonl", "--base-url", service.url]
        for _ in range(2):
            done = shell.do(*here)
            assert done.status == 4
            assert "--settle KEY=ID" in done.err
            assert {"k0", "k1"} <= set(done.err.replace(",", " ").replace(";", " ").split())
        for second in ("k0=78", "k9=none"):
            done = shell.do(*here, "--settle", "k0=77", "--settle", second)
            assert (done.status, f"--settle {second[:3]}" in done.err) == (2, True)
        assert len(service.requests) == 2
        assert shell.do(*here, "--settle", "k0=77", "--settle", "k1=78").status == 0
        assert [method for method, _, _ in service.requests] == ["POST", "POST", "GET", "GET"]
    written = [json.loads(line) for line in (shell.directory / "out.jsonl").read_text().splitlines()]
    assert sorted((line["key"], line["state"]) for line in written) == [
        ("k0", "in_doubt"), ("k0", "succeeded"), ("k1", "in_doubt"), ("k1", "succeeded"),
    ]  # fmt: skip


def test_an_item_that_has_not_ended_ends_in_3(shell: Shell) -> None:
    """The same command goes on waiting."""
    _items(shell, 1)
    created = {"success": True, "message": "m", "workflow_version_execution_id": 5}
    answers = [(201, created), (202, None), (202, None), (202, None), (200, "done")]
    with Scripted(lambda *_: answers.pop(0) if len(answers) > 1 else answers[0]) as service:
        here = ["batch", "in.jsonl", "--workflow", "canary", "--base-url", service.url]
        assert shell.do(*here, "--deadline", "0.1").status == 3
        done = shell.do(*here)
    assert done.status == 0
    assert done.lines[0]["output"] == "done"
    assert [method for method, _, _ in service.requests].count("POST") == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupting_a_batch_loses_nothing(number: signal.Signals, shell: Shell) -> None:
    """Ctrl-C, or what a supervisor sends: 130, and the same command goes on."""
    _items(shell, 9)
    options = ["batch", "in.jsonl", "--workflow", "canary", "--output", "out.jsonl", "--concurrency", "3"]
    process = shell.begin(*options)
    output = shell.directory / "out.jsonl"
    while not output.exists() or output.read_text().count("\n") < 2:
        time.sleep(0.01)
    process.send_signal(number)
    _, err = process.communicate(timeout=600)
    assert process.returncode == 130
    assert "go on with the same command" in err
    assert "Traceback" not in err
    assert shell.do(*options).status == 0
    written = [json.loads(line) for line in (shell.directory / "out.jsonl").read_text().splitlines()]
    assert sorted(line["key"] for line in written) == sorted(f"k{n}" for n in range(9))
    assert len({line["execution_id"] for line in written}) == 9


@pytest.mark.parametrize(
    ("line", "options", "words"),
    [
        ("{", [], "line 3 is no JSON"),
        ("5", [], "line 3: expected an object"),
        ('{"user_message": "hi"}', [], "line 3: a run has no argument 'user_message'"),
        ('{"input_variables": 5}', [], "line 3: input_variables"),
        ('{"key": 5}', [], "line 3: key"),
        ('{"key": "k0"}', [], "line 3: key"),
        ('{"workflow_name": 5}', [], "line 3: workflow_name"),
        ('{"metadata": {"a": 1}}', [], "line 3: metadata.a"),
        ("{}", ["--concurrency", "0"], "concurrency"),
        ("{}", ["--settle", "k0=5"], "no ledger"),
        ("{}", ["--output", "nowhere/out"], "nowhere/out"),
        ("{}", ["--output", "full.jsonl"], "full.jsonl is not empty"),
        ("{}", ["--ledger", "full.jsonl"], "full.jsonl"),
    ],
)
def test_a_batch_that_makes_no_sense_starts_nothing(line: str, options: list[str], words: str, shell: Shell) -> None:
    """Status 2, with the line of the file."""
    _items(shell, 1)
    (shell.directory / "full.jsonl").write_text("somebody's\n" * 1000)
    with (shell.directory / "in.jsonl").open("a") as file:
        file.write(f"\n{line}\n")
    with Scripted(lambda *_: (500, None)) as service:
        done = _batch(shell, "--base-url", service.url, *options)
    assert (done.status, done.out, service.requests) == (2, "", [])
    assert words in done.err
    assert len(done.err.splitlines()) == 1
    assert (shell.directory / "full.jsonl").read_text() == "somebody's\n" * 1000


def test_a_missing_file_is_told(shell: Shell) -> None:
    """By its name, and no ledger is left behind for it."""
    done = _batch(shell, "--output", "out.jsonl")
    assert (done.status, "in.jsonl can't be read" in done.err) == (2, True)
    assert not [*shell.directory.iterdir()]


def test_items_need_a_workflow(shell: Shell) -> None:
    """In the line or for all."""
    _items(shell, 1)
    done = shell.do("batch", "in.jsonl")
    assert (done.status, "--workflow" in done.err) == (2, True)


def test_a_batch_grows_with_its_file(shell: Shell) -> None:
    """Lines that are added are run by the same command; a line that has changed is told by its item."""
    _items(shell, 4)
    assert _batch(shell, "--output", "out.jsonl").status == 0
    _items(shell, 6)
    done = _batch(shell, "--output", "out.jsonl")
    assert (done.status, "items: 6 total, 6 succeeded" in done.err) == (0, True)
    written = [json.loads(line)["key"] for line in (shell.directory / "out.jsonl").read_text().splitlines()]
    assert sorted(written) == [f"k{n}" for n in range(6)]
    for number, more, words in ((5, {}, "it has 6 items"), (6, {"metadata": {"a": "b"}}, "item 0 (key 'k0')")):
        _items(shell, number, **more)
        changed = _batch(shell)
        assert (changed.status, words in changed.err, len(changed.err.splitlines())) == (2, True, 1)


def test_results_are_shown_again(shell: Shell) -> None:
    """Line by line what the run printed, without the network, a key, or the items."""
    _items(shell, 3)
    with (shell.directory / "in.jsonl").open("a") as file:
        file.write('{"key": "bad", "metadata": {"sandbox": "fail"}}\n{"key": "none", "workflow_name": "nope"}\n')
    run = _batch(shell)
    (shell.directory / "in.jsonl").unlink()
    variables = {"PROMPTLAYER_API_KEY": None, "PROMPTLAYER_BASE_URL": "http://127.0.0.1:9"}
    shown = shell.do("batch", "--show", "in.jsonl.ledger", variables=variables)
    assert shown.status == run.status == 1
    assert sorted(shown.out.splitlines()) == sorted(run.out.splitlines())
    assert [line["position"] for line in shown.lines] == [0, 1, 2, 3, 4]
    assert "items: 5 total, 3 succeeded, 1 failed, 1 refused" in shown.err
    to_file = shell.do("batch", "--show", "in.jsonl.ledger", "--output", "out.jsonl", "--json", variables=variables)
    assert (to_file.status, to_file.out) == (1, "")
    assert (shell.directory / "out.jsonl").read_text() == shown.out


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], "FILE"),
        (["--show", "nowhere"], "there is no ledger nowhere"),
        (["--show", ""], "ledger"),
        (["--show", "."], "a directory"),
        (["--show", "in.jsonl"], "no ledger"),
        (["--show", "l", "in.jsonl"], "--show LEDGER"),
        (["--show", "l", "--settle", "a=none"], "--show LEDGER"),
        (["in.jsonl", "--ledger", ""], "ledger"),
        (["in.jsonl", "--ledger", ":memory:"], "ledger"),
        (["in.jsonl", "--ledger", "/dev/null"], "/dev/null"),
        (["in.jsonl", "--ledger", "in.jsonl"], "no ledger"),
        (["in.jsonl", "--concurrency", "x"], "x"),
        (["in.jsonl", "--concurrency", "9" * 5000], "concurrency"),
        (["in.jsonl", "--deadline", "soon"], "soon"),
        (["in.jsonl", "--settle", "a"], "--settle"),
        (["in.jsonl", "--settle", "a=" + "9" * 5000], "--settle"),
        (["in.jsonl", "--nope"], "--nope"),
        (["in.jsonl", "two"], "two"),
        ([""], "can't be read"),
        (["."], "can't be read"),
        (["a" * 300], "can't be read"),
        (["in.jsonl/x"], "can't be read"),
        (["in.jsonl", "--output", "a" * 300], "--output"),
        (["in.jsonl", "--output", ""], "--output"),
        (["in.jsonl", "--output", "."], "--output '.' can't be written: Is a directory"),
        (["in.jsonl", "--output", "in.jsonl/x"], "--output"),
    ],
)
@pytest.mark.parametrize("form", [[], ["--json"]], ids=["text", "json"])
def test_wrong_usage_of_a_batch_is_told_in_a_line(
    options: list[str], words: str, form: list[str], shell: Shell
) -> None:
    """Status 2, and nothing is left behind."""
    _items(shell, 1)
    done = shell.do("batch", *options, "--workflow", "w", *form) if "--show" not in options else shell.do(
        "batch", *options, *form
    )  # fmt: skip
    assert (done.status, len(done.err.splitlines()), len(done.err) < 1000) == (2, 1, True)
    assert words in done.err
    assert not form or done.document["state"] == "misused"
    assert [each.name for each in shell.directory.iterdir()] == ["in.jsonl"]


# On a terminal


def test_a_terminal_shows_a_bar(shell: Shell) -> None:
    """Results go to the pipe, the bar to the terminal."""
    _items(shell, 5)
    done = shell.on_a_terminal("batch", "in.jsonl", "--workflow", "canary")
    assert done.status == 0
    assert len(done.lines) == 5
    assert "5/5" in done.err
    assert "\u2501" in done.err or "-" in done.err
    assert "items: 5 total, 5 succeeded" in done.err


def test_a_terminal_may_have_plain_lines(shell: Shell) -> None:
    """For those who want a log."""
    _items(shell, 2)
    done = shell.on_a_terminal("batch", "in.jsonl", "--workflow", "canary", "--plain")
    assert done.status == 0
    assert "2 of 2 items" in done.err
    assert "\x1b[" not in done.err


def test_without_the_extra_a_terminal_has_plain_lines(shell: Shell) -> None:
    """By themselves: the bar is no part of the work."""
    _items(shell, 2)
    absent = shell.directory / "absent"
    absent.mkdir()
    (absent / "rich.py").write_text("raise ModuleNotFoundError(\"No module named 'rich'\", name='rich')")
    done = shell.on_a_terminal("batch", "in.jsonl", "--workflow", "canary", variables={"PYTHONPATH": str(absent)})
    assert (done.status, len(done.lines)) == (0, 2)
    assert "2 of 2 items" in done.err
    assert "\x1b[" not in done.err


def test_a_log_is_not_flooded(shell: Shell) -> None:
    """Off a terminal a line every few seconds, and one at the end."""
    _items(shell, 40)
    done = _batch(shell, "--concurrency", "20")
    told = [line for line in done.err.splitlines() if " of 40 items" in line]
    assert told[0] == "workflow-runs: 0 of 40 items"
    assert told[-1] == "workflow-runs: 40 of 40 items"
    assert len(told) < 8


# Callbacks


@pytest.mark.parametrize("form", [[], ["--json"]], ids=["text", "json"])
def test_callbacks_are_shown_as_they_come(form: list[str], shell: Shell) -> None:
    """A real run's callback, posted by the sandbox, arrives and is shown."""
    process = shell.begin("listen", "--count", "2", *form)
    assert process.stdout is not None
    first = process.stdout.readline()
    url = json.loads(first)["url"] if form else first.strip()
    good = shell.do("run", "canary", "-i", "user_message=hi", "--callback-url", url)
    shown = process.stdout.readline()
    failed = shell.do("run", "canary", "--metadata", "sandbox=fail", "--callback-url", url)
    out, err = process.communicate(timeout=600)
    assert (process.returncode, err) == (0, "")
    for told, run, state in ((shown, good, "succeeded"), (out, failed, "failed")):
        if form:
            document = json.loads(told)
            assert (document["execution_id"], document["state"]) == (int(run.out), state)
        else:
            assert f"execution {run.out.strip()} {state}" in told
    assert "Request received: hi" in shown


def test_listening_ends_with_an_interrupt(shell: Shell) -> None:
    """Ctrl-C is how it ends when nothing was counted."""
    process = shell.begin("listen")
    assert process.stdout is not None
    url = process.stdout.readline().strip()
    assert httpx.get(url).status_code == 405
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=600)
    assert process.returncode == 130
    assert "Traceback" not in err


@pytest.mark.parametrize(
    "options",
    [
        ["--count", "0"],
        ["--port", "99999"],
        ["--host", "203.0.113.1"],
        ["--port", "x"],
        ["--port", "-1"],
        ["--count", "9" * 5000],
        ["--public-url", "x"],
        ["x"],
    ],
)
def test_listening_that_makes_no_sense_is_told(options: list[str], shell: Shell) -> None:
    """Status 2 in one line."""
    done = shell.do("listen", *options)
    assert (done.status, done.out) == (2, "")
    assert len(done.err.splitlines()) == 1


@pytest.mark.parametrize("output", ["in.jsonl", "in.jsonl.ledger", "./in.jsonl.ledger", "link"])
def test_results_overwrite_neither_items_nor_ledger(output: str, shell: Shell) -> None:
    """A slip of the pen must not cost the batch."""
    items = '{"key": "a", "workflow_name": "canary"}\n'
    shell.directory.joinpath("in.jsonl").write_text(items, encoding="utf-8")
    shell.directory.joinpath("link").hardlink_to(shell.directory / "in.jsonl")
    done = shell.do("batch", "in.jsonl", "--output", output)
    assert done.status == 2
    assert "is the file of the items or of the ledger" in done.err
    assert shell.directory.joinpath("in.jsonl").read_text(encoding="utf-8") == items
    assert not shell.directory.joinpath("in.jsonl.ledger").exists()


@pytest.mark.parametrize("content", ["somebody's notes", '{"key": 5}', "k0"])
def test_only_a_torn_result_is_cut_off(content: str, shell: Shell) -> None:
    """A file of somebody else's whose last line has no end isn't emptied."""
    _items(shell, 1)
    assert _batch(shell, "--output", "out.jsonl").status == 0
    other, whole = shell.directory / "other", (shell.directory / "out.jsonl").read_text()
    other.write_text(content)
    done = _batch(shell, "--output", "other")
    assert (done.status, "is no result of a batch" in done.err, other.read_text()) == (2, True, content)
    for unended in (whole[:-1], whole + '{"ke'):
        other.write_text(unended)
        assert shell.do("batch", "--show", "in.jsonl.ledger", "--output", "other").status == 0
        assert other.read_text() == whole


def test_a_ledger_that_goes_away_ends_its_batch_in_1(shell: Shell) -> None:
    """Something was sent, so it is no 2; the summary tells how far the batch has come."""
    _items(shell, 3)
    ledger = shell.directory / "in.jsonl.ledger"

    def answer(method: str, _: str) -> tuple[int, Any]:
        ledger.unlink(missing_ok=True)
        return (201, {"success": True, "message": "m", "workflow_version_execution_id": 5}) if method == "POST" else (
            200, "done",
        )  # fmt: skip

    with Scripted(answer) as service:
        done = _batch(shell, "--base-url", service.url, "--concurrency", "1")
    assert (done.status, len(done.lines)) == (1, 1)
    assert "was removed, moved or replaced" in done.err
    assert "items: 3 total, 2 new, 1 succeeded" in done.err


@pytest.mark.parametrize("where", [["--output", "/dev/full"], []], ids=["file", "standard output"])
def test_results_that_find_no_room_are_given_again(where: list[str], shell: Shell) -> None:
    """A result counts as handed over only when it is written; the batch goes on with the same command."""
    line = '{"key": "a", "workflow_name": "canary", "input_variables": {"user_message": "Hi"}}\n'
    shell.directory.joinpath("in.jsonl").write_text(line, encoding="utf-8")
    full = shell.do("batch", "in.jsonl", *where, out=None if where else "/dev/full")
    assert (full.status, "No space left on device" in full.err, "Traceback" in full.err) == (1, True, False)
    again = shell.do("batch", "in.jsonl")
    assert (again.status, [result["state"] for result in again.lines]) == (0, ["succeeded"])


def test_a_batch_may_tell_its_errors_as_a_document(shell: Shell) -> None:
    """With --json a refusal of the whole batch is for programs, too."""
    shell.directory.joinpath("in.jsonl").write_text('{"input_variables": {"a": "\\ud800"}}\n', encoding="utf-8")
    done = shell.do("batch", "in.jsonl", "--workflow", "canary", "--json")
    assert (done.status, done.document["state"]) == (2, "misused")
    assert "line 1: input_variables.a: expected a text that UTF-8 can write" in done.document["error"]["message"]
