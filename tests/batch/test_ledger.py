"""The file that makes a batch safe to kill: whose it is, what it holds, and what it refuses."""

from __future__ import annotations

import doctest
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from counting_service import KEY, SECRET, SYNC, Flavour, Service, items, raising, reply

import workflow_runs.batch
import workflow_runs.ledger
from workflow_runs import AsyncPromptLayer, BadArgument, PromptLayer
from workflow_runs.batch import BatchItem
from workflow_runs.ledger import Ledger, LedgerError, LedgerInUse, LedgerMismatch


@pytest.mark.parametrize(
    "other",
    [
        items(4), items(6), items(5)[::-1], [*items(4), BatchItem("canary", {})],
        [item._replace(workflow_name="other") for item in items(5)],
        [item._replace(key=f"k{n}") for n, item in enumerate(items(5))],
        items(5, return_all_outputs=True),
        [],
    ],
    ids=["fewer", "more", "reordered", "input", "workflow", "keys", "options", "none"],
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
from workflow_runs.ledger import Ledger
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


def test_a_ledger_holds_no_input_no_output_and_no_key(service: Service, ledger: Path, flavour: Flavour) -> None:
    """What was sent and received stays out of it, in errors as well; the hashes of two ledgers differ."""
    service.ends["m1"] = lambda: reply(404, {"message": f"nothing for {KEY}"})
    service.before["m2"] = lambda: reply(400, {"message": f"refused {SECRET}"})
    flavour.run(service, items(4), ledger)
    second = ledger.with_name("second.ledger")
    flavour.run(Service(), items(4), second)
    for path in (ledger, second):
        written = b"".join(each.read_bytes() for each in path.parent.glob(f"{path.name}*"))
        for secret in (KEY, SECRET, "done m0", "m3"):
            assert secret.encode() not in written
    digests = [_rows(path, "SELECT digest FROM items") for path in (ledger, second)]
    assert not set(digests[0]) & set(digests[1])


def _rows(path: Path, query: str) -> list[Any]:
    connection = sqlite3.connect(path)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def _is_no_database(path: Path) -> None:
    path.write_bytes(b"what somebody else has written\n" * 50)


def _is_another_programs(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE theirs (a)")
    connection.close()


def _is_cut(path: Path) -> None:
    SYNC.run(Service(), items(400), path, first=1)
    path.write_bytes(path.read_bytes()[:5000])


@pytest.mark.parametrize("spoil", [_is_no_database, _is_another_programs, _is_cut])
def test_what_is_no_ledger_is_refused_and_left_alone(spoil: Any, service: Service, ledger: Path) -> None:
    """Nothing is started on what can't be trusted, and nobody's file is overwritten."""
    spoil(ledger)
    before = ledger.read_bytes()
    with pytest.raises(LedgerError, match=r"batch\.ledger"):
        SYNC.run(service, items(400), ledger)
    assert not service.executions
    assert ledger.read_bytes() == before


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
from workflow_runs.ledger import LedgerError

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
    """A service may count beyond what a database's integers hold."""
    number = 2**70
    body = {"success": True, "message": "m", "workflow_version_execution_id": number}
    service.before["m0"] = lambda: reply(201, body)

    def handle(request: httpx.Request) -> httpx.Response:
        return service(request) if request.method == "POST" else reply(202)

    (first,) = flavour.run(handle, items(1), ledger, deadline=0.01)
    (again,) = flavour.run(handle, items(1), ledger, deadline=0.01)
    assert first.execution_id == again.execution_id == number


@pytest.mark.parametrize("name", ["BatchItem", "run_batch", "run_batch_async", "Ledger"])
def test_the_examples_run(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a docstring shows is what happens."""
    monkeypatch.chdir(tmp_path)
    documented = getattr(workflow_runs.batch, name, None) or getattr(workflow_runs.ledger, name)
    created = {"success": True, "message": "m", "workflow_version_execution_id": 98765}

    def contract(request: httpx.Request) -> httpx.Response:
        return reply(201, created) if request.method == "POST" else reply(200, "Your invoice is attached.")

    def asynchronous() -> AsyncPromptLayer:
        return AsyncPromptLayer(api_key=KEY, http_client=httpx.AsyncClient(transport=httpx.MockTransport(contract)))

    client = PromptLayer(api_key=KEY, http_client=httpx.Client(transport=httpx.MockTransport(contract)))
    names = {**vars(workflow_runs.batch), **vars(workflow_runs.ledger), "client": client}
    names["AsyncPromptLayer"] = asynchronous
    test = doctest.DocTestParser().get_doctest(documented.__doc__, names, name, None, 0)
    assert test.examples
    told: list[str] = []
    assert doctest.DocTestRunner().run(test, out=told.append).failed == 0, "".join(told)
