"""Interactly's operation: execute a workflow, in the form that takes a bare run input and replies with the whole run.

The query's `version` decides which version a new run gets, without it the active one; the body's `version_number`
decides nothing, since callers send its default of 0 unasked. A run keeps its version, so later turns ignore the query.
The path's workflow id counts; the body's copy is kept as part of the run input and not compared.
"""

import secrets
from typing import Any, Literal

from fastapi import APIRouter, Depends, HTTPException, Request
from pydantic import BaseModel, ConfigDict

from workflow_sandbox import conversation
from workflow_sandbox.database import DatabaseFailed
from workflow_sandbox.fixtures import DIALOGUES, Dialogue
from workflow_sandbox.json_types import Integer, Object, ObjectId, String, is_object_id
from workflow_sandbox.store import Store
from workflow_sandbox.wire import JSONReply, invalid, path_value, query_integer, read_body

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


class Interactly:
    """The routes of the service."""

    def __init__(self, store: Store, api_key: str) -> None:
        self._store = store
        self._api_key = api_key.encode()
        self.router = APIRouter(prefix=PREFIX, dependencies=[Depends(self._authenticate)])
        self.router.add_api_route("/v1/workflows/{workflow_id:segment}/execute", self.execute, methods=["POST"])

    async def _authenticate(self, request: Request) -> None:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        is_valid = secrets.compare_digest(given.strip().encode("latin-1"), self._api_key)
        if scheme.lower() != "bearer" or not is_valid:
            raise HTTPException(401, "The API key is missing or not valid", {"WWW-Authenticate": "Bearer"})

    async def execute(self, request: Request) -> JSONReply:
        """Start a run or give a command to one, and reply with the run as it stands then."""
        workflow_id = path_value(request, "workflow_id")
        if not is_object_id(workflow_id):
            raise invalid(
                ("path", "workflow_id"),
                "Input should be 24 hexadecimal digits in lower case",
                "string_pattern_mismatch",
            )
        version = query_integer(request, "version", minimum=0)
        run_input, body = await read_body(request, WorkflowRunInput)
        if workflow_id not in DIALOGUES:
            raise HTTPException(404, "No workflow has this id")
        run = self._after(DIALOGUES[workflow_id], version, run_input, body)
        self._store.keep_conversation(run)
        return JSONReply(run)

    def _after(
        self, dialogue: Dialogue, version: int | None, run_input: WorkflowRunInput, body: dict[str, Any]
    ) -> dict[str, Any]:
        # What the caller sent, defaults filled in, members that the contract does not know left out.
        kept = {name: body.get(name, default) for name, default in run_input}
        if run_input.workflow_run_id is not None:
            return self._gone_on(dialogue, run_input.workflow_run_id, run_input.command, kept)
        if run_input.command != "start":
            raise HTTPException(409, f"The command {run_input.command} needs the workflow_run_id of a run")
        number = dialogue.active if version is None else version
        if number not in dialogue.versions:
            raise HTTPException(404, "The workflow has no such version")
        return conversation.start(dialogue, dialogue.versions[number], kept)

    def _gone_on(self, dialogue: Dialogue, run_id: str, command: str, kept: dict[str, Any]) -> dict[str, Any]:
        run = self._store.conversation(run_id)
        if run is not None and not conversation.is_run(run):
            raise DatabaseFailed(f"what the database has of run {run_id} is damaged", is_damaged=True)
        if run is None or run["workflow_id"] != dialogue.id:
            raise HTTPException(404, "The workflow has no such run")
        if run["version_number"] not in dialogue.versions:
            raise DatabaseFailed(f"what the database has of run {run_id} is damaged", is_damaged=True)
        try:
            return conversation.go_on(run, command, dialogue.versions[run["version_number"]], kept)
        except conversation.CommandRefused as refused:
            raise HTTPException(409, str(refused)) from None
