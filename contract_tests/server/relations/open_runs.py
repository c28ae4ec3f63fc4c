"""Interactly runs that are open side by side, each with a mark; the others are read after what is done to one."""

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from contract_tests.openapi.json_equality import told_apart
from contract_tests.rules import NotApplicable, NotExercised, Violation
from contract_tests.server.models.exchange import Exchange
from contract_tests.server.models.told_facts import RESTING
from contract_tests.server.relations import marked_inputs
from contract_tests.server.relations.marked_inputs import MarkedInput
from contract_tests.server.relations.shown_inputs import NOTE, VARIABLE
from contract_tests.server.server import ServerUnderTest
from contract_tests.server.transport import case_of

COMPARED: Final = (
    "workflow_run_id",
    "logical_id",
    "status",
    "version_number",
    "run_by",
    "termination_source",
    "input_output_pairs",
)
SAID: Final = {"thread_to_node_inputs": {"0": {"node_run_inputs": [{"text": "ping"}]}}}
REQUESTS: Final = 36


@dataclass
class OpenRun:
    """
    One of the runs.

    Attributes:
        inputs: What was given to it, by the place where it stands.
        shown: It as it stood when it was last shown.
        commanded: It as the response to its last command showed it.
    """

    name: str
    inputs: Mapping[str, MarkedInput]
    started: Exchange
    shown: Mapping[str, Any] = field(default_factory=dict)
    commanded: Mapping[str, Any] = field(default_factory=dict)
    exchanges: list[Exchange] = field(default_factory=list)

    @property
    def last_output(self) -> str:
        """What its last stretch of execution has produced, with one word for each of its marks; empty if not shown."""
        pairs = self.commanded.get("input_output_pairs")
        pair = pairs[-1] if isinstance(pairs, list) and pairs else None
        text = json.dumps(pair.get("run_output")) if isinstance(pair, dict) and pair.get("run_output") else ""
        for place, given in self.inputs.items():
            text = text.replace(given.mark, place)
        return text

    @property
    def id(self) -> str | None:
        """What further commands name it by; None if it was not said."""
        found = self.shown.get("workflow_run_id")
        return found if isinstance(found, str) else None

    def took(self, exchange: Exchange, run: Any) -> None:
        """Take down how it stands."""
        self.exchanges.append(exchange)
        if exchange.has_succeeded and isinstance(run, dict):
            self.shown = run

    def changes(self, run: Mapping[str, Any]) -> Iterator[str]:
        """Yield the names of what is not what it was when it was last shown."""
        if self.shown.get("status") in RESTING:
            yield from (
                name for name in COMPARED if name in self.shown and name in run and self.shown[name] != run[name]
            )


