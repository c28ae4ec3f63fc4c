"""Ten faults times three operations times three flavours, over real sockets: every cell is one typed outcome."""

from __future__ import annotations

import dataclasses
import pickle
import traceback
from typing import Any

import pytest
import raw_server as raw
from client_calls import AIOHTTP, ASYNC, KEY, RUN, SYNC, Call, Flavour
from ten_faults import CALLS, FAULTS, REQUEST_ID, WRONG, Cell, suffer

import workflow_runs
from workflow_runs import ContractBroken, Retries, StatusError, WorkflowRunsError

_AT_ONCE = Retries(first_wait=0)
# Only a server that says nothing is meant to run into the time-out, however busy the machine is.
_SHORT, _LONG = 0.2, 30.0


@pytest.fixture(scope="module", params=[SYNC, ASYNC, AIOHTTP], ids=str)
def flavour(request: pytest.FixtureRequest) -> Flavour:
    """Calls that wait, calls that are awaited, and those that go out by aiohttp."""
    chosen: Flavour = request.param
    return chosen


@pytest.fixture(scope="module", params=CALLS, ids=str)
def call(request: pytest.FixtureRequest) -> Call:
    """One legal call of each operation."""
    chosen: Call = request.param
    return chosen


@pytest.fixture(scope="module", params=FAULTS)
def fault(request: pytest.FixtureRequest) -> str:
    """Each fault by its name."""
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def cell(fault: str, call: Call, flavour: Flavour) -> Cell:
    """What came of the call."""
    timeout = _SHORT if FAULTS[fault].runs_into_the_timeout else _LONG
    return suffer(FAULTS[fault], call, flavour, _AT_ONCE, timeout=timeout)


def test_every_cell_is_the_one_of_the_table(cell: Cell, fault: str, call: Call) -> None:
    """Number of requests, class, status, `may_have_run` and place are those that the table says."""
    assert cell.outcome == FAULTS[fault].outcome(call)


def test_nothing_foreign_leaks(cell: Cell) -> None:
    """Whatever is raised is a public error of ours, and no error of a library below stands behind it."""
    assert cell.outcome.ending in {*workflow_runs.__all__, *workflow_runs.models.__all__}
    if isinstance(cell.ended_in, BaseException):
        assert isinstance(cell.ended_in, WorkflowRunsError)
        assert cell.ended_in.__cause__ is None
        lines = traceback.format_exception(cell.ended_in)
        assert [line for line in lines if line[0] not in " T"] == lines[-1:]


def test_every_error_says_what_it_is_about(cell: Cell, fault: str, call: Call) -> None:
    """The attributes that a caller decides by are there, and survive a pickle."""
    error = cell.ended_in
    if not isinstance(error, WorkflowRunsError):
        body = error.to_json() if hasattr(error, "value") else error.to_dict()
        assert body == ({} if fault == "{}" else WRONG[call.operation])
        return
    has_reply = cell.outcome.status is not None
    assert error.operation == call.operation
    assert (error.response is not None) == has_reply
    assert error.request_id == (REQUEST_ID if has_reply else None)
    assert error.retry_after == (0 if fault in {"503", "429", "529"} else None)
    assert KEY not in repr(error)
    copied = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert (type(copied), str(copied), vars(copied).keys()) == (type(error), str(error), vars(error).keys())
    if isinstance(error, StatusError):
        assert "in trouble" in str(error)
    if isinstance(error, ContractBroken):
        assert error.expected
        assert error.received
        assert error.response is not None
        assert error.response.content


@pytest.mark.parametrize(("body", "place"), [({}, None), (5, "$"), ({"Reply": {"status": 5}}, "$.Reply.status")])
def test_a_wait_for_all_nodes_takes_nothing_else(body: Any, place: str | None, flavour: Flavour) -> None:
    """Where every node is asked for, the same answers are held against the form of nodes."""
    with raw.RawServer(raw.answer(200, body)) as server:
        client = flavour.client("promptlayer", base_url=server.url)
        ask = {"return_all_outputs": True, "deadline": 0.05}
        if place is None:
            assert flavour.do(client, "wait", 1, **ask).nodes == {}
        else:
            with pytest.raises(ContractBroken) as caught:
                flavour.do(client, "wait", 1, **ask)
            assert caught.value.path == place
        flavour.do(client, "close" if flavour is SYNC else "aclose")


@pytest.mark.parametrize("fault", ["text/html", "cut JSON", "{}", "wrong types"])
def test_a_success_that_the_contract_does_not_know_is_told_by_its_status(fault: str, flavour: Flavour) -> None:
    """A run is answered with 201 or 202: a 200 is no result, whatever its body is, and leaves the run in doubt."""
    otherwise = dataclasses.replace(RUN, success=(200, RUN.success[1]))
    cell = suffer(FAULTS[fault], otherwise, flavour, _AT_ONCE, timeout=_LONG)
    assert (cell.outcome.ending, cell.outcome.tries) == ("StatusError", 1)
    assert (cell.outcome.status, cell.outcome.may_have_run) == (200, True)


def test_the_table_would_see_a_repeated_run() -> None:
    """The counter-check: a policy that repeats a run in doubt has other cells."""

    class Reckless(Retries):
        def allows(self, error: WorkflowRunsError, *, repeatable: bool) -> bool:  # noqa: ARG002 - that is the fault
            return super().allows(error, repeatable=True)

    for name in ("503", "529", "reset after reading"):
        cell = suffer(FAULTS[name], RUN, SYNC, Reckless(first_wait=0), timeout=_LONG)
        assert cell.outcome.tries == 3
        assert cell.outcome != FAULTS[name].outcome(RUN)
