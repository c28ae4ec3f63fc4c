"""What goes through a faulty server: requests, replies and callbacks, as a fault may look at and change them."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlencode

RUN: Final = "runWorkflow"
RESULTS: Final = "getWorkflowVersionExecutionResults"
EXECUTE: Final = "executeWorkflow"
LIST, READ, LABELS, CREATE, PATCH = (
    "listWorkflows",
    "getWorkflow",
    "getWorkflowLabels",
    "createWorkflow",
    "patchWorkflow",
)
ATTACH, EXTERNAL_IDS = "attachWorkflowExternalId", "listWorkflowExternalIds"
DETACH, READ_RUN, LIST_RUNS = "detachWorkflowExternalId", "getWorkflowRun", "listWorkflowRuns"
PATHS: Final = {
    EXECUTE: ("POST", re.compile(r"/workflows/v1/workflows/(?P<workflow>[^/]*)/execute")),
    RUN: ("POST", re.compile(r"/workflows/(?P<workflow>[^/]*)/run")),
    RESULTS: ("GET", re.compile(r"/workflow-version-execution-results")),
    LIST: ("GET", re.compile(r"/workflows")),
    READ: ("GET", re.compile(r"/workflows/(?P<workflow>[^/]*)")),
    LABELS: ("GET", re.compile(r"/workflows/(?P<workflow>[^/]*)/labels")),
    CREATE: ("POST", re.compile(r"/rest/workflows")),
    PATCH: ("PATCH", re.compile(r"/rest/workflows/(?P<workflow>[^/]*)")),
    ATTACH: ("POST", re.compile(r"/workflows/(?P<workflow>[^/]*)/external-ids")),
    EXTERNAL_IDS: ("GET", re.compile(r"/workflows/(?P<workflow>[^/]*)/external-ids")),
    DETACH: ("DELETE", re.compile(r"/workflows/(?P<workflow>[^/]*)/external-ids/[^/]*/[^/]*")),
    READ_RUN: ("GET", re.compile(r"/workflows/v1/workflow-runs/[^/]*")),
    LIST_RUNS: ("GET", re.compile(r"/workflows/v1/workflow-runs")),
}
OK, CREATED, ACCEPTED, UNAUTHORIZED, NOT_FOUND, FAILED = 200, 201, 202, 401, 404, 500
KEY: Final = "sandbox-key"
RELAY: Final = "/faulty-server/callbacks/"  # where callbacks come through on their way to whoever asked for them
WORKFLOWS: Final = {RUN: "canary", EXECUTE: "5eb7cf5a86d9755df3a6c593"}


class Message:
    """Something with a body."""

    content: bytes

    @property
    def json(self) -> Any:
        """The body as JSON, None if it is none."""
        try:
            return json.loads(self.content)
        except (ValueError, RecursionError):
            return None

    @property
    def members(self) -> dict[str, Any]:
        """The body's members; none if it is no object."""
        body = self.json
        return body if isinstance(body, dict) else {}

    def put(self, body: Any) -> None:
        """Put another body in its place."""
        self.content = json.dumps(body).encode()


@dataclass
class Request(Message):
    """A request on its way to the correct server; ``path`` is percent-encoded, header names are in lower case."""

    method: str
    path: str
    query_string: str
    headers: list[tuple[str, str]]
    content: bytes
    client: Any = None  # host and port that its connection comes from
    names: tuple[str, ...] = ()  # of its headers, as they were written

    @property
    def operation(self) -> str:
        """The operation that it is for; empty if it is for none."""
        fits = (name for name, (method, form) in PATHS.items() if method == self.method and form.fullmatch(self.path))
        return next(fits, "")

    @property
    def workflow(self) -> str:
        """The workflow that its path names; empty if it names none."""
        form = PATHS[self.operation][1] if self.operation else None
        found = form.fullmatch(self.path) if form else None
        return unquote(found.groupdict().get("workflow", "")) if found else ""

    @property
    def query(self) -> dict[str, str]:
        """Query parameters; of several of one name the last."""
        return dict(parse_qsl(self.query_string, keep_blank_values=True))

    @property
    def wants_all(self) -> bool:
        """Whether it asks for the outputs of all nodes."""
        return self.query.get("return_all_outputs") == "true"

    def header(self, name: str) -> str | None:
        """Give the value of a header."""
        return next((value for known, value in self.headers if known == name), None)

    def set_header(self, name: str, value: str) -> None:
        """Replace a header."""
        self.headers = [(known, text) for known, text in self.headers if known != name] + [(name, value)]

    def set_query(self, changes: Mapping[str, str | None]) -> None:
        """Replace query parameters; None takes one out."""
        left = [
            (name, value) for name, value in parse_qsl(self.query_string, keep_blank_values=True) if name not in changes
        ]
        self.query_string = urlencode(left + [(name, value) for name, value in changes.items() if value is not None])

    def set_workflow(self, workflow: str) -> None:
        """Name another workflow in the path."""
        self.path = {RUN: "/workflows/{}/run", EXECUTE: "/workflows/v1/workflows/{}/execute"}[self.operation].format(
            workflow
        )


@dataclass
class Reply(Message):
    """A reply on its way back; ``is_cut`` has the connection end in the middle of its body."""

    status: int
    headers: list[tuple[str, str]]
    content: bytes
    is_cut: bool = False

    def set_header(self, name: str, value: str | None) -> None:
        """Replace a header; None takes it out."""
        self.headers = [(known, text) for known, text in self.headers if known != name]
        if value is not None:
            self.headers.append((name, value))


@dataclass
class Callback(Message):
    """An outcome on its way to whoever asked for it: ``url`` is the address that the run named."""

    url: str
    content: bytes
    method: str = "POST"
    headers: dict[str, str] = field(default_factory=lambda: {"content-type": "application/json"})


def results_of(execution: int) -> Request:
    """Make a request for the results of an execution, in the form of all nodes."""
    query = urlencode({"workflow_version_execution_id": execution, "return_all_outputs": "true"})
    return Request("GET", "/workflow-version-execution-results", query, [("x-api-key", KEY)], b"")
