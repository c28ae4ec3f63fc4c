"""`workflow-runs run` and `workflow-runs results`: what they print, and how they end."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
from typing import Any

import pytest
from commands import KEY, PROGRAM, Done, Scripted, Shell

from workflow_runs import __version__
from workflow_runs.command_line.arguments import parser

CREATED = {"success": True, "message": "m", "warning": None, "workflow_version_execution_id": 98765}
FAIL = ["--metadata", "sandbox=fail", "-i", "user_message=hi"]


def test_a_run_prints_its_id_and_how_to_go_on(shell: Shell) -> None:
    """The id alone goes to standard output, so that a script can keep it."""
    done = shell.do("run", "canary", "-i", "user_message=hi")
    assert done.status == 0
    execution_id = int(done.out)
    assert f"workflow-runs results {execution_id} --wait" in done.err
    again = shell.do("results", str(execution_id), "--wait")
    assert again.status == 0
    assert again.out.endswith("(Request received: hi)\n")


def test_a_run_that_is_waited_for_prints_its_output(shell: Shell) -> None:
    """A text as it is."""
    done = shell.do("run", "canary", "-i", "user_message=hi", "--wait")
    assert (done.status, done.out) == (
        0,
        "[canary version 2] Thank you, an agent takes over from here. (Request received: hi)\n",
    )


def test_every_output_is_json(shell: Shell) -> None:
    """The nodes' entries, readable for a person and a program."""
    done = shell.do("run", "canary", "-i", "user_message=hi", "--wait", "--all-outputs")
    assert done.status == 0
    assert json.loads(done.out)["Reply"]["status"] == "SUCCESS"


@pytest.mark.parametrize("chosen", [["--label", "production"], ["--version", "1"]], ids=["label", "version"])
def test_a_version_can_be_chosen(chosen: list[str], shell: Shell) -> None:
    """By its label or its number."""
    assert "[canary version 1]" in shell.do("run", "canary", "-i", "user_message=hi", "--wait", *chosen).out


@pytest.mark.parametrize(
    ("arguments", "text", "expected"),
    [
        (["-i", "user_message=a=b:=c"], None, "a=b:=c"),
        (["-i", 'user_message:={"a": [1, null]}'], None, '{"a":[1,null]}'),
        (["--input-json", "in.json"], None, "from a file"),
        (["--input-json", "-"], '{"user_message": "from a pipe"}', "from a pipe"),
        (["--input-json", "in.json", "-i", "user_message=typed"], None, "typed"),
        (["-i", "user_message="], None, ""),
        (["-i", "user_message=\u00fc\u4e2d\U0001f600"], None, "\u00fc\u4e2d\U0001f600"),
    ],
    ids=["text", "json", "file", "pipe", "both", "empty", "unicode"],
)
def test_inputs_arrive(arguments: list[str], text: str | None, expected: str, shell: Shell) -> None:
    """Typed, as JSON, from a file, from a pipe."""
    (shell.directory / "in.json").write_text('{"user_message": "from a file"}')
    done = shell.do("run", "canary", "--wait", "--json", *arguments, text=text)
    assert (done.status, done.document["warning"]) == (0, None)
    assert done.document["output"].endswith(f": {expected})") or expected in done.document["output"]


def test_the_request_is_what_was_typed(shell: Shell) -> None:
    """Options become the members of the request, and what isn't given stays out of it."""
    with Scripted(lambda *_: (202, CREATED)) as service:
        arguments = [
            "run",
            "my flow",
            "-i",
            "a=1",
            "-i",
            "b:=2",
            "--metadata",
            "c=d=e",
            "--label",
            "l",
            "--all-outputs",
        ]
        more = ["--callback-url", "https://example.com/x", "--base-url", service.url]
        assert shell.do(*arguments, *more).out == "98765\n"
        assert shell.do("run", "bare", "--base-url", service.url).status == 0
    (_, path, body), (_, _, bare) = service.requests
    assert path == "/workflows/my%20flow/run"
    assert json.loads(body) == {
        "input_variables": {"a": "1", "b": 2}, "metadata": {"c": "d=e"}, "workflow_label_name": "l",
        "return_all_outputs": True, "callback_url": "https://example.com/x",
    }  # fmt: skip
    assert json.loads(bare) == {}


# One JSON document


def test_a_document_tells_a_success(shell: Shell) -> None:
    """State, id, output, nodes, warning."""
    started = shell.do("run", "canary", "-i", "other=1", "--json").document
    assert started["state"] == "started"
    assert "user_message" in started["warning"]
    ended = shell.do("results", str(started["execution_id"]), "--wait", "--json", "--all-outputs").document
    assert ended["state"] == "succeeded"
    assert ended["execution_id"] == started["execution_id"]
    assert ended["nodes"]["Reply"]["value"] == ended["output"]


