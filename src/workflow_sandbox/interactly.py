"""Interactly's operations: execute a workflow, in both of its forms, read a run, list runs.

A bare run input is answered with the whole run, a turn (a run input as `run_input`) with what it has brought. Both are
kept alike, and a run that was begun in one form can be gone on with in the other.

A run keeps the version that it was started with, so later turns ignore the query. What no source says of this service,
`assumptions` decides.
"""

import secrets
from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, RootModel, model_validator
from pydantic_core import PydanticCustomError
from starlette.exceptions import HTTPException
from starlette.requests import Request

from workflow_sandbox import conversation
from workflow_sandbox.assumptions import Assumptions
from workflow_sandbox.database import DatabaseFailed
from workflow_sandbox.fixtures import Dialogue
from workflow_sandbox.json_types import Integer, Object, ObjectId, String, is_object_id
from workflow_sandbox.limits import Limits
from workflow_sandbox.routing import Router
from workflow_sandbox.store import Store
from workflow_sandbox.wire import (
    JSONReply,
    invalid,
    path_value,
    query_choice,
    query_integer,
    query_text,
    query_time,
    read_body,
    sole_header,
)

_SIZE = 100
_GIVING = frozenset({"start", "data"})
PREFIX = "/workflows"
"""Where Interactly's base URL stands below the origin; PromptLayer's is the origin itself."""


class ThreadInputs(BaseModel):
    """Inputs for the nodes of one thread."""

    model_config = ConfigDict(strict=True)

    node_run_inputs: list[Any] = []


class WorkflowRunInput(BaseModel):
    """Body of an execute."""

    model_config = ConfigDict(strict=True)

    dynamic_variables: Object = {}
    runtime_variables: Object = {}
    miscellaneous: Object = {}
    command: Literal["start", "data", "resume", "pause", "stop"] = "start"
    workflow_id: ObjectId | None = None
    version_number: Integer | None = 0
    run_by: String | None = None
    workflow_run_id: ObjectId | None = None
    team_id: String | None = None
    thread_to_node_inputs: dict[String, ThreadInputs] = {}

    @model_validator(mode="before")
    @classmethod
    def _no_turn(cls, body: Any) -> Any:
        if isinstance(body, dict) and "run_id" in body:
            raise PydanticCustomError("mutually_exclusive", "Give run_id with run_input")
        return body


class InteractiveTurn(BaseModel):
    """Body of an execute in the form of a turn."""

    model_config = ConfigDict(strict=True)

    run_input: WorkflowRunInput
    run_id: String | None = None

    @model_validator(mode="before")
    @classmethod
    def _no_bare_input(cls, body: Any) -> Any:
        if isinstance(body, dict) and body.keys() & WorkflowRunInput.model_fields.keys():
            raise PydanticCustomError("mutually_exclusive", "Give a turn or a run input by itself, not both")
        return body


class Execute(RootModel[WorkflowRunInput | InteractiveTurn]):
    """Body of an execute."""

    @model_validator(mode="wrap")
    @classmethod
    def _by_form(cls, body: Any, _: Any) -> Self:
        is_turn = isinstance(body, dict) and "run_input" in body
        return cls.model_construct((InteractiveTurn if is_turn else WorkflowRunInput).model_validate(body))


