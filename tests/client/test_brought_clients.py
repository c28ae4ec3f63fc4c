"""An httpx client of the caller's own: what it brings along is at work, and what breaks below it ends typed."""

from __future__ import annotations

import logging
import ssl
from typing import Any

import httpx
import pytest
from client_calls import KEY, RESULTS, RUN, SYNC, Call, Flavour, Wire, reply
from raw_server import RawServer

from workflow_runs import BadArgument, ContractBroken, MaybeSent, NotSent, Retries, WorkflowRunsError


def _hook(flavour: Flavour, work: Any) -> Any:
    async def awaited(argument: Any) -> None:
        work(argument)

    return work if flavour is SYNC else awaited


def _raising(error: Exception) -> Any:
    def work(_: Any) -> Any:
        raise error

    return work


@pytest.mark.parametrize("params", [{"team": "a b", "n": "1"}, [("team", "a b"), ("n", "1")], "team=a+b&n=1"], ids=type)
def test_its_query_comes_after_ours(params: Any, flavour: Flavour) -> None:
    """A client's own query parameters are added to those of the call, none of which gets lost."""
    wire = Wire(RESULTS.ok(), RUN.ok())
    http = flavour.http(transport=httpx.MockTransport(wire), params=params)
    client = flavour.client("promptlayer", http_client=http)
    flavour.make(RESULTS, client.with_options(extra_query={"x": "y&z"}))
    flavour.make(RUN, client)
    asked, started = (request.url.query.decode() for request in wire.requests)
    assert asked == "workflow_version_execution_id=98765&return_all_outputs=true&x=y%26z&team=a+b&n=1"
    assert started == "team=a+b&n=1"


def test_its_query_is_masked_too(flavour: Flavour, caplog: pytest.LogCaptureFixture) -> None:
    """A gateway's token in the client's own query is a secret like any other."""
    caplog.set_level(logging.DEBUG)
    wire = Wire(reply(400, {"message": "no gateway-token-1"}))
    http = flavour.http(transport=httpx.MockTransport(wire), params={"token": "gateway-token-1"})
    with pytest.raises(WorkflowRunsError) as caught:
        flavour.make(RUN, flavour.client("promptlayer", http_client=http))
    assert "HTTP Request" in caplog.text
    assert "gateway-token" not in caplog.text + str(caught.value) + repr(caught.value.response)


def test_its_cookies_come_and_go(flavour: Flavour) -> None:
    """A session that a gateway begins goes on with the next call, unless the call brings a cookie header of its own."""
    wire = Wire(httpx.Response(201, headers={"set-cookie": "session=1"}, json=RUN.success[1]))
    client = flavour.client("promptlayer", http_client=flavour.http(transport=httpx.MockTransport(wire)))
    for each in (client, client, client.with_options(headers={"cookie": "own=2"})):
        flavour.make(RUN, each)
    assert [request.headers.get("cookie") for request in wire.requests] == [None, "session=1", "own=2"]


def test_its_mounts_are_used(flavour: Flavour) -> None:
    """A transport that is mounted for the service's host takes its requests."""
    other, mounted = Wire(httpx.Response(500)), Wire(RUN.ok())
    http = flavour.http(
        transport=httpx.MockTransport(other), mounts={"https://api.promptlayer.com": httpx.MockTransport(mounted)}
    )
    flavour.make(RUN, flavour.client("promptlayer", http_client=http))
    assert mounted.only.url.host == "api.promptlayer.com"
    assert other.requests == []


def test_it_may_answer_a_challenge(flavour: Flavour) -> None:
    """Digest authentication takes two requests, of which the first is refused before anything starts."""
    challenge = {"www-authenticate": 'Digest realm="gateway", nonce="n", qop="auth", algorithm=MD5'}
    wire = Wire(httpx.Response(401, headers=challenge), RUN.ok())
    http = flavour.http(transport=httpx.MockTransport(wire), auth=httpx.DigestAuth("user", "password"))
    flavour.make(RUN, flavour.client("promptlayer", http_client=http))
    assert wire.requests[1].headers["authorization"].startswith("Digest ")
    assert [request.headers["x-api-key"] for request in wire.requests] == [KEY, KEY]


