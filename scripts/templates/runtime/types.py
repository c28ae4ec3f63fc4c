"""Values between Python and JSON: what is absent, and how an argument becomes a JSON value."""

from __future__ import annotations

import datetime
import enum
import math
import re
import sys
from collections.abc import Mapping
from reprlib import recursive_repr
from typing import Any, NamedTuple, Self

from .errors import WorkflowRunsError
from .unset import UNSET, Unset

__all__ = ["UNSET", "Moment", "Part", "Problem", "Unset", "Upload", "member_to_json", "represented", "to_json"]


class Upload(NamedTuple):
    """A file to send in a form.

    Attributes:
        content: Its bytes.
        filename: What the service is told that it is called; by default as the form's member.
        media_type: What it is, as in `image/png`.
    """

    content: bytes
    filename: str = ""
    media_type: str = ""

    def __repr__(self) -> str:
        return f"Upload({len(self.content)} bytes, {self.filename!r}, {self.media_type!r})"


class Part(str):
    """A file on its way: a text of one character for each byte, so that it can be checked like one."""

    __slots__ = ("filename", "media_type")
    filename: str
    media_type: str

    @classmethod
    def of(cls, content: bytes, filename: str = "", media_type: str = "") -> Self:
        """The file as such a text."""
        part = cls(content.decode("latin-1"))
        part.filename, part.media_type = filename, media_type
        return part


class Problem(WorkflowRunsError, ValueError):
    """A value that is not what the contract says, with its place. Never holds the value of a text.

    A call ends in `BadArgument` or `ContractBroken` instead; this one is seen only where a model is read or written
    by hand.

    Attributes:
        expected: What the contract says stands there.
        received: What stands there, without its text.
        place: Where it stands, from the outside in.
    """

    def __init__(self, expected: str, value: object = UNSET, *, received: str = "") -> None:
        self.expected = expected
        self.received = received or describe(value)
        self.place: list[str | int] = []
        super().__init__(expected)

    def under(self, key: str | int) -> Self:
        """The same problem, seen from one level further out."""
        self.place.insert(0, key)
        return self

    @property
    def path(self) -> str:
        """The place as a JSON path, `$.nodes[0].id`."""
        return "$" + "".join(f"[{key}]" if isinstance(key, int) else _member(key) for key in self.place)

    def __str__(self) -> str:
        return f"expected {self.expected}, got {self.received} @ {self.path}"


def _member(key: str) -> str:
    return f".{key}" if key.isidentifier() else f"[{key[:40]!r}]"


def describe(value: object) -> str:
    """What a value is, for a message: a text's length instead of the text, which may be a secret."""
    match value:
        case Unset() | None | bool():
            return {UNSET: "nothing", None: "null", True: "true", False: "false"}[value]
        case int() | float():
            return "a number"
        case str():
            return f"a text of {len(value)} characters"
        case Mapping():
            return f"an object of {len(value)} members"
        case list() | tuple():
            return f"a list of {len(value)} items"
        case _:
            return f"a {type(value).__name__}"


class Moment(datetime.datetime):
    """A time that a service sent, with the text it sent: spellings and fractions differ, and none gets lost.

    Attributes:
        text: As it was sent; None for a time computed from another.
    """

    text: str | None = None

    @classmethod
    def read(cls, text: str) -> Self:
        """Read a time as in 2026-01-31T12:00:00Z. A leap second counts as the last microsecond before it.

        Raises:
            ValueError: it is none.
        """
        found = re.fullmatch(_RFC_3339, text)
        if found is None:
            raise ValueError("not a time")
        date, clock, second, fraction, offset = found.groups()
        second, digits = ("59", "999999") if second == "60" else (second, (fraction or "")[:6].ljust(6, "0"))
        moment = cls.fromisoformat(f"{date}T{clock}:{second}.{digits}{offset.upper().replace('Z', '+00:00')}")
        moment.text = text
        return moment

    def __reduce_ex__(self, protocol: Any) -> Any:
        return (Moment.read, (self.text,)) if self.text else super().__reduce_ex__(protocol)


# A text, as in all modules that a first call loads: compiling it can wait for the first time that it reads.
_RFC_3339 = r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt]([0-9]{2}:[0-9]{2}):([0-9]{2})(?:\.([0-9]+))?([Zz]|[+-][0-9]{2}:[0-9]{2})"


def to_json(value: Any) -> Any:
    """A new JSON value that stands for a Python one: models, mappings, sequences, enums, dates and ids included.

    Raises:
        Problem: the value, or one inside it, has no JSON form.
    """
    kind = value.__class__
    if kind is str or kind is bool or kind is int or value is None or kind is Part:
        return value
    if kind is dict or isinstance(value, Mapping):
        return {_key(key): member_to_json(key, item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [member_to_json(index, item) for index, item in enumerate(value)]
    if hasattr(kind, "from_json") and hasattr(kind, "to_dict"):  # one of our models; others have a to_dict too
        return value.to_dict()
    return _scalar(value)


def member_to_json(key: str | int, value: Any) -> Any:
    """The same for what stands inside an object or a list, whose place a problem then tells.

    Raises:
        Problem: the value, or one inside it, has no JSON form.
    """
    try:
        return to_json(value)
    except Problem as problem:
        raise problem.under(key) from None
    except RecursionError:
        raise Problem("a value that ends", received="one that holds itself or is nested too deeply") from None


@recursive_repr()
def represented(model: Any) -> str:
    """The repr of a model: of its members those that are there, which are seldom all."""
    shown = []
    for each in type(model).__attrs_attrs__:
        value = getattr(model, each.name, UNSET)
        if value is not UNSET and (value or each.name != "additional_properties"):
            shown.append(f"{each.name}={value!r}")
    return f"{type(model).__name__}({', '.join(shown)})"


def _key(key: object) -> str:
    if not isinstance(key, str):
        raise Problem("member names that are texts", key)
    return str(key)


def _scalar(value: Any) -> Any:
    match value:
        case enum.Enum():
            return to_json(value.value)
        case str():
            return str(value)
        case int():
            return int(value)
        case float() if math.isfinite(value):
            return float(value)
        case float():
            raise Problem("a finite number", received=str(value))
        case datetime.datetime() if value.tzinfo is None:
            raise Problem("a time with an offset from UTC", received="a time without one")
        case datetime.datetime() | datetime.date():
            return getattr(value, "text", None) or value.isoformat()
        case _ if isinstance(value, getattr(sys.modules.get("uuid"), "UUID", ())):
            # Whoever has an id has loaded its module; for all others it would be a tenth of a first call's loading.
            return str(value)
        case _:
            raise Problem("a JSON value", value)
