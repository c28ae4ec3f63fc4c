"""What each error says of a run: whether one may have been started. Every class and way to call, over real sockets."""

from __future__ import annotations

import asyncio
import threading
from contextlib import closing
from typing import TYPE_CHECKING, Any, NamedTuple

import httpx
import pytest
import raw_server as raw
from client_calls import ASYNC, CREATED, FAILED, INTERACTLY_WORKFLOW, NODES, PENDING, SYNC, Flavour

from workflow_runs import RunFailed, WorkflowRunsError

if TYPE_CHECKING:
    from collections.abc import Callable

EXECUTION = CREATED["workflow_version_execution_id"]
FAILED_NODES = {"Reply": {**NODES["Reply"], "status": "FAILED", "value": None}}


class Row(NamedTuple):
    """A fault, and for each kind of call the class of its error and whether a run may have been started.

    A wait is for a run that somebody has started, so whatever ends it says that there is one.
    """

    fault: Callable[[raw.Connection], None]
    starting: tuple[str, bool]
    asking: tuple[str, bool]
    waiting: tuple[str, bool]


def _refusal(status: int, name: str) -> Row:
    fault = raw.answer(status, {"message": "no"})
    return Row(fault, (name, False), (name, False), (name, True))


def _trouble(fault: Callable[[raw.Connection], None], name: str, waiting: str = "") -> Row:
    return Row(fault, (name, True), (name, False), (waiting or name, True))


TABLE = {
    "400": _refusal(400, "BadRequest"),
    "401": _refusal(401, "Unauthorized"),
    "403": _refusal(403, "Forbidden"),
    "404": _refusal(404, "NotFound"),
    "409": _refusal(409, "Conflict"),
    "422": _refusal(422, "Unprocessable"),
    "429": _refusal(429, "TooManyRequests"),
    "418": _refusal(418, "StatusError"),
    "500": _trouble(raw.answer(500, {"message": "oops"}), "ServerError"),
    "503": _trouble(raw.answer(503, {"message": "oops"}), "ServerError"),
    "reset": _trouble(raw.reset_after_reading, "MaybeSent", "WaitTimeout"),
    "hung up": _trouble(raw.hang_up, "MaybeSent", "WaitTimeout"),
    "cut": _trouble(raw.cut_body, "MaybeSent", "WaitTimeout"),
    "no HTTP": _trouble(raw.no_http, "MaybeSent", "WaitTimeout"),
    "no JSON": _trouble(raw.sends(b"HTTP/1.1 202 OK\r\ncontent-length: 4\r\n\r\n<h1>"), "ContractBroken"),
    "failed": Row(raw.answer(500, FAILED), ("ServerError", True), ("RunFailed", True), ("RunFailed", True)),
    "still running": Row(
        raw.answer(202, PENDING), ("ContractBroken", True), ("ExecutionPending", False), ("WaitTimeout", True)
    ),
}  # fmt: skip


@pytest.fixture(params=[SYNC, ASYNC], ids=str)
def flavour(request: pytest.FixtureRequest) -> Flavour:
    """Calls that wait, and calls that are awaited."""
    chosen: Flavour = request.param
    return chosen


def _ending(
    flavour: Flavour, method: str, *behaviours: Any, service: str = "promptlayer", **keywords: Any
) -> tuple[str, bool, Any]:
    positional = () if "results" in method else (EXECUTION,) if method == "wait" else (INTERACTLY_WORKFLOW,)

    async def awaited(http: Any, client: Any) -> Any:
        async with http:
            return await getattr(client, method)(*positional, **keywords)

    # Without certificates, which take longer to load than all the rest.
    with raw.RawServer(*behaviours) as server, closing(httpx.Client(verify=False)) as http:  # noqa: S501
        try:
            if flavour is ASYNC:
                http_async = httpx.AsyncClient(verify=False)  # noqa: S501
                client = flavour.client(service, base_url=server.url, http_client=http_async)
                found = asyncio.run(awaited(http_async, client))
            else:
                client = flavour.client(service, base_url=server.url, http_client=http)
                found = getattr(client, method)(*positional, **keywords)
        except WorkflowRunsError as error:
            return type(error).__name__, error.may_have_run, error
        return type(found).__name__, False, found


