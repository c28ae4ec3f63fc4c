"""
A story of a few Interactly runs, in either form of execute.

A has odd values in its input and gets every command; N is given nothing; B and C are alike, with one name for variables
of all kinds, and C is started by a body in chunks; S is started without a command; D has odd names and a long text in
its input; V has the initial version, and is paused once. D and V have two threads. N and C get commands that ask for
another version. Where drawn sequences play commands for runs, in the form without turns, some commands are left out
here.
"""

from collections.abc import Collection
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from typing import Any, ClassVar, Final

from contract_tests.rules import Unanswered
from contract_tests.server.conversations import SAID
from contract_tests.server.models.conversation import FINAL
from contract_tests.server.models.exchange import Exchange
from contract_tests.server.relations import marked_inputs
from contract_tests.server.relations.filled_variables import names_in_brackets
from contract_tests.server.relations.judged_starts import NOTHING, JudgedStarts
from contract_tests.server.relations.judged_turns import Topic
from contract_tests.server.relations.known_runs import CANCELLED, PAUSED, WAITING, KnownRun
from contract_tests.server.relations.run_lists import NO_SUCH_OBJECT
from contract_tests.server.relations.shown_inputs import NOTE, RUN_BY
from contract_tests.server.relations.spellings import spelled

AT_ONCE: Final = 3
LONG, LONG_BY, MANY = 65_537, 1000, 300  # characters, and variables
CHUNKS: Final = "a body in chunks"
INITIAL: Final = 0  # the version that every workflow begins with
NUL: Final = "a\0b"  # legal JSON, which some databases can't keep


