"""Callbacks: posted once the run has ended, tried again, never sent where they must not go, not lost by a kill."""

import asyncio
import socket
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from callback_receiver import CallbackReceiver
from sandbox_calls import finished, poll, promptlayer_client, run

from workflow_sandbox import Sandbox
from workflow_sandbox.addresses import NotAllowed, places, url_of

_SECONDS_TO_SETTLE = 30


@pytest.fixture
def receiver() -> Iterator[CallbackReceiver]:
    """A listener that answers 200."""
    with CallbackReceiver() as listening:
        yield listening


def _callbacks(database: Path) -> dict[int, tuple[str, int, str]]:
    with closing(sqlite3.connect(database)) as connection:
        rows = connection.execute("SELECT run_id, state, attempts, outcome FROM callbacks").fetchall()
    return {run_id: (state, attempts, outcome) for run_id, state, attempts, outcome in rows}


def _wait_for_log(sandbox: Sandbox, words: str) -> None:
    deadline = time.monotonic() + _SECONDS_TO_SETTLE
    while words not in sandbox.log:
        assert time.monotonic() < deadline, sandbox.log
        time.sleep(0.02)


def test_outcome_is_posted_when_the_run_has_ended(promptlayer: httpx.Client, receiver: CallbackReceiver) -> None:
    """A run with a callback is answered 202; its nodes are posted once by name, and can be polled as well."""
    response = promptlayer.post(
        "/workflows/canary/run", json={"callback_url": receiver.url, "input_variables": {"user_message": "hello"}}
    )
    delivery = receiver.wait()

    run_id = response.json()["workflow_version_execution_id"]
    polled = poll(promptlayer, run_id, return_all_outputs="true")
    assert (response.status_code, polled.status_code) == (202, 200)
    assert delivery[:3] == ("POST", "/done", "application/json")
    assert delivery.body == {"workflow_version_execution_id": run_id, "final_output": polled.json()}
    assert not receiver.has_more()


def test_outcome_can_have_the_form_that_the_run_asked_for(receiver: CallbackReceiver) -> None:
    """With a setting a run posts its bare output, and the entries of its nodes if it asks for them or has no output."""
    settings = {"callback_output": "as_asked", "callback_failure": "FAILURE"}
    with Sandbox(run_seconds=0, settings=settings) as sandbox, promptlayer_client(sandbox) as client:
        bare = run(client, callback_url=receiver.url)
        assert receiver.wait().body["final_output"] == poll(client, bare).json()
        nodes = run(client, callback_url=receiver.url, return_all_outputs=True)
        assert receiver.wait().body["final_output"] == poll(client, nodes, return_all_outputs="true").json()
        run(client, callback_url=receiver.url, metadata={"sandbox": "fail"})
        assert receiver.wait().body["final_output"]["Reply"]["status"] == "FAILURE"


def test_failed_run_posts_its_node_entries(promptlayer: httpx.Client, receiver: CallbackReceiver) -> None:
    """A run without output posts every node's entry, since there is no bare value to post."""
    run(promptlayer, callback_url=receiver.url, metadata={"sandbox": "fail"})

    assert receiver.wait().body["final_output"]["Reply"]["status"] == "FAILED"


def test_receiver_that_fails_is_tried_again(promptlayer: httpx.Client) -> None:
    """A 5xx leads to another post of the same body under the same id."""
    with CallbackReceiver([500, 503, 500]) as receiver:
        run_id = run(promptlayer, callback_url=receiver.url)
        came = [receiver.wait() for _ in range(4)]

    same = [one for one in came if one.headers["sandbox-delivery-id"] == f"run-{run_id}"]
    assert {one.body["workflow_version_execution_id"] for one in same} == {run_id}
    assert [one.headers["sandbox-delivery-attempt"] for one in same] == [str(1 + place) for place in range(len(same))]


