"""Network faults over real sockets: each ends in one typed error, and what may have started a run is sent once."""

from __future__ import annotations

import pickle
import threading
from typing import TYPE_CHECKING

import httpx
import pytest
import raw_server as raw
from client_calls import AIOHTTP, ASYNC, KEY, RESULTS, RUN, SYNC, Call, Flavour

from workflow_runs import ContractBroken, MaybeSent, NotSent, PromptLayer, Retries, StatusError

if TYPE_CHECKING:
    from collections.abc import Callable

_FAULTS: dict[str, Callable[[raw.Connection], None]] = {
    "reset before reading": raw.reset_before_reading,
    "reset after reading": raw.reset_after_reading,
    "hung up": raw.hang_up,
    "silence": raw.say_nothing,
    "stalled body": raw.stall,
    "cut body": raw.cut_body,
    "cut chunks": raw.cut_chunks,
    "cut head": raw.cut_head,
    "no HTTP": raw.no_http,
}
_AT_ONCE = Retries(first_wait=0)


@pytest.fixture(params=[SYNC, ASYNC, AIOHTTP], ids=str)
def flavour(request: pytest.FixtureRequest) -> Flavour:
    """Calls that wait, calls that are awaited, and those that go out by aiohttp."""
    chosen: Flavour = request.param
    return chosen


def _timeout(fault: str) -> float:
    # Only these two are meant to run into it; the others must not, however busy the machine is.
    return 0.2 if fault in {"silence", "stalled body"} else 20.0


@pytest.mark.parametrize("call", [RUN, RESULTS], ids=str)
@pytest.mark.parametrize("fault", _FAULTS)
def test_what_may_have_arrived_is_sent_again_only_if_it_starts_nothing(
    fault: str, call: Call, flavour: Flavour
) -> None:
    """After a broken exchange a run stays in doubt and is sent once; a question is asked again."""
    with raw.RawServer(_FAULTS[fault], raw.answer(*call.success)) as server:
        settings = {"base_url": server.url, "retries": _AT_ONCE, "timeout": _timeout(fault)}
        if call.starts_something:
            with pytest.raises(MaybeSent) as caught:
                flavour.once(call, **settings)
            error = caught.value
            assert error.may_have_run
            assert (error.operation, error.status, error.response) == (call.operation, None, None)
            assert "may have started a run" in str(error)
        else:
            assert type(flavour.once(call, **settings)).__name__ == call.model
        assert server.connections == (1 if call.starts_something else 2)
        assert len(server.requests) == server.connections - (fault == "reset before reading")


@pytest.mark.parametrize("fault", ["reset after reading", "cut body"])
def test_a_fault_that_stays_ends_after_the_last_try(fault: str, flavour: Flavour) -> None:
    """Tries are bounded, and a question that was never answered has started nothing."""
    with raw.RawServer(_FAULTS[fault]) as server:
        with pytest.raises(MaybeSent) as caught:
            flavour.once(RESULTS, base_url=server.url, retries=_AT_ONCE)
        assert server.connections == 3
    assert not caught.value.may_have_run


def test_a_refused_connection_is_tried_again(call: Call, flavour: Flavour) -> None:
    """What was never sent can be sent as soon as somebody listens, whatever it starts."""
    with raw.RawServer(raw.answer(*call.success), listening=False) as server:
        later = threading.Timer(0.2, server.listen)
        later.start()
        policy = Retries(further_tries=1_000, first_wait=0.02, longest_wait=0.02)
        result = flavour.once(call, base_url=server.url, retries=policy)
        later.join()
        assert type(result).__name__ == call.model
        assert server.connections == 1


def test_a_refused_connection_that_stays_is_not_sent(call: Call, flavour: Flavour) -> None:
    """The error says that nothing has been sent and that the call may be repeated."""
    with raw.RawServer(raw.hang_up, listening=False) as server, pytest.raises(NotSent) as caught:
        flavour.once(call, base_url=server.url, retries=_AT_ONCE)
    error = caught.value
    assert (error.operation, error.status, error.response, error.request_id) == (call.operation, None, None, None)
    assert not error.may_have_run
    assert "may be repeated" in str(error)


def test_a_failed_handshake_is_not_sent(call: Call, flavour: Flavour) -> None:
    """Where TLS doesn't come about, no byte of the request has left."""

    def no_tls(connection: raw.Connection) -> None:
        connection.send(b"this is no TLS at all\r\n")
        connection.wait_for_the_end()

    with raw.RawServer(no_tls) as server, pytest.raises(NotSent):
        flavour.once(call, base_url=server.url.replace("http:", "https:"), retries=0)
    assert server.connections == 1


def test_a_full_pool_is_not_sent() -> None:
    """Waiting in vain for a free connection sends nothing."""
    with raw.RawServer(raw.say_nothing) as server:
        limits, timeout = httpx.Limits(max_connections=1), httpx.Timeout(0.5, pool=0.1)
        with httpx.Client(limits=limits, timeout=timeout) as http:
            client = PromptLayer(api_key=KEY, base_url=server.url, http_client=http, retries=0)
            started = threading.Event()
            outcomes: list[BaseException] = []

            def occupy() -> None:
                started.set()
                with pytest.raises(MaybeSent) as caught:
                    client.run_workflow("first")
                outcomes.append(caught.value)

            thread = threading.Thread(target=occupy)
            thread.start()
            while not server.requests:
                started.wait(0.01)
            with pytest.raises(NotSent):
                client.run_workflow("second")
            thread.join()
        assert len(outcomes) == 1
        assert len(server.requests) == 1


