"""The judged client's process: what crosses the pipe, and what happens when it hangs, dies or cannot be loaded."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from contract_tests.client.adapter import Call, Connection, Scheme
from contract_tests.client.operation_info import facts_of
from contract_tests.client.outcome import Lost, Outcome, Raised, Unwritable, Value, outcome_of
from contract_tests.client.subject import Subject
from contract_tests.client.subject_process import Choice
from contract_tests.http.recording_server import RecordingServer, ScriptedResponse
from contract_tests.openapi.document import Contract
from contract_tests.rules import SetUpError

CONTRACT = Contract.load(Path(__file__).with_name("shelf.yaml"))
BOOK = b'{"title": "N\\u00f6tes", "pages": 12345678901234567890123, "price": 1.0, "notes": {}, "x": [true, null]}'


@contextmanager
def conforming() -> Iterator[tuple[Subject, RecordingServer]]:
    """Start a client that keeps the contract, and a server for it."""
    with Subject(Choice(adapter="shelf_client:Conforming")) as subject, RecordingServer() as server:
        yield subject, server


def connection(server: RecordingServer, *, is_async: bool = False) -> Connection:
    """Say how to connect to the harness's server."""
    scheme = Scheme(kind="apiKey", location="header", name="X-Shelf-Key")
    return Connection(
        base_url=f"{server.url}/api/v2", key="k-secret", scheme=scheme, timeout=5, retries=0, is_async=is_async
    )


def add_book(subject: Subject, server: RecordingServer, *, is_async: bool = False, timeout: float = 30) -> Outcome:
    """Make one call."""
    call = Call(operation=facts_of(CONTRACT, CONTRACT.operation("addBook")), body={"title": "Notes"}, is_async=is_async)
    return outcome_of(subject.ask("call", connection(server, is_async=is_async), call, timeout=timeout))


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_a_value_crosses_the_pipe_type_for_type(is_async: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """Big integers, 1.0, true, null and text past ASCII come back as they are, whatever the client prints meanwhile."""
    with conforming() as (subject, server), server.play(ScriptedResponse(status=201, body=BOOK)) as take:
        outcome = add_book(subject, server, is_async=is_async)

    assert isinstance(outcome, Value)
    assert outcome.type_name == "Book"
    assert outcome.json == {
        "title": "Nötes",
        "pages": 12345678901234567890123,
        "price": 1.0,
        "notes": {},
        "x": [True, None],
    }
    assert [type(outcome.json[name]) for name in ("pages", "price")] == [int, float]
    assert [(seen.method, seen.target) for seen in take.seen] == [("POST", "/api/v2/books")]


def test_an_error_says_what_it_is_and_what_it_keeps() -> None:
    """Class, family, ownership, status, raw and parsed body of an error reach the harness."""
    body = b'{"message": "it is there"}'
    with conforming() as (subject, server), server.play(ScriptedResponse(status=409, body=body)):
        outcome = add_book(subject, server)

    assert isinstance(outcome, Raised)
    assert (outcome.type_name, outcome.own, outcome.status, outcome.content) == ("ShelfError", True, 409, body)
    assert "shelf_client.ShelfError" in outcome.family
    assert outcome.body == Value(json={"message": "it is there"}, type_name="Problem")


def test_a_hanging_client_is_given_up_and_started_again() -> None:
    """A call without an outcome is lost, and so is only that call."""
    with Subject(Choice(adapter="shelf_client:hangs")) as subject, RecordingServer() as server:
        first, second = add_book(subject, server, timeout=0.5), add_book(subject, server, timeout=0.5)

    assert [first, second] == [Lost("the client hung: no outcome within 0.5 s", is_hung=True)] * 2


def test_a_client_that_never_stops_sending_is_stopped() -> None:
    """So many requests in one call are no client's retries: it is ended at once, and the call is lost."""
    with Subject(Choice(adapter="shelf_client:storms_for_ever")) as subject, RecordingServer() as server:
        throttled = ScriptedResponse(status=429, body=b"{}")
        with server.play(throttled, on_request_limit=lambda: subject.stop_calls("it storms")) as take:
            outcome = add_book(subject, server)

    assert (outcome, len(take.seen)) == (Lost("it storms"), 100)


def test_a_dying_client_is_told_apart_and_started_again() -> None:
    """A call that ends the process is lost, with the process's status and last words."""
    with Subject(Choice(adapter="shelf_client:dies")) as subject, RecordingServer() as server:
        first, second = add_book(subject, server), add_book(subject, server)

    assert isinstance(first, Lost)
    assert first.reason.startswith("the client's process ended with status 3: what a client prints")
    assert first == second


@pytest.mark.parametrize(
    ("adapter", "reason"),
    [
        ("no_such_module:Adapter", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("shelf_client:no_such_defect", "AttributeError: no_such_defect"),
    ],
)
def test_a_client_that_cannot_be_loaded_is_an_error_of_the_set_up(adapter: str, reason: str) -> None:
    """The one line says what is missing."""
    with (
        pytest.raises(SetUpError, match=f"^the client could not be loaded: {reason}$"),
        Subject(Choice(adapter=adapter)),
    ):
        pass


def test_the_users_environment_does_not_reach_the_client(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy or a key in the user's shell changes nothing for the judged client."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with conforming() as (subject, server), server.play(ScriptedResponse(status=201, body=BOOK)):
        outcome = add_book(subject, server)

    assert isinstance(outcome, Value)


def test_a_judged_package_is_found_whatever_its_folder_is_called(tmp_path: Path) -> None:
    """A copy in a folder of another name is imported under the package's own name, before an installed one."""
    copy = tmp_path / "my copy.2"
    copy.mkdir()
    (copy / "__init__.py").write_text("raise ImportError('the copy was imported')\n")
    choice = Choice(adapter="shelf_client:Conforming", packages={"httpx": copy})

    with pytest.raises(SetUpError, match="ImportError: the copy was imported"), Subject(choice):
        pass


def test_what_cannot_be_written_is_no_error_of_the_client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An adapter says that a call cannot be written, and the harness hears just that."""
    (tmp_path / "narrow.py").write_text(
        "from contract_tests.client.adapter import Unsayable\n"
        "class Adapter:\n"
        "    own_errors = ()\n"
        "    def __init__(self, generated): pass\n"
        "    def connect(self, connection): return None\n"
        "    def invoke(self, client, call): raise Unsayable(f'no method for {call.operation.id}')\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    with Subject(Choice(adapter="narrow:Adapter")) as subject, RecordingServer() as server:
        assert add_book(subject, server) == Unwritable("no method for addBook")
