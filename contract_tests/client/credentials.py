"""Credentials: where the contract's security scheme puts them, and what has to stand there."""

from dataclasses import replace
from typing import Final

from contract_tests.client.adapter import Scheme, user_alone
from contract_tests.http.expected_parameters import cookies_of, decode, query_pairs
from contract_tests.http.recording_server import RecordedRequest
from contract_tests.openapi.document import Contract, Operation

BY_KEY: Final = ("", "basic", "bearer")  # of the schemes of HTTP; other ones answer a challenge


def scheme_of(contract: Contract, operation: Operation) -> Scheme | None:
    """Return where the credentials go: in the first alternative that a key is enough for; None if none are needed."""
    ways = [[*filter(None, (_scheme(contract, name) for name in names))] for names in operation.security]
    sent = [way for way in ways if way]
    by_key = [way for way in sent if all(each.scheme in BY_KEY for each in way)]
    first, *others = next(iter(by_key or sent), [None])
    return replace(first, others=tuple(filter(None, others))) if first else None


def _scheme(contract: Contract, name: str) -> Scheme | None:
    """Return where a scheme's credentials go; None if they are for the connection to show."""
    stated = contract.at(contract.follow(f"#/components/securitySchemes/{name}"))
    if stated["type"] == "mutualTLS":
        return None
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
