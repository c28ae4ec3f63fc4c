"""How a client is set up, viewed with other options, shared and closed."""

from __future__ import annotations

import asyncio
import json
import math
import pickle
from typing import Any

import httpx
import pytest
from client_calls import ASYNC, EXECUTE, INTERACTLY_URL, KEY, RESULTS, RUN, SYNC, Call, Flavour, Wire, reply

from workflow_runs import AsyncPromptLayer, BadArgument, Interactly, PromptLayer, Retries, ServerError


def test_the_environment_gives_key_and_address(monkeypatch: pytest.MonkeyPatch, flavour: Flavour) -> None:
    """Without keywords both services read their own two variables."""
    for service, header in (("promptlayer", "x-api-key"), ("interactly", "authorization")):
        monkeypatch.setenv(f"{service.upper()}_API_KEY", "from-environment")
        monkeypatch.setenv(f"{service.upper()}_BASE_URL", "https://example.com/base/")
        call = RUN if service == "promptlayer" else EXECUTE
        client, wire = flavour.over(call, call.ok(), api_key=None, base_url=None)
        flavour.make(call, client)
        assert client.base_url == "https://example.com/base"
        assert wire.only.url.path.startswith("/base/")
        assert wire.only.headers[header].endswith("from-environment")


def test_keywords_go_before_the_environment(monkeypatch: pytest.MonkeyPatch, flavour: Flavour) -> None:
    """What is given in code wins."""
    monkeypatch.setenv("PROMPTLAYER_API_KEY", "from-environment")
    monkeypatch.setenv("PROMPTLAYER_BASE_URL", "https://environment.example")
    client, wire = flavour.over(RUN, RUN.ok(), base_url="https://given.example")
    flavour.make(RUN, client)
    assert wire.only.url.host == "given.example"
    assert wire.only.headers["x-api-key"] == KEY


