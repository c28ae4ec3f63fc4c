"""Where the contract has the key of an operation, and what a request to a target carries there."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from contract_tests.openapi.document import Contract, Operation
from contract_tests.server.models.exchange import Access
from contract_tests.targets import Target

WRONG_KEY: Final = "contract-tests-no-such-key"
BASIC: Final = "Basic "


class KeyPlace(NamedTuple):
    """Where a key stands: in a header, the query or a cookie, what it is called there, and what is before it."""

    location: str
    name: str
    prefix: str = ""


@dataclass
class Credentials:
    """
    What a request carries so that it is let in.

    Attributes:
        headers: With the secrets themselves.
        environment: The same headers as a shell has them: by the variables that hold the secrets.
        query: Name and key.
        words: What stands on a curl line for the query.
        keys: What of all this is secret.
    """

    headers: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)
    words: str = ""
    keys: list[str] = field(default_factory=list)

    def put(self, place: KeyPlace, key: str, variable: str, cookies: str) -> None:
        """Put a key into its place; it is shown by the variable that holds it, if there is one."""
        self.keys.append(key)
        if place.location == "query":
            self.query[place.name] = key
            self.words = f'--url-query "{place.name}=${variable}"' if variable else ""
            return
        name, before, text, shown = place.name, place.prefix, key, f"${variable}"
        if place.location == "cookie":
            name, before, text = "Cookie", f"{cookies}; " * bool(cookies) + f"{place.name}=", quote(key, safe="")
        elif place.prefix == BASIC:
            user = "" if ":" in key else ":"  # a user alone has an empty password
            text, shown = b64encode(f"{key}{user}".encode()).decode(), f'$(printf %s{user} "${variable}" | base64 -w0)'
            self.keys.append(text)
        self.headers[name] = before + text
        if variable:
            self.environment[name] = before + shown


def credentials_of(
    target: Target, contract: Contract, operation: Operation, access: Access, cookies: str
) -> Credentials:
    """Return what a request to a target carries; ``cookies`` are those that it has already."""
    # Secret headers are sent in any case: they say who asks, the key says that he may.
    named = target.headers_env.items()
    made = Credentials({name: target.secrets[env] for name, env in named}, {name: f"${env}" for name, env in named})
    made.keys += [value.rpartition(" ")[2] for value in made.headers.values()]
    if access in {Access.NO_KEY, Access.NEAR_KEY}:
        return made
    variable = "" if access is Access.WRONG_KEY else target.api_key_env
    for place in key_places(contract, operation):
        made.put(place, target.secrets[variable] if variable else WRONG_KEY, variable, cookies)
    return made


def key_places(contract: Contract, operation: Operation) -> list[KeyPlace]:
    """Return where the key of an operation goes: in all places of the first alternative for which a key is enough."""
    for alternative in operation.security:
        schemes = [contract.at(contract.follow(f"#/components/securitySchemes/{name}")) for name in alternative]
        places = [place for scheme in schemes if (place := _place_of(scheme)) is not None]
        if places and len(places) == len(schemes):
            return places
    return [KeyPlace("header", "Authorization", "Bearer ")]


def _place_of(scheme: Mapping[str, Any]) -> KeyPlace | None:
    match scheme:
        case {"type": "apiKey", "in": location, "name": name}:
            return KeyPlace(location, name)
        case {"type": "http", "scheme": word} if word.lower() in {"basic", "bearer"}:
            return KeyPlace("header", "Authorization", f"{word.capitalize()} ")
        case {"type": "oauth2" | "openIdConnect"}:
            return KeyPlace("header", "Authorization", "Bearer ")
    return None
