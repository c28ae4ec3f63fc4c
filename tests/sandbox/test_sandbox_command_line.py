"""The command line: what it prints, and what it refuses in one line with status 2."""

import os
import signal
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from workflow_sandbox import Sandbox

_COMMAND = [sys.executable, "-m", "workflow_sandbox"]


def _refusal(*arguments: str) -> str:
    """Run the command, expect a refusal and return its one line."""
    done = subprocess.run([*_COMMAND, *arguments], capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("workflow-sandbox: error: ")
    assert done.stderr.count("\n") == 1
    return done.stderr


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_server_prints_its_base_url_serves_and_stops_cleanly(tmp_path: Path, stop: signal.Signals) -> None:
    """The one line on standard output is a base URL that works at once; a signal ends it with status 0 mid-run."""
    command = [*_COMMAND, "--port=0", f"--database={tmp_path / 'x.db'}", "--api-key=mine", "--run-seconds=600"]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process,
        httpx.Client(headers={"X-API-KEY": "mine"}) as client,
    ):
        assert process.stdout is not None
        url = process.stdout.readline().rstrip("\n")
        response = client.post(f"{url}/workflows/canary/run", json={})
        process.send_signal(stop)
        rest = process.communicate(timeout=600)

    assert response.status_code == 201
    assert url.startswith("http://127.0.0.1:")
    assert (process.returncode, *rest) == (0, "", "")


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--port=x"], "--port"),
        (["--port=70000"], "--port"),
        (["--port=-1"], "--port"),
        (["--run-seconds=nan"], "--run-seconds"),
        (["--run-seconds=-1"], "--run-seconds"),
        (["--callback-attempts=0"], "--callback-attempts"),
        (["--chaos=0.7", "--fault=cut=0.7"], "shares"),
        (["--api-key="], "--api-key"),
        (["--no-such-option"], "--no-such-option"),
        (["extra"], "extra"),
        (["--port=0", "--host=no.such.host.invalid"], "no.such.host.invalid"),
        (["--port=0", "--database=/no/such/directory/x.db"], "/no/such/directory/x.db"),
        (["--database="], "--database"),
        (["--database=:memory:"], "--database"),
    ],
)
def test_wrong_argument_is_refused_in_one_line(tmp_path: Path, arguments: list[str], named: str) -> None:
    """A wrong argument ends the command with status 2 and one line that names it."""
    line = _refusal(f"--database={tmp_path / 'x.db'}", *arguments)

    assert named in line


def test_bad_key_is_not_repeated() -> None:
    """A key that is refused is not printed."""
    assert "s3cret" not in _refusal("--api-key= s3cret ")


def test_taken_port_is_refused(tmp_path: Path) -> None:
    """A port on which somebody listens is refused by name."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        port = listening.getsockname()[1]

        assert f"127.0.0.1:{port}" in _refusal(f"--port={port}", f"--database={tmp_path / 'x.db'}")


def test_database_that_is_not_ours_is_refused_and_untouched(tmp_path: Path) -> None:
    """Another program's database, a file that is no database and a directory are refused; nothing is changed."""
    foreign, text = tmp_path / "foreign.db", tmp_path / "text.db"
    with closing(sqlite3.connect(foreign)) as connection:
        connection.execute("CREATE TABLE theirs (x)")
    text.write_text("no database " * 100)
    before = [path.read_bytes() for path in (foreign, text)]

    for path in (foreign, text, tmp_path):
        assert str(path) in _refusal("--port=0", f"--database={path}")
    assert before == [path.read_bytes() for path in (foreign, text)]


def test_database_in_use_is_refused(tmp_path: Path) -> None:
    """Two servers never share a database, since both would execute its runs."""
    database = tmp_path / "x.db"
    with Sandbox(database=database):
        assert "another server" in _refusal("--port=0", f"--database={database}")


def test_missing_extra_is_told_with_the_command_that_brings_it(tmp_path: Path) -> None:
    """Without the web framework the command says which pip command installs it."""
    (tmp_path / "uvicorn.py").write_text("raise ModuleNotFoundError('no', name='uvicorn')")
    path = os.pathsep.join([str(tmp_path), *sys.path])
    done = subprocess.run(
        [*_COMMAND, "--port=0", f"--database={tmp_path / 'x.db'}"],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
        env={**os.environ, "PYTHONPATH": path},
    )

    assert done.returncode == 2
    assert 'pip install "workflow-runs[sandbox]"' in done.stderr


def test_help_tells_the_defaults() -> None:
    """--help lists the options with their defaults."""
    done = subprocess.run([*_COMMAND, "--help"], capture_output=True, text=True, timeout=600, check=True)

    assert all(word in done.stdout for word in ("--port", "8765", "./workflow-sandbox.db", "sandbox-key"))
