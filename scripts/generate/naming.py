"""Names in Python for names of the contract: never two alike, readable, and the same in whatever order they stand.

A name that can be used as it is keeps it; of others that would be called the same, all but the first in the alphabet
get a number. Python takes some letters for others (NFKC), and so must whoever compares names.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from openapi_python_client.strings import ClassName, PythonIdentifier, pascal_case

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

PREFIX = "field_"
_LONGEST = 100
_PLACES = ("path", "query", "header", "cookie", "body", "whole body")
# What a model's class has for itself, and the built-in types that its annotations and methods are written with.
_NOT_FREE = frozenset(
    {"self", "cls", "str", "int", "float", "bool", "dict", "list", "object", "type", "frozenset"}
    | {"additional_properties", "from_dict", "from_json", "to_dict", "datetime"}
)


def identifier(name: str) -> str:
    """A name in snake case for anything that the contract calls by a text; the generator makes of it what it is."""
    made = _settled(_folded(name), lambda text: _folded(PythonIdentifier(text, PREFIX))[:_LONGEST])
    return made if made.isidentifier() else PREFIX.rstrip("_")


def _settled(name: str, make: Callable[[str], str]) -> str:
    """The name that the generator leaves as it is. Some letters it changes to and fro: then those of ASCII are left."""
    seen: set[str] = set()
    while (made := make(name)) != name:
        name = made.encode("ascii", "ignore").decode() if made in seen else made
        seen.add(made)
    return name


def class_name(name: str) -> str:
    """A name for a class, as the generator makes it of a text."""
    return as_class(as_class(name)[:_LONGEST])


def as_class(name: str) -> str:
    """The same, however long; the generator makes of it what it is."""
    made = _settled(name, lambda text: _folded(ClassName(_folded(text), PREFIX)))
    return made if made.isidentifier() else "Field"


def inner_class(parent: str, name: str) -> str:
    """A name for a class that is described inside another, or inside an operation."""
    return class_name(pascal_case(_folded(parent)) + pascal_case(_folded(name)))


def module_name(class_called: str) -> str:
    """The name of the module that holds a class; on some systems files differ by more than capitals."""
    return _folded(PythonIdentifier(class_called, PREFIX)).lower()


def attributes(names: Iterable[str]) -> dict[str, str]:
    """An attribute for each member of an object.

    >>> attributes(["a.b", "a_b", "a-b"])
    {'a_b': 'a_b', 'a-b': 'a_b_2', 'a.b': 'a_b_3'}
    """
    return unique(names, _attribute)


def unique(names: Iterable[str], plain: Callable[[str], str], key: Callable[[str], str] = str) -> dict[str, str]:
    """A name of its own for each of several: names that stay as they are first, then all others by the alphabet.

    Args:
        names: What has to be told apart.
        plain: What a name would be called if there were no others.
        key: What has to differ.
    """
    found: dict[str, str] = {}
    taken: set[str] = set()
    for name in sorted(set(names), key=lambda name: (plain(name) != name, name)):
        found[name] = free(plain(name), taken, key)
        taken.add(key(found[name]))
    return found


def free(name: str, taken: Iterable[str], key: Callable[[str], str] = str) -> str:
    """A name that is not taken, with a number behind it if it must be."""
    number, candidate = 1, name
    while key(candidate) in taken:
        number += 1
        candidate = f"{name.rstrip('_')}_{number}"
    return candidate


def arguments(wanted: Sequence[tuple[str, str]]) -> list[str]:
    """An argument for each parameter and member of a method, given by place and name.

    A name that an argument before it has gets its place in front, and if that is taken too, a number behind.
    """
    taken: dict[tuple[str, str], str] = {}

    def rank(argument: tuple[str, str]) -> tuple[bool, int, str]:
        place, name = argument
        return _argument(place, name) != name, _PLACES.index(place), name

    for place, name in sorted(wanted, key=rank):
        plain = _argument(place, name)
        others = set(taken.values())
        if plain in others and place != "whole body":
            plain = f"{place}_{plain}"
        taken[place, name] = free(plain, others)
    return [taken[argument] for argument in wanted]


def _attribute(name: str) -> str:
    made = identifier(name)
    return f"{made}_" if made in _NOT_FREE else made


def _argument(place: str, name: str) -> str:
    return "body" if place == "whole body" else identifier(name)


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text)
