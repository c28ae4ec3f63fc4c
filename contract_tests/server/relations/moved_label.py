"""A label that moves from one version of a workflow to another, and runs by it before and afterwards."""

import time
from functools import cached_property
from typing import Any, Final

from contract_tests.openapi.json_text import same
from contract_tests.rules import NotExercised, Violation
from contract_tests.server import own_workflow
from contract_tests.server.models.exchange import Exchange
from contract_tests.server.models.execution import PENDING, id_of
from contract_tests.server.relations.marked_inputs import new_mark
from contract_tests.server.relations.marked_runs import SECONDS, MarkedRuns, tries
from contract_tests.server.shares import has_few_requests
from contract_tests.server.transport import case_of

LABEL: Final = "contract-tests-moving"


class MovedLabel:
    """The runs of one target, played when a rule first asks for them."""

    def __init__(self, marked_runs: MarkedRuns) -> None:
        self.marked_runs = marked_runs
        self.server = marked_runs.server

    @cached_property
    def violation(self) -> Violation | None:
        """
        What a run by the label shows once it has moved; None if it is the output of the version that carries it.

        Raises:
            NotExercised: If no workflow may be made for it, or its versions can't be told apart.
        """
        target = self.server.target
        if has_few_requests(target):
            raise NotExercised(f"it takes 18 requests of max_requests ({target.max_requests})")
        if not (target.is_local and target.allow_writes):
            raise NotExercised("a workflow that is made for it is run, which only a target of this machine allows")
        if target.version is None or target.latest_version in {None, target.version}:
            raise NotExercised("the target names no two versions that can be told apart")
        name = f"label-of-{self.server.tag}"
        old = own_workflow.nodes_of_version(self.server, target.version)
        _must(own_workflow.create(self.server, name=name, nodes=old, release_labels=[LABEL]))
        before, _ = self._output(name, workflow_label_name=LABEL)
        new = own_workflow.nodes_of(self.server)
        second = _must(own_workflow.create(self.server, workflow_name=name, nodes=new, release_labels=[LABEL]))
        number = second.result.get("version_number")
        expected, _ = self._output(name, workflow_version_number=number)
        if same(before, expected):
            raise NotExercised("the outputs of the two versions are the same")
        output, started = self._output(name, workflow_label_name=LABEL)
        told = f"expected was {expected!r:.120}, as of version {number} which carries it now, came {output!r:.120}"
        return started.check(same(output, expected), "version", started.bounded(told))

    def _output(self, workflow: str, **members: Any) -> tuple[Any, Exchange]:
        """Return the output of a run, with one word in place of its input."""
        mark, operation = new_mark(), self.server.contract.operation("runWorkflow")
        body = {"input_variables": self.marked_runs.variables(mark), "metadata": self.server.metadata, **members}
        started = _must(self.server.wire.send(case_of(operation, {"workflow_name": workflow}, body=body)))
        for _ in tries(time.monotonic() + SECONDS[True], is_local=True):
            polled = self.server.results(id_of(started))
            if polled.status != PENDING:
                break
        if not polled.has_succeeded or not isinstance(polled.json, str):
            raise NotExercised(f"the output can't be read: {polled.shown}")
        return polled.json.replace(mark, "INPUT"), started


def _must(exchange: Exchange) -> Exchange:
    if not exchange.has_succeeded:
        raise NotExercised(f"what it needs was refused: {exchange.shown}")
    return exchange