@pytest.mark.parametrize("present", [{}, {"PROMPTLAYER_API_KEY": ""}], ids=["absent", "empty"])
def test_no_key_names_its_variable(present: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing key is found when the client is made, and the error says where to put it."""
    for name, value in present.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(BadArgument, match="PROMPTLAYER_API_KEY") as caught:
        PromptLayer()
    assert caught.value.field == "api_key"


@pytest.mark.parametrize(("field", "value"), [("api_key", "pl_key\n"), ("base_url", "example.com:80")])
def test_what_the_environment_gives_is_refused_by_its_name(
    field: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody has written an argument of that name."""
    monkeypatch.setenv("PROMPTLAYER_API_KEY", KEY)
    monkeypatch.setenv(f"PROMPTLAYER_{field.upper()}", value)
    with pytest.raises(BadArgument, match=f"PROMPTLAYER_{field.upper()}") as caught:
        PromptLayer()
    assert caught.value.field == field
    assert value.strip() not in str(caught.value)


def test_interactly_has_no_address_of_its_own() -> None:
    """Only a QA address is documented: nobody lands there by accident."""
    with pytest.raises(BadArgument, match="INTERACTLY_BASE_URL") as caught:
        Interactly(api_key=KEY)
    assert caught.value.field == "base_url"


def test_promptlayer_has_the_documented_address() -> None:
    """Production is the default."""
    assert PromptLayer(api_key=KEY).base_url == "https://api.promptlayer.com"


@pytest.mark.parametrize(
    "base_url",
    ["", "example.com", "ftp://example.com", "https://", "//example.com", "http://user@example.com",
     "http://u:p@example.com", "http://example.com?a=b", "http://example.com#a", "http://example.com:99999",
     "http://[::1", "http://exa\nmple.com", 5, b"http://example.com",
     "http://example.com/?", "http://example.com#", "http://exa mple.com", " http://example.com", "http://xn--a"],
    ids=ascii,
)  # fmt: skip
def test_an_unusable_address_is_refused(base_url: Any) -> None:
    """What is no plain http or https address is found when the client is made."""
    with pytest.raises(BadArgument) as caught:
        PromptLayer(api_key=KEY, base_url=base_url)
    assert caught.value.field == "base_url"


@pytest.mark.parametrize(
    ("base_url", "address"),
    [
        ("http://example.com/", "http://example.com/workflows/support-agent/run"),
        ("http://example.com:8080/a/b//", "http://example.com:8080/a/b/workflows/support-agent/run"),
        ("http://[::1]:80", "http://[::1]/workflows/support-agent/run"),
        ("HTTPS://EXAMPLE.com", "https://example.com/workflows/support-agent/run"),
    ],
)
def test_paths_are_added_to_the_address(base_url: str, address: str) -> None:
    """The base URL's own path stays in front, with one slash between."""
    client, wire = SYNC.over(RUN, RUN.ok(), base_url=base_url)
    SYNC.make(RUN, client)
    assert str(wire.only.url) == address


@pytest.mark.parametrize("api_key", ["", " key", "key\n", "ke\ny", "schlüssel", 5, b"key"], ids=ascii)
def test_an_unusable_key_is_refused_and_not_shown(api_key: Any) -> None:
    """A key has to fit into a header; the error doesn't quote it."""
    with pytest.raises(BadArgument) as caught:
        PromptLayer(api_key=api_key)
    assert caught.value.field == "api_key"
    assert "ke\ny" not in str(caught.value)
    assert "schl" not in str(caught.value)


@pytest.mark.parametrize(
    "timeout", [0, -1, math.nan, True, "5", math.inf, 1e10, [], {}, object()], ids=lambda value: type(value).__name__
)
def test_an_unusable_timeout_is_refused(timeout: Any) -> None:
    """Seconds above 0 that a clock can count, or an httpx.Timeout; anything else is named."""
    with pytest.raises(BadArgument) as caught:
        PromptLayer(api_key=KEY, timeout=timeout)
    assert caught.value.field == "timeout"


@pytest.mark.parametrize("retries", [-1, 1.5, "3", True, object()], ids=lambda value: type(value).__name__)
def test_an_unusable_retry_policy_is_refused(retries: Any) -> None:
    """A whole number of further tries or a policy object; anything else is named."""
    with pytest.raises(BadArgument):
        PromptLayer(api_key=KEY, retries=retries)


@pytest.mark.parametrize("name", ["further_tries", "first_wait", "longest_wait", "longest_retry_after", "total_time"])
@pytest.mark.parametrize("value", [-1, math.nan, "1", None, True], ids=repr)
def test_a_policy_refuses_what_is_no_figure(name: str, value: Any) -> None:
    """Every figure of a policy is checked under its own name."""
    figures: dict[str, Any] = {name: value}
    with pytest.raises(BadArgument) as caught:
        Retries(**figures)
    assert caught.value.field == name


@pytest.mark.parametrize(
    "headers",
    [{"a\nb": "x"}, {"x-né": "x"}, {"a b": "x"}, {"": "x"}, {"a:b": "x"}, {1: "x"}, {"x": 5}, {"x": "a\r\nb"},
     {"x": "ü"}, {"x": " a"}, "text", [("a", "b")]],
    ids=ascii,
)  # fmt: skip
def test_unusable_headers_are_refused(headers: Any) -> None:
    """A header that could not be sent as it is, or that would smuggle in another, is found at once."""
    with pytest.raises(BadArgument) as caught:
        PromptLayer(api_key=KEY, headers=headers)
    assert caught.value.field.startswith("headers")
    with pytest.raises(BadArgument):
        PromptLayer(api_key=KEY).with_options(headers=headers)


def test_headers_are_sent_with_every_request(call: Call, flavour: Flavour) -> None:
    """A client's own headers go along, and the mapping that held them is left alone."""
    headers = {"X-Team": "blue"}
    client, wire = flavour.over(call, call.ok(), headers=headers)
    flavour.make(call, client)
    assert wire.only.headers.get_list("x-team") == ["blue"]
    assert headers == {"X-Team": "blue"}


def test_a_credential_among_the_headers_wins(flavour: Flavour) -> None:
    """A key given as a header takes the place of the client's key."""
    client, wire = flavour.over(RUN, RUN.ok(), headers={"X-API-KEY": "another"})
    flavour.make(RUN, client)
    assert wire.only.headers.get_list("x-api-key") == ["another"]


def test_a_view_changes_nothing_of_the_original(flavour: Flavour) -> None:
    """Options hold for the view alone, and both share what sends."""
    client, wire = flavour.over(RUN, RUN.ok(), headers={"x-a": "1"})
    view = client.with_options(timeout=7, headers={"x-b": "2"}, extra_query={"q": ["a b", 1]}, extra_body={"new": None})
    flavour.make(RUN, view)
    flavour.make(RUN, client)
    changed, plain = wire.requests
    assert changed.url.query == b"q=a%20b&q=1"
    assert (changed.headers["x-a"], changed.headers["x-b"]) == ("1", "2")
    assert json.loads(changed.content) == {"input_variables": {"user_message": "Hi"}, "new": None}
    assert changed.extensions["timeout"] == dict.fromkeys(("connect", "read", "write", "pool"), 7)
    assert plain.url.query == b""
    assert "x-b" not in plain.headers
    assert json.loads(plain.content) == {"input_variables": {"user_message": "Hi"}}
    assert plain.extensions["timeout"]["read"] != 7


def test_views_add_up(flavour: Flavour) -> None:
    """A view of a view keeps what it does not change."""
    client, wire = flavour.over(RUN, RUN.ok())
    view = client.with_options(headers={"x-a": "1"}, extra_query={"a": "1", "b": "1"}).with_options(
        headers={"X-A": "2"}, extra_query={"b": "2"}
    )
    flavour.make(RUN, view)
    assert wire.only.headers.get_list("x-a") == ["2"]
    assert wire.only.url.query == b"a=1&b=2"


def test_extra_query_follows_the_documented_one(flavour: Flavour) -> None:
    """Parameters the contract does not know come after its own."""
    client, wire = flavour.over(RESULTS, RESULTS.ok())
    flavour.make(RESULTS, client.with_options(extra_query={"workflow_node_name": "Reply & co"}))
    assert wire.only.url.query.endswith(b"&return_all_outputs=true&workflow_node_name=Reply%20%26%20co")


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"extra_query": {"a": None}}, "extra_query"),
        ({"extra_query": {"a": object()}}, "extra_query"),
        ({"extra_query": {5: "a"}}, "extra_query"),
        ({"extra_query": 5}, "extra_query"),
        ({"extra_body": {"a": math.nan}}, "extra_body"),
        ({"extra_body": {5: "a"}}, "extra_body"),
        ({"extra_body": [1]}, "extra_body"),
    ],
    ids=range(7),
)
def test_unusable_extras_are_refused(options: Any, field: str) -> None:
    """An extra that can't be sent is named, and nothing is sent."""
    client, wire = SYNC.over(RUN, RUN.ok())
    with pytest.raises(BadArgument) as caught:
        client.with_options(**options).run_workflow("a")
    assert caught.value.field.startswith(field)
    assert wire.requests == []


