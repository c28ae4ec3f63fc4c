"""Clients can be handed to other processes and be copied, and whole numbers may be written as floats."""

from __future__ import annotations

import asyncio
import copy
import pickle
from typing import TYPE_CHECKING, Any

import pytest
from client_calls import ACCEPTED, RESULTS, RUN, Flavour, reply
from keeping_server import KeepingServer

from workflow_runs import AsyncPromptLayer, BadArgument, PromptLayer

if TYPE_CHECKING:
    from collections.abc import Callable


def _unpickled(client: Any) -> Any:
    return pickle.loads(pickle.dumps(client))  # noqa: S301 - our own bytes


@pytest.mark.parametrize("again", [copy.deepcopy, _unpickled])
def test_a_used_client_can_be_copied(again: Callable[[Any], Any], flavour: Flavour) -> None:
    """A copy has the same settings, and connections of its own: closing one leaves the other open."""

    async def awaited() -> None:
        async with AsyncPromptLayer(api_key="k", base_url=server.url, headers={"x-team": "b"}) as client:
            await client.run_workflow("1")
            other = again(client)
        async with other:
            assert (await other.run_workflow("2")).workflow_version_execution_id == 2

    def waited() -> None:
        with PromptLayer(api_key="k", base_url=server.url, headers={"x-team": "b"}) as client:
            client.run_workflow("1")
            other = again(client)
        with other:
            assert other.run_workflow("2").workflow_version_execution_id == 2

    with KeepingServer() as server:
        asyncio.run(awaited()) if flavour.name == "async" else waited()
        assert server.connections == 2
        assert [headers["x-team"] for _, headers in server.requests] == ["b", "b"]


def test_a_client_on_one_of_the_callers_says_why_it_cannot_be_pickled(flavour: Flavour) -> None:
    """Sockets can't travel; a copy in the same process has the same ones."""
    client, wire = flavour.over(RUN, RUN.ok())
    with pytest.raises(TypeError, match="http_client"):
        pickle.dumps(client)
    flavour.make(RUN, copy.deepcopy(client))
    assert len(wire.requests) == 1


def test_a_whole_number_may_be_written_as_a_float(flavour: Flavour) -> None:
    """98765.0 is an integer to JSON Schema: it is read, and sent, as one."""
    started = {**ACCEPTED, "workflow_version_execution_id": 98765.0}
    client, wire = flavour.over(RUN, reply(202, started), RESULTS.ok(), RESULTS.ok(), RUN.ok(), RUN.ok())
    run = flavour.make(RUN, client)
    assert type(run.workflow_version_execution_id) is int
    for written in (run.workflow_version_execution_id, 98765.0):
        flavour.do(client, "get_workflow_version_execution_results", workflow_version_execution_id=written)
        assert wire.requests[-1].url.params["workflow_version_execution_id"] == "98765"
    flavour.do(client, "run_workflow", "w", workflow_version_number=2.0)
    assert (
        b'"workflow_version_number":2}' in wire.requests[-1].content
        or b'"workflow_version_number":2,' in wire.requests[-1].content
    )
    with pytest.raises(BadArgument):
        flavour.do(client, "get_workflow_version_execution_results", workflow_version_execution_id=98765.5)


def test_a_wait_takes_an_id_that_was_read_as_a_float() -> None:
    """Other languages know one kind of number."""
    with KeepingServer() as server:
        client = PromptLayer(api_key="k", base_url=server.url)
        with pytest.raises(BadArgument, match="run"):
            client.wait(1.5)  # type: ignore[arg-type]
