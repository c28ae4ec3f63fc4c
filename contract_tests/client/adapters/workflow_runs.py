"""Drives our own client: one method per operation on the class of its first tag, see the client's documentation."""

import hashlib
import hmac
import importlib
import json
import secrets
import time
from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from contract_tests.client.adapter import (
    Batch,
    Call,
    Connection,
    Follower,
    Heard,
    Listening,
    NotSupported,
    Receiving,
    to_json,
    transform,
)
from contract_tests.client.adapters.operation_classes import SUFFIX, OperationClasses, arguments_of, limits
from contract_tests.openapi.json_text import texts_in

SECRET: Final = secrets.token_hex(16)
TOKEN: Final = secrets.token_hex(16)
TELLING: Final = 12  # characters: shorter ones may be in the log by chance
LISTS: Final = {"listWorkflows": "iter_workflows", "listWorkflowRuns": "iter_workflow_runs"}
STARTS: Final = ("runWorkflow", "executeWorkflow")
RUN_OF_INTERACTLY: Final = {"workflow_id": "5eb7cf5a86d9755df3a6c593", "workflow_run_id": "5eb7cf5a86d9755df3a6c594"}
EVENTS: Final[tuple[dict[str, Any], ...]] = (
    {"event_id": "e1", "action": "workflow_run_started", **RUN_OF_INTERACTLY, "workflow_run_status": "running"},
    {"event_id": "e2", "action": "workflow_run_completed", **RUN_OF_INTERACTLY, "workflow_run_status": "completed"},
    {"event_id": "e3", "action": "workflow_run_completed", **RUN_OF_INTERACTLY, "workflow_run_status": "completed"},
    {"action": "workflow_updated", "workflow_id": RUN_OF_INTERACTLY["workflow_id"], "name": "Käse 漢"},
    {"action": "workflow_updated", "workflow_id": RUN_OF_INTERACTLY["workflow_id"], "name": "Käse"},
    {"event_id": "E1", "type": "workflow_run_started", "run_id": "5eb7cf5a86d9755df3a6c595", "new": [None, {}]},
)
STATES: Final = {"succeeded": "ended", "in_doubt": "in doubt", "unfinished": "goes on"}


class WorkflowRuns(OperationClasses):
    """The adapter for ``workflow_runs``, over whatever generated package that imports."""

    repeats = ("throttled", "status", "broken", "time-out")
    unlisted: Final = {"interactlyEvent": EVENTS}
    serves = ("event loops", "processes")

    def __init__(self, generated: str) -> None:
        super().__init__(generated)
        self._package = importlib.import_module("workflow_runs")
        self.own_errors = (self._package.WorkflowRunsError,)
        self.refusals = self.own_errors
        self.modules = (generated, "workflow_runs")

    @property
    def hooks(self) -> dict[str, Any]:
        """An observer of ours, and what a client of httpx may have that the caller brings."""
        module = importlib.import_module("contract_tests.client.adapters.httpx_hooks")  # late: it loads httpx
        return {
            "on_reply": self._observed,
            "hook of httpx": partial(self._brought, module.client_with_hook),
            "auth of httpx": partial(self._brought, module.client_with_auth),
        }

    def _observed(self, connection: Connection, observer: Any) -> Any:
        return lambda tag: self.make(tag, connection).with_options(on_reply=lambda _: observer())

    def _brought(self, http_client: Any, connection: Connection, observer: Any) -> Any:
        made = partial(http_client, observer, is_async=connection.is_async)
        return lambda tag: self.make(tag, connection, http_client=made())

    def make(self, tag: str, connection: Connection, **more: Any) -> Any:
        """Build the client of a service."""
        kind = self._kind(tag, is_async=connection.is_async)
        if kind is None:
            return super().make(tag, connection)
        options = {"timeout": connection.timeout, "retries": connection.retries}
        given = {name: value for name, value in options.items() if value is not None} | limits(connection) | more
        headers = connection.headers or None
        key = connection.key or None
        return kind(api_key=key, base_url=connection.base_url, headers=headers, **given)

    def _kind(self, tag: str, *, is_async: bool) -> Any:
        """Return the class by hand of a service, which has the name of the generated one; None if there is none."""
        generated = self.operations(tag, is_async=is_async)
        found = getattr(self._package, generated.__name__.removesuffix(SUFFIX), None)
        return found if isinstance(found, type) and issubclass(found, generated) else None

    def unlogged(self, call: Call) -> list[str]:
        """What stands in the body: the path alone is documented to be in the log."""
        return [text for text in texts_in(call.body) if len(text) >= TELLING]

    def tagged(self, client: Any, call: Call) -> Any:
        """Views of PromptLayer's client, whose runs can't be listed."""
        if call.operation.id != STARTS[0]:
            raise NotSupported(f"{call.operation.id} is found without a tag")
        return lambda tag: client(tag).with_run_tags()

    def listing(self, client: Any, call: Call) -> Any:
        """Iterate over workflows, or over runs."""
        name = LISTS.get(call.operation.id)
        if name is None:
            raise NotSupported(f"nothing goes through the pages of {call.operation.id}")
        return getattr(client(call.operation.tag), name)(**arguments_of(call)[1])

    def waiting(self, client: Any, call: Call, deadline: float, **how: Any) -> Any:
        """Start a run and wait for it: all nodes if they were asked for, else its output; of Interactly the run."""
        outcome = self._waited(client, call, deadline, **how)
        return transform(outcome, _told, is_async=call.is_async)

    def main_output(self, client: Any, call: Call, deadline: float) -> Any:
        """Start a run and wait for it: its output, also if all nodes were asked for."""
        outcome = self._waited(client, call, deadline)
        return transform(outcome, lambda ended: ended.output, is_async=call.is_async)

    def _waited(self, client: Any, call: Call, deadline: float, **how: Any) -> Any:
        if call.operation.id not in STARTS:
            raise NotSupported(f"{call.operation.id} starts nothing to wait for")
        positional, named, _ = arguments_of(call)
        return client(call.operation.tag).run_and_wait(*positional, **named, deadline=deadline, **how)

    def following(self, client: Any, call: Call, deadline: float, follower: Follower) -> Any:
        """Start a run and wait for it, with what the client tells of it."""

        def told(progress: Any) -> None:
            is_lost = progress.problem is not None
            follower.tell(Heard(run=progress.execution_id, asked=progress.polls, is_lost=is_lost))

        return self.waiting(client, call, deadline, on_progress=told, cancelled=follower.stop)

    def batching(self, client: Any, calls: Sequence[Call], batch: Batch) -> Any:
        """Run a batch of PromptLayer's."""
        first, package = calls[0], self._package
        if first.operation.id != STARTS[0]:
            raise NotSupported(f"no batch starts {first.operation.id}")
        items = [package.BatchItem(*positional, named) for positional, named, _ in map(arguments_of, calls)]
        run = package.run_batch_async if first.is_async else package.run_batch
        options = {"ledger": batch.ledger, "concurrency": batch.at_once, "deadline": batch.deadline}
        results = run(client(first.operation.tag), items, **options)
        return _awaited_states(results) if first.is_async else [*map(_state, results)]

    def address(self, call: Call) -> str | None:
        """The address that a client has which was given none."""
        kind = self._kind(call.operation.tag, is_async=False)
        if kind is None:
            return super().address(call)
        try:
            return str(kind(api_key="unused").base_url)
        except self.own_errors:
            raise NotSupported("no address for production is documented: it has to be given") from None

    def receiving(self, delivery: str) -> Receiving:
        """What receives a run's callback, and the dashboard's webhook."""
        package = self._package
        match delivery:
            case "workflowFinished":
                return Receiving(
                    parse=lambda content, _: package.read_callback(content),
                    read=lambda event: _finished(event, package.UNSET),
                    app=lambda handler: package.RunCallbacks(handler, token=TOKEN),
                    path=f"/callbacks/{TOKEN}",
                    foreign_path="/callbacks/another-token",
                    secrets=(TOKEN,),
                    listen=lambda: _listening(package.CallbackListener()),
                )
            case "agentRunFinished":
                return Receiving(
                    parse=lambda content, headers: package.read_dashboard_event(content, headers, secret=SECRET),
                    read=to_json,
                    app=lambda handler: package.DashboardWebhooks(handler, secret=SECRET),
                    sign=_signed,
                    secrets=(SECRET,),
                )
            case "interactlyEvent":
                return Receiving(
                    parse=lambda content, headers: package.read_interactly_event(content, headers, secret=SECRET),
                    read=lambda event: event.raw,
                    app=lambda handler: package.InteractlyWebhooks(handler, secret=SECRET),
                    sign=_signed_with_time,
                    secrets=(SECRET,),
                )
        raise NotSupported(f"nothing receives {delivery}")


