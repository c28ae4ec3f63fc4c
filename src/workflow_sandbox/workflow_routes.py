"""PromptLayer's operations on workflows: list, read, create, patch, labels, external ids."""

from collections.abc import Callable, Iterable
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request

from workflow_sandbox.assumptions import Assumptions
from workflow_sandbox.routing import Router
from workflow_sandbox.store import Store
from workflow_sandbox.wire import (
    JSONReply,
    integer,
    invalid,
    path_value,
    query_choice,
    query_integer,
    query_text,
    query_time,
    read_body,
)
from workflow_sandbox.workflow_bodies import CreateWorkflow, ExternalIdInput, PatchWorkflow
from workflow_sandbox.workflow_store import ExternalIdTaken
from workflow_sandbox.workflows import UnsoundVersion, Workflow, WorkflowVersion, check, merge

USER, EMAIL, WORKSPACE = 1, "sandbox@example.com", 1
"""Whose workflows these are."""

_PER_PAGE, _MOST_PER_PAGE = 30, 100
_LAST_PAGE = 10**100  # its number is told again, and has to be whole
_ORDERS: dict[str, Callable[[Workflow], Any]] = {
    "created_at": lambda workflow: (workflow.created_at, workflow.id),
    "updated_at": lambda workflow: (workflow.updated_at, workflow.id),
    "name": lambda workflow: workflow.name,
    "id": lambda workflow: workflow.id,
}


