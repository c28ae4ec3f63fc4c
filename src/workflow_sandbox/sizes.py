"""How much the sandbox takes: of one request, of one node, and in all. What is more is refused in words."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from workflow_sandbox import json_text


class TooMuch(Exception):
    """The sandbox would keep more than it may. Its text is one line for a person."""


@dataclass(frozen=True)
class Sizes:
    """The bounds that a user may set.

    Attributes:
        body_bytes: Of one request's body.
        text_characters: Of one text in a body, a property's name included.
        rows: Of each kind: PromptLayer runs, Interactly runs, versions of workflows, external ids.
    """

    body_bytes: int = 16 * 1024 * 1024
    text_characters: int = 4 * 1024 * 1024
    rows: int = 1_000_000


LONGEST_NAME = 255
"""Characters of a node's name."""

MOST_NODES = 1000
"""Nodes of one version of a workflow."""

LONGEST_OUTPUT = 16 * 1024 * 1024
"""Characters of the JSON of one node's value, or of all that a turn says to its threads.

A template that repeats its variables can ask for far more.
"""


def first_long_text(value: Any, longest: int) -> tuple[str | int, ...] | None:
    """Return the location of a text, or of a property's name, that is longer than `longest`; None if there is none."""
    level: list[tuple[tuple[str | int, ...], Any]] = [((), value)]
    while level:
        for location, each in level:
            if isinstance(each, str) and len(each) > longest:
                return location
        level = [child for location, each in level for child in _children(location, each)]
    return None


def _children(location: tuple[str | int, ...], value: Any) -> Iterable[tuple[tuple[str | int, ...], Any]]:
    if isinstance(value, dict):
        for name, each in value.items():
            yield (*location, "(name)"), name
            yield (*location, name[:80]), each
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield (*location, index), each


class Room:
    """How much may still be put into one node's value."""

    def __init__(self) -> None:
        self._left = LONGEST_OUTPUT

    def take(self, text: str) -> str:
        """Return `text`, if there is room for it.

        Raises:
            ValueError: There is not.
        """
        self._left -= len(text)
        if self._left < 0:
            raise ValueError(f"Its value would have more than {LONGEST_OUTPUT} characters")
        return text

    def take_values(self, values: Iterable[Any]) -> None:
        """Take the JSON of some values, one after the other."""
        for value in values:
            self.take(json_text.encode(value))
