"""What a call came to, as the harness sees it."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

from contract_tests.client.adapter import Explanation, Received


@dataclass(frozen=True, kw_only=True)
class Value(Received):
    """A value that the caller has in hand."""

    foreign: str = ""  # what could not be made JSON again, if anything


@dataclass(frozen=True, kw_only=True)
class Raised(Explanation):
    """An exception that the caller has got, with what it says if it is one of the client's own."""

    type_name: str  # name of its class
    family: tuple[str, ...] = ()  # qualified names of its class and all base classes
    own: bool = False  # whether it is one of the client's documented errors
    refuses: bool = True  # whether it is one that the client may refuse arguments with
    text: str = ""  # `str(error)`
    shown: str = ""  # everything that Python shows of it: text, repr, traceback with its causes
    body: Value | None = None  # the parsed body that it carries

    def __str__(self) -> str:
        return f"{self.type_name}{'' if self.own else ', which is not an error of the client'}: {self.text}"


@dataclass(frozen=True)
class Unwritable:
    """The client's interface has no way to write the call."""

    reason: str


@dataclass(frozen=True)
class Unclaimed:
    """The client does not offer such calls and does not say that it does; they are not judged."""

    reason: str


@dataclass(frozen=True)
class Lost:
    """The client's process gave no outcome."""

    reason: str  # why, for a person
    is_hung: bool = False  # whether this very call took too long; otherwise the process ended, for whatever call's sake


Outcome = Value | Raised | Unwritable | Unclaimed | Lost
KINDS: Final[Mapping[str, type[Outcome]]] = {
    "value": Value,
    "error": Raised,
    "unsayable": Unwritable,
    "unclaimed": Unclaimed,
    "lost": Lost,
}


def outcome_of(message: Mapping[str, Any]) -> Outcome:
    """Read the driver's message about a call, which may say more."""
    kind = KINDS[message["kind"]]
    facts = {field.name: message[field.name] for field in fields(kind) if field.name in message}
    if facts.get("content") is not None:
        facts["content"] = base64.b64decode(facts["content"])
    if facts.get("body") is not None:
        facts["body"] = outcome_of({"kind": "value", **facts["body"]})
    return kind(**facts)


def describe(outcome: Outcome) -> str:
    """Return in a few words what a call came to, without values that came over the wire."""
    match outcome:
        case Value(foreign=foreign) if foreign:
            return f"a value that is not JSON: {foreign}"
        case Value():
            return f"a value of type {outcome.type_name}"
        case Raised():
            return str(outcome)
        case Unwritable():
            return f"no way to write the call: {outcome.reason}"
        case Unclaimed():
            return f"not claimed: {outcome.reason}"
        case Lost():
            return outcome.reason