class WorkflowRoutes:
    """The routes, which the service's router takes in."""

    def __init__(self, store: Store, assumptions: Assumptions) -> None:
        self._store = store
        self._assumptions = assumptions
        self.router = Router()
        one, ids = "/workflows/{workflow:segment}", "/workflows/{workflow:segment}/external-ids"
        add = self.router.add
        add("/workflows", self.list_workflows, methods=["GET"])
        add(one, self.get_workflow, methods=["GET"])
        add(f"{one}/labels", self.labels, methods=["GET"])
        add("/rest/workflows", self.create, methods=["POST"])
        add("/rest/workflows/{workflow:segment}", self.patch, methods=["PATCH"])
        # One route for both methods: the router tells the methods of the first route alone in `Allow`.
        add(ids, self.external_ids, methods=["GET", "POST"])
        add(f"{ids}/{{source:segment}}/{{external_id:segment}}", self.detach, methods=["DELETE"])

    async def list_workflows(self, request: Request) -> JSONReply:
        """Reply with one page of the workflows that the filters leave."""
        page = query_integer(request, "page", minimum=1, maximum=_LAST_PAGE) or 1
        per_page = query_integer(request, "per_page", minimum=1, maximum=_MOST_PER_PAGE) or _PER_PAGE
        order = _ORDERS[query_choice(request, "sort_by", _ORDERS) or "created_at"]
        is_descending = query_choice(request, "sort_order", ("asc", "desc")) != "asc"
        found = sorted(self._filtered(request), key=order, reverse=is_descending)
        pages = -(-len(found) // per_page)
        shown = found[(page - 1) * per_page : page * per_page]
        return JSONReply(
            {
                "items": [self._summary(workflow) for workflow in shown],
                "page": page,
                "per_page": per_page,
                "pages": pages,
                "total": len(found),
                "has_next": page < pages,
                "has_prev": page > 1,
                "next_num": page + 1 if page < pages else None,
                "prev_num": page - 1 if page > 1 else None,
            }
        )

    def _filtered(self, request: Request) -> Iterable[Workflow]:
        email = query_text(request, "created_by_email")
        bounds = {name: query_time(request, name) for name in _BOUNDS}
        source, external_id = query_text(request, "external_source"), query_text(request, "external_id")
        if (source is None) != (external_id is None):
            words = "Input should come with external_source, or neither"
            raise broken_rule(self._assumptions, ("query", "external_id"), words, "missing")
        for workflow in self._store.workflows():
            is_in_time = all(bound is None or _BOUNDS[name](workflow, bound) for name, bound in bounds.items())
            has_id = source is None or (source, external_id) in self._store.external_ids(workflow)
            if email in {None, EMAIL} and is_in_time and has_id:
                yield workflow

    def _summary(self, workflow: Workflow) -> dict[str, Any]:
        return {
            "id": workflow.id,
            "workspace_id": WORKSPACE,
            "user_id": USER,
            "name": workflow.name,
            "is_deleted": False,
            "latest_version_number": self._store.latest(workflow).number,
            "release_labels": list(self._store.labels(workflow)),
            "external_ids": self._external_ids(workflow),
        }

    async def get_workflow(self, request: Request) -> JSONReply:
        """Reply with one version of a workflow."""
        number = query_integer(request, "version", minimum=1)
        label = query_text(request, "label")
        if number is not None and label is not None:
            words = "Give version or label but not both"
            raise broken_rule(self._assumptions, ("query", "label"), words, "mutually_exclusive")
        workflow = self._workflow(path_value(request, "workflow"))
        version = version_of(self._store, workflow, number, label)
        return JSONReply(
            {
                "success": True,
                "workflow_id": workflow.id,
                "workflow_name": workflow.name,
                "workflow": {"id": workflow.id, "name": workflow.name, "is_draft": False, "is_deleted": False},
                "version": version.number,
                "workflow_version_id": version.id,
                "commit_message": version.document.get("commit_message"),
                "required_input_variables": version.document["required_input_variables"],
                "release_labels": self._labels_on(workflow, version),
                "created_at": version.created_at,
                "nodes": [{**node, "workflow_version_id": version.id} for node in version.document["nodes"]],
                "edges": version.document["edges"],
            }
        )

    async def labels(self, request: Request) -> JSONReply:
        """Reply with a workflow's labels."""
        workflow = self._workflow(path_value(request, "workflow"))
        labels = [
            {
                "release_label": label,
                "release_label_id": id_,
                "workflow_version_id": version_of(self._store, workflow, number, None).id,
                "workflow_version_number": number,
            }
            for label, (id_, number) in self._store.labels(workflow).items()
        ]
        return JSONReply({"success": True, "release_labels": labels})

    async def create(self, request: Request) -> JSONReply:
        """Keep a new workflow, or a new version of one."""
        body, _ = await read_body(request, CreateWorkflow)
        with self._store.alone():
            return self._create(body)

    def _create(self, body: CreateWorkflow) -> JSONReply:
        found: set[Workflow] = set()
        if body.workflow_id is not None:
            found.add(self._workflow(body.workflow_id))
        if body.workflow_name is not None:
            found.add(_there(self._store.workflow_named(body.workflow_name)))
        if len(found) > 1:
            raise HTTPException(400, "workflow_id and workflow_name are of two workflows")
        if body.name is not None and self._store.workflow_named(body.name) is not None:
            raise HTTPException(400, "Another workflow has this name")
        document = body.model_dump(include={"commit_message", "required_input_variables", "nodes", "edges"})
        document["edges"] = document["edges"] or []
        external_ids = [(one.source, one.external_id) for one in body.external_ids]
        workflow = next(iter(found), None)
        return self._keep(workflow, document, body.release_labels, name=body.name, external_ids=external_ids)

    async def patch(self, request: Request) -> JSONReply:
        """Keep a new version that is made from an earlier one."""
        patch, _ = await read_body(request, PatchWorkflow)
        workflow = self._workflow(path_value(request, "workflow"))
        base = version_of(self._store, workflow, patch.base_version, None)
        try:
            document = merge(base.document, patch.model_dump(exclude_unset=True))
        except UnsoundVersion as unsound:
            raise HTTPException(400, str(unsound)) from None
        return self._keep(workflow, document, patch.release_labels, base=base.number)

    def _keep(
        self,
        workflow: Workflow | None,
        document: dict[str, Any],
        labels: Iterable[str] | None,
        *,
        name: str | None = None,
        external_ids: Iterable[tuple[str, str]] = (),
        base: int | None = None,
    ) -> JSONReply:
        try:
            check(document)
            version = self._store.add_version(workflow, name, document, labels or (), external_ids)
        except UnsoundVersion as unsound:
            raise HTTPException(400, str(unsound)) from None
        except ExternalIdTaken:
            raise HTTPException(409, "Another workflow has this external id") from None
        kept = self._workflow(version.workflow_id)
        shown = ("id", "name", "node_type", "is_output_node")
        reply = {
            "success": True,
            "workflow_id": kept.id,
            "workflow_name": kept.name,
            "workflow_version_id": version.id,
            "version_number": version.number,
            "base_version": base,
            "external_ids": self._external_ids(kept),
            "release_labels": self._labels_on(kept, version),
            "nodes": [{member: node[member] for member in shown} for node in version.document["nodes"]],
            "required_input_variables": version.document["required_input_variables"],
        }
        return JSONReply(reply, 201)

    async def external_ids(self, request: Request) -> JSONReply:
        """Reply with a workflow's external ids, or attach one."""
        if request.method != "POST":
            workflow = self._workflow(_integer_in_path(request))
            return JSONReply({"success": True, "external_ids": self._external_ids(workflow)})
        id_ = _integer_in_path(request)
        body, _ = await read_body(request, ExternalIdInput)
        try:
            self._store.attach(self._workflow(id_), body.source, body.external_id)
        except ExternalIdTaken:
            raise HTTPException(409, "Another workflow has this external id") from None
        return JSONReply({"success": True, "external_id": body.model_dump()}, 201)

    async def detach(self, request: Request) -> JSONReply:
        """Take an external id away."""
        id_ = _integer_in_path(request)
        source, external_id = path_value(request, "source"), path_value(request, "external_id")
        for name, value, longest in (("source", source, 128), ("external_id", external_id, 512)):
            if not 1 <= len(value) <= longest:
                raise invalid(("path", name), f"String should have 1 to {longest} characters", "string_length")
        if not self._store.detach(self._workflow(id_), source, external_id):
            raise HTTPException(404, "The workflow has no such external id")
        return JSONReply({"success": True})

    def _workflow(self, id_or_name: int | str) -> Workflow:
        return _there(self._store.workflow(id_or_name))

    def _external_ids(self, workflow: Workflow) -> list[dict[str, str]]:
        return [{"source": source, "external_id": id_} for source, id_ in self._store.external_ids(workflow)]

    def _labels_on(self, workflow: Workflow, version: WorkflowVersion) -> list[str]:
        return [label for label, (_, number) in self._store.labels(workflow).items() if number == version.number]


def _there(found: Workflow | None) -> Workflow:
    if found is None:
        raise HTTPException(404, "No such workflow")
    return found


def broken_rule(assumptions: Assumptions, loc: tuple[str, ...], words: str, kind: str) -> Exception:
    """Return the error for a request that breaks a documented rule of which no source says the status."""
    if assumptions.broken_rule_status == "400":
        return HTTPException(400, words)
    return invalid(loc, words, kind)


def version_of(
    store: Store, workflow: Workflow, number: int | None, label: str | None, unknown: int = 404
) -> WorkflowVersion:
    """Return the version with a number or a label, else the latest; raises the status `unknown` if there is none."""
    if number is None and label is None:
        return store.latest(workflow)
    if label is not None:
        _, number = store.labels(workflow).get(label, (0, None))
    version = None if number is None else store.version(workflow.name, number)
    if version is None:
        what = "number" if label is None else "label"
        raise HTTPException(unknown, f"No version of the workflow has this {what}")
    return version


_BOUNDS: dict[str, Callable[[Workflow, Any], bool]] = {
    "created_after": lambda workflow, bound: workflow.created >= bound,
    "created_before": lambda workflow, bound: workflow.created <= bound,
    "updated_after": lambda workflow, bound: workflow.updated >= bound,
    "updated_before": lambda workflow, bound: workflow.updated <= bound,
}


def _integer_in_path(request: Request) -> int:
    return integer(path_value(request, "workflow"), ("path", "workflow_id"))