@pytest.mark.parametrize("form", [[], ["--all-outputs"]], ids=["500", "nodes"])
def test_a_failed_run_is_told_with_its_nodes(form: list[str], shell: Shell) -> None:
    """Status 1, in either form that the service may choose."""
    done = shell.do("run", "canary", *FAIL, "--wait", "--json", *form)
    assert done.status == 1
    assert done.document["state"] == "failed"
    assert done.document["nodes"]["Reply"]["status"] == "FAILED"
    assert done.document["error"]["type"] == "RunFailed"
    assert str(done.document["execution_id"]) in done.err


@pytest.mark.parametrize("output", [None, False, 0, "", {}, [1], "\ud800", {"\u00fc": "\ud800"}], ids=ascii)
def test_any_output_is_written(output: Any, shell: Shell) -> None:
    """Whatever a workflow puts out, in both forms; half a surrogate pair breaks nothing."""
    with Scripted(lambda *_: (200, output)) as service:
        where = ["results", "5", "--base-url", service.url]
        document, text = shell.do(*where, "--json"), shell.do(*where)
    assert document.status == 0, document.out + document.err
    assert document.document["output"] == output
    assert text.status == 0
    if not isinstance(output, str):
        assert "\ud800" in str(output) or json.loads(text.out) == output


# Endings


def _state(done: Done) -> tuple[int, str, str]:
    return done.status, done.document["state"], done.document["error"]["type"]


@pytest.mark.parametrize(
    ("status", "body", "ending"),
    [
        (404, {"message": "no such workflow"}, (1, "refused", "NotFound")),
        (401, {"message": "who are you"}, (1, "refused", "Unauthorized")),
        (422, {"detail": []}, (1, "refused", "Unprocessable")),
        (500, {"message": "oops"}, (4, "in_doubt", "ServerError")),
        (201, {"success": True}, (4, "in_doubt", "ContractBroken")),
    ],
)
def test_a_run_that_was_not_accepted(status: int, body: Any, ending: tuple[int, str, str], shell: Shell) -> None:
    """Refused is 1; in doubt is 4, and says what to do before repeating the command."""
    with Scripted(lambda *_: (status, body)) as service:
        done = shell.do("run", "canary", "--json", "--wait", "--base-url", service.url)
    assert _state(done) == ending
    assert len(service.requests) == 1
    assert ("dashboard" in done.err) == (ending[0] == 4)
    assert done.document["error"]["may_have_run"] == (ending[0] == 4)


def test_a_run_without_a_reply_is_in_doubt(shell: Shell) -> None:
    """The connection broke after sending: nobody can tell, and it isn't sent again."""
    with Scripted(lambda *_: None) as service:
        done = shell.do("run", "canary", "--json", "--base-url", service.url)
    assert _state(done) == (4, "in_doubt", "MaybeSent")
    assert len(service.requests) == 1


def test_a_service_that_is_not_there(shell: Shell) -> None:
    """Nothing was sent: 1, and what to check."""
    done = shell.do("run", "canary", "--json", "--base-url", "http://127.0.0.1:9")
    assert _state(done) == (1, "refused", "NotSent")
    assert "--base-url" in done.err


def test_a_run_that_goes_on(shell: Shell) -> None:
    """3 at the deadline, and 3 at once without --wait, both with the way to go on."""
    with Scripted(lambda method, _: (201, CREATED) if method == "POST" else (202, None)) as service:
        where = ["--json", "--base-url", service.url]
        for command in (["run", "a", "--wait", "--deadline", "0.6"], ["results", "98765"]):
            done = shell.do(*command, *where)
            assert _state(done) == (3, "running", "WaitTimeout")
            assert done.document["execution_id"] == 98765
            assert "workflow-runs results 98765 --wait" in done.err
    assert [method for method, _, _ in service.requests].count("POST") == 1


def test_an_error_while_waiting_tells_the_execution(shell: Shell) -> None:
    """A run that was started isn't lost with the wait."""
    with Scripted(lambda method, _: (201, CREATED) if method == "POST" else (403, {"message": "no"})) as service:
        done = shell.do("run", "a", "--wait", "--json", "--base-url", service.url)
    assert _state(done) == (1, "unknown", "Forbidden")
    assert done.document["execution_id"] == 98765


