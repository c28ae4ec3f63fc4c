"""Several processes on one PostgreSQL database; needs `--postgres URL`, see `nox -s postgres`."""

import contextlib
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import psycopg
import pytest
from callback_receiver import CallbackReceiver
from sandbox_calls import execute, finished, interactly_client, poll, promptlayer_client, run

from workflow_sandbox import InProcessSandbox, Prompt, Sandbox
from workflow_sandbox.database import UnusableDatabase
from workflow_sandbox.store import Store

_SECONDS = 30
_NODE = {"name": "Only", "node_type": "VARIABLE", "configuration": {"value": 1}, "is_output_node": True}


@contextlib.contextmanager
def _two(database: str, **options: Any) -> Iterator[tuple[Sandbox, Sandbox, httpx.Client, httpx.Client]]:
    """Two processes on one database, and a client of each."""
    with (
        Sandbox(database=database, **options) as one,
        Sandbox(database=database, **options) as other,
        promptlayer_client(one) as client,
        promptlayer_client(other) as other_client,
    ):
        yield one, other, client, other_client


def _eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_runs_and_callbacks_of_a_killed_process_are_taken_over(database: str) -> None:
    """Those under way, those that have ended but for the callback, and nobody asks for any of them."""
    with (
        CallbackReceiver() as receiver,
        _two(database, run_seconds=0.3, options=["--callback-backoff=3"]) as (one, _, client, other_client),
        CallbackReceiver([500] * 5) as refusing,
    ):
        ended = [run(client, callback_url=refusing.url) for _ in range(5)]
        for _ in ended:
            refusing.wait()
        under_way = [run(client, callback_url=receiver.url) for _ in range(40)]
        one.kill()
        posted: set[int] = set()
        while posted < {*under_way}:
            # What was being posted when the process was killed may have come without its body, and comes again.
            if body := receiver.wait().body:
                posted.add(body["workflow_version_execution_id"])
        again = [refusing.wait() for _ in ended]
        statuses = {poll(other_client, run_id).status_code for run_id in [*ended, *under_way]}

    assert posted == {*under_way}
    assert sorted(one.headers["sandbox-delivery-id"] for one in again) == [f"run-{run_id}" for run_id in ended]
    assert {one.headers["sandbox-delivery-attempt"] for one in again} == {"2"}
    assert statuses == {200}


def test_a_run_is_executed_by_the_process_that_accepted_it_alone(database: str) -> None:
    """However often others are asked for it, its prompts are asked once."""
    asked: list[tuple[str, int]] = []

    def answering(name: str) -> Callable[[Prompt], str]:
        return lambda prompt: asked.append((name, prompt.run_id)) or f"by {name}"  # type: ignore[func-returns-value]

    workflows = {"ask": {"nodes": [{"name": "Ask", "prompt": "?"}]}}
    with (
        Sandbox(database=database, workflows=workflows, answer=answering("one"), run_seconds=0.2) as one,
        Sandbox(database=database, workflows=workflows, answer=answering("other"), run_seconds=0.2) as other,
        promptlayer_client(one) as client,
        promptlayer_client(other) as other_client,
    ):
        runs = [client.post("/workflows/ask/run", json={}).json()["workflow_version_execution_id"] for _ in range(5)]
        outputs = [finished(other_client, run_id).json() for run_id in runs]

    assert outputs == ["by one"] * 5
    assert sorted(asked) == [("one", run_id) for run_id in runs]


def test_a_hold_stops_a_node_whichever_process_executes_it(database: str) -> None:
    """It is seen, and released, from another process, and is gone with the one that it was set in."""
    with _two(database, run_seconds=0) as (one, other, client, other_client):
        with other.hold("canary", node="Draft") as held:
            run_id = run(client)
            assert held.wait(_SECONDS) == run_id
            assert poll(client, run_id, return_all_outputs="true").json()["Draft"]["status"] == "RUNNING"
        assert finished(client, run_id).status_code == 200
        one.hold("canary", status="QUEUED")
        waiting = run(other_client)
        _eventually(lambda: len(_rows(database, "SELECT * FROM held")) == 1)
        assert poll(other_client, waiting).status_code == 202
        one.kill()
        assert finished(other_client, waiting).status_code == 200


def test_a_lost_connection_is_made_again(database: str) -> None:
    """What was accepted goes on; requests are answered 503 meanwhile, or not at all if none come."""
    with Sandbox(database=database, run_seconds=0.3) as sandbox, promptlayer_client(sandbox) as client:
        runs = [run(client) for _ in range(5)]
        lock = "locktype = 'advisory' AND classid = 'workers'::regclass::oid"
        ended = _rows(database, f"SELECT pg_terminate_backend(pid) FROM pg_locks WHERE {lock}")  # noqa: S608 - ours
        # A 503 is not in the contract, for which the other client looks.
        _eventually(lambda: httpx.get(client.base_url.join("/workflows"), headers=client.headers).status_code == 200)
        assert {finished(client, run_id).status_code for run_id in [*runs, run(client)]} == {200}
        log = sandbox.log

    assert ended
    assert "the database can't be used, accepted runs go on once it can be" in log
    assert "the database can be used again" in log
    assert "Traceback" not in log


