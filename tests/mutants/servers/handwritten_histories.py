"""Hand-made defects of PromptLayer's workflows that show only when something else is read later, or nearly the same."""

import unicodedata
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from mutants.servers import histories, related
from mutants.servers.fault import Correct, Fault, ServerDefect, Where
from mutants.servers.messages import ATTACH, CREATE, EXTERNAL_IDS, LABELS, LIST, PATCH, READ, RUN, Reply, Request
from mutants.servers.reply_faults import MemberSet
from mutants.servers.request_faults import TakenAs

Made = Iterator[tuple[str, str, str, Fault]]  # operation, id, what the server does, the fault
MOST: Final = 1000


def handwritten_histories() -> Iterator[ServerDefect]:
    """Give them, by the rule that names each best."""
    for rule, family in FAMILIES.items():
        for operation, name, title, fault in family():
            id_ = f"history.{name}"
            yield ServerDefect(
                id=id_, title=title, operator="history", operation=operation, rules=(rule,), fault=fault
            )  # fmt: skip


def _merging() -> Made:
    otherwise = histories.PatchedOtherwise
    replaced = otherwise(configuration=lambda known, new: new or known)
    yield READ, "configuration-replaced", "replaces a configuration", replaced
    backwards = otherwise(configuration=lambda known, new: histories.merged(new, known))
    yield READ, "configuration-wins", "merges a configuration the wrong way round", backwards
    yield (
        READ,
        "configuration-shallow",
        "merges a configuration at its top alone",
        otherwise(lambda one, new: one | new),
    )
    added = otherwise(dependencies=lambda known, new: [*dict.fromkeys([*known, *new])])
    yield READ, "dependencies-added", "adds dependencies to those before", added
    moved = otherwise(version=lambda made, *_: {**made, "nodes": _with_last_as_output(made["nodes"])})
    yield READ, "last-is-output", "makes the last node an output node", moved
    kept = otherwise(dependencies=lambda known, new: new or known)
    yield READ, "no-dependencies-ignored", "keeps dependencies where none are to be left", kept


def _edges() -> Made:
    otherwise = histories.PatchedOtherwise
    lost = otherwise(version=lambda made, _, patch: {**made, "edges": patch.get("edges") or []})
    yield READ, "edges-lost", "copies no edges", lost
    one = otherwise(version=lambda made, base, _: made if len(made["edges"]) == len(base["edges"]) else _no_edges(made))
    yield READ, "edges-lost-with-a-node", "copies no edges if one touches a removed node", one
    kept = otherwise(
        version=lambda made, base, _: {
            **made,
            "required_input_variables": base["required_input_variables"] | made["required_input_variables"],
        }
    )
    yield READ, "variables-merged", "merges input variables", kept
    for name, empty in (("edges", []), ("required_input_variables", {})):
        ignored = TakenAs(PATCH, _has(name, empty), _without(name))
        yield READ, f"no-{name.replace('_', '-')}-ignored", f"keeps {name} where none are to be left", ignored


def _bases() -> Made:
    yield READ, "base-ignored", "patches the latest version whatever the base", BaseIgnored()
    yield PATCH, "patched-once", "makes no second version of an equal patch", histories.PatchedOnce()


def _versions() -> Made:
    yield READ, "base-changed", "changes the base of a patch, too", histories.BaseChanged()
    moves = MemberSet(Where(READ, 200), ("created_at",), "2026-01-01T00:00:00Z", when=lambda sent, _: bool(sent.query))
    yield READ, "latest-by-label", "reads the latest nodes by any label", histories.LatestByLabel()
    yield READ, "created-by-number", "shows another time of creation by number", moves


def _labels() -> Made:
    yield LABELS, "labels-cleared", "takes labels away by a patch that has none", histories.LabelsLost(PATCH)
    yield LABELS, "labels-taken", "takes labels from other workflows", histories.LabelsLost(histories.OTHER)
    yield LABELS, "labels-created-away", "takes labels away by a further version", histories.LabelsLost(CREATE)
    yield READ, "labels-stay", "shows a moved label at the old version, too", histories.LabelsStay()
    cached = histories.ShownAsBefore(READ, lambda one: (one.path, label) if (label := one.query.get("label")) else None)
    yield READ, "label-cached", "reads by a label what was read by it first", cached


def _latest() -> Made:
    for name, key in (("ever", _by_path), ("name", _by_name), ("id", _by_id)):
        fault = histories.ShownAsBefore(READ, key)
        yield READ, f"latest-cached-{name}", f"shows the latest version as it was first ({name})", fault


def _creation() -> Made:
    yield CREATE, "name-twice", "takes a name that is taken", NameTwice()
    yield READ, "edges-not-kept", "creates versions without their edges", _changed(CREATE, edges=[])
    yield (
        READ,
        "variables-not-kept",
        "creates versions without variables",
        _changed(CREATE, required_input_variables={}),
    )


