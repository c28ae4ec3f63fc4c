"""A user's own workflows from a TOML, YAML or JSON file: read strictly, and kept in the database."""

import importlib
import logging
import math
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from workflow_sandbox import json_text
from workflow_sandbox.answers import Case
from workflow_sandbox.fixtures import DIALOGUES, Dialogue
from workflow_sandbox.store import Store
from workflow_sandbox.workflow_file_models import WorkflowFile
from workflow_sandbox.workflows import UnsoundVersion, check

_log = logging.getLogger("workflow_sandbox")


class WrongWorkflows(Exception):
    """A file of workflows makes no sense. Its text is one line that names the file, the workflow and the key."""


@dataclass(frozen=True)
class OwnWorkflows:
    """What a file holds.

    Attributes:
        source: Name of the file.
        versions: The versions of each PromptLayer workflow, in the form in which versions are created, by its name.
        dialogues: The Interactly workflows by id.
        cases: Replies to prompts.
    """

    source: str = ""
    versions: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    dialogues: Mapping[str, Dialogue] = field(default_factory=dict)
    cases: Sequence[Case] = ()


def read(path: Path) -> OwnWorkflows:
    """Return what a file holds.

    Raises:
        WrongWorkflows: It can't be read or makes no sense.
    """
    return understood(_content(path), str(path))


def understood(content: Any, source: str) -> OwnWorkflows:
    """Return what the content of a file means; `source` is what an error calls it.

    Raises:
        WrongWorkflows: It makes no sense.
    """
    if no_json := next(_no_json(content, ""), None):
        raise WrongWorkflows(f"{source}: {no_json}")
    try:
        file = WorkflowFile.model_validate(content)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        words = first["msg"].partition(" or instance of ")[0]
        raise WrongWorkflows(f"{source}: {_place(first['loc'])}: {words}") from None
    versions = {name: [one.document() for one in workflow.all_versions] for name, workflow in file.workflows.items()}
    for name, documents in versions.items():
        for number, document in enumerate(documents, 1):
            try:
                check(document)
            except UnsoundVersion as unsound:
                raise WrongWorkflows(f"{source}: workflows.{name}: version {number}: {unsound}") from None
    dialogues = {id_: dialogue.dialogue(id_) for id_, dialogue in file.interactly.items()}
    if taken := next((id_ for id_ in dialogues if id_ in DIALOGUES), None):
        raise WrongWorkflows(f"{source}: interactly.{taken}: the sandbox itself has a workflow of this id")
    return OwnWorkflows(source, versions, dialogues, [case.case() for case in file.cases])


def keep(own: OwnWorkflows, store: Store) -> None:
    """Keep the workflows that the database does not have yet; versions that it has stay what they are.

    Raises:
        WrongWorkflows: It has another version of the same name and number.
    """
    with store.alone():
        _keep(own, store)


def _keep(own: OwnWorkflows, store: Store) -> None:
    for name, documents in own.versions.items():
        for number, document in enumerate(documents, 1):
            kept = store.version(name, number)
            if kept is not None and _without_ids(kept.document) != _without_ids(document):
                advice = "add a version, or use another --database"
                words = f"version {number} is another one in the database; {advice}"
                raise WrongWorkflows(f"{own.source}: workflows.{name}: {words}")
    for name, documents in own.versions.items():
        for number, document in enumerate(documents, 1):
            if store.version(name, number) is None:
                store.add_version(store.workflow_named(name), name, document, document["release_labels"])
    for position, case in enumerate(own.cases):
        _tell_what_fits_nothing(f"{own.source}: cases[{position}]", case, store)


def _tell_what_fits_nothing(place: str, case: Case, store: Store) -> None:
    # No mistake yet: workflows and versions can still be created.
    workflow = None if case.workflow is None else store.workflow_named(case.workflow)
    if case.workflow is not None and workflow is None:
        _log.warning("%s: there is no workflow %r yet", place, case.workflow)
    elif workflow is not None and case.node is not None:
        versions = [store.version(workflow.name, number + 1) for number in range(store.latest(workflow).number)]
        if not any(node.name == case.node for version in versions if version for node in version.nodes):
            _log.warning("%s: no version of %r has a node %r", place, case.workflow, case.node)


def _without_ids(document: Mapping[str, Any]) -> dict[str, Any]:
    def without(parts: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        return [{name: value for name, value in part.items() if name != "id"} for part in parts]

    compared = ("nodes", "edges")
    return {**document, **{name: without(document[name]) for name in compared}}


def _content(path: Path) -> Any:
    readers: dict[str, Callable[[str], Any]] = {
        ".toml": tomllib.loads,
        ".json": json_text.decode,
        ".yaml": _yaml,
        ".yml": _yaml,
    }
    if path.suffix not in readers:
        raise WrongWorkflows(f"{path}: its name should end in {', '.join(readers)}")
    try:
        return readers[path.suffix](path.read_text(encoding="utf-8"))
    except OSError as error:
        raise WrongWorkflows(f"{path}: {error.strerror or error}") from None
    except ImportError:
        raise WrongWorkflows(
            f"{path}: YAML needs ruamel.yaml, which is not installed: pip install ruamel.yaml"
        ) from None
    except Exception as error:  # noqa: BLE001 - a YAML reader has errors of its own
        raise WrongWorkflows(f"{path}: {' '.join(str(error).split())}") from None


def _yaml(text: str) -> Any:
    # YAML 1.2, where `no` and `on` are texts and a name that comes twice is an error.
    return importlib.import_module("ruamel.yaml").YAML(typ="safe", pure=True).load(text)


def _no_json(value: Any, place: str) -> Iterator[str]:
    if isinstance(value, dict):
        for name, one in value.items():
            if not isinstance(name, str):
                yield f"{place or 'the file'}: the name {name!r} should be a text, in quotes"
            yield from _no_json(one, f"{place}.{name}".lstrip("."))
    elif isinstance(value, list):
        for position, one in enumerate(value):
            yield from _no_json(one, f"{place}[{position}]")
    elif not (value is None or isinstance(value, str | int) or (isinstance(value, float) and math.isfinite(value))):
        yield f"{place}: {value} is no JSON value; a text is in quotes"


def _place(loc: Sequence[str | int]) -> str:
    words = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc)
    return words.lstrip(".") or "the file"
