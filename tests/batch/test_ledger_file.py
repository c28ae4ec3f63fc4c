"""One file that holds everything: whatever is done to it, or left beside it, never starts an item twice."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from counting_service import SYNC, Flavour, Service, items, raising

from workflow_runs import BadArgument
from workflow_runs.batch import run_batch, run_batch_async
from workflow_runs.batch.ledger import Ledger, LedgerError, LedgerInUse, stored_results

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from workflow_runs.batch import BatchItem, BatchProgress

FLIPS = 400


def _finished(path: Path, number: int = 6) -> None:
    """A ledger on whose word nothing is to be started: one item is in doubt, the others have ended."""
    service = Service()
    service.after["m1"] = raising(httpx.ReadTimeout("late"))
    SYNC.run(service, items(number), path)


@pytest.mark.parametrize("path", ["", ":memory:", "file:x?mode=memory", "file::memory:?cache=shared", "a\0b", 5, None])
def test_what_is_no_file_is_refused_at_once(path: Any, service: Service, flavour: Flavour) -> None:
    """SQLite would keep it nowhere, and the same batch would start everything again."""
    run: Any = run_batch if flavour is SYNC else run_batch_async
    with pytest.raises(BadArgument) as caught:
        run(flavour.client(service), items(1), ledger=path)
    assert caught.value.field == "ledger"
    for use in (Ledger, stored_results):
        with pytest.raises(BadArgument):
            use(path)


@pytest.mark.parametrize("name", ["a?mode=memory", "a%3f", "a#b", " ", "ü", "-journal", b"bytes", os.fsdecode(b"\xff")])
def test_any_name_is_the_name_of_one_file(
    name: Any, service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No part of it is taken for an option; nothing else is left in the folder, and nothing runs twice."""
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        SYNC.run(service, items(2), name)
    assert service.executions == {"m0": 1, "m1": 1}
    assert [each.name for each in tmp_path.iterdir()] == [os.fsdecode(name)]


def _is_empty(path: Path) -> None:
    path.touch()


def _is_no_database(path: Path) -> None:
    path.write_bytes(b"what somebody else has written\n" * 50)


