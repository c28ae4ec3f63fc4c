"""
YAML 1.2 and JSON as JSON values, within limits.

The values are built in one loop from the parser's events: neither nesting nor aliases can exhaust the interpreter.
"""

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NoReturn

import yaml

# Several times the size of the largest contracts that are published; the values of one take a gigabyte at most.
LARGEST: Final = 16 * 1024 * 1024
MOST_VALUES: Final = 1_000_000
# Contracts nest some forty deep; a validator takes up to eight of Python's 1,000 frames for each level.
DEEPEST: Final = 100
# No number that JSON readers can hold is longer when it is written out.
LONGEST_NUMBER: Final = 400
SHOWN: Final = 300

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TAG: Final = "tag:yaml.org,2002:"
_WORDS: Final = dict.fromkeys(("", "~", "null", "Null", "NULL")) | {
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip
_INTEGER: Final = re.compile(r"[-+]?[0-9]+|0x[0-9a-fA-F]+|0o[0-7]+")
_FLOAT: Final = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NO_NUMBER: Final = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_MERGE: Final = object()


class UnreadableError(ValueError):
    """A document that can't be read, or not within the limits; its text is one line."""


def read_file(path: Path) -> Any:
    """
    Read a YAML or JSON file.

    Raises:
        UnreadableError: It is no regular file, neither YAML nor JSON, or beyond a limit.
    """
    try:
        return read_text(_text_of(path))
    except UnreadableError as error:
        raise UnreadableError(f"{path}: {error}") from None


def read_text(text: str) -> Any:
    """
    Read YAML 1.2, of which JSON is a part.

    Raises:
        UnreadableError: It is neither, or beyond a limit.
    """
    # A YAML parser refuses JSON's escapes of characters beyond the BMP, and takes ten times as long.
    if text.lstrip()[:1] in ("{", "[") and _values_at_most(text) <= MOST_VALUES:
        try:
            value = json.loads(
                text, object_pairs_hook=_members, parse_int=_number, parse_float=_number, parse_constant=_refuse_number
            )
        except RecursionError:
            _too_deep()
        except json.JSONDecodeError:
            pass
        else:
            _check_depth(value)
            return value
    try:
        return _Builder().build(yaml.parse(text, Loader=_LOADER))
    except yaml.YAMLError as error:
        raise UnreadableError(f"is neither YAML nor JSON: {' '.join(str(error).split())[:SHOWN]}") from None


def _text_of(path: Path) -> str:
    if not path.is_file():
        raise UnreadableError("there is no such file" if not path.exists() else "is not a regular file")
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise UnreadableError(f"cannot be read: {error.strerror}") from None
    if len(content) > LARGEST:
        raise UnreadableError(f"is larger than {LARGEST:,} bytes")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableError(f"is not UTF-8: byte {error.start}") from None


def _values_at_most(text: str) -> int:
    return text.count(",") + text.count("[") + text.count("{")


def _check_depth(value: Any) -> None:
    level = [value]
    for _ in range(DEEPEST + 1):
        holders = [one for one in level if isinstance(one, dict | list)]
        level = [inner for one in holders for inner in (one.values() if isinstance(one, dict) else one)]
        if not level:
            return
    _too_deep()


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        names = [name for name, _ in pairs]
        _twice(next(name for name in made if names.count(name) > 1))
    return made


def _number(text: str) -> int | float:
    if len(text) > LONGEST_NUMBER:
        raise UnreadableError(f"a number of {len(text):,} characters is longer than {LONGEST_NUMBER}")
    whole = _INTEGER.fullmatch(text)
    base = {"0x": 16, "0o": 8}.get(text[:2], 10)
    value = int(text.removeprefix("0o"), base) if whole else float(text)
    if abs(value) > 1.7976931348623157e308:  # noqa: PLR2004 - the largest double
        _refuse_number(text)
    return value


def _refuse_number(text: str) -> NoReturn:
    raise UnreadableError(f"{text[:40]} is no number that JSON can hold")


def _twice(name: str) -> NoReturn:
    raise UnreadableError(f"the member {name[:SHOWN]!r} stands twice in one object")


def _too_deep() -> NoReturn:
    raise UnreadableError(f"is nested more than {DEEPEST} deep")


@dataclass
class _Open:
    """A list or an object whose end has not come yet."""

    value: Any
    anchor: str | None
    values_before: int
    key: Any = None
    has_key: bool = False
    merged: list[Any] = field(default_factory=list)


class _Builder:
    """Makes one JSON value of a parser's events."""

    def __init__(self) -> None:
        self._open: list[_Open] = []
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._values = 0
        self._root: list[Any] = []

    def build(self, events: Iterator[Any]) -> Any:
        """Return the value of the only document."""
        for event in events:
            self._take(event)
        if len(self._root) > 1:
            raise UnreadableError("holds more than one document")
        _check_depth(self._root)
        return self._root[0] if self._root else None

    def _take(self, event: Any) -> None:
        match event:
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                self._begin(event, {} if isinstance(event, yaml.MappingStartEvent) else [])
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                self._end()
            case yaml.ScalarEvent():
                self._count(1)
                self._add(self._anchored(_scalar(event), event.anchor, self._values - 1), event)
            case yaml.AliasEvent():
                self._alias(event)

    def _begin(self, event: Any, empty: Any) -> None:
        if event.tag not in (None, "!", f"{_TAG}{'map' if isinstance(empty, dict) else 'seq'}"):
            _refuse_tag(event.tag)
        if len(self._open) >= DEEPEST:
            _too_deep()
        self._open.append(_Open(empty, event.anchor, self._values))
        self._count(1)

    def _end(self) -> None:
        done = self._open.pop()
        for merged in done.merged:
            done.value.update({name: value for name, value in merged.items() if name not in done.value})
        self._add(self._anchored(done.value, done.anchor, done.values_before), None)

    def _alias(self, event: Any) -> None:
        if event.anchor not in self._anchors:
            raise UnreadableError(
                f"the alias *{event.anchor[:SHOWN]} stands inside of what it names, or nothing has that name"
            )
        value, count = self._anchors[event.anchor]
        self._count(count)
        _check_depth(value)
        self._add(deepcopy(value), event)

    def _anchored(self, value: Any, anchor: str | None, values_before: int) -> Any:
        if anchor is not None:
            self._anchors[anchor] = value, self._values - values_before
        return value

    def _count(self, more: int) -> None:
        self._values += more
        if self._values > MOST_VALUES:
            raise UnreadableError(f"holds more than {MOST_VALUES:,} values, those of aliases counted each time")

    def _add(self, value: Any, event: Any) -> None:
        if not self._open:
            self._root.append(value)
            return
        top = self._open[-1]
        if isinstance(top.value, list):
            top.value.append(value)
        elif not top.has_key:
            top.key, top.has_key = _key(value, event), True
        else:
            top.has_key = False
            if top.key is _MERGE:
                top.merged += _mappings(value)
            elif top.key in top.value:
                _twice(top.key)
            else:
                top.value[top.key] = value


def _key(value: Any, event: Any) -> Any:
    if isinstance(value, dict | list):
        raise UnreadableError("a member's name is a list or an object")
    if value == "<<" and isinstance(event, yaml.ScalarEvent) and event.implicit[0]:
        return _MERGE
    # A status may be written without quotes, but a member's name is always text.
    return value if isinstance(value, str) else json.dumps(value)


def _mappings(value: Any) -> list[dict[str, Any]]:
    listed = value if isinstance(value, list) else [value]
    if not all(isinstance(one, dict) for one in listed):
        raise UnreadableError("<< stands before something that is no object")
    return listed


def _scalar(event: Any) -> Any:
    text: str = event.value
    if event.tag in (None, "!"):
        return _plain(text) if event.implicit[0] else text
    kind = event.tag.removeprefix(_TAG)
    if kind in ("str", "timestamp"):
        return text
    if kind in ("int", "float", "bool", "null"):
        return _plain(text)
    return _refuse_tag(event.tag)


def _plain(text: str) -> Any:
    # The types of JSON alone: `on` and `2020-01-01` are text, `012` is no octal number, `1e3` is a number.
    if text in _WORDS:
        return _WORDS[text]
    if text[0] in "-+.0123456789":
        if _NO_NUMBER.fullmatch(text):
            _refuse_number(text)
        if _INTEGER.fullmatch(text) or _FLOAT.fullmatch(text):
            return _number(text)
    return text


def _refuse_tag(tag: str) -> NoReturn:
    raise UnreadableError(f"the tag {tag[:SHOWN]} has no meaning in JSON")
