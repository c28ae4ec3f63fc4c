"""
Two PromptLayer workflows of the harness from their creation on.

Each write is followed by reads of what it names, and of what it does not.
The second workflow has labels and external ids that nearly are the first one's.
"""

from collections.abc import Callable, Collection
from contextlib import suppress
from random import Random
from typing import Any, ClassVar, Final, TypeVar

from contract_tests.budget import QUICK
from contract_tests.openapi.json_text import same, whole
from contract_tests.options import Options
from contract_tests.rules import NotExercised
from contract_tests.server import own_workflow
from contract_tests.server.relations.stage import Stage
from contract_tests.server.relations.workflow_reads import (
    LABEL,
    LONGER_LABEL,
    OTHER_SOURCE,
    SOURCE,
    Topic,
)
from contract_tests.server.relations.workflow_shapes import ADDED, FIRST, SECOND, Body, Shapes
from contract_tests.server.relations.workflow_writes import WorkflowWrites, as_member
from contract_tests.server.server import NO_SUCH_ID, ServerUnderTest

After = TypeVar("After", bound=Stage)
ROUNDS: Final = 20  # writes that are drawn where the budget is not the quick one


class WorkflowHistory(WorkflowWrites):
    """
    The history of two workflows.

    Attributes:
        name: Name of the first one.
        pair: Its external id.
    """

    requests: ClassVar[int] = 51
    what: ClassVar[str] = "the history of two workflows"
    needs: ClassVar[Collection[str]] = (
        "createWorkflow",
        "patchWorkflow",
        "getWorkflow",
        "getWorkflowLabels",
        "listWorkflows",
        "listWorkflowExternalIds",
        "attachWorkflowExternalId",
        "detachWorkflowExternalId",
        "runWorkflow",
    )

    def __init__(self, server: ServerUnderTest, options: Options) -> None:
        super().__init__(server)
        self._random = Random(options.seed)  # noqa: S311 - nothing is secret
        self.seed = options.seed
        self.is_thorough = options.budget.name != QUICK
        self._stages: dict[Any, Any] = {}
        self.name = f"contract-tests-History_{server.tag}"
        self.pair = (SOURCE, f"{server.tag} X")

    def stage(self, kind: Callable[["WorkflowHistory"], After]) -> After:
        """Return what comes after it, the same for every rule."""
        found: After = self._stages.setdefault(kind, kind(self))
        return found

    def play(self) -> None:
        """Create, patch, label, attach and detach, with reads before and after."""
        self.shapes = Shapes(self.server, self._random)
        before = own_workflow.read(self.server)
        self._create_both()
        self._patch_latest()
        self._patch_earlier()
        self._go_on()
        self._attach_and_detach()
        self._write_what_is_refused()
        for _ in range(ROUNDS if self.is_thorough else 0):
            self._draw_a_write()
        for workflow in (self.first, self.second):
            self._read_all(workflow)
        after = self.server.call("getWorkflow", path=before.case.path)
        self.judge(Topic.KEPT, after, same(after.json, before.json), "another workflow", "the target's own has changed")

    # Writes

    def _create_both(self) -> None:
        name, (source, id_) = self.name, self.pair
        for body in self.shapes.rich():
            labelled = {"release_labels": [LABEL, LONGER_LABEL], "external_ids": [as_member((source, id_))]}
            created = own_workflow.create(self.server, name=name, **body, **labelled)
            if created.has_succeeded:
                break
        self.first = self.created(created, name, body, {LABEL, LONGER_LABEL}, {self.pair})
        self.read(self.first)
        self.read(self.first, label=LABEL)
        self.read(self.first, version=self.first.latest)
        self.find(self.pair, self.first)
        with suppress(NotExercised):  # so that it is known what was the latest, and where the label was
            self.server.run(workflow=name)
            self.server.run(workflow=name, workflow_label_name=LABEL)
        other = (OTHER_SOURCE, id_)
        body = self.shapes.plain() | {"release_labels": [LABEL], "external_ids": [as_member(other)]}
        created = own_workflow.create(self.server, name=f"{name} É 😀 2", **body)
        self.second = self.created(created, f"{name} É 😀 2", body, {LABEL}, {other})
        self.read(self.second)

    def _patch_latest(self) -> None:
        """Change two nodes; labels, edges and variables are not mentioned."""
        changed = {self._random.choice(self.shapes.own)["name"]: self._changed("new")}
        self.patch(
            self.first, {"nodes": {**changed, SECOND: {"dependencies": [FIRST]}}, "commit_message": "é 😀 patch"}
        )
        self.read_twice(self.first)
        self.labels(self.first)

    def _patch_earlier(self) -> None:
        """Make a version of the first one: a node is removed, one is added, one changed, and a label moves."""
        nodes = {SECOND: None, ADDED: self.shapes.node(ADDED, FIRST), self.shapes.source: self._changed("other")}
        added = {key: value for key, value in (nodes[ADDED] or {}).items() if key != "name"}
        patch = {"nodes": {**nodes, ADDED: added}, "required_input_variables": self.shapes.variables}
        first, *_ = self.first.versions
        self.patch(self.first, {"base_version": first, "release_labels": [LABEL], **patch})
        self.read(self.first)
        self.read(self.first, label=LABEL)
        self.read(self.first, version=first)
        self.labels(self.first)
        self.find(self.pair, self.first)

    def _go_on(self) -> None:
        """Replace the edges, twice; put nothing in place of what there is; add a version that has nothing of others."""
        for _ in range(2):
            patch = {"edges": [self.shapes.edge(self.shapes.source, FIRST, 1)], "release_labels": []}
            self.patch(self.first, patch)
        self.read(self.first)
        nodes = {SECOND: self.shapes.node("", FIRST), ADDED: {"dependencies": []}}
        del nodes[SECOND]["name"]
        self.patch(self.first, {"nodes": nodes, "edges": [], "required_input_variables": {}})
        self.read(self.first)
        first, *_ = self.first.versions
        # The latest version has a label when one is added that has none. Its nodes are not those of where it was first.
        message = "as at first but for a node"
        less: Body = {"nodes": {SECOND: None}, "commit_message": message, "release_labels": [LABEL]}
        self.patch(self.first, {"base_version": first, **less})
        self.read(self.first)
        added = {"workflow_id": self.first.id, **self.shapes.plain()}
        self.add(self.first, added, own_workflow.create(self.server, **added))
        self.read(self.first, by_id=True)
        self.labels(self.first)
        self.read(self.first, label=LONGER_LABEL)

    def _attach_and_detach(self) -> None:
        id_, near = (f"{self.server.tag} Y %41+ü?{last}" for last in "😀😁")
        for source in (SOURCE, OTHER_SOURCE):
            self.attach(self.first, (source, id_))
        self.attach(self.second, (OTHER_SOURCE, near))
        self.detach(self.first, (SOURCE, id_))
        for source, of_first in sorted(self.first.pairs)[:1]:
            path = {"workflow_id": self.second.id, "source": source, "external_id": of_first}
            self.server.call("detachWorkflowExternalId", path=path)  # it is none of the second one's
        self.pairs(self.first)
        self.pairs(self.second)
        self.find((SOURCE, id_), None)
        self.find((OTHER_SOURCE, id_), self.first)
        for pair in self.second.pairs:
            self.find(pair, self.second)

    def _write_what_is_refused(self) -> None:
        """Send writes that name what is taken, or not there, and see that nothing has come of them."""
        name, latest = f"{self.name} 3", self.first.latest
        for pair in sorted(self.first.pairs)[:1]:
            create = {"name": name, "external_ids": [as_member(pair)], **self.shapes.plain()}
            self.must_refuse("an external id of another workflow", own_workflow.create(self.server, **create))
        twin = own_workflow.create(self.server, name=self.first.name, **self.shapes.plain())
        self.judge(Topic.CREATED, twin, not twin.has_succeeded, "name that is taken", "it is taken again")
        patch = {"base_version": NO_SUCH_ID, "release_labels": [LABEL]}
        self.must_refuse("a base that does not exist", self.send_patch(self.first, patch))
        # A node that is new needs a type and a configuration.
        unfinished = {"nodes": {"contract-tests unfinished": {"dependencies": []}}, "release_labels": [LABEL]}
        self.must_refuse("a new node without a type", self.send_patch(self.first, unfinished))
        path = {"workflow_id_or_name": name}
        there = self.server.call("getWorkflow", path=path)
        self.judge(Topic.REFUSED, there, not there.has_succeeded, "workflow", "the workflow that was refused is there")
        now = self._ask(self.first.name, {})
        number = whole(now.result.get("version"))
        self.judge(
            Topic.REFUSED, now, number is None or number <= latest, "version", "the version that was refused is there"
        )

    def _draw_a_write(self) -> None:
        """Write anything, and read something."""
        workflow = self._random.choice([self.first, self.second])
        pair = (self._random.choice([SOURCE, OTHER_SOURCE]), f"{self.server.tag} {self._random.choice('XYZ')}")
        labels = [label for label in (LABEL, LONGER_LABEL) if self._random.random() < 1 / 3]
        match self._random.choice(["patch", "patch", "patch", "create", "attach", "detach"]):
            case "patch":
                base = self._random.choice([*workflow.versions])
                nodes = {self._random.choice(self.shapes.own)["name"]: self._changed(self._random.choice("abc"))}
                self.patch(workflow, {"base_version": base, "nodes": nodes, "release_labels": labels})
            case "create":
                added = {"workflow_name": workflow.name, "release_labels": labels, **self.shapes.plain()}
                self.add(workflow, added, own_workflow.create(self.server, **added))
            case "attach" if pair not in self.first.pairs | self.second.pairs:
                self.attach(workflow, pair)
            case _ if pair in workflow.pairs:
                self.detach(workflow, pair)
        other = self._random.choice([self.first, self.second])
        self.read(other)
        self.read(other, version=self._random.choice([*other.versions]))
        self.labels(other)
        self.find(pair, self.owner(pair))

    def _changed(self, new: str) -> Body:
        """Return a change of a node; of no configuration where the service keeps no notes."""
        return self.shapes.change(new) if self.keeps_notes else {}


class AfterHistory(Stage):
    """Looks at the workflows once their history is written."""

    def __init__(self, history: WorkflowHistory) -> None:
        super().__init__(history.server)
        self.history = history

    def check_affordable(self) -> None:
        """See whether there is a history, and enough requests are left; raises NotExercised."""
        if self.history.problem is not None:
            raise self.history.problem
        super().check_affordable()