def test_retries_can_be_changed_for_a_view(flavour: Flavour) -> None:
    """A view may try again where the client does not."""
    client, wire = flavour.over(RESULTS, httpx.Response(502), RESULTS.ok())
    view = client.with_options(retries=Retries(further_tries=1, first_wait=0))
    flavour.make(RESULTS, view)
    assert len(wire.requests) == 2
    with pytest.raises(ServerError):
        flavour.make(RESULTS, flavour.over(RESULTS, httpx.Response(502))[0])


def test_timeouts_are_set_by_default() -> None:
    """Nothing waits for ever unless it is told to."""
    with httpx.Client(transport=httpx.MockTransport(lambda _: RUN.ok())) as http:
        PromptLayer(api_key=KEY, http_client=http).run_workflow("a")
        assert None not in http.timeout.as_dict().values()


def test_repr_shows_no_key(flavour: Flavour) -> None:
    """What a debugger prints is harmless."""
    client = flavour.client("promptlayer", headers={"authorization": KEY, "x-other": KEY})
    for each in (client, client.with_options(headers={"cookie": KEY})):
        assert repr(each) == f"{type(client).__name__}(base_url='https://api.promptlayer.com')"
        assert KEY not in str(each)


def test_a_retry_policy_shows_its_figures() -> None:
    """A policy can be read off its repr."""
    shown = repr(Retries(further_tries=5, repeat_on_503=True))
    assert "further_tries=5" in shown
    assert "repeat_on_503=True" in shown


@pytest.mark.parametrize("flavour", [SYNC, ASYNC], ids=str)
@pytest.mark.parametrize("wrong", ["text", 5, object()], ids=lambda value: type(value).__name__)
def test_another_http_client_is_refused(flavour: Flavour, wrong: Any) -> None:
    """Only the httpx client of the same flavour fits."""
    for given in (wrong, (ASYNC if flavour is SYNC else SYNC).http()):
        with pytest.raises(BadArgument) as caught:
            flavour.client("promptlayer", http_client=given)
        assert caught.value.field == "http_client"