class RunStory(JudgedStarts):
    """The story, played when a rule first asks for what it found."""

    requests: ClassVar[int] = 54
    what: ClassVar[str] = "a story of a few runs"
    _while_paused: Exchange | None = None  # what came of data for one run while another one was paused
    _active: int | None = None  # the version of what is started without one
    _unfilled: Collection[str] = ()  # names of placeholders that a run without runtime variables has shown

    def play(self) -> None:
        """Start the runs, command them and read them in between; judge as much of it as was played."""
        self._runs = self._started()
        try:
            self._tell(*self._runs)
        finally:
            self._judge(*self._runs)

    def _tell(self, a: KnownRun, n: KnownRun, b: KnownRun, c: KnownRun, *more: KnownRun) -> None:
        for run in [a, n, *more] if self.has_turns else [self.large]:
            self.read(run)  # a start without turns shows the run itself
        for run in self._runs:
            self.settle(run)
        self._while_paused = self._pause_and_resume(a, b)
        for command in ("pause", "resume"):
            self._give(self.initial, command)
        self._say_at_once(a)
        self._active = n.version
        c.asked = n.asked = self.version_beside(n, self._runs)
        self._say_to_each(c, self.large, self.initial)
        self.judge_version(a, self.server.target.version)
        self.judge_version(self.initial, INITIAL)
        self._wake(a)
        self._stop(n, a)

    def _judge(self, _: KnownRun, n: KnownRun, b: KnownRun, c: KnownRun, *more: KnownRun) -> None:
        if self._while_paused is not None:
            self.judge_taken(self._while_paused)
        self.judge_chunks(c, b)
        self.judge_active(run for run in (n, b, c, *more) if run is not self.initial)
        self.judge_threads(self._runs)
        self.judge_outputs(self._runs)
        self.judge_kinds(self._runs)
        for run in (n, c):
            self.judge_kept_version(run, self._active)
        self.judge_counting(self._runs)
        for run in self._runs:
            self.judge_texts(run, [other for other in self._runs if other is not run])
            self.judge_turns(run)
            self.judge_end(run)
            self.judge_changes(run)
            self.judge_pairs(run)
            self.judge_time(run)

    def _started(self) -> list[KnownRun]:
        version = self.server.target.version
        none = {"contract_tests_null": None, "contract_tests_empty": ""}
        inputs, run_input = self.marked_input(marked_inputs.nested(), marked_inputs.of_every_plane(), more=none)
        a = self.started(self.start_of(run_input, {} if version is None else {"version": version}), inputs)
        self.must_be_started(a)
        tag = {} if self.server.target.is_local else {RUN_BY: self.server.tag}
        n = self.started(self.start_of({**NOTHING, **tag}))
        self.judge_nulls(n, a)
        with suppress(Unanswered):  # what fails on it is told by what every response has to be
            self.server.wire.send(self.start_of({**self.server.start_input, "dynamic_variables": {NOTE: NUL}}))
        c = self._alike(in_chunks=True)
        runs = [a, n, self._alike(), c if c.id is not None else self._alike(), self.started_by_default(tag)]
        if self.has_turns:
            runs.append(self.started(self.start_of(tag)))
            self.judge_defaults(runs[-1], n)
        self._unfilled = names_in_brackets(n)
        return [*runs, self.large, self.initial]

    @cached_property
    def large(self) -> KnownRun:
        """A run with long texts, odd names and many variables in its input."""
        many = {f"contract_tests_{number}": number for number in range(MANY)}
        by = marked_inputs.of_size(LONG_BY)
        inputs, run_input = self.marked_input(marked_inputs.of_size(LONG), marked_inputs.with_odd_names(), by, many)
        like, run_input = self.named_like(("dynamic_variables",), run_input, self._unfilled)
        run = self.started(self.start_of(run_input), inputs | like)
        run.threads = ("1", "0")
        return run

    @cached_property
    def initial(self) -> KnownRun:
        """A run of the first version, which need not be the active one."""
        run = self.started(self.start_of(self.server.start_input, {"version": INITIAL}))
        run.threads = ("0", "1")
        return run

    def _alike(self, *, in_chunks: bool = False) -> KnownRun:
        inputs, run_input = self.marked_input(marked_inputs.of_every_plane(), marked_inputs.nested())
        like, run_input = self.named_like(("runtime_variables", "miscellaneous"), run_input)
        case = self.start_of(run_input)
        return self.started(spelled(case, CHUNKS) if in_chunks else case, inputs | like)

    def _pause_and_resume(self, a: KnownRun, b: KnownRun) -> Exchange | None:
        """Pause A and take it up again, twice; return what came of data for B in between."""
        if self._give(a, "pause") is None or a.status != PAUSED:
            return None
        if self.has_turns:
            self._give(a, "pause")
            self.read(a)
        self._list(PAUSED)
        said = self._say(b)
        self.give(a, "resume")
        self._pause_under_other_path(a)
        self._list(PAUSED)
        self._give(a, "pause")
        self.give(a, "resume")
        self.read(a)
        return said

    def _pause_under_other_path(self, run: KnownRun) -> None:
        if run.id is not None and run.status == WAITING:
            case = replace(self.command_for(run, "pause"), path={"workflow_id": NO_SUCH_OBJECT})
            exchange = self.server.wire.send(case)
            run.exchanges.append(exchange)
            received = "the run is of another workflow than the path, which names one that does not exist"
            self.judge(Topic.PATH, exchange, not exchange.has_succeeded, "workflow_id", received)

    def _give(self, run: KnownRun, command: str, **more: Any) -> Exchange | None:
        """Give a run a command by somebody else than who has started it."""
        return self.give(run, command, run_by=self.other_caller(), **more)

    def _say(self, run: KnownRun) -> Exchange | None:
        if run.status != WAITING:
            return None
        said = self.give(run, "data", **SAID)
        self.read(run)
        return said

    def _say_at_once(self, run: KnownRun) -> None:
        """Send data several times at once, each with a text of its own."""
        self.settle(run)
        if run.status == WAITING:
            self.judge_together(self.say_together([run] * AT_ONCE))
            self.read(run)
            self.settle(run)

    def _say_to_each(self, *runs: KnownRun) -> None:
        self.say_together([run for run in runs if run.status == WAITING])
        for run in runs:
            self.read(run)

    def _wake(self, run: KnownRun) -> None:
        """Send commands to a run that has ended, start with its id among them."""
        if run.status in FINAL:
            self.try_refused(run, ["stop", "start", *(["resume", "pause", "data"] if self.has_turns else [])])

    def _stop(self, run: KnownRun, other: KnownRun) -> None:
        self.try_default(run)
        self._give(run, "pause", **({"version_number": run.asked["version"]} if run.asked else {}))
        self._give(run, "stop")
        if self.has_turns:
            self.give(run, "data", **SAID)
        self.read(run)
        logical_id = other.shown.get("logical_id")
        if isinstance(logical_id, str) and logical_id:
            self._list(CANCELLED, search=logical_id)

    def _list(self, status: str, **narrowed: Any) -> None:
        page = self.ask(status=status, **narrowed)
        self.judge_filter(page, status, self._runs, is_sole=not narrowed)
