"""
Plays runs of the target's Interactly workflow, each a list of commands, and keeps the replies as a trace.

One is talked to until it ends, one is paused, taken up and stopped, and both then get every command that could wake
them; a third one fails, which only a server on this machine can be asked for. The nightly budget draws further ones.
"""

import random
from collections.abc import Sequence
from functools import cached_property
from typing import Any, Final

from contract_tests.rules import NotApplicable, NotExercised, Unanswered
from contract_tests.server.exchange import Exchange
from contract_tests.server.models.conversation import Conversation
from contract_tests.server.server import ServerUnderTest

TALK: Final = ("data", "data", "data", "resume", "pause", "stop")
STOPPED: Final = ("pause", "resume", "stop", "data", "pause", "resume")
COMMANDS: Final = ("data", "pause", "resume", "stop")
SAID: Final[dict[str, Any]] = {"thread_to_node_inputs": {"0": {"node_run_inputs": [{"text": "ping"}]}}}
CASES_PER_CONVERSATION: Final = 50
LONGEST: Final = 8


class Conversations:
    """The runs that the rules about a run's life look at; all are played when a rule first asks for them."""

    def __init__(self, server: ServerUnderTest, seed: int, cases: int | None) -> None:
        self.server = server
        self._random = random.Random(f"{seed} conversations")  # noqa: S311 - no secret
        self._more = (cases or 0) // CASES_PER_CONVERSATION

    @property
    def started(self) -> Exchange:
        """The reply that started the first run."""
        return self.server.once("start", lambda: self.server.execute(self.server.start_body))

    @property
    def fails_to_start(self) -> bool:
        """Whether no run can be started, with a version that is known to exist no more than without one."""
        target = self.server.target
        if self.started.has_succeeded or target.version is None or target.generation != "a":
            return False
        return not self.server.run_by_version().has_succeeded

    def must_start(self) -> Exchange:
        """
        Give the reply that started the first run, without which nothing else can be said of runs.

        Raises:
            NotExercised: If it was refused, which has rules of its own.
            NotApplicable: If the target serves the other form of execute.
        """
        if self.server.target.generation != "a":
            raise NotApplicable("the target serves the other generation of execute")
        if not self.started.has_succeeded:
            raise NotExercised(f"no run can be started: {self.started.shown}")
        return self.started

    @cached_property
    def all(self) -> list[Conversation]:
        """Every run that was played."""
        played = [
            self._play(self.must_start(), TALK),
            self._play(self.server.execute(self.server.start_body), STOPPED),
        ]
        if self.server.target.is_local:
            failing = {**self.server.start_input, "miscellaneous": {"sandbox": "fail"}}
            played.append(self._play(self.server.execute(failing), ("data",)))
        for _ in range(self._more):
            commands = [self._random.choice(COMMANDS) for _ in range(self._random.randrange(1, LONGEST))]
            played.append(self._play(self.server.execute(self.server.start_body), commands))
        return played

    def _play(self, started: Exchange, commands: Sequence[str]) -> Conversation:
        conversation = Conversation(started)
        for command in commands:
            if conversation.run_id is None:
                break
            said = {"command": command, "workflow_run_id": conversation.run_id, "run_by": self.server.tag}
            try:
                exchange = self.server.execute({**said, **(SAID if command == "data" else {})})
            except Unanswered:
                break
            conversation.said(command, exchange)
        return conversation
