"""
The Python names that openapi-python-client gives to names of a contract.

Worked out here once more, on purpose: a harness that asked the generated code for the names would share its mistakes.
"""

import builtins
import keyword
import re
from typing import Final

RESERVED: Final = (set(dir(builtins)) | {"self", "true", "false", "datetime"}) - {"id"}
PREFIX: Final = "field_"


def python_name(name: str) -> str:
    """Return the argument or method name: snake case, no reserved word, always an identifier."""
    kept = _kept(name)
    snake = "_".join(_words(kept)).lower()
    if snake in RESERVED or keyword.iskeyword(snake):
        snake += "_"
    return snake if snake.isidentifier() and not kept.startswith("_") else PREFIX + snake


def class_name(name: str) -> str:
    """Return the class name: each word with a capital, words that are all capitals as they are."""
    return "".join(word if word.isupper() else word.capitalize() for word in _words(_kept(name)))


def _kept(name: str) -> str:
    return "".join(char for char in name if char.isidentifier() or char.isdecimal() or char in "\\. _-")


def _words(name: str) -> list[str]:
    if any(char.isupper() for char in name):
        name = " ".join(re.split("([A-Z]?[a-z]+)", name))
    return re.findall(r"[^\\. _-]+", name)
