"""PromptLayer's operations on workflows, in memory."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from strict_json import Invalid, Test, check_members, each, is_object, is_text, is_truth, is_whole, or_null

if TYPE_CHECKING:
    from manners import Manners

OPERATORS = {"=", "!=", "<", ">", "<=", ">=", "in", "not_in", "is_null", "is_not_null"}
ORDERS = ("created_at", "updated_at", "name", "id")
TIMES = ("created_after", "created_before", "updated_after", "updated_before")
MADE = "2026-05-15T12:00:00Z"
NODE_ID = "0d6f3f0e-5a5c-4f7b-9f0c-{:012x}"
ScriptedResponse = tuple[int, Any]


def _of_length(shortest: int, longest: int) -> Test:
    return lambda value: is_text(value) and shortest <= len(value) <= longest


def _list_of(test: Test) -> Test:
    return lambda value: isinstance(value, list) and all(map(test, value))


def _with(tests: dict[str, Test], *required: str) -> Test:
    def passes(value: Any) -> bool:
        return (
            isinstance(value, dict)
            and {*required} <= value.keys()
            and all(test(value[name]) for name, test in tests.items() if name in value)
        )

    return passes


CONDITION = _with(
    {
        "position": lambda value: is_whole(value) and value >= 0,
        "operator": lambda value: is_text(value) and value in OPERATORS,
    },
    "position", "operator", "left_config", "right_config",
)  # fmt: skip
EDGE = _with(
    {
        "source_node_name": is_text,
        "target_node_name": is_text,
        "is_and": is_truth,
        "conditionals": lambda value: _list_of(CONDITION)(value) and bool(value),
    },
    "source_node_name", "target_node_name", "is_and", "conditionals",
)  # fmt: skip
NODE_TESTS = {
    "node_type": is_text, "configuration": is_object, "dependencies": _list_of(is_text), "is_output_node": is_truth,
}  # fmt: skip
NODE = _with({**NODE_TESTS, "name": _of_length(1, 255)}, "name", "node_type", "configuration", "is_output_node")
PAIR_TESTS = {"source": _of_length(1, 128), "external_id": _of_length(1, 512)}


def _is_pair(value: Any) -> bool:
    return _with(PAIR_TESTS, *PAIR_TESTS)(value) and value.keys() == PAIR_TESTS.keys()


CREATE = {
    "name": or_null(_of_length(1, 255)),
    "workflow_id": or_null(is_whole),
    "workflow_name": or_null(is_text),
    "folder_id": or_null(is_whole),
    "commit_message": or_null(is_text),
    "required_input_variables": is_object,
    "nodes": lambda value: _list_of(NODE)(value) and any(node["is_output_node"] for node in value),
    "edges": or_null(_list_of(EDGE)),
    "release_labels": or_null(_list_of(is_text)),
    "external_ids": _list_of(_is_pair),
}
PATCH = {
    "base_version": or_null(is_whole),
    "commit_message": or_null(is_text),
    "nodes": each(or_null(_with(NODE_TESTS))),
    "required_input_variables": or_null(is_object),
    "edges": or_null(_list_of(EDGE)),
    "release_labels": or_null(_list_of(is_text)),
}


@dataclass
class Workflow:
    """A workflow: its versions in order, its labels and external ids."""

    id: int
    name: str
    versions: list[dict[str, Any]] = field(default_factory=list)
    labels: dict[str, int] = field(default_factory=dict)
    pairs: list[tuple[str, str]] = field(default_factory=list)
    times: list[datetime] = field(default_factory=list)  # when each version was made

    def outputs(self, number: int) -> dict[str, bool]:
        """Give of each node of a version, by its name, whether it is an output node."""
        return {node["name"]: node["is_output_node"] for node in self.versions[number - 1]["nodes"]}

    def is_within(self, bounds: dict[str, datetime | None]) -> bool:
        """Whether it was created and changed between the bounds that there are."""
        of = {"created": self.times[0], "updated": self.times[-1]}
        return all(
            bound is None or (bound <= of[name[:7]] if name.endswith("after") else of[name[:7]] <= bound)
            for name, bound in bounds.items()
        )


class Workflows:
    """What the service knows of workflows."""

    def __init__(self, manners: Manners) -> None:
        """Know the canary, with two versions."""
        self._manners = manners
        self._all: list[Workflow] = []
        draft = {"name": "Draft", "node_type": "PROMPT_TEMPLATE", "configuration": {"text": 1}, "is_output_node": False}
        reply = {**draft, "name": "Reply", "dependencies": ["Draft"], "is_output_node": True}
        self._add("canary", {"nodes": [draft, reply], "release_labels": ["production"]})
        self._add("canary", {"nodes": [draft, reply]})

    def find(self, name: str) -> Workflow | None:
        """Return the workflow with a name or an id."""
        ids = [one for one in self._all if str(one.id) == name]
        return next((one for one in self._all if one.name == name), ids[0] if ids else None)

    async def list(self, query: Any) -> ScriptedResponse:
        """Answer with a page."""
        page, size = bounded(query, "page", 1, None), bounded(query, "per_page", 30, 100)
        order, way = word(query, "sort_by", ORDERS), word(query, "sort_order", ("asc", "desc"))
        bounds = {name: moment(time_of(query, name)) for name in TIMES}
        pair = (query.get("external_source"), query.get("external_id"))
        if (pair[0] is None) != (pair[1] is None):
            raise Invalid("the two filters go together", "query", "external_id")
        found = [
            one
            for one in self._all
            if (pair[0] is None or pair in one.pairs) and "created_by_email" not in query and one.is_within(bounds)
        ]
        keys = {"name": lambda one: one.name, "updated_at": lambda one: (one.times[-1], one.id)}
        found.sort(key=keys.get(order or "", lambda one: one.id), reverse=way != "asc")
        pages = (len(found) + size - 1) // size
        body = {
            "items": [self._summary(one) for one in found[(page - 1) * size : page * size]],
            "page": page,
            "per_page": size,
            "pages": pages,
            "has_next": page < pages,
            "has_prev": page > 1,
        }
        more = {"total": len(found), "next_num": page + 1 if page < pages else None}
        return 200, body if self._manners.fewer_members else {**body, **more}

    async def get(self, name: str, query: Any) -> ScriptedResponse:
        """Answer with a version."""
        number = bounded(query, "version", 0, None) if "version" in query else None
        label = query.get("label")
        if number is not None and label is not None:
            raise Invalid("a label and a version number exclude each other", "query", "label")
        workflow = self.find(unquote(name))
        if workflow is None:
            return self._unknown()
        number = workflow.labels.get(label) if label is not None else number or len(workflow.versions)
        if number is None or number > len(workflow.versions):
            return self._unknown()
        return 200, self._shown(workflow, number)

    async def labels(self, name: str) -> ScriptedResponse:
        """Answer with a workflow's labels."""
        workflow = self.find(unquote(name))
        if workflow is None:
            return self._unknown()
        labels = [
            {
                "release_label": label,
                "release_label_id": place,
                "workflow_version_id": self._version_id(workflow, number),
                "workflow_version_number": number,
            }
            for place, (label, number) in enumerate(workflow.labels.items())
        ]
        return 200, {"success": True, "release_labels": labels}

    async def create(self, body: Any) -> ScriptedResponse:
        """Take a new workflow or version."""
        asked = check_members(body, CREATE)
        if "nodes" not in asked:
            raise Invalid("this is missing", "body", "nodes")
        given = {**asked, "workflow_id": int(asked["workflow_id"]) if asked.get("workflow_id") is not None else None}
        known = [given[name] for name in ("workflow_id", "workflow_name") if given.get(name) is not None]
        if known and asked.get("name") is not None:
            raise Invalid("a name is for a new workflow", "body", "name")
        found = [self.find(str(one)) for one in known]
        if None in found:
            return self._unknown()
        name = found[0].name if found and found[0] else asked.get("name") or f"workflow-{len(self._all)}"
        if not known and self.find(name) is not None:
            return 400, self._error("The name is taken")
        return self._made(name, asked, None)

    async def patch(self, name: str, body: Any) -> ScriptedResponse:
        """Make a version from another one."""
        asked = check_members(body, PATCH)
        workflow = self.find(unquote(name))
        if workflow is None:
            return self._unknown()
        number = int(asked.get("base_version") or len(workflow.versions))
        if not 1 <= number <= len(workflow.versions):
            return self._unknown()
        base = workflow.versions[number - 1]
        nodes = {node["name"]: node for node in base["nodes"]}
        for node_name, update in asked.get("nodes", {}).items():
            if update is None:
                nodes.pop(node_name, None)
            elif node_name in nodes:
                both = _merged(nodes[node_name].get("configuration", {}), update.get("configuration", {}))
                nodes[node_name] = {**nodes[node_name], **update, "configuration": both}
            elif {"node_type", "configuration"} <= update.keys() and 1 <= len(node_name) <= 255:
                nodes[node_name] = {"is_output_node": False, **update, "name": node_name}
            else:
                return 400, self._error("A new node needs more")
        gone = (
            {node["name"] for node in base["nodes"]}
            - nodes.keys()
            - (asked.get("required_input_variables") or {}).keys()
        )
        if any(gone & {*node.get("dependencies", [])} for node in nodes.values()):
            return 400, self._error("A node is still needed")
        edges = asked.get("edges")
        kept = [
            one for one in base.get("edges") or [] if {one["source_node_name"], one["target_node_name"]} <= nodes.keys()
        ]
        variables = asked.get("required_input_variables")
        made = {
            **asked,
            "nodes": list(nodes.values()),
            "edges": kept if edges is None else edges,
            "required_input_variables": base.get("required_input_variables") if variables is None else variables,
        }
        return self._made(workflow.name, made, number)

    async def attach(self, number: str, body: Any) -> ScriptedResponse:
        """Give a workflow an external id."""
        workflow = self._by_id(number)
        asked = check_members(body, PAIR_TESTS)
        if asked.keys() != PAIR_TESTS.keys():
            raise Invalid("this has too few or too many members", "body")
        if workflow is None:
            return self._unknown()
        pair = (asked["source"], asked["external_id"])
        if self._owner(pair) not in {None, workflow.id}:
            return 409, {"message": "Somebody else has it"}
        workflow.pairs += [] if pair in workflow.pairs else [pair]
        return 201, {"success": True, "external_id": asked}

    async def external_ids(self, number: str) -> ScriptedResponse:
        """Answer with a workflow's external ids."""
        workflow = self._by_id(number)
        return self._unknown() if workflow is None else (200, {"success": True, "external_ids": _pairs(workflow)})

    async def detach(self, number: str, source: str, external_id: str) -> ScriptedResponse:
        """Take an external id away."""
        workflow, pair = self._by_id(number), (unquote(source), unquote(external_id))
        if not all(test(part) for test, part in zip(PAIR_TESTS.values(), pair, strict=True)):
            raise Invalid("this is too long or too short", "path")
        if workflow is None or pair not in workflow.pairs:
            return self._unknown()
        workflow.pairs.remove(pair)
        return 200, {"success": True}

    def _made(self, name: str, asked: dict[str, Any], base: int | None) -> ScriptedResponse:
        names = [node["name"] for node in asked["nodes"]]
        needs = {node["name"]: node.get("dependencies", []) for node in asked["nodes"]}
        if len({*names}) < len(names) or not any(node["is_output_node"] for node in asked["nodes"]):
            return 400, self._error("The nodes are not right")
        for edge in asked.get("edges") or []:
            if edge["source_node_name"] not in names or edge["source_node_name"] not in needs.get(
                edge["target_node_name"], []
            ):
                return 400, self._error("The edges are not right")
        pairs = [(one["source"], one["external_id"]) for one in asked.get("external_ids", [])]
        workflow = self.find(name)
        if any(self._owner(pair) not in {None, workflow and workflow.id} for pair in pairs):
            return 409, {"message": "Somebody else has it"}
        workflow = self._add(name, asked)
        workflow.pairs += [pair for pair in dict.fromkeys(pairs) if pair not in workflow.pairs]
        number = len(workflow.versions)
        made = {
            "success": True,
            "workflow_id": workflow.id,
            "workflow_name": workflow.name,
            "workflow_version_id": self._version_id(workflow, number),
            "version_number": number,
            "external_ids": _pairs(workflow),
        }
        return 201, made if self._manners.fewer_members else {**made, "base_version": base, "message": "Done"}

    def _add(self, name: str, asked: dict[str, Any]) -> Workflow:
        workflow = self.find(name)
        if workflow is None or workflow.name != name:
            workflow = Workflow(31 + 2 * len(self._all), name)
            self._all.append(workflow)
        workflow.versions.append({name: value for name, value in asked.items() if name not in {"name", "external_ids"}})
        workflow.times.append(datetime.now(UTC))
        workflow.labels |= dict.fromkeys(asked.get("release_labels") or [], len(workflow.versions))
        return workflow

    def _shown(self, workflow: Workflow, number: int) -> dict[str, Any]:
        version = workflow.versions[number - 1]
        nodes = [
            {"dependencies": [], **node, "id": NODE_ID.format(place)} for place, node in enumerate(version["nodes"])
        ]
        shown = {
            "success": True,
            "workflow_id": workflow.id,
            "workflow_name": workflow.name,
            "version": number,
            "workflow_version_id": self._version_id(workflow, number),
            "nodes": nodes,
            "edges": [{**edge, "id": str(place)} for place, edge in enumerate(version.get("edges") or [])],
        }
        labels = [label for label, labelled in workflow.labels.items() if labelled == number]
        return (
            shown
            if self._manners.fewer_members
            else {**shown, "release_labels": labels, "created_at": f"{workflow.times[number - 1]:%Y-%m-%dT%H:%M:%SZ}"}
        )

    def _summary(self, workflow: Workflow) -> dict[str, Any]:
        summary = {
            "id": workflow.id,
            "workspace_id": 5,
            "name": workflow.name,
            "is_deleted": False,
            "release_labels": list(workflow.labels),
        }
        more = {"latest_version_number": len(workflow.versions), "external_ids": _pairs(workflow)}
        return summary if self._manners.fewer_members else {**summary, **more}

    def _version_id(self, workflow: Workflow, number: int) -> int:
        return workflow.id * 1000 + number

    def _owner(self, pair: tuple[str, str]) -> int | None:
        return next((one.id for one in self._all if pair in one.pairs), None)

    def _by_id(self, number: str) -> Workflow | None:
        if not re.fullmatch(r"-?(0|[1-9][0-9]*)", unquote(number)):
            raise Invalid("this has to be an integer", "path", "workflow_id")
        return next((one for one in self._all if str(one.id) == unquote(number)), None)

    def _unknown(self) -> ScriptedResponse:
        return 404, self._error("There is nothing of this name")

    def _error(self, words: str) -> dict[str, Any]:
        return {self._manners.error_member: words, "message": words}