def test_its_will_to_follow_redirects_does_not_count(call: Call, flavour: Flavour) -> None:
    """No request of ours goes where nobody sent it, not even if the client would."""
    wire = Wire(httpx.Response(307, headers={"location": "https://elsewhere.example/"}))
    http = flavour.http(transport=httpx.MockTransport(wire), follow_redirects=True)
    with pytest.raises(WorkflowRunsError) as caught:
        flavour.make(call, flavour.client(call.service, http_client=http))
    assert (caught.value.status, wire.only.url.host != "elsewhere.example") == (307, True)


@pytest.mark.parametrize(
    "lost", [ssl.SSLError("bad record"), ConnectionResetError("reset"), RuntimeError("loop closed")]
)
def test_an_error_of_the_platform_is_a_lost_reply(lost: Exception, call: Call, flavour: Flavour) -> None:
    """What httpx lets through, as it does with broken TLS under asyncio, is typed and tried again like the rest."""
    client, wire = flavour.over(call, lost, call.ok(), retries=Retries(first_wait=0))
    if call.starts_something:
        with pytest.raises(MaybeSent, match=type(lost).__name__) as caught:
            flavour.make(call, client)
        assert (caught.value.may_have_run, caught.value.__context__) == (True, None)
    else:
        flavour.make(call, client)
    assert len(wire.requests) == (1 if call.starts_something else 2)


@pytest.mark.parametrize("event", ["request", "response"])
@pytest.mark.parametrize(
    "error", [PermissionError("not now"), RuntimeError("not now"), UnicodeError("not now"), KeyError(5)]
)
def test_what_a_hook_raises_is_the_users_own(error: Exception, event: str, flavour: Flavour) -> None:
    """A hook may forbid a request in its own way: nothing is sent again, and the error is the hook's."""
    wire = Wire(RESULTS.ok())
    hooks = {event: [_hook(flavour, _raising(error))]}
    http = flavour.http(transport=httpx.MockTransport(wire), event_hooks=hooks)
    with pytest.raises(type(error)) as caught:
        flavour.make(RESULTS, flavour.client("promptlayer", http_client=http, retries=Retries(first_wait=0)))
    assert caught.value is error
    assert len(wire.requests) == (event == "response")


def test_a_hook_that_breaks_the_length_leaves_a_start_in_doubt(flavour: Flavour) -> None:
    """The head has left by then: what httpcore lets through of the library below is typed like a lost reply."""

    def lengthen(request: httpx.Request) -> None:
        request.headers["content-length"] = "9999"

    http = flavour.http(event_hooks={"request": [_hook(flavour, lengthen)]})
    lost = pytest.raises(MaybeSent, match="LocalProtocolError")
    with RawServer(lambda connection: connection.wait_for(5)) as server, lost as caught:
        flavour.once(RUN, http_client=http, base_url=server.url)
    assert caught.value.may_have_run


@pytest.mark.parametrize("error", [BrokenPipeError("gone"), RuntimeError("full"), UnicodeError("what")])
def test_what_on_reply_raises_is_the_users_own(error: Exception, flavour: Flavour) -> None:
    """So is what the client's own hook for replies raises."""
    client, wire = flavour.over(RESULTS, RESULTS.ok(), retries=Retries(first_wait=0))
    with pytest.raises(type(error)) as caught:
        flavour.make(RESULTS, client.with_options(on_reply=_raising(error)))
    assert caught.value is error
    assert len(wire.requests) == 1


