"""Faults in what becomes of a workflow: in versions that patches make, in labels, in what is read after writes."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, unquote

from mutants.servers.fault import Correct, Fault
from mutants.servers.messages import (
    ATTACH,
    CREATE,
    CREATED,
    DETACH,
    KEY,
    LABELS,
    LIST,
    NOT_FOUND,
    OK,
    PATCH,
    PATHS,
    READ,
    RUN,
    Reply,
    Request,
)

Body = dict[str, Any]
NODE: Final = ("name", "node_type", "configuration", "dependencies", "is_output_node")
EDGE: Final = ("source_node_name", "target_node_name", "is_and", "conditionals")
HEADERS: Final = [("x-api-key", KEY), ("content-type", "application/json")]
OTHER = "another"


def merged(known: Any, new: Any) -> Any:
    """Give a configuration with another one merged in."""
    if not (isinstance(known, dict) and isinstance(new, dict)):
        return new
    return known | {name: merged(known.get(name), value) for name, value in new.items()}


@dataclass
class PatchedOtherwise(Fault):
    """
    Makes another version of a patch than it should.

    Attributes:
        configuration: What becomes of a known configuration and a new one.
        dependencies: What becomes of known ones and new ones.
        version: Changes the version that is made, given that of the base and the patch.
    """

    configuration: Callable[[Any, Any], Any] = merged
    dependencies: Callable[[list[str], list[str]], list[str]] = lambda _, new: new
    version: Callable[[Body, Body, Body], Body] = lambda made, *_: made

    async def answer(self, request: Request, correct: Correct) -> Reply:
        """Add the version as a whole; what can't be made of it is left to the correct server."""
        patch = request.members
        if request.operation != PATCH or not patch:
            return await correct.ask(request)
        number = patch.get("base_version")
        base = (await correct.ask(read_of(request.path.rpartition("/")[2], number))).members
        if "nodes" not in base:
            return await correct.ask(request)
        made = self.version(self._made(base, patch), base, patch)
        whole = {**made, "workflow_id": base["workflow_id"]}
        labelled = whole | {"release_labels": patch.get("release_labels")}
        content = json.dumps({name: value for name, value in labelled.items() if value is not None})
        reply = await correct.ask(Request("POST", "/rest/workflows", "", HEADERS, content.encode()))
        if reply.status != CREATED:
            return await correct.ask(request)
        reply.put({**reply.members, "base_version": base["version"]})
        return reply

    def _made(self, base: Body, patch: Body) -> Body:
        nodes = {node["name"]: {name: node[name] for name in NODE} for node in base["nodes"]}
        for name, update in (patch.get("nodes") or {}).items():
            if update is None:
                nodes.pop(name, None)
                continue
            known = nodes.get(name, {"name": name, "configuration": {}, "dependencies": [], "is_output_node": False})
            nodes[name] = {**known, **update}
            nodes[name]["configuration"] = self.configuration(known["configuration"], update.get("configuration", {}))
            needed = update.get("dependencies", known["dependencies"])
            nodes[name]["dependencies"] = self.dependencies(known["dependencies"], needed)
        edges = [{name: edge[name] for name in EDGE} for edge in base["edges"]]
        kept = [edge for edge in edges if {edge["source_node_name"], edge["target_node_name"]} <= nodes.keys()]
        variables = patch.get("required_input_variables") or base["required_input_variables"]
        replaced = patch.get("edges")
        found = {"nodes": [*nodes.values()], "edges": kept if replaced is None else replaced}
        return {**found, "required_input_variables": variables, "commit_message": patch.get("commit_message")}


@dataclass
class ShownAsBefore(Fault):
    """Shows what it once showed: replies to requests that are kept by a key, from the first one on."""

    operation: str
    key: Callable[[Request], Any]
    members: tuple[str, ...] = ()
    _kept: dict[Any, Any] = field(default_factory=dict, init=False)

    def change_reply(self, request: Request, reply: Reply) -> None:
        """Put what was kept, or of its members those that are named."""
        key = self.key(request) if request.operation == self.operation and reply.status == OK else None
        if key is not None:
            kept = self._kept.setdefault(key, reply.members)
            reply.put({**reply.members, **{name: kept[name] for name in self.members}} if self.members else kept)


@dataclass
class LabelsStay(Fault):
    """Shows a label at every version that it was on."""

    _seen: dict[Any, list[str]] = field(default_factory=dict, init=False)

    def change_reply(self, request: Request, reply: Reply) -> None:
        """Put all labels of a version."""
        body = reply.members
        if request.operation in {READ, CREATE, PATCH} and isinstance(body.get("release_labels"), list):
            number = body.get("version", body.get("version_number"))
            labels = self._seen.setdefault((body["workflow_id"], number), [])
            labels += [label for label in body["release_labels"] if label not in labels]
            reply.put({**body, "release_labels": labels})


