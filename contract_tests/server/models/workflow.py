"""
What is known of a PromptLayer workflow: what the service has taken of writes, and what it has shown before.

From it follows what every later response has to show. A version's content is a mapping with these parts, as far as they
are known: nodes by name, edges, required_input_variables, commit_message.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from contract_tests.openapi.json_equality import told_apart
from contract_tests.openapi.json_text import canonical, same

Content = dict[str, Any]
Pair = tuple[str, str]
NODE: Final = ("node_type", "is_output_node", "configuration", "dependencies")
EDGE: Final = ("source_node_name", "target_node_name", "is_and")
CONDITION: Final = ("position", "operator", "left_config", "right_config")
PLAIN: Final = ("required_input_variables", "commit_message")
FIXED: Final = ("workflow_id", "workflow_name", "workflow_version_id", "created_at")


@dataclass
class Version:
    """
    One version.

    Attributes:
        foretold: Its content, as far as the write that made it says what it is.
        is_whole: Whether that is all of it, as of a patch whose base was read.
        is_patch: Whether a patch has made it.
        by_latest: What its content would be if a patch that names its base had been one of the latest version.
        shown: What was read of it first; empty if it has not been read.
    """

    number: int
    foretold: Content
    is_whole: bool = False
    is_patch: bool = False
    by_latest: Content = field(default_factory=dict)
    shown: Mapping[str, Any] = field(default_factory=dict)

    @property
    def content(self) -> Content:
        """Its content as it was read, else as it is foretold."""
        return content_of(self.shown) if self.shown else self.foretold


@dataclass
class Workflow:
    """
    One workflow.

    Attributes:
        labels: The number of the version that each is on, of those labels that were given here.
    """

    id: int
    name: str
    versions: dict[int, Version] = field(default_factory=dict)
    labels: dict[str, int] = field(default_factory=dict)
    pairs: set[Pair] = field(default_factory=set)

    @property
    def latest(self) -> int:
        """The highest number of a version."""
        return max(self.versions)

    def add(self, version: Version, labels: Collection[str] = ()) -> None:
        """Add a version, to which these labels move."""
        self.versions[version.number] = version
        self.labels |= dict.fromkeys(labels, version.number)

    def number_of(self, query: Mapping[str, Any]) -> int:
        """Return the number of the version that a read with this query shows."""
        label = query.get("label")
        return query.get("version", self.latest) if label is None else self.labels[label]

    def labels_on(self, number: int) -> set[str]:
        """Return the labels that are on a version."""
        return {label for label, labelled in self.labels.items() if labelled == number}


def content_of(body: Mapping[str, Any]) -> Content:
    """Return the content of a version as a request or a response has it, without what the service adds."""
    found: Content = {name: body[name] for name in PLAIN if body.get(name) is not None}
    if "commit_message" in body:
        found["commit_message"] = body["commit_message"]  # null, too: then one that was sent is lost
    nodes, edges = body.get("nodes"), body.get("edges")
    if isinstance(nodes, list):
        found["nodes"] = {str(node.get("name")): _node(node) for node in nodes if isinstance(node, dict)}
        names = sorted(str(node.get("name")) for node in nodes if isinstance(node, dict))
        found["names of nodes"] = names
    if isinstance(edges, list):
        found["edges"] = sorted((_edge(edge) for edge in edges if isinstance(edge, dict)), key=canonical)
    return found


def fixed_part_of(body: Mapping[str, Any]) -> Content:
    """Return what a version shows whenever it is read: its content, and what the service adds to it."""
    found = {**content_of(body), **{name: body[name] for name in FIXED if name in body}}
    nodes = body.get("nodes")
    if isinstance(nodes, list):
        found["ids of nodes"] = {str(one.get("name")): one.get("id") for one in nodes if isinstance(one, dict)}
    return found


def merged(base: Content, patch: Mapping[str, Any]) -> Content:
    """Return the content of the version that a patch makes of another one."""
    nodes = dict(base.get("nodes", {}))
    for name, update in (patch.get("nodes") or {}).items():
        if update is None:
            nodes.pop(name, None)
        else:
            nodes[name] = _updated(nodes.get(name, {}), update)
    ends = EDGE[:2]
    kept = [edge for edge in base.get("edges", []) if all(str(edge[end]) in nodes for end in ends)]
    replaced = {name: patch[name] for name in PLAIN if patch.get(name) is not None}
    found = {"nodes": nodes, "names of nodes": sorted(nodes), "edges": kept}
    found |= {"added": nodes.keys() - base.get("nodes", {}).keys()}
    found |= {name: base[name] for name in PLAIN[:1] if name in base}  # whether a message is copied no page says
    return {**found, **replaced, **({"edges": content_of(patch)["edges"]} if patch.get("edges") is not None else {})}


def differences(foretold: Content, shown: Content, *, is_whole: bool) -> Iterator[tuple[str, str]]:
    """
    Yield what of a version is not what it should be: the part, and how.

    Args:
        foretold: What it should be; parts that are not shown are not compared.
        shown: What it is.
        is_whole: Whether nothing may be there beside it. Of what was sent, a service may show more than that.
    """
    for part, expected in foretold.items():
        if part not in shown:
            continue
        if part == "nodes":
            # Of a node that was sent as a whole a service may show more than that.
            added = foretold.get("added", ()) if is_whole else expected
            yield from _node_differences(expected, shown[part], added)
        elif part == "edges" and not all("conditionals" in edge for edge in shown[part]):
            yield from differences(
                {"ends of edges": _ends(expected)}, {"ends of edges": _ends(shown[part])}, is_whole=True
            )
        elif not same(expected, shown[part]):
            yield part, "{} {} instead of {}".format(part, *told_apart(shown[part], expected))


def _node_differences(foretold: Content, shown: Content, added: Collection[str]) -> Iterator[tuple[str, str]]:
    for name in sorted(foretold.keys() & shown.keys()):
        for member, expected in foretold[name].items():
            value = shown[name].get(member)
            if not (_is_within(expected, value) if name in added else same(expected, value)):
                yield member, "{} of a node is {} instead of {}".format(member, *told_apart(value, expected))


def _ends(edges: list[Content]) -> list[list[Any]]:
    return [[edge[name] for name in EDGE] for edge in edges]


def _is_within(expected: Any, value: Any) -> bool:
    """Whether a value has at least what is expected, at any depth of objects."""
    if isinstance(expected, dict) and isinstance(value, dict):
        return all(name in value and _is_within(inner, value[name]) for name, inner in expected.items())
    return same(expected, value)


def _node(node: Mapping[str, Any]) -> Content:
    known = {name: node[name] for name in NODE if name in node}
    needed = known.get("dependencies")
    return {**known, "dependencies": sorted(map(str, needed)) if isinstance(needed, list) else []}


def _edge(edge: Mapping[str, Any]) -> Content:
    known = {name: edge.get(name) for name in EDGE}
    conditions = edge.get("conditionals")
    if isinstance(conditions, list):
        known["conditionals"] = [{name: one.get(name) for name in CONDITION} for one in conditions]
    return known


def _updated(node: Content, update: Mapping[str, Any]) -> Content:
    replaced = {name: update[name] for name in NODE if name in update}
    configuration = _merged_deeply(node.get("configuration", {}), update.get("configuration", {}))
    return _node({**node, **replaced, "configuration": configuration})


def _merged_deeply(base: Any, update: Any) -> Any:
    if not isinstance(base, dict) or not isinstance(update, dict):
        return update
    return {**base, **{name: _merged_deeply(base.get(name), value) for name, value in update.items()}}
