"""Credentials: where the contract's security scheme puts them, and what has to stand there."""

from contract_tests.client.adapter import Scheme, user_alone
from contract_tests.http.expected_parameters import cookies_of, decode, query_pairs
from contract_tests.http.recording_server import RecordedRequest


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