@dataclass
class LabelsLost(Fault):
    """Lists no labels of a workflow that got a version without any, or whose labels were given to another one."""

    by: str
    _lost: set[str] = field(default_factory=set, init=False)
    _labelled: set[str] = field(default_factory=set, init=False)

    def change_reply(self, request: Request, reply: Reply) -> None:
        """Take down who has lost them; list none of these."""
        labels, name = request.members.get("release_labels"), _named(request)
        if reply.status == CREATED and request.operation == CREATE and labels and self.by == OTHER:
            self._lost |= self._labelled - {name}
            self._labelled.add(name)
        if reply.status == CREATED and request.operation == self.by and not labels:
            self._lost |= {name, str(reply.members["workflow_name"])}
        if request.operation == LABELS and reply.status == OK and name in self._lost:
            reply.put({**reply.members, "release_labels": []})


@dataclass
class BaseChanged(Fault):
    """Changes the base version as well as making a new one of it."""

    _message: str | None = field(default=None, init=False)

    def change_reply(self, request: Request, reply: Reply) -> None:
        """Show the message of the last patch with the first version."""
        if request.operation == PATCH and reply.status == CREATED:
            self._message = request.members.get("commit_message") or OTHER
        if request.operation == READ and reply.members.get("version") == 1 and self._message:
            reply.put({**reply.members, "commit_message": self._message})


@dataclass
class DetachedAll(Fault):
    """Takes all external ids of a source away, or one pair from whoever has it."""

    async def answer(self, request: Request, correct: Correct) -> Reply:
        """Detach those of the same source, too."""
        reply = await correct.ask(request)
        if request.operation == DETACH and reply.status == OK:
            path, source = request.path.rsplit("/", 2)[:2]
            listed = await correct.ask(Request("GET", path, "", HEADERS, b""))
            for one in listed.members.get("external_ids", []):
                if one["source"] == unquote(source):
                    place = f"{path}/{source}/{quote(one['external_id'], safe='')}"
                    await correct.ask(Request("DELETE", place, "", HEADERS, b""))
        return reply


@dataclass
class FoundByIdAlone(Fault):
    """Lists the workflows with an external id of any source."""

    async def answer(self, request: Request, correct: Correct) -> Reply:
        """Look at all workflows."""
        reply, query = await correct.ask(request), request.query
        if request.operation == LIST and reply.status == OK and len(query) == 2 and "external_source" in query:
            every = await correct.ask(Request("GET", "/workflows", "per_page=100", HEADERS, b""))
            ids = [[one["external_id"] for one in item["external_ids"]] for item in every.members["items"]]
            items = [one for one, of in zip(every.members["items"], ids, strict=True) if query["external_id"] in of]
            reply.put({**reply.members, "items": items, "total": len(items)})
        return reply


@dataclass
class KeptThoughRefused(Fault):
    """Keeps a workflow whose external ids are refused."""

    async def answer(self, request: Request, correct: Correct) -> Reply:
        """Create it without them, and say that it was refused."""
        reply = await correct.ask(request)
        if request.operation == CREATE and reply.status == 409:
            body = {name: value for name, value in request.members.items() if name != "external_ids"}
            await correct.ask(Request("POST", "/rest/workflows", "", HEADERS, json.dumps(body).encode()))
        return reply


@dataclass
class FoundNearby(Fault):
    """
    Finds a workflow or a label that nearly has the key.

    Attributes:
        is_near: Whether a key that was asked for is near to one that there is.
    """

    what: str
    is_near: Callable[[str, str], bool]
    operation: str = READ
    _names: list[str] = field(default_factory=list, init=False)

    def change_request(self, request: Request) -> None:
        """Take down what there is; name it where something near is asked for."""
        if request.operation == CREATE:
            body = request.members
            self._names += [body["name"]] if self.what == "name" and body.get("name") else []
            self._names += body.get("release_labels") or [] if self.what == "label" else []
        elif request.operation == self.operation:
            asked = request.workflow if self.what == "name" else request.query.get("label", "")
            near = next((name for name in self._names if asked and self.is_near(asked, name)), None)
            if near is not None and asked not in self._names and self.what == "name":
                request.path = f"{request.path.rpartition('/')[0]}/{quote(near, safe='')}"
            elif near is not None and asked not in self._names:
                request.set_query({"label": near})