def _listening(listener: Any) -> Listening:
    def outcome(value: Any, seconds: float) -> Any:
        found = listener.wait_for(value["workflow_version_execution_id"], timeout=seconds)
        return {"workflow_version_execution_id": found.execution_id, "final_output": to_json(_told(found))}

    return Listening(url=listener.url, outcome=outcome, close=listener.close)


def _told(outcome: Any) -> Any:
    nodes = getattr(outcome, "nodes", None)
    return getattr(outcome, "output", outcome) if nodes is None else nodes


def _state(result: Any) -> dict[str, Any]:
    return {"item": result.position, "state": STATES.get(result.state, result.state)}


async def _awaited_states(results: Any) -> list[dict[str, Any]]:
    return [_state(result) async for result in results]


def _finished(event: Any, unset: Any) -> Any:
    """Return a callback as it was sent: what has attributes from those, the rest from what the event keeps."""
    rest = {name: value for name, value in event.raw.items() if name != "final_output"}
    sent = {**rest, "workflow_version_execution_id": event.execution_id}
    if event.nodes is not None:
        return {**sent, "final_output": _nodes(event)}
    return sent if event.output is unset else {**sent, "final_output": to_json(event.output)}


def _nodes(event: Any) -> Any:
    """Return the entries of all nodes with the word FAILURE where it stood: it is documented to read FAILED."""
    sent = event.raw.get("final_output", {})
    shown: dict[str, dict[str, Any]] = to_json(event.nodes)
    for name, node in shown.items():
        if node.get("status") == "FAILED" and sent.get(name, {}).get("status") == "FAILURE":
            node["status"] = "FAILURE"
    return shown


def _signed_with_time(content: bytes) -> dict[str, str]:
    digest = hmac.new(SECRET.encode(), content, hashlib.sha256).hexdigest()
    return {"X-Interactly-Signature": digest, "X-Interactly-Timestamp": str(int(time.time()))}


def _signed(content: bytes) -> dict[str, str]:
    # Worked out here once more, on purpose: what the contract says of the header, not what the client does.
    try:
        text = json.dumps(json.loads(content), sort_keys=True).encode()
    except ValueError:
        text = content
    return {"X-PromptLayer-Signature": hmac.new(SECRET.encode(), text, hashlib.sha256).hexdigest()}
