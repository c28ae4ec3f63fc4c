"""What a call came to, as the harness sees it."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else base64.b64decode(text)


@dataclass(frozen=True, kw_only=True)
class Value:
    """
    A value that the caller has in hand.

    Attributes:
        json: As JSON again.
        type_name: Name of its class.
        status: The status that came with it, None if the client does not say.
        content: The value itself if it is bytes.
        types: Names of the classes of the objects in it, by JSON pointer.
        foreign: What could not be made JSON again, if anything.
    """

    json: Any = None
    type_name: str = ""
    status: int | None = None
    content: bytes | None = None
    types: Mapping[str, str] = field(default_factory=dict)
    foreign: str = ""

    @classmethod
    def of(cls, message: Mapping[str, Any]) -> Self:
        """Read it from the driver's message."""
        return cls(
            json=message.get("json"),
            type_name=message["type"],
            status=message.get("status"),
            content=_bytes(message.get("content")),
            types=message.get("types", {}),
            foreign=message.get("foreign", ""),
        )


@dataclass(frozen=True, kw_only=True)
class Raised:
    """
    An exception that the caller has got.

    Attributes:
        type_name: Name of its class.
        family: Qualified names of its class and all base classes.
        own: Whether it is one of the client's documented errors.
        refuses: Whether it is one that the client may refuse arguments with.
        text: ``str(error)``.
        shown: Everything that Python shows of it: text, repr, traceback with its causes.
        status: The status that it says was received.
        body: The parsed body that it carries.
        content: The raw body that it keeps.
        facts: Its other documented attributes.
        may_have_acted: Whether it says that the service may have acted; None if it says nothing of that.
    """

    type_name: str
    family: tuple[str, ...] = ()
    own: bool = False
    refuses: bool = True
    text: str = ""
    shown: str = ""
    status: int | None = None
    body: Value | None = None
    content: bytes | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    may_have_acted: bool | None = None

    @classmethod
    def of(cls, message: Mapping[str, Any]) -> Self:
        """Read it from the driver's message."""
        body = message.get("body")
        return cls(
            type_name=message["type"],
            family=tuple(message["mro"]),
            own=message["own"],
            refuses=message["refuses"],
            text=message["text"],
            shown=message["shown"],
            status=message.get("status"),
            body=None if body is None else Value.of(body),
            content=_bytes(message.get("content")),
            facts=message.get("facts", {}),
            may_have_acted=message.get("may_have_acted"),
        )

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
    """
    The client's process gave no outcome.

    Attributes:
        reason: Why, for a person.
        is_hung: Whether this very call took too long; otherwise the process ended, for whatever call's sake.
    """

    reason: str
    is_hung: bool = False


Outcome = Value | Raised | Unwritable | Unclaimed | Lost


def outcome_of(message: Mapping[str, Any]) -> Outcome:
    """Read the driver's message about a call."""
    match message["kind"]:
        case "value":
            return Value.of(message)
        case "error":
            return Raised.of(message)
        case "unsayable":
            return Unwritable(message["text"])
        case "unclaimed":
            return Unclaimed(message.get("text", "the adapter has no way to do it"))
        case _:
            return Lost(message["text"], is_hung=message.get("is_hung", False))


def told(outcome: Outcome) -> str:
    """Say in a few words what a call came to, without values that came over the wire."""
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
