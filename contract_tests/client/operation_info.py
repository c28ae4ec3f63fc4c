"""What the adapter and the wire need to know of an operation, taken from the contract."""

from typing import Any
from urllib.parse import urlsplit

from contract_tests.client.adapter import OperationInfo
from contract_tests.http.body_kinds import BodyKind, kind_of, request_media
from contract_tests.openapi.document import LOCATIONS, Contract, Operation
from contract_tests.openapi.schema import alternatives, branches
from contract_tests.openapi.validation import UNIONS


def facts_of(contract: Contract, operation: Operation) -> OperationInfo:
    """Return what an adapter may want to know; ``contract`` as requests see it."""
    declared = {place: [item for item in operation.parameters if item.location == place] for place in LOCATIONS}
    media = request_media(operation)
    is_flat = media is not None and kind_of(media.media_type) in {BodyKind.JSON, BodyKind.FORM, BodyKind.MULTIPART}
    forms = _forms(contract, media.schema) if media and media.schema and is_flat else None
    members = [_members(contract, form) for form in forms or ()]
    required = [_required(contract, form) for form in forms or ()]
    ordered = [name for names, needed in zip(members, required, strict=True) for name in _first(names, needed)]
    return OperationInfo(
        id=operation.id,
        method=operation.method,
        path=operation.path,
        tag=operation.service,
        parameters={place: tuple(item.name for item in items) for place, items in declared.items()},
        required={place: tuple(item.name for item in items if item.required) for place, items in declared.items()},
        media_type=media.media_type if media else None,
        # A body that may be something else than an object, or an object of any properties, is one argument.
        members=tuple(dict.fromkeys(ordered)) if members and all(members) else None,
        required_members=tuple(name for name in dict.fromkeys(ordered) if all(name in needed for needed in required)),
        body_required=operation.body is not None and operation.body.required,
        is_closed=bool(forms) and all(_is_closed(contract, form) for form in forms or ()),
        patterns=tuple(dict.fromkeys(name for form in forms or () for name in _patterns(contract, form))),
    )


def _first(names: list[str], required: set[str]) -> list[str]:
    return [*(name for name in names if name in required), *(name for name in names if name not in required)]


def _forms(contract: Contract, schema: str) -> list[str] | None:
    """Return the objects that a body may be, each as a pointer; None if it may be something else."""
    pointer = contract.follow(schema)
    node = contract.at(pointer)
    if not isinstance(node, dict):
        return None
    unions = branches(contract, pointer, UNIONS)
    if unions and not (node.get("properties") and all(_is_condition(contract.at(branch)) for branch in unions)):
        found = [_forms(contract, branch) for branch in unions]
        return None if None in found else [form for forms in found for form in forms or ()]
    is_object = node.get("type") == "object" or ("type" not in node and ("properties" in node or "allOf" in node))
    return [pointer] if is_object else None


def _is_condition(form: Any) -> bool:
    # Such a form says of an object which of its members go together, and has none of its own.
    return isinstance(form, dict) and form.keys() <= {"required", "not", "title", "description"}


def _parts(contract: Contract, form: str) -> list[dict[str, Any]]:
    own, *parts = [contract.at(pointer) for pointer in alternatives(contract, form, ("allOf",))]
    return [*parts, own]


def _members(contract: Contract, form: str) -> list[str]:
    declared = [part.get("properties", {}) for part in _parts(contract, form)]
    # What is read only has no place in a request: there its schema is `false`.
    return list(dict.fromkeys(name for members in declared for name, member in members.items() if member is not False))


def _required(contract: Contract, form: str) -> set[str]:
    return {name for part in _parts(contract, form) for name in part.get("required", ())}


def _is_closed(contract: Contract, form: str) -> bool:
    shut = ("additionalProperties", "unevaluatedProperties")
    return any(part.get(key) is False for part in _parts(contract, form) for key in shut)


def _patterns(contract: Contract, form: str) -> list[str]:
    return [name for part in _parts(contract, form) for name in part.get("patternProperties", ())]


def base_path(operation: Operation) -> str:
    """Return the path of the operation's server, which the harness's own address replaces; empty for the root."""
    server = operation.servers[0] if operation.servers else ""
    return urlsplit(server).path.rstrip("/")
