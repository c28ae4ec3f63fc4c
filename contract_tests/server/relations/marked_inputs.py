"""Inputs that are told from all others by a mark, and whether a text shows them as they were given."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import uuid4

TEXTS: Final[Mapping[str, str]] = {
    "letters with accents": "àÉßıİ",
    "decomposed characters": "e\u0301 A\u030a n\u0303",
    "compatibility characters": "\ufb01 \u2460 \uff12 \u210c",
    "characters beyond the basic plane": "😀 \U0001d4b3 \U00020000 👩\u200d👩\u200d👧",
    "letters of other scripts": "שלום مرحبا 日本語 ไทย",
    "characters without width": "a\u200bb\ufeffc\u00adx",
    "several spaces": "a  b \u00a0 c\td",
    "line ends": "a\r\nb\nc\u2028d",
    "signs of markup": "<b>&amp; 'x' \"y\"</b>",
    "backslashes": "\\n \\u0041 C:\\x \\\\",
    "percent signs": "%41%20 100% %s +",
    "capitals": "ABC Abc",
}
SIZES: Final = (60, 61, 64, 65, 100, 101, 255, 257, 1000, 1001, 1024, 1025, 4096, 4097, 65_536)
NULL_WORDS: Final = ("", "null", "None", "nil", "undefined")
NUMBERS: Final = (0, -1, 2**31, 2**53 - 1, 2**53 + 1, -(2**63), 0.1, -2.5, 1e-7, 1.5e300)
MANY: Final = 300
LONG_NAME: Final = 300
DEEP: Final = 20
NUMBER: Final = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.]*\d)")
ENTRY: Final = re.compile(r"(?<![\w.])10\d{3}(?![\w.]*\d)")
WORD: Final = re.compile(r"[a-z]+")
Shows = Callable[[str], bool]


def new_mark() -> str:
    """Return a word that stands in no other input."""
    return f"m{uuid4().hex[:12]}"


@dataclass(frozen=True)
class MarkedInput:
    """
    The value of an input variable.

    Attributes:
        mark: What tells it from the others; empty if nothing can.
        parts: What of it has to be seen, by name.
        kind: Whether it is a text, another JSON value or a size that is tried.
    """

    value: Any
    mark: str
    parts: Mapping[str, Shows] = field(default_factory=dict)
    kind: str = "text"

    def lost_in(self, text: str) -> Iterator[str]:
        """Yield the names of what a text does not show."""
        for name, shows in self.parts.items():
            if not shows(text):
                yield name


def plain() -> MarkedInput:
    """Return the mark alone."""
    mark = new_mark()
    return MarkedInput(mark, mark, {"the text": _contains(mark)})


def of_every_plane() -> MarkedInput:
    """Return a text that has all kinds of characters in it."""
    mark = new_mark()
    parts = {name: f"{number}<{text}>{number}" for number, (name, text) in enumerate(TEXTS.items())}
    value = f"{mark} {' '.join(parts.values())} end"
    return MarkedInput(value, mark, {name: _contains(part) for name, part in parts.items()})


def with_edges() -> MarkedInput:
    """Return a text with white space round it."""
    mark = new_mark()
    value = f" \t{mark} \n\n"
    return MarkedInput(value, mark, {"white space at the edges": _contains(value)})


def of_size(size: int) -> MarkedInput:
    """Return a text of so many characters."""
    mark = new_mark()
    steps = "".join(f"{number:07d}." for number in range(0, size, 8))
    value = f"{mark} {steps}"[: size - 1] + "Z"
    return MarkedInput(value, mark, {f"a text of {size:,} characters": _contains(value)}, kind="size")


def nested() -> MarkedInput:
    """Return an object with numbers, words, nothing, depth and many entries in it."""
    mark, deep = new_mark(), f"{new_mark()}deep"
    bottom: Any = deep
    for _ in range(DEEP):
        bottom = {"in": [bottom]}
    many = [10_000 + 7 * number % MANY for number in range(MANY)]  # all of them, in no order
    unnamed, long_name = f"{new_mark()}unnamed", f"{new_mark()}{'x' * LONG_NAME}"
    value = {
        "mark": mark,
        "numbers": list(NUMBERS),
        "truths": [True, False],
        "many": many,
        "deep": bottom,
        "text": "é 😀",
        "none": [None, {}, []],
        "": unnamed,
        long_name: 1,
    }
    parts = {
        **{f"the number {number!r}": _has_number(number) for number in NUMBERS},
        f"a list of {MANY} entries": lambda text: [int(entry) for entry in ENTRY.findall(text)] == many,
        "true and false": lambda text: {"true", "false"} <= set(WORD.findall(text.lower())),
        "a property without a name": _contains(unnamed),
        "a property with a long name": _contains(long_name),
        f"what is nested {2 * DEEP} levels deep": _contains(deep),
        "a text in an object": _has_text("é 😀"),
    }
    return MarkedInput(value, mark, parts, kind="value")


def _contains(part: str) -> Shows:
    return lambda text: part in text


def _has_text(part: str) -> Shows:
    return lambda text: part in text or json.dumps(part)[1:-1] in text


def _has_number(number: float) -> Shows:
    if isinstance(number, int):
        # Some write 7 as 7.0; what is beyond 2^53 has to be there digit by digit.
        return lambda text: re.search(rf"(?<![\w.-]){number}(?:\.0)?(?![\w.]*\d)", text) is not None
    return lambda text: any(float(one) == number for one in NUMBER.findall(text))