def test_what_became_of_each_callback_is_recorded(tmp_path: Path) -> None:
    """Delivered, given up after the last attempt, redirected, undeliverable and refused ones are told apart."""
    database = tmp_path / "sandbox.db"
    options = ["--callback-attempts=2", "--callback-backoff=0.01"]
    with Sandbox(database=database, run_seconds=0, options=options) as sandbox, promptlayer_client(sandbox) as client:
        with CallbackReceiver() as good, CallbackReceiver([500] * 9) as bad, CallbackReceiver([307]) as moved:
            urls = {
                "good": good.url,
                "bad": bad.url,
                "moved": moved.url,
                "localhost": f"http://localhost:{good.port}/",
                "port": "http://127.0.0.1:99999/",
                "mapped": f"http://[::ffff:127.0.0.1]:{good.port}/",
                "number": f"http://2130706433:{good.port}/",
                "foreign": "http://callback.invalid/",
                "mapped elsewhere": "http://[::ffff:10.0.0.1]/",
                "any": f"http://0.0.0.0:{good.port}/",
                "address": "http://10.0.0.1/",
                "disguised": "http://127.0.0.1.callback.invalid/",
                "user": "http://127.0.0.1@callback.invalid/",
            }
            runs = {name: run(client, callback_url=url) for name, url in urls.items()}
            runs["closed"] = run(client, callback_url="http://127.0.0.1:1/")
            for receiver, count in ((good, 4), (bad, 2), (moved, 1)):
                for _ in range(count):
                    receiver.wait()
            for run_id in runs.values():
                _wait_for_log(sandbox, f"callback of run {run_id} ")
            assert not moved.has_more()
        assert sandbox.stop() == 0
        recorded = _callbacks(database)

    found = {name: recorded[run_id][:2] for name, run_id in runs.items()}
    assert found == {
        "good": ("delivered", 1),
        "localhost": ("delivered", 1),
        "bad": ("given_up", 2),
        "moved": ("given_up", 1),
        "closed": ("given_up", 2),
        "port": ("given_up", 1),
        "foreign": ("refused", 0),
        "address": ("refused", 0),
        "disguised": ("refused", 0),
        "user": ("refused", 0),
        "mapped": ("delivered", 1),
        "number": ("delivered", 1),
        "mapped elsewhere": ("refused", 0),
        "any": ("refused", 0),
    }


def test_callback_that_was_pending_is_delivered_after_a_kill() -> None:
    """A callback that could not be delivered before kill -9 is delivered after the restart."""
    with CallbackReceiver() as taken:
        port = taken.port
    with Sandbox(options=["--callback-backoff=600"]) as sandbox:
        with promptlayer_client(sandbox) as client:
            run_id = run(client, callback_url=f"http://127.0.0.1:{port}/done")
            output = finished(client, run_id, return_all_outputs="true").json()
        sandbox.kill()
        with CallbackReceiver(port=port) as receiver:
            sandbox.start()
            delivery = receiver.wait()

    assert delivery.body == {"workflow_version_execution_id": run_id, "final_output": output}


def test_callback_of_a_run_that_was_cut_off_is_delivered_after_it_ends(receiver: CallbackReceiver) -> None:
    """A run killed before its end goes on after the restart, and then its outcome is posted."""
    with Sandbox(run_seconds=0.3) as sandbox, promptlayer_client(sandbox) as client:
        run_id = run(client, callback_url=receiver.url)
        sandbox.kill()
        assert not receiver.has_more()
        sandbox.start()
        delivery = receiver.wait()
        assert poll(client, run_id, return_all_outputs="true").json() == delivery.body["final_output"]


def test_a_name_is_connected_to_where_it_was_looked_up(
    monkeypatch: pytest.MonkeyPatch, receiver: CallbackReceiver
) -> None:
    """A name that resolves to loopback once and elsewhere afterwards leads to loopback, under its own name."""
    answers = iter(["127.0.0.1"])

    def resolve(*_: object, **__: object) -> list[tuple[int, int, int, str, tuple[str, int]]]:
        return [(0, 0, 0, "", (next(answers, "10.0.0.1"), 0))]

    async def post() -> None:
        url = url_of(f"http://rebound.example:{receiver.port}/done")
        async with httpx.AsyncClient() as client:
            [place] = await places(url, anywhere=False)
            monkeypatch.undo()
            await client.send(place.request(client, b"{}", {}))

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    asyncio.run(post())

    assert receiver.wait().headers["host"] == f"rebound.example:{receiver.port}"


@pytest.mark.parametrize("addresses", [["10.0.0.1"], ["127.0.0.1", "10.0.0.1"], ["::ffff:10.0.0.1"], ["fe80::1"]])
def test_a_name_that_resolves_elsewhere_is_refused(monkeypatch: pytest.MonkeyPatch, addresses: list[str]) -> None:
    """Whatever else it resolves to."""
    found = [(0, 0, 0, "", (address, 0)) for address in addresses]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)

    with pytest.raises(NotAllowed):
        asyncio.run(places(url_of("http://elsewhere.example/"), anywhere=False))
    assert len(asyncio.run(places(url_of("http://elsewhere.example/"), anywhere=True))) == len(addresses)
