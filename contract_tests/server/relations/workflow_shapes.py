"""Workflows and patches that are made of the nodes of the target's own, which the service is known to take."""

from collections.abc import Iterator, Sequence
from copy import deepcopy
from random import Random
from typing import Any, Final

from contract_tests.server import own_workflow
from contract_tests.server.relations.marked_inputs import NUMBERS, TEXTS
from contract_tests.server.server import ServerUnderTest

NOTE: Final = "contract_tests_note"  # a property of a configuration; whether a service keeps it is seen
SKIPPED: Final = "contract-tests never"
# What the conditions of an edge to a node say, whether all of them have to hold, and whether the node runs then.
CONDITIONS: Final = {
    "contract-tests holds": ([True], False, True),
    "contract-tests all but the first": ([False, True], True, False),
    "contract-tests all but the last": ([True, False], True, False),
    "contract-tests the first alone": ([True, False], False, True),
    "contract-tests the last alone": ([False, True], False, True),
}
OTHER_CASES: Final = ("CONTRACT-TESTS É 1", "Contract-Tests é 1")  # of the first node's name: nodes of their own
FIRST, SECOND, ADDED = "contract-tests é 1", "contract-tests é 2", "contract-tests added"
Body = dict[str, Any]


class Shapes:
    """What versions of a target's workflows are made of; what does not matter is drawn."""

    def __init__(self, server: ServerUnderTest, random: Random) -> None:
        self._random = random
        self.own = own_workflow.nodes_of(server)
        found = own_workflow.read(server).result.get("required_input_variables")
        self.variables = (
            found if isinstance(found, dict) else dict.fromkeys(server.target.input_variables or {}, "string")
        )
        # A node that others depend on, and one that a patch may change.
        self.source = self.own[0]["name"]

    def rich(self) -> Iterator[Body]:
        """Yield versions with two nodes more, notes and edges, each with less of what a service may not take."""
        noted = [{**node, "configuration": {**node["configuration"], NOTE: self._note()}} for node in self.own]
        more = [self.node(FIRST, self.source), self.node(SECOND, FIRST, self.source)]
        more_noted = [more[0], {**more[1], "configuration": {**more[1]["configuration"], NOTE: {"gone": True}}}]
        variables = {**self.variables, "contract_tests_extra": "string"}
        plain = {"nodes": [*self.own, *more], "required_input_variables": variables, "commit_message": "é first"}
        edges = [self.edge(self.source, FIRST, 2), self.edge(FIRST, SECOND, 1)]
        yield {**plain, "nodes": [*noted, *more_noted], "edges": edges}
        yield {**plain, "nodes": [*noted, *more_noted]}
        yield plain

    def plain(self) -> Body:
        """Return a version with the target's own nodes."""
        return {"nodes": self.own, "required_input_variables": self.variables, "commit_message": "plain"}

    @property
    def output(self) -> str:
        """Name of an output node."""
        return str(next(node["name"] for node in reversed(self.own) if node.get("is_output_node")))

    def with_nodes_behind(self, more: int) -> Iterator[Body]:
        """Yield versions in which two nodes wait for the output node, the first one with another that never runs."""
        behind = [self.node(FIRST, self.output), self.node(SECOND, FIRST)]
        behind += [self.node(f"contract-tests {number}", self.source) for number in range(more)]
        plain = {**self.plain(), "nodes": [*self.own, *behind]}
        edge = self._conditional_edge(SKIPPED, [False], is_and=False)
        never = {"nodes": [*plain["nodes"], self.node(SKIPPED, self.output)], "edges": [edge]}
        conditional = [self.node(name, self.output) for name in CONDITIONS]
        edges = [self._conditional_edge(name, hold, is_and=all_) for name, (hold, all_, _) in CONDITIONS.items()]
        rich = {**plain, "nodes": [*never["nodes"], *conditional], "edges": [edge, *edges]}
        yield {**rich, "nodes": [*rich["nodes"], *(self.node(name, self.source) for name in OTHER_CASES)]}
        yield rich
        yield {**plain, **never}
        yield plain

    def _conditional_edge(self, target: str, hold: Sequence[bool], *, is_and: bool) -> Body:
        """Return an edge behind the output with these conditions."""
        edge = self.edge(self.output, target, len(hold))
        for condition, holds in zip(edge["conditionals"], hold, strict=True):
            condition["operator"] = "is_not_null" if holds else "is_null"
        return {**edge, "is_and": is_and}

    def node(self, name: str, *dependencies: str) -> Body:
        """Return a node that is no output, and needs these."""
        copied = {**self.own[0], "name": name, "is_output_node": False, "dependencies": list(dependencies)}
        return deepcopy(copied)

    def edge(self, source: str, target: str, conditions: int) -> Body:
        """Return an edge with so many conditions."""
        condition = {"operator": "is_not_null", "left_config": {"source": source}, "right_config": {}}
        conditionals = [{**condition, "position": position} for position in range(conditions)]
        ends = {"source_node_name": source, "target_node_name": target}
        return {**ends, "is_and": conditions > 1, "conditionals": conditionals}

    def change(self, new: str) -> Body:
        """Return a change of a configuration that overrides one part of the note, adds one and leaves the others."""
        return {"configuration": {NOTE: {"changed": {"x": self._random.randrange(10, 99)}, new: ["ü"]}}}

    def _note(self) -> Body:
        number = self._random.randrange(10)
        text = " ".join(TEXTS.values())
        odd: Body = {
            "texts": text,
            "long": "0123456789" * 500,
            "numbers": [*NUMBERS],
            "none": [None, {}, [], ""],
            "null": None,
        }
        return {"kept": {"a": number, "b": "é"}, "changed": {"x": number, "y": [1, {"z": True}]}, "odd": odd}
