"""What most tests need: one legal call of each operation, both flavours to make it in, and a scripted wire."""

from __future__ import annotations

import asyncio
import functools
import json
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import httpx

from support.contract import CONTRACT
from workflow_runs import AsyncInteractly, AsyncPromptLayer, Interactly, PromptLayer

if TYPE_CHECKING:
    from collections.abc import Callable

INTERACTLY_WORKFLOW = "5eb7cf5a86d9755df3a6c593"
INTERACTLY_URL = "https://api-qa.interactly.ai/workflows"
KEY = "key-that-nobody-may-see"


def example(path: str, method: str, status: str, name: str) -> Any:
    """One of the contract's examples of a reply."""
    responses = CONTRACT["paths"][path][method]["responses"]
    return responses[status]["content"]["application/json"]["examples"][name]["value"]


CREATED = example("/workflows/{workflow_name}/run", "post", "201", "started")
ACCEPTED = example("/workflows/{workflow_name}/run", "post", "202", "accepted")
NODES = example("/workflow-version-execution-results", "get", "200", "allOutputs")
PENDING = example("/workflow-version-execution-results", "get", "202", "running")
FAILED = example("/workflow-version-execution-results", "get", "500", "outputFailed")
WORKFLOW_RUN = example("/v1/workflows/{workflow_id}/execute", "post", "200", "waiting")


def reply(status: int, body: Any, **headers: str) -> httpx.Response:
    """A JSON reply; underscores in header names stand for hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(
        status, content=json.dumps(body).encode(), headers={"content-type": "application/json", **named}
    )


class Wire:
    """A transport that gives scripted replies, the last one for ever, and keeps what was sent.

    A reply is a response, an exception to raise, or a function of the request.
    """

    def __init__(self, *replies: httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]) -> None:
        self.requests: list[httpx.Request] = []
        self._replies = replies

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer a request."""
        request.read()
        self.requests.append(request)
        scripted = self._replies[min(len(self.requests), len(self._replies)) - 1]
        if isinstance(scripted, Exception):
            raise scripted
        if isinstance(scripted, httpx.Response):
            # A response object can be sent once; a copy can be sent as often as is needed.
            return httpx.Response(scripted.status_code, headers=scripted.headers.raw, content=scripted.content)
        return scripted(request)

    @property
    def only(self) -> httpx.Request:
        """The one request that was sent."""
        assert len(self.requests) == 1, f"{len(self.requests)} requests were sent"
        return self.requests[0]


@dataclass(frozen=True)
class Call:
    """A legal call of an operation.

    Attributes:
        service: `promptlayer` or `interactly`.
        success: Status and body of a success.
        model: Name of the class that a success is read as.
        required: Names of the members that a success must have.
    """

    operation: str
    service: str
    positional: tuple[Any, ...]
    keywords: dict[str, Any]
    success: tuple[int, Any]
    model: str
    starts_something: bool
    required: tuple[str, ...] = field(default=())

    def __str__(self) -> str:
        return self.operation

    def ok(self) -> httpx.Response:
        """A successful reply."""
        return reply(*self.success)

    def answered_by(self, body: Any) -> Call:
        """The same call, or if only another form of it is answered by this body, that."""
        is_turn = isinstance(body, dict) and "turn_number" in body
        return replace(self, keywords={"run_input": {}}) if is_turn else self


CALLS = (
    Call(
        "run_workflow",
        "promptlayer",
        ("support-agent",),
        {"input_variables": {"user_message": "Hi"}},
        (201, CREATED),
        "RunCreated",
        starts_something=True,
        required=("success", "message", "workflow_version_execution_id"),
    ),
    Call(
        "get_workflow_version_execution_results",
        "promptlayer",
        (),
        {"workflow_version_execution_id": 98765, "return_all_outputs": True},
        (200, NODES),
        "ExecutionResults",
        starts_something=False,
    ),
    Call(
        "execute_workflow",
        "interactly",
        (INTERACTLY_WORKFLOW,),
        {"command": "start"},
        (200, WORKFLOW_RUN),
        "WorkflowRun",
        starts_something=True,
    ),
)
RUN, RESULTS, EXECUTE = CALLS