def test_closing_leaves_a_brought_client_open() -> None:
    """Who opened a client closes it."""
    http = httpx.Client(transport=httpx.MockTransport(lambda _: RUN.ok()))
    with PromptLayer(api_key=KEY, http_client=http) as client:
        client.run_workflow("a")
    assert not http.is_closed
    http.close()
    with pytest.raises(BadArgument, match="closed"):
        client.run_workflow("a")


def test_closing_leaves_a_brought_asyncio_client_open() -> None:
    """The same for asyncio."""

    async def check() -> None:
        http = httpx.AsyncClient(transport=httpx.MockTransport(lambda _: RUN.ok()))
        async with AsyncPromptLayer(api_key=KEY, http_client=http) as client:
            await client.run_workflow("a")
        assert not http.is_closed
        await http.aclose()
        with pytest.raises(BadArgument, match="closed"):
            await client.run_workflow("a")

    asyncio.run(check())


def test_a_closed_client_says_so() -> None:
    """After the end of its block, a client and its views refuse to send, even if they never had."""
    client = PromptLayer(api_key=KEY, base_url="http://127.0.0.1:9")
    view = client.with_options(timeout=1)
    with client:
        pass
    client.close()
    for each in (client, view):
        with pytest.raises(BadArgument, match="closed"):
            each.run_workflow("a")


def test_a_closed_asyncio_client_says_so() -> None:
    """The same for asyncio."""

    async def check() -> None:
        async with AsyncPromptLayer(api_key=KEY, base_url="http://127.0.0.1:9") as client:
            pass
        await client.aclose()
        with pytest.raises(BadArgument, match="closed"):
            await client.run_workflow("a")

    asyncio.run(check())


def test_a_brought_client_keeps_its_own_ways(flavour: Flavour) -> None:
    """Its headers, cookies, query, time-outs and hooks are at work for our requests too."""
    seen: list[str] = []

    def hook(request: httpx.Request) -> None:
        seen.append(request.url.path)

    async def async_hook(request: httpx.Request) -> None:
        seen.append(request.url.path)

    wire = Wire(RUN.ok())
    http = flavour.http(
        transport=httpx.MockTransport(wire),
        headers={"x-proxy": "p"},
        cookies={"session": "s"},
        timeout=3,
        event_hooks={"request": [hook if flavour is SYNC else async_hook]},
    )
    flavour.make(RUN, flavour.client("promptlayer", http_client=http))
    assert wire.only.headers["x-proxy"] == "p"
    assert wire.only.headers["cookie"] == "session=s"
    assert wire.only.extensions["timeout"]["read"] == 3
    assert wire.only.headers["x-api-key"] == KEY
    assert seen == ["/workflows/support-agent/run"]


def test_own_auth_of_a_brought_client_is_at_work(flavour: Flavour) -> None:
    """Basic authentication, as a gateway may ask for, goes along with the service's key."""
    wire = Wire(RUN.ok())
    http = flavour.http(transport=httpx.MockTransport(wire), auth=("user", "password"))
    flavour.make(RUN, flavour.client("promptlayer", http_client=http))
    assert wire.only.headers["authorization"].startswith("Basic ")
    assert wire.only.headers["x-api-key"] == KEY


def test_every_reply_is_handed_to_a_hook(call: Call, flavour: Flavour) -> None:
    """`on_reply` sees each raw reply, the failed tries' too, with a request that has lost its key."""
    replies: list[httpx.Response] = []
    client, _ = flavour.over(call, httpx.Response(429), call.ok())
    view = client.with_options(retries=Retries(further_tries=1, first_wait=0), on_reply=replies.append)
    flavour.make(call, view)
    assert [each.status_code for each in replies] == [429, call.success[0]]
    assert replies[1].json() == call.success[1]
    assert all(KEY not in repr(each.request.headers.raw) for each in replies)


def test_policies_can_be_pickled() -> None:
    """A policy travels to another process with its figures."""
    policy = pickle.loads(pickle.dumps(Retries(further_tries=4)))  # noqa: S301 - our own bytes
    assert repr(policy) == repr(Retries(further_tries=4))


def test_the_interactly_address_keeps_its_path() -> None:
    """The service's base URL ends in a path of its own."""
    assert Interactly(api_key=KEY, base_url=INTERACTLY_URL + "/").base_url == INTERACTLY_URL


def test_extra_members_need_an_object_as_body() -> None:
    """An operation without a body sends none, whatever the view adds to bodies."""
    client, wire = SYNC.over(RESULTS, reply(200, None))
    SYNC.make(RESULTS, client.with_options(extra_body={"a": 1}))
    assert wire.only.content == b""
