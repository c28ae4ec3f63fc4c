"""
The life of an Interactly run as a model: it is fed with each command and its reply, and says which law is broken.

A run keeps its id, its version and what has been said; it goes from status to status, and a final one it never leaves.
Each law is a rule of the chapter about a run's life, and bears its id.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from contract_tests.openapi.json_text import same
from contract_tests.rules import NotExercised
from contract_tests.server.exchange import Exchange
from contract_tests.server.models.execution import Checks

FINAL: Final = frozenset({"completed", "failed", "cancelled", "aborted_looping_risk"})
KEPT: Final = {"workflow_run_id": "IA-EXE-67", "logical_id": "IA-EXE-67", "version_number": "IA-EXE-68"}


@dataclass(frozen=True)
class Turn:
    """A command and the run as it stood afterwards."""

    command: str
    exchange: Exchange
    run: Mapping[str, Any]

    @property
    def status(self) -> str:
        """Of the run; empty if the reply has none."""
        status = self.run.get("status")
        return status if isinstance(status, str) else ""


class Conversation:
    """One run, from its start on."""

    def __init__(self, ledger: Checks, started: Exchange) -> None:
        self.ledger = ledger
        self.turns: list[Turn] = []
        self.said("start", started)

    @property
    def run_id(self) -> str | None:
        """What goes into ``workflow_run_id`` of the next command; None if the service did not say."""
        found = self.turns[0].run.get("workflow_run_id") if self.turns else None
        return found if isinstance(found, str) and found else None

    @property
    def status(self) -> str:
        """Where the run stands, as far as the service has said."""
        return self.turns[-1].status if self.turns else ""

    def said(self, command: str, exchange: Exchange) -> None:
        """Take a command and its reply."""
        run = _run_of(exchange)
        before = self.turns[-1] if self.turns else None
        if before is not None and before.status in FINAL:
            stays = run is None or Turn(command, exchange, run).status == before.status
            self._check("IA-EXE-69", stays, "status", exchange, f"the run was {before.status} before")
        if run is None:
            return
        turn = Turn(command, exchange, run)
        self._any_reply(turn)
        if before is not None:
            self._goes_on(before, turn)
        self.turns.append(turn)

    def _any_reply(self, turn: Turn) -> None:
        if turn.status == "completed":
            holds = turn.run.get("termination_source") is None
            self._check("IA-EXE-63", holds, "member termination_source", turn.exchange)
        elif turn.status and turn.status not in FINAL:
            holds = turn.run.get("termination_source") is None
            self._check("IA-EXE-63-OPEN", holds, "member termination_source", turn.exchange)
        if turn.run.get("workflow_id") is not None:
            holds = turn.run["workflow_id"] == turn.exchange.case.path["workflow_id"]
            self._check("IA-EXE-74", holds, "member workflow_id", turn.exchange)

    def _goes_on(self, before: Turn, turn: Turn) -> None:
        for member, law in KEPT.items():
            if before.run.get(member) is not None:
                self._check(law, same(turn.run.get(member), before.run[member]), f"member {member}", turn.exchange)
        if before.status not in {"", "not_started"}:
            self._check("IA-EXE-78", turn.status != "not_started", "status", turn.exchange)
        self._keeps_what_was_said(before, turn)
        if before.status not in FINAL:
            self._obeys(before, turn)

    def _keeps_what_was_said(self, before: Turn, turn: Turn) -> None:
        old, new = before.run.get("input_output_pairs"), turn.run.get("input_output_pairs")
        if isinstance(old, list) and old and before.status != "running":
            keeps = isinstance(new, list) and same(new[: len(old)], old)
            self._check("IA-EXE-73", keeps, "member input_output_pairs", turn.exchange)

    def _obeys(self, before: Turn, turn: Turn) -> None:
        said = f"{turn.command} made the run {turn.status}, which was {before.status}"
        if turn.command == "data" and turn.status != "running":
            pairs = [one.run.get("input_output_pairs") for one in (before, turn)]
            if isinstance(pairs[0], list):
                grows = isinstance(pairs[1], list) and len(pairs[1]) > len(pairs[0])
                self._check("IA-EXE-79", grows, "member input_output_pairs", turn.exchange, said)
        if turn.command == "stop":
            self._check("IA-EXE-70", turn.status == "cancelled", "status", turn.exchange, said)
        if turn.command == "pause":
            self._check("IA-EXE-71", turn.status == "paused", "status", turn.exchange, said)
        if turn.command == "resume" and before.status == "paused":
            self._check("IA-EXE-72", turn.status != "paused", "status", turn.exchange, said)

    def _check(self, law: str, holds: bool, constraint: str, exchange: Exchange, received: str = "") -> None:  # noqa: FBT001
        self.ledger.check(law, holds, constraint, exchange, received)


def _run_of(exchange: Exchange) -> Mapping[str, Any] | None:
    if not exchange.has_succeeded:
        return None
    try:
        body = exchange.json
    except NotExercised:
        return None
    return body if isinstance(body, dict) else None
