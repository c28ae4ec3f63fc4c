"""Hand-made defects of PromptLayer's operations on workflows, and of Interactly's on runs."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from mutants.servers.changes import put
from mutants.servers.fault import Correct, Fault, ServerDefect, Where
from mutants.servers.interactly_more import IdByItsBeginning
from mutants.servers.messages import (
    ATTACH,
    CREATE,
    DETACH,
    EXECUTE,
    EXTERNAL_IDS,
    LABELS,
    LIST,
    LIST_RUNS,
    PATCH,
    READ,
    READ_RUN,
    RUN,
    Reply,
    Request,
)
from mutants.servers.reply_faults import BodyChanged, MemberSet, Replaced, StatusChanged
from mutants.servers.request_faults import Refused, TakenAs

ANOTHER_ID = "0123456789abcdef01234567"
PAIR = ("external_source", "external_id")


def handwritten_workflows() -> Iterator[ServerDefect]:
    """Give the hand-made defects of these operations."""
    yield from _lists()
    yield from _reading()
    yield from _creating()
    yield from _patching()
    yield from _external_ids()
    yield from _runs()


def _defect(operation: str, name: str, title: str, operator: str, rule: str, fault: Fault) -> ServerDefect:  # noqa: PLR0917 - the order of the table
    return ServerDefect(id=name, title=title, operator=operator, operation=operation, rules=(rule,), fault=fault)


def _lists() -> Iterator[ServerDefect]:
    yield _defect(
        LIST,
        "list.half-a-pair",
        "takes one of the two filters",
        "constraint not enforced",
        "PL-LST-42",
        _without(LIST, *PAIR, when=lambda query: len(query.keys() & {*PAIR}) == 1),
    )
    for name, number in (("page", "0"), ("per_page", "0"), ("per_page", "101")):
        yield _defect(
            LIST,
            f"list.{name}-{number}",
            f"takes {number} as {name}",
            "constraint not enforced",
            "PL-LST-43",
            _without(LIST, name, when=_says(name, number)),
        )
    yield _defect(
        LIST,
        "list.always-a-next-page",
        "says that a page follows the last one",
        "semantics",
        "PL-LST-01",
        MemberSet(Where(LIST, 200), ("has_next",), value=True),
    )
    yield _defect(
        LIST, "list.one-page-for-all", "shows the first page as each page", "semantics", "PL-LST-02", PageRepeated()
    )
    yield _defect(
        LIST,
        "list.filters-ignored",
        "lists all workflows for an external id",
        "request ignored",
        "PL-LST-03",
        _without(LIST, *PAIR, when=lambda query: query.keys() >= {*PAIR}),
    )


def _reading() -> Iterator[ServerDefect]:
    yield _defect(
        READ,
        "read.label-and-version",
        "takes a label with a version",
        "not not enforced",
        "PL-GET-44",
        _without(READ, "label", when=lambda query: query.keys() >= {"label", "version"}),
    )
    yield _defect(
        READ,
        "read.unknown-label",
        "reads the latest version for an unknown label",
        "unknown accepted",
        "PL-GET-01",
        _without(READ, "label", when=lambda query: "no-such" in query.get("label", "")),
    )
    for name, value in (("label", "production"), ("version", "1")):
        yield _defect(
            READ,
            f"read.{name}-ignored",
            f"reads the latest version whatever the {name}",
            "request ignored",
            "PL-GET-02",
            _without(READ, name, when=_says(name, value)),
        )
    yield _defect(
        READ,
        "read.other-by-id",
        "reads something else by id",
        "identity",
        "PL-GET-03",
        MemberSet(Where(READ, 200), ("commit_message",), "other", when=lambda sent, _: sent.path[-1].isdigit()),
    )
    yield _defect(
        LABELS,
        "labels.other-version",
        "says that each label is on version 2",
        "semantics",
        "PL-LBL-01",
        MemberSet(Where(LABELS, 200), ("release_labels", "*", "workflow_version_number"), 2),
    )
    yield _defect(
        LABELS,
        "labels.of-nothing",
        "says that an unknown workflow has no labels",
        "unknown accepted",
        "PL-LBL-02",
        Replaced(Where(LABELS, 404), 200, {"success": True, "release_labels": []}),
    )


def _creating() -> Iterator[ServerDefect]:
    yield _defect(
        CREATE,
        "create.no-output-node",
        "takes a version without an output node",
        "constraint not enforced",
        "PL-CRE-45",
        _changed(CREATE, ("nodes", "*", "is_output_node"), value=True, when=_has_no_output),
    )
    yield _defect(
        CREATE,
        "create.name-and-workflow",
        "takes a name with a workflow",
        "not not enforced",
        "PL-CRE-46",
        _changed(CREATE, ("name",), None, when=lambda body: {"workflow_id", "workflow_name"} & body.keys()),
    )
    yield _defect(
        CREATE,
        "create.loses-configuration",
        "keeps nodes without their configuration",
        "request ignored",
        "PL-CRE-01",
        _changed(CREATE, ("nodes", "*", "configuration"), {}),
    )
    yield _defect(
        CREATE,
        "create.label-stays",
        "leaves a label on the earlier version",
        "request ignored",
        "PL-CRE-02",
        _changed(CREATE, ("release_labels",), [], when=lambda body: "workflow_name" in body),
    )
    yield _defect(
        CREATE,
        "create.cannot-be-run",
        "knows no created workflow when it is run",
        "semantics",
        "PL-CRE-03",
        Refused(RUN, lambda request: request.workflow.startswith("contract-tests "), 404, {"message": "?"}),
    )


def _patching() -> Iterator[ServerDefect]:
    yield _defect(
        PATCH,
        "patch.200",
        "answers a patch with 200",
        "status undocumented",
        "PL-PAT-48",
        StatusChanged(Where(PATCH, 201), 200),
    )
    yield _defect(
        PATCH,
        "patch.old-number",
        "gives the new version an old number",
        "semantics",
        "PL-PAT-48",
        MemberSet(Where(PATCH, 201), ("version_number",), 1),
    )
    yield _defect(
        PATCH,
        "patch.null-ignored",
        "keeps a node that is null",
        "request ignored",
        "PL-PAT-47",
        _changed(PATCH, ("nodes",), {}, when=lambda body: None in (body.get("nodes") or {}).values()),
    )
    yield _defect(
        PATCH,
        "patch.others-changed",
        "changes a node that is not mentioned",
        "semantics",
        "PL-PAT-01",
        _changed(PATCH, ("nodes", "Reply"), {"configuration": {"inline_template": "changed"}, "dependencies": []}),
    )


def _external_ids() -> Iterator[ServerDefect]:
    attached = {"success": True, "external_id": {"source": "s", "external_id": "1"}}
    yield _defect(
        ATTACH,
        "external-ids.taken",
        "attaches an id that another workflow has",
        "unknown accepted",
        "PL-EXT-49",
        Replaced(Where(ATTACH, 409), 201, attached),
    )
    yield _defect(ATTACH, "external-ids.once", "refuses to attach an id again", "crash", "PL-EXT-49", AttachedOnce())
    yield _defect(
        EXTERNAL_IDS,
        "external-ids.none",
        "lists none",
        "semantics",
        "PL-EXT-01",
        MemberSet(Where(EXTERNAL_IDS, 200), ("external_ids",), []),
    )
    yield _defect(
        EXTERNAL_IDS,
        "external-ids.twice",
        "lists each twice",
        "semantics",
        "PL-EXT-01",
        BodyChanged(Where(EXTERNAL_IDS, 200), lambda body: {**body, "external_ids": body["external_ids"] * 2}),
    )
    yield _defect(
        DETACH,
        "external-ids.stays",
        "says that it has detached an id and has not",
        "request ignored",
        "PL-EXT-02",
        DetachIgnored(),
    )


def _runs() -> Iterator[ServerDefect]:
    inner = ("workflow_run", "workflow_run", "workflow_run_id")
    yield _defect(
        READ_RUN,
        "read-run.another",
        "reads another run",
        "identity",
        "IA-GET-01",
        MemberSet(Where(READ_RUN, 200), inner, ANOTHER_ID),
    )
    yield _defect(
        READ_RUN,
        "read-run.unknown-422",
        "refuses an unknown run with 422",
        "status neighbour",
        "IA-GET-02",
        StatusChanged(Where(READ_RUN, 404), 422),
    )
    yield _defect(
        READ_RUN,
        "read-run.by-beginning",
        "reads a run by the first twenty digits of its id",
        "identity",
        "IA-GET-02",
        IdByItsBeginning(20),
    )
    yield _defect(
        LIST_RUNS,
        "list-runs.none",
        "lists no run",
        "semantics",
        "IA-LST-01",
        Replaced(Where(LIST_RUNS, 200), 200, {"workflow_runs": [], "total": 0}),
    )
    yield _defect(
        LIST_RUNS,
        "list-runs.workflow-ignored",
        "lists runs of another workflow",
        "request ignored",
        "IA-LST-01",
        MemberSet(Where(LIST_RUNS, 200), ("workflow_runs", "*", "workflow_run", "workflow_id"), ANOTHER_ID),
    )
    yield _defect(
        LIST_RUNS,
        "list-runs.size-ignored",
        "lists all runs whatever the size",
        "request ignored",
        "IA-LST-02",
        _without(LIST_RUNS, "size", when=_says("size", "1")),
    )
    yield _defect(
        LIST_RUNS,
        "list-runs.size-0",
        "takes a size of 0",
        "constraint not enforced",
        "IA-LST-03",
        _without(LIST_RUNS, "size", when=_says("size", "0")),
    )
    yield _defect(
        EXECUTE,
        "execute.member-of-a-turn",
        "answers a run input with a member of a turn",
        "form",
        "IA-EXE-81",
        MemberSet(Where(EXECUTE, 200), ("turn_number",), 1),
    )


@dataclass
class PageRepeated(Fault):
    """Shows what was on the first page on each page."""

    _items: Any = field(default=None, init=False)

    def change_reply(self, request: Request, reply: Reply) -> None:
        """Put the items of the first page."""
        if request.operation == LIST and reply.status == 200:
            if request.query.get("page", "1") == "1":
                self._items = reply.members["items"]
            reply.put({**reply.members, "items": self._items})


@dataclass
class AttachedOnce(Fault):
    """Refuses an external id that the workflow has already."""

    _seen: set[bytes] = field(default_factory=set, init=False)

    def change_reply(self, request: Request, reply: Reply) -> None:
        """Refuse the second of two equal requests."""
        if request.operation == ATTACH and reply.status == 201:
            key = request.path.encode() + request.content
            if key in self._seen:
                reply.status = 409
                reply.put({"message": "It is there already"})
            self._seen.add(key)


class DetachIgnored(Fault):
    """Says that an external id was detached, and leaves it where it is."""

    async def answer(self, request: Request, correct: Correct) -> Reply:
        """Answer without asking."""
        if request.operation != DETACH:
            return await super().answer(request, correct)
        return Reply(200, [("content-type", "application/json")], b'{"success": true}')


def _says(name: str, value: str) -> Callable[[dict[str, str]], bool]:
    return lambda query: query.get(name) == value


def _has_no_output(body: dict[str, Any]) -> bool:
    nodes = body.get("nodes")
    return isinstance(nodes, list) and not any(node.get("is_output_node") for node in nodes if isinstance(node, dict))


def _without(operation: str, *names: str, when: Callable[[dict[str, str]], bool]) -> Fault:
    return TakenAs(
        operation, lambda request: when(request.query), lambda request: request.set_query(dict.fromkeys(names))
    )


def _changed(
    operation: str, path: tuple[str, ...], value: Any, when: Callable[[dict[str, Any]], Any] = lambda _: True
) -> Fault:
    return TakenAs(
        operation,
        lambda request: bool(request.members) and bool(when(request.members)),
        lambda request: request.put(put(request.members, path, value)),
    )
