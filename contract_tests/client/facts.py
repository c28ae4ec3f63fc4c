"""What the adapter and the wire need to know of an operation, taken from the contract."""

import re
from typing import Final
from urllib.parse import urlsplit

from contract_tests.client.adapter import OperationFacts, Scheme
from contract_tests.contract import Contract, Media, Operation
from contract_tests.coverage import member_names

PLACES: Final = ("path", "query", "header", "cookie")


def is_json(media_type: str) -> bool:
    """Whether a media type is JSON: ``application/json`` or any ``+json``."""
    essence = media_type.partition(";")[0].strip().lower()
    return essence == "application/json" or essence.endswith("+json")


def json_media(media: dict[str, Media] | None) -> Media | None:
    """Give the first JSON form of a body, None if there is none."""
    return next((found for found in (media or {}).values() if is_json(found.media_type)), None)


def request_media(operation: Operation) -> Media | None:
    """Give the JSON form of an operation's request body, None if it has none."""
    return json_media(dict(operation.body.media)) if operation.body else None


def facts_of(contract: Contract, operation: Operation) -> OperationFacts:
    """Give what an adapter may want to know."""
    declared = {place: [item for item in operation.parameters if item.location == place] for place in PLACES}
    media = request_media(operation)
    schema = media.schema if media else None
    names = tuple(member_names(contract, schema))
    return OperationFacts(
        id=operation.id,
        method=operation.method,
        path=operation.path,
        tag=operation.service,
        parameters={place: tuple(item.name for item in items) for place, items in declared.items()},
        required={place: tuple(item.name for item in items if item.required) for place, items in declared.items()},
        media_type=media.media_type if media else None,
        members=names or None,  # a body without declared members is one argument
        required_members=_required(contract, schema),
        body_required=operation.body is not None and operation.body.required,
    )


def _required(contract: Contract, schema: str | None) -> tuple[str, ...]:
    stated = contract.at(contract.follow(schema)) if schema else {}
    return tuple(stated.get("required", ())) if isinstance(stated, dict) else ()


def base_path(operation: Operation) -> str:
    """Give the path of the operation's server, which the harness's own address replaces; empty for the root."""
    server = operation.servers[0] if operation.servers else ""
    return re.sub(r"[{}]", "", urlsplit(server).path).rstrip("/")


def scheme_of(contract: Contract, operation: Operation) -> Scheme | None:
    """Give where the credentials go: the first scheme of the first alternative, None if none is needed."""
    names = [name for alternative in operation.security for name in alternative]
    if not names:
        return None
    stated = contract.at(contract.follow(f"#/components/securitySchemes/{names[0]}"))
    kind = "apiKey" if stated["type"] == "apiKey" else "http"
    return Scheme(
        kind=kind,
        location=stated.get("in", ""),
        name=stated.get("name", ""),
        scheme=stated.get("scheme", "" if kind == "apiKey" else "bearer").lower(),
    )
