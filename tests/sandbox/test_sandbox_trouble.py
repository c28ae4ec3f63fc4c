"""What the sandbox does when the disk is full, the database damaged, much is left to do, or strangers hold it up."""

import contextlib
import logging
import os
import resource
import shlex
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from sandbox_calls import execute, finished, interactly_client, poll, promptlayer_client, run

from workflow_sandbox import Sandbox
from workflow_sandbox.database import UnusableDatabase
from workflow_sandbox.log import BoundedHandler
from workflow_sandbox.store import Store

_SECONDS = 30
_KEY = {"X-API-KEY": "sandbox-key"}

linux = pytest.mark.skipif(sys.platform != "linux", reason="needs prlimit")


@contextlib.contextmanager
def _limited(tmp_path: Path, limits: str, *options: str) -> Iterator[tuple[subprocess.Popen[str], httpx.Client]]:
    """A sandbox that a shell has set limits for; its log is in `log`."""
    command = [sys.executable, "-m", "workflow_sandbox", "--port=0", f"--database={tmp_path / 'x.db'}", *options]
    with (
        (tmp_path / "log").open("w") as log,
        subprocess.Popen(
            ["/bin/sh", "-c", f"{limits}; exec {shlex.join(command)}"], stdout=subprocess.PIPE, stderr=log, text=True
        ) as process,
    ):
        assert process.stdout is not None
        try:
            url = process.stdout.readline().strip()
            with httpx.Client(base_url=url, headers=_KEY, timeout=_SECONDS) as client:
                yield process, client
        finally:
            process.terminate()
    assert process.returncode == 0


@linux
def test_accepted_runs_go_on_when_the_disk_has_space_again(tmp_path: Path) -> None:
    """What can't be kept is answered 503 and not accepted; what was accepted ends without a restart."""
    with _limited(tmp_path, ":", "--run-seconds=1") as (process, client):
        runs = [run(client) for _ in range(10)]
        unlimited = resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
        refused = client.post("/workflows/canary/run", json={})
        time.sleep(0.5)
        assert {poll(client, run_id).status_code for run_id in runs} == {202}
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, unlimited)
        assert {finished(client, run_id).status_code for run_id in runs} == {200}
        assert run(client) == runs[-1] + 1

    assert (refused.status_code, refused.json()["success"]) == (503, False)
    assert refused.json()["message"].startswith("The sandbox's database can't be used: ")
    assert [line.split(":")[1] for line in (tmp_path / "log").read_text().splitlines()] == [
        " the database can't be used, accepted runs go on once it can be",
        " the database can be used again",
    ]


def test_half_open_connections_do_not_keep_requests_out(tmp_path: Path) -> None:
    """With few file descriptors and many connections that never ask for anything, requests are served; no log."""
    with _limited(tmp_path, "ulimit -n 64") as (_, client), contextlib.ExitStack() as strangers:
        address = client.base_url.host, client.base_url.port or 0
        for number in range(200):
            connection = strangers.enter_context(socket.create_connection(address, timeout=_SECONDS))
            connection.sendall(b"POST /workflows/canary/run HTTP/1.1\r\nhost: x\r\nx: "[: number % 50])
        with httpx.Client(base_url=client.base_url, headers=_KEY, timeout=_SECONDS) as other:
            run_id = run(other)
            assert finished(other, run_id).status_code == 200

    assert (tmp_path / "log").read_text() == ""


def test_runs_of_an_earlier_start_are_taken_up_in_turn(tmp_path: Path) -> None:
    """A start with much to do serves at once and begins so many runs at a time; who asks for one doesn't wait."""
    database = tmp_path / "x.db"
    oldest = _with_runs(database, 3000)
    with Sandbox(database=database, run_seconds=600) as sandbox, promptlayer_client(sandbox) as client:
        asked = [oldest + 2999, run(client)]
        first = _draft(client, asked[0])
        deadline = time.monotonic() + _SECONDS
        while {_draft(client, run_id) for run_id in asked} != {"RUNNING"}:
            assert time.monotonic() < deadline
        assert sandbox.stop() == 0

    assert first == "QUEUED"
    with closing(sqlite3.connect(database)) as connection:
        (begun,) = connection.execute("SELECT count(*) FROM nodes WHERE status = 'RUNNING'").fetchone()
    assert 2 < begun <= 102


def _draft(client: httpx.Client, run_id: int) -> str:
    return str(poll(client, run_id, return_all_outputs="true").json()["Draft"]["status"])


