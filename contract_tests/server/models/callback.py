"""The callback of an execution as a trace: what was posted, when the execution had ended, and what its results were."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from contract_tests.http.callback_listener import Delivery
from contract_tests.openapi.document import Contract, Operation
from contract_tests.openapi.json_text import json_or
from contract_tests.rules import Violation
from contract_tests.server.models.exchange import Exchange
from contract_tests.server.models.execution import PENDING, Execution

MISSING: Final = object()


@dataclass
class Callback:
    """One execution with a callback URL, and what was posted there."""

    execution: Execution
    url: str
    seconds: float  # how long after the end of the execution it may come
    ended_at: float = 0.0  # when the execution was seen to have ended
    delivery: Delivery | None = None  # the first post; None if none has come

    @property
    def started(self) -> Exchange:
        """The response that started the execution."""
        return self.execution.started

    @property
    def is_early(self) -> bool:
        """Whether the execution was still running when the callback had come."""
        came = self.delivery.number if self.delivery is not None else 0
        later = [poll for poll in self.execution.polls if poll.exchange.number > came]
        return any(poll.exchange.status == PENDING and not poll.shows_end for poll in later)

    @property
    def body(self) -> dict[str, Any] | None:
        """The body of the first post; None if it is no object."""
        body = json_or(self.delivery.body, MISSING) if self.delivery is not None else None
        return body if isinstance(body, dict) else None

    def check(self, holds: bool, constraint: str, received: str, number: int | None = None) -> Violation | None:  # noqa: FBT001
        """Return a finding, made after so many requests or the last one for results, if something does not hold."""
        last = self.execution.polls[-1].exchange if self.execution.polls else self.started
        text = f"{received}; run: {self.started.shown}"
        found = Violation(text, constraint, "", self.started.curl, found_after=number or last.number)
        return None if holds else found

    def says(self, value: Any) -> str:
        """Show a value of the body."""
        return self.started.bounded(f"the callback says {value!r}")


Came = list[tuple[Callback, Delivery]]
Bodies = list[tuple[Callback, dict[str, Any]]]


def came_of(callbacks: Sequence[Callback]) -> Came:
    """Return those of which something was posted, with the first post."""
    return [(callback, callback.delivery) for callback in callbacks if callback.delivery is not None]


def bodies_of(callbacks: Sequence[Callback]) -> Bodies:
    """Return those of which an object was posted, with that object."""
    return [(callback, callback.body) for callback in callbacks if callback.body is not None]


def delivery_problems(
    contract: Contract, operation: Operation, delivery: Delivery, shown_by: Exchange
) -> list[Violation]:
    """Return what is wrong with a callback by the contract's description of the operation's callbacks."""
    described = [one for by_name in operation.callbacks.values() for ones in by_name.values() for one in ones]
    for_method = [one for one in described if one.method == delivery.method]
    if not for_method:
        methods = ", ".join(one.method for one in described)
        return [_broken(f"{operation.pointer}/callbacks", f"a {delivery.method}", f"It is a {methods}.", shown_by)]
    found: list[Violation] = []
    for one in for_method:
        found = list(_body_problems(contract, one, delivery, shown_by))
        if not found:
            break
    return found


def _body_problems(contract: Contract, posted: Operation, delivery: Delivery, shown_by: Exchange) -> list[Violation]:
    if posted.body is None:
        return []
    media = posted.body.media.get(delivery.media_type)
    if media is None:
        wanted = f"Its body is {', '.join(posted.body.media)}."
        sent = delivery.media_type or "a body without content type"
        return [_broken(f"{posted.body.pointer}/content", sent, wanted, shown_by)]
    if media.schema is None:
        return []
    body = json_or(delivery.body, MISSING)
    if body is MISSING:
        text = delivery.body.decode("utf-8", "replace") or "an empty body"
        return [_broken(media.schema, text, "Its body is JSON.", shown_by)]
    problems = contract.problems(body, media.schema)
    return [_broken(one.constraint, f"at {one.at or '/'}: {one.message}", "", shown_by) for one in problems]


def _broken(constraint: str, received: str, documented: str, shown_by: Exchange) -> Violation:
    return Violation(f"the callback is {shown_by.bounded(received)}", constraint, documented, shown_by.curl)
