"""The file that makes a batch safe to kill: whose it is, what it holds, and what it refuses."""

from __future__ import annotations

import asyncio
import doctest
import operator
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from counting_service import KEY, SECRET, SYNC, Flavour, Service, items, raising, reply

import workflow_runs.batch
import workflow_runs.batch.ledger
from workflow_runs import AsyncPromptLayer, BadArgument, PromptLayer
from workflow_runs.batch import BatchItem, BatchProgress
from workflow_runs.batch.ledger import Ledger, LedgerError, LedgerInUse, LedgerMismatch, stored_results


@pytest.mark.parametrize(
    "other",
    [
        items(4), items(6)[1:], items(5)[::-1], [*items(4), BatchItem("canary", {})],
        [item._replace(workflow_name="other") for item in items(5)],
        [item._replace(key=f"k{n}") for n, item in enumerate(items(5))],
        items(5, return_all_outputs=True),
        [],
    ],
    ids=["fewer", "shifted", "reordered", "input", "workflow", "keys", "options", "none"],
)  # fmt: skip
def test_another_batch_is_refused(other: list[BatchItem], service: Service, ledger: Path, flavour: Flavour) -> None:
    """A batch that has changed could start an item twice under another name: nothing of it is started."""
    flavour.run(service, items(5), ledger, first=2)
    started = dict(service.executions)
    with pytest.raises(LedgerMismatch, match="a changed batch needs a ledger of its own"):
        flavour.run(service, other, ledger)
    assert service.executions == started
    flavour.run(service, items(5), ledger)
    assert service.executions == {f"m{n}": 1 for n in range(5)}


def test_another_service_is_refused(service: Service, ledger: Path, flavour: Flavour) -> None:
    """Execution ids of one service mean nothing at another."""
    flavour.run(service, items(2), ledger, first=1)
    with pytest.raises(LedgerMismatch, match=r"https://api\.promptlayer\.com, not at https://example\.com"):
        flavour.run(service, items(2), ledger, settings={"base_url": "https://example.com"})


def test_a_batch_that_changes_while_it_runs_is_stopped(service: Service, ledger: Path) -> None:
    """Items are checked again when they are taken: a file may have been edited in between."""

    class Edited:
        passes = 0

        def __iter__(self) -> Any:
            self.passes += 1
            return iter(items(6) if self.passes == 1 else items(7)[1:])

    with pytest.raises(LedgerMismatch, match="item 0 has changed"):
        SYNC.run(service, Edited(), ledger)
    assert not service.executions


def test_items_that_are_added_while_it_runs_are_for_the_next_time(service: Service, ledger: Path) -> None:
    """Whoever appends to the file of a batch that runs changes nothing of it."""

    class Grows:
        passes = 0

        def __iter__(self) -> Any:
            self.passes += 1
            return iter(items(2 if self.passes == 1 else 4))

    assert len(SYNC.run(service, Grows(), ledger)) == 2
    assert len(SYNC.run(service, items(4), ledger)) == 2
    assert service.executions == {f"m{n}": 1 for n in range(4)}


def test_two_loops_on_one_ledger_are_one_too_many(service: Service, ledger: Path) -> None:
    """Both would start what neither has noted."""
    first = workflow_runs.batch.run_batch(SYNC.client(service), items(3), ledger=ledger)
    next(first)
    with pytest.raises(LedgerInUse):
        SYNC.run(service, items(3), ledger)
    first.close()
    SYNC.run(service, items(3), ledger)
    assert service.executions == {f"m{n}": 1 for n in range(3)}


