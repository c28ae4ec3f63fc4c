"""Drives our own client: one method per operation on the class of its first tag, see the client's documentation."""

import importlib
from typing import Any, Final

from contract_tests.client.adapter import Call, Connection, NotClaimed, Unsayable
from contract_tests.client.adapters.operation_classes import OperationClasses

CLASSES: Final = {"promptlayer": "PromptLayer", "interactly": "Interactly"}


class WorkflowRuns(OperationClasses):
    """The adapter for ``workflow_runs``, over whatever generated package that imports."""

    def __init__(self, generated: str) -> None:
        super().__init__(generated)
        self._package = importlib.import_module("workflow_runs")
        self.own_errors = (self._package.WorkflowRunsError,)
        self.refusals = self.own_errors
        self.modules = (generated, "workflow_runs")
        self.services = tuple(CLASSES)

    def make(self, tag: str, connection: Connection) -> Any:
        """Build the client of a service."""
        if tag not in CLASSES:
            raise Unsayable(f"no class for operations whose first tag is {tag!r}")
        options = {"timeout": connection.timeout, "retries": connection.retries}
        given = {name: value for name, value in options.items() if value is not None}
        headers = connection.headers or None
        key = connection.key or None
        return self._kind(tag, connection)(api_key=key, base_url=connection.base_url, headers=headers, **given)

    def _kind(self, tag: str, connection: Connection) -> Any:
        return getattr(self._package, ("Async" if connection.is_async else "") + CLASSES[tag])

    def address(self, call: Call) -> str | None:
        """The address that a client has which was given none."""
        if call.operation.tag == "interactly":
            raise NotClaimed("of Interactly only a QA address is documented: it has to be given")
        kind = getattr(self._package, CLASSES[call.operation.tag])
        return str(kind(api_key="unused").base_url)