@pytest.mark.parametrize("row", TABLE.values(), ids=TABLE)
def test_an_error_says_whether_a_run_may_have_started(row: Row, flavour: Flavour) -> None:
    """Of a start, of a question, of a wait for a run that somebody has started, and of both in one."""
    assert _ending(flavour, "run_workflow", row.fault)[:2] == row.starting
    asked = {"workflow_version_execution_id": EXECUTION}
    assert _ending(flavour, "get_workflow_version_execution_results", row.fault, **asked)[:2] == row.asking
    assert _ending(flavour, "wait", row.fault, deadline=0)[:2] == row.waiting
    created = raw.answer(201, CREATED)
    name, may_have_run, error = _ending(flavour, "run_and_wait", created, row.fault, deadline=0)
    assert (name, may_have_run) == (row.waiting[0], True)
    assert f"execution {EXECUTION}" in str(error)
    assert f"execution {EXECUTION}" in error.how_to_find
    assert ("wait for it" in f"{error} {error.how_to_find}") is not isinstance(error, RunFailed)


@pytest.mark.parametrize("name", sorted(TABLE.keys() - {"failed", "still running", "no JSON"}))
def test_the_other_service_says_it_too(name: str, flavour: Flavour) -> None:
    """It starts runs as well."""
    ending = _ending(flavour, "execute_workflow", TABLE[name].fault, service="interactly", command="start")
    assert ending[:2] == TABLE[name].starting


def test_a_run_that_failed_in_its_nodes_has_run(flavour: Flavour) -> None:
    """The other form of a failure."""
    created, failed = raw.answer(201, CREATED), raw.answer(200, FAILED_NODES)
    name, may_have_run, error = _ending(flavour, "run_and_wait", created, failed, return_all_outputs=True)
    assert (name, may_have_run, error.execution_id) == ("RunFailed", True, EXECUTION)
    assert error.how_to_find == f"it is execution {EXECUTION}, which has ended"


def test_a_wait_that_is_cancelled_leaves_a_run(flavour: Flavour) -> None:
    """So does one that is cancelled before it began."""

    def cancelled() -> Any:
        event: Any = asyncio.Event() if flavour is ASYNC else threading.Event()
        event.set()
        return event

    created = raw.answer(201, CREATED)
    for ending in (
        _ending(flavour, "wait", created, cancelled=cancelled()),
        _ending(flavour, "run_and_wait", created, cancelled=cancelled()),
    ):
        assert ending[:2] == ("WaitCancelled", True)
        assert "wait for it" in ending[2].how_to_find


@pytest.mark.parametrize("method", ["run_workflow", "wait", "run_and_wait", "get_workflow_version_execution_results"])
def test_where_nothing_was_sent_nothing_has_run(method: str, flavour: Flavour) -> None:
    """No connection came about, or an argument was refused."""
    asked = {"workflow_version_execution_id": EXECUTION} if "results" in method else {}
    with raw.RawServer(raw.hang_up) as server:
        gone = server.url
    client = flavour.client("promptlayer", base_url=gone)
    positional = () if asked else (EXECUTION,) if method == "wait" else ("w",)
    for keywords, name in ((asked, "NotSent"), ({**asked, "return_all_outputs": 5}, "BadArgument")):
        with pytest.raises(WorkflowRunsError) as caught:
            flavour.do(client, method, *positional, **keywords)
        somebody_started_it = method == "wait" and name == "NotSent"
        assert (type(caught.value).__name__, caught.value.may_have_run) == (name, somebody_started_it)
