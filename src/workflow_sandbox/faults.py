"""The faults that the sandbox can be asked for: their names, arguments, and how they are written.

A fault is written `NAME` or `NAME:ARGUMENT`, say `error:503` or `rate-limit:date`.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

RETRY_AFTER = ("seconds", "none", "zero", "date", "past", "fraction", "nonsense", "long")
"""Forms of `Retry-After` in a 429."""


class UnknownFault(ValueError):
    """There is no such fault, or it takes no such argument. Its text is one line for a person."""


class Kind(NamedTuple):
    """What a name of a fault stands for.

    Attributes:
        meaning: What happens.
        arguments: What may stand after the colon; the first is meant where nothing does. A chaos profile draws one.
        is_number: Whether any other number from 0 to 9999 may stand there.
        of_run: Whether it concerns a run after its start, rather than one request.
    """

    meaning: str
    arguments: tuple[str, ...] = ()
    is_number: bool = False
    of_run: bool = False


def described() -> str:
    """Return a line for each fault: how it is written, and what happens."""
    return "".join(f"  {_spelling(name, kind)}\n      {kind.meaning}\n" for name, kind in KINDS.items())


def _spelling(name: str, kind: Kind) -> str:
    arguments = ["N", *kind.arguments[:1]] if kind.is_number else kind.arguments
    shown = f"{arguments[0]} (default: {arguments[1]})" if kind.is_number else " | ".join(arguments)
    return f"{name}:{shown}" if shown else name


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "delay": Kind("wait SECONDS before the request is handled", ("0.2",), is_number=True),
        "rate-limit": Kind("429 with this form of Retry-After; nothing is done", RETRY_AFTER),
        "error": Kind("this status; nothing is done", ("500", "503", "520")),
        "error-after": Kind("the request is carried out, and answered with this status", ("500", "503", "520")),
        "reset-before": Kind("the connection is reset before the request is read; nothing is done"),
        "reset-after": Kind("the request is carried out, and the connection reset without a response"),
        "cut": Kind("the request is carried out, and half of the response's body is sent"),
        "trickle": Kind("the response's body takes SECONDS, in small pieces", ("1",), is_number=True),
        "media-type": Kind("the response's JSON is said to be of this media type", ("text/plain", "text/html")),
        "html": Kind("the request is carried out, and answered with a page of HTML and this status", ("200", "502")),
        "unknown-property": Kind("the response's objects have a property more than the contract names"),
        "unknown-status": Kind("the statuses of nodes are words that the contract does not name"),
        "stay-pending": Kind("N polls for the run's results are answered 202", ("3",), is_number=True, of_run=True),
        "callback-duplicate": Kind("the run's callback is posted twice", of_run=True),
        "callback-late": Kind("the run's callback is posted SECONDS late", ("1",), is_number=True, of_run=True),
        "callback-lost": Kind("the run's callback is never posted", of_run=True),
    }
)
_LARGEST = 9999


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault, with its argument if its kind takes one."""

    name: str
    argument: str = ""

    def __str__(self) -> str:
        return f"{self.name}:{self.argument}" if self.argument else self.name

    @property
    def of_run(self) -> bool:
        """Whether it concerns a run after its start."""
        return KINDS[self.name].of_run

    @property
    def number(self) -> float:
        """The argument as a number."""
        return float(self.argument)

    def completed(self, draw: random.Random | None = None) -> "Fault":
        """Return the fault with an argument, drawn if there is something to draw with, else the kind's first."""
        arguments = KINDS[self.name].arguments
        if self.argument or not arguments:
            return self
        return Fault(self.name, draw.choice(arguments) if draw else arguments[0])


def parse(text: str) -> Fault:
    """Return the fault that `text` names, its argument empty if it has none.

    Raises:
        UnknownFault: There is no such fault, or it takes no such argument.
    """
    name, colon, argument = text.strip().partition(":")
    kind = KINDS.get(name)
    if kind is None:
        raise UnknownFault(f"no fault is called {name[:80]!r}; there are {', '.join(KINDS)}")
    is_known = argument in kind.arguments or (kind.is_number and _is_number(argument))
    if colon and not is_known:
        allowed = [*kind.arguments, *(["another number"] if kind.is_number else [])]
        raise UnknownFault(f"the fault {name} takes {', '.join(allowed) or 'nothing'} after a colon")
    return Fault(name, argument)


def _is_number(text: str) -> bool:
    try:
        return text.isascii() and 0 <= float(text) <= _LARGEST
    except ValueError:
        return False
