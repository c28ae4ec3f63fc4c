"""
A PromptLayer workflow that is asked for before it is there, and run while further versions of it are made.

Its name, a label of it and the path that names it have reserved characters in them.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import StrEnum, auto
from typing import Any, ClassVar, Final

from contract_tests.rules import NotExercised, Violation
from contract_tests.server import own_workflow
from contract_tests.server.models.callback import Callback
from contract_tests.server.models.exchange import LATER, Exchange
from contract_tests.server.models.execution import RUNNING, Execution, Poll, checks_of_pending, entries_of
from contract_tests.server.models.workflow import Workflow
from contract_tests.server.relations.marked_runs import CALLBACK_SECONDS, FIRST_PAUSE, SECONDS, tries
from contract_tests.server.relations.workflow_history import AfterHistory, WorkflowHistory
from contract_tests.server.relations.workflow_reads import ODD_LABEL, SOURCE
from contract_tests.server.relations.workflow_shapes import ADDED, CONDITIONS, FIRST, SKIPPED
from contract_tests.server.relations.workflow_writes import WorkflowWrites
from contract_tests.server.transport import case_of

ODD: Final = "a+b&c=d,e:f@g!h$i'j(k)*l%2Fm#n~é"
LENGTH: Final = 200  # of the name; 255 are allowed
MANY_NODES: Final = 20
SPARE: Final = "contract_tests_spare"
Ask = Callable[[], Exchange]


class GrowthTopic(StrEnum):
    """What is looked at."""

    APPEARED = auto()
    WRITTEN = auto()
    PENDING = auto()
    PINNED = auto()
    STAYED = auto()
    WARNED = auto()
    BARE = auto()
    CALLED = auto()
    ALL = auto()
    POSTED = auto()
    CONDITIONS = auto()


class WorkflowGrowth(AfterHistory, WorkflowWrites):
    """Makes the workflow, and asks and runs before and after each write."""

    requests: ClassVar[int] = 45
    what: ClassVar[str] = "a workflow that is asked for before it is there"
    third: Workflow
    execution: Execution

    def __init__(self, history: WorkflowHistory) -> None:
        super().__init__(history)
        self.name = f"contract-tests {self.server.tag} {ODD}".ljust(LENGTH, "x")
        self.pair = (f"{SOURCE} a+b&c", f"{self.server.tag} +é")

    def keep(self, topic: StrEnum, exchange: Exchange, found: Violation | None) -> None:
        """Take down what was judged: what a write and a read show of it is one topic here."""
        super().keep(topic if isinstance(topic, GrowthTopic) else GrowthTopic.WRITTEN, exchange, found)

    def play(self) -> None:
        """Create it with one version, then make two more."""
        self.first, self.second, self.shapes = self.history.first, self.history.second, self.history.shapes
        self._appear(
            {"workflow": lambda: self._ask(self.name, {}), "labels": self._labels, "run": self._run}, self._make
        )
        self.read(self.third)
        self._name_barely()
        (source, id_), label, number = self.pair, ODD_LABEL, self.third.latest + 1
        versions: dict[str, Ask] = {
            "version": lambda: self._ask(self.name, {"version": number}),
            "label": lambda: self._ask(self.name, {"label": label}),
            "run by version": lambda: self._run(workflow_version_number=number),
            "run by label": lambda: self._run(workflow_label_name=label),
            "external id": lambda: self.server.call(
                "listWorkflows", query={"external_source": source, "external_id": id_}
            ),
        }
        self._appear(versions, self._run_and_patch)
        self.read(self.third)
        self._change_output()
        self._warn()

    def _appear(self, asks: Mapping[str, Ask], make: Callable[[], None]) -> None:
        """Ask for what is not there, make it, and ask again."""
        before = {what: ask() for what, ask in asks.items()}
        make()
        for what, ask in asks.items():
            exchange = ask()
            if not _is_found(before[what]) and exchange.status not in LATER:
                received = "it is there now, and was asked for before"
                self.judge(GrowthTopic.APPEARED, exchange, _is_found(exchange), what, received)

    def _make(self) -> None:
        # Elsewhere a node may cost money each time.
        for body in self.shapes.with_nodes_behind(MANY_NODES if self.server.target.is_local else 0):
            created = own_workflow.create(self.server, name=self.name, **body)
            if created.has_succeeded:
                break
        self.third = self.created(created, self.name, body, set(), set())
        self._nodes = {node["name"] for node in body["nodes"]}

    def _run_and_patch(self) -> None:
        """Start a run, add a version with a node more right behind it, and watch the run."""
        url = self.server.callback_url()
        started = self._run(return_all_outputs=True, **({"callback_url": url} if url else {}))
        node = self.shapes.node(ADDED, FIRST)
        del node["name"]
        self.patch(self.third, {"nodes": {ADDED: node}, "release_labels": [ODD_LABEL]})
        self._watch(started)
        if url:
            self._look_at_callback(url)
        self.attach(self.third, self.pair)

    def _watch(self, started: Exchange) -> None:
        """Ask for results in both forms until the end."""
        self.execution = Execution(started, asked_for_all=False)
        is_local = self.server.target.is_local
        ends = time.monotonic() + SECONDS[is_local]
        time.sleep(FIRST_PAUSE[is_local])
        for _ in tries(ends, is_local=is_local):
            asked = [self._poll(flag) for flag in (False, True)]
            if all(poll.is_done for poll in asked):
                break
        for found in checks_of_pending(self.execution.steps):
            self.keep(GrowthTopic.PENDING, self.execution.last_exchange, found)
        last = self.execution.replies[-1]
        shown, behind = {*last.entries}, {ADDED}
        if last.is_done and shown:
            missing = sorted(self._nodes - shown)
            self.judge(GrowthTopic.ALL, last.exchange, not missing, "entries", f"of {missing} it has none")
        if last.is_done:
            self._look_at_conditions(last)
        if shown:
            received = f"the version that was made right behind it is run: nodes {sorted(shown)}"
            self.judge(GrowthTopic.PINNED, started, not shown & behind, "version", received)

    def _look_at_conditions(self, last: Poll) -> None:
        """Judge which nodes were skipped, where those with one condition each are as that says."""
        words = {name: entry.get("status") for name, entry in last.entries.items()}
        first, *others = CONDITIONS
        if words.get(SKIPPED) == "SKIPPED" and words.get(first) == "SUCCESS":
            for name in others:
                is_as_told = (words.get(name) == "SUCCESS") == CONDITIONS[name][2]
                self.judge(GrowthTopic.CONDITIONS, last.exchange, is_as_told, name, f"{name} is {words.get(name)}")

    def _look_at_callback(self, url: str) -> None:
        """Wait for the callback; none at all is a matter of other rules."""
        seconds = CALLBACK_SECONDS[self.server.target.is_local]
        callback = Callback(self.execution, url, seconds, delivery=self.server.listener.wait(url, seconds))
        if callback.delivery is not None:
            words = {one["status"] for one in entries_of((callback.body or {}).get("final_output")).values()}
            is_over = not callback.is_early and not words & RUNNING
            received = f"the callback came while the run went on; it has nodes that are {sorted(words)}"
            self.judge(GrowthTopic.CALLED, self.execution.started, is_over, "end", received)
            posted = {*entries_of((callback.body or {}).get("final_output"))}
            missing = sorted({*self.execution.replies[-1].entries} - posted)
            if posted:
                received = f"the results have entries of {missing}, the callback has none"
                self.judge(GrowthTopic.POSTED, self.execution.started, not missing, "entries", received)

    def _poll(self, flag: bool) -> Poll:  # noqa: FBT001 - as it is sent
        self.execution.polled(flag, self.server.results(self.execution.id, return_all_outputs=flag))
        return self.execution.replies[-1]

    def _change_output(self) -> None:
        """Make another node the output, and ask for the results of the run that came before."""
        before = {poll.all_outputs: poll for poll in self.execution.replies if poll.is_done and poll.is_result}
        nodes = {self.shapes.output: {"is_output_node": False}, FIRST: {"is_output_node": True}}
        variables = {**self.shapes.variables, SPARE: "string"}
        self.patch(self.third, {"nodes": nodes, "required_input_variables": variables})
        for flag, poll in before.items():
            again = self._poll(bool(flag))
            is_same = again.status == poll.status and again.body == poll.body
            self.judge(
                GrowthTopic.STAYED,
                again.exchange,
                is_same,
                "body",
                "before the workflow was patched it was another one",
            )

    def _warn(self) -> None:
        """Run versions with and without a variable that the latest one alone has."""
        first, *_ = self.third.versions
        own = dict(self.server.target.input_variables or {})
        more = {"input_variables": {**own, SPARE: "x"}}
        if self._is_warned(self._run(**more)) is not False or self._is_warned(self._run()) is not True:
            raise NotExercised("runs are not warned of missing variables alone")
        for what, is_warned, members in (
            ("by number", False, {"workflow_version_number": first}),
            ("by label", False, {"workflow_label_name": ODD_LABEL}),
            ("by number with one more", True, {"workflow_version_number": first, **more}),
        ):
            run = self._run(**members)
            if self._is_warned(run) is not None:
                received = "the variables of the latest version are those that it goes by"
                self.judge(GrowthTopic.WARNED, run, self._is_warned(run) == is_warned, f"warning {what}", received)

    def _is_warned(self, run: Exchange) -> bool | None:
        """Whether a run has a warning; None if it was refused."""
        return isinstance(run.json.get("warning"), str) if run.has_succeeded and run.is_object else None

    def _name_barely(self) -> None:
        """Read and run it by a path in which no character is escaped that may stand there as it is."""
        for operation, parameter in (("getWorkflow", "workflow_id_or_name"), ("runWorkflow", "workflow_name")):
            known = self.server.contract.operation(operation)
            body = {"body": {"metadata": self.server.metadata}} if known.body else {}
            usual = case_of(known, {parameter: self.name}, **body)
            exchanges = [self.server.wire.send(replace(usual, is_bare=is_bare)) for is_bare in (False, True)]
            if exchanges[0].has_succeeded and exchanges[1].status not in LATER:
                received = "escaped, the same name is found"
                self.judge(GrowthTopic.BARE, exchanges[1], exchanges[1].has_succeeded, "path", received)

    def _run(self, **members: Any) -> Exchange:
        return self.server.run(workflow=self.name, **members)

    def _labels(self) -> Exchange:
        return self.server.call("getWorkflowLabels", path={"workflow_id_or_name": self.name})


def _is_found(exchange: Exchange) -> bool:
    return exchange.has_succeeded and exchange.result.get("items") != []
