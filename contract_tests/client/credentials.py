"""Credentials: where the contract's security scheme puts them, and what has to stand there."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from contract_tests.client.adapter import Scheme, user_alone
from contract_tests.http.expected_parameters import cookies_of, decode, query_pairs
from contract_tests.http.recording_server import RecordedRequest
from contract_tests.openapi.document import Contract, Operation

BY_KEY: Final = ("", "basic", "bearer")  # of the schemes of HTTP; other ones answer a challenge


def scheme_of(contract: Contract, operation: Operation) -> Scheme | None:
    """Return where the credentials go: in the first alternative that a key is enough for; None if none are needed."""
    named = [[_stated(contract, name) for name in names] for names in operation.security]
    # What a connection shows by itself is no key.
    ways = [[_scheme(*each) for each in way if each[1]["type"] != "mutualTLS"] for way in named]
    by_key = [way for way in ways if way and all(each.scheme in BY_KEY for each in way)]
    first, *others = next(iter(by_key or filter(None, ways)), [None])
    return replace(first, others=tuple(filter(None, others))) if first else None


def _stated(contract: Contract, name: str) -> tuple[str, Any]:
    return name, contract.at(contract.follow(f"#/components/securitySchemes/{name}"))


def _scheme(name: str, stated: Mapping[str, Any]) -> Scheme:
    kind = "apiKey" if stated["type"] == "apiKey" else "http"
    return Scheme(
        id=name,
        kind=kind,
        location=stated.get("in", ""),
        name=stated.get("name", ""),
        scheme=stated.get("scheme", "" if kind == "apiKey" else "bearer").lower(),
    )


def credentials_of(seen: RecordedRequest, scheme: Scheme) -> list[str]:
    """Return what stands in the place of the credentials."""
    if scheme.kind == "http":
        return seen.all("Authorization")
    if scheme.location == "query":
        return [decode(value) or "" for name, value in query_pairs(seen.target) if decode(name) == scheme.name]
    if scheme.location == "cookie":
        cookies = cookies_of(seen)
        return [cookies[scheme.name]] if scheme.name in cookies else []
    return seen.all(scheme.name)


def credentials_for(scheme: Scheme, key: str) -> str:
    """Return what has to stand there."""
    if scheme.scheme == "basic":
        return f"Basic {user_alone(key)}"
    return f"{scheme.scheme.capitalize()} {key}" if scheme.kind == "http" else key