class OpenRuns:
    """The runs of one target, played when a rule first asks for them."""

    def __init__(self, server: ServerUnderTest) -> None:
        self.server = server
        self.violations: list[Violation] = []

    @cached_property
    def runs(self) -> dict[str, OpenRun]:
        """
        All of them by name: started, commanded, and the others read after each command.

        Raises:
            NotApplicable: If the target serves the other form of execute.
            NotExercised: If too few requests are left, or no run is started.
        """
        target = self.server.target
        if target.generation != "a":
            raise NotApplicable("the target serves the other generation of execute")
        if self.server.wire.left < REQUESTS:
            raise NotExercised(f"open runs take {REQUESTS} requests of max_requests ({target.max_requests})")
        version = {} if target.version is None else {"version": target.version}
        found = self._start_together({"A": version, "B": {}, "C": {}})
        if not any(run.shown for run in found.values()):
            raise NotExercised(f"no run was started: {found['A'].started.shown}")
        self._command(found, "A", "pause", "BC")
        found["D"] = self._bare_start()
        for name, command, others in (
            ("C", "pause", ""),
            ("A", "resume", "BC"),
            ("D", "stop", "ABC"),
            ("B", "data", "AC"),
            ("C", "resume", ""),
            ("C", "data", ""),
        ):
            self._command(found, name, command, others)
        found |= self._start_together({"E": {}})
        self._command(found, "E", "data", "")
        return found

    @property
    def are_open(self) -> bool:
        """Whether any run stayed open after its start."""
        return any(len(run.exchanges) > 1 for run in self.runs.values())

    def _start_together(self, queries: Mapping[str, Mapping[str, Any]]) -> dict[str, OpenRun]:
        """Start runs, each before the others are answered."""
        inputs = {name: self._input() for name in queries}
        operation, path = (
            self.server.contract.operation("executeWorkflow"),
            {"workflow_id": self.server.target.workflow},
        )
        cases = [case_of(operation, path, queries[name], body) for name, (_, body) in inputs.items()]
        found = {}
        for (name, (given, _)), came in zip(inputs.items(), self.server.wire.send_together(cases), strict=True):
            if isinstance(came, NotExercised):
                raise came
            found[name] = _run(name, given, came)
        return found

    def _input(self) -> tuple[dict[str, MarkedInput], Any]:
        """Return what a run is given, by the place where it stands, and the body that starts it."""
        note, other = marked_inputs.of_every_plane(), marked_inputs.nested()
        plain, by = marked_inputs.plain(), marked_inputs.plain()
        own = self.server.start_input["dynamic_variables"]
        texts = {name: plain.value for name, value in own.items() if isinstance(value, str)}
        body = {
            **self.server.start_input,
            "dynamic_variables": {**own, **texts, NOTE: note.value},
            "run_by": f"{self.server.tag} {by.value}",
            "miscellaneous": {NOTE: other.value},
        }
        inputs = {"dynamic_variables": note, "run_by": by, "miscellaneous": other, VARIABLE: plain}
        return inputs, self.server.body_of(body)

    def _bare_start(self) -> OpenRun:
        """Start a run with nothing that could be left out; elsewhere than on this machine it carries the tag."""
        tag = {} if self.server.target.is_local else {"run_by": self.server.tag}
        started = self.server.execute({"command": "start", **tag})
        return _run("D", {}, started)

    def _command(self, runs: Mapping[str, OpenRun], name: str, command: str, others: str) -> None:
        run = runs[name]
        if run.id is None or run.shown.get("status") not in RESTING:
            return
        said = {"command": command, "workflow_run_id": run.id, "run_by": self.server.tag}
        exchange = self.server.execute({**said, **(SAID if command == "data" else {})})
        self._is_own(run, exchange, command)
        run.commanded = exchange.result
        run.took(exchange, _json(exchange))
        with suppress(NotExercised):
            self._read(run)
        for other in (runs[one] for one in others):
            with suppress(NotExercised):
                self._read(other, f"{command} of another run")

    def _is_own(self, run: OpenRun, exchange: Exchange, command: str) -> None:
        told = _json(exchange).get("workflow_run_id") if exchange.has_succeeded else None
        if told not in {None, run.id}:
            self.violations.append(exchange.violation(f"{command}: run", "the response shows another run"))

    def _read(self, run: OpenRun, after: str = "") -> None:
        """Read a run; after a command for another one, nothing of it may have changed."""
        if run.id is None:
            return
        exchange = self.server.call("getWorkflowRun", path={"workflow_run_id": run.id})
        record = _json(exchange).get("workflow_run")
        shown = record.get("workflow_run") if isinstance(record, dict) else None
        if not exchange.has_succeeded or not isinstance(shown, dict):
            return
        for name in run.changes(shown) if after else ():
            before, now = told_apart(run.shown[name], shown[name])
            received = f"{name} was {before} and is {now} after {after}"
            self.violations.append(exchange.violation(f"{after}: {name}", received))
        # What is read may be shorter than what a command shows.
        run.took(exchange, {**run.shown, **shown})


def _run(name: str, inputs: Mapping[str, MarkedInput], started: Exchange) -> OpenRun:
    run = OpenRun(name, inputs, started)
    run.took(started, _json(started))
    return run


def _json(exchange: Exchange) -> dict[str, Any]:
    return exchange.json if exchange.is_object else {}