def _is_another_programs(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE theirs (a)")


def _is_another_programs_without_tables(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 2")


def _is_of_another_version(path: Path) -> None:
    _finished(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")


def _has_another_table(path: Path) -> None:
    _finished(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE theirs (a)")


def _changed(statement: str) -> Any:
    def change(path: Path) -> None:
        _finished(path)
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute(statement)

    return change


def _is_a_folder(path: Path) -> None:
    path.mkdir()


def _leads_nowhere(path: Path) -> None:
    path.symlink_to(path.with_name("gone"))


def _is_a_pipe(path: Path) -> None:
    os.mkfifo(path)


def _is_a_device(device: str) -> Any:
    return lambda path: path.symlink_to(device)


SPOILT = {
    "empty": (_is_empty, "is empty"),
    "text": (_is_no_database, "no ledger"),
    "another program's": (_is_another_programs, "no ledger"),
    "without tables": (_is_another_programs_without_tables, "no ledger"),
    "version": (_is_of_another_version, "another version"),
    "another table": (_has_another_table, "damaged"),
    "unknown state": (_changed("UPDATE items SET state = 'paused' WHERE position = 1"), "damaged"),
    "edited state": (_changed("UPDATE items SET state = 'new' WHERE position = 1"), "damaged"),
    "edited id": (_changed("UPDATE items SET execution_id = 5 WHERE position = 1"), "damaged"),
    "missing item": (_changed("DELETE FROM items WHERE position = 5"), "damaged"),
    "no items": (_changed("DELETE FROM items"), "damaged"),
    "no batch": (_changed("DELETE FROM batch"), "damaged"),
    "another address": (_changed("UPDATE batch SET base_url = 'x'"), "damaged"),
    "folder": (_is_a_folder, "a directory"),
    "link": (_leads_nowhere, "leads nowhere"),
    "pipe": (_is_a_pipe, "keeps nothing"),
    "/dev/null": (_is_a_device("/dev/null"), "keeps nothing"),
    "/dev/full": (_is_a_device("/dev/full"), "keeps nothing"),
}


@pytest.mark.parametrize(("spoil", "words"), SPOILT.values(), ids=SPOILT)
def test_what_is_no_ledger_is_refused_and_left_alone(spoil: Any, words: str, service: Service, ledger: Path) -> None:
    """Nothing is started on what can't be trusted, and nobody's file is overwritten."""
    spoil(ledger)
    before = ledger.read_bytes() if ledger.is_file() else None
    for use in (lambda: SYNC.run(service, items(6), ledger), lambda: Ledger(ledger), lambda: stored_results(ledger)):
        with pytest.raises(LedgerError, match=words) as caught:
            use()
        assert str(ledger) in str(caught.value)
    assert not service.executions
    assert before is None or ledger.read_bytes() == before


def _refusals(ledger: Path, contents: Iterator[bytes], number: int = 6) -> list[str]:
    """Go on with each content of the file; nothing may be started, nor anything else be raised than a refusal."""
    refused = []
    for content in contents:
        ledger.write_bytes(content)
        service = Service()
        try:
            SYNC.run(service, items(number), ledger)
        except LedgerError as error:
            refused.append(str(error))
        assert not service.executions
    return refused


def test_no_flipped_bit_starts_anything(ledger: Path) -> None:
    """It is found, or it is where nothing is kept; wherever it is, the file is refused in our own words or believed."""
    _finished(ledger)
    whole, chance = ledger.read_bytes(), random.Random(7)  # noqa: S311 - places, no secret
    used = [place for place, byte in enumerate(whole) if byte]

    def flipped() -> Iterator[bytes]:
        for place in [*range(100), *chance.sample(used, FLIPS)]:
            yield whole[:place] + bytes([whole[place] ^ 1 << chance.randrange(8)]) + whole[place + 1 :]

    refused = _refusals(ledger, flipped())
    assert len(refused) > FLIPS * 0.9
    assert all(str(ledger) in words for words in refused)


def test_no_cut_starts_anything(ledger: Path) -> None:
    """Wherever the file ends, and whatever page has become zeros."""
    _finished(ledger, 40)
    whole = ledger.read_bytes()
    pages = range(0, len(whole), 4096)
    cuts = [whole[:size] for size in (1, 15, 16, 99, 100, 101, 4000, *(page + n for page in pages[1:] for n in (0, 7)))]
    holes = [whole[:page] + bytes(4096) + whole[page + 4096 :] for page in pages]
    assert len(_refusals(ledger, iter([*cuts, *holes]), 40)) == len(cuts) + len(holes)


def test_the_file_alone_knows_what_was_begun(service: Service, tmp_path: Path, flavour: Flavour) -> None:
    """Copied without what lies beside it while a request is out, as a backup or a kill leaves it."""
    copies: dict[Path, list[str]] = {}

    def handle(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            answer = service(request)
            copy = tmp_path / f"copy{len(copies)}"
            shutil.copyfile(tmp_path / "ledger", copy)
            copies[copy] = [*service.executions]
            return answer
        return service(request)

    flavour.run(handle, items(5), tmp_path / "ledger", concurrency=1)
    assert len(copies) == 5
    for copy, begun in copies.items():
        after = Service()
        found = flavour.by_key(after, items(5), copy)
        assert after.executions == {f"m{n}": 1 for n in range(len(begun), 5)}
        assert found[str(len(begun) - 1)].state == "in_doubt"


def _with_journal(ledger: Path) -> bytes:
    """The rollback journal of a process that was killed while it changed all of a ledger, as it is now."""
    other = ledger.with_name("other")
    shutil.copyfile(ledger, other)
    with closing(sqlite3.connect(other, isolation_level=None)) as connection:
        for statement in ("PRAGMA cache_size = 1", "BEGIN", "UPDATE items SET reason = hex(zeroblob(500))"):
            connection.execute(statement)
        return other.with_name("other-journal").read_bytes()


def test_an_old_journal_is_not_believed(service: Service, ledger: Path) -> None:
    """A kill has left it beside one name of the file; the batch went on under another, and is taken up under this."""
    SYNC.run(service, items(30), ledger, first=1, concurrency=1)
    old = _with_journal(ledger)
    other_name = ledger.with_name("link")
    other_name.hardlink_to(ledger)
    SYNC.run(service, items(30), other_name)
    assert sum(service.executions.values()) == 30
    # What SQLite makes of it by itself: items that have run are new again, or the file is damaged.
    believing = ledger.with_name("believing")
    shutil.copyfile(ledger, believing)
    believing.with_name("believing-journal").write_bytes(old)
    with closing(sqlite3.connect(believing)) as connection:
        assert connection.execute("SELECT count(*) FROM items WHERE state = 'new'").fetchone() > (0,)
    ledger.with_name(f"{ledger.name}-journal").write_bytes(old)
    assert SYNC.run(service, items(30), ledger) == []
    assert sum(service.executions.values()) == 30


def test_a_journal_that_is_needed_is_used(service: Service, ledger: Path) -> None:
    """A process was killed in the middle of writing: the file is torn, and whole again with what lies beside it."""
    SYNC.run(service, items(30), ledger, first=1, concurrency=1)
    journal, whole = _with_journal(ledger), ledger.read_bytes()
    ledger.write_bytes(whole[:8192] + bytes(4096) + whole[12288:])
    ledger.with_name(f"{ledger.name}-journal").write_bytes(journal)
    found = SYNC.by_key(service, items(30), ledger)
    assert {result.state for result in found.values()} == {"succeeded"}
    assert service.executions == {f"m{n}": 1 for n in range(30)}


def test_a_journal_of_an_earlier_ledger_is_none_of_a_new_one(service: Service, ledger: Path) -> None:
    """Somebody has deleted the ledger, and not what lay beside it."""
    SYNC.run(service, items(30), ledger, first=1)
    journal = _with_journal(ledger)
    ledger.unlink()
    ledger.with_name(f"{ledger.name}-journal").write_bytes(journal)
    again = Service()
    SYNC.run(again, items(3), ledger)
    SYNC.run(again, items(3), ledger)
    assert again.executions == {f"m{n}": 1 for n in range(3)}


def test_of_two_that_begin_a_ledger_at_once_one_does(service: Service, ledger: Path) -> None:
    """The second is told, and starts nothing."""

    class WhileAnotherRuns:
        def __iter__(self) -> Iterator[BatchItem]:
            yield from items(2)
            SYNC.run(service, items(3), ledger)
            yield from items(3)[2:]

    with pytest.raises(LedgerInUse, match="another process has just begun"):
        SYNC.run(service, WhileAnotherRuns(), ledger)
    assert service.executions == {f"m{n}": 1 for n in range(3)}
    assert [*ledger.parent.iterdir()] == [ledger]


def test_a_link_is_the_file_that_it_leads_to(service: Service, ledger: Path) -> None:
    """Under either name, open or closed, it is the same ledger."""
    SYNC.run(service, items(2), ledger, first=1)
    for name in ("symbolic", "hard"):
        link = ledger.with_name(name)
        link.symlink_to(ledger) if name == "symbolic" else link.hardlink_to(ledger)
        with Ledger(ledger), pytest.raises(LedgerInUse):
            SYNC.run(service, items(2), link)
        SYNC.run(service, items(2), link)
    assert service.executions == {"m0": 1, "m1": 1}


def test_a_moved_ledger_goes_on(service: Service, ledger: Path, tmp_path: Path) -> None:
    """Its place means nothing."""
    SYNC.run(service, items(4), ledger, first=2)
    moved = ledger.rename(tmp_path / "moved")
    SYNC.run(service, items(4), moved)
    assert service.executions == {f"m{n}": 1 for n in range(4)}


@pytest.mark.parametrize("fate", ["moved", "replaced"])
def test_a_ledger_that_goes_away_starts_nothing_more(
    fate: str, service: Service, ledger: Path, flavour: Flavour, tmp_path: Path
) -> None:
    """What is noted in a file without a name would be forgotten, and the same call would start everything again."""
    moved = tmp_path / "moved"

    def lose(progress: BatchProgress) -> None:
        if progress.succeeded == 2 and not moved.exists():
            ledger.rename(moved)
            if fate == "replaced":
                ledger.write_bytes(moved.read_bytes())

    with pytest.raises(LedgerError, match="was removed, moved or replaced"):
        flavour.run(service, items(6), ledger, concurrency=1, on_progress=lose)
    assert service.executions == {"m0": 1, "m1": 1}
    if fate == "moved":
        flavour.run(service, items(6), moved)
        assert service.executions == {f"m{n}": 1 for n in range(6)}
