"""Where a callback may go: a URL's name is looked up once, judged by what it resolves to, and connected to there alone.

So a name that resolves to loopback now and elsewhere a moment later gains nothing, nor does an IPv4 address that is
written as an IPv6 one or as a plain number.
"""

import asyncio
import contextlib
import ipaddress
import socket
import threading
from dataclasses import dataclass

import httpx

_NEVER_RESOLVES = ".invalid"  # RFC 6761; generated requests are full of it
_IP = ipaddress.IPv4Address | ipaddress.IPv6Address


class NotAllowed(Exception):
    """A callback may not go there. Its text says why, without the URL."""


class NotFound(Exception):
    """A name does not resolve at the moment."""


@dataclass(frozen=True)
class Place:
    """A URL, and one of the addresses that it leads to."""

    url: httpx.URL
    address: str

    def request(self, client: httpx.AsyncClient, body: bytes, headers: dict[str, str]) -> httpx.Request:
        """Return the request that posts `body` to this address, under the URL's own name."""
        named = client.build_request("POST", self.url, content=body, headers=headers)
        host = f"[{self.address}]" if ":" in self.address else self.address
        return httpx.Request(
            "POST",
            self.url.copy_with(host=host),
            headers=named.headers,  # Host among them
            content=body,
            extensions={**named.extensions, "sni_hostname": self.url.raw_host.decode("ascii")},
        )


def url_of(text: str) -> httpx.URL:
    """Return a callback's URL.

    Raises:
        ValueError: HTTP can't use it. The text of the error says why.
    """
    try:
        url = httpx.URL(text)
    except (httpx.InvalidURL, ValueError):
        raise ValueError("not a URL that HTTP can use") from None
    if url.scheme not in {"http", "https"} or not url.host:
        raise ValueError("not an HTTP URL")
    return url


async def places(url: httpx.URL, *, anywhere: bool) -> list[Place]:
    """Return where a URL leads: loopback addresses alone unless it may be anywhere.

    Raises:
        NotAllowed: It leads elsewhere, or to nothing that could be judged.
        NotFound: It may lead anywhere, and its name does not resolve.
    """
    host = url.raw_host.decode("ascii")
    try:
        found = await _addresses(host)
    except OSError as error:
        if anywhere:
            raise NotFound(type(error).__name__) from None
        raise NotAllowed("a name that does not resolve, where a loopback address is needed") from None
    if not anywhere and not all(map(is_loopback, found)):
        raise NotAllowed("not a loopback address")
    return [Place(url, address) for address in found]


def is_loopback(address: str) -> bool:
    """Return whether an address is one of this machine's own, an IPv4 one within IPv6 included."""
    ip: _IP = ipaddress.ip_address(address)
    mapped = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None
    return (mapped or ip).is_loopback


async def _addresses(host: str) -> list[str]:
    with contextlib.suppress(ValueError):
        return [str(ipaddress.ip_address(host))]
    if host.rstrip(".").lower().endswith(_NEVER_RESOLVES):
        raise OSError(host)
    if host == "localhost":
        return ["127.0.0.1", "::1"]
    return await _look_up(host)


async def _look_up(host: str) -> list[str]:
    # On a thread that nobody waits for at the end: a lookup can take half a minute and can't be cancelled.
    loop = asyncio.get_running_loop()
    done: asyncio.Future[list[str]] = loop.create_future()

    def settle(found: list[str] | None) -> None:
        if not done.done():
            done.set_result(found) if found else done.set_exception(OSError(host))

    def work() -> None:
        found: list[str] | None = None
        with contextlib.suppress(OSError, UnicodeError):
            answers = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
            found = list(dict.fromkeys(str(answer[4][0]) for answer in answers))
        with contextlib.suppress(RuntimeError):  # the server has stopped meanwhile
            loop.call_soon_threadsafe(settle, found)

    threading.Thread(target=work, name="look up a callback's address", daemon=True).start()
    return await done
