"""The keys that an operation needs, in one of several ways."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import document as doc

if TYPE_CHECKING:
    from collections.abc import Iterator

TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # of headers and cookies (RFC 9110)
_BEARERS = frozenset({"oauth2", "openIdConnect"})
_PREFIXES = {"bearer": "Bearer ", "basic": "Basic "}
# What each type of scheme has to say beside its type.
_SAID = {"apiKey": ("in", "name"), "http": ("scheme",), "oauth2": (), "openIdConnect": (), "mutualTLS": ()}
_PLACES = ("header", "query", "cookie")

Credential = tuple[str, str, str, str]  # place, name, what stands before the key, and the scheme's name


def stated(document: dict[str, Any], found: doc.Found) -> list[dict[str, Any]]:
    """An operation's security requirements, its own or else the document's."""
    requirements: list[dict[str, Any]] = found.operation.get("security", document.get("security", []))
    return requirements


def alternatives(document: dict[str, Any], found: doc.Found) -> list[list[Credential]]:
    """What has to be sent together, for each of the ways that the client can go; one that needs no key comes last."""
    ways = [
        [_credential(name, _scheme(document, name)) for name in requirement if _is_sent(document, name)]
        for requirement in stated(document, found)
        if not any(problem(document, name) for name in requirement)
    ]
    return sorted(ways, key=lambda way: not way)


def problem(document: dict[str, Any], name: str) -> str:
    """Why a scheme can't be kept; empty if it can."""
    scheme = _scheme(document, name)
    if not scheme:
        return f"the scheme {name} is declared nowhere; declare it under components/securitySchemes"
    return next(_problems(name, scheme), "")


def _problems(name: str, scheme: dict[str, Any]) -> Iterator[str]:
    """What is wrong with a scheme: the first that is found, since the others build on it."""
    kind = scheme["type"]
    if kind not in _SAID:
        yield f"the scheme {name}: {kind!r} is no type of scheme; write one of {', '.join(_SAID)}"
    elif missing := [key for key in _SAID[kind] if not scheme.get(key)]:
        yield f"the scheme {name} has no {' and no '.join(missing)}, which its type needs; complete it"
    elif kind == "http" and scheme["scheme"].lower() not in _PREFIXES:
        yield f"the scheme {name}: only basic and bearer of the schemes of HTTP are sent; name such a scheme"
    elif kind == "apiKey" and scheme["in"] not in _PLACES:
        yield f"the scheme {name}: a key goes into one of {', '.join(_PLACES)}, not into {scheme['in']!r}"
    elif kind == "apiKey" and scheme["in"] != "query" and not TOKEN.fullmatch(scheme["name"]):
        yield f"{scheme['name']!r} is no name for a {scheme['in']}; correct the scheme"


def _scheme(document: dict[str, Any], name: str) -> dict[str, Any]:
    scheme: dict[str, Any] = doc.resolve(
        document, document.get("components", {}).get("securitySchemes", {}).get(name, {})
    )
    return scheme


def _is_sent(document: dict[str, Any], name: str) -> bool:
    return _scheme(document, name)["type"] != "mutualTLS"  # that is for the connection to show


def _credential(name: str, scheme: dict[str, Any]) -> Credential:
    if scheme["type"] == "apiKey":
        return scheme["in"], scheme["name"], "", name
    return (
        "header",
        "Authorization",
        _PREFIXES["bearer" if scheme["type"] in _BEARERS else scheme["scheme"].lower()],
        name,
    )
