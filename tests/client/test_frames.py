"""What trackers of errors record, the variables of every frame, holds no secret that a client was given."""

from __future__ import annotations

import asyncio
import traceback
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import raw_server as raw
from client_calls import AIOHTTP, ASYNC, KEY, RUN, Flavour, reply

from workflow_runs import WorkflowRunsError

if TYPE_CHECKING:
    from collections.abc import Callable

_SECRET = "header-that-nobody-may-see"


def _shown(value: Any, depth: int = 6) -> str:
    if isinstance(value, dict) and depth:
        return " ".join(_shown(part, depth - 1) for pair in value.items() for part in pair)
    if isinstance(value, list | tuple | set | frozenset) and depth:
        return " ".join(_shown(part, depth - 1) for part in value)
    return repr(value)


def _recorded(error: BaseException) -> str:
    """All variables of the frames of ours that an error went through, as a tracker shows them."""
    return _of_frames(error, "workflow_runs")


def _of_frames(error: BaseException, *packages: str) -> str:
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    theirs = [each for each in frames if each.f_globals.get("__name__", "").startswith(packages)]
    assert theirs
    return "\n".join(_shown(frame.f_locals) for frame in theirs)


_ENDINGS: dict[str, Callable[[Any], Any]] = {
    "key with a line end": lambda flavour: flavour.client("promptlayer", api_key=f"{KEY}\n"),
    "bad time-out": lambda flavour: flavour.client("promptlayer", timeout=-1, headers={"x-own": _SECRET}),
    "bad address": lambda flavour: flavour.client("promptlayer", base_url=f"https://user:{KEY}@example.com"),
    "bad header": lambda flavour: flavour.client("promptlayer", headers={"x-own": _SECRET, "x-other": ""}),
    "bad option": lambda flavour: flavour.client("promptlayer").with_options(
        headers={"x-own": _SECRET}, extra_query={"token": KEY}, retries=-1
    ),
    "bad query": lambda flavour: flavour.make(
        RUN, flavour.client("promptlayer").with_options(extra_query={"token": KEY, "b": object()})
    ),
    "bad extra member": lambda flavour: flavour.make(
        RUN, flavour.client("promptlayer").with_options(headers={"x-own": _SECRET}, extra_body={"b": object()})
    ),
}


@pytest.mark.parametrize("ending", _ENDINGS)
def test_no_frame_of_a_refusal_holds_a_secret(ending: str, flavour: Flavour) -> None:
    """Whatever else is wrong with a client's settings, and if it is the secret itself."""
    with pytest.raises(WorkflowRunsError) as caught:
        _ENDINGS[ending](flavour)
    assert KEY not in _recorded(caught.value)
    assert _SECRET not in _recorded(caught.value)


@pytest.mark.parametrize(
    "answer",
    [reply(400, {"message": "no"}), reply(201, []), httpx.ReadError("lost"), httpx.ConnectError("no")],
    ids="sbrc",
)
def test_no_frame_of_a_call_holds_a_secret(answer: Any, flavour: Flavour) -> None:
    """However a call ends: the key enters where it goes out, and the query that was added lies in no variable."""
    client, _ = flavour.over(RUN, answer, headers={"x-own": _SECRET})
    with pytest.raises(WorkflowRunsError) as caught:
        flavour.make(RUN, client.with_options(extra_query={"token": "query-token-1"}))
    recorded = _recorded(caught.value)
    assert not [secret for secret in (KEY, _SECRET, "query-token-1") if secret in recorded]


@pytest.mark.parametrize("flavour", [ASYNC, AIOHTTP], ids=str)
def test_no_frame_of_a_cancelled_call_holds_a_secret(flavour: Flavour) -> None:
    """A cancelled call leaves the frames of the libraries below behind, too."""

    async def cancelled() -> None:
        loop, calls = asyncio.get_running_loop(), []

        def cancel(connection: raw.Connection) -> None:
            connection.read()
            loop.call_soon_threadsafe(calls[0].cancel)
            connection.wait_for_the_end()

        with raw.RawServer(cancel) as server:
            client = flavour.client("promptlayer", base_url=server.url, headers={"x-own": _SECRET})
            async with client:
                calls.append(asyncio.create_task(client.run_workflow("x")))
                await calls[0]

    with pytest.raises(asyncio.CancelledError) as caught:
        asyncio.run(cancelled())
    recorded = _of_frames(caught.value, "workflow_runs_api", "httpx", "httpcore", "aiohttp")
    assert not [secret for secret in (KEY, _SECRET) if secret in recorded]
