"""What is nearly the key of a workflow, a version, a label or an external id; and runs of versions by their keys."""

import time
from collections.abc import Mapping
from enum import StrEnum, auto
from typing import Any, ClassVar, Final

from contract_tests.rules import NotExercised
from contract_tests.server.models.exchange import LATER, Exchange
from contract_tests.server.models.execution import Execution
from contract_tests.server.relations.marked_runs import FIRST_PAUSE, SECONDS, tries
from contract_tests.server.relations.near_texts import other_numerals, other_spellings
from contract_tests.server.relations.workflow_history import AfterHistory
from contract_tests.server.relations.workflow_numbers import WorkflowNumbers
from contract_tests.server.relations.workflow_reads import LABEL, LONGER_LABEL
from contract_tests.server.transport import case_of

NOT_FOUND: Final = 404
SLOWER: Final = 4  # pauses than for other runs: it has more nodes than most
Query = dict[str, Any]


class LookupTopic(StrEnum):
    """What is looked at."""

    NEIGHBOURS = auto()
    SPELLINGS = auto()
    RUNS = auto()


class WorkflowLookups(AfterHistory):
    """Asks for what is not there."""

    requests: ClassVar[int] = 20
    what: ClassVar[str] = "asking for workflows by what is nearly their keys"

    def play(self) -> None:
        """Ask for what is beside a key first, then for keys in other spellings."""
        first, second = self.history.first, self.history.second
        foreign = sorted({LONGER_LABEL, *first.labels} - {*second.labels})[-1:]  # none, if writes were drawn that way
        asked: list[tuple[str, str, Query]] = [
            ("the beginning of a name", first.name[:-1], {}),
            *(("the label of another workflow", second.name, {"label": label}) for label in foreign),
            ("the beginning of a label", first.name, {"label": LABEL[:-1]}),
            ("the version after the latest", first.name, {"version": first.latest + 1}),
        ]
        for what, name, query in asked:
            exchange = self._read(name, query)
            is_found = exchange.status not in {NOT_FOUND, *LATER}
            self.judge(LookupTopic.NEIGHBOURS, exchange, not is_found, what, "instead of 404")
        source, id_ = self.history.pair
        self._find(LookupTopic.NEIGHBOURS, "the beginning of an external id", source, id_[:-1])
        for label in foreign:
            run = self.server.run(workflow=second.name, workflow_label_name=label)
            self.judge(LookupTopic.NEIGHBOURS, run, not run.has_succeeded, "the label of another workflow", "it is run")
        self._spellings()
        self._write_by_nearly_a_key()

    def _spellings(self) -> None:
        first = self.history.first
        for what, name in self._some(other_spellings(first.name), 2):
            self._is_refused(what, self._read(name, {}))
        for what, number_of_it in self._some(other_numerals(first.id), 2):
            self._is_refused(f"id {what}", self._read(number_of_it, {}))
        for number, (what, label) in enumerate(self._some(other_spellings(LABEL), 2)):
            # A read and a run may look it up each for itself.
            query, member = {"label": label}, {"workflow_label_name": label}
            is_both = self.history.is_thorough or number == 0
            is_read = (number + self.history.seed) % 2 == 0
            if is_both or is_read:
                self._is_refused(f"label {what}", self._read(first.name, query))
            if is_both or not is_read:
                self._is_refused(f"label {what}", self.server.run(workflow=first.name, **member))
        source, id_ = self.history.pair
        pairs = {
            "id in another case": (source, id_.swapcase()),
            "source in another case": (source.swapcase(), id_),
            "id with white space": (source, f"{id_} "),
            "source with white space": (f"{source} ", id_),
        }
        for what, pair in self._some(pairs, 2):
            self._find(LookupTopic.SPELLINGS, what, *pair)

    def _write_by_nearly_a_key(self) -> None:
        """Patch by a name that is none, and give the second workflow an external id that nearly is the first one's."""
        first, second = self.history.first, self.history.second
        other = {"workflow_id_or_name": first.name.swapcase()}
        patched = self.server.call("patchWorkflow", path=other, body={"commit_message": "of none"})
        self._is_refused("in another case", patched)
        if patched.has_succeeded:  # of what there is now nothing is known
            raise NotExercised("a workflow was patched by nearly its name")
        source, id_ = self.history.pair
        near = {"source": source, "external_id": id_.swapcase()}
        attached = self.server.call("attachWorkflowExternalId", path={"workflow_id": second.id}, body=near)
        is_taken = attached.has_succeeded or attached.status in LATER
        self.judge(LookupTopic.SPELLINGS, attached, is_taken, "attached", "it is taken for another workflow's")

    def _some(self, by_kind: Mapping[str, Any], most: int) -> list[tuple[str, Any]]:
        all_kinds = [*by_kind.items()]
        if self.history.is_thorough:
            return all_kinds
        always, others = all_kinds[:1], all_kinds[1:]
        return always + [others[(self.history.seed + number) % len(others)] for number in range(most - 1)]

    def _read(self, name: str, query: Query) -> Exchange:
        return self.server.call("getWorkflow", path={"workflow_id_or_name": name}, query=query)

    def _is_refused(self, what: str, exchange: Exchange) -> None:
        self.judge(LookupTopic.SPELLINGS, exchange, not exchange.has_succeeded, what, "it is taken for the other one")

    def _find(self, topic: LookupTopic, what: str, source: str, id_: str) -> None:
        exchange = self.server.call("listWorkflows", query={"external_source": source, "external_id": id_})
        items = exchange.result.get("items")
        if isinstance(items, list):
            self.judge(topic, exchange, items == [], what, f"{len(items)} workflows")