class Interactly:
    """The routes of the service."""

    def __init__(self, store: Store, api_key: str, assumptions: Assumptions, dialogues: Mapping[str, Dialogue]) -> None:
        self._store = store
        self._dialogues = dialogues
        self._assumptions = assumptions
        self._limits = Limits.of(assumptions)
        self._api_key = api_key.encode()
        self.router = Router(PREFIX, self._authenticate)
        self.router.add("/v1/workflows/{workflow_id:segment}/execute", self.execute, methods=["POST"])
        self.router.add("/v1/workflow-runs", self.runs, methods=["GET"])
        self.router.add("/v1/workflow-runs/{workflow_run_id:segment}", self.run, methods=["GET"])

    async def _authenticate(self, request: Request) -> None:
        scheme, _, given = sole_header(request, "authorization").partition(" ")
        is_valid = secrets.compare_digest(given.strip().encode("latin-1"), self._api_key)
        if scheme.lower() != "bearer" or not is_valid:
            raise HTTPException(401, "The API key is missing or not valid", {"WWW-Authenticate": "Bearer"})
        if self._assumptions.interactly_team_headers == "required":
            missing = [name for name in ("teamid", "uuid") if not sole_header(request, name)]
            if missing:
                raise HTTPException(401, f"The header {missing[0]} is missing", {"WWW-Authenticate": "Bearer"})

    async def execute(self, request: Request) -> JSONReply:
        """Start a run or give a command to one, and reply with the run as it stands then."""
        workflow_id = _object_id_in_path(request, "workflow_id")
        version = query_integer(request, "version", minimum=0)
        execute, body = await read_body(request, Execute)
        if workflow_id not in self._dialogues:
            raise HTTPException(404, "No workflow has this id")
        turn = execute.root if isinstance(execute.root, InteractiveTurn) else None
        form = "a" if turn is None else "b"
        if self._assumptions.interactly_form not in {"both", form}:
            raise invalid(("body",), "The other form of execute is served here", "missing")
        run_input = execute.root.run_input if isinstance(execute.root, InteractiveTurn) else execute.root
        run_id = run_input.workflow_run_id if turn is None else turn.run_id
        # What the caller sent, defaults filled in, members that the contract does not know left out.
        given = body if turn is None else body["run_input"]
        kept = {name: given.get(name, default) for name, default in run_input}
        if self._assumptions.interactly_version == "body":
            version = run_input.version_number
        if self._assumptions.interactly_other_workflow == "refused" and run_input.workflow_id not in {
            None,
            workflow_id,
        }:
            raise invalid(("body", "workflow_id"), "Input should be the workflow of the path", "value_error")
        if turn is not None and run_input.command in _GIVING and not run_input.thread_to_node_inputs:
            self._refuse_no_thread()
        with self._store.alone():
            document = self._after(self._dialogues[workflow_id], version, run_id, kept)
            self._store.keep_conversation(document)
        return JSONReply(conversation.whole(document) if turn is None else conversation.turn(document))

    def _refuse_no_thread(self) -> None:
        words = "At least one thread has to be there"
        match self._assumptions.interactly_no_thread:
            case "422":
                raise invalid(("body", "run_input", "thread_to_node_inputs"), words, "too_short")
            case "400":
                raise HTTPException(400, words)

    async def run(self, request: Request) -> JSONReply:
        """Reply with a run as it stands."""
        document = self._conversation(_object_id_in_path(request, "workflow_run_id"))
        if document is None:
            raise HTTPException(404, "No run has this id")
        return JSONReply({"workflow_run": conversation.record(document)})

    def _make_room(self, workflow_id: str) -> None:
        if not self._limits.are_set:
            return  # and not all runs have to be looked at
        full = self._limits.reached(workflow_id, filter(conversation.is_run, self._store.conversations()))
        if full is not None:
            raise HTTPException(int(self._assumptions.interactly_limit_status), full)

    async def runs(self, request: Request) -> JSONReply:
        """Reply with one page of the runs that the filters leave, newest first."""
        page, size = query_integer(request, "page", minimum=1) or 1, query_integer(request, "size", minimum=1) or _SIZE
        workflow_id, search = query_text(request, "workflow_id"), query_text(request, "search") or ""
        status = query_choice(request, "status", conversation.STATUSES)
        start, end = query_time(request, "start"), query_time(request, "end")
        found = [
            run
            for run in map(self._limits.as_of_now, filter(conversation.is_run, self._store.conversations()))
            if (workflow_id is None or run["workflow_id"] == workflow_id)
            and (status is None or run["status"] == status)
            and search in run["logical_id"]
            and (start is None or conversation.started_at(run) >= start)
            and (end is None or conversation.started_at(run) <= end)
        ]
        found.sort(key=conversation.started_at, reverse=True)
        shown = [conversation.record(run, in_short=True) for run in found[(page - 1) * size : page * size]]
        return JSONReply({"workflow_runs": shown, "total": len(found)})

    def _after(
        self, dialogue: Dialogue, version: int | None, run_id: str | None, run_input: dict[str, Any]
    ) -> dict[str, Any]:
        if run_id is not None:
            return self._gone_on(dialogue, run_id, run_input)
        if run_input["command"] != "start":
            raise HTTPException(409, f"The command {run_input['command']} needs workflow_run_id, or run_id in a turn")
        number = dialogue.active if version is None else version
        if number not in dialogue.versions:
            raise HTTPException(404, "The workflow has no such version")
        self._make_room(dialogue.id)
        return conversation.start(dialogue, dialogue.versions[number], run_input)

    def _conversation(self, run_id: str) -> dict[str, Any] | None:
        run = self._store.conversation(run_id)
        if run is not None and not conversation.is_run(run):
            raise DatabaseFailed(f"what the database has of run {run_id} is damaged", is_damaged=True)
        return None if run is None else self._limits.as_of_now(run)

    def _gone_on(self, dialogue: Dialogue, run_id: str, run_input: dict[str, Any]) -> dict[str, Any]:
        run = self._conversation(run_id)
        if run is None or run["workflow_id"] != dialogue.id:
            raise HTTPException(404, "The workflow has no such run")
        if run["version_number"] not in dialogue.versions:
            raise DatabaseFailed(f"what the database has of run {run_id} is damaged", is_damaged=True)
        if run_input["command"] == "resume" and run["status"] == "paused":
            self._make_room(dialogue.id)
        try:
            return conversation.go_on(run, dialogue.versions[run["version_number"]], run_input)
        except conversation.CommandRefused as refused:
            raise HTTPException(409, str(refused)) from None


def _object_id_in_path(request: Request, name: str) -> str:
    value = path_value(request, name)
    if not is_object_id(value):
        words = "Input should be 24 hexadecimal digits in lower case"
        raise invalid(("path", name), words, "string_pattern_mismatch")
    return value
