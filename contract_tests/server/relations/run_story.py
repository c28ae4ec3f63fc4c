"""
A story of four Interactly runs, in either form of execute.

A has much in its input and gets every command; N is given nothing; B and C are alike, and C is started by a body in
chunks.
"""

from typing import Any, ClassVar, Final

from contract_tests.server.conversations import SAID
from contract_tests.server.models.conversation import FINAL
from contract_tests.server.models.exchange import Exchange
from contract_tests.server.relations import marked_inputs
from contract_tests.server.relations.judged_runs import JudgedRuns
from contract_tests.server.relations.known_runs import CANCELLED, PAUSED, WAITING, KnownRun
from contract_tests.server.relations.shown_inputs import RUN_BY
from contract_tests.server.relations.spellings import spelled

AT_ONCE: Final = 3
CHUNKS: Final = "a body in chunks"


class RunStory(JudgedRuns):
    """The story, played when a rule first asks for what it found."""

    requests: ClassVar[int] = 30
    what: ClassVar[str] = "a story of four runs"

    def play(self) -> None:
        """Start the runs, command them, and read them in between."""
        a, n, b, c = self._runs = self._started()
        for run in self._runs:
            self.read(run)
        self.judge_version(a)
        while_paused = self._pause_and_resume(a, b)
        self._say_at_once(a)
        self._say(c)
        self._wake(a)
        self._stop(n, a)
        if while_paused is not None:
            self.judge_taken(while_paused)
        self.judge_chunks(c, b)
        for run in self._runs:
            self.judge_texts(run, [other for other in self._runs if other is not run])
            self.judge_turns(run)
            self.judge_end(run)

    def _started(self) -> list[KnownRun]:
        version = self.server.target.version
        inputs, run_input = self.marked_input(marked_inputs.nested(), marked_inputs.of_every_plane())
        a = self.started(self.start_of(run_input, {} if version is None else {"version": version}), inputs)
        self.must_be_started(a)
        tag = {} if self.server.target.is_local else {RUN_BY: self.server.tag}
        n = self.started(self.start_of({"command": "start", **tag}))
        c = self._alike(in_chunks=True)
        return [a, n, self._alike(), c if c.id is not None else self._alike()]

    def _alike(self, *, in_chunks: bool = False) -> KnownRun:
        inputs, run_input = self.marked_input(marked_inputs.of_every_plane(), marked_inputs.nested())
        case = self.start_of(run_input)
        return self.started(spelled(case, CHUNKS) if in_chunks else case, inputs)

    def _pause_and_resume(self, a: KnownRun, b: KnownRun) -> Exchange | None:
        """Pause A and take it up again, twice; return what came of data for B in between."""
        if self._give(a, "pause") is None or a.status != PAUSED:
            return None
        self._list(PAUSED)
        said = self._say(b)
        self.give(a, "resume")
        self._list(WAITING)
        self._give(a, "pause")
        self.give(a, "resume")
        self.read(a)
        return said

    def _give(self, run: KnownRun, command: str) -> Exchange | None:
        """Give a run a command by somebody else than who has started it."""
        return self.give(run, command, **{RUN_BY: self.other_caller()})

    def _say(self, run: KnownRun) -> Exchange | None:
        if run.status != WAITING:
            return None
        said = self.give(run, "data", **SAID)
        self.read(run)
        return said

    def _say_at_once(self, run: KnownRun) -> None:
        """Send data several times at once, each with a text of its own."""
        if run.status == WAITING:
            cases = [self.command_for(run, "data", **_saying(marked_inputs.new_mark())) for _ in range(AT_ONCE)]
            came = [one for one in self.server.wire.send_together(cases) if isinstance(one, Exchange)]
            run.exchanges += came
            self.judge_together(came)
            self.read(run)

    def _wake(self, run: KnownRun) -> None:
        """Send commands to a run that has ended, start with its id among them."""
        if run.status in FINAL:
            for command in ("stop", "start"):
                self.give(run, command)
            self.read(run)

    def _stop(self, run: KnownRun, other: KnownRun) -> None:
        self._give(run, "stop")
        logical_id = other.shown.get("logical_id")
        if isinstance(logical_id, str) and logical_id:
            self._list(CANCELLED, search=logical_id)

    def _list(self, status: str, **narrowed: Any) -> None:
        page = self.ask(status=status, **narrowed)
        self.judge_filter(page, status, self._runs, is_sole=not narrowed)


def _saying(text: str) -> dict[str, Any]:
    return {"thread_to_node_inputs": {"0": {"node_run_inputs": [{"text": text}]}}}
