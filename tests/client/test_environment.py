"""What the environment says of proxies and certificates either holds, or is refused by name and value."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest
import raw_server as raw
from client_calls import AIOHTTP, ASYNC, RUN, SYNC, Flavour
from keeping_server import KeepingServer

from workflow_runs import BadArgument, NotSent

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_FAR = "http://api.example.invalid"


@pytest.fixture(autouse=True)
def _without_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def server() -> Iterator[KeepingServer]:
    """A service, or a proxy, that answers everything."""
    with KeepingServer() as running:
        yield running


@pytest.mark.parametrize(
    ("variable", "value", "shown"),
    [
        ("HTTPS_PROXY", "foo://user:proxy-password@127.0.0.1:1", "foo://***@127.0.0.1:1"),
        ("HTTPS_PROXY", "http://user:proxy-password@127.0.0.1:x", "http://***@127.0.0.1:x"),
        ("https_proxy", "user:proxy-p@ssword@proxy:99999", "***@proxy:99999"),
        ("HTTP_PROXY", "http://", "http://"),
        ("HTTP_PROXY", "http://proxy one:1", "http://proxy one:1"),
        ("ALL_PROXY", "http://[::1", "http://[::1"),
        ("ALL_PROXY", "socks://127.0.0.1:1", "socks://127.0.0.1:1"),
        ("ALL_PROXY", "socks5://user:proxy-password@127.0.0.1:1", "socks5://***@127.0.0.1:1"),
        ("SSL_CERT_FILE", "/does/not/exist.pem", "/does/not/exist.pem"),
        ("SSL_CERT_FILE", __file__, __file__),
        ("SSL_CERT_DIR", "/does/not/exist", "/does/not/exist"),
        ("SSLKEYLOGFILE", "/does/not/exist/keys", "/does/not/exist/keys"),
    ],
)
def test_what_cannot_be_used_is_told_by_name_and_value(
    variable: str, value: str, shown: str, flavour: Flavour, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first call ends in a refusal that shows no password."""
    monkeypatch.setenv(variable, value)
    with pytest.raises(BadArgument) as caught:
        flavour.once(RUN)
    assert f"{variable}={shown} " in str(caught.value)
    assert "proxy-p" not in str(caught.value) + repr(caught.value)
    assert caught.value.__context__ is None


def test_the_environments_proxy_is_used(
    server: KeepingServer, flavour: Flavour, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request for a host behind a proxy goes to the proxy, with the whole address."""
    monkeypatch.setenv("HTTP_PROXY", server.url)
    flavour.once(RUN, base_url=_FAR)
    assert [path for path, _ in server.requests] == [f"{_FAR}/workflows/support-agent/run"]


@pytest.mark.parametrize("flavour", [SYNC, ASYNC, AIOHTTP], ids=str)
@pytest.mark.parametrize("told", [b"", b"this is no HTTP\r\n\r\n", b"HTTP/1.1 407 No\r\ncontent-length: 0\r\n\r\n"])
def test_a_proxy_that_opens_no_tunnel_has_sent_nothing(
    told: bytes, flavour: Flavour, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever it answers: the run is not in doubt."""
    with raw.RawServer(raw.sends(told)) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        with pytest.raises(NotSent):
            flavour.once(RUN, base_url="https://api.example.invalid")
    assert [request.partition(b" ")[0] for request in proxy.requests] == [b"CONNECT"]


@pytest.mark.parametrize("flavour", [SYNC, ASYNC, AIOHTTP], ids=str)
@pytest.mark.parametrize("name", ["a..b", "x" * 70])
def test_a_proxy_whose_name_nobody_can_look_up_is_not_sent_to(
    name: str, flavour: Flavour, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python's own look-up fails with an error of texts, which is none of the reply."""
    monkeypatch.setenv("HTTP_PROXY", f"http://{name}:1")
    with pytest.raises(NotSent):
        flavour.once(RUN, base_url=_FAR)


def test_a_third_proxy_that_nothing_needs_is_no_obstacle(
    server: KeepingServer, flavour: Flavour, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Desktops set ALL_PROXY=socks:// beside the two that are used."""
    for variable in ("HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(variable, server.url)
    monkeypatch.setenv("ALL_PROXY", "socks://127.0.0.1:1")
    flavour.once(RUN, base_url=_FAR)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "entries",
    [
        "127.0.0.1",
        "fe80::/10, 127.0.0.0/8",
        "localhost 127.0.0.1",
        "10.0.0.0/99,[::1],fe80::1%eth0,*",
        "127.0.0.1:{port}",
        "127.0.0.0/8:{port}",
    ],
)
def test_addresses_that_need_no_proxy_go_without(
    entries: str, server: KeepingServer, flavour: Flavour, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NO_PROXY may name hosts, ports and ranges, of IPv6 as well, and what it can't mean is passed over."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", entries.format(port=server.url.rpartition(":")[2]))
    flavour.once(RUN, base_url=server.url)
    assert [path for path, _ in server.requests] == ["/workflows/support-agent/run"]


@pytest.mark.parametrize(
    "entries", ["example.invalid", ".example.invalid", "*.example.invalid", "api.example.invalid:80"]
)
def test_hosts_below_one_that_needs_no_proxy_go_without(
    entries: str, server: KeepingServer, flavour: Flavour, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A domain stands for all hosts in it."""
    monkeypatch.setenv("HTTP_PROXY", server.url)
    monkeypatch.setenv("NO_PROXY", entries)
    with pytest.raises(NotSent, match=r"nothing was sent to api\.example\.invalid:80 "):
        flavour.once(RUN, base_url=_FAR)
    assert server.requests == []


@pytest.mark.parametrize(
    "entries", ["ample.invalid", "127.0.0.2", "10.0.0.0/8", "fe80::/10", "api.example.invalid:8080", ""]
)
def test_other_addresses_still_go_through_the_proxy(
    entries: str, server: KeepingServer, flavour: Flavour, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An entry holds for nothing but what it names."""
    monkeypatch.setenv("HTTP_PROXY", server.url)
    monkeypatch.setenv("NO_PROXY", entries)
    flavour.once(RUN, base_url=_FAR)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("entry", "goes_by_proxy"),
    [("[::1]:9", False), ("[::1]", False), ("::1", False), ("[::1]:8080", True), ("::1:9", True), ("[::1]/128", False)],
)
def test_addresses_of_ipv6_may_have_a_port(
    entry: str, *, goes_by_proxy: bool, server: KeepingServer, flavour: Flavour, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In brackets, as in an address; without them a port would be a part of the address."""
    monkeypatch.setenv("HTTP_PROXY", server.url)
    monkeypatch.setenv("NO_PROXY", entry)
    with contextlib.nullcontext() if goes_by_proxy else pytest.raises(NotSent):
        flavour.once(RUN, base_url="http://[::1]:9")
    assert len(server.requests) == goes_by_proxy


def test_folders_of_certificates_are_used(flavour: Flavour, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One of several that is there is enough."""
    monkeypatch.setenv("SSL_CERT_DIR", f"/does/not/exist:{tmp_path}")
    with pytest.raises(NotSent):
        flavour.once(RUN, base_url="http://127.0.0.1:9")
