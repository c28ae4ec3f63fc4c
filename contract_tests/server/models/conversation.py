"""
The life of an Interactly run as a trace: each command with its response, and the run as it stood before.

What has to hold of it is said by the rules of the chapter about a run's life.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Self

from contract_tests.rules import NotExercised
from contract_tests.server.models.exchange import Exchange

FINAL: Final = frozenset({"completed", "failed", "cancelled", "aborted_looping_risk"})


@dataclass(frozen=True)
class Turn:
    """
    A command and its response.

    Attributes:
        run: As it stood afterwards; None if the response does not show it, as a refusal does not.
        before: The last turn before this one that showed the run; None for its start.
        refused: The commands since then, if all of them were refused; None if something else came.
    """

    command: str
    exchange: Exchange
    run: Mapping[str, Any] | None
    before: Self | None = None
    refused: tuple[str, ...] | None = ()

    @property
    def status(self) -> str:
        """Of the run; empty if the response has none."""
        status = self.get("status")
        return status if isinstance(status, str) else ""

    @property
    def is_final(self) -> bool:
        """Whether the run has ended by then."""
        return self.status in FINAL

    def get(self, name: str) -> Any:
        """Return a property of the run; None if it has none."""
        return self.run.get(name) if self.run is not None else None


Steps = list[tuple[Turn, Turn]]


def run_id_of(started: Exchange) -> str | None:
    """Return the id of a run in the response to its start, in whichever form; None if it does not say."""
    found = started.result.get("workflow_run_id", started.result.get("run_id"))
    return found if isinstance(found, str) else None


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

    @property
    def commands_after_end(self) -> int:
        """How many commands came after the run was seen to have ended."""
        return sum(turn.before is not None and turn.before.is_final for turn in self.turns)

    def said(self, command: str, exchange: Exchange) -> None:
        """Take a command and its response."""
        shown = [number for number, turn in enumerate(self.turns) if turn.run is not None]
        between = self.turns[shown[-1] + 1 :] if shown else []
        are_refused = all(turn.exchange.is_refused for turn in between)
        refused = tuple(turn.command for turn in between) if are_refused else None
        self.turns.append(Turn(command, exchange, _run_of(exchange), self.turns[shown[-1]] if shown else None, refused))


@dataclass(frozen=True)
class Runs:
    """All runs that were talked to; each rule looks at the same ones."""

    conversations: Sequence[Conversation]

    @cached_property
    def turns(self) -> list[Turn]:
        """Every command with its response."""
        return [turn for conversation in self.conversations for turn in conversation.turns]

    @cached_property
    def shown(self) -> list[Turn]:
        """The turns whose response shows the run."""
        return [turn for turn in self.turns if turn.run is not None]

    @cached_property
    def steps(self) -> Steps:
        """Each turn that shows the run with the one before it that does."""
        return [(turn.before, turn) for turn in self.shown if turn.before is not None]


def _run_of(exchange: Exchange) -> Mapping[str, Any] | None:
    if not exchange.has_succeeded:
        return None
    try:
        body = exchange.json
    except NotExercised:
        return None
    return body if isinstance(body, dict) else None
