"""Which class a response's body, and what lies in it, should be of, as far as the contract names one."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from contract_tests.openapi.discriminators import named_branch, tags_of
from contract_tests.openapi.document import Contract, join
from contract_tests.openapi.schema import alternatives, branches, children
from contract_tests.openapi.validation import UNIONS

COMPONENTS: Final = "#/components/schemas/"
ALL: Final = ("allOf",)
BUILT_IN: Final = frozenset({"dict", "list", "str", "int", "float", "bool", "NoneType", "tuple", "mappingproxy"})


@dataclass(frozen=True)
class NamedPlace:
    """An object in a response that the contract names."""

    place: str  # JSON pointer in the data
    schema: str  # pointer of the schema there, references followed
    names: set[str]  # names of the contract's objects that it may be taken for
    is_choice: bool  # whether the schema is one of several named objects


def named_places(contract: Contract, schema: str, value: Any, place: str = "") -> Iterator[NamedPlace]:
    """Return the objects in a value for which the contract claims a name, outer ones first."""
    pointer = contract.follow(schema)
    forms = list(forms_of(contract, pointer, value))
    names = [_names(contract, form) for form in forms]
    if isinstance(value, dict) and forms and all(names):
        has_branches = bool(branches(contract, pointer, UNIONS))
        outer = {_component(pointer)} - {""} if has_branches else set()
        yield NamedPlace(place, pointer, outer.union(*names), has_branches and len(forms) == 1)
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for token, member in inner:
        described = [child for form in forms for child in _children(contract, form, token)]
        # What one form leaves open, or two describe differently, is claimed by none.
        if len(described) == len(forms) and len(set(described)) == 1:
            yield from named_places(contract, described[0], member, join(place, token))


def forms_of(contract: Contract, schema: str, value: Any) -> Iterator[str]:
    """Return the schemas without alternatives that a value fits; where a discriminator names one, that alone."""
    pointer = contract.follow(schema)
    forms = branches(contract, pointer, UNIONS)
    if not forms:
        yield pointer
        return
    if tags_of(contract, pointer) and (named := named_branch(contract, pointer, value)) is not None:
        forms = [named]
    for branch in forms:
        if contract.is_valid(value, branch):
            yield from forms_of(contract, branch, value)


def _children(contract: Contract, schema: str, token: str | int) -> list[str]:
    """Return the schemas that an object, with all that it is put together of, has for a member."""
    return [child for part in alternatives(contract, schema, ALL) for child in children(contract, part, token)]


def _names(contract: Contract, pointer: str) -> set[str]:
    """
    Return the names of an object, its own and its title; none if the contract claims none for it.

    What does nothing but narrow down one other object may have that one's class as well.
    """
    node = contract.at(pointer)
    if not _component(pointer) or not any(
        contract.at(part).get("properties") for part in alternatives(contract, pointer, ALL)
    ):
        return set()
    whole = branches(contract, pointer, ALL)
    narrowed = _names(contract, contract.follow(whole[0])) if len(whole) == 1 and not node.get("properties") else set()
    return {_component(pointer), str(node.get("title", ""))} - {""} | narrowed


def _component(pointer: str) -> str:
    name = pointer.removeprefix(COMPONENTS) if pointer.startswith(COMPONENTS) else ""
    return "" if "/" in name else name


def may_be_called(type_name: str, names: set[str]) -> bool:
    """Whether a class has one of these names, whatever its language makes of capitals and underscores."""
    return _plain(type_name) in {_plain(name) for name in names}


@cache
def _plain(name: str) -> str:
    return "".join(char for char in name if char.isalnum()).lower()
