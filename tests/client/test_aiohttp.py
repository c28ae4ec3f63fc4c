"""The extra `aiohttp`: it may not send by itself what may already have acted, and it is asked for by name."""

from __future__ import annotations

import pickle
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import raw_server as raw
from client_calls import AIOHTTP, KEY, RESULTS, RUN, SYNC, Call
from keeping_server import KeepingServer

from workflow_runs import AsyncPromptLayer, BadArgument, MaybeSent, NotSent, PromptLayer

if TYPE_CHECKING:
    from collections.abc import Callable


def _keeps(*, then: Callable[[raw.Connection], None]) -> Callable[[Call], Callable[[raw.Connection], None]]:
    """Answers a first request, keeps the connection, and does something else to the second."""

    def of(call: Call) -> Callable[[raw.Connection], None]:
        first = raw.answer(*call.success, connection="keep-alive")

        def behave(connection: raw.Connection) -> None:
            first(connection)
            then(connection)

        return behave

    return of


_SECOND = {
    "reset after reading": _keeps(then=raw.reset_after_reading),
    "hung up": _keeps(then=raw.hang_up),
    "cut head": _keeps(then=raw.cut_head),
}


@pytest.mark.parametrize("fault", _SECOND)
@pytest.mark.parametrize("call", [RUN, RESULTS], ids=str)
def test_a_kept_connection_that_breaks_is_no_reason_to_send_again(fault: str, call: Call) -> None:
    """Aiohttp alone would send a GET twice there; that is for `retries` to say, and a run is sent once in any case."""

    async def twice(client: Any) -> None:
        await getattr(client, call.operation)(*call.positional, **call.keywords)
        with pytest.raises(MaybeSent) as caught:
            await getattr(client, call.operation)(*call.positional, **call.keywords)
        assert caught.value.may_have_run is call.starts_something
        await client.aclose()

    with raw.RawServer(_SECOND[fault](call)) as server:
        AIOHTTP.do(_Doing(twice, AIOHTTP.client("promptlayer", base_url=server.url)), "play")
        assert (server.connections, len(server.requests)) == (1, 2)


class _Doing:
    """Lets a flavour run a coroutine of the test's."""

    def __init__(self, play: Callable[[Any], Any], client: Any) -> None:
        self.play = lambda: play(client)


def test_a_connection_that_the_service_has_closed_is_not_used_again() -> None:
    """Nothing is sent on it, though the event loop had no time to notice: a run would be in doubt for nothing."""

    async def several(client: Any) -> None:
        for _ in range(8):
            await client.run_workflow("support-agent")
        await client.aclose()

    closes = raw.answer(*RUN.success, is_last=True, connection="keep-alive")
    with raw.RawServer(closes) as server:
        AIOHTTP.do(_Doing(several, AIOHTTP.client("promptlayer", base_url=server.url)), "play")
        assert (server.connections, len(server.requests)) == (8, 8)


def test_the_environments_proxy_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """With its password, as without the extra."""
    with KeepingServer() as server:
        monkeypatch.setenv("HTTP_PROXY", server.url.replace("//", "//user:password@"))
        AIOHTTP.once(RUN, base_url="http://api.example.invalid")
        assert [path for path, _ in server.requests] == ["http://api.example.invalid/workflows/support-agent/run"]
        assert server.requests[0][1]["Proxy-Authorization"] == "Basic dXNlcjpwYXNzd29yZA=="


def test_a_proxy_that_it_does_not_know_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is sent."""
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:1")
    with pytest.raises((BadArgument, NotSent), match="socks5"):
        AIOHTTP.once(RUN)


def test_it_sends_what_the_other_sends() -> None:
    """The same headers, but for the name of what sends."""
    with KeepingServer() as server:
        for flavour in (AIOHTTP, SYNC):
            flavour.once(RUN, base_url=server.url)
        (_, one), (_, other) = server.requests
    assert {name.lower() for name in one} == {name.lower() for name in other}
    assert "aiohttp/" in one["user-agent"]
    assert KEY in one.values()


def test_a_copy_sends_by_it_too() -> None:
    """A pickled client is set to what the first was."""
    with KeepingServer() as server:
        client = pickle.loads(pickle.dumps(AIOHTTP.client("promptlayer", base_url=server.url)))  # noqa: S301
        AIOHTTP.do(_Doing(_run_and_close, client), "play")
        assert "aiohttp/" in server.requests[0][1]["user-agent"]


async def _run_and_close(client: Any) -> None:
    async with client:
        await client.run_workflow("1")


@pytest.mark.parametrize(("kind", "name"), [(PromptLayer, "aiohttp"), (AsyncPromptLayer, "requests")])
def test_it_is_for_asyncio_alone(kind: Any, name: str) -> None:
    """Another name, or a client that waits, is refused."""
    with pytest.raises(BadArgument, match="http_client"):
        kind(api_key=KEY, http_client=name)


def test_without_the_package_the_words_say_what_brings_it() -> None:
    """When the client is made, not with its first call."""
    program = (
        "import sys; sys.modules['aiohttp'] = None\n"
        "from workflow_runs import AsyncPromptLayer\n"
        "AsyncPromptLayer(api_key='k', http_client='aiohttp')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "http_client: aiohttp is not installed; this brings it: pip install 'workflow-runs[aiohttp]'" in done.stderr
