"""A PromptLayer workflow of more than nine versions, two of them made at once; external ids that go to and fro."""

from dataclasses import replace
from enum import StrEnum, auto
from typing import ClassVar, Final

from contract_tests.openapi.json_text import whole
from contract_tests.rules import Violation
from contract_tests.server.models.exchange import LATER, Exchange
from contract_tests.server.models.workflow import Pair, Version, Workflow, content_of
from contract_tests.server.relations.workflow_history import AfterHistory
from contract_tests.server.relations.workflow_reads import SOURCE, Topic
from contract_tests.server.relations.workflow_shapes import FIRST
from contract_tests.server.relations.workflow_writes import WorkflowWrites, as_member
from contract_tests.server.transport import case_of

MANY: Final = 9  # the next number has a digit more
TWINS: Final = ("contract-tests twin 1", "contract-tests twin 2")
MADE: Final = ("contract-tests twin 3", "contract-tests twin 4")


class NumberTopic(StrEnum):
    """What is looked at."""

    GROWN = auto()
    AT_ONCE = auto()
    PAIRS = auto()
    BARE = auto()
    ESCAPED = auto()


class WorkflowNumbers(AfterHistory, WorkflowWrites):
    """Adds versions to the first workflow of the history, and moves an external id between both."""

    requests: ClassVar[int] = 26
    what: ClassVar[str] = "versions with numbers of two digits"

    def keep(self, topic: StrEnum, exchange: Exchange, found: Violation | None) -> None:
        """Take down what was judged: of versions, of external ids, or of writes at once."""
        if not isinstance(topic, NumberTopic):
            topic = NumberTopic.PAIRS if topic in {Topic.PAIRS, Topic.FOUND} else NumberTopic.GROWN
        super().keep(topic, exchange, found)

    def play(self) -> None:
        """Add versions, two of them at once, then attach and detach."""
        self.first, self.second, self.shapes = self.history.first, self.history.second, self.history.shapes
        while self.first.latest < MANY:
            self.patch(self.first, {"commit_message": f"after {self.first.latest}"})
        self._add_at_once()
        self.read(self.first)
        self.labels(self.first)
        self.find(self.history.pair, self.owner(self.history.pair))
        self._detach_with_slashes()
        self._move_pair((f"{SOURCE} a+b", f"{self.server.tag} +:@!$&'()*"))

    def _add_at_once(self) -> None:
        """Patch twice and create twice at a time: four versions, each with a node of its own."""
        patch, create = (self.server.contract.operation(name) for name in ("patchWorkflow", "createWorkflow"))
        node = {**self.shapes.node("", FIRST), "dependencies": []}
        unnamed = {key: value for key, value in node.items() if key != "name"}
        path = {"workflow_id_or_name": self.first.name}
        plain = {"workflow_id": self.first.id, **self.shapes.plain()}
        cases = [case_of(patch, path, body={"nodes": {twin: unnamed}}) for twin in TWINS]
        cases += [
            case_of(create, {}, body={**plain, "nodes": [*plain["nodes"], {**node, "name": name}]}) for name in MADE
        ]
        came = [one for one in self.server.wire.send_together(cases) if isinstance(one, Exchange) and one.has_succeeded]
        numbers = [whole(one.result.get("version_number")) for one in came]
        for exchange, number in zip(came, numbers, strict=True):
            is_alone = numbers.count(number) == 1
            self.judge(NumberTopic.AT_ONCE, exchange, is_alone, "version_number", f"two writes made version {number}")
            if is_alone and number is not None:
                self._read_twin(exchange, number)

    def _read_twin(self, patched: Exchange, number: int) -> None:
        read = self._ask(self.first.name, {"version": number})
        content = content_of(read.json) if read.has_succeeded and read.is_object else {}
        if "nodes" in content:
            nodes = patched.case.body["nodes"]
            asked = {*(nodes if isinstance(nodes, dict) else (node["name"] for node in nodes))}
            received = f"version {number} has not the nodes that its write adds"
            self.judge(NumberTopic.AT_ONCE, read, asked <= content["nodes"].keys(), "nodes", received)
        self.first.add(Version(number, content, shown=read.json if content else {}))

    def _detach_with_slashes(self) -> None:
        """Attach and detach an external id with the characters that divide an address."""
        pair = (f"{SOURCE}/a?b", f"{self.server.tag}/#%2F..")
        self.attach(self.second, pair)
        if pair in self.second.pairs and self._detach_as_written(pair, NumberTopic.ESCAPED):
            self.find(pair, None)

    def _move_pair(self, pair: Pair) -> None:
        """Attach it, detach it, attach it to the other one; then attach it to both at once."""
        self.attach(self.first, pair)
        self.detach(self.first, pair)
        self.attach(self.second, pair)
        self.find(pair, self.second if pair in self.second.pairs else None)
        if pair in self.second.pairs and self._detach_as_written(pair, NumberTopic.BARE):
            self._attach_twice_at_once(pair)

    def _detach_as_written(self, pair: Pair, topic: NumberTopic) -> bool:
        """Detach it, barely or with every escape, as the topic is; return whether that was done."""
        operation = self.server.contract.operation("detachWorkflowExternalId")
        path = {"workflow_id": self.second.id, "source": pair[0], "external_id": pair[1]}
        is_bare = topic is NumberTopic.BARE
        detached = self.server.wire.send(replace(case_of(operation, path), is_bare=is_bare))
        if detached.status not in LATER:
            self.judge(topic, detached, detached.has_succeeded, "path", "the workflow has this external id")
        if detached.has_succeeded:
            self.second.pairs.discard(pair)
        return detached.has_succeeded

    def _attach_twice_at_once(self, pair: Pair) -> None:
        operation = self.server.contract.operation("attachWorkflowExternalId")
        both: list[Workflow] = [self.first, self.second]
        cases = [case_of(operation, {"workflow_id": one.id}, body=as_member(pair)) for one in both]
        came = self.server.wire.send_together(cases)
        found = [(one, came_of) for one, came_of in zip(both, came, strict=True) if isinstance(came_of, Exchange)]
        owners = [one for one, exchange in found if exchange.has_succeeded]
        for _, exchange in found:
            received = "it is attached to two workflows"
            self.judge(NumberTopic.AT_ONCE, exchange, len(owners) < len(both), "external_id", received)
        if len(owners) == 1:
            owners[0].pairs.add(pair)
            self.find(pair, owners[0])
            self.detach(owners[0], pair)
