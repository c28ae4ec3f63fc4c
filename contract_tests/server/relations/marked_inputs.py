"""Inputs that are told from all others by a mark, and whether a text shows them as they were given."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, NamedTuple
from uuid import uuid4

from contract_tests.openapi.json_equality import Kind, cut_to_difference, differences
from contract_tests.openapi.json_text import same

TEXTS: Final[Mapping[str, str]] = {
    "letters with accents": "àÉßıİ",
    "decomposed characters": "e\u0301 A\u030a n\u0303",
    "compatibility characters": "\ufb01 \u2460 \uff12 \u210c",
    "characters beyond the basic plane": "😀 \U0001d4b3 \U00020000 👩\u200d👩\u200d👧",
    "letters of other scripts": "שלום مرحبا 日本語 ไทย",
    "characters without width": "a\u200bb\ufeffc\u00adx",
    "several spaces": "a  b \u00a0 c\td",
    "line ends": "a\r\nb\nc\u2028d\re",
    "signs of markup": "<b>&amp; 'x' \"y\"</b>",
    "backslashes": "\\n \\u0041 C:\\x \\\\",
    "percent signs": "%41%20 100% %s +",
    "capitals": "ABC Abc",
}
SIZES: Final = (60, 61, 64, 65, 100, 101, 255, 257, 1000, 1001, 1024, 1025, 4096, 4097, 65_536)
ODD_NAMES: Final = ("a.b", ".", "$set", "$", "__proto__", "constructor", "a b", "a/b", "[0]", "é", "0", "-")
NULL_WORDS: Final = ("", "null", "None", "nil", "undefined")
NUMBERS: Final = (0, -1, 2**31, 2**53 - 1, 2**53 + 1, -(2**63), 0.1, -2.5, 1e-7, 1.5e300, 0.12345678901234567, -1e21)
MANY: Final = 300
LONG_NAME: Final = 300
DEEP: Final = 20
NUMBER: Final = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.]*\d)")
ENTRY: Final = re.compile(r"(?<![\w.])10\d{3}(?![\w.]*\d)")
WORD: Final = re.compile(r"[a-z]+")
EXACT: Final = 2**53  # beyond it RFC 8259 has numbers that some read as their neighbour
WIDE: Final = "a number beyond 2^53"
Shows = Callable[[str], bool]


class Loss(NamedTuple):
    """
    A part of an input that is not shown as it was given.

    Attributes:
        sent: What was given, and ``came`` what is shown in its place, as JSON; bounded.
    """

    name: str
    sent: str
    came: str

    @property
    def told(self) -> str:
        """Both, in words."""
        return f"sent was {self.sent}, the run shows {self.came}"


def new_mark() -> str:
    """Return a word that stands in no other input."""
    return f"m{uuid4().hex[:12]}"


@dataclass(frozen=True)
class Part:
    """
    A part of an input that has to be seen.

    Attributes:
        given: It as it was given.
        between: What stands before and behind it, if that finds it in what is shown.
    """

    shows: Shows
    given: Any
    between: tuple[str, str] = ("", "")

    def came(self, text: str) -> str:
        """Return what is shown in its place."""
        before, behind = self.between
        found = re.search(f"{re.escape(before)}(.*?){re.escape(behind)}", text, re.DOTALL) if before else None
        return json.dumps(found[1] if found else text, ensure_ascii=False)


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
    parts: Mapping[str, Part] = field(default_factory=dict)
    kind: str = "text"

    def lost_in(self, text: str) -> Iterator[Loss]:
        """Yield what a text does not show."""
        for name, part in self.parts.items():
            if not part.shows(text):
                yield loss(name, part.given, part.came(text))

    def lost_in_value(self, value: Any) -> Iterator[Loss]:
        """Yield where a value differs from what was given, named by what stood there."""
        for one in differences(self.value, value):
            came = "nothing" if one.kind is Kind.MISSING else json.dumps(one.after, ensure_ascii=False)
            is_equal = one.kind is Kind.CHANGED and same(one.before, one.after)
            if not is_equal:
                yield loss(_kind_of(one.before), one.before, came)


def loss(name: str, sent: Any, came: str) -> Loss:
    """Make a loss, both sides bounded to what fits a line."""
    return Loss(name, *cut_to_difference(json.dumps(sent, ensure_ascii=False), came))


def plain() -> MarkedInput:
    """Return the mark alone."""
    mark = new_mark()
    return MarkedInput(mark, mark, {"the text": _contains(mark)})


def of_every_plane() -> MarkedInput:
    """Return a text that has all kinds of characters in it."""
    mark = new_mark()
    texts = [(name, text, (f"{number}<", f">{number}")) for number, (name, text) in enumerate(TEXTS.items())]
    value = f"{mark} {' '.join(before + text + behind for _, text, (before, behind) in texts)} end"
    parts = {
        name: Part(partial(_is_in, before + text + behind), text, (before, behind))
        for name, text, (before, behind) in texts
    }
    return MarkedInput(value, mark, parts)


def with_edges(names: Iterable[str]) -> MarkedInput:
    """Return a text with white space round it, and names in it as they stand in templates."""
    mark = new_mark()
    placeholders = "".join(f" {{{name}}} {{{{{name}}}}} ${{{name}}} {{{{ {name} }}}} <%= {name} %>" for name in names)
    placeholders += " {{ 7 * 7 }} {% if x %}y{% endif %} %(x)s {} {0}"
    value = f" \t{mark}{placeholders} \n\n"

    def is_alone(text: str) -> bool:
        # What is filled in again has the whole of it within itself.
        return text.count(f"{mark}{placeholders} \n\n") == text.count(mark) > 0

    around = Part(lambda text: f" \t{mark}" in text and " \n\n" in text, value)
    return MarkedInput(value, mark, {"white space at the edges": around, "a placeholder": Part(is_alone, placeholders)})


def of_size(size: int) -> MarkedInput:
    """Return a text of so many characters."""
    mark = new_mark()
    steps = "".join(f"{number:07d}." for number in range(0, size, 8))
    value = f"{mark} {steps}"[: size - 1] + "Z"
    return MarkedInput(value, mark, {f"a text of {size:,} characters": _contains(value)}, kind="size")


def with_null_character() -> MarkedInput:
    """Return a text in which U+0000 stands, which a database may refuse as it may refuse a size."""
    mark = new_mark()
    value = f"{mark} before \0 behind"
    return MarkedInput(value, mark, {"a text with U+0000": _contains(value)}, kind="size")


def with_odd_names() -> MarkedInput:
    """Return an object with names in it that some take for paths, operators or parts of their own."""
    mark = new_mark()
    value = {"mark": mark, **{name: {name: number} for number, name in enumerate(ODD_NAMES)}}
    return MarkedInput(value, mark, {"a property with an odd name": _contains(mark)}, kind="value")


def nested() -> MarkedInput:
    """Return an object with numbers, words, nothing, depth and many entries in it."""
    mark, deep = new_mark(), f"{new_mark()}deep"
    bottom: Any = deep
    for _ in range(DEEP):
        bottom = {"in": [bottom]}
    many = [10_000 + 7 * number % MANY for number in range(MANY)]  # all of them, in no order
    unnamed, long_name, nothing = f"{new_mark()}unnamed", f"{new_mark()}{'x' * LONG_NAME}", f"{new_mark()}nothing"
    value = {
        "mark": mark,
        "numbers": list(NUMBERS),
        "truths": [True, False, 1, 0, "true", "0"],
        "many": many,
        "deep": bottom,
        "text": "é 😀",
        "none": [None, {}, [], {nothing: None}, [None], "", [[], {}]],
        "": unnamed,
        "A": {"a": "a", "A": "A"},
        long_name: 1,
    }
    parts = {
        **{_kind_of(number) if _is_wide(number) else f"the number {number!r}": _has_number(number)
           for number in NUMBERS},
        f"a list of {MANY} entries": Part(lambda text: [int(one) for one in ENTRY.findall(text)] == many, many),
        "true and false": Part(lambda text: {"true", "false"} <= set(WORD.findall(text.lower())), [True, False]),
        "a property without a name": _contains(unnamed),
        "a property with a long name": _contains(long_name),
        "a property that is null": _contains(nothing),
        f"what is nested {2 * DEEP} levels deep": _contains(deep),
        "a text in an object": Part(_has_text("é 😀"), "é 😀"),
    }  # fmt: skip
    return MarkedInput(value, mark, parts, kind="value")


def _kind_of(given: Any) -> str:
    """Return the name of a value that is not shown as it was given."""
    if _is_wide(given):
        return WIDE
    kinds = {
        bool: "true or false",
        int: "a number",
        float: "a number",
        str: "a text",
        list: "a list",
        dict: "an object",
    }
    return kinds.get(type(given), "null")


def _is_wide(number: Any) -> bool:
    return type(number) is int and abs(number) > EXACT


def _is_in(part: str, text: str) -> bool:
    return part in text


def _contains(part: str) -> Part:
    return Part(partial(_is_in, part), part)


def _has_text(part: str) -> Shows:
    return lambda text: part in text or json.dumps(part)[1:-1] in text


def _has_number(number: float) -> Part:
    if isinstance(number, int):
        # Some write 7 as 7.0; what is beyond 2^53 has to be there digit by digit.
        form = re.compile(rf"(?<![\w.-]){number}(?:\.0)?(?![\w.]*\d)")
        return Part(lambda text: form.search(text) is not None, number)
    return Part(lambda text: any(float(one) == number for one in NUMBER.findall(text)), number)
