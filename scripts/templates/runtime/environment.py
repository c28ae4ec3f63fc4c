"""What the environment says of the way to a service: proxies, addresses that go without one, certificates.

httpx reads the same variables, but fails on ranges in NO_PROXY, and on what it can't use it names no variable.
"""

from __future__ import annotations

import functools
import ipaddress
import os
import re
from urllib.parse import urlsplit
from urllib.request import getproxies

from .errors import BadArgument
from .secret import Secret

try:
    import socksio  # type: ignore[import-not-found,import-untyped,unused-ignore]
except ImportError:
    socksio = None

__all__ = ["certificates_at_fault", "exceptions", "goes_without", "proxies"]

_SCHEMES = ("http", "https", "socks5", "socks5h")
_SHOWN = 200


def proxies() -> Secret[dict[str, str]]:
    """Address of the proxy for `http://`, `https://` and `all://`, as far as there is one.

    Raises:
        BadArgument: an address can't be used.
    """
    found = _found()
    for name in found.reveal():
        fault = _fault(found.reveal()[name])
        if fault is not None:
            raise BadArgument(f"{_told(name, found)} can't be used: {fault}", field="environment")
    return Secret({f"{name}://": _whole(address) for name, address in found.reveal().items()})


def _found() -> Secret[dict[str, str]]:
    found = {name: address for name, address in getproxies().items() if name in {"http", "https", "all"} and address}
    if {"http", "https"} <= found.keys():
        # Desktops set all three, and the third to what few programs can use.
        found.pop("all", None)
    return Secret({} if "*" in exceptions() else found)


def _whole(address: str) -> str:
    return address if "://" in address else f"http://{address}"


def _fault(address: str) -> str | None:
    try:
        parts = urlsplit(_whole(address))
        is_address = bool(parts.hostname) and parts.port != 0 and bool(re.fullmatch(r"[^\s\\]+", address))
    except ValueError:
        is_address = False
    if not is_address or parts.scheme not in _SCHEMES:
        return "expected an address as in http://host:port, with http, https, socks5 or socks5h"
    if parts.scheme.startswith("socks") and socksio is None:
        return "a SOCKS proxy needs a package more: pip install 'httpx[socks]'"
    return None


def _told(name: str, found: Secret[dict[str, str]]) -> str:
    value = found.reveal()[name]
    variables = (each for each in (f"{name}_proxy", f"{name.upper()}_PROXY") if os.environ.get(each) == value)
    return f"{next(variables, f'the system setting for {name}')}={_masked(value)}"


def _masked(value: str) -> str:
    # Up to the last @, since a password may hold one that should have been escaped.
    masked = re.sub(r"^([^/]*//)?.*@", r"\1***@", value, flags=re.DOTALL)
    return ascii(masked)[1:-1][:_SHOWN]


def certificates_at_fault() -> str:
    """The variables that name certificates or a log of keys, with their values."""
    names = ("SSL_CERT_FILE" if os.environ.get("SSL_CERT_FILE") else "SSL_CERT_DIR", "SSLKEYLOGFILE")
    return " and ".join(f"{name}={ascii(os.environ[name])[1:-1][:_SHOWN]}" for name in names if os.environ.get(name))


@functools.lru_cache(maxsize=256)
def goes_without(entries: tuple[str, ...], host: str, port: int | None) -> bool:
    """Whether an address is one of those in NO_PROXY: a host and all below it, an IP address, or a range of these."""
    return any(_matches(entry, host.lower().rstrip("."), port) for entry in entries)


def exceptions() -> tuple[str, ...]:
    """What NO_PROXY names."""
    return tuple(re.split(r"[\s,;]+", getproxies().get("no", "").strip().lower()))


def _matches(entry: str, host: str, port: int | None) -> bool:
    entry = entry.rpartition("://")[2]
    has_port = re.search(r":[0-9]+$", entry) and _network(entry) is None  # ::1:80 is an address
    name, _, only = entry.rpartition(":") if has_port else (entry, "", "")
    if only and int(only) != port:
        return False
    network, address = _network(name), _network(host)
    if network is not None:
        return address is not None and address.version == network.version and address[0] in network
    name = name.removeprefix("*").strip(".")
    return bool(name) and (host == name or host.endswith(f".{name}"))


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    plain = re.sub(r"^\[([^\]]*)\](?=/|$)", r"\1", text)
    try:
        return ipaddress.ip_network(re.sub("%[^/]*", "", plain), strict=False)
    except ValueError:
        return None
