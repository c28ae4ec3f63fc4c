"""
The contract as one direction sees it: requests without what is read only, responses without what is write only.

Both stand in one schema: a strict validator would demand a ``readOnly`` property of a request, where it has no place.
"""

import copy
from collections.abc import Iterator
from typing import Any

from contract_tests.openapi.document import Contract
from contract_tests.openapi.schema import all_schemas


def request_view(contract: Contract) -> Contract:
    """Return the contract for requests: ``readOnly`` properties are neither required nor allowed."""
    return _without(contract, "readOnly")


def response_view(contract: Contract) -> Contract:
    """Return the contract for responses: ``writeOnly`` properties are neither required nor allowed."""
    return _without(contract, "writeOnly")


def is_hidden(contract: Contract, view: Contract, pointer: str) -> bool:
    """Whether a schema is one that a view shuts and the contract itself does not."""
    return view is not contract and view.at(pointer) is False and contract.at(pointer) is not False


def _without(contract: Contract, mark: str) -> Contract:
    schemas = [schema for _, schema in all_schemas(contract.document) if isinstance(schema, dict)]
    if not any(_marked_members(contract, schema, mark) for schema in schemas):
        return contract
    view = Contract(copy.deepcopy(contract.document), contract.source)
    # Inner schemas first: what is shut has nothing inside any more.
    for pointer, schema in reversed(list(all_schemas(contract.document))):
        if isinstance(schema, dict):
            _shut(view.at(pointer), set(_hidden_names(contract, schema, mark)))
    return view


def _marked_members(contract: Contract, schema: dict[str, Any], mark: str) -> list[str]:
    members = schema.get("properties")
    return [
        name for name, member in (members.items() if isinstance(members, dict) else ()) if _has(contract, member, mark)
    ]


def _has(contract: Contract, schema: Any, mark: str) -> bool:
    seen: list[str] = []
    while isinstance(schema, dict):
        if schema.get(mark) is True:
            return True
        reference = schema.get("$ref")
        if not isinstance(reference, str) or reference in seen:
            return False
        seen.append(reference)
        schema = contract.at(reference)
    return False


def _hidden_names(contract: Contract, schema: dict[str, Any], mark: str) -> Iterator[str]:
    # What one part of an allOf describes, another part may require.
    yield from _marked_members(contract, schema, mark)
    for part in schema.get("allOf", ()):
        if isinstance(part, dict):
            target = contract.at(part["$ref"]) if isinstance(part.get("$ref"), str) else part
            yield from _marked_members(contract, target, mark) if isinstance(target, dict) else ()


def _shut(schema: dict[str, Any], names: set[str]) -> None:
    for one in (schema, *(part for part in schema.get("allOf", ()) if isinstance(part, dict))):
        for name in names & one.get("properties", {}).keys():
            one["properties"][name] = False
        if isinstance(one.get("required"), list):
            one["required"] = [name for name in one["required"] if name not in names]
