"""Bytes behind a reply, over real sockets: they are no later call's answer, and the next request goes elsewhere."""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import raw_server as raw
from client_calls import AIOHTTP, ASYNC, CREATED, SYNC, Flavour

from support.certificate import certificate
from workflow_runs import Retries, WorkflowRunsError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

OWN, STRAY = 111, 666


def _answer(run: int, status: str = "201 Created", *headers: str, chunked: bool = False) -> bytes:
    body = json.dumps({**CREATED, "workflow_version_execution_id": run}).encode()
    length = "transfer-encoding: chunked" if chunked else f"content-length: {len(body)}"
    head = "\r\n".join((f"HTTP/1.1 {status}", "content-type: application/json", length, *headers))
    content = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body) if chunked else body
    return head.encode() + b"\r\n\r\n" + content


_FIRST = {
    "a length": _answer(OWN),
    "chunks": _answer(OWN, chunked=True),
    "no content": b"HTTP/1.1 204 No Content\r\n\r\n",
    "not modified": b"HTTP/1.1 304 Not Modified\r\n\r\n",
    "an interim reply": b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n" + _answer(OWN),
    "an error": _answer(OWN, "404 Not Found"),
    "no run yet": _answer(OWN, "429 Slow down", "retry-after: 0"),
}
_BEHIND = {
    "a reply": _answer(STRAY),
    "a reply in chunks": _answer(STRAY, chunked=True),
    "an interim reply and a reply": b"HTTP/1.1 100 Continue\r\n\r\n" + _answer(STRAY),
    "half a reply": _answer(STRAY)[:60],
    "an empty line and a reply": b"\r\n" + _answer(STRAY),
}


def _keeps(*pieces: bytes, pause: float = 0) -> Callable[[raw.Connection], None]:
    """Answer the first request with these, at once or one by one, and each further one with a reply of its own."""

    def behave(connection: raw.Connection) -> None:
        connection.read()
        for part in [[piece] for piece in pieces] if pause else [pieces]:
            connection.send(*part)
            time.sleep(pause)
        while connection.reads_another():
            connection.send(_answer(OWN))

    return behave


def _calls(flavour: Flavour, times: int, *, rest: float = 0, **settings: Any) -> list[int | None]:
    """Return the runs that calls in a row come to; None for one that ends in an error."""

    async def awaited() -> list[int | None]:
        found: list[int | None] = [None] * times
        async with _open(settings), flavour.client("promptlayer", **settings) as client:
            for number in range(times):
                with contextlib.suppress(WorkflowRunsError):
                    found[number] = (await client.run_workflow("canary")).workflow_version_execution_id
                await asyncio.sleep(rest)
        return found

    def one_by_one() -> list[int | None]:
        found: list[int | None] = [None] * times
        with _open(settings), flavour.client("promptlayer", **settings) as client:
            for number in range(times):
                with contextlib.suppress(WorkflowRunsError):
                    found[number] = client.run_workflow("canary").workflow_version_execution_id
                time.sleep(rest)
        return found

    return one_by_one() if flavour.name == "sync" else asyncio.run(awaited())


def _open(settings: dict[str, Any]) -> Any:
    """Return what closes a client of the user's, if there is one."""
    return settings.get("http_client", contextlib.nullcontext())


@pytest.fixture(params=[SYNC, ASYNC, AIOHTTP], ids=str)
def flavour(request: pytest.FixtureRequest) -> Flavour:
    """Calls that wait, calls that are awaited, and those that go out by aiohttp."""
    chosen: Flavour = request.param
    return chosen


@pytest.mark.parametrize(
    ("first", "behind"),
    [*((first, "a reply") for first in _FIRST), *(("a length", behind) for behind in [*_BEHIND][1:])],
)
def test_what_comes_behind_a_reply_is_no_other_calls_answer(first: str, behind: str, flavour: Flavour) -> None:
    """Whatever the reply is like, and whatever follows it: the next calls get their own answers."""
    with raw.RawServer(_keeps(_FIRST[first] + _BEHIND[behind]), _keeps(_answer(OWN))) as server:
        found = _calls(flavour, 3, base_url=server.url)
        assert STRAY not in found
        assert found[1:] == [OWN, OWN]
        # The parser of aiohttp doesn't tell of half a head, and the next one refuses the other half.
        is_used_again = (flavour.name, behind) == ("aiohttp", "half a reply")
        assert (server.connections, len(server.requests)) == (1 if is_used_again else 2, 3)


def test_what_comes_later_is_no_other_calls_answer(flavour: Flavour) -> None:
    """Nor does it matter in how many pieces it comes."""
    strays = _keeps(_answer(OWN), _answer(STRAY), pause=0.01)
    with raw.RawServer(strays, _keeps(_answer(OWN))) as server:
        assert _calls(flavour, 3, rest=0.2, base_url=server.url) == [OWN, OWN, OWN]
        assert server.connections == 2


def test_what_comes_with_the_end_of_a_reply_is_no_other_calls_answer(flavour: Flavour) -> None:
    """By then the call may wait for that end."""
    begun, rest = _answer(OWN)[:-20], _answer(OWN)[-20:]
    with raw.RawServer(_keeps(begun, rest + _answer(STRAY), pause=0.1), _keeps(_answer(OWN))) as server:
        assert _calls(flavour, 3, base_url=server.url) == [OWN, OWN, OWN]
        assert server.connections == 2


def test_what_waits_to_be_decrypted_is_no_other_calls_answer(
    flavour: Flavour, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TLS is read in blocks, of which the reply is the first record."""
    pem = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "only.pem"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pem)

    def secured(behave: Callable[[raw.Connection], None]) -> Callable[[raw.Connection], None]:
        def behave_secured(connection: raw.Connection) -> None:
            connection.secure(context)
            behave(connection)

        return behave_secured

    strays, keeps = secured(_keeps(_answer(OWN), _answer(STRAY))), secured(_keeps(_answer(OWN)))
    with raw.RawServer(strays, keeps) as server:
        url = server.url.replace("http:", "https:")
        assert _calls(flavour, 3, base_url=url) == [OWN, OWN, OWN]
        assert server.connections == 2


def test_a_further_try_does_not_take_what_came_behind_the_refusal(flavour: Flavour) -> None:
    """It is a request like any other."""
    refusal = _FIRST["no run yet"] + _answer(STRAY)
    with raw.RawServer(_keeps(refusal), _keeps(_answer(OWN))) as server:
        assert _calls(flavour, 1, base_url=server.url, retries=Retries(first_wait=0)) == [OWN]
        assert (server.connections, len(server.requests)) == (2, 2)


@pytest.mark.parametrize("flavour", [SYNC, ASYNC], ids=str)
def test_nor_does_a_client_of_the_users(flavour: Flavour) -> None:
    """Httpx itself takes it."""
    with raw.RawServer(_keeps(_answer(OWN) + _answer(STRAY)), _keeps(_answer(OWN))) as server:
        kept = httpx.Limits(max_connections=1, keepalive_expiry=None)
        assert _calls(flavour, 3, base_url=server.url, http_client=flavour.http(limits=kept)) == [OWN, OWN, OWN]
        assert server.connections == 2
