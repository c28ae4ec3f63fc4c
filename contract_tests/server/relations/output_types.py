"""
Runs of PromptLayer versions whose output is a JSON value of each type, also those that count as nothing.

In the last of them another output node stands beside the one that has the value, and is never reached.
"""

import time
from collections.abc import Collection, Mapping
from enum import StrEnum, auto
from typing import Any, ClassVar, Final

from contract_tests.http.callback_listener import Delivery
from contract_tests.openapi.json_text import json_or, same
from contract_tests.rules import NotExercised
from contract_tests.server import own_workflow
from contract_tests.server.models.exchange import Exchange
from contract_tests.server.models.execution import OK, PENDING, Execution, entries_of
from contract_tests.server.relations.marked_inputs import NUMBERS, TEXTS
from contract_tests.server.relations.marked_runs import CALLBACK_SECONDS, SECONDS, tries
from contract_tests.server.relations.stage import Stage

RICH: Final = "an object with nulls, numbers and texts"
SKIPPED_FIRST, SKIPPED_LAST = "an output after one that was skipped", "an output before one that was skipped"
# Values that count as nothing, and texts that are something else if they are read once more.
KINDS: Final[Mapping[str, Any]] = {
    "0": 0,
    "an empty text": "",
    "false": False,
    "an empty list": [],
    "an empty object": {},
    "null": None,
    "a text of digits": "0071",
    "a text that is JSON": '{"a": [1]}',
    RICH: {"": [None, {"a": None}, [], {}], "numbers": [*NUMBERS], "texts": [*TEXTS.values()]},
    SKIPPED_FIRST: "the output behind a branch",
    SKIPPED_LAST: "the output before a branch",
}


class OutputTopic(StrEnum):
    """What is looked at."""

    RESULT = auto()
    POSTED = auto()


class OutputTypes(Stage):
    """Makes a workflow whose versions have one node each, with a value of its own, and runs them."""

    requests: ClassVar[int] = 37
    what: ClassVar[str] = "outputs of all types"
    needs: ClassVar[Collection[str]] = ("createWorkflow", "runWorkflow", "getWorkflowVersionExecutionResults")

    def play(self) -> None:
        """Start all runs, then look at each: first at its callback."""
        self._unchanged, self._is_stuck = 0, False
        started = [(what, *self._start(number)) for what, number in zip(KINDS, self._create(), strict=False)]
        for what, exchange, url in started:
            seconds = CALLBACK_SECONDS[self.server.target.is_local]
            delivery = self.server.listener.wait(url, seconds) if url else None
            self._look(what, Execution(exchange, asked_for_all=False), delivery)

    def _create(self) -> list[int]:
        """Return the numbers of the versions, as far as the service takes them."""
        named: dict[str, Any] = {"name": f"contract-tests outputs {self.server.tag}"}
        numbers: list[int] = []
        for what, value in KINDS.items():
            created = own_workflow.create(self.server, **_version(what, value), **named)
            if not created.has_succeeded and numbers:
                break
            if not created.has_succeeded:
                raise NotExercised(f"no such version could be created: {created.shown}")
            named = {"workflow_id": created.must_have("workflow_id", int)}
            numbers.append(created.must_have("version_number", int))
        return numbers

    def _start(self, number: int) -> tuple[Exchange, str]:
        url = self.server.callback_url()
        called = {"callback_url": url} if url else {}
        name = f"contract-tests outputs {self.server.tag}"
        run = self.server.run(workflow=name, workflow_version_number=number, input_variables={}, **called)
        return run, url

    def _look(self, what: str, execution: Execution, delivery: Delivery | None) -> None:
        is_local = self.server.target.is_local
        seconds = 0 if self._is_stuck else SECONDS[is_local]
        for _ in tries(time.monotonic() + seconds, is_local=is_local):
            bare = self.server.results(execution.id, return_all_outputs=False)
            if bare.status != PENDING:
                break
        value = KINDS[what]
        values = [value]
        is_unchanged = bare.status == OK and same(bare.json, value)
        self._unchanged += is_unchanged
        # What the node has made is told by its entry, unless all values before were what it was configured with: some
        # may make something else of that.
        if bare.status == PENDING or not (is_unchanged or (what == RICH and self._unchanged == [*KINDS].index(RICH))):
            execution.polled(True, self.server.results(execution.id, return_all_outputs=True))  # noqa: FBT003
            values = execution.outputs or []
        if bare.status == PENDING:
            values = values if execution.replies[-1].shows_end else []
            bare = self.server.results(execution.id, return_all_outputs=False)
            self._is_stuck = self._is_stuck or bare.status == PENDING
        if values:
            is_shown = bare.status == OK and any(same(bare.json, one) for one in values)
            self.judge(OutputTopic.RESULT, bare, is_shown, what, f"the output node succeeded with {values[0]!r:.80}")
        posted = json_or(delivery.body, None) if delivery is not None else None
        if values and isinstance(posted, dict) and "final_output" in posted:
            output = posted["final_output"]
            shown = [output, *(one.get("value") for one in entries_of(output).values())]
            is_shown = any(same(one, each) for one in shown for each in values)
            received = f"the output is {values[0]!r:.80}, the callback has {output!r:.120}"
            self.judge(OutputTopic.POSTED, execution.started, is_shown, what, received)


def _version(what: str, value: Any) -> dict[str, Any]:
    node = {"name": "Value", "node_type": "VARIABLE", "dependencies": [], "is_output_node": True}
    node["configuration"] = {"value": {"type": "json", "value": value}}
    if what not in {SKIPPED_FIRST, SKIPPED_LAST}:
        return {"nodes": [node]}
    source = {**node, "name": "Source", "is_output_node": False}
    taken, never = ({**node, "name": name, "dependencies": ["Source"]} for name in ("Value", "Never"))
    condition = {"position": 0, "operator": "is_null", "left_config": {"source": "Source"}, "right_config": {}}
    edge = {"source_node_name": "Source", "target_node_name": "Never", "is_and": False, "conditionals": [condition]}
    return {"nodes": [source, *([never, taken] if what == SKIPPED_FIRST else [taken, never])], "edges": [edge]}
