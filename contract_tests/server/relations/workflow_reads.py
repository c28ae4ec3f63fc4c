"""
Reads of two PromptLayer workflows of the harness, each beside what is foretold of it.

What is foretold follows from a model that knows what the service has taken, and shown before.
"""

from collections.abc import Mapping
from contextlib import suppress
from enum import StrEnum, auto
from typing import Any, Final

from contract_tests.openapi.json_equality import told_apart
from contract_tests.openapi.json_text import same, whole
from contract_tests.rules import Unanswered
from contract_tests.server.models.exchange import LATER, Exchange
from contract_tests.server.models.workflow import (
    Content,
    Pair,
    Version,
    Workflow,
    content_of,
    differences,
    fixed_part_of,
)
from contract_tests.server.relations.stage import Stage
from contract_tests.server.relations.workflow_shapes import NOTE
from contract_tests.server.transport import case_of

LABEL, LONGER_LABEL = "contract-tests Stable_É", "contract-tests Stable_É😀"
ODD_LABEL = "contract-tests a+b&c%2Fd"
OWN_LABELS: Final = (LABEL, LONGER_LABEL, ODD_LABEL)
SOURCE, OTHER_SOURCE = "contract-tests A", "contract-tests A2"
OF_EDGES: Final = frozenset({"edges", "ends of edges", "required_input_variables"})


class Topic(StrEnum):
    """What is looked at."""

    CREATED = auto()
    MERGED = auto()
    EDGES = auto()
    BASE = auto()
    KEPT = auto()
    LABELS = auto()
    LATEST = auto()
    LISTED = auto()
    PAIRS = auto()
    FOUND = auto()
    REFUSED = auto()
    CARRIED = auto()


