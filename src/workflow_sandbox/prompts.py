"""The text of a prompt: a template in one of PromptLayer's two formats, with its variables filled in.

`{name}` is an f-string's placeholder, `{{ name }}` one of jinja2, where `{{ name.member }}` reaches into an object. A
template that doesn't say its format is jinja2 if it has two braces in a row. Filters and statements of jinja2 are
programs, and programs are not run here: a node with one fails.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from workflow_sandbox import json_text
from workflow_sandbox.sizes import Room

_F_STRING = re.compile(r"\{\{|\}\}|\{([^{}]+)\}")
_JINJA = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}|\{%.*?%\}", re.DOTALL)
_NAME = re.compile(r"[^\s|()\[\]'\"+*/~-][^|()\[\]'\"+*/~]*")
_WORD = re.compile(r"[^\W\d]\w*")
_BRACES = {"{{": "{", "}}": "}"}


def prompt_of(configuration: Mapping[str, Any], inputs: Mapping[str, Any]) -> str | None:
    """Return the prompt of a node's `inline_template`, or None if its text is not in the configuration.

    Raises:
        ValueError: It needs more than placeholders.
    """
    variables = {**inputs, **{name: inputs.get(source) for name, source in _renamed(configuration).items()}}
    templates = _templates(configuration)
    return None if templates is None else "\n\n".join(fill(text, variables, form) for text, form in templates)


def names_in(configuration: Mapping[str, Any]) -> set[str]:
    """Return all names that a node's `inline_template` may be filled in with, also those in what is not run here."""
    renamed = _renamed(configuration)
    names = {name for text, form in _templates(configuration) or () for name in _names(text, form)}
    return {renamed.get(name, name) for name in names}


def _names(template: str, template_format: str | None) -> Iterator[str]:
    if not _is_jinja(template, template_format):
        yield from (found[1] for found in _F_STRING.finditer(template) if found[1])
        return
    for found in _JINJA.finditer(template):
        yield found[1]
        yield from _WORD.findall(found[0])


def _renamed(configuration: Mapping[str, Any]) -> dict[str, str]:
    mappings = configuration.get("prompt_template_variable_mappings")
    renamed = mappings.items() if isinstance(mappings, dict) else ()
    return {name: source for name, source in renamed if isinstance(source, str)}


_Template = tuple[str, str | None]  # its text, and the format that it says


def _templates(configuration: Mapping[str, Any]) -> list[_Template] | None:
    match configuration.get("inline_template"):
        case str(template):
            return [(template, None)]
        case {"prompt_template": {"messages": [*messages]} as template}:
            return [one for message in messages if isinstance(message, dict) for one in _texts(message, template)]
        case {"prompt_template": {"content": _} as template}:
            return _texts(template, {})
    return None


def _texts(message: Mapping[str, Any], template: Mapping[str, Any]) -> list[_Template]:
    content, template_format = message.get("content"), message.get("template_format", template.get("template_format"))
    parts = [{"text": content}] if isinstance(content, str) else content if isinstance(content, list) else []
    found = [part["text"] for part in parts if isinstance(part, dict) and isinstance(part.get("text"), str)]
    return [(text, template_format) for text in found]


def fill(template: str, variables: Mapping[str, Any], template_format: str | None = None) -> str:
    """Return a template with its placeholders filled in; what has no value is empty.

    Raises:
        ValueError: It is a jinja2 template that needs more than placeholders, or it becomes too long.
    """
    take = Room().take
    if template_format == "f-string":
        return _F_STRING.sub(lambda found: _BRACES.get(found[0]) or take(_text(variables.get(found[1], ""))), template)
    if _is_jinja(template, template_format):
        return _JINJA.sub(lambda found: take(_text(_reached(found, variables))), template)
    return _F_STRING.sub(lambda found: take(_text(variables.get(found[1], ""))) if found[1] else found[0], template)


def _is_jinja(template: str, template_format: str | None) -> bool:
    return template_format == "jinja2" or (template_format != "f-string" and "{{" in template)


def _reached(found: re.Match[str], variables: Mapping[str, Any]) -> Any:
    if not found[1] or not _NAME.fullmatch(found[1]):
        raise ValueError(f"The sandbox fills in {{{{ name }}}} and nothing more of jinja2, not {found[0]:.80}")
    if found[1] in variables:
        return variables[found[1]]
    first, *members = found[1].split(".")
    value = variables.get(first, "")
    for member in members:
        value = value.get(member, "") if isinstance(value, dict) else ""
    return value


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json_text.encode(value)
