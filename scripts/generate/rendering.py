"""Runs the generator with our templates on what it is to see of a contract."""

from __future__ import annotations

import contextlib
import io
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import naming
import quoting
import words
from openapi_python_client import Project
from openapi_python_client.config import Config, ConfigFile, MetaType
from openapi_python_client.parser import GeneratorData
from openapi_python_client.parser.errors import GeneratorError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from neutral import Neutral

_COMPONENT = re.compile(r"/components/schemas/([^\s:]+)")
_OPERATION = re.compile(r"WARNING parsing \S+ /(\S+)")
_IN_CIRCLE = "it leads back to itself through lists and alternatives alone; put an object with properties between"
_IN_UNION = "one of its alternatives can't be generated; write it another way"
_REMEDIES = {
    "Could not find reference": _IN_CIRCLE,
    "Invalid property in union": _IN_UNION,
    "Cannot take allOf a non-object": "allOf holds what is no object; write the schema out",
    "was not processed": "it holds itself by allOf; make what they have in common a component of its own",
    "merged": "allOf says of one property what can't be true at once, or not be told apart; write the schema out",
}


class RenderingError(Exception):
    """What the generator can't make: places and reasons."""

    def __init__(self, found: list[tuple[str, str]]) -> None:
        super().__init__("\n".join(f"{where}: {reason}" for where, reason in found))
        self.found = found


def render(neutral: Neutral, facts: dict[str, Any], config: Path, templates: Path, package: Path) -> None:
    """Write the package.

    Raises:
        RenderingError: something can't be generated.
    """
    settings = Config.from_sources(
        ConfigFile.load_from_path(config), MetaType.NONE, package, "utf-8", overwrite=False, output_path=package
    )
    data = GeneratorData.from_dict(neutral.document, config=settings)
    if isinstance(data, GeneratorError):
        raise RenderingError([("#", data.detail or data.header)])
    errors = [
        *data.errors,
        *(error for each in data.endpoint_collections_by_tag.values() for error in each.parse_errors),
    ]
    if errors:
        raise RenderingError([*_in_words(neutral, errors)])
    _check_names(neutral, data)
    _build(Project(openapi=data, config=settings, custom_template_path=templates), neutral, facts)


def _build(project: Project, neutral: Neutral, facts: dict[str, Any]) -> None:
    project.env.globals["contract"] = facts
    models = {str(model.class_info.name): model for model in project.openapi.models}
    project.env.filters |= {
        "attributes": lambda properties: _attributes(neutral, properties),
        "argument_names": naming.arguments,
        "wire": lambda prop: neutral.wire[prop.name.get_untrusted_value()],
        "telling_words": lambda alternatives: words.telling(alternatives, models, neutral.wire),
        "literal": quoting.literal,
        "safe_for_docstring": quoting.docstring,
    }
    # The generator looks for ruff on the PATH, and the right one lies beside this interpreter.
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    with contextlib.redirect_stdout(io.StringIO()):
        errors = project.build()
    if errors:
        raise RenderingError([("#", f"{error.header}: {error.detail}") for error in errors])
    for module in project.package_dir.rglob("*.py"):
        _check_syntax(module)


def _attributes(neutral: Neutral, properties: Iterable[Any]) -> dict[str, str]:
    """The attributes of a model's properties, by the properties' names in the generator."""
    names = [prop.name.get_untrusted_value() for prop in properties]
    called = naming.attributes(neutral.wire[name] for name in names)
    return {name: called[neutral.wire[name]] for name in names}


def _check_names(neutral: Neutral, data: GeneratorData) -> None:
    """Every member has an attribute of its own, and every class a module: what would be lost is lost in silence."""
    modules: dict[str, str] = {}
    for made in (*data.models, *data.enums):
        module = naming.module_name(made.class_info.name)
        if modules.setdefault(module, made.class_info.name) != made.class_info.name:
            raise RenderingError([("#", f"{made.class_info.name} and {modules[module]} would be one module")])
    for model in data.models:
        properties = [*(model.required_properties or ()), *(model.optional_properties or ())]
        found = _attributes(neutral, properties)
        if len(set(found.values())) != len(properties):
            raise RenderingError([("#", f"{model.class_info.name} would have two members under one name")])


def _check_syntax(module: Path) -> None:
    try:
        compile(module.read_text(encoding="utf-8"), module.name, "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        raise RenderingError([("#", f"{module.name} would be no Python: {error}; please report this")]) from error


def _in_words(neutral: Neutral, errors: list[GeneratorError]) -> Iterator[tuple[str, str]]:
    """Places and reasons; what only follows from another error is left out."""
    found = {_culprit(error): _reason(error) for error in reversed(errors)}
    schemas = neutral.document["components"]["schemas"]
    causes = {name: reason for name, reason in found.items() if reason not in {_IN_CIRCLE, _IN_UNION}}
    circles = {
        name: _IN_CIRCLE if reason == _IN_UNION else reason
        for name, reason in found.items()
        if name in schemas and _leads_back(name, schemas)
    }
    for name, reason in (causes | circles or found).items():
        yield neutral.pointers.get(name, "#"), reason


def _culprit(error: GeneratorError) -> str:
    found = _OPERATION.search(error.header) or _COMPONENT.search(error.header)
    return found[1] if found else ""


def _reason(error: GeneratorError) -> str:
    words = (error.detail or error.header).strip()
    known = next((remedy for part, remedy in _REMEDIES.items() if part in words or part in error.header), None)
    return known or f"the generator can't make it ({words.splitlines()[0]}); write the schema another way"


def _leads_back(name: str, schemas: dict[str, Any]) -> bool:
    seen: set[str] = set()
    ahead = [*_references(schemas[name])]
    while ahead:
        each = ahead.pop()
        if each not in seen:
            seen.add(each)
            ahead += _references(schemas.get(each))
    return name in seen


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict) and isinstance(value.get("$ref"), str):
        yield value["$ref"].rpartition("/")[2]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for item in inner:
        yield from _references(item)