def _merged(known: Any, new: Any) -> Any:
    if not (isinstance(known, dict) and isinstance(new, dict)):
        return new
    return known | {name: _merged(known.get(name), value) for name, value in new.items()}


def _pairs(workflow: Workflow) -> list[dict[str, str]]:
    return [{"source": source, "external_id": external_id} for source, external_id in workflow.pairs]


def _single(query: Any, name: str) -> str | None:
    given: list[str] = query.getall(name, [])
    if len(given) > 1:
        raise Invalid("this is given twice", "query", name)
    return given[0] if given else None


def bounded(query: Any, name: str, default: int, most: int | None) -> int:
    """Give a parameter that is an integer from 1."""
    given = _single(query, name)
    if given is None:
        return default
    if not re.fullmatch(r"[1-9][0-9]{0,400}", given) or (most is not None and int(given) > most):
        raise Invalid("this has to be an integer within its bounds", "query", name)
    return int(given)


def word(query: Any, name: str, words: tuple[str, ...]) -> str | None:
    """Give a parameter that is one of a few words."""
    given = _single(query, name)
    if given is not None and given not in words:
        raise Invalid("this has to be one of a few words", "query", name)
    return given


def time_of(query: Any, name: str) -> str | None:
    """Give a parameter that is a time of RFC 3339."""
    given = _single(query, name)
    form = r"(\d{4}-\d\d-\d\dT\d\d:\d\d):(\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)"
    found = re.fullmatch(form, (given or MADE).upper(), re.ASCII)
    try:
        if found is None or found[2] > "60":
            raise ValueError
        datetime.fromisoformat(f"{found[1]}:{min(found[2], '59')}{found[4]}")
    except ValueError:
        raise Invalid("this has to be a time", "query", name) from None
    return given


def moment(text: str | None) -> datetime | None:
    """Give the time that a text names; a leap second is the one before it."""
    return None if text is None else datetime.fromisoformat(re.sub(":60(?=[.Z+-])", ":59", text.upper()))