def _configurations() -> Made:
    for name, title, change in (
        ("cut", "cuts texts in configurations at 1,000 characters", lambda value: related.with_texts(value, _cut)),
        ("rounded", "rounds numbers beyond 2^53", lambda value: related.with_numbers(value, _as_double)),
        ("composed", "composes texts that come decomposed", lambda value: related.with_texts(value, _composed)),
    ):
        yield READ, f"configuration-{name}", title, ConfigurationsChanged(change)


def _listed() -> Made:
    cached = histories.ShownAsBefore(LIST, _filters_of, ("items",))
    yield LIST, "list-cached", "shows in a list what was in it first", cached


def _pairs() -> Made:
    yield EXTERNAL_IDS, "detached-by-source", "detaches all external ids of a source", histories.DetachedAll()


def _found() -> Made:
    yield LIST, "found-by-id-alone", "finds external ids of any source", histories.FoundByIdAlone()


def _refused() -> Made:
    yield READ, "kept-though-refused", "keeps a workflow that it refuses", histories.KeptThoughRefused()


def _filters() -> Made:
    for name in ("created_after", "created_before", "updated_after", "created_by_email"):
        yield LIST, f"{name.replace('_', '-')}-ignored", f"ignores {name}", _ignored(name)
    zone = TakenAs(
        LIST, _has_offset, lambda one: one.set_query(_changed_times(one, lambda when: when.replace(tzinfo=None)))
    )
    yield LIST, "offset-ignored", "takes times for UTC whatever their offset", zone


def _bounds() -> Made:
    later = TakenAs(LIST, _has_both, lambda one: one.set_query(_changed_times(one, _a_moment_later)))
    yield LIST, "bounds-exclusive", "leaves out what was created at the very bound", later


def _orders() -> Made:
    down = TakenAs(LIST, _is_sorted_by("name"), lambda one: one.set_query({"sort_order": None}))
    yield LIST, "name-goes-down", "sorts by name from Z to A alone", down
    created = TakenAs(LIST, _is_sorted_by("updated_at"), lambda one: one.set_query({"sort_by": None}))
    alone = TakenAs(LIST, lambda one: "sort_by" not in one.query, lambda one: one.set_query({"sort_order": None}))
    yield LIST, "order-alone", "ignores sort_order without sort_by", alone
    yield LIST, "updated-is-created", "sorts by creation instead of changes", created
    yield LIST, "ids-as-texts", "sorts by id as if that were a text", histories.IdsAsTexts()


def _sizes() -> Made:
    ten = TakenAs(LIST, lambda one: "per_page" not in one.query, lambda one: one.set_query({"per_page": "10"}))
    yield LIST, "ten-by-default", "has ten workflows on a page by default", ten
    yield LIST, "total-of-page", "tells the number of workflows on the page as total", TotalOfPage()


def _pages() -> Made:
    yield LIST, "pages-overlap", "repeats the last workflow of a page on the next", histories.PagesOverlap()
    first = TakenAs(LIST, lambda one: int(_digits(one)) > MOST, lambda one: one.set_query({"page": "1"}))
    yield LIST, "page-clamped", "shows a page for one that is not there", first


def _neighbours() -> Made:
    for what in ("label", "name"):
        yield READ, f"{what}-begins", f"finds a {what} by its beginning", histories.FoundNearby(what, _begins)
    yield RUN, "runs-by-any-label", "runs a workflow by the label of another", histories.RunByAnyLabel()


def _spellings() -> Made:
    for what in ("name", "label"):
        yield READ, f"{what}-in-any-case", f"finds a {what} in another case", histories.FoundNearby(what, _is_same)
    patched = histories.FoundNearby("name", _is_same, PATCH)
    yield PATCH, "patched-in-any-case", "patches a workflow by its name in another case", patched
    yield ATTACH, "taken-in-any-case", "takes an id in another case for taken", histories.TakenByAnyCase()


def _runs() -> Made:
    yield RUN, "label-runs-as-before", "runs by a label the version that ran first", histories.LabelRunsAsBefore()
    hidden = TakenAs(RUN, _has_null_label, lambda one: one.put({**one.members, "workflow_version_number": None}))
    yield RUN, "null-label-hides-number", "overlooks a number beside a label that is null", hidden


def _has_null_label(request: Request) -> bool:
    return request.members.get("workflow_label_name", "") is None


FAMILIES: Final[dict[str, Callable[[], Made]]] = {
    "REL-WF-01": _merging,
    "REL-WF-02": _edges,
    "REL-WF-03": _bases,
    "REL-WF-04": _versions,
    "REL-WF-05": _labels,
    "REL-WF-06": _latest,
    "REL-WF-07": _creation,
    "REL-WF-08": _listed,
    "REL-WF-09": _pairs,
    "REL-WF-10": _found,
    "REL-WF-11": _refused,
    "REL-WF-12": _configurations,
    "REL-WF-21": _filters,
    "REL-WF-22": _bounds,
    "REL-WF-23": _orders,
    "REL-WF-24": _sizes,
    "REL-WF-25": _pages,
    "REL-WF-26": _neighbours,
    "REL-WF-27": _spellings,
    "REL-WF-28": _runs,
}


