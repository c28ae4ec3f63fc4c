"""The way to a target: connections as its table and the environment say, and plain words where there is no way."""

import os
import re
import socket
import ssl
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final
from urllib.parse import urlsplit

import httpx

from contract_tests.http.response_reading import CONNECT_SECONDS
from contract_tests.rules import SetUpError
from contract_tests.targets import Target

HANDSHAKE_SECONDS: Final = 2.0
READ_BY_HTTPX: Final = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR")
VARIABLES: Final = (*READ_BY_HTTPX, *map(str.lower, READ_BY_HTTPX[:4]))
PASSWORD: Final = re.compile(r"//[^/@\s]*@")
# What a failure to connect says of itself, and what it means for whoever wrote the target's table.
CAUSES: Final = (
    ("CERTIFICATE_VERIFY_FAILED", "its certificate is not trusted; name its own authority in ca_file"),
    ("WRONG_VERSION_NUMBER", "the port speaks no TLS; should base_url begin with http:// ?"),
    ("record layer failure", "the port speaks no TLS; should base_url begin with http:// ?"),
    ("UNEXPECTED_EOF", "the connection ends within the TLS handshake; does the port speak TLS?"),
    ("handshake", "the TLS handshake fails; does the port speak TLS?"),
    ("Name or service not known", "its host name cannot be resolved; check base_url"),
    ("No address associated", "its host name cannot be resolved; check base_url"),
    ("name resolution", "its host name cannot be resolved; check base_url or the network"),
    ("nodename nor servname", "its host name cannot be resolved; check base_url"),
    ("timed out", "no connection comes about; check base_url, the network and proxies"),
)


def client_for(target: Target) -> httpx.Client:
    """
    Make the client for a target: proxies and certificates of the environment, unless the target is on this machine.

    Raises SetUpError if its ``ca_file``, or a variable of the environment that httpx reads, cannot be used.
    """
    local = target.is_local
    verify = _verification(target)
    # A new connection each time, as with the curl line: who closes them after each response leaves nothing in doubt.
    limits = httpx.Limits(max_keepalive_connections=0)
    hooks: Mapping[str, list[Callable[..., None]]] = {"response": [_keep_location]}
    try:
        return httpx.Client(
            follow_redirects=False, trust_env=not local, verify=verify, limits=limits, event_hooks=hooks
        )
    except Exception as error:
        words = " ".join(str(error).split())
        variable = next(_unusable(), None)
        if variable is None:
            raise
        value = PASSWORD.sub("//***@", os.environ[variable])
        raise SetUpError(
            f"target {target.name}: the environment variable {variable}={value} cannot be used: {words}"
        ) from error


def check_reachable(target: Target) -> None:
    """
    See whether anything listens at a target's address; behind a proxy only the first request can tell.

    Raises SetUpError if nothing does.
    """
    if urllib.request.getproxies() and not target.is_local:
        return
    try:
        socket.create_connection(address_of(target), CONNECT_SECONDS).close()
    except (OSError, UnicodeError) as error:
        raise unreachable(target, error) from error


def unreachable(target: Target, error: Exception) -> SetUpError:
    """Say that a target cannot be reached, and what to look at."""
    words = " ".join(str(error).split()) or type(error).__name__
    meaning = next((meaning for sign, meaning in CAUSES if sign in words), "")
    told = f"{meaning} ({words})" if meaning else words
    through = "" if target.is_local or not urllib.request.getproxies() else " through the environment's proxy"
    return SetUpError(f"target {target.name}: {target.base_url} cannot be reached{through}: {told}")


def speaks_tls(target: Target) -> bool:
    """Whether the port of a target that is written with ``http`` answers a TLS handshake."""
    if urlsplit(target.base_url).scheme != "http":
        return False
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with socket.create_connection(address_of(target), HANDSHAKE_SECONDS) as plain:
            context.wrap_socket(plain, server_hostname=address_of(target)[0]).close()
    except (OSError, ValueError):
        return False
    return True


def _keep_location(response: httpx.Response) -> None:
    """Hide where a redirect leads from httpx, which reads the address even if it does not follow it, and may fail."""
    if "location" in response.headers:
        response.extensions["location"] = response.headers.pop("location")


def context_for(target: Target) -> ssl.SSLContext | None:
    """Return how TLS is spoken with a target; None if it is not."""
    if urlsplit(target.base_url).scheme != "https":
        return None
    verify = _verification(target)
    return verify if isinstance(verify, ssl.SSLContext) else ssl.create_default_context()


def address_of(target: Target) -> tuple[str, int]:
    """Return host and port of a target."""
    parts = urlsplit(target.base_url)
    return parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)


def _verification(target: Target) -> ssl.SSLContext | bool:
    if target.ca_file is None:
        # Making a context takes longer than most checks, and a plain address on this machine needs none.
        return not target.is_local or urlsplit(target.base_url).scheme == "https"
    try:
        return ssl.create_default_context(cafile=target.ca_file)
    except (OSError, ssl.SSLError) as error:
        reason = f"target {target.name}: ca_file {target.ca_file} cannot be used: {error}"
        raise SetUpError(reason) from error


def _unusable() -> Iterator[str]:
    """Return the variables with each of which alone no client can be made."""
    for name in filter(os.environ.get, VARIABLES):
        try:
            with _alone(name):
                httpx.Client().close()
        except Exception:  # noqa: BLE001 - httpx has no one error for what it cannot use
            yield name


@contextmanager
def _alone(name: str) -> Iterator[None]:
    others = {other: os.environ.pop(other) for other in VARIABLES if other != name and other in os.environ}
    try:
        yield
    finally:
        os.environ.update(others)
