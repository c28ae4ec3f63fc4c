"""
The life of an Interactly run as a trace: each command with its reply, and the run as it stood before.

What has to hold of it is said by the rules of the chapter about a run's life.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from contract_tests.rules import NotExercised
from contract_tests.server.exchange import Exchange

FINAL: Final = frozenset({"completed", "failed", "cancelled", "aborted_looping_risk"})


@dataclass(frozen=True)
class Turn:
    """
    A command and its reply.

    Attributes:
        run: As it stood afterwards; None if the reply does not show it, as a refusal does not.
        before: The last turn before this one that showed the run; None for its start.
    """

    command: str
    exchange: Exchange
    run: Mapping[str, Any] | None
    before: Self | None = None

    @property
    def status(self) -> str:
        """Of the run; empty if the reply has none."""
        status = self.get("status")
        return status if isinstance(status, str) else ""

    @property
    def is_final(self) -> bool:
        """Whether the run has ended by then."""
        return self.status in FINAL

    def get(self, name: str) -> Any:
        """Return a property of the run; None if it has none."""
        return self.run.get(name) if self.run is not None else None


class Conversation:
    """One run, from its start on."""

    def __init__(self, started: Exchange) -> None:
        self.turns: list[Turn] = []
        self.said("start", started)

    @property
    def run_id(self) -> str | None:
        """What goes into ``workflow_run_id`` of the next command; None if the service did not say."""
        found = self.turns[0].get("workflow_run_id")
        return found if isinstance(found, str) and found else None

    def said(self, command: str, exchange: Exchange) -> None:
        """Take a command and its reply."""
        before = next((turn for turn in reversed(self.turns) if turn.run is not None), None)
        self.turns.append(Turn(command, exchange, _run_of(exchange), before))


def _run_of(exchange: Exchange) -> Mapping[str, Any] | None:
    if not exchange.has_succeeded:
        return None
    try:
        body = exchange.json
    except NotExercised:
        return None
    return body if isinstance(body, dict) else None
