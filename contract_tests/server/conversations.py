"""
Plays runs of the target's Interactly workflow, each a list of commands, and keeps the responses as a trace.

One is talked to until it ends, one is paused, taken up and stopped, and both then get every command that could wake
them; a third one fails, which only a server on this machine can be asked for. Further ones are drawn.
"""

import contextlib
from collections.abc import Sequence
from functools import cached_property
from typing import Any, Final

from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from contract_tests.options import Options
from contract_tests.rules import NotApplicable, NotExercised, Unanswered
from contract_tests.server.models.conversation import Conversation, Runs
from contract_tests.server.models.exchange import Exchange
from contract_tests.server.sequences import Machine, Sequences, Trace
from contract_tests.server.server import ServerUnderTest

START: Final = "start"
BARE_START: Final = "start without inputs"
TALK: Final = ("data", "data", "data", "resume", "pause", "stop")
STOPPED: Final = ("pause", "resume", "pause", "data", "resume", "stop", "data", "pause", "resume")
COMMANDS: Final = ("data", *("pause", "resume") * 4, "stop")  # what ends most runs is drawn more rarely
MOST_RUNS: Final = 2  # in one sequence
SAID: Final[dict[str, Any]] = {"thread_to_node_inputs": {"0": {"node_run_inputs": [{"text": "ping"}]}}}


class Conversations:
    """The runs that the rules about a run's life look at; all are played when a rule first asks for them."""

    def __init__(self, server: ServerUnderTest, options: Options) -> None:
        self.server = server
        server.player = self
        self.sequences = Sequences(Commands, lambda: Talk(server), server.wire, options)

    @property
    def started(self) -> Exchange:
        """The response that started the first run."""
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
        Return the response that started the first run, without which nothing else can be said of runs.

        Raises NotExercised if it was refused, which has rules of its own; NotApplicable if the target serves the other
        form of execute.
        """
        if self.server.target.generation != "a":
            raise NotApplicable("the target serves the other generation of execute")
        if not self.started.has_succeeded:
            raise NotExercised(f"no run can be started: {self.started.shown}")
        return self.started

    def play(self) -> None:
        """Play the drawn sequences, if runs can be started and requests are left."""
        with contextlib.suppress(NotExercised):
            if self.sequences.are_affordable and self.started.has_succeeded:
                self.sequences.drawn  # noqa: B018 - reading it is what plays them

    @cached_property
    def runs(self) -> Runs:
        """Every run that was played."""
        return Runs([*self._scripted, *(run for trace in self.sequences.drawn for run in runs_of(trace))])

    def fixtures(self, trace: Trace) -> dict[str, Any]:
        """Return what the rules would look at if this had been the only sequence that was drawn."""
        return {"runs": Runs([*self._scripted, *runs_of(trace)])}

    @cached_property
    def _scripted(self) -> list[Conversation]:
        scripted = [
            self._play(self.must_start(), TALK),
            self._play(self.server.execute(self.server.start_body), STOPPED),
        ]
        if self.server.target.is_local:
            failing = {**self.server.start_input, "miscellaneous": {"sandbox": "fail"}}
            scripted.append(self._play(self.server.execute(failing), ("data",)))
        return scripted

    def _play(self, started: Exchange, commands: Sequence[str]) -> Conversation:
        conversation, talk = Conversation(started), Talk(self.server, started)
        for command in commands:
            try:
                exchange = talk.play(command)
            except Unanswered:
                break
            conversation.said(command, exchange)
            if exchange.is_refused:
                self._read(conversation)  # what is refused has changed nothing
        self._read(conversation)
        return conversation

    def _read(self, conversation: Conversation) -> None:
        """Read how a run stands, if the contract has what reads it."""
        is_known = any(operation.id == "getWorkflowRun" for operation in self.server.wire.contract.operations)
        if is_known and conversation.run_id is not None:
            with contextlib.suppress(NotExercised):
                self.server.call("getWorkflowRun", path={"workflow_run_id": conversation.run_id})


class Talk:
    """Sends commands, each to the run that was started last."""

    def __init__(self, server: ServerUnderTest, started: Exchange | None = None) -> None:
        self._server = server
        self._run_id = Conversation(started).run_id if started else None

    def play(self, step: str) -> Exchange:
        """Start a run, or send a command to it."""
        if step in {START, BARE_START}:
            bare = {"command": START, "run_by": self._server.tag}
            started = self._server.execute(self._server.start_body if step == START else bare)
            self._run_id = Conversation(started).run_id
            return started
        if self._run_id is None:
            raise Unanswered("no run was started")
        said = {"command": step, "workflow_run_id": self._run_id, "run_by": self._server.tag}
        return self._server.execute({**said, **(SAID if step == "data" else {})})


class Commands(Machine):
    """Draws commands for a run, also such as it cannot take; one that has ended gets one more, then another starts."""

    @property
    def commands_after_end(self) -> int | None:
        """How many the run has been given since it ended; None if nothing could be said of a further one."""
        runs = runs_of(self.trace)
        is_lost = any(played.came is None for played in self.trace)
        return None if is_lost or not runs or runs[-1].run_id is None else runs[-1].commands_after_end

    @initialize(start=st.sampled_from([START, BARE_START]))
    def begin(self, start: str) -> None:
        """Start the first run."""
        self.do(start)

    @rule(command=st.sampled_from(COMMANDS), times=st.sampled_from([1, 2]))
    def say(self, command: str, times: int) -> None:
        """Send a command, or the same one twice, as a caller does who has missed the response."""
        if self.commands_after_end != 0:
            if len(runs_of(self.trace)) == MOST_RUNS:
                return
            self.do(START)
        for _ in range(times):
            self.do(command)


def runs_of(trace: Trace) -> list[Conversation]:
    """Return the runs of a sequence, up to a request that was not answered."""
    runs: list[Conversation] = []
    for played in trace:
        if not isinstance(played.came, Exchange):
            break
        if played.step in {START, BARE_START}:
            runs.append(Conversation(played.came))
        else:
            runs[-1].said(played.step, played.came)
    return runs