def _with_runs(database: Path, count: int) -> int:
    """Make a database with so many runs that have not begun; return the oldest one's id."""
    with Store(str(database)) as store:
        version = store.version("canary", 2)
        assert version is not None
        oldest = store.accept_run(version, {}, {}, return_all_outputs=False, callback_url=None)
    copies = [(number,) for number in range(1, count)]
    runs = "INSERT INTO runs SELECT id + ?, workflow, version, input_variables, metadata, return_all_outputs FROM runs"
    nodes = (
        "INSERT INTO nodes (run_id, position, name, is_output, status)"
        " SELECT run_id + ?, position, name, is_output, status FROM nodes"
    )
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.executemany(f"{runs} WHERE id = {oldest}", copies)
        connection.executemany(f"{nodes} WHERE run_id = {oldest}", copies)
    return oldest


def test_damaged_rows_are_told_and_concern_no_other_run(tmp_path: Path) -> None:
    """A request for what is damaged is answered 503 with the reason; the rest is served; no traceback is logged."""
    database = tmp_path / "x.db"
    damage = [
        "UPDATE nodes SET value = '{' WHERE run_id = ?",
        "UPDATE nodes SET status = 'GONE' WHERE run_id = ?",
        "UPDATE nodes SET value = CAST(x'22ff22' AS TEXT) WHERE run_id = ?",
        "UPDATE runs SET workflow = '\"other\"' WHERE id = ?",
        "UPDATE runs SET metadata = 'x' WHERE id = ?",
        "DELETE FROM nodes WHERE position = 1 AND run_id = ?",
    ]
    oldest = _with_runs(database, len(damage) + 1)
    with Sandbox(database=database, run_seconds=0.01) as sandbox, interactly_client(sandbox) as interactly:
        talks = [execute(interactly).json()["workflow_run_id"] for _ in range(3)]
        sandbox.stop()
        with closing(sqlite3.connect(database)) as connection, connection:
            connection.execute("UPDATE nodes SET status = 'QUEUED'")
            for number, statement in enumerate(damage):
                connection.execute(statement, (oldest + number,))
            for document, talk in zip(("{", "{}"), talks, strict=False):
                connection.execute("UPDATE conversations SET document = ? WHERE workflow_run_id = ?", (document, talk))
        sandbox.start()
        with httpx.Client(base_url=sandbox.promptlayer_url, headers=_KEY, timeout=_SECONDS) as client:
            replies = [finished(client, oldest + number) for number in range(len(damage) + 1)]
        replies += [execute(interactly, command="data", workflow_run_id=talk) for talk in talks]
        log = sandbox.log

    assert [reply.status_code for reply in replies] == [503] * 6 + [200] + [503] * 2 + [200]
    assert all("damaged" in reply.text for reply in replies if reply.status_code == 503)
    assert "Traceback" not in log
    assert "damaged" in log


def _spoiled(database: Path, *statements: str) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def _overwritten(database: Path) -> None:
    with database.open("r+b") as file:
        file.seek(8192)
        file.write(b"\xff" * 4096)


def _cut(database: Path) -> None:
    os.truncate(database, 10_000)


def _emptied(database: Path) -> None:
    os.truncate(database, 0)
    database.with_name(f"{database.name}-wal").write_bytes(b"something")


def _replaced(database: Path) -> None:
    database.unlink()
    os.mkfifo(database)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (_overwritten, "damaged|malformed"),
        (_cut, "malformed"),
        (_emptied, "it is empty, though its -wal file is not"),
        (_replaced, "no regular file"),
        (lambda database: database.write_bytes(b"SQLite format 3\0" + b"x" * 5000), "not a database"),
        (lambda database: _spoiled(database, "PRAGMA user_version = 5"), "another version"),
        (lambda database: _spoiled(database, "DROP TABLE callbacks"), "a table is missing"),
    ],
)
def test_database_that_is_damaged_is_refused_in_one_line(
    tmp_path: Path, spoil: Callable[[Path], None], reason: str
) -> None:
    """What can't be the whole of what was kept is refused by name, and is not written to."""
    database = tmp_path / "x.db"
    _with_runs(database, 100)
    spoil(database)
    before = database.read_bytes() if database.is_file() else b""

    with pytest.raises(UnusableDatabase, match=reason) as caught:
        Store(str(database))
    assert str(caught.value).startswith(f"cannot use database {database}: ")
    assert "\n" not in str(caught.value)
    assert not database.is_file() or database.read_bytes() == before


def test_empty_file_is_a_new_database(tmp_path: Path) -> None:
    """A file that a script has made for it beforehand is as good as none."""
    (tmp_path / "x.db").touch()
    assert _with_runs(tmp_path / "x.db", 2) > 2**32


def test_log_is_bounded(capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever happens how often, a minute's log has its limit, and says so once; a long message is cut."""
    handler = BoundedHandler()
    for number in range(3000):
        text = "x" * (1_000_000 if number == 0 else 1000)
        handler.handle(logging.LogRecord("sandbox", logging.ERROR, __file__, 0, text, None, None))

    lines = capsys.readouterr().err.splitlines()
    assert 250 < len(lines) < 280
    assert len(lines[0]) < 10_000
    assert "left out" in lines[-1]