class BaseIgnored(Fault):
    """Patches the latest version, and tells the base that was named."""

    def __init__(self) -> None:
        self._named: object = None

    def change_request(self, request: Request) -> None:
        """Take the base out, unless it does not exist."""
        self._named = request.members.get("base_version") if request.operation == PATCH else None
        if isinstance(self._named, int) and self._named < MOST:
            request.put({**request.members, "base_version": None})

    def change_reply(self, request: Request, reply: Reply) -> None:
        """Tell it."""
        if request.operation == PATCH and "base_version" in reply.members and self._named is not None:
            reply.put({**reply.members, "base_version": self._named})


class NameTwice(Fault):
    """Makes another workflow of a name that is taken."""

    async def answer(self, request: Request, correct: Correct) -> Reply:
        """Create it under another name, and say that it has this one."""
        reply = await correct.ask(request)
        name = request.members.get("name")
        if request.operation == CREATE and name and reply.status == 400 and b"name" in reply.content:
            request.put({**request.members, "name": f"{name} {id(reply)}"})
            reply = await correct.ask(request)
            reply.put({**reply.members, "workflow_name": name})
        return reply


class ConfigurationsChanged(Fault):
    """Creates versions with other configurations than those that were sent."""

    def __init__(self, change: Callable[[Any], Any]) -> None:
        self._change = change

    def change_request(self, request: Request) -> None:
        """Change those of all nodes."""
        nodes = request.members.get("nodes")
        if request.operation == CREATE and isinstance(nodes, list) and all(isinstance(one, dict) for one in nodes):
            changed = [{**one, "configuration": self._change(one.get("configuration"))} for one in nodes]
            request.put({**request.members, "nodes": changed})


class TotalOfPage(Fault):
    """Counts the workflows of a page as all."""

    def change_reply(self, request: Request, reply: Reply) -> None:
        """Put their number."""
        if request.operation == LIST and "items" in reply.members:
            reply.put({**reply.members, "total": len(reply.members["items"])})


def _ignored(name: str) -> Fault:
    return TakenAs(LIST, lambda one: name in one.query, lambda one: one.set_query({name: None}))


def _changed(operation: str, **members: object) -> Fault:
    return TakenAs(
        operation, lambda one: bool(one.members), lambda one: one.put({**one.members, **members})
    )  # fmt: skip


def _has(name: str, value: object) -> Callable[[Request], bool]:
    return lambda request: request.members.get(name) == value


def _without(name: str) -> Callable[[Request], None]:
    return lambda request: request.put({key: value for key, value in request.members.items() if key != name})


def _cut(text: str) -> str:
    return text[:1000]


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _as_double(number: Any) -> Any:
    return int(float(number)) if isinstance(number, int) else number


def _begins(asked: str, known: str) -> bool:
    return known.startswith(asked)


def _is_same(asked: str, known: str) -> bool:
    return known.lower() == asked.lower().strip()


def _no_edges(made: histories.Body) -> histories.Body:
    return {**made, "edges": []}


def _with_last_as_output(nodes: list[histories.Body]) -> list[histories.Body]:
    return [*nodes[:-1], {**nodes[-1], "is_output_node": True}]


def _by_path(request: Request) -> str | None:
    return None if request.query else request.path


def _by_name(request: Request) -> str | None:
    path = _by_path(request)
    return None if path is None or path.rpartition("/")[2].isdigit() else path


def _by_id(request: Request) -> str | None:
    path = _by_path(request)
    return path if path is not None and path.rpartition("/")[2].isdigit() else None


def _filters_of(request: Request) -> str | None:
    return request.query_string if "external_id" in request.query else None


def _has_both(request: Request) -> bool:
    found = [value for name, value in request.query.items() if name in {"created_after", "created_before"}]
    return len(found) == 2 and len({*found}) == 1


def _has_offset(request: Request) -> bool:
    return any("+02:00" in value or "-02:00" in value for value in request.query.values())


def _changed_times(request: Request, change: Callable[[datetime], datetime]) -> dict[str, str | None]:
    times = {name: value for name, value in request.query.items() if name.endswith(("_after", "_before"))}
    written = {name: change(datetime.fromisoformat(value)).isoformat() for name, value in times.items()}
    return {name: value if value[-6:-5] in {"+", "-"} else f"{value}Z" for name, value in written.items()}


def _without_offset(when: datetime) -> datetime:
    return when.replace(tzinfo=None)


def _a_moment_later(when: datetime) -> datetime:
    return when + timedelta(microseconds=1)


def _is_sorted_by(name: str) -> Callable[[Request], bool]:
    return lambda request: request.query.get("sort_by") == name


def _digits(request: Request) -> str:
    page = request.query.get("page", "")
    return page if page.isdigit() else "0"
