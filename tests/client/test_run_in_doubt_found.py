"""A run in doubt is looked for in the list of runs: candidates with reasons, and nothing is started."""

from __future__ import annotations

import copy
import pickle
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from client_calls import INTERACTLY_WORKFLOW, SYNC, Flavour, Wire, reply

from workflow_runs import BadArgument, MaybeSent, RunCandidate, WorkflowRunsError

if TYPE_CHECKING:
    from workflow_sandbox import Sandbox

RUN_ID = "5eb7cf5a86d9755df3a6c594"
SENT = datetime(2026, 5, 15, 12, tzinfo=UTC)


class _Cutting(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Carries requests to a real service, and loses the reply to each execute."""

    def __init__(self) -> None:
        self._inner = httpx.HTTPTransport()
        self.executed = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self._inner.handle_request(request)
        if request.method == "POST":
            response.read()
            self.executed += 1
            raise httpx.ReadError("reset")
        return response

    def close(self) -> None:
        self._inner.close()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = self.handle_request(
            httpx.Request(request.method, request.url, headers=request.headers, content=await request.aread())
        )
        return httpx.Response(response.status_code, headers=response.headers, content=response.read())


def test_a_run_of_the_sandbox_is_found(sandbox: Sandbox, flavour: Flavour) -> None:
    """The one that was started, before another one; then it can be waited for or stopped. Nothing is started twice."""
    wire = _Cutting()
    about: dict[str, Any] = {"base_url": sandbox.interactly_url, "api_key": sandbox.api_key}
    client = flavour.client("interactly", **about, http_client=flavour.http(transport=wire))
    arguments = {"dynamic_variables": {"order": flavour.name}, "run_by": "ada", "version": 0}
    with SYNC.client("interactly", **about) as other:
        other.execute_workflow(INTERACTLY_WORKFLOW, run_by="bob")
    with pytest.raises(MaybeSent) as caught:
        flavour.do(client, "execute_workflow", INTERACTLY_WORKFLOW, **arguments)
    assert caught.value.how_to_find is not None
    assert caught.value.how_to_find.endswith("as `find_run_in_doubt` does")
    assert caught.value.sent_at is not None
    first, *others = flavour.do(
        client, "find_run_in_doubt", INTERACTLY_WORKFLOW, sent_at=caught.value.sent_at, **arguments
    )
    assert (first.differs, first.untold) == ((), ())
    assert set(first.agrees) == {"workflow_id", "created_at", *arguments}
    assert others
    assert all("dynamic_variables" in other.differs for other in others)
    assert wire.executed == 1

    # Of a request that names its run, that one alone comes into question.
    moved: dict[str, Any] = {"command": "data", "workflow_run_id": first.workflow_run_id}
    before = flavour.do(client, "find_run_in_doubt", INTERACTLY_WORKFLOW, sent_at=caught.value.sent_at, **moved)
    assert [(each.workflow_run_id, each.untold) for each in before] == [(first.workflow_run_id, ("command",))]
    with pytest.raises(MaybeSent) as caught:
        flavour.do(client, "execute_workflow", INTERACTLY_WORKFLOW, **moved)
    assert caught.value.sent_at is not None
    [after] = flavour.do(client, "find_run_in_doubt", INTERACTLY_WORKFLOW, sent_at=caught.value.sent_at, **moved)
    wire.close()
    assert (after.differs, "command" in after.agrees, "updated_at" in after.agrees) == ((), True, True)


def _service(*runs: dict[str, Any], created_at: Any = "2026-05-15T12:00:07Z") -> Wire:
    """A service with such runs, which its list tells in short."""
    records = [
        {"_id": f"{number:024x}", "created_at": created_at, "workflow_run": run} for number, run in enumerate(runs)
    ]

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/workflow-runs"):
            return reply(
                200, {"workflow_runs": [{**each, "workflow_run": {}} for each in records], "total": len(records)}
            )
        return reply(200, {"workflow_run": records[int(request.url.path.rpartition("/")[2], 16)]})

    return Wire(answer)


def _found(flavour: Flavour, wire: Wire, **arguments: Any) -> list[RunCandidate]:
    client = flavour.client("interactly", wire)
    found: list[RunCandidate] = flavour.do(
        client, "find_run_in_doubt", INTERACTLY_WORKFLOW, **{"sent_at": SENT, **arguments}
    )
    return found


def test_the_likeliest_comes_first(flavour: Flavour) -> None:
    """First the one of which the least differs, then the one of which the most agrees; none is left out."""
    inputs = [{"runtime_variables": {"a": 2}}, {}, {"runtime_variables": {"a": 1}}, None]
    wire = _service(*({"input_output_pairs": [{"run_input": each}]} for each in inputs))
    found = _found(flavour, wire, runtime_variables={"a": 1})
    assert [(int(each.workflow_run_id, 16), each.differs, each.untold) for each in found] == [
        (2, (), ("workflow_id",)),
        (1, (), ("workflow_id", "runtime_variables")),
        (3, (), ("workflow_id", "runtime_variables")),
        (0, ("runtime_variables",), ("workflow_id",)),
    ]
    assert str(found[0]) == f"workflow run {2:024x}: agrees in runtime_variables, created_at; does not tell workflow_id"
    assert {request.method for request in wire.requests} == {"GET"}


@pytest.mark.parametrize("form", [{"run_input": {"team_id": "blue"}}, {"team_id": "blue"}], ids=["turn", "whole run"])
def test_both_forms_are_compared(form: dict[str, Any], flavour: Flavour) -> None:
    """By the members of the run input, wherever it stands."""
    wire = _service({"input_output_pairs": [{"run_input": {"team_id": "blue"}}]})
    assert "team_id" in _found(flavour, wire, **form)[0].agrees


@pytest.mark.parametrize(
    ("created_at", "verdict"),
    [
        ("2026-05-15T12:10:00Z", "agrees"),
        ("2026-05-15T13:50:00+02:00", "agrees"),
        ("2026-05-15T12:10:01Z", "differs"),
        ("2026-05-15T12:00:00", "untold"),
        ("yesterday", "untold"),
        (None, "untold"),
    ],
)
def test_times_are_compared_by_their_zones(created_at: Any, verdict: str, flavour: Flavour) -> None:
    """A service that ignores the filter is found out; a time without a zone tells nothing."""
    wire = _service({}, created_at=created_at)
    assert "created_at" in getattr(_found(flavour, wire)[0], verdict)
    assert dict(wire.requests[0].url.params) == {
        "workflow_id": INTERACTLY_WORKFLOW,
        "start": "2026-05-15T11:50:00+00:00",
        "end": "2026-05-15T12:10:00+00:00",
        "page": "1",
    }


def test_no_candidate_is_no_error(flavour: Flavour) -> None:
    """What that means is said in the docstring: it is no proof."""
    assert _found(flavour, _service()) == []


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"sent_at": datetime(2026, 5, 15)}, "sent_at"),  # noqa: DTZ001 - that is what is wrong
        ({"sent_at": "now"}, "sent_at"),
        ({"sent_at": None}, "sent_at"),
        ({"slack": -1}, "slack"),
        ({"slack": float("inf")}, "slack"),
        ({"command": "go"}, "command"),
    ],
)
def test_what_makes_no_sense_is_refused(wrong: dict[str, Any], field: str, flavour: Flavour) -> None:
    """Before anything is asked."""
    wire = _service()
    with pytest.raises(BadArgument) as caught:
        _found(flavour, wire, **wrong)
    assert (caught.value.field, wire.requests) == (field, [])


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda error: pickle.loads(pickle.dumps(error))])  # noqa: S301
def test_copies_keep_the_time(copied: Any, flavour: Flavour) -> None:
    """An error that travels to another process can be settled there."""
    client = flavour.client("interactly", Wire(httpx.ReadError("reset")))
    with pytest.raises(WorkflowRunsError) as caught:
        flavour.do(client, "execute_workflow", INTERACTLY_WORKFLOW)
    sent_at = copied(caught.value).sent_at
    assert abs(sent_at - datetime.now(UTC)) < timedelta(minutes=5)