def test_processes_that_start_together_agree_on_what_is_there(database: str) -> None:
    """The tables, the workflow `canary` and those of a file are made once."""
    workflows = {"mine": {"versions": [{"returns": 1}, {"returns": 2}]}}
    with ThreadPoolExecutor(4) as pool, contextlib.ExitStack() as stack:
        sandboxes = [Sandbox(database=database, workflows=workflows) for _ in range(4)]
        list(pool.map(stack.enter_context, sandboxes))
        with promptlayer_client(sandboxes[3]) as client:
            shown = client.get("/workflows").json()["items"]

    assert sorted((one["name"], one["latest_version_number"]) for one in shown) == [("canary", 2), ("mine", 2)]


def test_what_is_decided_by_what_was_read_is_decided_once(database: str) -> None:
    """Two processes give versions different numbers, a name to one workflow, and one answer to a conversation."""
    with (
        _two(database) as (one, other, *clients),
        interactly_client(one) as talk,
        interactly_client(other) as other_talk,
        ThreadPoolExecutor(2) as pool,
    ):

        def patched(client: httpx.Client) -> list[int]:
            return [client.patch("/rest/workflows/canary", json={}).json()["version_number"] for _ in range(10)]

        numbers = [number for some in pool.map(patched, clients) for number in some]
        statuses = []
        for number in range(5):
            named = {"name": f"one of {number}", "nodes": [_NODE]}
            made = pool.map(lambda client: client.post("/rest/workflows", json=named), clients)  # noqa: B023 - used at once
            statuses.append(sorted(reply.status_code for reply in made))
            run_id = execute(talk).json()["workflow_run_id"]
            both = pool.map(lambda side: execute(side, command="data", workflow_run_id=run_id), (talk, other_talk))  # noqa: B023 - used at once
            statuses.append(sorted(reply.status_code for reply in both))

    assert sorted(numbers) == list(range(3, 23))
    assert statuses == [[201, 400], [200, 409]] * 5


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        ("CREATE TABLE runs (id INTEGER)", 'relation "runs" already exists'),
        ("CREATE TABLE workflow_sandbox AS SELECT 99 AS tables_version", "of another version"),
    ],
)
def test_a_schema_that_is_not_ours_is_refused(database: str, spoil: str, reason: str) -> None:
    """In one line; nothing is changed in it."""
    _rows(database, spoil)
    with pytest.raises(UnusableDatabase, match=reason):
        Store(database)
    assert _rows(database, "SELECT count(*) FROM pg_class WHERE relnamespace = current_schema()::regnamespace") == [
        (1,)
    ]


def test_tables_of_the_version_before_are_gone_on_with(database: str) -> None:
    """A run that was under way has the output that the first of its nodes to succeed gives."""
    nodes = [{**_NODE, "name": name, "configuration": {"value": name}} for name in ("Slow", "Fast")]
    with InProcessSandbox(database=database) as first, promptlayer_client(first) as client:
        client.post("/rest/workflows", json={"name": "two", "nodes": nodes})
        ended = client.post("/workflows/two/run", json={}).json()["workflow_version_execution_id"]
        assert finished(client, ended).status_code == 200
    _rows(database, "ALTER TABLE nodes DROP COLUMN ended; UPDATE workflow_sandbox SET tables_version = 1")
    with InProcessSandbox(database=database) as second, promptlayer_client(second) as client:
        assert finished(client, ended).json() == "Slow"
        with second.hold("two", node="Slow") as slow:
            run_id = client.post("/workflows/two/run", json={}).json()["workflow_version_execution_id"]
            slow.wait()
            _eventually(lambda: poll(client, run_id, return_all_outputs="true").json()["Fast"]["status"] == "SUCCESS")
        assert finished(client, run_id).json() == "Fast"


@pytest.mark.parametrize("url", ["postgresql://me:pass%zzword@127.0.0.1/x", "postgresql://me:password@127.0.0.1:1/x"])
def test_a_server_that_cannot_be_used_is_told_in_one_line_without_the_password(url: str) -> None:
    """Whether it is not there or its URL makes no sense."""
    with pytest.raises(UnusableDatabase) as caught:
        Store(url)
    assert str(caught.value).startswith("cannot use the PostgreSQL database: ")
    assert "\n" not in str(caught.value)
    assert "word" not in str(caught.value)


def test_a_sandbox_of_this_process_can_share_too(database: str) -> None:
    """A run that it leaves when it ends is gone on with by the next."""
    with InProcessSandbox(database=database, run_seconds=600) as first, promptlayer_client(first) as client:
        run_id = run(client)
    with InProcessSandbox(database=database) as second, promptlayer_client(second) as client:
        assert finished(client, run_id).status_code == 200


def _rows(database: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(database, autocommit=True) as connection:
        cursor = connection.execute(query.encode())
        return cursor.fetchall() if cursor.description else []
