"""Which of a client's keys go into a request, and where."""

from __future__ import annotations

import binascii
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

from .secret import Secret

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Credential", "Security", "chosen", "keyed_headers", "keyed_query", "wanted"]


class Credential(NamedTuple):
    """Where a key goes: a header, a query parameter or a cookie.

    Attributes:
        prefix: What stands before it; behind `Basic ` its user and password are written in base 64.
        scheme: What the contract calls it, and a mapping of keys has it under.
    """

    place: str
    name: str
    prefix: str = ""
    scheme: str = ""


Security = tuple[tuple[Credential, ...], ...]  # alternatives, each of what is needed together


def chosen(security: Security, key: Secret[Any], headers: Secret[dict[str, str]]) -> tuple[Credential, ...] | None:
    """The first alternative that there are keys for; one that needs none only if there is no other. None if none is."""
    for alternative in sorted(security, key=lambda each: not each):
        missing = [
            each for each in alternative if not (each.place == "header" and each.name.lower() in headers.reveal())
        ]
        if all(_is_given(each, key, alone=len(missing) == 1) for each in missing):
            return alternative
    return None if security else ()


def _is_given(credential: Credential, key: Secret[Any], *, alone: bool) -> bool:
    if isinstance(key.reveal(), Mapping):
        return credential.scheme in key.reveal()
    return alone and key.reveal() is not None


def wanted(security: Security) -> str:
    """What to give as the key, for who has given none that will do."""
    if any(len(alternative) == 1 for alternative in security):
        return "a key"
    names = [" and ".join(each.scheme for each in alternative) for alternative in security]
    return f"a mapping with keys for {', or '.join(names)}"


def keyed_headers(
    alternative: tuple[Credential, ...], key: Secret[Any], headers: Secret[dict[str, str]]
) -> Secret[dict[str, str]]:
    """A client's headers with the keys that go there; of two with one name the client's goes before."""
    own = {credential.name.lower(): value for credential, value in _texts(alternative, key, "header")}
    cookies = [f"{credential.name}={quote(value, safe='')}" for credential, value in _texts(alternative, key, "cookie")]
    cookies += [headers.reveal()["cookie"]] if cookies and "cookie" in headers.reveal() else []
    return Secret({**own, **headers.reveal(), **({"cookie": "; ".join(cookies)} if cookies else {})})


def keyed_query(alternative: tuple[Credential, ...], key: Secret[Any]) -> Secret[dict[str, str]]:
    """The keys that go into the query, by the parameters' names."""
    return Secret({credential.name: value for credential, value in _texts(alternative, key, "query")})


def _texts(alternative: tuple[Credential, ...], key: Secret[Any], place: str) -> Iterator[tuple[Credential, str]]:
    keys = key.reveal()
    for credential in alternative:
        value = keys.get(credential.scheme) if isinstance(keys, Mapping) else keys
        if credential.place == place and value is not None:
            yield credential, credential.prefix + (_basic(value) if credential.prefix == "Basic " else value)


def _basic(user_and_password: str) -> str:
    text = user_and_password if ":" in user_and_password else f"{user_and_password}:"
    return binascii.b2a_base64(text.encode(), newline=False).decode()
