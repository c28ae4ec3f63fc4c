"""Interactly runs beside a model of them: started and commanded in the form of execute that the target serves."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from contract_tests.cases.case import RequestCase
from contract_tests.openapi.json_text import whole
from contract_tests.rules import NotExercised
from contract_tests.server.models.conversation import FINAL, run_id_of
from contract_tests.server.models.exchange import Exchange
from contract_tests.server.models.told_facts import RESTING
from contract_tests.server.relations.marked_inputs import MarkedInput, new_mark, plain
from contract_tests.server.relations.run_lists import Page, RunLists
from contract_tests.server.relations.shown_inputs import NOTE, RUN_BY, THREADS, VARIABLE
from contract_tests.server.relations.stage import Stage
from contract_tests.server.transport import case_of

EXECUTE: Final = "executeWorkflow"
BUSY: Final = frozenset({"started", "running"})
WAITS: Final = (0.1, 0.2, 0.5, 1.0, 2.0)
WAITING, PAUSED, COMPLETED, CANCELLED = "waiting_for_user_input", "paused", "completed", "cancelled"


@dataclass
class KnownRun:
    """
    A run, and what is known of it.

    Attributes:
        inputs: What was given to it, by the place where it stands.
        threads: To which of its threads something is said, in this order.
        said: Marks of what was said to it, each with its thread.
        given: The run input that it was started with.
        asked: The query of commands for it.
        exchanges: The requests about it, with their responses, from its start on.
        status: As the latest response showed it; empty if none did.
        shown: The run as it was read last, or as an execute has shown it.
    """

    inputs: Mapping[str, MarkedInput]
    started: Exchange
    exchanges: list[Exchange] = field(default_factory=list)
    threads: tuple[str, ...] = ("0",)
    said: dict[str, str] = field(default_factory=dict)
    given: Mapping[str, Any] = field(default_factory=dict)
    asked: Mapping[str, Any] = field(default_factory=dict)
    status: str = ""
    shown: Mapping[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str | None:
        """What further commands name it by; None if it was not said."""
        return run_id_of(self.started)

    @property
    def version(self) -> int | None:
        """The version that it is of, as it was shown last; None if it was not."""
        return whole(self.shown.get("version_number"))

    @property
    def is_settled(self) -> bool:
        """Whether it stands still until it gets a command."""
        return self.status in RESTING | FINAL

    def took(self, exchange: Exchange, shown: Mapping[str, Any]) -> None:
        """Take down how it stands."""
        self.exchanges.append(exchange)
        if exchange.has_succeeded:
            self.status = str(shown.get("status", self.status))
            self.shown = {**self.shown, **shown}


class KnownRuns(Stage):
    """Plays with runs that are known."""

    @property
    def has_turns(self) -> bool:
        """Whether the target serves the form in which a run goes on turn by turn."""
        return self.server.target.generation == "b"

    def start_of(self, run_input: Mapping[str, Any], query: Mapping[str, Any] | None = None) -> RequestCase:
        """Return the request that starts a run."""
        return self._execute(self.server.body_of(dict(run_input)), query)

    def command_for(self, run: KnownRun, command: str, **more: Any) -> RequestCase:
        """Return the request that gives a run a command, with further properties of the run input; "" leaves it out."""
        said = {**({"command": command} if command else {}), RUN_BY: self.server.tag, **more}
        return self._execute(self.server.body_of(said, run.id), run.asked)

    def _execute(self, body: Any, query: Mapping[str, Any] | None = None) -> RequestCase:
        path = {"workflow_id": self.server.target.workflow}
        return case_of(self.server.contract.operation(EXECUTE), path, query, body)

    def started(self, case: RequestCase, inputs: Mapping[str, MarkedInput] | None = None) -> KnownRun:
        """Start a run."""
        return self._known(self.server.wire.send(case), inputs or {})

    def started_together(self, number: int) -> list[KnownRun]:
        """Start so many runs, each before the others are answered; what is not started is left out."""
        given = [self.marked_input(plain(), plain()) for _ in range(number)]
        came = self.server.wire.send_together([self.start_of(run_input) for _, run_input in given])
        both = zip(given, came, strict=True)
        known = [self._known(one, inputs) for (inputs, _), one in both if isinstance(one, Exchange)]
        return [run for run in known if run.id is not None]

    def say_together(self, runs: Sequence[KnownRun]) -> list[Exchange]:
        """Say something of its own to each of these runs, or as often to one of them, at once."""
        cases = []
        for run in runs:
            marks = {thread: new_mark() for thread in run.threads}
            run.said |= {mark: thread for thread, mark in marks.items()}
            cases.append(self.command_for(run, "data", **saying(marks)))
        found = []
        for run, came in zip(runs, self.server.wire.send_together(cases), strict=True):
            if isinstance(came, Exchange):
                run.took(came, came.result)
                found.append(came)
        return found

    def _known(self, exchange: Exchange, inputs: Mapping[str, MarkedInput]) -> KnownRun:
        body = exchange.case.body
        run = KnownRun(inputs, exchange, given=body.get("run_input", body))
        run.took(exchange, exchange.result)
        return run

    def give(self, run: KnownRun, command: str, **more: Any) -> Exchange | None:
        """Give a run a command, if it stands so that some run could take it; None if not."""
        self.settle(run)
        if run.id is None or not run.is_settled:
            return None
        exchange = self.server.wire.send(self.command_for(run, command, **more))
        run.took(exchange, exchange.result)
        return exchange

    def read(self, run: KnownRun) -> Exchange | None:
        """Read a run; None if the response does not show it."""
        if run.id is None:
            return None
        exchange = self.server.call("getWorkflowRun", path={"workflow_run_id": run.id})
        record = exchange.result.get("workflow_run")
        shown = record.get("workflow_run") if isinstance(record, dict) else None
        run.took(exchange, shown if isinstance(shown, dict) else {})
        return exchange if isinstance(shown, dict) else None

    def settle(self, run: KnownRun) -> None:
        """Read a run that goes on by itself until it stands still, for a little while."""
        for seconds in WAITS:
            if run.status in BUSY:
                time.sleep(seconds)
                self.read(run)

    def ask(self, **query: Any) -> Page:
        """Ask for a page of the workflow's runs."""
        return RunLists(self.server).ask(**query)

    def must_be_started(self, run: KnownRun) -> None:
        """Raise NotExercised if a run was not started."""
        if run.id is None:
            raise NotExercised(f"no run was started: {run.started.shown}")

    def marked_input(
        self,
        note: MarkedInput,
        other: MarkedInput,
        by: MarkedInput | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> tuple[dict[str, MarkedInput], dict[str, Any]]:
        """Return inputs by the place where they stand, and the run input that has them; ``more`` are variables."""
        variable, runtime, by = plain(), plain(), by or plain()
        own = self.server.start_input["dynamic_variables"]
        texts = {name: variable.value for name, value in own.items() if isinstance(value, str)}
        run_input = {
            **self.server.start_input,
            "dynamic_variables": {**own, **texts, **(more or {}), NOTE: note.value},
            RUN_BY: f"{self.server.tag} {by.value}",
            "miscellaneous": {NOTE: other.value},
            "runtime_variables": {f"{NOTE}_too": runtime.value},
        }
        data = {"dynamic_variables": note, "miscellaneous": other, "runtime_variables": runtime}
        return {**data, RUN_BY: by, VARIABLE: variable}, run_input

    def other_caller(self) -> str:
        """Return a name of who gives a command, which is not that of who has started a run."""
        return f"{self.server.tag} {new_mark()}"


def saying(texts: Mapping[str, str]) -> dict[str, Any]:
    """Return the properties of a run input that say something to threads of a run."""
    return {THREADS: {thread: {"node_run_inputs": [{"text": text}]} for thread, text in texts.items()}}


def statuses(page: Page) -> Iterator[tuple[str, str]]:
    """Yield the id of each run that a page lists, and its status."""
    for id_, record in zip(page.ids, page.records, strict=True):
        run = record.get("workflow_run")
        yield id_, str(run.get("status")) if isinstance(run, Mapping) else ""