@pytest.mark.parametrize("brought", [False, True], ids=["ours", "brought"])
@pytest.mark.parametrize("status", [302, 307])
def test_a_redirect_is_never_followed(call: Call, status: int, brought: bool) -> None:  # noqa: FBT001
    """Neither our client nor one that follows redirects by itself carries the key to another address."""
    with raw.RawServer(raw.answer(*call.success)) as other:
        elsewhere = raw.answer(status, {"a": 1}, location=f"{other.url}/elsewhere")
        with raw.RawServer(elsewhere) as server:
            with (
                httpx.Client(follow_redirects=True, verify=False) as http,  # noqa: S501 - plain http
                pytest.raises(StatusError) as caught,
            ):
                SYNC.once(call, base_url=server.url, http_client=http if brought else None, retries=_AT_ONCE)
            assert server.connections == 1
        assert other.connections == 0
    assert caught.value.status == status
    assert caught.value.body == {"a": 1}
    assert "redirect" in str(caught.value)


def test_a_redirect_is_never_followed_by_asyncio(call: Call) -> None:
    """The same for asyncio."""
    with raw.RawServer(raw.answer(*call.success)) as other:
        with raw.RawServer(raw.answer(307, {}, location=other.url)) as server, pytest.raises(StatusError):
            ASYNC.once(call, base_url=server.url)
        assert other.connections == 0


@pytest.mark.parametrize(
    "location", ["https://😇/", "http://xn--", "http://[", "//", "", "http://example.com/" + "a" * 66_000],
    ids=lambda text: ascii(text)[:20],
)  # fmt: skip
@pytest.mark.parametrize("call", [RUN, RESULTS], ids=str)
def test_a_redirect_to_nowhere_is_a_status_like_any_other(location: str, call: Call) -> None:
    """A location that is no address is none of our business: the status is told, and no parser's error leaks."""
    with raw.RawServer(raw.answer(302, {}, location=location)) as server:
        with pytest.raises(StatusError) as caught:
            SYNC.once(call, base_url=server.url, retries=_AT_ONCE)
        assert server.connections == 1
    assert caught.value.status == 302


@pytest.mark.parametrize("location", ["https://😇/", "http://xn--", "/\x01"], ids=ascii)
@pytest.mark.parametrize("call", [RUN, RESULTS], ids=str)
def test_a_redirect_to_nowhere_is_no_lost_reply_in_a_client_of_the_users(location: str, call: Call) -> None:
    """There httpx fails before the status can be told; that a reply came is known all the same."""
    sent = []

    def redirect(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(302, headers=[(b"location", location.encode())])

    http = httpx.Client(transport=httpx.MockTransport(redirect))
    with pytest.raises(ContractBroken):
        SYNC.make(call, SYNC.client(call.service, http_client=http, retries=_AT_ONCE))
    assert len(sent) == 1


def test_one_pool_serves_a_client_and_its_views() -> None:
    """A view sends on the connections of its original."""

    def keep_alive(connection: raw.Connection) -> None:
        body = b"null"
        head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n".encode()
        for _ in range(3):
            connection.read()
            connection.send(head + body)

    with raw.RawServer(keep_alive) as server, SYNC.client("promptlayer", base_url=server.url) as client:
        for each in (client, client.with_options(timeout=5), client.with_options(headers={"x-a": "b"})):
            assert SYNC.make(RESULTS, each).value is None
        assert server.connections == 1
        assert len(server.requests) == 3


def test_our_own_requests_say_who_asks() -> None:
    """A request tells the client and its version, and carries exactly one of each header."""
    with raw.RawServer(raw.answer(*RUN.success)) as server:
        SYNC.once(RUN, base_url=server.url, headers={"X-Own": "1"})
        head = server.requests[0].partition(b"\r\n\r\n")[0].decode().lower().split("\r\n")
    names = [line.partition(":")[0] for line in head[1:]]
    assert len(names) == len(set(names))
    agent = next(line for line in head if line.startswith("user-agent:"))
    assert agent.startswith("user-agent: workflow-runs/")
    assert f"x-api-key: {KEY}" in head


@pytest.mark.parametrize("behaviour", [raw.reset_after_reading, raw.cut_body], ids=["reset", "cut"])
def test_network_errors_can_be_pickled(behaviour: Callable[[raw.Connection], None]) -> None:
    """An error travels to another process with everything it says."""
    with raw.RawServer(behaviour) as server, pytest.raises(MaybeSent) as caught:
        SYNC.once(RUN, base_url=server.url)
    copy = pickle.loads(pickle.dumps(caught.value))  # noqa: S301 - our own bytes
    assert type(copy) is MaybeSent
    assert str(copy) == str(caught.value)
    assert copy.may_have_run


def test_an_asyncio_client_is_closed_with_its_block() -> None:
    """Nothing is left open: an unclosed socket would fail this test as a warning."""
    with raw.RawServer(raw.answer(*RUN.success)) as server:
        for _ in range(2):
            ASYNC.once(RUN, base_url=server.url)
        assert server.connections == 2