def test_another_process_keeps_the_ledger_until_it_is_gone(service: Service, ledger: Path) -> None:
    """Its lock is the system's: it ends with the process, even by kill -9."""
    SYNC.run(service, items(3), ledger, first=1)
    program = """
import sys
from workflow_runs.batch.ledger import Ledger
ledger = Ledger(sys.argv[1])
print("open", flush=True)
input()
"""
    holder = subprocess.Popen(
        [sys.executable, "-c", program, ledger], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "open\n"
        with pytest.raises(LedgerInUse, match="open already"):
            SYNC.run(service, items(3), ledger)
        holder.kill()
    SYNC.run(service, items(3), ledger)
    assert service.executions == {f"m{n}": 1 for n in range(3)}


def test_a_ledger_holds_no_input_and_no_key(service: Service, ledger: Path, flavour: Flavour) -> None:
    """Nobody else may read what the service has said, and the key stays out of that, too."""
    service.ends["m1"] = lambda: reply(404, {"message": f"nothing for {KEY}"})
    service.before["m2"] = lambda: reply(400, {"message": f"refused {KEY}"})
    flavour.run(service, items(4), ledger)
    written = b"".join(each.read_bytes() for each in ledger.parent.iterdir())
    assert b"done m0" in written  # the output, in the clear: so would the others be
    for secret in (KEY, SECRET):
        assert secret.encode() not in written
    assert ledger.stat().st_mode & 0o077 == 0


def test_the_hashes_of_two_ledgers_differ(ledger: Path) -> None:
    """Nobody can tell by them that two batches have run the same."""
    paths = [ledger, ledger.with_name("second.ledger")]
    for path in paths:
        SYNC.run(Service(), items(4), path)
    first, second = ({digest for (digest,) in _rows(path, "SELECT digest FROM items")} for path in paths)
    assert not first & second


def _rows(path: Path, query: str) -> list[Any]:
    connection = sqlite3.connect(path)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


# Batches that grow


@pytest.mark.parametrize("first", [None, 2], ids=["finished", "interrupted"])
def test_a_batch_may_grow(first: int | None, service: Service, ledger: Path, flavour: Flavour) -> None:
    """Items at the end that the ledger doesn't know are run, and no others."""
    flavour.run(service, items(5), ledger, first=first, concurrency=1)
    told: list[BatchProgress] = []
    found = flavour.by_key(service, items(8), ledger, on_progress=told.append)
    assert {"5", "6", "7"} <= found.keys()
    assert service.executions == {f"m{n}": 1 for n in range(8)}
    assert told[-1] == BatchProgress(8, 0, 0, 8, 0, 0, 0)
    assert flavour.run(service, items(8), ledger) == []


def test_a_batch_that_has_grown_and_shrinks_is_told(service: Service, ledger: Path, flavour: Flavour) -> None:
    """What is added counts like the rest from then on."""
    flavour.run(service, items(3), ledger)
    flavour.run(service, items(5), ledger)
    with pytest.raises(LedgerMismatch, match="it has 5 items, and now there are only 4"):
        flavour.run(service, items(4), ledger)


def test_a_wrong_item_among_the_added_adds_none(service: Service, ledger: Path, flavour: Flavour) -> None:
    """All are checked before the first is noted."""
    flavour.run(service, items(3), ledger)
    for wrong, field in ((BatchItem("", {}), "items[4].workflow_name"), (BatchItem("w", {}, key="1"), "items[4].key")):
        with pytest.raises(BadArgument) as caught:
            flavour.run(service, [*items(4), wrong], ledger)
        assert caught.value.field == field
    assert flavour.run(service, items(3), ledger) == []
    assert service.executions == {f"m{n}": 1 for n in range(3)}


# Results that were handed over


def test_results_can_be_had_again(service: Service, ledger: Path, flavour: Flavour) -> None:
    """As they were handed over, with outputs and errors; in order."""
    service.ends["m1"] = lambda: reply(500, {"success": False, "message": "no", "output": "\ud800"})
    service.before["m2"] = lambda: reply(404, {"message": "gone"})
    service.after["m3"] = raising(httpx.ReadTimeout("late"))
    service.ends["m4"] = lambda: reply(202)
    found = flavour.by_key(service, items(6), ledger, deadline=0)
    results, counts = stored_results(ledger)
    assert [result["key"] for result in results] == sorted(found)
    for result in results:
        assert result == found[result["key"]].to_json()
    states = ["succeeded", "failed", "refused", "in_doubt", "unfinished", "succeeded"]
    assert [result["state"] for result in results] == states
    assert counts == {"succeeded": 2, "failed": 1, "refused": 1, "in_doubt": 1, "started": 1}


def test_results_can_be_had_while_the_batch_runs(service: Service, ledger: Path) -> None:
    """Without disturbing it."""
    results = workflow_runs.batch.run_batch(SYNC.client(service), items(3), ledger=ledger, concurrency=1)
    next(results)
    next(results)
    assert [result["key"] for result in stored_results(ledger)[0]] == ["0"]
    assert len([*results]) == 1


def test_a_ledger_that_cannot_be_made_is_told(service: Service, tmp_path: Path) -> None:
    """Before anything is started."""
    with pytest.raises(LedgerError, match="can't be used"):
        SYNC.run(service, items(1), tmp_path / "nowhere" / "batch.ledger")
    assert not service.executions


_ON_A_FULL_DISK = """
import resource, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from counting_service import SYNC, Service, items
from workflow_runs.batch.ledger import LedgerError

ledger, service = Path(sys.argv[2]), Service()
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
SYNC.run(service, items(100), ledger, first=10, concurrency=4)
for size in (4096, 20000, 60000):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        SYNC.run(service, items(100), ledger, concurrency=4)
    except LedgerError as error:
        print("full:", error)
    assert max(service.executions.values()) == 1
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
states = {result.key: result.state for result in SYNC.run(service, items(100), ledger)}
assert max(service.executions.values()) == 1
assert all(f"m{key}" in service.executions for key, state in states.items() if state != "in_doubt")
"""


def test_a_full_disk_starts_nothing_more(ledger: Path) -> None:
    """An item that can't be noted isn't started; when there is room again the batch goes on, and none runs twice."""
    here = str(Path(__file__).parent)
    done = subprocess.run(
        [sys.executable, "-c", _ON_A_FULL_DISK, here, ledger], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("full: ") >= 2, done.stdout


# Settling


def test_an_item_in_doubt_that_has_run_is_waited_for(service: Service, ledger: Path, flavour: Flavour) -> None:
    """Whoever finds the execution tells its id, and the batch has its outcome."""
    service.after["m1"] = raising(httpx.ReadTimeout("late"))
    flavour.run(service, items(3), ledger, concurrency=1)
    with Ledger(ledger) as noted:
        noted.settle("1", execution_id=2)
    (result,) = flavour.run(service, items(3), ledger)
    assert (result.state, result.execution_id) == ("succeeded", 2)
    assert service.executions["m1"] == 1


def test_an_item_in_doubt_that_has_not_run_is_started(service: Service, ledger: Path, flavour: Flavour) -> None:
    """Only on the word of somebody who has looked."""
    service.before["m1"] = raising(httpx.ReadError("reset"))
    flavour.run(service, items(3), ledger)
    service.before = {}
    assert flavour.run(service, items(3), ledger)[0].state == "in_doubt"
    with Ledger(ledger) as noted:
        noted.settle("1", execution_id=None)
    assert [result.state for result in flavour.run(service, items(3), ledger)] == ["succeeded"]
    assert service.executions == {"m0": 1, "m1": 1, "m2": 1}


@pytest.mark.parametrize("key", ["0", "nobody"])
def test_only_an_item_in_doubt_can_be_settled(key: str, service: Service, ledger: Path) -> None:
    """Nothing else can be made to run again."""
    SYNC.run(service, items(2), ledger)
    with Ledger(ledger) as noted, pytest.raises(BadArgument, match="no item in doubt"):
        noted.settle(key, execution_id=None)
    assert SYNC.run(service, items(2), ledger) == []


def test_an_id_of_any_size_is_kept(service: Service, ledger: Path, flavour: Flavour) -> None:
    """A service may count beyond what a database's integers hold, and beyond what the contract lets be asked for."""
    number = 2**70
    body = {"success": True, "message": "m", "workflow_version_execution_id": number}
    service.before["m0"] = lambda: reply(201, body)

    def handle(request: httpx.Request) -> httpx.Response:
        return service(request) if request.method == "POST" else reply(202)

    (first,) = flavour.run(handle, items(1), ledger, deadline=0.01)
    (again,) = flavour.run(handle, items(1), ledger, deadline=0.01)
    assert first.execution_id == again.execution_id == number
    assert first.state == again.state == "unfinished"


@pytest.mark.parametrize("name", ["BatchItem", "BatchResult.to_json", "run_batch", "run_batch_async", "Ledger"])
def test_the_examples_run(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a docstring shows is what happens."""
    monkeypatch.chdir(tmp_path)
    documented = operator.attrgetter(name)(workflow_runs.batch.ledger if name == "Ledger" else workflow_runs.batch)
    created = {"success": True, "message": "m", "workflow_version_execution_id": 98765}

    def contract(request: httpx.Request) -> httpx.Response:
        return reply(201, created) if request.method == "POST" else reply(200, "Your invoice is attached.")

    def asynchronous() -> AsyncPromptLayer:
        return AsyncPromptLayer(api_key=KEY, http_client=httpx.AsyncClient(transport=httpx.MockTransport(contract)))

    client = PromptLayer(api_key=KEY, http_client=httpx.Client(transport=httpx.MockTransport(contract)))
    names = {**vars(workflow_runs.batch), **vars(workflow_runs.batch.ledger), "client": client}
    names |= {"AsyncPromptLayer": asynchronous, "asyncio": asyncio}
    test = doctest.DocTestParser().get_doctest(documented.__doc__, names, name, None, 0)
    assert test.examples
    told: list[str] = []
    assert doctest.DocTestRunner().run(test, out=told.append).failed == 0, "".join(told)