def test_a_hook_that_reads_a_broken_reply_meets_what_we_would(flavour: Flavour) -> None:
    """Reading in a hook is reading: corrupt compression is the service's fault."""

    def send(request: httpx.Request) -> httpx.Response:
        headers = {"content-encoding": "gzip", "content-type": "application/json"}
        return httpx.Response(201, headers=headers, stream=httpx.ByteStream(b"no gzip"), request=request)

    async def read_async(response: httpx.Response) -> None:
        await response.aread()

    hook = httpx.Response.read if flavour is SYNC else read_async
    http = flavour.http(transport=httpx.MockTransport(send), event_hooks={"response": [hook]})
    with pytest.raises(ContractBroken, match="can't be read"):
        flavour.make(RUN, flavour.client("promptlayer", http_client=http))


def test_lines_of_http_2_are_masked(flavour: Flavour, caplog: pytest.LogCaptureFixture) -> None:
    """Under HTTP/2 the library that packs headers logs every one of them, the key included."""
    caplog.set_level(logging.DEBUG)

    def send(request: httpx.Request) -> httpx.Response:
        for name in ("hpack.hpack", "hpack.table"):
            logging.getLogger(name).debug(
                "Adding %s=%s to the table", b"x-api-key", request.headers["x-api-key"].encode()
            )
        return RUN.ok()

    flavour.make(RUN, flavour.client("promptlayer", http_client=flavour.http(transport=httpx.MockTransport(send))))
    assert caplog.text.count("Adding b'x-api-key'=b'***' to the table") == 2
    assert KEY not in caplog.text


@pytest.mark.parametrize(
    "error", [httpx.ConnectError("no"), httpx.PoolTimeout("no"), NotSent("no"), BadArgument("no", field="x")]
)
def test_what_a_hook_raises_once_there_is_a_reply_starts_nothing_again(error: Exception, flavour: Flavour) -> None:
    """Whatever else the hook has asked for in vain: the run was started."""
    wire = Wire(RUN.ok(), RUN.ok(), RUN.ok())
    hooks = {"response": [_hook(flavour, _raising(error))]}
    http = flavour.http(transport=httpx.MockTransport(wire), event_hooks=hooks)
    client = flavour.client("promptlayer", http_client=http, retries=Retries(further_tries=2, first_wait=0.001))
    with pytest.raises(WorkflowRunsError) as caught:
        flavour.make(RUN, client)
    assert len(wire.requests) == 1
    assert caught.value is error or caught.value.may_have_run


@pytest.mark.parametrize("error", [httpx.ConnectError("no"), NotSent("no"), OSError("no"), KeyError("no")])
def test_what_on_reply_raises_comes_through(error: Exception, flavour: Flavour) -> None:
    """It is the caller's own, and no reason to start another run."""
    client, wire = flavour.over(RUN, RUN.ok(), RUN.ok(), retries=Retries(further_tries=2, first_wait=0.001))
    with pytest.raises(type(error)) as caught:
        flavour.make(RUN, client.with_options(on_reply=_raising(error)))
    assert caught.value is error
    assert len(wire.requests) == 1


def test_an_auth_that_fails_after_its_first_reply_starts_nothing_again(flavour: Flavour) -> None:
    """It may ask for a token in between, at a place that is not there."""

    class Refreshing(httpx.Auth):
        def auth_flow(self, request: httpx.Request) -> Any:
            yield request
            httpx.get("http://127.0.0.1:9/token", trust_env=False)

    wire = Wire(RUN.ok(), RUN.ok(), RUN.ok())
    http = flavour.http(transport=httpx.MockTransport(wire), auth=Refreshing())
    client = flavour.client("promptlayer", http_client=http, retries=Retries(further_tries=2, first_wait=0.001))
    with pytest.raises(MaybeSent) as caught:
        flavour.make(RUN, client)
    assert caught.value.may_have_run
    assert len(wire.requests) == 1


def test_a_name_that_makes_no_address_is_refused(flavour: Flavour) -> None:
    """Trying again would not help."""
    client, wire = flavour.over(RUN, RUN.ok(), retries=Retries(further_tries=2, first_wait=0.001))
    with pytest.raises(BadArgument, match=r"url: .*too long"):
        flavour.do(client, "run_workflow", "w" * 70_000)
    assert wire.requests == []
