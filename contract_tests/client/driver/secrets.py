"""Finds the key where a client leaves it: in the log, and in what hangs on its errors, inside the client's process."""

import contextlib
import io
import logging
import re
import traceback
import warnings
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from types import FrameType, FunctionType, MemberDescriptorType, MethodType, ModuleType, TracebackType
from typing import Any, Final, Self
from urllib.parse import unquote

MOST: Final = 20_000
DEPTH: Final = 6
HARNESS: Final = Path(__file__).parents[2]
PLAIN: Final = frozenset(vars(logging.makeLogRecord({})))
CLOSED: Final = (type, ModuleType, FunctionType, MethodType, FrameType, TracebackType)
PRINTED: Final = {"standard output": contextlib.redirect_stdout, "standard error": contextlib.redirect_stderr}
SHOWN: Final = (property, cached_property, MemberDescriptorType)


def shows(text: str, secret: str) -> bool:
    """
    Whether a text shows a secret, or so much of it that the rest is soon found: half of its characters in a row.

    Escapes of JSON and of addresses hide nothing.
    """
    half = (len(secret) + 1) // 2
    parts = [secret[start : start + half] for start in range(len(secret) - half + 1)]
    return any(part in form for form in _unescaped(text) for part in parts)


def _unescaped(text: str) -> Iterator[str]:
    yield text
    if "%" in text:
        yield unquote(text)
    if "\\u" in text:
        yield re.sub(r"\\u([0-9A-Fa-f]{4})", lambda found: chr(int(found[1], 16)), text)


class LogWatch(logging.Handler):
    """
    Reads all that is logged while it is entered, from the level DEBUG, and keeps the names of loggers that tell.

    What counts is a record as handlers get it: its text, a traceback with it, and what was added as ``extra``. Warnings
    are records of the logger ``py.warnings``, as for whoever sends them to the log; what is printed ends up there too.
    Texts that are no secret, and yet not for the log, are told of apart.
    """

    def __init__(self, secret: str, inputs: Sequence[str] = ()) -> None:
        super().__init__(logging.DEBUG)
        self._secret, self._inputs = secret, inputs
        self._levels: dict[logging.Logger, int] = {}
        self._left = contextlib.ExitStack()
        self.told: list[str] = []
        self.told_inputs: list[str] = []

    def __enter__(self) -> Self:
        """Listen."""
        for logger in _ends():
            self._levels[logger] = logger.level
            logger.setLevel(logging.DEBUG)
            logger.addHandler(self)
        self._left.enter_context(warnings.catch_warnings())
        warnings.simplefilter("always")
        logging.captureWarnings(capture=True)
        self._left.callback(logging.captureWarnings, capture=False)
        for name, redirect in PRINTED.items():
            printed = io.StringIO()
            self._left.enter_context(redirect(printed))
            self._left.callback(self._look_at, name, printed)
        return self

    def __exit__(self, *_: object) -> None:
        """Leave everything as it was."""
        self._left.close()
        for logger, level in self._levels.items():
            logger.removeHandler(self)
            logger.setLevel(level)

    def emit(self, record: logging.LogRecord) -> None:
        """Look at one record."""
        extra = {name: value for name, value in vars(record).items() if name not in PLAIN}
        self._keep(record.name, f"{self.format(record)} {extra or ''}")

    def _look_at(self, name: str, printed: io.StringIO) -> None:
        self._keep(name, printed.getvalue())

    def _keep(self, name: str, text: str) -> None:
        if shows(text, self._secret) and name not in self.told:
            self.told.append(name)
        if any(each in text for each in self._inputs) and name not in self.told_inputs:
            self.told_inputs.append(name)


def _ends() -> list[logging.Logger]:
    """Return the loggers at which records end up: the root, and those that hand nothing on to it."""
    known = [one for one in logging.root.manager.loggerDict.values() if isinstance(one, logging.Logger)]
    return [logging.root, *(logger for logger in known if not logger.propagate)]


def places_of(secret: str, error: BaseException) -> list[str]:
    """
    Return the places below an error at which a secret lies, as Python would reach them.

    Its public attributes and all that these hold; not its cause, its context and its traceback, which are Python's.
    """
    found: list[str] = []
    left: list[tuple[str, Any]] = [("error", error)]
    seen: dict[int, Any] = {}  # keeps what it names, so that no number is given twice
    while left and len(seen) < MOST:
        place, value = left.pop()
        if isinstance(value, str | bytes | bytearray):
            if _holds(value, secret):
                found.append(place)
        elif id(value) not in seen and not isinstance(value, CLOSED):
            seen[id(value)] = value
            left.extend(_inside(place, value))
    return sorted(found)


def variables_of(secret: str, error: BaseException) -> list[str]:
    """
    Return the variables of frames that show a secret to what records errors, each as function and name.

    Such trackers write down the locals of every frame: they walk lists, tuples, sets and mappings, and take of all else
    the repr. Looked at are the frames of the error and of those behind it that a traceback shows; not the harness' own.
    """
    found: dict[str, None] = {}
    for each in _behind(error):
        for frame, _ in traceback.walk_tb(each.__traceback__):
            if not Path(frame.f_code.co_filename).is_relative_to(HARNESS):
                names = (name for name, value in list(frame.f_locals.items()) if _tells(value, secret, DEPTH))
                found |= dict.fromkeys(f"{name} in {frame.f_code.co_name}" for name in names)
    return list(found)


def _behind(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    left: BaseException | None = error
    while left is not None and id(left) not in seen:
        seen.add(id(left))
        yield left
        left = left.__cause__ or (None if left.__suppress_context__ else left.__context__)


def _tells(value: Any, secret: str, depth: int) -> bool:
    if isinstance(value, str | bytes | bytearray):
        return _holds(value, secret)
    if isinstance(value, Mapping | list | tuple | set | frozenset) and depth:
        with contextlib.suppress(Exception):  # whatever a client's own collection raises
            parts = [part for pair in value.items() for part in pair] if isinstance(value, Mapping) else list(value)
            return any(_tells(part, secret, depth - 1) for part in parts[:MOST])
    with contextlib.suppress(Exception):
        return shows(repr(value), secret)
    return False


def _holds(value: str | bytes | bytearray, secret: str) -> bool:
    return shows(value if isinstance(value, str) else value.decode("latin-1"), secret)


def _inside(place: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        yield from ((f"{place}[...]", part) for pair in list(value.items()) for part in pair)
    elif isinstance(value, list | tuple | set | frozenset):
        yield from ((f"{place}[...]", item) for item in value)
    for name in _public_names(value):
        # A property may fail, such as one for a reply that has not been read.
        with contextlib.suppress(Exception):
            yield f"{place}.{name}", getattr(value, name)


def _public_names(value: Any) -> Iterator[str]:
    """Return the names of what an object shows: attributes, slots and properties; ``args`` of an exception."""
    names = {"args"} if isinstance(value, BaseException) else set()
    names |= set(getattr(value, "__dict__", ()))
    for base in type(value).__mro__:
        names |= {name for name, member in vars(base).items() if isinstance(member, SHOWN)}
    yield from sorted(name for name in names if isinstance(name, str) and not name.startswith("_"))
