"""No call goes on for ever and no reply fills the memory: `total_timeout` and `max_response_bytes`."""

from __future__ import annotations

import contextlib
import functools
import gzip
import socket
import time
import tracemalloc
import zlib
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import raw_server as raw
from client_calls import AIOHTTP, ASYNC, KEY, RESULTS, RUN, SYNC, Call, Flavour

from workflow_runs import (
    BadArgument,
    ContractBroken,
    MaybeSent,
    NotFound,
    NotSent,
    PromptLayer,
    Retries,
    ServerError,
    StatusError,
    WorkflowRunsError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
_SOON, _LATE = 0.3, 60.0  # as long as nothing ends it


@pytest.fixture(params=[SYNC, ASYNC, AIOHTTP], ids=str)
def flavour(request: pytest.FixtureRequest) -> Flavour:
    """Calls that wait, calls that are awaited, and those that go out by aiohttp."""
    chosen: Flavour = request.param
    return chosen


def _trickles(begin: bytes, piece: bytes) -> Callable[[raw.Connection], None]:
    def behave(connection: raw.Connection) -> None:
        connection.read()
        until = time.monotonic() + _LATE
        try:
            connection.send(begin)
            while time.monotonic() < until:
                connection.send(piece)
                time.sleep(0.02)
        except OSError:
            pass

    return behave


_TRICKLES = {
    "body": _trickles(_HEAD + b"content-length: 100000\r\n\r\n", b" "),
    "chunks": _trickles(_HEAD + b"transfer-encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    "headers": _trickles(_HEAD, b"x"),
    "interim replies": _trickles(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"),
    "error body": _trickles(b"HTTP/1.1 500 Broken\r\n\r\n", b"x"),
}


@pytest.mark.parametrize("trickle", _TRICKLES)
def test_what_trickles_ends_when_the_time_is_over(trickle: str, flavour: Flavour) -> None:
    """However often another piece comes in time, a run ends in doubt, is sent once, and the words name the option."""
    with raw.RawServer(_TRICKLES[trickle]) as server:
        began = time.monotonic()
        with pytest.raises(MaybeSent, match=rf"total_timeout of {_SOON} s is over") as caught:
            flavour.once(RUN, base_url=server.url, total_timeout=_SOON, retries=2)
        assert time.monotonic() - began < _LATE
        assert (caught.value.may_have_run, len(server.requests)) == (True, 1)


@pytest.mark.parametrize("trickle", ["headers", "body"])
def test_a_question_is_asked_again_with_time_of_its_own(trickle: str, flavour: Flavour) -> None:
    """Each try has all of it."""
    with raw.RawServer(_TRICKLES[trickle], raw.answer(*RESULTS.success)) as server:
        policy = Retries(first_wait=0)
        result = flavour.once(RESULTS, base_url=server.url, total_timeout=_SOON, retries=policy)
        assert type(result).__name__ == RESULTS.model


def test_a_body_that_nobody_reads_is_bounded(flavour: Flavour) -> None:
    """A service may take a request as slowly as it answers."""

    def takes_its_time(connection: raw.Connection) -> None:
        connection.await_first_byte()
        connection.wait_for(_LATE)

    with raw.RawServer(takes_its_time) as server:
        large = {"text": "x" * 20_000_000}
        client = flavour.client("promptlayer", base_url=server.url, total_timeout=_SOON, timeout=_LATE)
        with pytest.raises(MaybeSent, match="total_timeout"):
            flavour.do(client, "run_workflow", "large", input_variables=large)


@pytest.mark.parametrize("flavour", [SYNC, ASYNC], ids=str)
@pytest.mark.parametrize("trickle", ["body", "headers"])
def test_a_brought_client_is_bounded_as_far_as_it_can_be(trickle: str, flavour: Flavour) -> None:
    """All that can't be is an `httpx.Client` while it reads headers, as the documentation says."""
    if flavour is SYNC and trickle == "headers":
        pytest.skip("can't be bounded")
    with raw.RawServer(_TRICKLES[trickle]) as server, pytest.raises(MaybeSent, match="total_timeout"):
        flavour.once(RUN, base_url=server.url, total_timeout=_SOON, http_client=flavour.http())


def test_silence_is_no_longer_than_the_whole_time() -> None:
    """Nor in a client of the user's whose own time-outs are longer."""
    with raw.RawServer(raw.say_nothing) as server, httpx.Client(timeout=_LATE) as http:
        client = PromptLayer(api_key=KEY, base_url=server.url, total_timeout=_SOON, http_client=http, retries=0)
        with pytest.raises(MaybeSent, match="total_timeout"):
            client.run_workflow("x")


def _module(name: str) -> Any:
    return pytest.importorskip(name)


def _raw_deflate(content: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return compressor.compress(content) + compressor.flush()


_ENCODINGS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "identity": ("identity", bytes),
    "gzip": ("gzip", gzip.compress),
    "deflate": ("deflate", zlib.compress),
    "raw deflate": ("deflate", _raw_deflate),
    "br": ("br", lambda content: bytes(_module("brotli").compress(content, quality=5))),
    "zstd": ("zstd", lambda content: bytes(_module("zstandard").compress(content))),
    "zstd in frames": (
        "zstd",
        lambda content: b"".join(_module("zstandard").compress(part) for part in (content[:9], content[9:])),
    ),
    "gzip in members": (
        "gzip",
        lambda content: b"".join(gzip.compress(part) for part in (content[:9], content[9:])) + bytes(5),
    ),
    "gzip twice": ("GZIP, gzip", lambda content: gzip.compress(gzip.compress(content))),
}


@functools.cache
def _bomb(encoding: str) -> tuple[str, bytes]:
    name, compress = _ENCODINGS[encoding]
    return name, compress(b" " * 30_000_000)


def _encoded(status: int, encoding: str, content: bytes) -> Callable[[httpx.Request], httpx.Response]:
    headers = {"content-type": "application/json", "content-encoding": encoding}
    return lambda _: httpx.Response(status, headers=headers, stream=httpx.ByteStream(content))


def _reply(status: int, encoding: str, content: bytes) -> Callable[[httpx.Request], httpx.Response]:
    name, compress = _ENCODINGS[encoding]
    return _encoded(status, name, compress(content))


@pytest.fixture(params=_ENCODINGS)
def encoding(request: pytest.FixtureRequest) -> str:
    """Each way in which a body can be compressed."""
    name: str = request.param
    return name


@pytest.mark.parametrize("flavour", [SYNC, ASYNC], ids=str)
def test_a_compressed_reply_is_read(encoding: str, flavour: Flavour) -> None:
    """In whatever way it is compressed, and exactly at the limit."""
    content = httpx.Response(200, json=RUN.success[1] | {"message": "ü" * 200_000}).content
    client, _ = flavour.over(RUN, _reply(201, encoding, content), max_response_bytes=len(content))
    assert flavour.make(RUN, client).message == "ü" * 200_000


BREACH = (ContractBroken, "at most 100000 bytes, as max_response_bytes has it")


@pytest.mark.parametrize(
    ("status", "error", "flavour"),
    [(201, BREACH, SYNC), (201, BREACH, ASYNC), (404, (NotFound, "404"), ASYNC), (500, (ServerError, "500"), SYNC)],
    ids=str,
)
def test_a_bomb_is_not_unpacked(
    encoding: str, status: int, error: tuple[type[WorkflowRunsError], str], flavour: Flavour
) -> None:
    """What is larger than the limit ends in a breach, or in the error of its status, and takes no memory."""
    bomb = _encoded(status, *_bomb(encoding))
    client, wire = flavour.over(RUN, bomb, max_response_bytes=100_000, retries=2)
    tracemalloc.start()
    with pytest.raises(error[0], match=error[1]) as caught:
        flavour.make(RUN, client)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 12_000_000
    assert (caught.value.status, caught.value.may_have_run, len(wire.requests)) == (status, status != 404, 1)
    assert caught.value.response is not None
    assert len(caught.value.response.content) <= 65_536


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd"])
def test_what_is_not_compressed_as_it_says_is_told(encoding: str, call: Call) -> None:
    """A lie about the encoding is the service's fault."""
    if encoding in {"br", "zstd"}:
        _module({"br": "brotli", "zstd": "zstandard"}[encoding])
    client, _ = SYNC.over(call, _encoded(call.success[0], encoding, b"no " * 999))
    with pytest.raises(ContractBroken, match="in the coding that its headers name") as caught:
        SYNC.make(call, client)
    assert caught.value.status == call.success[0]
    assert caught.value.received


@pytest.mark.parametrize(("status", "requests"), [(404, 1), (429, 3)])
def test_a_refusal_is_told_whatever_became_of_its_body(status: int, requests: int, flavour: Flavour) -> None:
    """Its status says that nothing runs, and what is sent again after it is, though its body is none or half of one."""
    half = gzip.compress(b'{"message": "No such workflow"}')[:-6]
    for encoding, content in (("gzip", b"no " * 999), ("gzip", half)):
        client, wire = flavour.over(
            RUN, _encoded(status, encoding, content), retries=Retries(further_tries=2, first_wait=0.001)
        )
        with pytest.raises(StatusError) as caught:
            flavour.make(RUN, client)
        assert (caught.value.status, caught.value.may_have_run, len(wire.requests)) == (status, False, requests)


def test_a_refusal_that_breaks_off_is_one(flavour: Flavour) -> None:
    """The status was there before the connection ended."""
    broken = raw.sends(b"HTTP/1.1 404 Not Found\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n {")
    with raw.RawServer(broken) as server, pytest.raises(NotFound) as caught:
        flavour.once(RUN, base_url=server.url)
    assert caught.value.may_have_run is False


def test_a_body_compressed_many_times_over_is_refused() -> None:
    """Each time multiplies what a byte can stand for."""
    client, _ = SYNC.over(RUN, _encoded(201, ", ".join(["gzip"] * 50), b"x"))
    with pytest.raises(ContractBroken, match="50 times over"):
        SYNC.make(RUN, client)


def test_an_announced_length_is_believed(flavour: Flavour) -> None:
    """Nothing is read of a body that says by itself that it is too large, and nothing else waits for it."""
    endless = raw.sends(_HEAD + b"content-length: 99999999999\r\n\r\n {")
    with raw.RawServer(endless) as server, pytest.raises(ContractBroken, match="max_response_bytes") as caught:
        flavour.once(RUN, base_url=server.url)
    assert (caught.value.status, caught.value.may_have_run) == (200, True)


@pytest.mark.parametrize("flavour", [SYNC, ASYNC], ids=str)
def test_the_bounds_may_be_taken_away_and_given_back(flavour: Flavour) -> None:
    """`with_options` changes one of them, and None is no bound."""
    content = httpx.Response(201, json=RUN.success[1] | {"message": "x" * 5_000}).content
    client, _ = flavour.over(RUN, *[_reply(201, "gzip", content)] * 4, max_response_bytes=1_000)
    unbounded = client.with_options(max_response_bytes=None, total_timeout=None)
    assert len(flavour.make(RUN, unbounded).message) == 5_000
    assert len(flavour.make(RUN, client.with_options(max_response_bytes=10_000)).message) == 5_000
    for bounded in (client.with_options(total_timeout=5), unbounded.with_options(max_response_bytes=1_000)):
        with pytest.raises(ContractBroken):
            flavour.make(RUN, bounded)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        *(("total_timeout", value) for value in (0, -1, float("nan"), float("inf"), True, "1", 10**400)),
        *(("max_response_bytes", value) for value in (0, -1, 1.5, True, "1")),
    ],
)
def test_bounds_that_make_no_sense_are_refused(option: str, value: Any) -> None:
    """In the constructor as in `with_options`, by name."""
    for make in (functools.partial(PromptLayer, api_key=KEY), PromptLayer(api_key=KEY).with_options):
        with pytest.raises(BadArgument, match=option):
            make(**{option: value})


@contextlib.contextmanager
def _busy(address: str = "127.0.0.1", port: int = 0) -> Iterator[int]:
    """Yield a port at which nobody gets in: once its queue is full the system lets everybody wait."""
    with contextlib.ExitStack() as stack:
        busy = stack.enter_context(socket.create_server((address, port), backlog=0))
        for _ in range(3):
            waiting = stack.enter_context(socket.socket())
            waiting.settimeout(0)
            waiting.connect_ex(busy.getsockname())
        yield busy.getsockname()[1]


def test_no_connection_within_the_time_is_not_sent(flavour: Flavour) -> None:
    """Where the time is over before anything has left, the call may be repeated."""
    with _busy() as port, pytest.raises(NotSent, match="total_timeout"):
        flavour.once(RUN, base_url=f"http://127.0.0.1:{port}", total_timeout=_SOON)


@pytest.mark.parametrize("bound", ["total_timeout", "timeout"])
def test_the_addresses_of_a_host_share_the_time(bound: str, flavour: Flavour, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three addresses, none of which lets anybody in, take no longer than one; each is tried, up to the last."""
    addresses, seconds, resolve = [f"127.0.0.{last}" for last in (1, 2, 3)], 1.0, socket.getaddrinfo

    def resolved(host: Any, *rest: Any, **more: Any) -> list[Any]:  # what a name server would say
        hosts = addresses if host in {"three.example", b"three.example"} else [host]
        return [found for one in hosts for found in resolve(one, *rest, **more)]

    monkeypatch.setattr(socket, "getaddrinfo", resolved)
    call = functools.partial(flavour.once, RUN, retries=0, **{bound: seconds})
    with _busy(addresses[0]) as port, _busy(addresses[1], port):
        began = time.monotonic()
        with _busy(addresses[2], port), pytest.raises(NotSent):
            call(base_url=f"http://three.example:{port}")
        assert time.monotonic() - began < 2 * seconds  # and not three times as long
        with socket.create_server((addresses[2], port)) as server, pytest.raises(MaybeSent):
            call(base_url=f"http://three.example:{port}")
        assert server.fileno() == -1