def resolved(declared: dict[str, Any]) -> dict[str, Any]:
    """What a reference into the contract's components stands for; anything else as it is."""
    place: Any = declared
    if "$ref" in declared:
        place = CONTRACT
        for key in declared["$ref"].removeprefix("#/").split("/"):
            place = place[key]
    found: dict[str, Any] = place
    return found


def _call_by_examples(operation: dict[str, Any], item: dict[str, Any]) -> Call:
    """The call that the contract's first examples make up; its method has the name that the contract gives it."""
    declared = [resolved(each) for each in (*item.get("parameters", ()), *operation.get("parameters", ()))]
    path = {each["name"]: each["example"] for each in declared if each["in"] == "path"}
    content = (
        operation.get("requestBody", {}).get("content", {}).get("application/json", {"examples": {"": {"value": {}}}})
    )
    body = next(iter(content["examples"].values()))["value"]
    status, reply_ = next(
        (status, resolved(each)) for status, each in operation["responses"].items() if status[0] == "2"
    )
    success = next(iter(reply_["content"]["application/json"]["examples"].values()))["value"]
    return Call(
        re.sub(r"(?<!^)(?=[A-Z])", "_", operation["operationId"]).lower(),
        operation["tags"][0],
        tuple(path.values()),
        body,
        (int(status), success),
        "",
        starts_something=False,
    )


EVERY_CALL: dict[str, Call] = {
    operation["operationId"]: _call_by_examples(operation, item)
    for item in CONTRACT["paths"].values()
    for operation in item.values()
    if isinstance(operation, dict) and "operationId" in operation
} | dict(zip(("runWorkflow", "getWorkflowVersionExecutionResults", "executeWorkflow"), CALLS, strict=True))
"""A legal call of each operation of the contract, by its operationId. Most tests are content with `CALLS`."""


@dataclass(frozen=True)
class Flavour:
    """Sync or async: the same test drives both."""

    name: str
    promptlayer: Any
    interactly: Any
    http: Any

    def __str__(self) -> str:
        return self.name

    def client(self, service: str, wire: Any = None, **settings: Any) -> Any:
        """A client of a service, on a wire if there is one. Sends everything once unless told otherwise."""
        defaults: dict[str, Any] = {"api_key": KEY, "retries": 0}
        if service == "interactly":
            defaults["base_url"] = INTERACTLY_URL
        if wire is not None:
            defaults["http_client"] = self.http(transport=httpx.MockTransport(wire))
        kind = self.promptlayer if service == "promptlayer" else self.interactly
        return kind(**{**defaults, **settings})

    def do(self, client: Any, method: str, *positional: Any, **keywords: Any) -> Any:
        """Call a method of a client and wait for what it gives."""
        result = getattr(client, method)(*positional, **keywords)
        return asyncio.run(result) if asyncio.iscoroutine(result) else result

    def make(self, call: Call, client: Any, **changed: Any) -> Any:
        """Make a legal call, perhaps with other keywords."""
        return self.do(client, call.operation, *call.positional, **{**call.keywords, **changed})

    def over(self, call: Call, *replies: Any, **settings: Any) -> tuple[Any, Wire]:
        """A client for a call, and its wire with scripted replies."""
        wire = Wire(*replies)
        return self.client(call.service, wire, **settings), wire

    def once(self, call: Call, **settings: Any) -> Any:
        """Make a call over real sockets with a client of its own, and close it."""
        client = self.client(call.service, **settings)
        if self.name == "sync":
            with client:
                return getattr(client, call.operation)(*call.positional, **call.keywords)

        async def awaited() -> Any:
            async with client:
                return await getattr(client, call.operation)(*call.positional, **call.keywords)

        return asyncio.run(awaited())


SYNC = Flavour("sync", PromptLayer, Interactly, httpx.Client)
ASYNC = Flavour("async", AsyncPromptLayer, AsyncInteractly, httpx.AsyncClient)
AIOHTTP = Flavour(
    "aiohttp",
    functools.partial(AsyncPromptLayer, http_client="aiohttp"),
    functools.partial(AsyncInteractly, http_client="aiohttp"),
    httpx.AsyncClient,
)
