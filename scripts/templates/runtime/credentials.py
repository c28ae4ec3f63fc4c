"""Which of a client's keys go into a request, and where."""

from __future__ import annotations

import binascii
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

from .secret import NOTHING, Secret

__all__ = ["Credential", "Security", "chosen", "keyed", "wanted"]


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


# Alternatives, each of what is needed together; one that needs nothing stands last.
Security = tuple[tuple[Credential, ...], ...]


def chosen(security: Security, key: Secret[Any], headers: Secret[dict[str, str]]) -> tuple[Credential, ...] | None:
    """The first alternative that there are keys for; None if there is none."""
    for alternative in security:
        missing = [each for each in alternative if each.place != "header" or each.name.lower() not in headers.reveal()]
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


def keyed(
    alternative: tuple[Credential, ...], key: Secret[Any], headers: Secret[dict[str, str]]
) -> tuple[Secret[dict[str, str]], Secret[dict[str, str]]]:
    """A client's headers with the keys that go there, of two with one name the client's, and the keys of the query."""
    keys, own = key.reveal(), headers.reveal()
    texts: dict[str, str] = {}
    query: dict[str, str] = {}
    cookies: list[str] = []
    for credential in alternative:
        value = keys.get(credential.scheme) if isinstance(keys, Mapping) else keys
        if value is None:
            continue
        text = credential.prefix + (_basic(value) if credential.prefix == "Basic " else value)
        match credential.place:
            case "header":
                texts[credential.name.lower()] = text
            case "query":
                query[credential.name] = text
            case "cookie":
                cookies.append(f"{credential.name}={quote(text, safe='')}")
    if cookies:
        own = {**own, "cookie": "; ".join([*cookies, own["cookie"]] if "cookie" in own else cookies)}
    return Secret({**texts, **own}), Secret(query) if query else NOTHING


def _basic(user_and_password: str) -> str:
    text = user_and_password if ":" in user_and_password else f"{user_and_password}:"
    return binascii.b2a_base64(text.encode(), newline=False).decode()