@dataclass
class LabelRunsAsBefore(Fault):
    """Runs the version on which a label first was when it was run."""

    _kept: dict[Any, Any] = field(default_factory=dict, init=False)

    async def answer(self, request: Request, correct: Correct) -> Reply:
        """Name the version by its number."""
        label = request.members.get("workflow_label_name")
        if request.operation == RUN and isinstance(label, str):
            name = PATHS[RUN][1].fullmatch(request.path)
            query = f"label={quote(label)}"
            path = f"/workflows/{name['workflow'] if name else ''}"
            now = (await correct.ask(Request("GET", path, query, HEADERS, b""))).members.get("version")
            number = self._kept.setdefault((path, label), now)
            if number is not None:
                request.put({**request.members, "workflow_label_name": None, "workflow_version_number": number})
        return await correct.ask(request)


@dataclass
class RunByAnyLabel(Fault):
    """Runs the latest version by a label that another workflow has."""

    _labels: set[str] = field(default_factory=set, init=False)

    async def answer(self, request: Request, correct: Correct) -> Reply:
        """Take the label out if it is one."""
        if request.operation in {CREATE, PATCH}:
            self._labels |= {str(label) for label in request.members.get("release_labels") or []}
        reply = await correct.ask(request)
        label = str(request.members.get("workflow_label_name"))
        if request.operation == RUN and reply.status == NOT_FOUND and label in self._labels:
            request.put({**request.members, "workflow_label_name": None})
            return await correct.ask(request)
        return reply


@dataclass
class LatestByLabel(Fault):
    """Reads the nodes of the latest version by any label."""

    async def answer(self, request: Request, correct: Correct) -> Reply:
        """Put them beside the right number."""
        reply = await correct.ask(request)
        if request.operation == READ and reply.status == OK and "label" in request.query:
            latest = (await correct.ask(read_of(request.path.rpartition("/")[2]))).members
            reply.put({**reply.members, "nodes": latest["nodes"]})
        return reply


@dataclass
class PatchedOnce(Fault):
    """Takes an equal patch for the one before."""

    _kept: dict[Any, Any] = field(default_factory=dict, init=False)

    async def answer(self, request: Request, correct: Correct) -> Reply:
        """Give the reply to the earlier one."""
        key = (request.path, request.content) if request.operation == PATCH else None
        if key in self._kept:
            return Reply(CREATED, [("content-type", "application/json")], self._kept[key])
        reply = await correct.ask(request)
        if key is not None and reply.status == CREATED:
            self._kept[key] = reply.content
        return reply


@dataclass
class TakenByAnyCase(Fault):
    """Takes an external id for taken if another workflow has it in another case."""

    _ids: set[tuple[str, str]] = field(default_factory=set, init=False)

    def change_reply(self, request: Request, reply: Reply) -> None:
        """Refuse it."""
        body = request.members
        for one in body.get("external_ids") or () if request.operation == CREATE else ():
            self._ids.add((one["source"], one["external_id"]))
        if request.operation == ATTACH and reply.status == CREATED:
            source, id_ = body["source"], body["external_id"]
            if any(known == source and one != id_ and one.lower() == id_.lower() for known, one in self._ids):
                reply.status = 409
                reply.put({"message": "Another workflow has it"})


@dataclass
class IdsAsTexts(Fault):
    """Sorts by id as if ids were texts."""

    def change_reply(self, request: Request, reply: Reply) -> None:
        """Sort what is on the page."""
        if request.operation == LIST and reply.status == OK and request.query.get("sort_by") == "id":
            goes_down = request.query.get("sort_order", "desc") == "desc"
            items = sorted(reply.members["items"], key=lambda item: str(item["id"]), reverse=goes_down)
            reply.put({**reply.members, "items": items})


@dataclass
class PagesOverlap(Fault):
    """Begins a further page of several workflows with the last one of the page before."""

    _last: dict[int, Any] = field(default_factory=dict, init=False)

    def change_reply(self, request: Request, reply: Reply) -> None:
        """Put it first, and leave the last one out."""
        items = reply.members.get("items")
        if request.operation == LIST and items and request.query.get("per_page") == "2":
            page = reply.members["page"]
            shown = [self._last[page - 1], *items[:-1]] if page - 1 in self._last else items
            self._last[page] = items[-1]
            reply.put({**reply.members, "items": shown})


def read_of(name: str, version: object = None) -> Request:
    """Make a request that reads a version of a workflow, whose name stands as in a path."""
    query = "" if version is None else f"version={version}"
    return Request("GET", f"/workflows/{name}", query, HEADERS, b"")


def _named(request: Request) -> str:
    if request.operation == CREATE:
        return str(request.members.get("name") or request.members.get("workflow_name"))
    return unquote(request.path.removesuffix("/labels").rpartition("/")[2])
