"""A run of the target's PromptLayer workflow with an input that no other one has, and all that was said of it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from contract_tests.cases.case import RequestCase
from contract_tests.http.callback_listener import Delivery
from contract_tests.openapi.json_text import json_or, read_json, whole
from contract_tests.rules import Violation
from contract_tests.server.models.exchange import Exchange
from contract_tests.server.models.execution import Execution, Poll, entries_of
from contract_tests.server.relations.marked_inputs import MarkedInput
from contract_tests.server.server import UNUSED


@dataclass
class MarkedRun:
    """
    One of the runs.

    Attributes:
        name: What is special of it.
        is_latest: Whether it is one of the latest version, as the first run is.
        url: Where its outcome is to be posted; empty if nowhere.
        problem: Why there is no complete response to its start.
        came_unasked: Whether its callback came before anybody asked for its results.
    """

    name: str
    input: MarkedInput
    case: RequestCase
    is_latest: bool = True
    url: str = ""
    started: Exchange | None = None
    problem: str = ""
    execution: Execution | None = None
    delivery: Delivery | None = None
    came_unasked: bool = True
    ended: Poll | None = None
    bare: Poll | None = None

    @property
    def values(self) -> dict[str, Any]:
        """What its nodes have produced, by their names; empty if that is not known."""
        entries = self.ended.entries if self.ended is not None and self.ended.is_done else {}
        return {name: entry.get("value") for name, entry in entries.items()}

    @property
    def posted(self) -> dict[str, Any]:
        """What was posted of its nodes, by their names, or the bare output under no name."""
        try:
            body = read_json(self.delivery.body) if self.delivery is not None else None
        except ValueError:
            return {}
        if not isinstance(body, dict) or "final_output" not in body:
            return {}
        output = body["final_output"]
        return {name: one.get("value") for name, one in entries_of(output).items()} or {"": output}

    def is_told_by(self, delivery: Delivery) -> bool:
        """Whether a delivery names it."""
        body = json_or(delivery.body, None)
        told = body.get("workflow_version_execution_id") if isinstance(body, dict) else None
        return self.execution is not None and whole(told) == self.execution.id

    @property
    def is_warned_of(self) -> bool:
        """Whether it has an input variable that the workflow has not."""
        return UNUSED in self.case.body.get("input_variables", {})

    @property
    def is_warned(self) -> bool:
        """Whether the response to it has a warning."""
        is_object = self.started is not None and self.started.is_object
        return is_object and isinstance(self.started.json.get("warning"), str)  # type: ignore[union-attr]

    @property
    def last(self) -> Exchange | None:
        """The last exchange that is about it."""
        return self.ended.exchange if self.ended is not None else self.started

    def violation(self, constraint: str, received: str) -> Violation:
        """Make a finding that its responses show."""
        assert self.started is not None
        shown = f"{self.started.bounded(received)}; run: {self.started.shown}"
        return Violation(shown, constraint, "", self.started.curl, found_after=self.last.number if self.last else None)

    @property
    def texts(self) -> Iterator[tuple[str, str]]:
        """All that was said of it, each with what it is."""
        if self.started is not None:
            yield "the response to the run", self.started.reply.decode("utf-8", "replace")
        for poll in self.execution.replies if self.execution is not None else ():
            yield "the results", json.dumps(poll.body, ensure_ascii=False)
        if self.delivery is not None:
            yield "the callback", self.delivery.body.decode("utf-8", "replace")