class VersionRuns(AfterHistory):
    """Runs the first workflow, whose versions have nodes of other names: the entries of the results tell which ran."""

    requests: ClassVar[int] = 12
    what: ClassVar[str] = "running versions of a workflow"

    def play(self) -> None:
        """Run it by a label that has moved, by a number, and without either, once the latest one has two digits."""
        _ = self.history.stage(WorkflowNumbers).problem
        first = self.history.first
        earliest, *_ = first.versions
        labelled = first.labels.get(LABEL)
        by_label: Query = {"workflow_label_name": LABEL, "workflow_version_number": None}
        planned: list[tuple[str, Query, int]] = [
            *([] if labelled is None else [("by a label that has moved", by_label, labelled)]),
            ("by number", {"workflow_version_number": earliest, "workflow_label_name": None}, earliest),
            ("without label and number", {}, first.latest),
        ]
        operation = self.server.contract.operation("runWorkflow")
        body = {"input_variables": dict(self.server.target.input_variables or {}), "metadata": self.server.metadata}
        cases = [case_of(operation, {"workflow_name": first.name}, body={**body, **query}) for _, query, _ in planned]
        for (what, _, number), came in zip(planned, self.server.wire.send_together(cases), strict=True):
            if isinstance(came, Exchange) and self.is_there(LookupTopic.RUNS, came, what, f"version {number}"):
                self._judge(came, what, number)

    def _judge(self, started: Exchange, what: str, number: int) -> None:
        first = self.history.first
        of_version = {each: {*version.content.get("nodes", {})} for each, version in first.versions.items()}
        others = set[str]().union(*of_version.values()) - of_version[number]
        shown = self._nodes_of(started)
        if shown is not None:
            is_it = of_version[number] <= shown and not shown & others
            received = f"nodes {sorted(shown)} instead of {sorted(of_version[number])}"
            self.judge(LookupTopic.RUNS, started, is_it, f"run {what}", received)

    def _nodes_of(self, started: Exchange) -> set[str] | None:
        """Return the names of a run's nodes, once it has ended; None if that is not seen."""
        is_local = self.server.target.is_local
        execution, ends = Execution(started, asked_for_all=True), time.monotonic() + SECONDS[is_local]
        time.sleep(SLOWER * FIRST_PAUSE[is_local])
        for _ in tries(ends, is_local=is_local, slower=SLOWER):
            try:
                execution.polled(True, self.server.results(execution.id, return_all_outputs=True))  # noqa: FBT003
            except NotExercised:
                return None
            last = execution.replies[-1]
            if last.is_done:
                return {*last.entries} or None
        return None