def test_results_that_cannot_be_asked_for(shell: Shell) -> None:
    """Without --wait, an error of the service is that error and no run that goes on."""
    with Scripted(lambda *_: (503, {"message": "later"})) as service:
        done = shell.do("results", "5", "--json", "--base-url", service.url)
    assert _state(done) == (1, "unknown", "ServerError")


@pytest.mark.parametrize("asked", [["run", "a", "--wait"], ["results", "98765", "--wait"]], ids=["run", "results"])
def test_interrupting_a_wait_tells_how_to_go_on(asked: list[str], shell: Shell) -> None:
    """Ctrl-C: 130, and the execution id."""
    with Scripted(lambda method, _: (201, CREATED) if method == "POST" else (202, None)) as service:
        process = shell.begin(*asked, "--json", "--base-url", service.url)
        assert process.stderr is not None
        assert "98765 after" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=600)
    assert process.returncode == 130
    assert (json.loads(out)["state"], json.loads(out)["execution_id"]) == ("interrupted", 98765)
    assert "workflow-runs results 98765 --wait" in err
    assert "Traceback" not in err


def test_interrupting_a_start_is_a_doubt(shell: Shell) -> None:
    """The request was on its way: the words say so."""
    answering: list[subprocess.Popen[str]] = []

    def interrupt(*_: str) -> None:
        answering[0].send_signal(signal.SIGINT)
        answering[0].wait(timeout=600)

    with Scripted(interrupt) as service:
        answering.append(shell.begin("run", "a", "--json", "--base-url", service.url))
        out, err = answering[0].communicate(timeout=600)
    assert answering[0].returncode == 130
    assert json.loads(out)["error"]["may_have_run"]
    assert "a run may have been started" in err
    assert "dashboard" in err


# Wrong usage


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "COMMAND"),
        (["frob"], "frob"),
        (["run"], "NAME"),
        (["run", "a", "--label", "b", "--version", "1"], "not allowed with"),
        (["run", "a", "--version", "one"], "one"),
        (["run", "a", "-i", "novalue"], "novalue"),
        (["run", "a", "-i", "x:={"], "x"),
        (["run", "a", "-i", "x=1", "-i", "x=2"], "twice"),
        (["run", "a", "-i", "x:=NaN"], "input_variables.x"),
        (["run", "a", "--metadata", "x"], "--metadata"),
        (["run", "a", "--metadata", "x=1", "--metadata", "x=2"], "twice"),
        (["run", "a", "--input-json", "nowhere.json"], "nowhere.json"),
        (["run", "a", "--input-json", "list.json"], "an object"),
        (["run", "a", "--callback-url", "no address"], "callback_url"),
        (["run", "a", "--api-key", "k"], "--api-key"),
        (["run", "a", "--deadline", "-1"], "-1"),
        (["run", "a", "--deadline", "nan"], "nan"),
        (["run", "", "--wait"], "workflow_name"),
        (["results"], "ID"),
        (["results", "five"], "five"),
        (["results", "5_0"], "5_0"),
        (["results", "\u0665"], "ID"),
        (["results", "9" * 5000], "999..."),
        (["run", "a", "--version", "1.0"], "1.0"),
        (["results", "5", "--base-url", "ftp://x"], "base_url"),
    ],
    ids=lambda each: " ".join(each) if isinstance(each, list) else "",
)
def test_wrong_usage_is_told_in_a_line(arguments: list[str], words: str, shell: Shell) -> None:
    """Status 2, what is wrong by name, for a person and in a document; nothing is sent."""
    (shell.directory / "list.json").write_text("[1]")
    with Scripted(lambda *_: (201, CREATED)) as service:
        base = [] if "--base-url" in arguments or len(arguments) < 2 else ["--base-url", service.url]
        done = shell.do(*arguments, *base)
        document = shell.do(*arguments, *base, "--json").document
    assert (done.status, done.out, service.requests) == (2, "", [])
    assert words in done.err
    assert "Traceback" not in done.err
    assert len(done.err.splitlines()) == 1
    assert document["state"] == "misused"
    assert words in document["error"]["message"]


def test_a_missing_key_names_its_variable(shell: Shell) -> None:
    """The key comes from the environment alone."""
    done = shell.do("run", "canary", variables={"PROMPTLAYER_API_KEY": None})
    assert (done.status, done.out) == (2, "")
    assert "set PROMPTLAYER_API_KEY" in done.err


