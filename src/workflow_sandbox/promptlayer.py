"""PromptLayer's service: start a run of a workflow and ask for its results; `workflow_routes` has the rest."""

import secrets
from collections.abc import Callable

from pydantic import BaseModel, ConfigDict, StrictBool
from starlette.exceptions import HTTPException
from starlette.requests import Request

from workflow_sandbox.assumptions import Assumptions
from workflow_sandbox.execution import Executor
from workflow_sandbox.json_types import HttpUri, Integer, Object, String
from workflow_sandbox.live_updates import LiveUpdates
from workflow_sandbox.results import is_finished, main_output, node_entries
from workflow_sandbox.routing import Router
from workflow_sandbox.store import NodeState, Run, Store
from workflow_sandbox.variables import warning
from workflow_sandbox.wire import JSONReply, invalid, path_value, query_boolean, query_integer, read_body, sole_header
from workflow_sandbox.workflow_routes import WorkflowRoutes, broken_rule, version_of


class RunWorkflow(BaseModel):
    """Body of a run; null for label, version, metadata or callback means the same as leaving it out."""

    model_config = ConfigDict(strict=True)

    workflow_label_name: String | None = None
    workflow_version_number: Integer | None = None
    metadata: dict[String, String] | None = None
    input_variables: Object = {}
    return_all_outputs: StrictBool = False
    callback_url: HttpUri | None = None
    channel_name_suffix: String | None = None  # of the vendor's Python library, beyond the contract


class PromptLayer:
    """The routes of the service."""

    def __init__(
        self,
        store: Store,
        executor: Executor,
        api_key: str,
        assumptions: Assumptions,
        *,
        on_accepted: Callable[[Request, int], None],
        updates: LiveUpdates,
    ) -> None:
        """Make the routes; `on_accepted` is told of each new run, by its request and its id, before it is executed."""
        self._on_accepted = on_accepted
        self._store = store
        self._updates = updates
        self._executor = executor
        self._api_key = api_key.encode()
        self._assumptions = assumptions
        self.router = Router(before=self.authenticate)
        self.router.add("/workflows/{workflow_name:segment}/run", self.run_workflow, methods=["POST"])
        self.router.add("/workflow-version-execution-results", self.results, methods=["GET"])
        self.router.add("/ws-token-request-library", updates.token, methods=["POST"])
        self.router.include(WorkflowRoutes(store, assumptions).router)

    async def authenticate(self, request: Request) -> None:
        """Raise a 401 unless the request has the key."""
        given = sole_header(request, "x-api-key").encode("latin-1")
        if not secrets.compare_digest(given, self._api_key):
            raise HTTPException(401, "The API key is missing or not valid", {"WWW-Authenticate": "APIKey"})

    async def run_workflow(self, request: Request) -> JSONReply:
        """Keep a run, hand it to the executor and reply with its id."""
        run, _ = await read_body(request, RunWorkflow)
        number, label = run.workflow_version_number, run.workflow_label_name
        if number is not None and label is not None:
            words = "Give workflow_label_name or workflow_version_number but not both"
            raise broken_rule(self._assumptions, ("body",), words, "mutually_exclusive")
        name = path_value(request, "workflow_name")
        workflow = self._store.workflow(name)
        if workflow is None or ("/" in name and self._assumptions.slash_in_name == "refused"):
            raise HTTPException(404, "No workflow has this name")
        version = version_of(self._store, workflow, number, label, int(self._assumptions.unknown_version_status))
        run_id = self._store.accept_run(
            version,
            run.input_variables,
            run.metadata or {},
            return_all_outputs=run.return_all_outputs,
            callback_url=run.callback_url,
        )
        self._on_accepted(request, run_id)
        self._updates.follow(run_id, workflow.id, run.channel_name_suffix)
        accepted = Run(
            run_id, workflow.name, version.number, run.input_variables, run.metadata or {}, run.return_all_outputs
        )
        self._executor.submit(accepted, version)
        reply = {
            "success": True,
            "message": "Workflow execution started" if run.callback_url is None else "Workflow execution accepted",
            "warning": warning(version, run.input_variables),
            "workflow_version_execution_id": run_id,
        }
        return JSONReply(reply, 201 if run.callback_url is None else 202)

    async def results(self, request: Request) -> JSONReply:
        """Reply with what a run has produced so far, in the form that this request asks for."""
        run_id = query_integer(request, "workflow_version_execution_id")
        all_outputs = query_boolean(request, "return_all_outputs")
        if run_id is None:
            raise invalid(("query", "workflow_version_execution_id"), "Field required", "missing")
        nodes = self._store.nodes(run_id)
        if not nodes:
            raise HTTPException(404, "No execution has this id")
        if not is_finished(nodes):
            # One of an earlier start may have to wait for its turn, but not while somebody asks for it.
            self._executor.go_on(run_id)
        return self._results(nodes, all_outputs=all_outputs)

    def _results(self, nodes: list[NodeState], *, all_outputs: bool) -> JSONReply:
        assumed = self._assumptions
        entries = node_entries(nodes, assumed)
        if not is_finished(nodes):
            return JSONReply(entries if all_outputs or assumed.unfinished_output == "nodes" else None, 202)
        if all_outputs:
            return JSONReply(entries, 200)
        main = main_output(nodes, assumed)
        if main is not None:
            return JSONReply(main.value, 200)
        if assumed.no_output == "200":
            return JSONReply(entries, 200)
        return JSONReply({"success": False, "message": "No output node succeeded", "output": entries}, 500)
