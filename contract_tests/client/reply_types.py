"""Which class a reply's body should be of, as far as the contract names one."""

from typing import Any

from contract_tests.contract import Contract, join

COMPONENTS = "#/components/schemas/"


def named_types(contract: Contract, schema: str, value: Any) -> set[str] | None:
    """
    Give the names of the contract's objects that a value may be taken for.

    Returns:
        None if the contract claims nothing: the value is no object, or an unnamed form fits it as well.
    """
    if not isinstance(value, dict):
        return None
    pointer = contract.follow(schema)
    name = pointer.removeprefix(COMPONENTS) if pointer.startswith(COMPONENTS) else ""
    node = contract.at(pointer)
    if not isinstance(node, dict):
        return None
    branches = [join(pointer, key, index) for key in ("anyOf", "oneOf") for index in range(len(node.get(key, ())))]
    if branches:
        return _of_branches(contract, branches, value, name)
    return {name} if name and "/" not in name and node.get("properties") else None


def _of_branches(contract: Contract, branches: list[str], value: Any, name: str) -> set[str] | None:
    names = {name} - {""}
    for branch in branches:
        if contract.is_valid(value, branch):
            found = named_types(contract, branch, value)
            if found is None:
                return None
            names |= found
    return names


def may_be_called(type_name: str, names: set[str]) -> bool:
    """Whether a class has one of these names, whatever its language makes of capitals and underscores."""
    return _plain(type_name) in {_plain(name) for name in names}


def _plain(name: str) -> str:
    return "".join(char for char in name if char.isalnum()).lower()