@pytest.mark.parametrize("command", [[], ["run"], ["results"], ["batch"], ["listen"]], ids=str)
def test_help_has_examples_and_statuses(command: list[str], shell: Shell) -> None:
    """Whoever asks for help sees how a command is used and how it ends; a key is not needed for that."""
    done = shell.do(*command, "--help", variables={"PROMPTLAYER_API_KEY": None})
    assert done.status == 0
    assert "examples:" in done.out if command else "exit status:" in done.out
    assert KEY not in done.out


def test_the_version_is_told(shell: Shell) -> None:
    """It is the package's."""
    assert shell.do("--version").out == f"workflow-runs {__version__}\n"


def test_no_key_is_ever_shown(shell: Shell) -> None:
    """Even a service that sends the key back can't make a command print it."""
    with Scripted(lambda *_: (400, {"message": f"{KEY} is wrong"})) as service:
        for form in ([], ["--json"]):
            done = shell.do("run", "canary", *form, "--base-url", service.url)
            assert KEY not in done.out + done.err


def test_a_reader_that_has_gone_is_no_traceback(shell: Shell) -> None:
    """As in `workflow-runs results 5 | head -0`."""
    with Scripted(lambda *_: (200, "x" * 200_000)) as service:
        process = shell.begin("results", "5", "--base-url", service.url)
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        err = process.stderr.read()
        process.stderr.close()
        process.wait(timeout=600)
    assert "Traceback" not in err
    assert "Exception" not in err


@pytest.mark.parametrize("command", ["run", "results", "batch", "listen"])
def test_the_examples_of_the_help_can_be_typed(command: str, shell: Shell) -> None:
    """Each of them is understood as it stands."""
    lines = shell.do(command, "--help").out.partition("examples:")[2].splitlines()
    typed = [line.strip().rpartition("| ")[2] for line in lines if "workflow-runs" in line]
    assert typed
    for line in typed:
        program, *arguments = shlex.split(line)
        assert program == "workflow-runs"
        assert parser().parse_args(arguments).command == command


@pytest.mark.parametrize("form", [[], ["--json"]], ids=["text", "json"])
def test_an_output_that_finds_no_room_is_told_with_the_execution(form: list[str], shell: Shell) -> None:
    """A full disk is no traceback, and the run that was started can be gone on with."""
    done = shell.do("run", "canary", "-i", "user_message=Hi", *form, out="/dev/full")
    assert done.status == 1
    assert "the output can't be written: No space left on device" in done.err
    assert "go on with: workflow-runs results " in done.err
    assert "Traceback" not in done.err


def test_closed_streams_are_told(shell: Shell) -> None:
    """So is a standard output that is closed, or a standard input that was to be read."""
    base = " ".join(PROGRAM)
    for command, words in (
        (f"{base} run canary -i user_message=Hi >&-", "standard output is closed"),
        (f"{base} run canary --input-json - <&-", "standard input is closed"),
    ):
        done = subprocess.run(
            ["/bin/sh", "-c", command],
            env=shell.environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        assert words in done.stderr
        assert "Traceback" not in done.stderr
        assert done.returncode in {1, 2}


@pytest.mark.parametrize("content", [b"\xef\xbb\xbf{}", '{"user_message": "ü"}'.encode()], ids=["mark", "utf-8"])
def test_json_is_read_as_utf_8(content: bytes, shell: Shell) -> None:
    """Whatever the terminal's encoding is, and with the mark that some programs put in front of it."""
    shell.directory.joinpath("input.json").write_bytes(content)
    assert shell.do("run", "canary", "--input-json", "input.json", "--wait").status == 0
    assert shell.do("run", "canary", "--input-json", "-", "--wait", text=content.decode()).status == 0


def test_a_warning_tells_no_key(shell: Shell) -> None:
    """The service's words about a run that it has started are shown, and secrets alone are masked in them."""
    warning = {"warning": f"unused: {KEY}, input-of-the-run"}
    body = {"success": True, "message": "ok", "workflow_version_execution_id": 5, **warning}
    with Scripted(lambda *_: (201, body)) as service:
        arguments = ["run", "a", "-i", "x=input-of-the-run", "--base-url", service.url]
        for done in (shell.do(*arguments), shell.do(*arguments, "--json")):
            assert "warning: unused: ***, input-of-the-run" in done.err
            assert KEY not in done.out + done.err


def test_a_run_in_doubt_is_told_with_what_finds_it(shell: Shell) -> None:
    """The document has it as a member of its own."""
    with Scripted(lambda *_: None) as service:
        done = shell.do("run", "support-agent", "--json", "--base-url", service.url)
    assert done.status == 4
    assert "it is a run of 'support-agent' from about" in done.document["error"]["how_to_find"]