class KnownWorkflows(Stage):
    """Reads workflows, and judges what is shown by what is known of them."""

    def read(self, workflow: Workflow, *, by_id: bool = False, **query: Any) -> None:
        """Read a version, by default the latest one."""
        if query.get("label") not in {None, *workflow.labels}:
            return  # that it is lost was told
        with suppress(Unanswered):
            name = str(workflow.id) if by_id else workflow.name
            self._took(workflow, self._ask(name, query), query)

    def read_twice(self, workflow: Workflow) -> None:
        """Read the latest version by name and by id at once, over two connections."""
        operation = self.server.contract.operation("getWorkflow")
        cases = [case_of(operation, {"workflow_id_or_name": name}) for name in (workflow.name, str(workflow.id))]
        for came in self.server.wire.send_together(cases):
            if isinstance(came, Exchange):
                self._took(workflow, came, {})

    def labels(self, workflow: Workflow) -> None:
        """Ask for a workflow's labels."""
        exchange = self.server.call("getWorkflowLabels", path={"workflow_id_or_name": workflow.name})
        found = exchange.result.get("release_labels")
        if not self.is_there(Topic.LABELS, exchange, "status", "the workflow") or not isinstance(found, list):
            return
        shown = [one for one in found if isinstance(one, dict) and one.get("release_label") in OWN_LABELS]
        told = {one["release_label"]: whole(one.get("workflow_version_number")) for one in shown}
        is_right = told == workflow.labels and len(shown) == len(told)
        self.judge(Topic.LABELS, exchange, is_right, "labels", f"{told} instead of {workflow.labels}")
        # What is wrong is told once: from here on it counts as it is shown.
        workflow.labels = {label: number for label, number in told.items() if number and number in workflow.versions}
        for label, number in (one for one in workflow.labels.items() if is_right):
            known = workflow.versions[number].shown.get("workflow_version_id")
            ids = [one.get("workflow_version_id") for one in shown if one["release_label"] == label]
            self.judge(Topic.LABELS, exchange, known is None or ids == [known], "workflow_version_id", f"{ids}")

    def pairs(self, workflow: Workflow) -> None:
        """Ask for a workflow's external ids."""
        exchange = self.server.call("listWorkflowExternalIds", path={"workflow_id": workflow.id})
        if self.is_there(Topic.PAIRS, exchange, "status", "the workflow"):
            self._judge_pairs(Topic.PAIRS, workflow, exchange, exchange.result)

    def find(self, pair: Pair, owner: Workflow | None) -> None:
        """Ask for the workflow with an external id; it is shown as it is now."""
        exchange = self.server.call("listWorkflows", query={"external_source": pair[0], "external_id": pair[1]})
        items = exchange.result.get("items")
        if not isinstance(items, list):
            return
        found = {whole(item.get("id")): item for item in items if isinstance(item, dict)}
        expected = [] if owner is None else [owner.id]
        of = "the one that has it" if owner is not None else "none"
        self.judge(Topic.FOUND, exchange, [*found] == expected, f"items of {of}", f"{[*found]} instead of {expected}")
        if owner is not None and owner.id in found:
            self._judge_item(owner, exchange, found[owner.id])

    def _read_all(self, workflow: Workflow) -> None:
        read_before = [number for number, version in workflow.versions.items() if version.shown]
        for number in read_before[1:-1] or read_before:  # the first and the last one were read just now
            self.read(workflow, version=number)
        self.labels(workflow)

    def _ask(self, name: str, query: Mapping[str, Any]) -> Exchange:
        return self.server.call("getWorkflow", path={"workflow_id_or_name": name}, query=query)

    # What is read, beside what is foretold

    def _took(self, workflow: Workflow, exchange: Exchange, query: Mapping[str, Any]) -> None:
        number = workflow.number_of(query)
        topic = Topic.LABELS if "label" in query else Topic.KEPT if "version" in query else Topic.LATEST
        if exchange.status in LATER or not self.is_there(topic, exchange, "status", f"version {number}"):
            return
        shown = whole(exchange.json.get("version"))
        self.judge(topic, exchange, shown == number, "version", f"version {shown} instead of {number}")
        if shown == number:
            self._judge_labels(workflow, number, exchange)
            self._judge_content(workflow.versions[number], exchange)

    def _judge_content(self, version: Version, exchange: Exchange) -> None:
        body = exchange.json
        if version.shown:
            found = [*differences(fixed_part_of(version.shown), fixed_part_of(body), is_whole=True)]
            for part, what in found:
                self.judge(Topic.KEPT, exchange, False, part, f"version {version.number}: {what}")  # noqa: FBT003
            self.judge(Topic.KEPT, exchange, not found, "content")
            return
        content = content_of(body)
        foretold = version.foretold
        if not version.is_patch:
            self._judge_notes(version, content, exchange)
            foretold, content = _without_notes(foretold), _without_notes(content)
        found = [*differences(foretold, content, is_whole=version.is_whole)]
        is_of_latest = bool(version.by_latest) and not [*differences(version.by_latest, content, is_whole=True)]
        for part, what in found:
            topic = Topic.BASE if is_of_latest else _topic(version, part)
            self.judge(topic, exchange, False, part, f"version {version.number}: {what}")  # noqa: FBT003
        topics = {_topic(version, part) for part in version.foretold.keys() & content.keys()}
        for topic in topics | ({Topic.BASE} if version.by_latest else set()):
            self.judge(topic, exchange, True, "content")  # noqa: FBT003
        version.shown = body

    def _judge_notes(self, version: Version, content: Content, exchange: Exchange) -> None:
        """Judge what a service keeps though it means nothing to it, where it keeps that at all."""
        sent, shown = _notes_of(version.foretold), _notes_of(content)
        for name in sent.keys() & shown.keys():
            received = "{} instead of {}".format(*told_apart(shown[name], sent[name]))
            self.judge(Topic.CARRIED, exchange, same(sent[name], shown[name]), "configuration", received)

    def _judge_labels(self, workflow: Workflow, number: int, exchange: Exchange) -> None:
        labels = exchange.result.get("release_labels")
        if isinstance(labels, list):
            found, expected = {label for label in OWN_LABELS if label in labels}, workflow.labels_on(number)
            received = f"version {number} has {sorted(found)} instead of {sorted(expected)}"
            self.judge(Topic.LABELS, exchange, found == expected, "release_labels", received)

    def _judge_made(self, workflow: Workflow, exchange: Exchange) -> None:
        """Judge the response to a write that made a version."""
        self._judge_labels(workflow, workflow.latest, exchange)
        self._judge_pairs(Topic.PAIRS, workflow, exchange, exchange.result)
        id_ = whole(exchange.result.get("workflow_id"))
        self.judge(Topic.CREATED, exchange, id_ == workflow.id, "workflow_id", f"{id_} instead of {workflow.id}")
        name = exchange.result.get("workflow_name")
        self.judge(Topic.CREATED, exchange, name == workflow.name, "workflow_name", f"it is {name!r:.300}")

    def _judge_pairs(self, topic: Topic, workflow: Workflow, exchange: Exchange, body: Mapping[str, Any]) -> None:
        found = body.get("external_ids")
        if isinstance(found, list):
            pairs = sorted(
                (str(one.get("source")), str(one.get("external_id"))) for one in found if isinstance(one, dict)
            )
            received = f"{pairs} instead of {sorted(workflow.pairs)}"
            self.judge(topic, exchange, pairs == sorted(workflow.pairs), "external_ids", received)
            workflow.pairs = set(pairs)

    def _judge_item(self, workflow: Workflow, exchange: Exchange, item: Mapping[str, Any]) -> None:
        labels = item.get("release_labels")
        number, name = item.get("latest_version_number"), item.get("name")
        self._judge_pairs(Topic.LISTED, workflow, exchange, item)
        self.judge(Topic.LISTED, exchange, name == workflow.name, "name", f"{name!r:.80} instead of {workflow.name!r}")
        is_latest = number is None or whole(number) == workflow.latest
        self.judge(Topic.LISTED, exchange, is_latest, "latest_version_number", f"{number} instead of {workflow.latest}")
        if isinstance(labels, list):
            found = sorted(label for label in OWN_LABELS if label in labels)
            received = f"{found} instead of {sorted(workflow.labels)}"
            self.judge(Topic.LISTED, exchange, found == sorted(workflow.labels), "release_labels", received)


def _topic(version: Version, part: str) -> Topic:
    if not version.is_patch:
        return Topic.CREATED
    return Topic.EDGES if part in OF_EDGES else Topic.MERGED


def _notes_of(content: Content) -> dict[str, Any]:
    nodes = {name: node.get("configuration") for name, node in content.get("nodes", {}).items()}
    return {name: one[NOTE] for name, one in nodes.items() if isinstance(one, dict) and NOTE in one}


def _without_notes(content: Content) -> Content:
    """Return the content without what a service may not keep."""
    nodes = {
        name: {**node, "configuration": {key: value for key, value in configuration.items() if key != NOTE}}
        for name, node in content.get("nodes", {}).items()
        if isinstance(configuration := node.get("configuration"), dict)
    }
    return {**content, "nodes": {**content.get("nodes", {}), **nodes}}
